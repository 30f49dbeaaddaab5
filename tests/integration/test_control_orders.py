"""Orders by the control socket about workers: scale, drain, kill."""

import os
import signal

import pytest

from lib import process
from lib.control import Client, admin_of, assert_progress, do, events, find_event, refusal, slot_of
from lib.control import status, wait_for_event, wait_until_settled, workers_of
from lib.load import Kind, Load
from lib.reload import finish, held
from lib.wait import eventually

ADMIN = "admin.listen=127.0.0.1:0"
HOUR = 3600000
REUSEPORT = ["listen.127.0.0.1:0.accept=reuseport"]
PATIENT = [f"instance.grace_ms={HOUR}", "instance.drain_idle_ms=60000"]


# --- scale --------------------------------------------------------------------


@pytest.mark.smoke
def test_scale_up_and_down(start):
    server = start()
    more = do(server, "scale", to=5)
    assert more.text == "5 workers serve, 2 before"
    assert_progress(more, 5)
    now = wait_until_settled(server, 5)
    assert [x["slot"] for x in workers_of(now)] == [1, 2, 3, 4, 5]
    assert do(server, "scale", by=-4).text == "1 worker serves, 5 before"
    now = wait_until_settled(server, 1)
    assert [x["worker"] for x in workers_of(now)] == [1]
    assert do(server, "scale", by=2).text == "3 workers serve, 1 before"
    assert do(server, "scale", to=3).text == "3 workers serve, 3 before"
    assert server.fetch("/hello").status == 200


def test_scale_lasts_until_the_next_reload(start):
    server = start()
    do(server, "scale", to=3)
    do(server, "reload")
    assert wait_until_settled(server, 2)["workers"] == 2


def test_scale_is_capped_by_the_configuration(start):
    server = start("instance.max_workers=3")
    assert "1 to 3" in refusal(server, "bad-argument", "scale", to=4)
    assert "changes nothing" in refusal(server, "bad-argument", "scale", by=0)
    assert "1 to 3" in refusal(server, "bad-argument", "scale", by=2)
    do(server, "scale", by=1)
    assert "instance.max_workers" in refusal(server, "bad-argument", "scale", by=1)
    server.send_signal(signal.SIGTTIN)
    server.wait_for_log("3 workers are the most")
    assert status(server)["workers"] == 3


def test_scale_to_as_many_as_there_may_be(start):
    server = start("instance.max_workers=64", workers=1)
    assert_progress(do(server, "scale", to=64), 64)
    do(server, "scale", to=1)
    wait_until_settled(server, 1)


def test_scale_down_cuts_nobody(start):
    server = start(*PATIENT, "instance.hang_timeout_ms=0", workers=1)
    do(server, "scale", to=2)
    process.kill(server.serving[0].pid, signal.SIGSTOP)
    eventually(lambda: process.is_stopped(server.workers[1].pid), "it accepts nothing any more")
    with held(server) as (connection, worker):
        process.kill(server.workers[1].pid, signal.SIGCONT)
        assert worker.slot == 2
        do(server, "scale", to=1)
        now = status(server)
        assert [(x["worker"], x["leaving"]) for x in workers_of(now)] == [(1, False), (2, True)]
        connection.send("\r\n")
        assert connection.receive().status == 200
    wait_until_settled(server, 1)


def test_scale_in_reuseport(start):
    server = start(*REUSEPORT)
    assert_progress(do(server, "scale", to=4), 4)
    with Load(server.address, [Kind("GET new connection", "/hello", keep_alive=False)]) as load:
        do(server, "scale", to=2)
        wait_until_settled(server, 2)
        load.wait_for_answers(200)
    load.assert_flawless()


@pytest.mark.root
def test_scale_that_comes_to_nothing_says_why(start_fragile, etc):
    server = start_fragile("instance.boot_timeout_ms=1000", "instance.backoff_max_ms=100")
    etc.break_boots()
    text = refusal(server, "failed", "scale", to=3)
    assert text.startswith("only 2 of 3 workers serve (the last death: exited with status ")
    assert server.fetch("/hello").status == 200
    etc.mend_boots()
    wait_until_settled(server, 3)


# --- drain --------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_drain_lets_the_worker_finish_and_keeps_the_slot_empty(start):
    server = start(*PATIENT)
    with held(server) as (connection, worker), Client(server.control_path) as client:
        order = client.begin("drain", slot=worker.slot)
        order.wait_for_progress()
        assert order.progress == [(0, 1, f"worker {worker.id} finishes")]
        entry = slot_of(status(server), worker.slot)
        assert (entry["state"], entry["worker"]) == ("draining", worker.id)
        assert server.fetch("/hello").status == 200
        finish(connection)
        assert order.done().text == (
            f"slot {worker.slot} is empty until it is restarted, fewer workers are wanted, or the "
            "configuration is reloaded"
        )
    entry = slot_of(status(server), worker.slot)
    assert (entry["state"], entry["pid"]) == ("held", None)
    assert entry["last_death"] is None
    event = find_event(events(server), "death", worker=worker.id)
    assert event["text"] == ("exited with status 0, not replaced before its slot is restarted, "
                             "fewer workers are wanted, or a reload")  # fmt: skip
    other = next(w for w in server.workers.values() if w.slot != worker.slot)
    process.kill(other.pid)
    wait_for_event(server, "ready", worker=3)
    assert slot_of(status(server), worker.slot)["state"] == "held"
    assert status(server)["state"] == "serving"
    do(server, "reload")
    wait_until_settled(server)


def test_the_last_death_is_one_that_was_not_planned(start):
    """A rolling restart, a reload, a drain and the way back would all hide it else."""
    server = start(workers=3)
    killed = slot_of(status(server), 1)["worker"]
    process.kill(server.workers[killed].pid)
    wait_until_settled(server)
    before = status(server)["totals"]["deaths"]
    do(server, "restart")
    do(server, "reload")
    do(server, "drain", slot=1)
    do(server, "scale", to=2)
    now = wait_until_settled(server, 2)
    assert now["totals"]["deaths"] >= before + 3 + 3 + 2
    for slot in 1, 2:
        death = slot_of(now, slot)["last_death"]
        assert (death and (death["worker"], death["kind"])) == ((killed, "signal") if slot == 1
                                                                else None)  # fmt: skip


def test_drain_that_would_leave_nobody_is_refused(start):
    server = start()
    do(server, "drain", slot=2)
    assert "the only one that serves" in refusal(server, "refused", "drain", slot=1)
    assert "no worker serves in slot 2" in refusal(server, "refused", "drain", slot=2)
    assert server.fetch("/hello").status == 200


def test_drain_of_the_admin_child_is_refused(start):
    server = start(ADMIN)
    refusal(server, "bad-argument", "drain", slot="admin")


def test_drain_cuts_who_takes_too_long(start):
    server = start("instance.grace_ms=200", "instance.drain_idle_ms=60000")
    with held(server) as (_, worker):
        do(server, "drain", slot=worker.slot)
    server.wait_for_log(f"killing worker {worker.id}: not finished in time")
    assert slot_of(status(server), worker.slot)["state"] == "held"


def test_drain_in_reuseport_loses_nobody(start):
    """The sockets of the slot fall to another."""
    server = start(*REUSEPORT, workers=3)
    with Load(server.address) as load:
        do(server, "drain", slot=2)
        load.wait_for_answers(300)
        do(server, "restart", slot=2)
        load.wait_for_answers(300)
    load.assert_flawless()
    wait_until_settled(server)


def test_scale_counts_a_drained_slot_as_done(start):
    server = start(workers=3)
    do(server, "drain", slot=2)
    do(server, "scale", to=4)
    now = status(server)
    assert [x["state"] for x in workers_of(now)] == ["serving", "held", "serving", "serving"]


@pytest.mark.parametrize("fewer", ["scale", "TTOU"])
def test_drained_slot_is_filled_again_when_fewer_workers_are_wanted(start, fewer):
    """Else those that serve might be the ones that go."""
    server = start(workers=3)
    do(server, "drain", slot=1)
    if fewer == "scale":
        do(server, "scale", to=1)
    else:
        server.send_signal(signal.SIGTTOU)
    now = wait_until_settled(server, 1 if fewer == "scale" else 2)
    assert slot_of(now, 1)["worker"] == 4
    server.wait_for_log("slot 1 is filled again, since fewer workers are wanted$")
    assert server.fetch("/hello").status == 200


# --- kill ---------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_kill_ends_when_the_successor_serves(start):
    server = start()
    order = do(server, "kill", slot=1)
    assert order.text.startswith("worker 1 is dead, 3 serves ")
    assert order.text.endswith(" ms after the signal")
    now = status(server)
    assert slot_of(now, 1)["worker"] == 3
    assert slot_of(now, 2)["worker"] == 2
    server.wait_for_log("info master: worker 1 died: killed by SIGKILL .*deliberate=yes")
    assert find_event(events(server), "order", "sent SIGKILL", worker=1, slot=1)


def test_kill_again_and_again_is_no_crash(start):
    """What was ordered does not count against the budget of respawns."""
    server = start("instance.respawn_per_second=1", "instance.respawn_per_10s=1")
    for n in range(12):
        do(server, "kill", slot=1 + n % 2)
    assert "die too fast" not in server.log
    wait_until_settled(server)


@pytest.mark.parametrize("name, what", [
    ("TERM", "exited with status 0"), ("QUIT", "exited with status 0"),
    ("SEGV", "killed by SIGSEGV"), ("SIGABRT", "killed by SIGABRT"),
    (str(signal.SIGRTMIN + 3), f"killed by signal {signal.SIGRTMIN + 3}"),
])  # fmt: skip
def test_kill_with_another_signal_ends_when_it_is_sent(start, name, what):
    server = start()
    worker = server.workers[1]
    told = f"signal {name}" if name.isdigit() else "SIG" + name.removeprefix("SIG")
    text = do(server, "kill", slot=1, signal=name).text
    assert text == f"sent {told} to worker 1, process {worker.pid}"
    assert wait_for_event(server, "death", what, worker=1)
    wait_for_event(server, "ready", worker=3)


def test_kill_may_stop_a_worker(start):
    server = start("instance.hang_timeout_ms=2000")
    do(server, "kill", slot=1, signal="STOP")
    eventually(lambda: process.is_stopped(server.workers[1].pid), "it is stopped")
    server.wait_for_log("worker 1 hangs, replacing it")
    wait_for_event(server, "ready", worker=3)


def test_kill_by_chaos_needs_chaos(start):
    server = start(ADMIN)
    for slot in 1, "admin":
        assert "chaos.enabled" in refusal(server, "not-allowed", "kill", slot=slot, chaos=True)
    assert status(server)["totals"]["deaths"] == 0
    do(server, "kill", slot=1)


def test_kill_by_chaos_is_told_as_chaos(start):
    server = start("--chaos", ADMIN)
    wait_until_settled(server)
    do(server, "kill", slot=1, chaos=True)
    assert find_event(events(server), "chaos", "sent SIGKILL", slot=1)
    do(server, "kill", slot=2, chaos=True, signal="SEGV")
    wait_for_event(server, "death", "SIGSEGV", slot=2)
    server.wait_for_log("worker 2 died: killed by SIGSEGV.* deliberate=yes")
    wait_until_settled(server)


def test_kill_of_the_admin_child(start):
    server = start(ADMIN)
    before = admin_of(wait_until_settled(server))
    text = do(server, "kill", slot="admin").text
    assert text.startswith(f"admin {before['worker']} is dead, ")
    assert admin_of(status(server))["worker"] > before["worker"]


def test_kill_where_nobody_lives_is_refused(start):
    server = start()
    do(server, "drain", slot=1)
    assert "no process lives" in refusal(server, "refused", "kill", slot=1)


def test_kill_of_one_that_is_being_drained_ends_with_its_death(start):
    server = start(*PATIENT)
    with held(server) as (_, worker), Client(server.control_path) as client:
        drain = client.begin("drain", slot=worker.slot)
        drain.wait_for_progress()
        do(server, "kill", slot=worker.slot)
        drain.done()
    assert slot_of(status(server), worker.slot)["state"] == "held"


@pytest.mark.root
def test_kill_whose_successor_does_not_come_has_failed(start_fragile, etc):
    server = start_fragile("instance.backoff_max_ms=100")
    etc.break_boots()
    assert "nobody serves in its place" in refusal(server, "failed", "kill", slot=1)
    assert server.fetch("/hello").status == 200
    etc.mend_boots()
    wait_until_settled(server)
    assert os.path.exists(server.control_path)
    eventually(lambda: len(server.serving) == 2, "both serve")
