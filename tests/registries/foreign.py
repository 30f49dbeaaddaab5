"""Clients of registries that others wrote, and the programs in foreign/ that use them."""

import json
import os
import select
import shutil
import subprocess

from lib.needs import require
from lib.server import SRCDIR
from lib.wait import DEADLINE

_FOLDER = os.path.join(SRCDIR, "tests", "registries", "foreign")
_INSTALL = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def install(folder):
    """Install what package-lock.json names; returns the environment in which node finds it."""
    require("node", "npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(_FOLDER, name), folder)
    subprocess.run(_INSTALL, cwd=folder, stdin=subprocess.DEVNULL, timeout=300, check=True)
    return {**os.environ, "NODE_PATH": str(folder / "node_modules")}


class Foreign:
    """A program of foreign/ that does what it is told while the block lasts."""

    def __init__(self, name, environment, *arguments):
        self._process = subprocess.Popen(
            ["node", os.path.join(_FOLDER, name), *map(str, arguments)], env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        try:
            self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.stdout.close()

    def do(self, command, argument=None):
        """What the client answers."""
        self._process.stdin.write(json.dumps([command, argument]) + "\n")
        assert select.select([self._process.stdout], [], [], DEADLINE)[0], f"{command}: no answer"
        return json.loads(self._process.stdout.readline())
