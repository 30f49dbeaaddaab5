"""
Programs that speak the Distributor's protocol: those of others, foreign/plain_*.js, run by node, and
zombie-distributor, for them.
"""

import json
import os
import re
import subprocess
import threading

from lib.server import BINARY, SRCDIR, environment
from lib.wait import DEADLINE, eventually

OURS = os.path.join(os.path.dirname(BINARY), "distributor", "zombie-distributor")
FOREIGN = os.path.join(SRCDIR, "tests", "registries", "foreign")


class Peer:
    """A script that runs; `lists` is what it has printed: each list as it came."""

    def __init__(self, script, *arguments):
        self.lists, self._first = [], []
        self.process = subprocess.Popen(
            ["node", os.path.join(FOREIGN, script), *map(str, arguments)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("["):
                self.lists.append(json.loads(line))
            else:
                self._first.append(line)

    @property
    def port(self):
        """Where it listens."""
        eventually(lambda: self._first, "it listens")
        return int(self._first[0].split()[1])

    @property
    def names(self):
        """Those of the last list, in its order; None: there was no list."""
        return [node["name"] for node in self.lists[-1]] if self.lists else None

    def wait_for_names(self, *names):
        eventually(lambda: self.names == [*names], f"it is told of {names}")
        return self.lists[-1]

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stdout.close()


def node(distributor_port, name, port, *urls):
    return Peer("plain_node.js", distributor_port, name, port, *urls)


def distributor(*, port=0, greets=False):
    return Peer("plain_distributor.js", port, *(["greet"] if greets else []))


class Ours:
    """A zombie-distributor."""

    def __init__(self, port=0):
        options = [f"distributor.listen=127.0.0.1:{port}", "distributor.control=off"]
        words = [word for option in options for word in ("-o", option)]
        self.process = subprocess.Popen(
            [OURS, *words], env=environment(), stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.log = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stderr:
            self.log.append(line)

    @property
    def port(self):
        def listens():
            return re.search(r"listens on 127\.0\.0\.1:(\d+)", "".join(self.log))

        return int(eventually(listens, "zombie-distributor listens")[1])

    def stop(self):
        self.process.kill()
        self.process.wait(DEADLINE)
        self._reader.join(DEADLINE)
        self.process.stderr.close()
