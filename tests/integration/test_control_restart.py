"""The order to restart workers one by one, by the control socket."""

import signal

import pytest

from lib import process
from lib.control import Client, admin_of, assert_progress, do, events, last_event, refusal, slot_of
from lib.control import status, wait_for_status, wait_until_settled, workers_of
from lib.load import Load
from lib.reload import CAN_MAKE_EXIT, finish, held, let_go, make_exit

ADMIN = "admin.listen=127.0.0.1:0"
REUSEPORT = ["listen.127.0.0.1:0.accept=reuseport"]
PATIENT = ["instance.grace_ms=3600000", "instance.drain_idle_ms=60000"]

needs_registers = pytest.mark.skipif(not CAN_MAKE_EXIT, reason="knows the registers of x86-64 only")


@pytest.mark.smoke
@pytest.mark.valgrind
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


@pytest.mark.root
def test_restart_renews_who_boots_in_place_of_a_dead_one(start_fragile, etc):
    server = start_fragile()
    etc.make_boots_hang()
    process.kill(server.workers[1].pid)
    server.wait_for_log("worker 3 forked")
    with Client(server.control_path) as client:
        order = client.begin("restart")
        assert client.ask("ping").text == "pong"
        let_go(etc)
        assert order.done().text == "2 restarted"
    assert min(x["worker"] for x in workers_of(wait_until_settled(server))) > 3


def test_restart_in_a_pause_is_refused(start):
    server = start(ADMIN)
    server.send_signal(signal.SIGWINCH)
    wait_for_status(server, lambda s: s["state"] == "paused", "a pause")
    assert "pauses" in refusal(server, "refused", "restart")
    refusal(server, "refused", "restart", slot=1)
    before = admin_of(status(server))
    assert do(server, "restart", slot="admin").text == "1 restarted"
    assert admin_of(status(server))["worker"] > before["worker"]
