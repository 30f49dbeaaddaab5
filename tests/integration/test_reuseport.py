"""accept = reuseport: a socket for each worker, and no queue that nobody reads."""

import os
import random
import re
import signal
import socket
from collections import Counter

import pytest

from lib import process
from lib.activation import activated_by
from lib.client import Connection, render
from lib.load import Load
from lib.ports import free_port
from lib.reload import CAN_MAKE_EXIT, make_exit, reload
from lib.reload import stopped, with_user
from lib.reload import begin, conf  # noqa: F401
from lib.survival import upgrade, wait_until_settled
from lib.wait import eventually

REUSEPORT = "listen.127.0.0.1:0.accept=reuseport"
SPREAD = {"127.0.0.1:0": "accept = reuseport"}
SHARED = {"127.0.0.1:0": "accept = exclusive"}
LISTENING = "0A"
REQUEST = render("/", headers={"Accept": "application/json", "Connection": "close"})


# Who could accept from which socket


def sockets(port):
    """The inodes of all sockets that listen on that port of 127.0.0.1."""
    address = f"0100007F:{port:04X}"
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file]
    return {int(row[9]) for row in rows if row[1] == address and row[3] == LISTENING}


def opened(pid):
    """The inodes of the sockets that a process has."""
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        found |= {int(match[1])} if match else set()
    return found


def readers(server, port=None):
    """How many of the workers that serve have each socket."""
    ours = sockets(port or server.port)
    count = Counter({inode: 0 for inode in ours})
    for worker in server.serving:
        count.update(opened(worker.pid) & ours)
    return count


def wait_until_all_are_read(server, n_sockets, n_workers):
    """Until exactly so many workers are there, and each of so many sockets is of one of them."""
    server.n_workers = n_workers
    wait_until_settled(server)
    eventually(lambda: len(server.serving) == n_workers, f"{n_workers} workers serve")
    assert len(sockets(server.port)) == n_sockets
    assert set(readers(server).values()) == {1}


# Clients that wait in the queues


class Queue:
    """Connections that are established and have sent a request, whoever may accept them."""

    def __init__(self, server, n, port=None):
        address = ("127.0.0.1", port or server.port)
        self.connections = [Connection(address) for _ in range(n)]
        for connection in self.connections:
            connection.send(REQUEST)

    def answers(self):
        """The worker of each answer; a reset or an end without one fails."""
        found = Counter()
        for connection in self.connections:
            with connection:
                found[connection.receive().json["worker"]] += 1
        return found


def assert_nobody_waits(server, n=200, port=None):
    """With so many connections every socket gets some."""
    assert sum(Queue(server, n, port).answers().values()) == n


# The sockets


@pytest.mark.smoke
@pytest.mark.valgrind
def test_each_worker_has_a_socket_of_its_own(start):
    server = start(REUSEPORT, workers=4)
    server.wait_for_log(rf"127\.0\.0\.1:{server.port} has 4 sockets, one for each worker$")
    assert len(sockets(server.port)) == 4
    assert sockets(server.port) <= opened(server.pid)
    assert set(readers(server).values()) == {1}
    assert server.log.count(f"listening on http://127.0.0.1:{server.port}") == 1


def test_one_socket_for_all_is_the_default(start):
    server = start(workers=4)
    assert list(readers(server).values()) == [4]


def test_listeners_of_both_kinds(start, tmp_path):
    path = tmp_path / "socket"
    server = start(REUSEPORT, "-l", "127.0.0.1:0", "-l", "[::1]:0", "-l", f"unix:{path}",
                   "listen.[::1]:0.accept=reuseport", workers=2)  # fmt: skip
    for address in (server.address, ("::1", server.ports[-1]), str(path)):
        with Connection(address) as connection:
            assert connection.request("/hello").status == 200
    server.wait_for_log(r"\[::1\]:\d+ has 2 sockets")


def test_second_instance_cannot_join(start, run):
    port = start(REUSEPORT).port
    result = run("-l", f"127.0.0.1:{port}", f"listen.127.0.0.1:{port}.accept=reuseport", "-w", 1)
    assert result.returncode == 71
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.stderr


def test_unix_socket_is_refused_with_its_place(run, tmp_path):
    path = tmp_path / "server.conf"
    path.write_text('listen "unix:/run/x" {\n    accept = reuseport\n}\n')
    result = run("-c", path, "-t")
    assert result.returncode == 78
    assert f'{path}:2: listen "unix:/run/x": accept = reuseport is for TCP only' in result.stderr


def test_port_is_free_after_the_stop(start):
    port = free_port()
    first = start(f"listen.127.0.0.1:{port}.accept=reuseport", workers=4, listen=f"127.0.0.1:{port}")
    assert len(sockets(port)) == 4
    first.stop()
    assert not sockets(port)
    assert start(listen=f"127.0.0.1:{port}").port == port


def test_socket_that_a_worker_has_shut_down_listens_again(start, manager):
    server = start(REUSEPORT, workers=4, env=manager.variables(50))
    before = sockets(server.port)
    with process.steal_socket(server.serving[0].pid, socket.SOCK_STREAM) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        listener.shutdown(socket.SHUT_RD)
    server.wait_for_log("did not listen any more, it does again$")
    assert sockets(server.port) == before
    assert_nobody_waits(server)


# Workers that die


@pytest.mark.smoke
def test_successor_serves_the_queue_of_a_killed_worker(start):
    server = start(REUSEPORT, workers=4)
    victim = server.serving[0]
    with stopped(server.serving):
        queue = Queue(server, 200)
        process.kill(victim.pid)
        successor = server.wait_until_replaced(victim)
    answers = queue.answers()
    assert sum(answers.values()) == 200
    assert answers[successor.id] > 0
    assert answers[victim.id] == 0
    assert set(readers(server).values()) == {1}


def test_storm_of_kills_loses_nobody_who_waits(start):
    server = start(REUSEPORT, "instance.respawn_per_second=1000", "instance.respawn_per_10s=10000",
                   workers=4)  # fmt: skip
    dice = random.Random(4)
    for _ in range(50):
        victim = dice.choice(server.serving)
        with stopped([victim]):  # so that it has taken none of those that come now
            queue = Queue(server, 40)
            process.kill(victim.pid)
            server.wait_until_replaced(victim)
        assert sum(queue.answers().values()) == 40
    wait_until_all_are_read(server, 4, 4)


@pytest.mark.skipif(not CAN_MAKE_EXIT, reason="no ptrace for this machine")
def test_sockets_of_a_slot_that_is_held_fall_to_another(start):
    server = start(REUSEPORT, workers=3)
    victim = server.serving[0]
    make_exit(victim.pid, 78)
    server.wait_for_log("worker 2 gets a successor: sockets of others fall to its slot worker=")
    server.wait_for_log("worker 2 died")
    assert len(sockets(server.port)) == 3
    assert all(readers(server).values())
    assert_nobody_waits(server)
    process.kill(server.serving[-1].pid)
    server.wait_for_log(r"worker \d+ died: killed")
    server.wait_until_serving(2)
    assert_nobody_waits(server)


# More workers, and fewer


@pytest.mark.parametrize(
    ("orders", "n_workers", "n_sockets"),
    [
        ("TTIN", 5, 5),
        ("TTOU", 3, 4),
        ("TTOU TTOU", 2, 4),
        ("TTOU TTOU TTOU", 1, 4),
        ("TTOU TTIN", 4, 4),
        ("TTIN TTOU", 4, 5),
        ("TTOU TTOU TTIN", 3, 4),
        ("WINCH TTIN", 1, 4),
        ("WINCH TTIN TTIN TTIN", 3, 4),
    ],
)
def test_number_of_workers_changes_and_every_socket_is_read(start, orders, n_workers, n_sockets):
    server = start(REUSEPORT, workers=4)
    strength = 4
    for order in orders.split():
        server.send_signal(getattr(signal, f"SIG{order}"))
        strength = {"TTIN": strength + 1, "TTOU": strength - 1, "WINCH": 0}[order]
        server.n_workers = strength
        eventually(lambda: len(server.serving) == strength, f"{strength} workers serve")
        wait_until_settled(server)
        if strength > 0:
            assert all(readers(server).values())
            assert_nobody_waits(server, 64)
    assert len(sockets(server.port)) == n_sockets
    assert len(server.serving) == n_workers


def test_queue_outlives_the_worker_that_is_not_wanted(start):
    server = start(REUSEPORT, "instance.grace_ms=1000", workers=4)
    with stopped(server.serving):
        queue = Queue(server, 200)
        server.send_signal(signal.SIGTTOU)
        server.wait_for_log("worker 4 leaves: fewer workers are wanted worker=")
        server.wait_for_log("killing worker 4")
    assert sum(queue.answers().values()) == 200
    wait_until_all_are_read(server, 4, 3)


@pytest.mark.root
def test_worker_stays_until_others_can_have_its_socket(start_fragile, etc):
    server = start_fragile(REUSEPORT, workers=4)
    etc.break_boots()
    server.send_signal(signal.SIGTTOU)
    server.wait_for_log("worker 5 died", count=1)
    assert_nobody_waits(server)
    assert [worker.id for worker in server.serving] == [1, 2, 3, 4]
    etc.mend_boots()
    server.wait_for_log("worker 4 leaves: fewer workers are wanted worker=")
    wait_until_all_are_read(server, 4, 3)
    assert_nobody_waits(server)


def test_paused_instance_keeps_its_queues(start):
    server = start(REUSEPORT, workers=4)
    server.send_signal(signal.SIGWINCH)
    server.n_workers = 0
    wait_until_settled(server)
    queue = Queue(server, 100)
    server.send_signal(signal.SIGTTIN)
    assert sum(queue.answers().values()) == 100


# Reloads


@pytest.mark.parametrize(("workers", "n_sockets"), [(6, 6), (4, 4), (3, 4), (1, 4)])
def test_reload_keeps_the_sockets_and_adds_some(begin, conf, workers, n_sockets):
    conf.write(workers=4, listen=SPREAD)
    server = begin()
    before = sockets(server.port)
    conf.write(workers=workers, listen=SPREAD)
    reload(server, workers)
    wait_until_all_are_read(server, n_sockets, workers)
    assert before <= sockets(server.port)
    assert_nobody_waits(server)


@pytest.mark.root
def test_sockets_of_a_failed_reload_are_read(begin, conf, etc):
    conf.write(workers=2, listen=SPREAD, **with_user(etc, boot_timeout_ms=500))
    server = begin(preexec=etc.mount)
    conf.write(workers=5, listen=SPREAD, **with_user(etc, boot_timeout_ms=500))
    etc.make_boots_hang()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reloading: generation 2 boots with 5 workers$")
    queue = Queue(server, 100)
    server.wait_for_log("reload failed: the new generation was not ready in time")
    etc.mend_boots()
    assert sum(queue.answers().values()) == 100
    wait_until_all_are_read(server, 5, 2)
    assert_nobody_waits(server)


def test_new_address_is_shared_out_as_well(begin, conf):
    conf.write(workers=3, listen=SPREAD)
    server = begin()
    conf.write(workers=3, listen={**SPREAD, "127.0.0.2:0": "accept = reuseport"})
    reload(server)
    server.wait_for_log(r"127\.0\.0\.2:\d+ has 3 sockets")


def test_one_socket_cannot_become_several(begin, conf):
    conf.write(workers=3, listen=SHARED)
    server = begin()
    conf.write(workers=3, listen=SPREAD)
    reload(server)
    server.wait_for_log(
        r'warning master: listen "127\.0\.0\.1:0": accept = reuseport, but the socket that is open '
        "was not made for it: all workers share it until another one is opened$"
    )
    assert list(readers(server).values()) == [3]
    assert_nobody_waits(server)


def test_several_sockets_can_be_shared_by_all(begin, conf):
    conf.write(workers=3, listen=SPREAD)
    server = begin()
    conf.write(workers=2, listen=SHARED)
    reload(server, 2)
    assert list(readers(server).values()) == [2, 2, 2]
    server.send_signal(signal.SIGTTOU)
    server.n_workers = 1
    wait_until_settled(server)
    assert "gets a successor" not in server.log
    assert_nobody_waits(server)


# Upgrades


def test_upgrade_takes_all_sockets_along(start):
    server = start(REUSEPORT, workers=4)
    before = sockets(server.port)
    upgrade(server, 2)
    assert sockets(server.port) == before
    wait_until_all_are_read(server, 4, 4)
    assert server.serving[0].id == 5
    assert_nobody_waits(server)


def test_upgrade_that_cannot_reload_still_shares_out(begin, conf, tmp_path):
    conf.write(workers=4, listen=SPREAD)
    server = begin()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        conf.write(workers=4, listen={**SPREAD, f"127.0.0.1:{port}": ""})
        server.send_signal(signal.SIGUSR2)
        server.wait_for_log(f"reload refused: cannot listen on 127.0.0.1:{port}: ")
        assert [worker.id for worker in server.serving] == [1, 2, 3, 4]
        process.kill(server.serving[1].pid)
        server.wait_until_replaced(server.workers[2])
        assert set(readers(server).values()) == {1}
        server.send_signal(signal.SIGTTOU)
        wait_until_all_are_read(server, 4, 3)
        assert_nobody_waits(server)


def test_upgrade_with_more_sockets_than_workers(start):
    server = start(REUSEPORT, workers=4)
    server.send_signal(signal.SIGTTOU)
    wait_until_all_are_read(server, 4, 3)
    server.n_workers = 4
    upgrade(server, 2)
    wait_until_all_are_read(server, 4, 4)


# Sockets that a service manager passes


def passed_socket(joinable):
    passed = socket.socket()
    passed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(joinable))
    passed.bind(("127.0.0.1", 0))
    passed.listen(128)
    return passed


@pytest.mark.parametrize("joinable", [False, True])
def test_passed_socket_gets_company_if_it_was_made_for_it(start, joinable):
    with passed_socket(joinable) as passed:
        port = passed.getsockname()[1]
        server = start(f"listen.127.0.0.1:{port}.accept=reuseport", workers=3,
                       listen=f"127.0.0.1:{port}", **activated_by(passed))  # fmt: skip
        warning = f'warning master: listen "127.0.0.1:{port}": accept = reuseport, but'
        assert (warning in server.log) != joinable
        wanted = [1, 1, 1] if joinable else [3]
        assert list(readers(server, port).values()) == wanted
        assert_nobody_waits(server, port=port)
        upgrade(server, 2)
        assert list(readers(server, port).values()) == wanted
        assert_nobody_waits(server, port=port)


# All of it under load


def test_load_is_answered_whatever_happens(start):
    server = start(REUSEPORT, workers=3)
    n, generation = 3, 1
    with Load(server.address) as load:
        for change in ("TTIN", "TTOU", "TTOU", "HUP", "TTOU", "TTOU", "TTIN", "USR2", "TTOU",
                       "HUP", "TTIN"):  # fmt: skip
            load.wait_for_answers(300)
            server.send_signal(getattr(signal, f"SIG{change}"))
            if change in ("HUP", "USR2"):
                n, generation = 3, generation + 1
                server.wait_for_log(f"reloaded: generation {generation} serves")
            else:
                n += 1 if change == "TTIN" else -1
            server.n_workers = n
            wait_until_settled(server)
        load.wait_for_answers(300)
    load.assert_flawless()
