"""The server as PID 1 of a container: no init is needed."""

import os
import shutil
import signal
import subprocess

import pytest

from lib import process
from lib.server import Server
from lib.wait import DEADLINE, eventually

IN_CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc")

pytestmark = pytest.mark.root


def can_unshare():
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter"))
    return tools and subprocess.run([*IN_CONTAINER, "true"], capture_output=True).returncode == 0


class Container(Server):
    """A server that believes to be process 1; we see it under another number."""

    def __init__(self, folder, *arguments, **options):
        super().__init__(folder, *arguments, prefix=IN_CONTAINER, **options)

    @property
    def pid(self):
        self.wait_for_log("zombie-server starts .*pid=1 ")
        return process.children_of(self.process.pid)[0]

    def execute(self, *words):
        """Run a command in the container."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-p", *words],
            capture_output=True, text=True, timeout=DEADLINE, check=True,
        ).stdout  # fmt: skip


@pytest.fixture
def container(start):
    if not can_unshare():
        pytest.skip("no PID namespace to be had here")
    return start("log.level=debug", kind=Container)


def test_pid_1_serves(container):
    assert container.identity()["instance"] == container.instance
    assert container.serving[0].pid < 100


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_pid_1_obeys_signals(container, name):
    container.stop(getattr(signal, name))


def test_pid_1_replaces_its_workers(container):
    worker = container.serving[0]
    container.execute("sh", "-c", f"kill -KILL {worker.pid}")
    container.wait_until_replaced(worker)
    assert container.fetch("/hello").status == 200


def test_pid_1_reaps_orphans(container, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # The shell that starts it ends at once, so that it becomes a child of process 1.
    script = f'sh -c "exec <\'{pipe}\' >/dev/null 2>&1; read line" >/dev/null 2>&1 & echo $!'
    orphan = int(container.execute("sh", "-c", script))
    n_workers = len(container.serving)
    eventually(lambda: len(process.children_of(container.pid)) == n_workers + 1, "it is adopted")
    with open(pipe, "w", encoding="utf-8") as end_it:
        end_it.write("now\n")
    container.wait_for_log(f"reaped process {orphan}, which is no worker")
    eventually(lambda: len(process.children_of(container.pid)) == n_workers, "it is reaped")
    assert container.fetch("/hello").status == 200


def test_container_ends_with_its_pid_1(container):
    container.expected_status = None  # unshare(1) has several ways to put it
    process.kill(container.pid)
    eventually(lambda: not container.processes(), "no process of the container is left")
    container.wait()
