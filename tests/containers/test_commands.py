"""The commands of the documents that are for Docker are run as they stand there."""

import contextlib
import re
import signal
import subprocess

import pytest

from engine import SERVER, Container
from lib import client
from lib.documents import commands_in
from lib.wait import DEADLINE, eventually

# What goes on until somebody has seen enough, and where it serves then.
ENDLESS = {
    r"docker run ": ("127.0.0.1", 3000),
    r"(\w+=\S+ )?docker compose .*up": ("127.0.0.1", 3333),
}

COMMANDS = commands_in("containers")


def address_of(command):
    return next((where for begin, where in ENDLESS.items() if re.match(begin, command)), None)


class Terminal:
    """One of a reader's: it shows what a command prints, and takes ^C."""

    def __init__(self, docker, path, command):
        self._path = path
        self._command = command
        with open(path, "wb") as output:
            self._running = docker.open(command, output)

    def _serves(self, address):
        assert self._running.poll() is None, f"{self._command}: {self._path.read_text()}"
        try:
            return client.fetch(address).status == 200
        except (OSError, client.Disconnected):
            return False

    def wait_for(self, address):
        eventually(lambda: self._serves(address), f"{self._command} serves", 2 * DEADLINE)

    def interrupt(self):
        """Returns the exit status."""
        self._running.send_signal(signal.SIGINT)
        try:
            return self._running.wait(2 * DEADLINE)
        except subprocess.TimeoutExpired:
            self._running.kill()
            raise


def run_block(docker, folder, commands):
    terminals = []
    try:
        for number, command in enumerate(commands):
            address = address_of(command)
            if address is None:
                docker.run(command)
                continue
            terminals.append(Terminal(docker, folder / f"output-{number}", command))
            with docker.network.inside():
                terminals[-1].wait_for(address)
    finally:
        statuses = [one.interrupt() for one in terminals]
    assert not statuses or set(statuses) <= {0, 130}


@contextlib.contextmanager
def containers_for(engine, docker, commands):
    """Those that the commands take for granted are there within the block, and serve."""
    named = (re.match(r"docker exec (\w+) ", command) for command in commands)
    names = {match[1] for match in named if match}
    try:
        for name in names:
            docker.run(f"docker run --detach --name {name} {SERVER}")
            execute = Container(engine, name).execute
            eventually(lambda: execute("zombiectl", "ping", check=False).returncode == 0,
                       f"{name} is heard")  # fmt: skip
        yield
    finally:
        for name in names:
            docker.run(f"docker rm --force --time 0 {name}")


@pytest.mark.parametrize("document, number", COMMANDS)
def test_commands_run(engine, docker, tmp_path, document, number):
    commands = COMMANDS[document, number]
    with containers_for(engine, docker, commands):
        run_block(docker, tmp_path, commands)
