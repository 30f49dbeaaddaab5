"""What the control socket tells: the status against the machine's own figures, events, the rest."""

import datetime
import re
import signal
import socket
import time

import pytest

from lib import burden, process
from lib.client import render
from lib.control import Client, admin_of, do, last_event, refusal, slot_of, status
from lib.control import wait_for_event, wait_for_status, wait_until_heard, wait_until_settled
from lib.control import workers_of
from lib.reload import begin, begin_hanging, conf, frozen, held  # noqa: F401
from lib.schema import STATUS, UUID, assert_fits
from lib.unread import Unread, write_route
from lib.wait import eventually

ADMIN = "admin.listen=127.0.0.1:0"


@pytest.mark.smoke
@pytest.mark.valgrind
def test_status_is_complete(start):
    server = start(ADMIN)
    now = wait_until_settled(server)
    assert_fits(now, STATUS)
    assert now["version"] == do(server, "version").result["version"]
    assert (now["instance"], now["pid"]) == (server.instance, server.pid)
    assert now["hostname"] == socket.gethostname()
    assert (now["state"], now["workers"], now["max_workers"]) == ("serving", 2, 256)
    assert (now["generation"], now["upgrades"], now["chaos"]) == (1, 0, False)
    assert now["listeners"] == [f"http://127.0.0.1:{server.port}"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", now["admin"])
    assert now["totals"]["deaths"] == now["totals"]["respawns"] == 0
    assert [(x["role"], x["slot"]) for x in now["processes"]] == [
        ("worker", 1), ("worker", 2), ("admin", None)
    ]  # fmt: skip
    assert all(x["last_death"] is x["request"] is None for x in now["processes"])


def test_status_of_processes_that_die_boot_and_work(start, tmp_path):
    """The members that are null most of the time, too."""
    path = tmp_path / "socket"
    server = start("-c", write_route(tmp_path), ADMIN, listen=f"unix:{path}", workers=1)
    before = wait_until_settled(server)
    assert before["listeners"] == [f"unix:{path}"]
    killed = [slot_of(before, 1), admin_of(before)]
    for entry in killed:
        process.kill(entry["pid"])
        wait_for_event(server, "death", worker=entry["worker"])
    server.wait_until_serving(1, after=1)
    now = wait_until_settled(server)
    assert admin_of(now)["worker"] > killed[1]["worker"]
    worker = slot_of(now, 1)
    assert worker["last_death"]["worker"] < worker["worker"]
    assert worker["last_death"]["cause"] == "killed by SIGKILL"
    assert worker["last_death"]["ago_ms"] < 30000
    assert worker["respawns"] == 1
    assert now["totals"]["deaths"] >= 1 and now["totals"]["respawns"] >= 1
    with Unread(str(path), "/big/a?b=c") as connection:
        connection.wait_until_stuck(worker["pid"])
        now = status(server)
        assert_fits(now, STATUS)
        request = slot_of(now, 1)["request"]
        assert (request["method"], request["path"]) == ("GET", "/big/a?b=c")
        assert request["client"] == "unix:"
        first = request["elapsed_ms"]
        wait_for_status(server, lambda s: slot_of(s, 1)["request"]["elapsed_ms"] > first,
                        "time passes for the request")  # fmt: skip
    wait_for_status(server, lambda s: slot_of(s, 1)["request"] is None, "nothing is in flight")


def test_status_agrees_with_proc_and_the_log(start):
    server = start(ADMIN, workers=3)
    now = wait_until_settled(server)
    assert sorted(x["pid"] for x in now["processes"]) == sorted(process.children_of(server.pid))
    for entry in workers_of(now):
        told = server.workers[entry["worker"]]
        assert (told.slot, told.pid, told.generation) == (
            entry["slot"], entry["pid"], entry["generation"]
        )  # fmt: skip
    server.wait_for_log(rf"admin {admin_of(now)['worker']} forked .*pid={admin_of(now)['pid']} ")
    for entry in [*now["processes"], {**now["master"], "pid": server.pid}]:
        real = burden.memory(entry["pid"])
        assert abs(entry["pss_bytes"] - real) < max(real // 2, 1 << 20), (entry, real)
    resident = int(process.status_of(server.pid)["VmRSS"].split()[0]) * 1024
    assert abs(now["master"]["rss_bytes"] - resident) < max(resident // 3, 1 << 20)


def test_uptimes_and_beats(start):
    before = time.time()
    server = start()
    now = wait_until_settled(server)
    after = time.time()
    started = datetime.datetime.strptime(now["started"], "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    assert before - 0.01 <= started <= after
    assert abs(started + now["uptime_ms"] / 1000 - time.time()) < 2
    for entry in workers_of(now):
        assert entry["uptime_ms"] <= now["uptime_ms"]
        assert entry["heartbeat_age_ms"] < 5000
    worker = workers_of(now)[0]
    process.kill(worker["pid"], signal.SIGSTOP)
    wait_for_status(server, lambda s: slot_of(s, 1)["heartbeat_age_ms"] > 1500, "it misses beats")
    process.kill(worker["pid"], signal.SIGCONT)
    wait_for_status(server, lambda s: slot_of(s, 1)["heartbeat_age_ms"] < 1200, "it beats again")
    later = wait_until_settled(server)
    assert later["uptime_ms"] > now["uptime_ms"]
    assert later["started"][:19] == now["started"][:19] or later["started"] > now["started"]


def test_requests_and_bytes_are_counted_and_outlive_their_worker(start):
    server = start("http.keepalive_requests=100000")
    with server.connect() as one, server.connect() as other:
        for connection, n in ((one, 40), (other, 25)):
            for _ in range(n):
                assert connection.request("/hello").status == 200
        now = wait_for_status(server, lambda s: s["totals"]["requests"] == 65, "65 requests")
        assert sum(x["requests"] for x in workers_of(now)) == 65
        assert sum(x["connections"] for x in workers_of(now)) == 2
        assert (now["totals"]["connections"], now["totals"]["accepted"]) == (2, 2)
        assert now["totals"]["received_bytes"] > 65 * 20
        assert now["totals"]["sent_bytes"] > 65 * 100
        rate = wait_for_status(server, lambda s: s["totals"]["requests_per_second"] > 0
                               or s["uptime_ms"] > 20000, "a rate")  # fmt: skip
        assert rate["totals"]["requests_per_second"] <= 65 * 2
    for worker in workers_of(now):
        process.kill(worker["pid"])
    server.wait_until_serving(2, after=2)
    after = wait_until_settled(server)
    assert sum(x["requests"] for x in workers_of(after)) == 0
    for key in ("requests", "accepted", "received_bytes", "sent_bytes"):
        assert after["totals"][key] >= now["totals"][key], key
    assert after["totals"]["connections"] == 0
    wait_for_status(server, lambda s: s["totals"]["requests_per_second"] == 0, "nothing is asked")


def test_cpu_of_a_busy_worker(start):
    server = start("http.keepalive_requests=0", "http.max_pipelined=1000", workers=1)
    with server.connect() as connection:
        seen = []

        def is_busy():
            for _ in range(3):  # many at once: it works while others wait for a processor
                connection.send(render("/hello") * 1000)
                for _ in range(1000):
                    connection.receive()
            seen.append(slot_of(status(server), 1)["cpu_percent"])
            return seen[-1] > 5

        eventually(is_busy, f"the worker is seen at work: {seen}")
    wait_for_status(server, lambda s: slot_of(s, 1)["cpu_percent"] < 2, "it rests")


# --- States -------------------------------------------------------------------


@pytest.mark.root
def test_starting_reloading_serving(begin, begin_hanging, etc, conf):
    server = begin_hanging()
    assert status(server)["state"] == "serving"
    order = Client(server.control_path)
    reload = order.begin("reload")
    now = wait_for_status(server, lambda s: len(s["processes"]) == 4, "both candidates boot")
    assert_fits(now, STATUS)
    assert now["state"] == "reloading"
    assert [(x["slot"], x["candidate"], x["state"], x["generation"]) for x in now["processes"]] == [
        (1, False, "serving", 1), (1, True, "starting", 2),
        (2, False, "serving", 1), (2, True, "starting", 2),
    ]  # fmt: skip
    with held(server) as (_, worker):
        with frozen(server, etc, 3, 4):
            pass
        reload.done()
        now = wait_for_status(server, lambda s: len(s["processes"]) == 3, "one finishes")
        assert (now["state"], now["generation"]) == ("serving", 2)
        leaver = next(x for x in now["processes"] if x["leaving"])
        assert (leaver["pid"], leaver["state"]) == (worker.pid, "draining")
        assert now["processes"].index(leaver) == (1 if worker.slot == 1 else 2)
    order.close()


@pytest.mark.root
def test_starting(begin, conf, etc):
    conf.write(user="worker")
    etc.make_boots_hang()
    server = begin(preexec=etc.mount, wait=False)
    wait_until_heard(server)
    now = wait_for_status(server, lambda s: len(s["processes"]) == 2, "two boot")
    assert now["state"] == "starting"
    assert [x["state"] for x in now["processes"]] == ["starting"] * 2
    assert all(x["pid"] for x in now["processes"])
    do(server, "stop", fast=True)


@pytest.mark.root
def test_degraded_and_backoff(start_fragile, etc):
    server = start_fragile("instance.backoff_max_ms=200")
    etc.break_boots()
    seen = last_event(server)
    for worker in server.serving:
        process.kill(worker.pid)
    now = wait_for_status(server, lambda s: s["state"] == "degraded", "a crash loop")
    assert_fits(now, STATUS)
    wait_for_event(server, "crash-loop", "no worker serves .the last one: ", since=seen)
    now = wait_for_status(server, lambda s: any(x["state"] == "backoff" for x in s["processes"]),
                          "somebody waits")  # fmt: skip
    waiting = next(x for x in now["processes"] if x["state"] == "backoff")
    assert (waiting["pid"], waiting["uptime_ms"], waiting["pss_bytes"]) == (None, None, None)
    assert waiting["last_death"]["kind"] and waiting["last_death"]["cause"]
    etc.mend_boots()
    wait_for_event(server, "recovered", "the crash loop is over", since=seen)
    assert wait_until_settled(server)["state"] == "serving"


def test_paused_and_stopping(start):
    server = start("instance.grace_ms=60000", "instance.drain_idle_ms=60000")
    server.send_signal(signal.SIGWINCH)
    now = wait_for_status(server, lambda s: s["state"] == "paused", "a pause")
    assert now["workers"] == 0
    wait_for_status(server, lambda s: not s["processes"], "nobody is left")
    do(server, "scale", to=1)
    wait_for_status(server, lambda s: s["state"] == "serving", "the pause is over")
    with held(server) as (connection, _):
        server.send_signal(signal.SIGTERM)
        now = wait_for_status(server, lambda s: s["state"] == "stopping", "a stop")
        assert_fits(now, STATUS)
        wait_for_status(server, lambda s: workers_of(s)[0]["state"] == "draining", "it finishes")
        connection.send("\r\n")
        assert connection.receive().status == 200


def test_slots_of_a_paused_instance(start):
    """It has none; but workers may be left that finish."""
    server = start("instance.grace_ms=60000", "instance.drain_idle_ms=60000")
    orders = [("kill", {"slot": 1}), ("drain", {"slot": 2}), ("restart", {"slot": 9})]
    with held(server) as (connection, worker):
        server.send_signal(signal.SIGWINCH)
        wait_for_status(server, lambda s: [x["worker"] for x in s["processes"]] == [worker.id],
                        "one worker is left")  # fmt: skip
        for command, arguments in orders:
            assert refusal(server, "refused", command, **arguments) == (
                "the instance is paused: 1 worker still finishes, and no slot gets another one; "
                "reload or scale ends it"
            )
        connection.send("\r\n")
        assert connection.receive().status == 200
    wait_for_status(server, lambda s: not s["processes"], "nobody is left")
    for command, arguments in orders:
        assert refusal(server, "refused", command, **arguments) == (
            "the instance is paused: no slot has a worker; reload or scale ends it"
        )
    do(server, "scale", to=1)
    assert "there are 1 to 1" in refusal(server, "unknown-slot", "kill", slot=2)


# --- Small commands -----------------------------------------------------------


@pytest.mark.smoke
def test_ping_and_version(start):
    server = start()
    ping = do(server, "ping")
    assert (ping.text, ping.result, ping.progress) == ("pong", None, [])
    version = do(server, "version").result
    assert_fits(version, {"version": str, "pid": int, "instance": UUID}, "version")
    assert (version["pid"], version["instance"]) == (server.pid, server.instance)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_config_is_what_T_prints_and_keeps_secrets(start, run, tmp_path):
    secret = "no-bird-shall-tell"
    path = tmp_path / "own.conf"
    path.write_text(f'admin {{ token = "{secret}" }} chaos {{ token = "{secret}" }}\n')
    server = start("-c", path, "http.header_ms=4321")
    text = do(server, "config").result["text"]
    assert secret not in text
    assert "header_ms" in text and "4321" in text
    port = ["-l", "127.0.0.1:0"]
    told = run("-c", path, "-w", 2, *port, "http.header_ms=4321", "-T",
               env={"ZOMBIE_CONTROL": server.control_path})  # fmt: skip
    assert (told.returncode, told.stdout) == (0, text)


def test_config_is_that_of_the_generation_that_serves(begin, conf):
    server = begin()
    assert "workers = 2" in do(server, "config").result["text"].replace('"', "")
    conf.write(workers=3)
    assert "workers = 2" in do(server, "config").result["text"].replace('"', "")
    do(server, "reload")
    assert "workers = 3" in do(server, "config").result["text"].replace('"', "")
