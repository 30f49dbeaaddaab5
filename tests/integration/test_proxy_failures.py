"""When upstreams fail: who is tried next, what the client is told, what stands in the log."""

import pytest

from lib import raw
from lib.answer import Broken
from lib.proxy import (  # noqa: F401
    Client,
    ask,
    behind,
    route,
    stage,
    start_proxy,
    upstream_block,
)
from lib.upstream import CLOSE, HOLD, READ, RESET, answer, say, steps
from lib.wait import eventually


BREAK_OFF = steps(READ, RESET)


@pytest.fixture
def pair(stage, start_proxy):
    """Two upstreams, a first, and the server in front; b answers "b"."""

    def make(script, route_options=None, **options):
        options.setdefault("keepalive", 0)
        a = stage.add(script, "a")
        b = stage.add(say(b"b"), "b")
        text = upstream_block([(a, {"max_fails": 0, "weight": 100}), (b, {})], **options)
        return a, b, start_proxy(text + route(**(route_options or {})), workers=1)

    return make


# The pool


@pytest.mark.smoke
@pytest.mark.valgrind
def test_connections_are_used_again(behind):
    upstream, server = behind(say(b"ok"))
    for _ in range(20):
        assert ask(server.address).body == b"ok"
    assert upstream.connections == 1
    assert [request.number for request in upstream.requests] == list(range(1, 21))


def test_without_keepalive_each_request_has_its_own(behind):
    upstream, server = behind(say(b"ok"), keepalive=0)
    for _ in range(5):
        assert ask(server.address).body == b"ok"
    assert upstream.connections == 5
    assert upstream.requests[0].one("connection").lower() == "close"
    upstream.wait_until_closed()


def test_pool_has_a_cap(behind):
    upstream, server = behind(steps(READ, HOLD, answer(b"ok")), keepalive=2)
    clients = [Client(server.address) for _ in range(5)]
    for client in clients:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    upstream.wait_until_held(5)
    upstream.release()
    for client in clients:
        assert client.read().body == b"ok"
        client.close()
    eventually(lambda: upstream.closed == 3, "three of five are closed")


def test_connection_has_a_last_request(behind):
    upstream, server = behind(say(b"ok"), keepalive_requests=3)
    for _ in range(7):
        ask(server.address)
    assert [request.number for request in upstream.requests] == [1, 2, 3, 1, 2, 3, 1]


def test_idle_connections_are_closed(behind):
    upstream, server = behind(say(b"ok"), keepalive_idle_ms=200)
    ask(server.address)
    upstream.wait_until_closed()
    assert ask(server.address).body == b"ok"


def stale(exchange):
    """Good for one request a connection, and breaks off at the next, as if closed just before."""
    exchange.body()
    if exchange.request.number > 1:
        exchange.close()
    exchange.send(answer(exchange.request.body or b"ok"))


@pytest.mark.smoke
def test_stale_connection_is_replaced_for_get(behind):
    upstream, server = behind(stale)
    with Client(server.address) as client:
        for _ in range(3):
            found = client.ask()
            assert (found.status, found.body) == (200, b"ok")
    assert len(upstream.requests) == 5 and upstream.connections == 3


def test_stale_connection_is_no_try(behind):
    upstream, server = behind(stale, next_upstream_tries=1)
    with Client(server.address) as client:
        assert [client.ask().status for _ in range(3)] == [200] * 3
    assert upstream.connections == 3


def test_post_is_not_sent_again_on_a_stale_connection(behind):
    upstream, server = behind(stale)
    assert ask(server.address).status == 200
    found = ask(server.address, "/", "POST", {}, b"once")
    assert found.status == 502
    assert [request.body for request in upstream.requests] == [b"", b"once"]
    assert ask(server.address, "/", "POST", {}, b"anew").body == b"anew"


def test_closed_idle_connection_is_not_used_for_post(behind):
    upstream, server = behind(say(b"ok"))
    ask(server.address)
    upstream.script = steps(READ, answer(b"ok"), CLOSE)
    ask(server.address)
    upstream.wait_until_closed()
    for _ in range(3):
        assert ask(server.address, "/", "POST", {}, b"x").status == 200
        upstream.wait_until_closed()


# Next upstream


@pytest.mark.smoke
@pytest.mark.valgrind
@pytest.mark.parametrize("script", [
    BREAK_OFF,
    steps(READ, CLOSE),
    steps(READ, b"HTTP/1.1 2", CLOSE),
], ids=["reset", "closed", "closed in the head"])  # fmt: skip
def test_error_sends_a_get_elsewhere(pair, script):
    a, b, server = pair(script)
    assert ask(server.address).body == b"b"
    assert (len(a.requests), len(b.requests)) == (1, 1)


def test_refused_connection_sends_a_post_elsewhere(pair):
    a, b, server = pair(BREAK_OFF)
    a.refuse()
    assert ask(server.address, "/", "POST", {}, b"once").body == b"b"
    assert (a.requests, b.requests[0].body) == ([], b"once")


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_post_that_was_sent_is_not_sent_again(pair, method):
    a, b, server = pair(BREAK_OFF)
    assert ask(server.address, "/", method, {}, b"once").status == 502
    assert (len(a.requests), b.requests) == (1, [])


def test_post_may_be_sent_again_if_configured(pair):
    names = '{ "error", "non_idempotent" }'
    a, b, server = pair(BREAK_OFF, next_upstream=names)
    assert ask(server.address, "/", "POST", {}, b"twice").body == b"b"
    assert [a.requests[0].body, b.requests[0].body] == [b"twice"] * 2


@pytest.mark.parametrize("status", [500, 502, 503, 504, 403, 404, 429])
def test_listed_statuses_are_tried_elsewhere(pair, status):
    script = say(b"a", f"{status} Whatever")
    a, b, server = pair(script, next_upstream=f'{{ "error", "http_{status}" }}')
    assert ask(server.address).body == b"b"
    a.script = say(b"fine")
    assert ask(server.address).body == b"fine"
    assert ask(server.address, "/", "POST", {}, b"x").body == b"fine"


def test_last_one_with_a_listed_status_is_passed_on(pair):
    script = say(b"sorry", "503 Service Unavailable")
    a, b, server = pair(script, next_upstream='{ "error", "http_503" }')
    b.script = script
    found = ask(server.address)
    assert (found.status, found.body) == (503, b"sorry")
    assert (len(a.requests), len(b.requests)) == (1, 1)


def test_unlisted_status_is_passed_on(pair):
    _, b, server = pair(say(b"a", "503 Service Unavailable"))
    assert ask(server.address).body == b"a"
    assert b.requests == []


def test_malformed_head_is_tried_elsewhere_if_listed(pair):
    bad = steps(READ, b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", CLOSE)
    a, b, server = pair(bad, next_upstream='{ "error", "invalid_header" }')
    assert ask(server.address).body == b"b"
    assert (len(a.requests), len(b.requests)) == (1, 1)


def test_malformed_head_is_not_tried_elsewhere_by_default(pair):
    _, b, server = pair(steps(READ, b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", CLOSE))
    assert ask(server.address).status == 502
    assert b.requests == []


def test_next_upstream_can_be_off(pair):
    _, b, server = pair(BREAK_OFF, next_upstream='{ "off" }')
    assert ask(server.address).status == 502
    assert b.requests == []


def test_number_of_tries_has_a_limit(stage, start_proxy):
    servers = [(stage.add(BREAK_OFF, name), {"max_fails": 0}) for name in "abcd"]
    server = start_proxy(upstream_block(servers, keepalive=0, next_upstream_tries=2) + route())
    assert ask(server.address).status == 502
    assert len(stage.journal) == 2


def test_nothing_is_tried_again_behind_the_first_byte(pair):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"
    _, b, server = pair(steps(READ, head, HOLD, CLOSE), read_timeout_ms=300)
    with Client(server.address) as client, pytest.raises(Broken) as broken:
        client.ask()
    assert broken.value.answer.body == b"hel"
    assert b.requests == []


# Bodies that are kept


@pytest.mark.parametrize("size, is_repeated", [(1000, True), (1024, True), (5000, False)])
def test_body_is_kept_up_to_retry_body_bytes(pair, size, is_repeated):
    a, b, server = pair(BREAK_OFF, retry_body_bytes=1024)
    found = ask(server.address, "/", "PUT", {}, b"x" * size)
    if is_repeated:
        assert found.body == b"b" and b.requests[0].body == b"x" * size
    else:
        assert found.status == 502 and b.requests == []
    assert len(a.requests) == 1


# What is said


def test_no_upstream_is_502(behind):
    upstream, server = behind(say(b"ok"))
    upstream.refuse()
    with Client(server.address) as client:
        found = client.ask()
        assert found.status == 502 and found.body.startswith(b"502 Bad Gateway")
        assert len(found.body) < 500 and not found.closes
        upstream.listen()
        assert client.ask().body == b"ok"
    line = server.wait_for_log("upstream server failed: .*")[0]
    for word in ("upstream=", upstream.address, "attempt=1", "elapsed_ms=", "attempt_ms="):
        assert word in line


@pytest.mark.parametrize("script", [
    steps(READ, HOLD),
    steps(READ, b"HTTP/1.1 200 OK\r\nContent-", HOLD),
], ids=["silent", "half a head"])  # fmt: skip
def test_silent_upstream_is_504(behind, script):
    upstream, server = behind(script, read_timeout_ms=1000)
    with Client(server.address) as client:
        found = client.ask()
        assert found.status == 504 and found.body.startswith(b"504 Gateway Timeout")
        assert len(found.body) < 500
        upstream.script = say(b"ok")
        assert client.ask().body == b"ok"
    server.wait_for_log("upstream server failed: it did not answer in time .*attempt=1")


def test_timeout_is_tried_elsewhere(pair):
    a, b, server = pair(steps(READ, HOLD), read_timeout_ms=1000)
    assert ask(server.address).body == b"b"
    assert (len(a.requests), len(b.requests)) == (1, 1)
    a.wait_until_closed()


def test_all_timed_out_is_504(pair):
    _, b, server = pair(steps(READ, HOLD), read_timeout_ms=200)
    b.script = steps(READ, HOLD)
    assert ask(server.address).status == 504


def test_upstream_that_falls_silent_breaks_the_answer(behind):
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"
    upstream, server = behind(steps(READ, head, HOLD), read_timeout_ms=300)
    with Client(server.address) as client, pytest.raises(Broken) as broken:
        client.ask()
    assert broken.value.answer.body == b"hello"
    upstream.wait_until_closed()


def test_steady_trickle_is_no_timeout(behind):
    def trickle(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        for _ in range(10):
            raw.nothing_for(0.25)
            exchange.send(b"x")

    _, server = behind(trickle, read_timeout_ms=2000)
    assert ask(server.address).body == b"x" * 10


def test_head_has_a_largest_size(behind):
    field = "X-A: " + "b" * 900
    upstream, server = behind(say(b"ok", "200 OK", field), max_header_bytes=1024)
    assert ask(server.address).body == b"ok"
    upstream.script = say(b"ok", "200 OK", field, field)
    assert ask(server.address).status == 502
