"""Reload: the new generation serves before the old one leaves; what fails changes nothing."""

import os
import re
import signal

import pytest

from lib import process
from lib.control import do
from lib.load import Load, kinds
from lib.reload import CAN_MAKE_EXIT, HOUR, RELOADED, finish, frozen, generations, held, identify
from lib.reload import kill_all, make_exit, order_reload, reload, reload_in_vain
from lib.reload import wait_until_reloaded, with_user
from lib.reload import begin, begin_hanging, conf  # noqa: F401
from lib.server import BINARY
from lib.upgrade import descriptors, settle
from lib.wait import eventually

ROUTE = 'route "/{0}" {{ handler = text body = "{0}" }}'


# A new generation


@pytest.mark.smoke
@pytest.mark.valgrind
def test_all_workers_are_replaced_and_the_instance_stays(begin):
    server = begin()
    assert reload(server) == 2
    server.wait_for_log(f"info master: got SIGHUP from process {os.getpid()}$")
    server.wait_for_log("info master: reloading: generation 2 boots with 2 workers$")
    assert [(w.id, w.slot, w.generation) for w in server.serving] == [(3, 1, 2), (4, 2, 2)]
    assert server.identity()["instance"] == server.instance
    for worker in (1, 2):
        server.wait_for_log(f"info master: worker {worker} died: exited with status 0 .*"
                            'generation=1 .*deliberate=yes next="replaced already"$')  # fmt: skip
    assert server.log.count("zombie-server starts") == 1


def test_new_generation_is_ready_before_the_old_one_leaves(begin, conf):
    conf.write(workers=4)
    server = begin()
    for generation in (2, 3, 4):
        reload(server)
        story = server.log.partition(f"reloading: generation {generation}")[2]
        before, _, after = story.partition(" leaves: a newer generation serves")
        assert before.count("is ready") == 4
        assert "forked" not in after


@pytest.mark.root
def test_old_generation_serves_while_the_new_one_boots(begin_hanging, etc):
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        assert {server.identity()["worker"] for _ in range(20)} <= {1, 2}
        assert [worker.id for worker in server.serving] == [1, 2]
    wait_until_reloaded(server)
    settle(server, 2, after=2)


@pytest.mark.smoke
def test_request_in_flight_is_finished_by_the_old_worker(begin):
    server = begin()
    with held(server) as (connection, worker):
        server.send_signal(signal.SIGHUP)
        wait_until_reloaded(server)
        idle = next(w for w in server.workers.values() if w.id in (1, 2) and w.id != worker.id)
        eventually(lambda: not process.is_alive(idle.pid), "the idle worker is gone")
        assert generations(server) == {1, 2}
        assert server.identity()["worker"] > 2
        assert process.is_alive(worker.pid)
        finish(connection)
    settle(server, 2, after=2)


def test_idle_connection_may_send_one_more_request(begin):
    server = begin()
    with server.connect() as connection:
        worker = identify(connection)
        server.send_signal(signal.SIGHUP)
        wait_until_reloaded(server)
        response = connection.request("/", headers={"Accept": "application/json"})
        while not response.closes:  # the worker has yet to hear of it
            response = connection.request("/", headers={"Accept": "application/json"})
        assert response.json["worker"] == worker
        assert connection.is_closed()
    settle(server, 2, after=2)


def test_idle_connection_is_closed(begin, conf):
    conf.write(drain_idle_ms=1)
    server = begin()
    with server.connect() as connection:
        identify(connection)
        server.send_signal(signal.SIGHUP)
        assert connection.is_closed()
    settle(server, 2, after=2)


def test_worker_that_does_not_finish_is_killed_in_time(begin, conf):
    conf.write(grace_ms=200)
    server = begin()
    conf.write(grace_ms=HOUR)  # the old one is bound to what it was born with
    with held(server) as (connection, worker):
        server.send_signal(signal.SIGHUP)
        assert connection.is_closed()
        server.wait_for_log(f"killing worker {worker.id}: not finished in time .*connections_cut=1")
    settle(server, 2, after=2)


def test_no_client_notices(begin, conf):
    conf.write(drain_idle_ms=500)
    server = begin()
    with Load(server.address, kinds()[:3]) as load:
        for _ in range(5):
            load.wait_for_answers(100)
            reload(server)
        load.wait_for_answers(100)
    load.assert_flawless()


@pytest.mark.parametrize("n_workers", [(2, 4, 1), (1, 8, 2), (3, 3, 3)])
def test_number_of_workers_changes(begin, conf, n_workers):
    conf.write(workers=n_workers[0])
    server = begin()
    for n in n_workers[1:]:
        last = max(server.workers)
        conf.write(workers=n)
        reload(server, n)
        assert [w.slot for w in server.serving] == list(range(1, n + 1))
        assert [w.id for w in server.serving] == list(range(last + 1, last + n + 1))
        assert server.fetch("/hello").status == 200


@pytest.mark.smoke
@pytest.mark.valgrind
def test_changed_route_is_answered_anew(begin, conf):
    conf.write(ROUTE.format("old"))
    server = begin()
    conf.write(ROUTE.format("new"))
    with held(server) as (connection, _):
        server.send_signal(signal.SIGHUP)
        wait_until_reloaded(server)
        eventually(lambda: server.fetch("/new").text == "new", "the new route is answered")
        assert server.fetch("/old").status == 404
        finish(connection)


def test_dead_of_the_new_generation_are_replaced_by_its_like(begin, conf):
    server = begin()
    conf.write(ROUTE.format("new"))
    reload(server)
    for worker in server.serving:
        process.kill(worker.pid)
        assert server.wait_until_replaced(worker).generation == 2
    assert server.fetch("/new").text == "new"


# What is refused


BROKEN = {  # by what is wrong: the text, and how the log names it after the file's name
    "syntax": ("instance {\n  workers = 2\n", r":\d+: .*"),
    "unknown key": ("instance {\n  wrokers = 2\n}\n", r":2: .*wrokers.*"),
    "bad value": ("log {\n}\ninstance {\n  workers = none\n}\n", r":4: .*instance\.workers.*"),
    "unknown handler": ('\n\nroute "/x" {\n  handler = none\n}\n', r":\d+: .*none.*"),
    "contradiction": ("instance {\n backoff_min_ms = 9\n backoff_max_ms = 8\n}\n",
                      r":\d+: .*backoff.*"),
}  # fmt: skip


@pytest.mark.smoke
@pytest.mark.parametrize("what", BROKEN)
def test_broken_file_changes_nothing(begin, conf, what):
    server = begin()
    text, error = BROKEN[what]
    conf.write_text(text)
    reload_in_vain(server, f"refused: {re.escape(str(conf.path))}{error}")
    conf.write()
    assert reload(server) == 2


def test_file_that_has_vanished_changes_nothing(begin, conf):
    server = begin()
    conf.path.unlink()
    reload_in_vain(server, f"refused: {re.escape(str(conf.path))}.*No such file or directory")
    conf.write()
    assert reload(server) == 2


def test_log_that_cannot_be_opened_changes_nothing(begin, conf, tmp_path):
    server = begin()
    conf.write(f'log {{ target = "{tmp_path}/none/log" }}')
    reload_in_vain(server, "refused: .*log.*")
    server.wait_for_log("cannot log to .*/none/log: No such file or directory")


@pytest.mark.root
def test_user_that_has_vanished_changes_nothing(begin, conf, etc):
    conf.write(**with_user(etc))
    server = begin(preexec=etc.mount)
    etc.break_boots()
    reload_in_vain(server, "refused: .*instance.user.*")
    etc.mend_boots()
    assert reload(server) == 2


# A new generation that does not make it


@pytest.mark.root
@pytest.mark.parametrize("dead", [(3,), (4,), (3, 4)])
def test_worker_that_dies_before_it_is_ready_ends_the_reload(begin_hanging, etc, dead):
    server = begin_hanging()

    def kill_some():
        with frozen(server, etc, 3, 4):
            for number in dead:
                process.kill(server.workers[number].pid)
                server.wait_for_log(f"worker {number} died: killed by SIGKILL .*generation=2 ")

    outcome = "failed: a worker of the new generation did not become ready .*SIGKILL.*"
    reload_in_vain(server, outcome, meanwhile=kill_some)
    server.wait_for_log(rf'worker {dead[0]} died: .*next="its generation is given up"$')
    assert [worker.id for worker in server.serving] == [1, 2]
    assert reload(server) == 3
    assert [worker.id for worker in server.serving] == [5, 6]


@pytest.mark.root
def test_generation_that_hangs_ends_the_reload_in_time(begin_hanging, conf, etc):
    server = begin_hanging(grace_ms=100)

    def hang():
        with frozen(server, etc, 3, 4):
            server.wait_for_log("worker 3 died: killed by SIGKILL .*generation=2 ")
            server.wait_for_log("worker 4 died: killed by SIGKILL .*generation=2 ")

    conf.write(ROUTE.format("new"), **with_user(etc, boot_timeout_ms=100))
    reload_in_vain(server, "failed: .*new generation.*", meanwhile=hang)
    assert server.fetch("/new").status == 404
    conf.write(ROUTE.format("new"), **with_user(etc))
    assert reload(server) == 3
    assert server.fetch("/new").text == "new"


@pytest.mark.root
def test_worker_that_dies_after_it_was_ready_is_born_again(begin_hanging, etc):
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 4):
        server.wait_for_log("worker 3 is ready")
        process.kill(server.workers[3].pid)
        server.wait_for_log('worker 3 died: killed by SIGKILL .*next="replaced at once"$')
        server.wait_for_log("worker 5 is ready .*slot=1 .*generation=2$")
        assert not re.search(RELOADED, server.log, re.M)
    assert wait_until_reloaded(server) == 2
    settle(server, 2, after=3)


@pytest.mark.root
def test_old_worker_that_dies_meanwhile_is_replaced_by_its_like(begin_hanging, conf, etc):
    server = begin_hanging(ROUTE.format("old"))
    conf.write(ROUTE.format("new"), **with_user(etc))
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        kill_all(server)
        server.wait_for_log("worker 5 is ready .*generation=1$")
        server.wait_for_log("worker 6 is ready .*generation=1$")
        assert server.fetch("/old").text == "old"
    assert wait_until_reloaded(server) == 2
    settle(server, 2, after=2)
    assert [worker.id for worker in server.serving] == [3, 4]


@pytest.mark.root
def test_reload_while_the_first_generation_boots(begin, conf, etc):
    conf.write(**with_user(etc))
    etc.make_boots_hang()
    server = begin(preexec=etc.mount, wait=False)
    with frozen(server, etc, 1, 2):
        assert order_reload(server) == 2
    settle(server, 2, after=2)


@pytest.mark.root
def test_crash_loop_ends_by_a_reload(begin, conf, etc):
    hours = {"backoff_min_ms": 60000, "backoff_max_ms": HOUR}
    conf.write(**with_user(etc, workers=8, **hours))
    server = begin(preexec=etc.mount)
    etc.break_boots()
    kill_all(server)
    server.wait_for_log("error master: crash loop: ")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reload refused: .*instance.user.*, generation 1 goes on$")
    conf.write(workers=8, **hours)
    last = max(server.workers)
    assert order_reload(server) == 2
    settle(server, 8, after=last)
    server.wait_for_log("the crash loop is over$")
    assert server.fetch("/hello").status == 200


@pytest.mark.root
@pytest.mark.skipif(not CAN_MAKE_EXIT, reason="knows the registers of x86-64 only")
def test_workers_that_exited_with_78_come_back_by_a_reload(begin):
    server = begin()
    for worker in server.serving:
        make_exit(worker.pid, 78)
        server.wait_for_log(f"worker {worker.id} died: exited with status 78 "
                            '.*next="not replaced before its configuration changes"$')  # fmt: skip
    server.wait_for_log("error master: crash loop: .*all exited with status 78")
    assert len(server.workers) == 2
    assert order_reload(server) == 2
    settle(server, 2, after=2)
    server.wait_for_log("the crash loop is over$")


# One at a time


def test_at_most_two_generations_live(begin):
    server = begin()
    with held(server) as (connection, _):
        order_reload(server)
        server.wait_until_serving(2, after=2)
        for _ in range(3):
            server.send_signal(signal.SIGHUP)
        server.wait_for_log("info master: the reload waits until what is under way has finished$")
        server.wait_for_log("got SIGHUP", 2)
        assert server.fetch("/hello").status == 200
        eventually(lambda: generations(server) == {1, 2}, "two generations live")
        assert "generation 3" not in server.log
        finish(connection)
    assert wait_until_reloaded(server, 2) == 3
    settle(server, 2, after=4)
    events = [r for r in server.records if re.match(r"worker \d+ (died|forked)", r.text)]
    story = [(r.fields["generation"], r.text.split()[2]) for r in events]
    assert story.index(("3", "forked")) > max(i for i, s in enumerate(story) if s == ("1", "died:"))


@pytest.mark.root
def test_reload_during_a_reload_comes_after_it(begin_hanging, conf, etc):
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        conf.write(ROUTE.format("late"), **with_user(etc))
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("the reload waits")
        assert len(server.workers) == 4
    assert wait_until_reloaded(server, 2) == 3
    settle(server, 2, after=4)
    assert server.fetch("/late").text == "late"


@pytest.mark.root
def test_reload_that_waits_for_one_that_fails_comes_after_it(begin_hanging, etc):
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("the reload waits")
        process.kill(server.workers[3].pid)
        server.wait_for_log("reload failed")
    assert wait_until_reloaded(server) == 3
    settle(server, 2, after=4)


def test_many_signals_make_some_reloads_and_an_instance_as_before(begin, conf):
    server = begin()
    for _ in range(100):
        server.send_signal(signal.SIGHUP)
    conf.write(ROUTE.format("late"))
    server.send_signal(signal.SIGHUP)
    eventually(lambda: server.fetch("/late").status == 200, "the last one is carried out")

    def is_quiet():
        pids = {worker.pid for worker in server.serving}
        return len(pids) == 2 and pids == set(process.children_of(server.pid))

    eventually(is_quiet, "one generation is left")


# Reload and stop


def test_reload_during_a_stop_does_nothing(begin):
    server = begin()
    with held(server) as (connection, _):
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("got SIGHUP")
        finish(connection)
    assert server.wait() == 0
    assert "reload" not in server.log and len(server.workers) == 2


@pytest.mark.root
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_stop_during_a_reload_stops_both_generations(begin_hanging, etc, number):
    server = begin_hanging()
    with held(server) as (connection, _):
        server.send_signal(signal.SIGHUP)
        with frozen(server, etc, 3, 4):
            server.send_signal(number)
            server.wait_for_log("stopping")
            finish(connection)
            assert not server.has_ended
    assert server.wait() == 0
    server.wait_for_log("worker 4 died: exited with status 0 .*the instance stops")
    assert not re.search(RELOADED, server.log, re.M)


@pytest.mark.root
def test_worker_that_leaves_while_it_boots_is_not_blamed(begin_hanging, etc):
    """It asks its master's id and is gone before the master, who is busy, can answer."""
    server = begin_hanging()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        do(server, "ping")  # a turn later all workers have been told
        process.kill(server.pid, signal.SIGSTOP)
        eventually(lambda: process.is_stopped(server.pid), "the master is busy")
    pids = [worker.pid for worker in server.workers.values()]
    eventually(lambda: not any(map(process.is_alive, pids)), "all workers have exited")
    process.kill(server.pid, signal.SIGCONT)
    assert server.wait() == 0
    assert not any("killed_for" in record.fields for record in server.records)


def test_stop_takes_those_along_that_still_leave(begin):
    server = begin()
    with held(server) as (connection, _):
        order_reload(server)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        finish(connection)
    assert server.wait() == 0


# In the long run


def has_sanitizer():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in file.read()


def rss_kib(server):
    return int(process.status_of(server.pid)["RssAnon"].split()[0])


def test_many_reloads_leave_nothing_behind(begin):
    server = begin()
    for _ in range(5):
        reload(server)
    before, rss = descriptors(server), rss_kib(server)
    for _ in range(50):
        reload(server)
    assert len(process.children_of(server.pid)) == 2
    assert len(descriptors(server)) == len(before)
    if not has_sanitizer():  # which keeps for a while what has been freed
        assert rss_kib(server) < rss + 200
