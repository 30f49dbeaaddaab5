"""What others tamper with: the pid file, the folder of the log, sockets that listen."""

import fcntl
import os
import shutil
import signal
import socket

import pytest

from lib import process
from lib.client import fetch
from lib.ports import free_port
from lib.survival import reload, start_logging, upgrade
from lib.wait import eventually


@pytest.fixture
def pidfile(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    return folder / "pid"


@pytest.fixture
def start_filed(start, manager, pidfile):
    """Start a server with a pid file, which looks after it often."""

    def start_one(*arguments, **options):
        server = start("-p", pidfile, *arguments, env=manager.variables(50), **options)
        manager.watch(server.pid, 1)
        return server

    return start_one


def is_locked(path):
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def assert_restored(server, manager, pidfile, times=1):
    manager.watch(server.pid)
    assert pidfile.read_text() == f"{server.pid}\n"
    assert is_locked(pidfile)
    restored = f"warning master: the pid file {pidfile} was gone or replaced, wrote it again\n"
    assert server.log.count(restored) == times


def test_untouched_pid_file_is_left_alone(start_filed, manager, pidfile):
    server = start_filed()
    inode = pidfile.stat().st_ino
    assert_restored(server, manager, pidfile, times=0)
    assert pidfile.stat().st_ino == inode


def test_deleted_pid_file_is_written_again(start_filed, manager, pidfile):
    server = start_filed()
    for times in (1, 2):
        os.unlink(pidfile)
        assert_restored(server, manager, pidfile, times)
    server.stop()
    assert not pidfile.exists()


def test_replaced_pid_file_is_written_again(start_filed, manager, pidfile):
    server = start_filed()
    other = pidfile.with_name("other")
    other.write_text("a longer text than any process id\n")
    os.rename(other, pidfile)
    assert_restored(server, manager, pidfile)


def test_pid_file_comes_back_with_its_folder(start_filed, manager, pidfile):
    server = start_filed()
    shutil.rmtree(pidfile.parent)
    manager.watch(server.pid)
    cannot = (f"warning master: the pid file {pidfile} is gone or replaced and cannot be written: "
              "No such file or directory, trying on\n")  # fmt: skip
    assert server.log.count(cannot) == 1
    pidfile.parent.mkdir()
    assert_restored(server, manager, pidfile)
    assert server.log.count(cannot) == 1
    assert server.fetch("/hello").status == 200


def test_pid_file_that_another_holds_is_left_to_it_and_taken_when_free(start_filed, manager,
                                                                       pidfile):  # fmt: skip
    server = start_filed()
    other = pidfile.with_name("other")
    with open(other, "w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("not yours\n")
        file.flush()
        os.rename(other, pidfile)
        manager.watch(server.pid)
        assert pidfile.read_text() == "not yours\n"
        assert server.log.count("is gone or replaced and cannot be written: Resource") == 1
    assert_restored(server, manager, pidfile)


def test_pid_file_is_looked_after_by_an_upgraded_master(start_filed, manager, pidfile):
    server = start_filed()
    upgrade(server, 2)
    assert pidfile.read_text() == f"{server.pid}\n"
    assert is_locked(pidfile)
    os.unlink(pidfile)
    assert_restored(server, manager, pidfile)
    upgrade(server, 3)
    assert is_locked(pidfile)
    server.stop()
    assert not pidfile.exists()


def test_pid_file_that_is_gone_during_an_upgrade_is_written_again(start_filed, manager, pidfile):
    server = start_filed()
    shutil.rmtree(pidfile.parent)
    upgrade(server, 2)
    pidfile.parent.mkdir()
    assert_restored(server, manager, pidfile)


@pytest.fixture
def vanished(start, tmp_path):
    """A server whose log's folder is gone, while its log is still read through a descriptor."""
    folder = tmp_path / "logs"
    folder.mkdir()
    path = folder / "file.log"
    server = start_logging(start, path)
    with open(path, "rb") as file:
        server.log_path = f"/proc/{os.getpid()}/fd/{file.fileno()}"
        shutil.rmtree(folder)
        yield server, path
        problems = server.clean_up()
        log = server.log
    kept = tmp_path / "kept.log"
    kept.write_text(log)
    server.log_path = str(kept)
    assert not problems


def test_log_without_its_folder_goes_on_where_it_was(vanished):
    server, path = vanished
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log(
        f"error master: cannot open {path} again: No such file or directory, logging on into the "
        "old file"
    )
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    assert server.fetch("/hello").status == 200


def test_log_comes_back_with_its_folder(vanished):
    server, path = vanished
    worker = server.serving[0]
    path.parent.mkdir()
    server.send_signal(signal.SIGUSR1)
    eventually(path.exists, "there is a new log")
    server.log_path = str(path)
    server.wait_for_log("info master: opened the log again$")
    process.kill(worker.pid, signal.SIGTERM)
    server.wait_for_log(f"info worker {worker.id}: got signal")


def test_reload_needs_the_folder_of_the_log(vanished):
    server, path = vanished
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(f"error master: reload refused: cannot log to {path}: "
                        "No such file or directory, generation 1 goes on$")  # fmt: skip
    assert server.fetch("/hello").status == 200
    path.parent.mkdir()
    server.send_signal(signal.SIGHUP)
    eventually(lambda: path.exists() and "reloaded: generation 2" in path.read_text(), "it works")
    server.log_path = str(path)


# Sockets that listen


@pytest.fixture
def start_at(start, manager, tmp_path):
    """Start a server on a unix socket, which looks after it often."""

    def start_one(*arguments):
        path = tmp_path / "socket"
        server = start(*arguments, listen=f"unix:{path}", env=manager.variables(50))
        manager.watch(server.pid, 1)
        return server, path

    return start_one


def count_lost(server, path):
    return server.log.count(f"warning master: the socket file {path} is gone or replaced, ")


def test_socket_file_that_is_gone_is_made_again_by_a_reload(start_at, manager):
    server, path = start_at()
    assert count_lost(server, path) == 0
    os.unlink(path)
    manager.watch(server.pid)
    assert count_lost(server, path) == 1
    assert not path.exists()
    reload(server, 2)
    for _ in range(10):
        assert fetch(str(path), "/hello").status == 200
    manager.watch(server.pid)
    assert count_lost(server, path) == 1
    server.stop()
    assert not path.exists()


def test_reload_leaves_the_socket_of_another_alone(start_at, manager):
    server, path = start_at()
    os.unlink(path)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        inode = path.stat().st_ino
        manager.watch(server.pid)
        assert count_lost(server, path) == 1
        server.send_signal(signal.SIGHUP)
        server.wait_for_log(
            f"error master: reload refused: cannot listen on unix:{path}: "
            "Address already in use, generation 1 goes on$"
        )
        assert path.stat().st_ino == inode
        server.stop()
        assert path.stat().st_ino == inode


def shut_down_listener(server):
    """
    As a worker that has run wild could: for all that have the socket, so the
    master's will do, which has no connections that it could be mistaken for.
    """
    with process.steal_socket(server.pid, socket.SOCK_STREAM) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        listener.shutdown(socket.SHUT_RD)


@pytest.mark.parametrize("chosen_by", ["us", "the kernel"])
def test_listener_that_a_worker_has_shut_down_listens_again(start, manager, chosen_by):
    port = free_port() if chosen_by == "us" else 0
    server = start(listen=f"127.0.0.1:{port}", env=manager.variables(50))
    address = server.address
    for times in (1, 2):
        shut_down_listener(server)
        server.wait_for_log(
            rf"warning master: 127\.0\.0\.1:{address[1]} did not listen any more, it does again$",
            times,
        )
        for _ in range(10):
            assert fetch(address, "/hello").status == 200
    assert sorted(worker.id for worker in server.serving) == [1, 2]


def test_unix_listener_that_a_worker_has_shut_down_serves_again(start_at, manager):
    """The kernel lets it not listen again, so a reload must open another."""
    server, path = start_at()
    shut_down_listener(server)
    manager.watch(server.pid)
    reload(server, 2)
    for _ in range(10):
        assert fetch(str(path), "/hello").status == 200
