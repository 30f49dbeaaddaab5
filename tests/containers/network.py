"""A network of the tests' own: each port is free there, and nothing of the machine's changes."""

import contextlib
import os
import subprocess

from lib import process
from lib.programs import run


class Network(contextlib.AbstractContextManager):
    """Use as a context; what was started within inside() must have ended before it is left."""

    def __init__(self):
        # Somebody has to be in it for it to be there: until the end of its input.
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "ip link set lo up && echo up && exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self._keeper.stdout.readline() == b"up\n"
        self._first_links = self._links()

    def __exit__(self, *_):
        self._keeper.communicate()

    def inside(self):
        return process.network_of(self._keeper.pid)

    def links(self):
        """The names of interfaces that it has got since its beginning."""
        return self._links() - self._first_links

    def _links(self):
        with self.inside():
            lines = run("ip", "-o", "link").stdout.splitlines()
        return {line.split()[1].rstrip(":").partition("@")[0] for line in lines}

    def processes(self):
        """{pid: name} of whoever is in it, but for this process and the one that keeps it."""
        own = os.stat(f"/proc/{self._keeper.pid}/ns/net").st_ino
        known = (os.getpid(), self._keeper.pid)
        found = {}
        for pid in process.all_pids():
            with contextlib.suppress(OSError):
                if os.stat(f"/proc/{pid}/ns/net").st_ino == own and pid not in known:
                    found[pid] = process.status_of(pid).get("Name")
        return found
