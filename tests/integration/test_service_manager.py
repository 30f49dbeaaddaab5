"""What a service manager is told, and the sockets that it passes."""

import os
import re
import signal
import socket
import time

import pytest

from lib import process
from lib.activation import activated_by
from lib.client import Connection, fetch, render
from lib.manager import Manager
from lib.reload import let_go
from lib.survival import reload, upgrade, wait_until_settled

HOUR = 3600000


# The service manager: notifications


def wait_for_status(manager, begin):
    """The next message whose status begins like that."""
    while True:
        message = manager.receive()
        if message.fields.get("STATUS", "").startswith(begin):
            return message


@pytest.mark.smoke
@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_manager_hears_of_start_reload_and_stop(start, tmp_path, kind):
    name = tmp_path / "own" if kind == "path" else f"@zombie-test-{os.getpid()}"
    manager = Manager(name)
    server = start(env=manager.variables())
    assert manager.receive().fields == {
        "READY": "1", "STATUS": "Generation 1 serves", "MAINPID": str(server.pid),
    }  # fmt: skip
    before = time.monotonic_ns() // 1000
    server.send_signal(signal.SIGHUP)
    reloading = manager.receive().fields
    assert before <= int(reloading.pop("MONOTONIC_USEC")) <= time.monotonic_ns() // 1000
    assert reloading == {"RELOADING": "1"}
    assert manager.receive().fields == {
        "READY": "1", "STATUS": "Generation 2 serves", "MAINPID": str(server.pid),
    }  # fmt: skip
    server.stop()
    assert manager.receive().fields == {"STOPPING": "1", "STATUS": "Stopping"}
    assert {message.pid for message in manager.messages} == {server.pid}
    manager.close()


def test_ready_comes_when_a_worker_is(start, manager):
    server = start(env=manager.variables(), wait=False)
    assert manager.receive().fields["READY"] == "1"
    assert re.search(r"worker \d is ready", server.log)


@pytest.mark.root
def test_ready_does_not_come_before_a_worker_is(start_fragile, etc, manager):
    etc.make_boots_hang()
    server = start_fragile("instance.boot_timeout_ms=1000", wait=False, env=manager.variables(50))
    manager.watch(server.pid, 10)
    assert not any("READY" in fields for fields in manager.of(server.pid))
    etc.mend_boots()
    manager.wait_for("READY", pid=server.pid)
    assert " is ready" in server.log


@pytest.mark.root
def test_refused_reload_makes_nobody_ready_who_has_never_been(start_fragile, etc, manager,
                                                              tmp_path):  # fmt: skip
    path = tmp_path / "conf"
    path.write_text("")
    etc.make_boots_hang()
    server = start_fragile("-c", path, f"instance.boot_timeout_ms={HOUR}", wait=False,
                           env=manager.variables(50))  # fmt: skip
    server.wait_for_log("worker 2 forked")
    path.write_text("nonsense")
    server.send_signal(signal.SIGHUP)
    refusal = wait_for_status(manager, "Reload refused: ")
    assert list(refusal.fields) == ["STATUS"]
    manager.watch(server.pid)
    assert not any("READY" in fields or "RELOADING" in fields for fields in manager.of(server.pid))
    let_go(etc)
    assert manager.wait_for("READY").fields["MAINPID"] == str(server.pid)


@pytest.mark.root
def test_crash_loop_is_a_status(start_fragile, etc, manager):
    server = start_fragile(env=manager.variables())
    manager.wait_for("READY")
    etc.break_boots()
    for worker in server.serving:
        process.kill(worker.pid)
    degraded = wait_for_status(manager, "Degraded: no worker serves (the last one: ")
    assert list(degraded.fields) == ["STATUS"]
    assert "exited with status 71" in degraded.fields["STATUS"]
    etc.mend_boots()
    assert manager.receive().fields == {"STATUS": "Generation 1 serves"}


def test_refused_reload_is_ready_again_and_says_why(start, manager, tmp_path):
    path = tmp_path / "conf"
    path.write_text("")
    server = start("-c", path, env=manager.variables())
    manager.wait_for("READY")
    path.write_text("instance { wrong = 1 }")
    server.send_signal(signal.SIGHUP)
    manager.wait_for("RELOADING")
    answer = manager.receive().fields
    assert answer["READY"] == "1"
    assert answer["STATUS"].startswith(f"Reload refused: {path}:1: ")


def test_pause_is_a_status(start, manager):
    server = start(env=manager.variables())
    manager.wait_for("READY")
    server.send_signal(signal.SIGWINCH)
    assert manager.receive().fields == {"STATUS": "Paused"}
    server.send_signal(signal.SIGTTIN)
    assert manager.receive().fields == {"STATUS": "Generation 1 serves"}
    server.wait_until_serving(1, after=2)


def test_second_stop_is_said_too(start, manager):
    server = start(f"instance.grace_ms={HOUR}", workers=1, env=manager.variables())
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        connection.send("GET / HTTP/1.1\r\n")
        server.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING")
        server.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING")
    assert server.wait() == 0


def test_only_the_master_speaks_whatever_happens(start, manager):
    server = start("--chaos", env=manager.variables(50))
    manager.wait_for("READY")
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    server.fetch("/workerKiller")
    reload(server, 2)
    upgrade(server, 3)
    manager.watch(server.pid)
    server.stop()
    manager.wait_for("STOPPING")
    manager.forget()
    assert {message.pid for message in manager.messages} == {server.pid}


def test_watchdog_is_fed_through_an_upgrade_and_a_stop(start, manager):
    server = start(f"instance.grace_ms={HOUR}", workers=1, env=manager.variables(50))
    manager.watch(server.pid)
    server.send_signal(signal.SIGUSR2)
    manager.wait_for("RELOADING", pid=server.pid)
    manager.wait_for("STATUS", "Generation 2 serves", pid=server.pid)
    manager.watch(server.pid)
    wait_until_settled(server)
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        connection.send("GET / HTTP/1.1\r\n")
        server.send_signal(signal.SIGTERM)
        manager.wait_for("STOPPING", pid=server.pid)
        manager.watch(server.pid)
    assert server.wait() == 0


def test_watchdog_of_another_process_is_not_fed(start, manager):
    """And without WATCHDOG_USEC there is none."""
    others = start(env={**manager.variables(50), "WATCHDOG_PID": "1"})
    none = start(env=manager.variables())
    launcher = 'WATCHDOG_PID=$$ exec "$@"'
    ours = start(env=manager.variables(50), prefix=["/bin/sh", "-c", launcher, "sh"])
    for server in (others, none, ours):
        reload(server, 2)
    manager.watch(ours.pid, 10)
    for server in (others, none):
        said = manager.of(server.pid)
        assert any("READY" in fields for fields in said)
        assert not any("WATCHDOG" in fields for fields in said)


@pytest.mark.parametrize("address", ["", "relative", "@", "vsock:2:3", "/" + "x" * 200, "/none"])
def test_manager_that_cannot_be_told_is_no_reason_not_to_serve(start, address):
    server = start(env={"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "nonsense"})
    assert server.fetch("/hello").status == 200


def test_manager_that_does_not_listen_stops_nobody(start, manager):
    """Its queue is full and nobody reads."""
    server = start(env=manager.variables(2))
    process.kill(server.serving[0].pid)
    server.wait_until_serving(2, after=1)
    reload(server, 2)
    assert server.fetch("/hello").status == 200


# The service manager: socket activation


@pytest.fixture
def passed():
    """A socket of the loopback that listens already."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def title(sock):
    host, port = sock.getsockname()
    return f"{host}:{port}"


@pytest.mark.smoke
@pytest.mark.valgrind
def test_socket_that_is_passed_is_used(start, passed):
    early = Connection(passed.getsockname())  # waits since before there was a server
    early.send(render("/hello"))
    server = start(listen=title(passed), **activated_by(passed))
    server.wait_for_log(f"listening on http://{title(passed)}, passed by the service manager$")
    with early:
        assert early.receive().status == 200
    address = passed.getsockname()
    passed.close()
    for _ in range(10):
        assert fetch(address, "/hello").status == 200


def test_several_sockets_are_matched_by_address(start, passed, tmp_path):
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as second:
        second.bind(path)
        second.listen()
        server = start("-l", f"unix:{path}", "-l", "127.0.0.1:0", listen=title(passed),
                       **activated_by(second, passed))  # fmt: skip
        server.wait_for_log("passed by the service manager$", 2)
        server.wait_for_log(r"listening on http://127.0.0.1:\d+$")
        for address in (path, passed.getsockname(), server.address):
            assert fetch(address, "/hello").status == 200


def test_socket_survives_reload_and_upgrade(start, passed):
    address = passed.getsockname()
    server = start(listen=title(passed), **activated_by(passed))
    passed.close()
    reload(server, 2)
    assert fetch(address, "/hello").status == 200
    upgrade(server, 3)
    assert fetch(address, "/hello").status == 200
    upgrade(server, 4)
    assert fetch(address, "/hello").status == 200
    assert server.log.count("listening on ") == 1
    with open(f"/proc/{server.pid}/environ", "rb") as file:
        assert b"LISTEN_" not in file.read()


@pytest.mark.parametrize("changes", [(), (reload,), (upgrade,)], ids=["", "reload", "upgrade"])
def test_file_of_a_passed_unix_socket_stays(start, tmp_path, changes):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as passed:
        passed.bind(str(path))
        passed.listen()
        inode = path.stat().st_ino
        server = start(listen=f"unix:{path}", **activated_by(passed))
        for change in changes:
            change(server, 2)
        assert fetch(str(path), "/hello").status == 200
        server.stop()
    assert path.stat().st_ino == inode


def test_socket_that_nobody_wants_is_an_error(start, passed):
    server = start(wait=False, **activated_by(passed))
    server.expected_status = 71
    assert server.wait() == 71
    server.wait_for_log(
        rf"error master: LISTEN_FDS: descriptor 3 listens on {title(passed)}, which no listen "
        rf'section names: add listen "{title(passed)}" {{}} to the configuration'
    )


def test_sockets_for_another_process_are_not_ours(start, passed):
    server = start(**activated_by(passed, LISTEN_PID="1"))
    assert "service manager" not in server.log
    assert server.fetch("/hello").status == 200


@pytest.mark.parametrize("variables, says", [
    ({"LISTEN_FDS": "garbage"}, 'LISTEN_FDS: "garbage" is not a number from 0 to'),
    ({"LISTEN_FDS": "-1"}, 'LISTEN_FDS: "-1" is not a number'),
    ({"LISTEN_FDS": "99999999999"}, 'LISTEN_FDS: "99999999999" is not a number'),
    ({"LISTEN_PID": "garbage"}, 'LISTEN_PID: "garbage" is not a number'),
    ({"LISTEN_FDS": "2"}, "LISTEN_FDS: descriptor 4 is no"),
])  # fmt: skip
def test_wrong_variables_are_an_error(start, passed, variables, says):
    server = start(listen=title(passed), wait=False, **activated_by(passed, **variables))
    server.expected_status = 71
    assert server.wait() == 71
    server.wait_for_log(f"error master: {says}")


@pytest.mark.parametrize("kind", ["file", "datagram", "not listening"])
def test_what_is_no_listening_socket_is_an_error(start, tmp_path, kind):
    made = {
        "file": lambda: open(tmp_path / "file", "wb"),
        "datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "not listening": lambda: socket.socket(socket.AF_INET),
    }[kind]()
    with made:
        server = start(wait=False, **activated_by(made))
        server.expected_status = 71
        assert server.wait() == 71
    server.wait_for_log("error master: LISTEN_FDS: descriptor 3 is no listening stream socket")
