"""Upgrades: programs that a test can replace, and what an upgrade must leave as it was."""

import os
import re
import shutil
import signal
import sys

import pytest

from lib import process
from lib.server import BINARY
from lib.wait import eventually

GOES_ON = "zombie-server goes on after an upgrade"
STATE_FD = "ZOMBIE_STATE_FD"


class Program:
    """What an operator replaces, as updates do it: by rename."""

    def __init__(self, path):
        self.path = path
        path.parent.mkdir(exist_ok=True)
        self.install()

    def install(self):
        """A copy of the real program, in a file of its own."""
        shutil.copy(BINARY, self._new)
        os.rename(self._new, self.path)

    def write(self, text, mode=0o755):
        self._new.write_text(text)
        self._new.chmod(mode)
        os.rename(self._new, self.path)

    def wrap(self, code):
        """A program that runs the code, which knows whether it is on trial, and is the real one."""
        self.write(
            f"#!{sys.executable} -IS\nimport json, os, sys\n"
            f"trial = sys.argv[1:2] == ['--preflight']\n{code}\n"
            f"os.execv({BINARY!r}, [{BINARY!r}, *sys.argv[1:]])\n"
        )

    @property
    def _new(self):
        return self.path.with_name("new")

    def is_run_by(self, server):
        running, named = os.stat(f"/proc/{server.pid}/exe"), os.stat(self.path)
        return (running.st_dev, running.st_ino) == (named.st_dev, named.st_ino)


class Gate:
    """Where a program waits until the test lets it pass."""

    def __init__(self, folder):
        self.pipe, self.mark = folder / "gate", folder / "gate.reached"
        os.mkfifo(self.pipe)
        self.code = f"open({str(self.mark)!r}, 'w').close(); open({str(self.pipe)!r}).read()"

    def wait(self):
        eventually(self.mark.exists, "the program waits")

    def open(self):
        self.wait()
        os.close(eventually(self._writer, "the program opens the pipe"))

    def _writer(self):
        try:
            return os.open(self.pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return None


@pytest.fixture
def program(tmp_path):
    return Program(tmp_path / "bin" / "zombie-server")


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


@pytest.fixture
def begin(start, program):
    """Start a server from the program that a test can replace."""

    def begin_one(*arguments, **options):
        return start(*arguments, **{"binary": str(program.path), **options})

    return begin_one


def occurrences(server, pattern):
    return len(re.findall(pattern, server.log, re.M))


def settle(server, n, after):
    """Wait until n workers younger than `after` serve and no other child is left, dead or alive."""
    server.wait_until_serving(n, after)
    eventually(lambda: len(process.children_of(server.pid)) == n, f"{n} workers are left")
    assert sorted(w.id > after for w in server.serving) == [True] * n


def upgrade(server, n=None, meanwhile=None):
    """Ask for an upgrade and wait until the new program's workers, and only they, are there."""
    n = server.n_workers if n is None else n
    last, done = max(server.workers), server.log.count(GOES_ON)
    server.send_signal(signal.SIGUSR2)
    if meanwhile is not None:
        meanwhile()
    server.wait_for_log(GOES_ON, done + 1)
    settle(server, n, last)


def descriptors(server):
    """What each descriptor of the master is, and whether it is closed on execve(2)."""
    found = {}
    for fd in os.listdir(f"/proc/{server.pid}/fd"):
        with open(f"/proc/{server.pid}/fdinfo/{fd}", encoding="ascii") as file:
            flags = int(re.search(r"^flags:\s+(\d+)$", file.read(), re.M)[1], 8)
        found[int(fd)] = (os.readlink(f"/proc/{server.pid}/fd/{fd}"), bool(flags & os.O_CLOEXEC))
    return found


def facts(server):
    """What a refused upgrade leaves as it was; None while that changes."""
    try:
        return {
            "descriptors": descriptors(server),
            "children": sorted(process.children_of(server.pid)),
            "folder": os.readlink(f"/proc/{server.pid}/cwd"),
            "program": os.stat(f"/proc/{server.pid}/exe").st_ino,
            "serving": [worker.id for worker in server.serving],
        }
    except FileNotFoundError:
        return None


def upgrade_in_vain(server, reason, meanwhile=None):
    """Ask for an upgrade that is refused for that reason, and prove that nothing has changed."""
    before = eventually(lambda: facts(server), "the facts before")
    line = rf"error master: upgrade refused: {reason}; nothing has changed, version \S+ goes on$"
    refusals, upgrades = occurrences(server, line), server.log.count(GOES_ON)
    server.send_signal(signal.SIGUSR2)
    if meanwhile is not None:
        meanwhile()
    server.wait_for_log(line, refusals + 1)
    eventually(lambda: facts(server) == before, f"{facts(server)} is again {before}")
    assert server.log.count(GOES_ON) == upgrades
    assert server.fetch("/hello").status == 200
