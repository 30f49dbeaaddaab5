"""Orders about the servers of upstreams, and what is shown and counted of them."""

import json
import re

import pytest

from lib import process
from lib.admin import Site
from lib.control import Client as Control
from lib.control import do, events, find_event, refusal, status, wait_for_status
from lib.prometheus import Metrics
from lib.proxy import (  # noqa: F401
    Client,
    ask,
    route,
    stage,
    start_proxy,
    upstream_block,
)
from lib.upgrade import begin, program, upgrade  # noqa: F401
from lib.upstream import HOLD, READ, answer, steps
from lib.wait import eventually
from lib.zombiectl import Background, ctl


ADMIN = "admin.listen=127.0.0.1:0"


class Front:
    """A server in front of the upstreams a and b, which it takes turns with."""

    def __init__(self, stage, start_proxy, *arguments, **options):
        self.a, self.b = stage.add(name="a"), stage.add(name="b")
        self.server = start_proxy(self.text(), ADMIN, *arguments, **options)

    def text(self, *more, **options):
        servers = [(one, {}) for one in (self.a, self.b, *more)]
        return upstream_block(servers, **options) + route()

    def order(self, what, server, **more):
        return do(self.server, f"upstream-{what}", upstream="api", server=server.address, **more)

    def states(self):
        (upstream,) = status(self.server)["upstreams"]
        return [server["state"] for server in upstream["servers"]]

    def answers(self, n=8):
        """Who answers n requests; returns when the workers are done with them."""
        found = {ask(self.server.address).body.decode() for _ in range(n)}
        wait_for_status(self.server, lambda now: not any(
            one["connections"] for one in now["upstreams"][0]["servers"]),
            "no connection is in use")  # fmt: skip
        return found


@pytest.fixture
def front(stage, start_proxy):  # noqa: F811
    return Front(stage, start_proxy)


# --- Orders -------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_drained_server_gets_no_requests_until_it_is_undrained(front):
    assert front.answers() == {"a", "b"}
    done = front.order("drain", front.a)
    assert done.text == f"{front.a.address} of api is drained, until it is undrained"
    assert front.states() == ["drained", "up"]
    assert front.answers() == {"b"}
    assert front.order("undrain", front.a).text == f"{front.a.address} of api gets requests"
    assert front.states() == ["up", "up"]
    assert front.answers() == {"a", "b"}


def test_events_tell_of_what_has_changed(front):
    for what in "drain", "drain", "undrain", "undrain":
        front.order(what, front.a)
    told = [event["text"] for event in events(front.server) if event["event"] == "upstream"]
    assert told == [f"server {front.a.address} of api is {word}" for word in
                    ("drained", "undrained")]  # fmt: skip
    event = find_event(events(front.server), "upstream")
    assert event["worker"] is event["slot"] is event["role"] is event["pid"] is None


def hold(front):
    """A client whose request is held at a, where the next one goes."""
    client = Client(front.server.address)
    held = front.a.held
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    front.a.wait_until_held(held + 1)
    return client


def test_draining_waits_for_connections(front):
    front.a.script = steps(READ, HOLD, answer(b"a"))
    with Control(front.server.control_path) as control, hold(front):
        assert ask(front.server.address).body == b"b"
        with hold(front):
            order = control.begin("upstream-drain", upstream="api", server=front.a.address)
            assert order.wait_for_progress()[0] == (0, 2, "2 connections are still open")
            done = front.order("drain", front.a, wait=False)
            assert done.text.endswith("; 2 connections are still open")
        order.wait_for(lambda one: (1, 2, "1 connection is still open") in one.progress)
        front.a.release()
        assert order.done().text == f"{front.a.address} of api is drained, until it is undrained"


def test_waiting_ends_when_somebody_undrains(front):
    front.a.script = steps(READ, HOLD, answer(b"a"))
    with Control(front.server.control_path) as control, hold(front):
        order = control.begin("upstream-drain", upstream="api", server=front.a.address)
        order.wait_for_progress()
        front.order("undrain", front.a)
        assert order.failed("failed") == f"{front.a.address} was undrained meanwhile"
        front.a.release()


@pytest.fixture
def conf(tmp_path):
    """The configuration that start_proxy() has written."""
    return tmp_path / "proxy-0.conf"


def test_waiting_ends_when_the_server_is_removed(front, conf):
    front.a.script = steps(READ, HOLD, answer(b"a"))
    with Control(front.server.control_path) as control, hold(front):
        order = control.begin("upstream-drain", upstream="api", server=front.a.address)
        order.wait_for_progress()
        conf.write_text(upstream_block([(front.b, {})]) + route())
        do(front.server, "reload")
        assert order.failed("failed") == f"api has no server {front.a.address} any more"
        front.a.release()


def test_last_server_is_not_drained(front):
    front.order("drain", front.a)
    address = front.b.address
    text = refusal(front.server, "refused", "upstream-drain", upstream="api", server=address)
    assert text == f"{address} is the last server of api: undrain another one first"
    front.order("drain", front.a)  # what is drained may be waited for again
    assert front.answers() == {"b"}


def test_wrong_names_are_told_the_right_ones(front):
    both = f"{front.a.address}, {front.b.address}"
    for command in "upstream-drain", "upstream-undrain":
        for given, text in [
            ({}, "which upstream? There are: api"),
            ({"server": "x"}, "which upstream? There are: api"),
            ({"upstream": "nope", "server": "x"}, "there is no upstream 'nope'; there are: api"),
            ({"upstream": "api"}, f"which server? There are: {both}"),
            ({"upstream": "api", "server": "x"}, f"there is no server 'x'; there are: {both}"),
        ]:
            assert refusal(front.server, "bad-argument", command, **given) == text


def test_without_upstreams_there_are_none(start):
    server = start()
    text = refusal(server, "bad-argument", "upstream-drain", upstream="api", server="x")
    assert text == "there is no upstream"
    assert ctl(server.control_path, "upstream").stdout == "there are no upstreams\n"


def test_server_by_name_is_drained_with_all_its_addresses(stage, start_proxy):  # noqa: F811
    one, other = stage.add(name="one"), stage.add(name="other")
    name = f"localhost:{one.port}"
    text = f'upstream "api" {{ server "{name}" {{}} server "{other.address}" {{}} }}\n' + route()
    server = start_proxy(text)
    peer = wait_for_status(server, lambda s: s["upstreams"][0]["servers"][0]["address"],
                           "the name has an address")["upstreams"][0]["servers"][0]  # fmt: skip
    for named in name, peer["address"]:
        do(server, "upstream-drain", upstream="api", server=named)
        assert {ask(server.address).body for _ in range(6)} == {b"other"}
        do(server, "upstream-undrain", upstream="api", server=named)
        assert status(server)["upstreams"][0]["servers"][0]["state"] != "drained"


# --- What survives --------------------------------------------------------------


def test_drained_stays_drained_over_deaths_and_reloads(front, conf, stage):  # noqa: F811
    front.order("drain", front.a)
    worker = front.server.serving[0]
    process.kill(worker.pid)
    front.server.wait_until_replaced(worker)
    assert front.answers() == {"b"}
    more = stage.add(name="c")
    conf.write_text(front.text(more, balance="least_conn"))
    do(front.server, "reload")
    assert front.states() == ["drained", "up", "up"]
    assert front.answers() <= {"b", "c"}
    front.order("undrain", front.a)
    assert front.states() == ["up", "up", "up"]


def test_drained_stays_drained_over_an_upgrade(stage, begin, tmp_path):  # noqa: F811
    a, b = stage.add(name="a"), stage.add(name="b")
    conf = tmp_path / "server.conf"
    conf.write_text(upstream_block([(a, {}), (b, {})]) + route())
    server = begin("-c", conf)
    do(server, "upstream-drain", upstream="api", server=a.address)
    upgrade(server)
    assert {ask(server.address).body for _ in range(6)} == {b"b"}
    assert [one["state"] for one in status(server)["upstreams"][0]["servers"]] == ["drained", "up"]
    do(server, "upstream-undrain", upstream="api", server=a.address)
    assert {ask(server.address).body for _ in range(6)} == {b"a", b"b"}


# --- What is shown ----------------------------------------------------------------


def test_zombiectl_shows_and_orders(front):
    assert front.answers() == {"a", "b"}
    path = front.server.control_path
    done = ctl(path, "upstream", "drain", "api", front.a.address)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{front.a.address} of api is drained, until it is undrained\n"
    shown = ctl(path, "upstream").stdout.splitlines()
    assert shown[0] == "upstream api, round_robin: 1 of 2 up"
    assert shown[1].split()[:3] == ["SERVER", "STATE", "WEIGHT"]
    assert shown[2].split()[:3] == [front.a.address, "drained", "1"]
    found = json.loads(ctl(path, "upstream", "api", "--json").stdout)
    assert found["upstreams"] == status(front.server)["upstreams"]
    assert ctl(path, "upstream", "--json").stdout == ctl(path, "upstream", "api", "--json").stdout
    done = ctl(path, "--json", "upstream", "undrain", "api", front.a.address)
    assert json.loads(done.stdout)["ok"] is True
    for words, text in [
        (["nope"], "there is no upstream 'nope'"),
        (["drain", "api", "x"], "there is no server 'x'"),
        (["drain", "api"], "needs a title"),
        (["drain"], "needs a title"),
        (["api", "x"], "needs a title"),
        (["api", "--no-wait"], "--no-wait is for 'upstream drain' only"),
        (["undrain", "api", "x", "--no-wait"], "--no-wait is for 'upstream drain' only"),
    ]:
        done = ctl(path, "upstream", *words)
        assert (done.returncode, done.stdout) == (64, ""), words
        assert text in done.stderr


def test_zombiectl_waits_unless_told_not_to(front):
    front.a.script = steps(READ, HOLD, answer(b"a"))
    with hold(front):
        words = ["upstream", "drain", "api", front.a.address]
        done = ctl(front.server.control_path, *words, "--no-wait")
        assert done.stdout.endswith("; 1 connection is still open\n")
        waiting = Background(front.server.control_path, *words)
        try:
            front.a.release()
            code, out, _ = waiting.finish()
        finally:
            waiting.stop()
        assert (code, out.strip()) == (0, f"{front.a.address} of api is drained, until it is "
                                          "undrained")  # fmt: skip


def test_failures_are_shown_with_their_age(front):
    front.b.refuse()
    front.b.wait_until_closed()

    def failed():
        ask(front.server.address)
        server = status(front.server)["upstreams"][0]["servers"][1]
        return server if server["state"] == "failed" else None

    server = eventually(failed, "b has failed")
    assert server["failures"] >= 1 and 0 <= server["error_ago_ms"] < 60000
    (row,) = [line for line in ctl(front.server.control_path, "upstream").stdout.splitlines()
              if line.startswith(front.b.address)]  # fmt: skip
    assert re.search(r"  failed .* \d+s ago$", row)


# --- Metrics ----------------------------------------------------------------------


def scrape(site):
    return Metrics(site.get("/metrics").text)


def test_metrics_survive_deaths_and_reloads(front):
    port = int(status(front.server)["admin"].rpartition(":")[2])
    site = Site(front.server, ("127.0.0.1", port))
    labels = {one: {"upstream": "api", "server": one.address, "address": one.address}
              for one in (front.a, front.b)}  # fmt: skip
    assert front.answers(10) == {"a", "b"}
    before = scrape(site)
    assert sum(before.get("zombie_upstream_requests_total", **of) for of in labels.values()) == 10
    assert before.get("zombie_upstream_failures_total", **labels[front.a]) == 0
    assert before.get("zombie_upstream_latency_seconds", **labels[front.a]) > 0
    assert before.get("zombie_upstream_up", **labels[front.a]) == 1
    for worker in front.server.serving:
        process.kill(worker.pid)
        front.server.wait_until_replaced(worker)
    do(front.server, "reload")
    front.order("drain", front.a)
    front.answers(3)
    after = scrape(site)
    assert after.falls_since(before) == []
    assert after.get("zombie_upstream_up", **labels[front.a]) == 0
    assert after.get("zombie_upstream_state", state="drained", **labels[front.a]) == 1
    assert after.get("zombie_upstream_state", state="up", **labels[front.b]) == 1
    assert after.get("zombie_upstream_connections", **labels[front.a]) == 0
    assert (after.get("zombie_upstream_requests_total", **labels[front.b])
            == before.get("zombie_upstream_requests_total", **labels[front.b]) + 3)  # fmt: skip
