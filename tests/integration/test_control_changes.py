"""Orders by the control socket about the whole instance, and orders that meet each other."""

import datetime
import json
import os
import re
import signal
import time

import pytest

from lib import process
from lib.client import Connection
from lib.control import Client, HungUp, ask, do, events, find_event, refusal, slot_of, status
from lib.control import wait_for_status, wait_for_upgrade, wait_until_settled, workers_of
from lib.load import Load
from lib.reload import begin, begin_hanging, conf, held, let_go, stopped  # noqa: F401
from lib.schema import STATUS, assert_fits
from lib.upgrade import Gate, program  # noqa: F401

ADMIN = "admin.listen=127.0.0.1:0"
HOUR = 3600000
PATIENT = [f"instance.grace_ms={HOUR}", "instance.drain_idle_ms=60000"]
WAITS = "waits until what is under way is over"


# --- reload -------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_reload_tells_how_far_it_is_and_what_came_of_it(begin, conf):
    server = begin(ADMIN)
    conf.write(workers=3)
    order = do(server, "reload")
    assert re.fullmatch(r"generation 2 serves after \d+ ms, generation 1 finishes", order.text)
    assert [done for done, _, _ in order.progress] == sorted({d for d, _, _ in order.progress})
    assert {total for _, total, _ in order.progress} <= {4}
    now = wait_until_settled(server, 3)
    assert now["generation"] == 2
    assert {x["generation"] for x in now["processes"]} == {2}


def test_reload_that_is_refused_says_where(begin, conf):
    server = begin()
    conf.write_text("instance {\n    workers = some\n}\n")
    text = refusal(server, "failed", "reload")
    assert f"{conf.path}:2" in text and "workers" in text
    now = wait_until_settled(server)
    assert (now["generation"], [x["worker"] for x in workers_of(now)]) == (1, [1, 2])


def test_reload_that_cannot_listen_says_so(begin, conf):
    server = begin()
    with Connection(server.address) as connection:
        taken = connection.socket.getsockname()[1]
        conf.write(listen=("127.0.0.1:0", f"127.0.0.1:{taken}"))
        assert refusal(server, "failed", "reload") == (
            f"cannot listen on 127.0.0.1:{taken}: Address already in use"
        )
        assert find_event(events(server), "reload-failed", f"cannot listen on 127.0.0.1:{taken}: ")
    assert status(server)["generation"] == 1


def test_status_has_the_outcome_of_the_last_reload(begin, conf):
    server = begin()
    assert status(server)["last_reload"] is None
    conf.write_text("instance {\n    workers = some\n}\n")
    before = time.time()
    text = refusal(server, "failed", "reload")
    now = status(server)
    assert_fits(now, STATUS)
    time_ = now["last_reload"].pop("time")
    told = datetime.datetime.fromisoformat(time_.removesuffix("Z") + "+00:00").timestamp()
    assert before - 1 < told < time.time() + 1
    assert now["last_reload"] == {"ok": False, "text": text, "generation": 1}
    conf.write()
    text = do(server, "reload").text
    last = wait_until_settled(server)["last_reload"]
    assert (last["ok"], last["text"], last["generation"]) == (True, text, 2)


def test_the_reload_of_an_upgrade_is_the_last_one(start, program):
    server = start(binary=str(program.path))
    ask(server, "reload")
    server.send_signal(signal.SIGUSR2)
    wait_for_upgrade(server)
    last = wait_for_status(server, lambda s: s["last_reload"], "the reload is over")["last_reload"]
    assert (last["ok"], last["generation"]) == (True, 3)


@pytest.mark.root
def test_reload_whose_workers_die_says_why(start_fragile, etc):
    server = start_fragile()
    with Client(server.control_path) as client:
        etc.make_boots_hang()
        order = client.begin("reload")
        wait_for_status(server, lambda s: len(s["processes"]) == 4, "both candidates boot")
        for entry in workers_of(status(server)):
            if entry["candidate"]:
                process.kill(entry["pid"])
        text = order.failed("failed")
    assert "did not become ready" in text and "killed by SIGKILL" in text
    assert text.endswith("generation 1 goes on")
    assert order.progress[-1][:2] == (0, 2)
    let_go(etc)
    now = wait_until_settled(server)
    assert (now["generation"], now["state"]) == (1, "serving")
    do(server, "reload")


@pytest.mark.root
def test_reload_that_takes_too_long_has_failed(start_fragile, etc):
    server = start_fragile("instance.boot_timeout_ms=700")
    etc.make_boots_hang()
    assert "not ready in time" in refusal(server, "failed", "reload")
    let_go(etc)
    wait_until_settled(server)


@pytest.mark.root
def test_two_reloads_at_once_are_both_answered(begin_hanging, etc):
    """The second one may be a reload of its own: it was asked for after the first had begun."""
    server = begin_hanging()
    with Client(server.control_path) as one, Client(server.control_path) as other:
        first = one.begin("reload")
        first.wait_for_progress()
        second = other.begin("reload")
        wait_for_status(server, lambda s: len(s["processes"]) == 4, "both candidates boot")
        let_go(etc)
        assert "generation 2 serves" in first.done().text
        assert "generation 3 serves" in second.done().text
    wait_until_settled(server)


def test_reload_by_signal_and_by_order_together(begin):
    server = begin()
    with Client(server.control_path) as client:
        for n in range(5):
            server.send_signal(signal.SIGHUP)
            assert "serves after" in client.ask("reload").done().text, n
    wait_until_settled(server)


# --- upgrade ------------------------------------------------------------------


def test_upgrade_ends_the_connection_and_goes_on(start, program):
    server = start(ADMIN, binary=str(program.path))
    program.install()
    with Client(server.control_path) as client, Client(server.control_path) as other:
        follow = other.begin("events", follow=True)
        order = client.begin("upgrade")
        with pytest.raises(HungUp):
            order.wait()
        assert "tried" in order.progress[0][2]
        with pytest.raises(HungUp):
            follow.wait()
    now = wait_for_status(server, lambda s: s["upgrades"] == 1 and s["state"] != "reloading", "it")
    assert now["pid"] == server.pid
    assert program.is_run_by(server)
    wait_until_settled(server)
    assert server.fetch("/hello").status == 200
    assert [e["seq"] for e in events(server)] == list(range(1, len(events(server)) + 1))


@pytest.mark.parametrize("text, why", [
    ("#!/bin/sh\necho no such moon >&2; exit 3\n", "no such moon"),
    ("#!/bin/sh\nexit 0\n", "no zombie-server which can take over"),
    ("not a program", "Exec format error"),
])  # fmt: skip
def test_upgrade_that_is_refused_says_why(start, program, text, why):
    server = start(binary=str(program.path))
    program.write(text)
    told = refusal(server, "failed", "upgrade")
    assert why in told and told.endswith("goes on")
    now = wait_until_settled(server)
    assert (now["upgrades"], now["generation"]) == (0, 1)
    assert find_event(events(server), "upgrade-failed", why)


def test_orders_during_an_upgrade_wait(start, program, tmp_path):
    """What was asked before the new program is there ends with the connection, as the upgrade."""
    gate = Gate(tmp_path)
    server = start(binary=str(program.path))
    program.wrap(f"if trial: {gate.code}; sys.exit(3)")
    with Client(server.control_path) as one, Client(server.control_path) as other:
        upgrade = one.begin("upgrade")
        gate.wait()
        scale = other.begin("scale", to=3)
        assert scale.wait_for_progress()[0][2] == WAITS
        assert other.ask("ping").text == "pong"
        gate.open()
        upgrade.failed("failed")
        assert scale.done().text == "3 workers serve, 2 before"


# --- stop ---------------------------------------------------------------------


@pytest.mark.smoke
def test_stop_ends_with_stopped_just_before_the_end(start):
    server = start(ADMIN)
    wait_until_settled(server)
    with Client(server.control_path) as client:
        order = client.begin("stop").done()
        assert (order.text, order.result) == ("stopped", {"killed": 0, "connections": 0})
        assert [(done, total) for done, total, _ in order.progress][-1] == (3, 3)
        assert client.is_closed()
    assert server.wait() == 0
    assert not os.path.exists(server.control_path)
    server.wait_for_log("a stop is ordered by zombiectl")


def test_stop_is_graceful_and_tells_who_has_left(start):
    server = start(*PATIENT)
    with held(server) as (connection, worker), Client(server.control_path) as client:
        order = client.begin("stop")
        order.wait_for(lambda o: o.progress[-1:] and o.progress[-1][:2] == (1, 2))
        now = status(server)
        assert now["state"] == "stopping"
        left = [x for x in workers_of(now) if x["state"] != "empty"]
        assert [(x["worker"], x["state"]) for x in left] == [(worker.id, "draining")]
        assert order.end is None
        connection.send("\r\n")
        assert connection.receive().status == 200
        connection.close()
        assert order.done().text == "stopped"
        assert order.progress[-1][:2] == (2, 2)
    assert server.wait() == 0


def test_stop_fast_drops_what_there_is(start):
    server = start(*PATIENT)
    with held(server) as (connection, _):
        order = do(server, "stop", fast=True)
        assert order.text == "stopped; 1 connection was cut"
        assert order.result == {"killed": 0, "connections": 1}
        assert connection.is_closed()
    assert server.wait() == 0
    server.wait_for_log("a fast stop is ordered")
    server.wait_for_log("stopping at once")


def test_stop_says_whom_it_had_to_kill(start):
    """Workers that stand still finish nothing, and nothing is lost but what they held."""
    server = start("instance.grace_ms=500", "instance.hang_timeout_ms=0")
    with held(server), stopped(server.serving):
        order = do(server, "stop")
    assert order.text == (
        "stopped; 2 workers were killed, not finished in time, 1 connection was cut"
    )
    assert order.result == {"killed": 2, "connections": 1}
    assert server.wait() == 0


def test_stop_may_be_made_faster(start):
    server = start(*PATIENT)
    with held(server), Client(server.control_path) as one, Client(server.control_path) as other:
        slow = one.begin("stop")
        slow.wait_for_progress()
        again = other.begin("stop")
        again.wait_for_progress()
        assert status(server)["state"] == "stopping"
        fast = other.begin("stop", fast=True)
        for order in slow, again, fast:
            assert order.done().text == "stopped; 1 connection was cut"
    assert server.wait() == 0


def test_orders_during_a_stop_are_refused(start):
    server = start(*PATIENT)
    with held(server), Client(server.control_path) as client:
        stop = client.begin("stop")
        stop.wait_for_progress()
        for command, arguments in [
            ("scale", {"to": 3}), ("restart", {}), ("drain", {"slot": 1}), ("kill", {"slot": 1}),
            ("reload", {}), ("upgrade", {}),
        ]:  # fmt: skip
            assert client.ask(command, **arguments).failed("refused") == "the instance stops"
        for command in "ping", "version", "status", "config", "events", "logs", "reopen-logs":
            client.ask(command).done()
        client.ask("log-level", level="debug").done()
        client.begin("stop", fast=True).done()


@pytest.mark.root
def test_a_stop_ends_what_is_under_way(begin_hanging, etc):
    server = begin_hanging()
    with Client(server.control_path) as client:
        reload = client.begin("reload")
        reload.wait_for_progress()
        scale = client.begin("scale", to=3)
        restart = client.begin("restart")
        scale.wait_for_progress()
        stop = client.begin("stop", fast=True)
        assert "stop" in reload.failed("failed")
        assert "stops" in scale.failed("refused")
        assert "stops" in restart.failed("refused")
        assert stop.done().text == "stopped; 2 workers were killed, not finished in time"
    assert server.wait() == 0


def test_scaling_that_is_under_way_ends_with_a_stop(start_fragile, etc):
    if os.geteuid() != 0:
        pytest.skip("needs to be root")
    server = start_fragile("instance.boot_timeout_ms=60000")
    etc.make_boots_hang()
    with Client(server.control_path) as client:
        scale = client.begin("scale", to=3)
        scale.wait_for_progress()
        stop = client.begin("stop", fast=True)
        assert "stop" in scale.failed("failed")
        stop.done()


# --- Orders that meet ---------------------------------------------------------


@pytest.mark.root
def test_orders_during_a_reload_wait_for_its_end(begin_hanging, etc):
    server = begin_hanging()
    with Client(server.control_path) as one, Client(server.control_path) as other:
        reload = one.begin("reload")
        reload.wait_for_progress()
        scale = other.begin("scale", to=3)
        restart = other.begin("restart", slot=1)
        for order in scale, restart:
            assert order.wait_for_progress() == [(0, 0, WAITS)]
        kill = other.begin("kill", slot=2, signal="CONT").done()
        assert "sent SIGCONT" in kill.text
        assert status(server)["workers"] == 2
        let_go(etc)
        assert "generation 2 serves" in reload.done().text
        assert scale.done().text == "3 workers serve, 2 before"
        assert restart.done().text == "1 restarted"
    now = wait_until_settled(server, 3)
    assert now["generation"] == 2


def test_two_clients_scale_at_once(start):
    """The last one has the last word; both are told how it ended."""
    server = start()
    with Client(server.control_path) as one, Client(server.control_path) as other:
        for n in range(10):
            first, second = one.begin("scale", to=4), other.begin("scale", to=1 + n % 3)
            first.wait()
            second.done()
            assert status(server)["workers"] in (4, 1 + n % 3)
    wait_until_settled(server)


@pytest.mark.parametrize("other, workers", [({"by": 1}, 4), ({"by": -1}, 2), ({"to": 1}, 1)])
def test_scale_that_is_overtaken_has_failed(start, other, workers):
    """Both are read in one turn of the loop: nobody of the first one serves yet."""
    server = start()
    with Client(server.control_path) as client:
        first, second = client.expect(1), client.expect(2)
        orders = ({"id": 1, "command": "scale", "to": 3},
                  {"id": 2, "command": "scale", **other})  # fmt: skip
        client.send("".join(json.dumps(order) + "\n" for order in orders))
        s = "" if workers == 1 else "s"
        assert first.failed("failed") == f"another order wants {workers} worker{s} now"
        assert second.done().text == f"{workers} worker{s} serve{'' if s else 's'}, 3 before"
    wait_until_settled(server, workers)


@pytest.mark.root
def test_scale_that_a_signal_overtakes_has_failed(begin_hanging, etc):
    server = begin_hanging()
    with Client(server.control_path) as client:
        scale = client.begin("scale", to=3)
        wait_for_status(server, lambda s: s["workers"] == 3, "the order is taken")
        server.send_signal(signal.SIGTTOU)
        assert scale.failed("failed") == "another order wants 2 workers now"
    let_go(etc)
    wait_until_settled(server, 2)


def test_two_clients_restart_at_once(start):
    server = start(workers=3)
    with Client(server.control_path) as one, Client(server.control_path) as other:
        with Load(server.address) as load:
            load.wait_for_answers(500)
            first, second = one.begin("restart"), other.begin("restart")
            assert first.done().text == second.done().text == "3 restarted"
            load.wait_for_answers(500)
        load.assert_flawless()
    assert min(x["worker"] for x in workers_of(wait_until_settled(server))) > 3


def test_two_clients_drain_the_last_two(start):
    server = start(*PATIENT)
    with Client(server.control_path) as one, Client(server.control_path) as other:
        first, second = one.begin("drain", slot=1).wait(), other.begin("drain", slot=2).wait()
    assert [first.end["ok"], second.end["ok"]].count(True) == 1
    assert server.fetch("/hello").status == 200


def test_restart_and_scale_and_kill_together(start):
    server = start(ADMIN, workers=4)
    wait_until_settled(server)
    clients = [Client(server.control_path) for _ in range(4)]
    for n in range(5):
        orders = [
            clients[0].begin("restart"), clients[1].begin("scale", to=2 + n % 3),
            clients[2].begin("kill", slot=1), clients[3].begin("restart", slot="admin"),
        ]  # fmt: skip
        for order in orders:
            order.done()
    for client in clients:
        client.close()
    wait_until_settled(server, 2 + 4 % 3)


def test_restart_of_a_slot_that_is_scaled_away_ends(start):
    server = start(workers=4)
    with Client(server.control_path) as one, Client(server.control_path) as other:
        restart = one.begin("restart")
        restart.wait_for_progress()
        other.begin("scale", to=1).done()
        restart.done()
    wait_until_settled(server, 1)


@pytest.mark.parametrize("command, arguments, is_done", [
    ("scale", {"to": 4}, lambda s: s["workers"] == 4),
    ("restart", {}, lambda s: min(x["worker"] or 0 for x in workers_of(s)) > 2),
    ("restart", {"slot": 1}, lambda s: slot_of(s, 1)["worker"] > 2),
    ("drain", {"slot": 1}, lambda s: slot_of(s, 1)["state"] == "held"),
    ("kill", {"slot": 1}, lambda s: slot_of(s, 1)["worker"] > 2),
    ("reload", {}, lambda s: s["generation"] == 2),
])  # fmt: skip
def test_an_order_goes_on_when_its_client_is_gone(start, command, arguments, is_done):
    server = start()
    with Client(server.control_path) as client:
        client.begin(command, **arguments)
    wait_for_status(server, is_done, f"{command} is carried out")
    assert server.fetch("/hello").status == 200


def test_restart_goes_on_when_its_client_dies_in_the_middle(start):
    server = start(workers=6)
    with Client(server.control_path) as client:
        client.begin("restart").wait_for(lambda o: o.progress and o.progress[-1][0] == 1)
    wait_for_status(server, lambda s: min(x["worker"] or 0 for x in workers_of(s)) > 6,
                    "all are restarted")  # fmt: skip


@pytest.mark.root
def test_an_order_that_waits_is_carried_out_though_its_client_is_gone(begin_hanging, etc):
    server = begin_hanging()
    with Client(server.control_path) as client:
        client.begin("reload").wait_for_progress()
        client.begin("scale", to=3).wait_for_progress()
    do(server, "ping")  # who answers this has seen that the client is gone
    let_go(etc)
    server.wait_for_log("info master: reload, whose asker is gone: generation 2 serves after ")
    server.wait_for_log("info master: scale, whose asker is gone: 3 workers serve, 2 before$")
    wait_until_settled(server, 3)


@pytest.mark.root
def test_an_order_that_fails_says_so_though_its_client_is_gone(start_fragile, etc):
    server = start_fragile("instance.boot_timeout_ms=60000")
    etc.make_boots_hang()
    with Client(server.control_path) as client, Client(server.control_path) as follower:
        follow = follower.begin("events", follow=True)
        client.begin("restart").wait_for_progress()
        now = wait_for_status(server, lambda s: len(s["processes"]) == 3, "the successor boots")
        follow.wait_for_event("birth", worker=3)
    do(server, "ping")  # who answers this has seen that the client is gone
    process.kill(next(x["pid"] for x in now["processes"] if x["candidate"]))
    server.wait_for_log("error master: restart, whose asker is gone, failed: the successor in slot 1")
    assert "events, whose asker is gone" not in server.log
    let_go(etc)
    wait_until_settled(server)


def test_stop_goes_on_when_its_client_is_gone(start):
    server = start()
    with Client(server.control_path) as client:
        client.begin("stop")
    assert server.wait() == 0
