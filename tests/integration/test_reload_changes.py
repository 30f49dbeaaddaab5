"""What a reload can change: listeners, the log, chaos; and what it says of the rest."""

import json
import os
import re
import signal
import socket
import stat
import struct
import subprocess

import pytest

from lib import process
from lib.client import Connection, fetch, render
from lib.reload import finish, frozen, held, identify, let_go, move_clients, order_reload, reload
from lib.reload import has_open, reload_in_vain, stopped, with_user
from lib.reload import begin, begin_hanging, conf  # noqa: F401
from lib.server import Daemon
from lib.upgrade import descriptors, settle
from lib.wait import DEADLINE, eventually

FIRST, SECOND = "127.0.0.1:0", "127.0.0.2:0"
QUEUED = 50


def addresses(server):
    """Where it has ever listened on port 0, by the address in the configuration."""
    found = re.findall(r"listening on http://([\d.]+):(\d+)$", server.log, re.M)
    return {f"{host}:0": (host, int(port)) for host, port in found}


def listening_inode(address):
    """The socket that listens there, None: nobody does."""
    host, port = address
    wanted = f"{int.from_bytes(socket.inet_aton(host), 'little'):08X}:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        for _, local, _, state, *rest in (line.split() for line in table):
            if (local, state) == (wanted, "0A"):
                return int(rest[5])
    return None


def is_refused(address):
    try:
        with Connection(address):
            return False
    except OSError:
        return True


def queue_up(address, n=QUEUED):
    connections = [Connection(address) for _ in range(n)]
    for connection in connections:
        connection.send(render("/hello"))
    return connections


def take_answers(connections):
    """Returns whether each connection is the last one of its worker's."""
    answers = []
    for connection in connections:
        with connection:
            response = connection.receive()
            assert response.status == 200
            answers.append(response.closes)
    return answers


# Listeners


def test_listener_that_stays_keeps_its_socket(begin):
    server = begin()
    before = listening_inode(server.address)
    assert before
    for _ in range(3):
        reload(server)
        assert listening_inode(server.address) == before
        assert server.fetch("/hello").status == 200
    links = [link for link, _ in descriptors(server).values()]
    assert links.count(f"socket:[{before}]") == 1
    assert len(server.ports) == 1


def test_connections_that_the_kernel_holds_are_served_by_the_new_generation(begin):
    server = begin()
    with stopped(server.serving):
        queued = queue_up(server.address)
        assert order_reload(server) == 2
        assert not any(take_answers(queued))
    settle(server, 2, after=2)


def test_listener_is_added(begin, conf):
    server = begin()
    conf.write(listen=[FIRST, SECOND])
    reload(server)
    assert listening_inode(addresses(server)[SECOND])
    for address in addresses(server).values():
        assert fetch(address, "/hello").status == 200
    server.wait_for_log("worker 3 is ready .*listeners=2 ")


def test_listener_is_removed(begin, conf):
    conf.write(listen=[FIRST, SECOND])
    server = begin()
    gone = addresses(server)[SECOND]
    conf.write(listen=[FIRST])
    reload(server)
    server.wait_for_log(rf"info master: no longer listening on 127.0.0.2:{gone[1]}$")
    assert is_refused(gone)
    assert fetch(addresses(server)[FIRST], "/hello").status == 200


def test_queue_of_a_listener_that_is_removed_is_emptied(begin, conf):
    conf.write(listen=[FIRST, SECOND])
    server = begin()
    gone = addresses(server)[SECOND]
    with stopped(server.serving):
        queued = queue_up(gone)
        conf.write(listen=[FIRST])
        order_reload(server)
    # A worker may take one before it hears that it is to leave.
    assert take_answers(queued).count(False) <= len(server.serving)
    settle(server, 2, after=2)
    assert is_refused(gone)


def test_request_in_flight_on_a_listener_that_is_removed_is_finished(begin, conf):
    conf.write(listen=[FIRST, SECOND])
    server = begin()
    gone = addresses(server)[SECOND]
    with held(server, gone) as (connection, _):
        conf.write(listen=[FIRST])
        order_reload(server)
        eventually(lambda: is_refused(gone), "new connections are refused")
        finish(connection)
    settle(server, 2, after=2)


def test_listener_that_was_removed_can_come_back(begin, conf):
    conf.write(listen=[FIRST, SECOND])
    server = begin()
    host, port = addresses(server)[SECOND]
    for listen in ([FIRST], [f"{host}:{port}", FIRST], [FIRST]):
        conf.write(listen=listen)
        reload(server)
        assert is_refused((host, port)) == (len(listen) == 1)


def test_all_listeners_change(begin, conf):
    server = begin()
    conf.write(listen=[SECOND])
    reload(server)
    assert is_refused(addresses(server)[FIRST])
    assert fetch(addresses(server)[SECOND], "/hello").status == 200


def test_unix_socket_comes_and_goes_with_its_file(begin, conf, tmp_path):
    path = str(tmp_path / "socket")
    server = begin()
    for _ in range(2):
        conf.write(listen={FIRST: "", f"unix:{path}": "mode = 0600"})
        reload(server)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert fetch(path, "/hello").status == 200
        conf.write()
        reload(server)
        assert not os.path.exists(path)


def test_mode_of_a_unix_socket_changes(begin, conf, tmp_path):
    path = str(tmp_path / "socket")
    conf.write(listen={FIRST: "", f"unix:{path}": "mode = 0600"})
    server = begin()
    inode = os.stat(path).st_ino
    for mode in (0o777, 0o640):
        conf.write(listen={FIRST: "", f"unix:{path}": f"mode = {mode:04o}"})
        reload(server)
        status = os.stat(path)
        assert (stat.S_IMODE(status.st_mode), status.st_ino) == (mode, inode)
        assert fetch(path, "/hello").status == 200


def test_file_that_took_the_place_of_a_removed_socket_stays(begin, conf, tmp_path):
    path = tmp_path / "socket"
    conf.write(listen=[FIRST, f"unix:{path}"])
    server = begin()
    path.unlink()
    path.write_text("not a socket")
    conf.write()
    reload(server)
    assert path.read_text() == "not a socket"


def test_backlog_changes(begin, conf):
    def backlog():
        with process.steal_socket(server.pid, socket.SOCK_STREAM) as listener:
            facts = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
        return struct.unpack("28xI", facts)[0]  # tcpi_sacked

    conf.write(listen={FIRST: "backlog = 7"})
    server = begin()
    assert backlog() == 7
    conf.write(listen={FIRST: "backlog = 9"})
    reload(server)
    assert backlog() == 9


def test_listener_that_cannot_be_bound_changes_nothing(begin, conf, tmp_path):
    server = begin()
    first = tmp_path / "first"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        conf.write(listen=[f"unix:{first}", f"127.0.0.1:{port}", SECOND])
        why = f"cannot listen on 127.0.0.1:{port}: Address already in use"
        reload_in_vain(server, f"refused: {why}")
    assert not first.exists()
    conf.write(listen=[f"unix:{first}", f"127.0.0.1:{port}"])
    reload(server)
    assert fetch(("127.0.0.1", port), "/hello").status == 200
    assert fetch(str(first), "/hello").status == 200


@pytest.mark.root
def test_listener_of_a_generation_that_fails_is_closed(begin_hanging, conf, etc, tmp_path):
    server = begin_hanging()
    path = tmp_path / "socket"

    def fail():
        with frozen(server, etc, 4):
            server.wait_for_log("worker 3 is ready")
            assert fetch(str(path), "/hello").status == 200
            queued = queue_up(addresses(server)[SECOND], 10)
            process.kill(server.workers[4].pid)
            take_answers(queued)

    conf.write(listen=[FIRST, SECOND, f"unix:{path}"], **with_user(etc))
    reload_in_vain(server, "failed: .*", meanwhile=fail)
    assert is_refused(addresses(server)[SECOND])
    assert not path.exists()


@pytest.mark.root
def test_listener_of_a_generation_that_boots_goes_with_a_stop(begin_hanging, conf, etc):
    server = begin_hanging()
    conf.write(listen=[FIRST, SECOND], **with_user(etc))
    with held(server) as (connection, _):
        server.send_signal(signal.SIGHUP)
        with frozen(server, etc, 3, 4):
            server.send_signal(signal.SIGTERM)
            server.wait_for_log("stopping")
        eventually(lambda: is_refused(addresses(server)[SECOND]), "new connections are refused")
        finish(connection)
    assert server.wait() == 0


# The log


def test_level_of_the_log_changes(begin, conf):
    server = begin()
    conf.write("log { level = debug }")
    reload(server)
    server.wait_for_log("debug worker 3: MASTER_ID is ")
    conf.write("log { level = error }")
    lines = len(server.log.splitlines())
    server.send_signal(signal.SIGHUP)
    eventually(lambda: set(process.children_of(server.pid)).isdisjoint(
        worker.pid for worker in server.workers.values()), "all workers are new")  # fmt: skip
    assert {record.level for record in server.records[lines:]} <= {"info"}  # got SIGHUP
    assert "generation 3" not in server.log


def test_format_of_the_log_changes(begin, conf):
    server = begin()
    conf.write("log { format = json }")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(r'^{.*"message":"worker 2 died: exited with status 0".*}$')
    server.wait_for_log(r'^{.*"message":"worker 1 died: exited with status 0".*}$')
    after = server.log.splitlines()[server.log[: server.log.index("\n{")].count("\n") + 1 :]
    lines = [json.loads(line) for line in after if line.startswith("{")]
    assert [line["generation"] for line in lines if "forked" in line["message"]] == [2, 2]
    # Only what an old worker has to say is as it was.
    assert all(line.startswith("{") or " worker " in line.partition(":")[0] for line in after)


def test_target_of_the_log_changes(begin, conf, tmp_path):
    server = begin()
    path = tmp_path / "new.log"
    conf.write(f'log {{ target = "{path}" }}')
    with held(server) as (connection, worker):
        server.send_signal(signal.SIGHUP)
        eventually(lambda: path.exists() and "generation 1 finishes" in path.read_text(),
                   "the reload is told in the new log")  # fmt: skip
        assert "generation 2" not in server.log
        finish(connection)
    eventually(lambda: f"worker {worker.id} died" in path.read_text(), "the death is there, too")
    conf.write()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reloaded: generation 3 serves")
    assert "generation 3" not in path.read_text()


def assert_log_goes_on(server):
    server.send_signal(signal.SIGALRM)
    server.wait_for_log("got SIGALRM")


def test_refusal_is_told_in_the_log_that_goes_on(begin, conf, tmp_path):
    server = begin()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        conf.write(f'log {{ target = "{tmp_path}/new.log" level = error format = json }}',
                   listen=[f"127.0.0.1:{taken.getsockname()[1]}"])  # fmt: skip
        reload_in_vain(server, "refused: cannot listen on .*: Address already in use")
    assert_log_goes_on(server)


@pytest.mark.root
def test_failure_is_told_in_the_log_that_goes_on(begin_hanging, conf, etc, tmp_path):
    server = begin_hanging()
    fork = re.compile("worker 4 forked .*pid=([0-9]+)")
    path = tmp_path / "new.log"
    conf.write(f'log {{ target = "{path}" }}', **with_user(etc))

    def kill_one():
        found = eventually(lambda: path.exists() and fork.search(path.read_text()), "forked")
        process.kill(int(found[1]))
        let_go(etc)

    reload_in_vain(server, "failed: .*", meanwhile=kill_one)
    assert_log_goes_on(server)
    assert not has_open(server.pid, path)


# The rest


def test_pid_file_moves_with_a_reload(begin, conf, tmp_path):
    old, new = tmp_path / "old.pid", tmp_path / "new.pid"
    conf.write(pidfile=f'"{old}"')
    server = begin()
    conf.write(pidfile=f'"{new}"')
    reload(server)
    assert new.read_text() == f"{server.pid}\n"
    assert not old.exists()
    (tmp_path / "alias").symlink_to(tmp_path)
    conf.write(pidfile=f'"{tmp_path}/alias/new.pid"')
    reload(server)
    conf.write(pidfile=f'"{tmp_path}/none/new.pid"')
    why = f"cannot use the pid file {tmp_path}/none/new.pid: No such file or directory"
    reload_in_vain(server, f"refused: {why}")
    assert new.read_text() == f"{server.pid}\n"
    server.stop()
    assert not new.exists()


def test_daemon_counts_from_the_next_start_on(begin, conf):
    server = begin()
    conf.write(daemon="yes")
    reload(server)
    server.wait_for_log("warning master: instance.daemon has changed, which counts from the next "
                        "start on$")  # fmt: skip
    assert not server.has_ended


CHAOS = """chaos { enabled = yes networks = { "127.0.0.0/8" } }
route "/workerKiller" { handler = worker_killer }"""


@pytest.mark.parametrize("after_ms", [0, 1])
def test_old_worker_may_die_by_chaos_that_the_new_configuration_forbids(begin, conf, after_ms):
    conf.write(CHAOS)
    server = begin()
    with server.connect() as connection:
        worker = server.workers[identify(connection)]
        conf.write()
        move_clients(server)
        assert server.fetch("/workerKiller").status == 404
        connection.send(render(f"/workerKiller?mode=kill&after_ms={after_ms}"))
        assert connection.receive().status == 200
    server.wait_for_log(f"chaos: worker {worker.id} is asked to die")
    server.wait_for_log(f"worker {worker.id} died: .*deliberate=yes")
    assert "killed_for" not in server.log
    settle(server, 2, after=2)


def test_chaos_is_allowed_by_a_reload(begin, conf):
    server = begin()
    assert server.fetch("/workerKiller?mode=kill").status == 404
    conf.write(CHAOS)
    reload(server)
    answer = server.fetch("/workerKiller?mode=kill").json
    server.wait_for_log(f"worker {answer['worker']} died: killed by SIGKILL .*deliberate=yes")
    server.wait_until_serving(2)


def test_policy_of_respawning_changes(begin, conf):
    server = begin()
    conf.write(respawn_per_second=1, respawn_per_10s=1)
    reload(server)
    for worker in server.serving:
        process.kill(worker.pid)
    server.wait_for_log("workers die too fast, replacing none for")


class Relative(Daemon):
    """A daemon that was started with relative paths only."""

    def _launch(self, words, **options):
        self.log_path = os.path.join(options["cwd"], "first.log")
        self.result = subprocess.run(
            words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE,
            check=False, **options,
        )  # fmt: skip


def test_daemon_finds_relative_paths_again(start, conf, tmp_path):
    rest = 'log { target = "first.log" }'
    conf.write(f'{rest} include("more.conf")')
    (tmp_path / "more.conf").write_text('route "/more" { handler = text body = "old" }')
    daemon = start("-c", "server.conf", kind=Relative, listen=None, workers=None, wait=False)
    assert (daemon.result.returncode, daemon.result.stderr) == (0, "")
    daemon.wait_until_serving(2)
    assert daemon.fetch("/more").text == "old"
    (tmp_path / "more.conf").write_text('route "/more" { handler = text body = "new" }')
    daemon.n_workers = 2
    reload(daemon)
    assert daemon.fetch("/more").text == "new"
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == "/"
    conf.write_text("nonsense")
    reload_in_vain(daemon, r"refused: server\.conf:1: .*")
