"""The server in the background, and the pid file in either case."""

import os

import pytest

from lib import process
from lib.server import Daemon
from lib.wait import eventually


@pytest.fixture
def pidfile(tmp_path):
    return tmp_path / "pid"


def test_caller_returns_when_the_daemon_listens(start):
    daemon = start(kind=Daemon, wait=False)
    # Its output has ended, so that the daemon has let go of it.
    assert (daemon.result.returncode, daemon.result.stdout, daemon.result.stderr) == (0, "", "")
    assert daemon.fetch("/hello").status == 200


def test_daemon_is_in_a_session_of_its_own(start):
    daemon = start(kind=Daemon)
    assert os.getsid(daemon.pid) not in (os.getsid(0), daemon.pid)
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == "/"
    for fd in (0, 1, 2):
        assert os.readlink(f"/proc/{daemon.pid}/fd/{fd}") == "/dev/null"


def test_daemon_stops_and_says_so(start, pidfile):
    daemon = start("-p", pidfile, kind=Daemon)
    daemon.stop()
    assert daemon.records[-1].text.startswith("stopped")
    assert not pidfile.exists()


def test_daemon_replaces_its_workers(start):
    daemon = start(kind=Daemon)
    worker = daemon.serving[0]
    process.kill(worker.pid)
    daemon.wait_until_replaced(worker)


def test_daemon_that_cannot_listen_fails_where_the_caller_sees_it(start):
    port = start(workers=1).port
    daemon = start(kind=Daemon, listen=f"127.0.0.1:{port}", wait=False)
    assert daemon.result.returncode == 71
    assert not daemon.processes()
    reason = f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert reason in daemon.log
    assert reason in daemon.result.stderr


def test_daemon_with_a_wrong_configuration_fails_as_the_foreground_does(run):
    result = run("-d", "-w", "none")
    assert result.returncode == 78
    assert "instance.workers" in result.stderr


def test_daemon_without_a_log_file_warns(run, pidfile):
    result = run("-d", "-p", pidfile, "-l", "127.0.0.1:0", "-w", 1)
    assert result.returncode == 0
    pid = int(pidfile.read_text())
    process.kill(pid, 15)
    eventually(lambda: not process.is_alive(pid), "the daemon ends")
    assert "a daemon has no stderr: set log.target to a file" in result.stderr


@pytest.mark.parametrize("kind", [None, Daemon], ids=["foreground", "daemon"])
def test_pid_file_holds_the_masters_pid(start, pidfile, kind):
    server = start("-p", pidfile, **({"kind": kind} if kind else {}))
    assert pidfile.read_text() == f"{server.pid}\n"
    assert {str(server.pid)} == {
        process.status_of(worker.pid)["PPid"] for worker in server.serving
    }


def test_pid_file_is_unlinked_at_the_stop(start, pidfile):
    server = start("-p", pidfile)
    server.stop()
    assert not pidfile.exists()


@pytest.mark.parametrize("content", ["", "1\n", "99999999\n", "nonsense\n", "1234567890" * 10])
def test_stale_pid_file_blocks_nobody(start, pidfile, content):
    pidfile.write_text(content)
    server = start("-p", pidfile, workers=1)
    assert pidfile.read_text() == f"{server.pid}\n"


def test_killed_masters_pid_file_blocks_nobody(start, pidfile):
    first = start("-p", pidfile)
    first.expected_status = -9
    process.kill(first.pid)
    eventually(lambda: not first.processes(), "no process of the server is left")
    assert pidfile.exists()
    second = start("-p", pidfile)
    assert pidfile.read_text() == f"{second.pid}\n"


def test_pid_file_of_a_running_master_names_it(start, run, pidfile):
    server = start("-p", pidfile)
    result = run("-p", pidfile, "-l", "127.0.0.1:0", "-w", 1)
    assert result.returncode == 71
    holder = f"the pid file {pidfile} is held by a master that runs, process {server.pid}\n"
    assert holder in result.stderr
    assert pidfile.read_text() == f"{server.pid}\n"


def test_pid_file_of_a_successor_is_not_unlinked(start, pidfile):
    first = start("-p", pidfile)
    os.unlink(pidfile)
    second = start("-p", pidfile)
    first.stop()
    assert pidfile.read_text() == f"{second.pid}\n"


def test_pid_file_that_cannot_be_made_is_71(run, tmp_path):
    result = run("-p", f"{tmp_path}/none/pid", "-l", "127.0.0.1:0", "-w", 1)
    assert result.returncode == 71
    assert f"cannot use the pid file {tmp_path}/none/pid: No such file" in result.stderr


def test_pid_file_is_no_symbolic_link(run, pidfile, tmp_path):
    (tmp_path / "precious").write_text("precious")
    pidfile.symlink_to("precious")
    assert run("-p", pidfile, "-l", "127.0.0.1:0", "-w", 1).returncode == 71
    assert (tmp_path / "precious").read_text() == "precious"
