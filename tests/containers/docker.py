"""
What stands in for Docker: podman's service where DOCKER_HOST says, for docker-compose, and
a `docker` in PATH, so that commands run as the documents have them.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess

from engine import BASE, has_helper
from lib.needs import require
from lib.server import SRCDIR
from lib.wait import DEADLINE, eventually

# Version 2 is a plugin of Docker's client, which runs without it, too.
_FOLDERS = ("/usr/local/lib", "/usr/local/libexec", "/usr/lib", "/usr/libexec")
_PLUGINS = [f"{folder}/docker/cli-plugins/docker-compose" for folder in _FOLDERS]

_PATIENCE = 300  # seconds

_CLIENT = """#!/bin/sh
case $1 in
compose)
    shift
    exec {compose} "$@"
    ;;
*) exec {podman} "$@" ;;
esac
"""


def compose_program():
    """docker-compose, of version 2 if that is there."""
    plugin = next(filter(os.path.exists, _PLUGINS), None)
    if plugin is None:
        require("docker-compose")
    return plugin or shutil.which("docker-compose")


def obstacle(engine, network):
    """Why containers cannot be in a network of their own and know each other's names, or None."""
    missing = [name for name in ("netavark", "aardvark-dns") if not has_helper(name)]
    if missing:
        return f"podman has no {', '.join(missing)} (Debian: packages of these names)"
    with network.inside():
        tried = engine.do("run", "--rm", BASE, "true", check=False)
    return tried.stderr.strip() if tried.returncode != 0 else None


class Docker(contextlib.AbstractContextManager):
    """It runs from the beginning of the block to its end, in this network."""

    def __init__(self, engine, network):
        folder = os.path.join(engine.folder, "docker")
        os.mkdir(folder)
        self.network = network
        address = f"unix://{folder}/sock"
        client = _CLIENT.format(compose=compose_program(), podman=shlex.join(engine.words()))
        with open(os.path.join(folder, "docker"), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), 0o755)
            file.write(client)
        self._env = {
            **engine.environment,
            "PATH": f"{folder}:{os.environ['PATH']}",
            "DOCKER_HOST": address,
            # Which podman's service does not have.
            "DOCKER_BUILDKIT": "0",
            # As Docker does it: the other format has no health checks.
            "BUILDAH_FORMAT": "docker",
        }
        with network.inside():
            self._service = subprocess.Popen(
                engine.words("system", "service", "--time=0", address), cwd=folder,
                env=engine.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )  # fmt: skip
        eventually(lambda: os.path.exists(f"{folder}/sock"), "podman's service listens")

    def __exit__(self, *_):
        self._service.send_signal(signal.SIGTERM)
        self._service.wait(DEADLINE)

    def open(self, command, output):
        """Start what a reader types in the root folder of the sources."""
        with self.network.inside():
            return subprocess.Popen(["bash", "-c", command], cwd=SRCDIR, env=self._env,
                                    stdin=subprocess.DEVNULL, stdout=output,
                                    stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip

    def run(self, command):
        """The same to its end; returns what it prints."""
        with self.open(command, subprocess.PIPE) as running:
            try:
                output, _ = running.communicate(timeout=_PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(running.pid, signal.SIGKILL)
                output, _ = running.communicate()
        text = output.decode(errors="replace")
        assert running.returncode == 0, f"{command}: {running.returncode}: {text[-8000:]}"
        return text

    def strangers(self):
        """{pid: name} of who is in the network, but for podman's service."""
        return {pid: name for pid, name in self.network.processes().items()
                if pid != self._service.pid}  # fmt: skip
