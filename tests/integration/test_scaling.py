"""One worker more, one fewer, none for a while: TTIN, TTOU, WINCH."""

import contextlib
import fcntl
import os
import pty
import signal
import struct
import sys
import termios

import pytest

from lib import process
from lib.client import render
from lib.reload import finish, frozen, held, order_reload, reload, wait_until_told, with_user
from lib.reload import begin, begin_hanging, conf  # noqa: F401
from lib.upgrade import occurrences, settle
from lib.wait import eventually

PAUSING = "warning master: pausing: all workers leave, connections wait until a reload .HUP. or"


def ask(server, number, answer):
    """Send the signal and wait until the log says so (once more)."""
    told = occurrences(server, answer)
    server.send_signal(number)
    server.wait_for_log(answer, told + 1)


def more(server, n):
    ask(server, signal.SIGTTIN, f"info master: one worker more: {n}, until the next reload$")


def fewer(server, n):
    ask(server, signal.SIGTTOU, f"info master: one worker fewer: {n}, until the next reload$")


def pause(server):
    ask(server, signal.SIGWINCH, PAUSING)


def wait_until_nobody_is_left(server):
    eventually(lambda: not process.children_of(server.pid), "all workers are gone")


def slots(server):
    return sorted(worker.slot for worker in server.serving)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_workers_are_added(begin):
    server = begin()
    for n in (3, 4):
        more(server, n)
        server.wait_until_serving(n)
        assert slots(server) == list(range(1, n + 1))
    assert [worker.id for worker in server.serving] == [1, 2, 3, 4]
    assert {worker.generation for worker in server.serving} == {1}
    server.wait_for_log(f"info master: got SIGTTIN from process {os.getpid()}$", 2)


@pytest.mark.smoke
def test_highest_slot_leaves(begin, conf):
    conf.write(workers=4)
    server = begin()
    for n in (3, 2, 1):
        fewer(server, n)
        eventually(lambda n=n: len(process.children_of(server.pid)) == n, f"{n} are left")
        assert slots(server) == list(range(1, n + 1))
    assert [worker.id for worker in server.serving] == [1]
    server.wait_for_log("info master: worker 4 leaves: fewer workers are wanted worker=")
    server.wait_for_log("worker 4 died: exited with status 0 .*deliberate=yes "
                        'next="not replaced, fewer workers are wanted"$')  # fmt: skip
    assert server.fetch("/hello").status == 200


def test_one_worker_is_the_least(begin, conf):
    conf.write(workers=1)
    server = begin()
    ask(server, signal.SIGTTOU, "warning master: one worker is the least$")
    assert [worker.id for worker in server.serving] == [1]
    assert server.fetch("/hello").status == 200


@contextlib.contextmanager
def held_by(server, slot):
    """As held(), by the worker of that slot."""
    while True:
        with held(server) as (connection, worker):
            if worker.slot == slot:
                yield connection, worker
                return


def test_worker_that_is_one_too_many_finishes_its_request(begin):
    server = begin()
    with held_by(server, 2) as (connection, worker):
        fewer(server, 1)
        eventually(  # at first it still takes what the kernel has woken it for
            lambda: {server.identity()["worker"] for _ in range(10)} == {1}, "only one answers"
        )
        assert process.is_alive(worker.pid)
        finish(connection)
    settle(server, 1, after=0)


def test_killed_worker_of_an_added_slot_is_replaced(begin):
    server = begin()
    more(server, 3)
    server.wait_until_serving(3)
    worker = next(w for w in server.serving if w.slot == 3)
    process.kill(worker.pid)
    assert server.wait_until_replaced(worker).slot == 3


def test_slot_that_is_still_left_can_be_filled_again(begin):
    server = begin()
    with held_by(server, 2) as (connection, worker):
        fewer(server, 1)
        more(server, 2)
        server.wait_until_serving(2)
        assert slots(server) == [1, 2]
        assert process.is_alive(worker.pid)
        finish(connection)
    settle(server, 2, after=0)


def test_reload_decides_the_number_anew(begin):
    server = begin()
    more(server, 3)
    server.wait_until_serving(3)
    reload(server, 2)
    assert slots(server) == [1, 2]
    fewer(server, 1)
    reload(server, 2)
    assert slots(server) == [1, 2]


@pytest.mark.root
@pytest.mark.parametrize("number, n", [(signal.SIGTTIN, 3), (signal.SIGTTOU, 1),
                                       (signal.SIGWINCH, 0)])  # fmt: skip
def test_change_that_comes_during_a_reload_comes_after_it(begin_hanging, etc, number, n):
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        ask(server, number, " waits until what is under way has finished$")
        assert len(server.workers) == 4
        assert slots(server) == [1, 2]
    server.wait_for_log("reloaded: generation 2 serves")
    eventually(lambda: slots(server) == list(range(1, n + 1)), f"{n} workers serve")
    eventually(lambda: len(process.children_of(server.pid)) == n, "nobody else is left")
    assert {worker.generation for worker in server.serving} <= {2}


@pytest.mark.root
def test_change_that_waited_comes_right_after_the_reload(begin, conf, etc, manager):
    conf.write(**with_user(etc))
    server = begin(preexec=etc.mount, env=manager.variables(60000))
    etc.make_boots_hang()
    with held_by(server, 1) as (first, _), held_by(server, 2) as (second, _):
        server.send_signal(signal.SIGHUP)
        with frozen(server, etc, 3, 4):
            ask(server, signal.SIGTTIN, "one worker more waits until")
            manager.forget()
        manager.wait_for("READY", pid=server.pid)
        # Nobody dies meanwhile, so what else could wake the master up is a patrol.
        assert manager.receive().fields == {"STATUS": "Generation 2 serves"}
        server.wait_for_log("one worker more: 3, until the next reload$")
        texts = [record.text for record in server.records if record.role == "master"]
        done = next(i for i, text in enumerate(texts) if text.startswith("reloaded: "))
        assert texts[done + 1].startswith("one worker more: 3,")
        finish(first)
        finish(second)
    settle(server, 3, after=2)


def test_change_does_not_wait_for_old_workers_that_leave(begin):
    server = begin()
    with held(server) as (connection, _):
        order_reload(server)
        more(server, 3)
        server.wait_until_serving(3, after=2)
        finish(connection)
    settle(server, 3, after=2)


# Pausing


@pytest.mark.smoke
def test_connections_wait_for_the_end_of_a_pause(begin):
    server = begin()
    pause(server)
    wait_until_nobody_is_left(server)
    queued = [server.connect() for _ in range(20)]
    for connection in queued:
        connection.send(render("/hello"))
    assert order_reload(server) == 2
    for connection in queued:
        with connection:
            response = connection.receive()
            assert (response.status, response.closes) == (200, False)
    settle(server, 2, after=2)


def test_request_in_flight_is_finished_before_a_pause(begin):
    server = begin()
    with held(server) as (connection, worker):
        pause(server)
        eventually(lambda: len(process.children_of(server.pid)) == 1, "the idle worker is gone")
        assert process.is_alive(worker.pid)
        finish(connection)
    wait_until_nobody_is_left(server)
    server.wait_for_log(rf"info master: worker {worker.id} leaves: the instance pauses worker=")


def test_dead_are_not_replaced_during_a_pause(begin):
    server = begin()
    with held(server) as (_, worker):
        pause(server)
        process.kill(worker.pid)
        server.wait_for_log(f"worker {worker.id} died: killed by SIGKILL "
                            '.*next="not replaced, fewer workers are wanted"$')  # fmt: skip
    wait_until_nobody_is_left(server)
    assert len(server.workers) == 2


def test_pause_is_no_crash_loop(begin):
    server = begin("instance.on_crash_loop=exit")
    pause(server)
    wait_until_nobody_is_left(server)
    ask(server, signal.SIGTTOU, "one worker is the least")
    assert "crash loop" not in server.log


def test_one_worker_more_than_none(begin):
    server = begin()
    pause(server)
    wait_until_nobody_is_left(server)
    with server.connect() as connection:
        connection.send(render("/hello"))
        for n in (1, 2):
            more(server, n)
        assert connection.receive().status == 200
    server.wait_until_serving(2)
    assert sorted((w.id, w.slot) for w in server.serving) == [(3, 1), (4, 2)]


def test_worker_that_still_leaves_and_one_more_serve_side_by_side(begin):
    server = begin()
    with held(server) as (connection, _):
        pause(server)
        more(server, 1)
        for number in (1, 2):
            wait_until_told(server.workers[number])
        assert server.identity()["worker"] == 3
        finish(connection)
    settle(server, 1, after=2)


def test_pause_and_one_more_cut_off_nobody(begin, conf):
    conf.write(workers=1)
    server = begin()
    with contextlib.ExitStack() as stack:
        in_flight = []
        for n in range(1, 31):  # more than there are spare places
            connection, worker = stack.enter_context(held(server))
            assert worker.id == n
            in_flight.append(connection)
            pause(server)
            server.wait_for_log(f"worker {n} leaves: the instance pauses worker=")
            more(server, 1)
            server.wait_until_serving(1, after=n)
        for connection in in_flight:
            finish(connection)
    settle(server, 1, after=30)
    assert "its place is needed" not in server.log
    assert "killing worker" not in server.log


def test_reload_in_a_pause_that_is_refused_leaves_the_pause(begin, conf):
    server = begin()
    pause(server)
    wait_until_nobody_is_left(server)
    conf.write_text("nonsense")
    ask(server, signal.SIGHUP, "error master: reload refused: ")
    assert not process.children_of(server.pid)
    with server.connect() as connection:
        connection.send(render("/hello"))
        conf.write()
        order_reload(server)
        assert connection.receive().status == 200


def test_pause_ends_with_a_stop(begin):
    server = begin()
    pause(server)
    wait_until_nobody_is_left(server)
    server.stop()
    assert server.records[-1].text.startswith("stopped")


# A terminal that changes its size

# Starts the program in its own place, beside a process of the same group that
# ends when the group gets SIGWINCH.
WITNESS = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})
if os.fork() == 0:
    os.execv(sys.executable, [sys.executable, "-c", "import signal; open('witness', 'w').close();"
                              "signal.sigwait({signal.SIGWINCH}); open('seen', 'w').close()"])
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGWINCH})
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.fixture
def terminal():
    """Both ends. It must outlive the server, which its end would send SIGHUP."""
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_size_of_the_terminal_means_nothing(terminal, begin, tmp_path):
    outer, inner = terminal
    server = begin(
        prefix=[sys.executable, "-c", WITNESS],
        preexec=lambda: fcntl.ioctl(inner, termios.TIOCSCTTY, 0),
    )
    eventually((tmp_path / "witness").exists, "the witness watches")
    fcntl.ioctl(outer, termios.TIOCSWINSZ, struct.pack("HHHH", 11, 22, 0, 0))
    eventually((tmp_path / "seen").exists, "the group has got the signal")
    ask(server, signal.SIGPWR, "got SIGPWR")  # of a larger number, so it is read after SIGWINCH
    assert "WINCH" not in server.log and "pausing" not in server.log
    assert server.fetch("/hello").status == 200
    pause(server)
