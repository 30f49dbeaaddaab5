"""Workers whose loop is stuck: found, replaced, killed; and nobody else is."""

import os
import re
import signal
import threading

import pytest

from lib import process
from lib.client import render
from lib.unread import Unread, write_route
from lib.wait import eventually

TIMEOUT = "instance.hang_timeout_ms=2000"
HOUR = 3600000


def freeze(pid):
    process.kill(pid, signal.SIGSTOP)
    eventually(lambda: process.is_stopped(pid), f"process {pid} is stopped")


def everybody(server):
    return [server.pid, *(worker.pid for worker in server.serving)]


def freeze_all(server, manager):
    """Stop the whole group, once the master has seen hearts beat."""
    manager.watch(server.pid, 2)
    for pid in everybody(server):
        freeze(pid)


def first(server, pattern):
    return re.search(pattern, server.log, re.M).start()


def hangs(server):
    return re.findall(r"worker (\d+) hangs", server.log)


@pytest.fixture
def wait_for_a_hang(start):
    """
    Wait for as long as it takes to find a worker that hangs from now on, with
    TIMEOUT, in another server: so one that hangs already should have been found.
    """

    def wait():
        control = start(TIMEOUT, workers=1)
        freeze(control.serving[0].pid)
        return control, lambda: control.wait_for_log("worker 1 hangs, replacing it")

    return wait


@pytest.mark.parametrize("n", [1, 3])
def test_stopped_worker_is_found_replaced_and_killed(start, n):
    server = start(TIMEOUT, workers=n)
    worker = server.serving[0]
    freeze(worker.pid)
    line = server.wait_for_log(
        rf"error master: worker {worker.id} hangs, replacing it worker={worker.id} "
        rf"slot={worker.slot} pid={worker.pid} silent_ms=(\d+) signal=SIGABRT$"
    )
    assert int(line[1]) >= 2000
    successor = server.wait_until_replaced(worker)
    server.wait_for_log(f"warning master: killing worker {worker.id}: it hangs")
    server.wait_for_log(
        f"worker {worker.id} died: killed by SIGKILL .*slot={worker.slot} .*"
        f'killed_for="it hangs" .*deliberate=no next="replaced already"$'
    )
    # In this order: its successor does not wait for its end.
    events = [
        f"worker {worker.id} hangs", f"worker {successor.id} forked",
        f"killing worker {worker.id}:", f"worker {worker.id} died",
    ]  # fmt: skip
    places = [first(server, event) for event in events]
    assert places == sorted(places)
    assert first(server, f"worker {successor.id} is ready") < places[-1]
    assert hangs(server) == [str(worker.id)]


def test_all_workers_may_hang_at_once(start):
    server = start(TIMEOUT, workers=3)
    for worker in server.serving:
        freeze(worker.pid)
    server.wait_until_serving(3, after=3)
    assert server.fetch("/hello").status == 200
    server.wait_for_log('worker [123] died: .*killed_for="it hangs"', 3)
    assert sorted(hangs(server)) == ["1", "2", "3"]


def test_worker_that_does_not_answer_is_replaced(start):
    server = start("--chaos", TIMEOUT, workers=2)
    worker = server.workers[server.fetch("/workerKiller?mode=hang").json["worker"]]
    server.wait_for_log(f"worker {worker.id} hangs, replacing it")
    server.wait_until_replaced(worker)
    server.wait_for_log(f'worker {worker.id} died: killed by SIGABRT.* killed_for="it hangs"')
    assert server.fetch("/hello").status == 200


def test_siblings_answer_meanwhile(start):
    server = start("instance.hang_timeout_ms=0", workers=2)
    worker, sibling = server.serving
    freeze(worker.pid)
    for _ in range(50):
        assert server.identity()["worker"] == sibling.id


def test_no_connection_fails_while_a_worker_hangs_and_goes(start):
    server = start(TIMEOUT, workers=2)
    worker = server.serving[0]
    over = threading.Event()
    statuses = []

    def fetch_on_and_on():
        while not over.is_set():
            try:
                statuses.append(server.fetch("/hello").status)
            except Exception as error:  # whatever it is, a client would see it
                statuses.append(error)

    clients = [threading.Thread(target=fetch_on_and_on) for _ in range(2)]
    freeze(worker.pid)
    for client in clients:
        client.start()
    try:
        server.wait_for_log(f"worker {worker.id} died")
    finally:
        over.set()
        for client in clients:
            client.join()
    assert set(statuses) == {200}


@pytest.mark.parametrize("name, death", [
    ("KILL", "SIGKILL"), ("SEGV", "SIGSEGV"), ("SIGXCPU", "SIGXCPU"), ("ALRM", "SIGALRM"),
])  # fmt: skip
def test_signal_for_who_hangs_is_the_configured_one(start, name, death):
    # A sanitizer's handler would turn the signal into a report.
    env = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":handle_segv=0"}
    server = start("--chaos", TIMEOUT, f"instance.hang_signal={name}", workers=1, env=env)
    server.fetch("/workerKiller?mode=hang")
    server.wait_for_log(f"worker 1 hangs, .* signal={death}$")
    server.wait_for_log(f'worker 1 died: killed by {death}.* killed_for="it hangs"')
    assert "killing worker 1: it hangs" not in server.log


def test_timeout_zero_is_for_ever(start, manager, wait_for_a_hang):
    server = start("instance.hang_timeout_ms=0", workers=2, env=manager.variables(200))
    worker = server.serving[0]
    freeze(worker.pid)
    _, wait = wait_for_a_hang()
    wait()
    manager.watch(server.pid)
    assert not hangs(server)
    assert process.is_stopped(worker.pid)


def test_longer_timeout_is_waited_for(start, manager, wait_for_a_hang):
    server = start(f"instance.hang_timeout_ms={HOUR}", workers=1, env=manager.variables(200))
    freeze(server.serving[0].pid)
    _, wait = wait_for_a_hang()
    wait()
    manager.watch(server.pid)
    assert not hangs(server)


def test_busy_worker_does_not_hang(start, manager, wait_for_a_hang):
    server = start(
        TIMEOUT, "http.keepalive_requests=0", workers=1, env=manager.variables(200)
    )
    control, wait = wait_for_a_hang()
    with server.connect() as connection:
        while not hangs(control):
            connection.send(render("/hello") * 50)
            assert all(connection.receive().status == 200 for _ in range(50))
        wait()
        manager.watch(server.pid)
        assert connection.request("/hello").status == 200
    assert not hangs(server)
    assert [worker.id for worker in server.serving] == [1]


def test_idle_worker_does_not_hang(start, manager, wait_for_a_hang):
    server = start(TIMEOUT, workers=2, env=manager.variables(200))
    _, wait = wait_for_a_hang()
    wait()
    manager.watch(server.pid)
    assert not hangs(server)


@pytest.mark.parametrize("watchdog_ms", [200, 2000], ids=["patrols often", "patrols seldom"])
def test_nobody_hangs_who_was_stopped_with_the_master(start, manager, wait_for_a_hang,
                                                      watchdog_ms):  # fmt: skip
    server = start(TIMEOUT, workers=4, env=manager.variables(watchdog_ms))
    freeze_all(server, manager)
    _, wait = wait_for_a_hang()
    wait()
    # The master first: it must not be faster in judging than they in beating.
    for pid in everybody(server):
        process.kill(pid, signal.SIGCONT)
    manager.watch(server.pid, 12 if watchdog_ms == 200 else 3)
    assert not hangs(server)
    assert len(server.workers) == 4
    assert server.fetch("/hello").status == 200


def test_master_that_wakes_before_its_workers_waits_for_their_beat(start, manager,
                                                                   wait_for_a_hang):  # fmt: skip
    server = start(TIMEOUT, workers=2, env=manager.variables(200))
    freeze_all(server, manager)
    _, wait = wait_for_a_hang()
    wait()
    manager.forget()
    for pid in everybody(server):
        process.kill(pid, signal.SIGCONT)
        if pid == server.pid:
            manager.wait_for("WATCHDOG", pid=pid)  # it has looked once
    manager.watch(server.pid, 12)
    assert not hangs(server)


def test_nobody_hangs_while_only_the_master_is_stopped(start, manager, wait_for_a_hang):
    server = start(TIMEOUT, workers=4, env=manager.variables(200))
    manager.watch(server.pid, 2)
    freeze(server.pid)
    _, wait = wait_for_a_hang()
    wait()
    process.kill(server.pid, signal.SIGCONT)
    manager.watch(server.pid, 12)
    assert not hangs(server)
    assert len(server.workers) == 4


def test_worker_that_hung_before_the_master_was_stopped_is_found_all_the_same(start):
    server = start(TIMEOUT, workers=2)
    worker = server.serving[0]
    freeze(worker.pid)
    freeze(server.pid)
    process.kill(server.pid, signal.SIGCONT)
    server.wait_until_replaced(worker)
    assert hangs(server) == [str(worker.id)]


def test_worker_that_hangs_in_an_unhurried_stop_is_killed(start):
    server = start(TIMEOUT, f"instance.grace_ms={HOUR}", workers=2)
    with server.connect() as connection:
        answer = connection.request("/", headers={"Accept": "application/json"})
        worker = server.workers[answer.json["worker"]]
        connection.send("GET /hello HTTP/1.1\r\n")
        server.send_signal(signal.SIGQUIT)
        server.wait_for_log("stopping: .*, however long it takes$")
        server.wait_for_log("worker . died")  # the sibling has nothing to finish
        freeze(worker.pid)
        server.wait_for_log(f"worker {worker.id} hangs")
        server.wait_for_log(f"worker {worker.id} died: killed by SIGKILL .*killed_for=.it hangs")
        assert connection.is_closed()
    assert server.wait() == 0


def test_worker_that_hangs_after_a_reload_is_killed(start):
    server = start(TIMEOUT, f"instance.grace_ms={HOUR}", workers=1)
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        connection.send("GET /hello HTTP/1.1\r\n")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("worker 1 leaves: a newer generation serves")
        freeze(server.workers[1].pid)
        server.wait_for_log('worker 1 died: .*killed_for="it hangs" .*next="replaced already"$')
        assert connection.is_closed()
    server.wait_until_serving(1, after=1)
    assert len(server.workers) == 2


def test_death_of_who_hangs_names_its_request(start, tmp_path):
    server = start("-c", write_route(tmp_path), TIMEOUT, workers=1)
    with Unread(server.address, "/big/hang") as connection:
        host, port = connection.socket.getsockname()
        connection.wait_until_stuck(server.serving[0].pid)
        freeze(server.serving[0].pid)
        line = server.wait_for_log(
            'worker 1 died: .*killed_for="it hangs" .*connections=1 heartbeat_age_ms=(\\d+) '
            rf"method=GET path=/big/hang client={host}:{port} elapsed_ms=(\d+) "
        )
    assert int(line[1]) >= 2000
    assert int(line[2]) >= 2000


def test_workers_of_an_upgraded_master_are_watched(start):
    server = start(TIMEOUT, workers=2)
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("reloaded: generation 2 serves")
    worker = server.wait_until_serving(2, after=2)[0]
    freeze(worker.pid)
    server.wait_for_log(f"worker {worker.id} hangs")
    server.wait_until_replaced(worker)
