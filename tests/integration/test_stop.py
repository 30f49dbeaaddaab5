"""The end: what is in flight is finished, nobody stays behind, and the master's death is theirs."""

import os
import signal
import socket
from datetime import datetime, timedelta

import pytest

from lib import process
from lib.client import Connection, render
from lib.wait import DEADLINE, eventually

HALF = "GET /hello HTTP/1.1\r\nHost: zombie.test\r\n"
REST = "\r\n"
HOUR = 3600000


def busy(connection):
    """Prove that a worker holds the connection, then leave half a request with it."""
    assert connection.request("/hello").status == 200
    connection.send(HALF)


def wait_until_refused(server):
    """Wait until every worker has heard of the stop: nobody listens any more."""

    def refused():
        try:
            with Connection(server.address):
                return False
        except OSError:
            return True

    eventually(refused, "new connections are refused")


@pytest.mark.smoke
@pytest.mark.valgrind
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_signal_stops_with_status_zero(start, name):
    server = start()
    server.stop(getattr(signal, name))
    server.wait_for_log(f"got {name} from process {os.getpid()}")
    server.wait_for_log("died: exited with status 0 .*the instance stops", 2)
    assert server.records[-1].text.startswith("stopped")


@pytest.mark.parametrize(
    "name", ["SIGALRM", "SIGVTALRM", "SIGPROF", "SIGPOLL", "SIGPWR", "SIGXCPU"]
)
def test_signal_without_a_meaning_changes_nothing(start, name):
    server = start()
    server.send_signal(getattr(signal, name))
    server.wait_for_log(f"got {name} from process {os.getpid()}, which means nothing here$")
    assert server.fetch("/hello").status == 200
    assert sorted(worker.id for worker in server.serving) == [1, 2]


@pytest.mark.parametrize(
    "number, name",
    [
        (16, "SIGSTKFLT"),  # the module signal does not know it before Python 3.11
        (signal.SIGRTMIN, f"signal {signal.SIGRTMIN:d}"),
        (signal.SIGRTMIN + 3, f"signal {signal.SIGRTMIN + 3}"),  # what stops a container, for some
        (signal.SIGRTMAX, f"signal {signal.SIGRTMAX:d}"),
    ],
    ids=["SIGSTKFLT", "SIGRTMIN", "SIGRTMIN+3", "SIGRTMAX"],
)
def test_signal_that_few_have_heard_of_changes_nothing_either(start, number, name):
    server = start()
    server.send_signal(number)
    server.wait_for_log(f"got {name} from process {os.getpid()}, which means nothing here$")
    assert server.fetch("/hello").status == 200
    assert sorted(worker.id for worker in server.serving) == [1, 2]


@pytest.mark.parametrize("name", ["SIGPIPE", "SIGXFSZ"])
def test_signal_of_a_failed_write_is_not_even_logged(start, name):
    server = start()
    server.send_signal(getattr(signal, name))
    assert server.fetch("/hello").status == 200
    server.stop()  # the last signal is read when all before it have been
    assert name not in server.log


@pytest.mark.smoke
@pytest.mark.valgrind
def test_half_sent_request_is_answered_with_connection_close(start):
    server = start(f"instance.grace_ms={HOUR}")
    with server.connect() as connection:
        busy(connection)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: the workers finish what they have$")
        wait_until_refused(server)
        connection.send(REST)
        response = connection.receive()
        assert (response.status, response.closes) == (200, True)
        assert connection.is_closed()
    assert server.wait() == 0


def test_unread_answers_are_delivered_before_the_end(start, tmp_path):
    (tmp_path / "big.conf").write_text(f'route "/big" {{ handler = text body = "{"x" * 65000}" }}')
    server = start("-c", tmp_path / "big.conf", f"instance.grace_ms={HOUR}", workers=1)
    n = 100  # more than the socket's buffers hold, so that the worker is in the middle of it
    with server.connect() as connection:
        connection.send(render("/big") * n)
        first = connection.receive()
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        answers = [first]
        while not answers[-1].closes and len(answers) < n:
            answers.append(connection.receive())
    assert all(len(answer.body) == 65000 for answer in answers)
    assert server.wait() == 0


def test_idle_connection_is_closed(start):
    server = start("instance.drain_idle_ms=1", f"instance.grace_ms={HOUR}")
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        server.send_signal(signal.SIGTERM)
        assert connection.is_closed()
    assert server.wait() == 0


def test_idle_connection_may_send_one_more_request(start):
    server = start("instance.drain_idle_ms=60000", f"instance.grace_ms={HOUR}")
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        while not (health := connection.request("/healthcheck")).closes:
            continue  # the worker has yet to hear of it
        assert health.status == 503
        assert connection.is_closed()
    assert server.wait() == 0


def test_connections_that_the_kernel_holds_are_served(start):
    server = start(f"instance.grace_ms={HOUR}", workers=2)
    pids = [worker.pid for worker in server.serving]
    channels = [process.steal_socket(pid, socket.SOCK_SEQPACKET) for pid in pids]
    for pid in pids:
        process.kill(pid, signal.SIGSTOP)
    eventually(lambda: all(map(process.is_stopped, pids)), "the workers are stopped")
    queued = [server.connect() for _ in range(50)]
    for connection in queued:
        connection.send(render("/hello"))
    server.send_signal(signal.SIGTERM)
    for channel in channels:
        with channel:
            channel.settimeout(DEADLINE)
            channel.recv(256, socket.MSG_PEEK)  # DRAIN is what they find when they wake up
    for pid in pids:
        process.kill(pid, signal.SIGCONT)
    for connection in queued:
        with connection:
            assert connection.receive().status == 200
    assert server.wait() == 0


def test_new_connections_are_refused_during_the_stop(start):
    server = start(f"instance.grace_ms={HOUR}", workers=4)
    with server.connect() as connection:
        busy(connection)
        server.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        connection.send(REST)
        assert connection.receive().status == 200
    assert server.wait() == 0


def test_stop_that_comes_before_the_first_worker_is_a_stop(start, tmp_path):
    def with_term_waiting():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)

    path = tmp_path / "socket"
    server = start(listen=f"unix:{path}", wait=False, preexec=with_term_waiting)
    assert server.wait() == 0
    assert server.records[-1].text.startswith("stopped")
    assert not path.exists()


def test_drain_delay_goes_on_accepting_and_says_draining(start):
    server = start(f"instance.drain_delay_ms={HOUR}")
    server.send_signal(signal.SIGTERM)
    eventually(lambda: server.fetch("/healthcheck").status == 503, "healthcheck says draining")
    assert server.fetch("/hello").status == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_second_signal_is_fast(start, second):
    server = start(f"instance.grace_ms={HOUR}")
    with server.connect() as connection:
        busy(connection)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: the workers finish what they have$")
        server.send_signal(second)
        server.wait_for_log("stopping at once: the workers drop what they have$")
        assert connection.is_closed()
    assert server.wait() == 0


def test_deadline_cuts_off_and_counts(start):
    server = start("instance.grace_ms=300", workers=1)
    with server.connect() as first, server.connect() as second:
        busy(first)
        busy(second)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("killing worker 1: not finished in time .*connections_cut=2$")
        assert first.is_closed() and second.is_closed()
    assert server.wait() == 0


def test_worker_that_has_closed_its_channel_keeps_its_grace(start):
    server = start("instance.grace_ms=2500", workers=1)
    channel = process.steal_socket(server.serving[0].pid, socket.SOCK_SEQPACKET)
    with server.connect() as connection, channel:
        busy(connection)
        server.send_signal(signal.SIGTERM)
        wait_until_refused(server)
        channel.shutdown(socket.SHUT_RDWR)
        server.wait_for_log("worker 1 died")
    assert server.wait() == 0
    told, died = (datetime.fromisoformat(server.wait_for_log(f"^(\\S{{23}})Z .*{what}")[1])
                  for what in ("stopping: the workers", "worker 1 died"))  # fmt: skip
    assert died - told >= timedelta(seconds=2.5)


def test_quit_has_no_deadline(start):
    server = start("instance.grace_ms=0")
    with server.connect() as connection:
        busy(connection)
        server.send_signal(signal.SIGQUIT)
        server.wait_for_log("stopping: .*, however long it takes$")
        wait_until_refused(server)
        connection.send(REST)
        response = connection.receive()
        assert (response.status, response.closes) == (200, True)
    assert server.wait() == 0
    assert "killing" not in server.log


def test_worker_that_hangs_cannot_hold_the_stop_up(start):
    server = start("instance.grace_ms=200", workers=2)
    worker = server.serving[0]
    process.kill(worker.pid, signal.SIGSTOP)
    server.stop()
    server.wait_for_log(f"killing worker {worker.id}: not finished in time")


def test_stop_during_the_boot_leaves_nobody(start):
    server = start(workers=8, wait=False)
    server.wait_for_log("worker 8 forked")
    server.stop()


# The master's death


def kill_master(server):
    server.expected_status = -signal.SIGKILL
    process.kill(server.pid)


def wait_until_gone(server):
    eventually(lambda: not server.processes(), "no process of the server is left")


@pytest.mark.smoke
@pytest.mark.valgrind
def test_workers_follow_a_killed_master(start):
    server = start(workers=4)
    kill_master(server)
    wait_until_gone(server)
    server.wait_for_log("the master is gone .end of file., finishing what is in flight", 4)


def test_orphans_answer_what_is_in_flight(start):
    server = start(f"instance.grace_ms={HOUR}", workers=2)
    with server.connect() as connection:
        busy(connection)
        kill_master(server)
        server.wait_for_log("the master is gone", 2)
        wait_until_refused(server)
        connection.send(REST)
        response = connection.receive()
        assert (response.status, response.closes) == (200, True)
    wait_until_gone(server)


def test_orphan_with_an_endless_request_has_a_deadline(start):
    server = start("instance.grace_ms=0", workers=1)
    with server.connect() as connection:
        busy(connection)
        kill_master(server)
        assert connection.is_closed()
        wait_until_gone(server)


def test_hung_worker_follows_a_killed_master(start):
    server = start("--chaos", "instance.grace_ms=0", workers=1)
    server.fetch("/workerKiller?mode=hang")
    server.wait_for_log("asked to die .*mode=hang")
    kill_master(server)
    wait_until_gone(server)
