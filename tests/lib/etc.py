"""A folder that a server can take for /etc, so that a test decides whether its workers boot."""

import os
import shutil

from lib import process


class Etc:
    """
    Workers look instance.user and its groups up when they start: in files that
    may have lost the user, or be a pipe which nobody writes to. The master
    looks at the users only.
    """

    arguments = ("instance.user=worker", "instance.backoff_min_ms=1")
    uid = 65534
    _valid = f"root:x:0:0::/:/bin/sh\nworker:x:{uid}:{uid}::/:/bin/false\n"

    def __init__(self, folder):
        self.folder = folder / "etc"
        self.users = self.folder / "passwd"
        self.groups = self.folder / "group"
        self.folder.mkdir()
        for name in ("nsswitch.conf", "ld.so.cache"):
            if os.path.exists(f"/etc/{name}"):
                shutil.copy(f"/etc/{name}", self.folder)
        self._group_lines = ["root:x:0:"]
        self.mend_boots()

    def mount(self):
        """To be called in a new process."""
        process.mount_over(self.folder, "/etc")

    def _write(self, path, text):
        replacement = self.folder / "new"
        replacement.write_text(text)
        os.rename(replacement, path)

    def break_boots(self):
        self._write(self.users, "root:x:0:0::/:/bin/sh\n")

    def mend_boots(self):
        self._write(self.users, self._valid)
        self._write(self.groups, "".join(f"{line}\n" for line in self._group_lines))

    def make_boots_hang(self):
        os.unlink(self.groups)
        os.mkfifo(self.groups)

    def add_group(self, name, gid, *members):
        self._group_lines.append(f"{name}:x:{gid}:{','.join(members)}")
        self.mend_boots()
