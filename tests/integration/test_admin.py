"""The admin site: probes, status, orders, the page, and who may have them."""

import base64
import contextlib
import hashlib
import json
import os
import re
import select
import signal
import time

import pytest

from lib import client, process
from lib.admin import BEARER, TOKEN, Site
from lib.reload import let_go
from lib.wait import eventually

ORDERS = ("restart", "scale", "kill")


@pytest.fixture
def begin(start):
    """Start a server with an admin site; returns the site."""

    def begin_one(*arguments, listen="127.0.0.1:0", token=TOKEN, address=None, **options):
        secret = [f"admin.token={token}"] if token else []
        server = start(f"admin.listen={listen}", *secret, *arguments, **options)
        site = Site(server, address)
        server.wait_for_log(r"admin \d+ is ready")
        return site

    return begin_one


def assert_healthy(site):
    assert site.get("/livez").text == "alive\n"
    assert site.get("/startupz").text == "started\n"
    assert re.fullmatch(r"\d+ of \d+ workers serve\n", site.get("/readyz").text)


def wait_for_successor(site, before):
    """Wait until the status is told by, and tells of, another admin child than this process."""

    def succeeded():
        try:
            response = site.fetch("/status")
        except (OSError, client.Disconnected):
            return False
        if response.status != 200:
            return False
        children = [one for one in response.json["processes"] if one["role"] == "admin"]
        return len(children) == 1 and children[0]["worker"] > before["worker"]

    eventually(succeeded, "another admin child answers")


# Probes


@pytest.mark.smoke
@pytest.mark.valgrind
def test_probes_answer(begin):
    site = begin()
    assert_healthy(site)
    assert site.get("/readyz").headers["cache-control"] == "no-store"
    assert site.fetch("/livez", "HEAD").status == 200
    assert site.fetch("/livez", "POST").status == 405


def test_readiness_ends_with_the_last_worker(begin):
    site = begin()
    site.server.send_signal(signal.SIGWINCH)
    site.until("/readyz", 503, "no worker serves, the instance is paused")
    assert site.get("/livez").text == "alive\n"
    assert site.get("/startupz").text == "started\n"
    site.server.send_signal(signal.SIGHUP)
    site.until("/readyz", 200)


def test_nobody_is_ready_while_the_instance_stops(begin):
    site = begin("instance.grace_ms=60000", "instance.drain_delay_ms=60000")
    site.server.send_signal(signal.SIGTERM)
    response = site.until("/readyz", 503)
    assert response.text == "the instance is stopping\n"
    site.server.send_signal(signal.SIGQUIT)


def test_hung_workers_do_not_matter(begin):
    site = begin("instance.hang_timeout_ms=0")
    for worker in site.server.serving:
        os.kill(worker.pid, signal.SIGSTOP)
    assert site.get("/livez").text == "alive\n"
    assert len(site.status()["processes"]) == 3
    assert "zombie_workers_serving 2\n" in site.get("/metrics").text


def test_all_hung_workers_are_no_life(begin):
    site = begin("instance.hang_timeout_ms=2000")
    os.kill(site.server.pid, signal.SIGSTOP)  # or it would put an end to it
    for worker in site.server.serving:
        os.kill(worker.pid, signal.SIGSTOP)
    site.until("/livez", 503, "all 2 workers hang")
    for pid in (*(worker.pid for worker in site.server.serving), site.server.pid):
        os.kill(pid, signal.SIGCONT)
    site.until("/livez", 200)


def test_a_master_that_stands_still_is_told(begin):
    site = begin()
    os.kill(site.server.pid, signal.SIGSTOP)
    response = site.until("/status", 503)
    assert response.text == "the master does not answer\n"
    response = site.until("/livez", 503)
    assert re.fullmatch(r"the master has stood still for \d+ s\n", response.text)
    assert site.get("/metrics").text
    os.kill(site.server.pid, signal.SIGCONT)
    site.until("/livez", 200)
    assert site.status()["state"] == "serving"


# Status


def test_status_is_that_of_the_instance(begin):
    site = begin()
    status = site.status()
    assert status["instance"] == site.server.instance
    assert status["pid"] == site.server.pid
    assert status["admin"] == "http://127.0.0.1:%d" % site.address[1]
    assert [one["slot"] for one in status["processes"]] == [1, 2, None]
    assert [one["role"] for one in status["processes"]] == ["worker", "worker", "admin"]
    pids = {one["pid"] for one in status["processes"]}
    assert pids == set(process.children_of(site.server.pid))


def test_the_admin_child_comes_back(begin):
    site = begin()
    before = site.process
    stream = site.stream()
    os.kill(before["pid"], signal.SIGKILL)
    with pytest.raises(client.Disconnected):
        while stream.next():
            pass

    wait_for_successor(site, before)
    assert_healthy(site)


def test_an_upgraded_master_is_asked(begin):
    """The child that an older master has forked is replaced."""
    site = begin()
    before = site.process
    site.server.send_signal(signal.SIGUSR2)
    site.server.wait_for_log("zombie-server goes on after an upgrade")

    wait_for_successor(site, before)
    assert site.status()["upgrades"] == 1
    assert site.order("scale", {"to": 3}).status == 200


# Orders


@pytest.mark.smoke
@pytest.mark.valgrind
def test_orders_are_carried_out(begin):
    site = begin("--chaos")
    server = site.server
    response = site.order("scale", {"to": 3})
    assert (response.status, response.json["ok"]) == (200, True), response
    assert len(server.wait_until_serving(3)) == 3
    assert site.order("scale", {"by": -1}).status == 200
    assert site.status()["workers"] == 2

    victim = {worker.slot: worker for worker in server.serving}[1]
    response = site.order("kill", {"slot": 1, "signal": "KILL"})
    assert response.status == 200, response
    assert server.wait_until_replaced(victim).slot == 1

    ids = {worker.id for worker in server.serving}
    assert site.order("restart").status == 200
    assert not ids & {worker.id for worker in server.serving}
    assert site.order("restart", {"slot": 2}).status == 200


def test_the_admin_child_restarts_itself(begin):
    """The answer comes from the one that leaves."""
    site = begin()
    before = site.process
    response = site.order("restart", {"slot": "admin"})
    assert (response.status, response.json["ok"]) == (200, True), response
    wait_for_successor(site, before)


@pytest.mark.parametrize("order,arguments,status,error", [
    ("restart", {"slot": 9}, 404, "unknown-slot"),
    ("restart", {"slot": "x"}, 400, "bad-request"),
    ("restart", {"worker": 1}, 400, "bad-request"),
    ("scale", {"to": 100000}, 400, "bad-argument"),
    ("scale", {"by": 0}, 400, "bad-argument"),
    ("scale", {}, 400, "bad-request"),
    ("kill", {"slot": 1, "signal": "NONSENSE"}, 400, "bad-argument"),
    ("kill", {"slot": 1}, 403, "not-allowed"),
])  # fmt: skip
def test_bad_orders_are_refused(begin, order, arguments, status, error):
    site = begin()
    response = site.order(order, arguments)
    answer = response.json
    assert (response.status, answer["ok"], answer["error"]) == (status, False, error), response
    assert answer["text"]
    assert len(site.server.serving) == 2


def test_bodies_are_small(begin):
    site = begin()
    response = site.order("scale", {"to": 2, "x": "y" * 5000})
    assert response.status == 413
    assert response.headers["content-type"].startswith("text/plain")
    full = json.dumps({"to": 2}).ljust(4096)
    length = {**BEARER, "Content-Length": "4096"}
    assert site.fetch("/scale", "POST", length, full.encode()).status == 200


@pytest.mark.root
def test_slow_orders_leave_room_for_questions(start_fragile, etc):
    """Fifteen restarts that do not come to an end, and nobody who waits for them in the end."""
    server = start_fragile("admin.listen=127.0.0.1:0", f"admin.token={TOKEN}",
                           "instance.boot_timeout_ms=60000")  # fmt: skip
    server.wait_for_log(r"admin \d+ is ready")
    site = Site(server)
    etc.make_boots_hang()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client.Connection(site.address)) for _ in range(15)]
        for one in clients:
            one.send(client.render("/restart", "POST", {"Host": "localhost", **BEARER,
                                                        "Content-Length": "0"}))  # fmt: skip
        refused = eventually(lambda: seven_of(clients), "all but eight are refused")
        for one in refused:
            response = one.receive()
            assert (response.status, response.json["error"]) == (503, "too-many")
            assert response.headers["retry-after"] == "5"
        assert_answers(site)
        with site.stream() as stream:
            stream.until("status", lambda status: status["state"] == "serving")
    assert site.order("scale", {"to": 2}).json["error"] == "too-many"
    assert_answers(site)
    let_go(etc)
    eventually(lambda: site.order("scale", {"to": 2}).status == 200, "the restarts are over")


def seven_of(clients):
    answered = select.select([one.socket for one in clients], [], [], 0)[0]
    return len(answered) == 7 and [one for one in clients if one.socket in answered]


def assert_answers(site):
    assert site.status()["workers"] == 2
    assert_healthy(site)


# Who may


def test_orders_need_the_token(begin):
    site = begin()
    for order in ORDERS:
        response = site.fetch(f"/{order}", "POST", {"Content-Length": "0"})
        assert response.status == 401
        assert response.headers["www-authenticate"].startswith("Bearer ")
        assert response.json["error"] == "not-allowed"


def test_without_a_token_there_are_no_orders(begin):
    site = begin(token=None)
    response = site.order("restart")
    assert response.status == 403
    assert "admin.token" in response.json["text"]
    assert site.status()


@pytest.mark.parametrize("headers,status", [
    ({}, 200),
    ({"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}, 200),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
])  # fmt: skip
def test_orders_are_not_taken_from_other_sites(begin, headers, status):
    site = begin()
    assert site.order("scale", {"to": 2}, headers).status == status


def test_wrong_tokens_do_not_fill_the_log(begin):
    site = begin()
    began = time.monotonic()
    for number in range(50):
        response = site.order("scale", {"to": 1}, {"Authorization": f"Bearer {number:016}"})
        assert response.status == 401
        assert 'error="invalid_token"' in response.headers["www-authenticate"]
    lines = re.findall("wrong admin token", site.server.log)
    assert 1 <= len(lines) <= time.monotonic() - began + 1
    assert TOKEN not in site.server.log


def test_who_guesses_tokens_slows_nobody(begin):
    """Some thousand guesses, hundreds of them waiting at any time."""
    site = begin()
    guess = client.render("/restart", "POST", {"Host": "localhost", "Content-Length": "0",
                                               "Authorization": "Bearer 0000000000000000"}
                          )  # fmt: skip
    began, slowest = time.monotonic(), 0
    with contextlib.ExitStack() as stack:
        guessers = [stack.enter_context(client.Connection(site.address)) for _ in range(16)]
        for _ in range(20):
            for one in guessers:
                one.send(guess * 16)
            asked = time.monotonic()
            assert site.get("/livez").text == "alive\n"
            slowest = max(slowest, time.monotonic() - asked)
            for one in guessers:
                assert {one.receive().status for _ in range(16)} == {401}
    assert slowest < 2
    assert len(re.findall("wrong admin token", site.server.log)) <= time.monotonic() - began + 1
    assert len(site.server.serving) == 2


@pytest.mark.parametrize("host,status", [
    ("localhost", 200), ("127.0.0.1", 200), ("127.9.9.9:80", 200), ("[::1]:1", 200),
    ("evil.example", 421), ("localhost.evil.example", 421), ("192.0.2.1", 421),
])  # fmt: skip
def test_other_names_for_loopback_are_refused(begin, host, status):
    """A page of somebody else's that has its name point to us (DNS rebinding)."""
    site = begin()
    for target in ("/status", "/", "/livez"):
        assert site.fetch(target, headers={"Host": host}).status == status


def test_names_can_be_configured(begin):
    site = begin("admin.hosts=watch.example")
    assert site.fetch("/status", headers={"Host": "watch.example"}).status == 200
    assert site.fetch("/status", headers={"Host": "localhost"}).status == 421


def test_beyond_loopback_readers_need_the_token(begin):
    site = begin(listen="0.0.0.0:0")
    for target in ("/status", "/metrics", "/events"):
        response = site.fetch(target)
        assert (response.status, "www-authenticate" in response.headers) == (401, True)
        assert site.fetch(target, headers={"Authorization": "Bearer x"}).status == 401
    assert site.get("/status", BEARER).json["state"] == "serving"
    assert site.get("/metrics", BEARER).text
    assert site.stream(**BEARER).status == 200
    assert_healthy(site)
    assert site.get("/").text
    assert site.fetch("/livez", headers={"Host": "any.example"}).status == 200


def test_a_unix_socket_is_for_this_machine(begin, tmp_path):
    path = tmp_path / "s"
    site = begin(listen=f"unix:{path}", address=str(path))
    assert site.status()["admin"] == f"unix:{path}"
    assert site.fetch("/status", headers={"Host": "any.example"}).status == 200
    assert site.order("scale", {"to": 2}).status == 200


# The page


def test_the_page_is_let_run_nothing_else(begin):
    site = begin()
    response = site.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    parts = response.headers["content-security-policy"].split("; ")
    policy = dict(part.split(" ", 1) for part in parts)
    for directive, tag in (("script-src", "script"), ("style-src", "style")):
        blocks = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>".encode(), response.body, re.DOTALL)
        hashes = (base64.b64encode(hashlib.sha256(block).digest()).decode() for block in blocks)
        assert policy[directive] == " ".join(f"'sha256-{one}'" for one in hashes)
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert not re.search(rb'(src|href)="(\w+:)?//', response.body)


def test_the_page_is_sent_once(begin):
    site = begin()
    etag = site.get("/").headers["etag"]
    response = site.fetch("/", headers={"If-None-Match": etag})
    assert (response.status, response.body) == (304, b"")
    assert site.fetch("/", headers={"If-None-Match": '"other"'}).status == 200
    assert site.fetch("/", "HEAD").status == 200


def test_nothing_else_is_there(begin):
    site = begin()
    for target in ("/index.html", "/hello", "/healthcheck", "/workerKiller", "/status/"):
        assert site.fetch(target).status == 404
