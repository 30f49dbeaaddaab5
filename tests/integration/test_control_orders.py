"""Orders by the control socket about workers: scale, restart, drain, kill."""

import os
import signal

import pytest

from lib import process
from lib.control import Client, admin_of, do, events, find_event, last_event, refusal, slot_of
from lib.control import status, wait_for_event, wait_for_status, wait_until_settled, workers_of
from lib.load import Kind, Load
from lib.reload import CAN_MAKE_EXIT, finish, held, let_go, make_exit
from lib.wait import eventually

ADMIN = "admin.listen=127.0.0.1:0"
HOUR = 3600000
REUSEPORT = ["listen.127.0.0.1:0.accept=reuseport"]
PATIENT = [f"instance.grace_ms={HOUR}", "instance.drain_idle_ms=60000"]

needs_registers = pytest.mark.skipif(not CAN_MAKE_EXIT, reason="knows the registers of x86-64 only")


def assert_progress(order, total):
    """It only rises, and its last step is the end."""
    steps = [done for done, _, _ in order.progress]
    assert steps == sorted(set(steps)), order.progress
    assert {of for _, of, _ in order.progress} == {total}, order.progress
    assert steps[-1] == total, order.progress


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


# --- restart ------------------------------------------------------------------


@pytest.mark.smoke
def test_restart_replaces_all_one_by_one_and_fails_no_request(start):
    server = start(ADMIN, workers=4)
    before = wait_until_settled(server)
    seen = last_event(server)
    with Load(server.address) as load:
        load.wait_for_answers(500)
        order = do(server, "restart")
        load.wait_for_answers(500)
    load.assert_flawless()
    assert order.text == "4 restarted"
    assert_progress(order, 4)
    assert order.progress[0] == (0, 4, "0 of 4 restarted")
    now = wait_until_settled(server)
    assert [x["slot"] for x in workers_of(now)] == [1, 2, 3, 4]
    assert not {x["pid"] for x in workers_of(before)} & {x["pid"] for x in workers_of(now)}
    assert admin_of(now)["worker"] == admin_of(before)["worker"]
    steps = [(x["event"], x["slot"]) for x in events(server, since=seen)
             if x["event"] in ("birth", "ready", "leaving")]  # fmt: skip
    assert steps == [(kind, slot) for slot in (1, 2, 3, 4)
                     for kind in ("birth", "ready", "leaving")]  # fmt: skip
    assert (now["generation"], now["totals"]["respawns"]) == (1, 0)


def test_restart_of_one_slot_leaves_the_others_alone(start):
    server = start(*PATIENT, workers=3)
    wait_until_settled(server)
    with held(server) as (connection, worker):
        order = do(server, "restart", slot=worker.slot)
        assert order.text == "1 restarted"
        now = wait_for_status(server, lambda s: len(workers_of(s)) == 4, "one finishes")
        assert slot_of(now, worker.slot)["worker"] == 4
        assert {x["worker"] for x in workers_of(now)} == {1, 2, 3, 4}
        finish(connection)
    assert {x["worker"] for x in workers_of(wait_until_settled(server))} == {1, 2, 3, 4} - {
        worker.id
    }


def test_restart_in_reuseport_fails_no_request(start):
    server = start(*REUSEPORT, workers=3)
    with Load(server.address) as load:
        for _ in range(3):
            do(server, "restart")
        load.wait_for_answers(500)
    load.assert_flawless()


def test_restart_of_the_admin_child(start):
    server = start(ADMIN)
    before = wait_until_settled(server)
    order = do(server, "restart", slot="admin")
    assert order.text == "1 restarted"
    now = wait_until_settled(server)
    assert admin_of(now)["worker"] > admin_of(before)["worker"]
    assert [x["worker"] for x in workers_of(now)] == [x["worker"] for x in workers_of(before)]
    assert now["admin"] == before["admin"]


def test_restart_fills_a_slot_that_was_drained(start):
    server = start()
    do(server, "drain", slot=1)
    assert do(server, "restart", slot=1).text == "1 restarted"
    now = wait_until_settled(server)
    assert slot_of(now, 1)["state"] == "serving"
    assert slot_of(now, 2)["worker"] == 2


@pytest.mark.root
@needs_registers
def test_restart_fills_a_slot_whose_worker_exited_with_78(start):
    server = start()
    make_exit(server.workers[1].pid, 78)
    wait_for_status(server, lambda s: slot_of(s, 1)["state"] == "held", "the slot is held")
    entry = slot_of(status(server), 1)
    assert (entry["pid"], entry["last_death"]["cause"]) == (None, "exited with status 78")
    assert do(server, "restart", slot=1).text == "1 restarted"
    wait_until_settled(server)


@pytest.mark.root
@needs_registers
@pytest.mark.parametrize("slot", [1, "admin"])
def test_restart_whose_successor_exits_with_78_has_failed_at_once(start_fragile, etc, slot):
    server = start_fragile(ADMIN, "instance.boot_timeout_ms=60000")
    find = admin_of if slot == "admin" else lambda now: slot_of(now, slot)
    make_exit(find(wait_until_settled(server))["pid"], 78)
    wait_for_status(server, lambda s: find(s)["state"] == "held", "the slot is held")
    etc.make_boots_hang()
    with Client(server.control_path) as client:
        order = client.begin("restart", slot=slot)
        now = wait_for_status(server, lambda s: find(s)["state"] == "starting", "it boots")
        make_exit(find(now)["pid"], 78)
        text = order.failed("failed")
    name = "admin" if slot == "admin" else "slot 1"
    assert text.startswith(f"the successor in {name} did not become ready (")
    assert find(status(server))["state"] == "held"
    let_go(etc)
    do(server, "restart", slot=slot)
    wait_until_settled(server)


def test_restart_of_all_fills_what_was_drained_too(start):
    server = start(workers=3)
    do(server, "drain", slot=2)
    assert do(server, "restart").text == "3 restarted"
    wait_until_settled(server, 3)


@pytest.mark.root
@pytest.mark.parametrize("arguments", [{}, {"slot": 2}], ids=["all", "one"])
def test_restart_whose_successor_dies_has_failed(start_fragile, etc, arguments):
    server = start_fragile()
    before = wait_until_settled(server)
    etc.break_boots()
    with Load(server.address) as load:
        text = refusal(server, "failed", "restart", **arguments)
        load.wait_for_answers(500)
    load.assert_flawless()
    slot, total = (2, 1) if arguments else (1, 2)
    assert f"the successor in slot {slot} did not become ready (exited with status " in text
    assert text.endswith(f"0 of {total} restarted")
    now = wait_until_settled(server)
    assert [x["worker"] for x in workers_of(now)] == [x["worker"] for x in workers_of(before)]
    etc.mend_boots()
    do(server, "restart", **arguments)
    wait_until_settled(server)


@pytest.mark.root
def test_restart_whose_successor_hangs_has_failed(start_fragile, etc):
    server = start_fragile("instance.boot_timeout_ms=1000")
    etc.make_boots_hang()
    text = refusal(server, "failed", "restart")
    assert "slot 1" in text and text.endswith("0 of 2 restarted")
    let_go(etc)
    now = wait_until_settled(server)
    assert [x["worker"] for x in workers_of(now)] == [1, 2]
    do(server, "restart")


@pytest.mark.root
def test_restart_that_fails_half_way_says_how_far_it_came(start_fragile, etc):
    n = 40  # or all are restarted before anything can be broken
    server = start_fragile(workers=n)
    with Client(server.control_path) as client:
        order = client.begin("restart")
        order.wait_for(lambda o: o.progress[-1:] and o.progress[-1][0] >= 1)
        etc.break_boots()
        text = order.failed("failed")
    done = order.progress[-1][0]
    assert 0 < done < n and text.endswith(f"{done} of {n} restarted")
    assert len(workers_of(wait_until_settled(server, n))) == n


def test_restart_survives_the_death_of_a_worker_in_between(start):
    server = start(workers=4)
    with Client(server.control_path) as client:
        order = client.begin("restart")
        order.wait_for_progress()
        process.kill(server.workers[4].pid)
        assert order.done().text == "4 restarted"
    assert min(x["worker"] for x in workers_of(wait_until_settled(server))) > 4


def test_restart_in_a_pause_is_refused(start):
    server = start(ADMIN)
    server.send_signal(signal.SIGWINCH)
    wait_for_status(server, lambda s: s["state"] == "paused", "a pause")
    assert "pauses" in refusal(server, "refused", "restart")
    refusal(server, "refused", "restart", slot=1)
    before = admin_of(status(server))
    assert do(server, "restart", slot="admin").text == "1 restarted"
    assert admin_of(status(server))["worker"] > before["worker"]


# --- drain --------------------------------------------------------------------


@pytest.mark.smoke
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
