"""What the access log says of the servers that were asked: $upstream_..."""

import re

import pytest

from lib.access import access, start_logged  # noqa: F401
from lib.proxy import Client, ask, route, stage, upstream_block  # noqa: F401
from lib.upstream import CLOSE, HOLD, READ, RESET, answer, say, steps


FORMAT = "$status|$upstream_addr|$upstream_status|$upstream_connect_time|$upstream_header_time|$upstream_response_time"
NAMES = ("status", "addr", "upstream_status", "connect", "header", "response")
TIME = r"\d+\.\d{3}"


@pytest.fixture
def front(stage, start_logged):  # noqa: F811
    """A server in front of these upstreams, with a log of the above."""

    def make(*servers, **options):
        text = upstream_block(servers, **options) + route()
        return start_logged(conf=text, log={"format": FORMAT, "buffer_bytes": 0})

    return make


def fields(line):
    return dict(zip(NAMES, line.split("|"), strict=True))


@pytest.mark.smoke
@pytest.mark.valgrind
def test_one_attempt(front, stage, access):  # noqa: F811
    upstream = stage.add(say(b"ok", "201 Created"))
    server = front((upstream, {}))
    for _ in range(2):
        assert ask(server.address).status == 201
    first, again = map(fields, access.wait_for(2))
    for one in first, again:
        assert (one["status"], one["addr"], one["upstream_status"]) == (
            "201", upstream.address, "201")  # fmt: skip
        assert all(re.fullmatch(TIME, one[name]) for name in ("connect", "header", "response"))
        assert float(one["header"]) <= float(one["response"])
    assert again["connect"] == "0.000"  # the connection was there


def test_attempts_are_joined(front, stage, access):  # noqa: F811
    bad, good = stage.add(steps(READ, CLOSE), "a"), stage.add(say(b"b"), "b")
    server = front((bad, {"weight": 100}), (good, {}), keepalive=0)
    assert ask(server.address).body == b"b"
    (line,) = map(fields, access.wait_for(1))
    assert line["addr"] == f"{bad.address}, {good.address}"
    assert (line["status"], line["upstream_status"]) == ("200", "502, 200")
    assert re.fullmatch(f"{TIME}, {TIME}", line["connect"])
    assert re.fullmatch(f"-, {TIME}", line["header"])
    assert re.fullmatch(f"{TIME}, {TIME}", line["response"])


def test_an_answer_that_is_not_passed_on_counts(front, stage, access):  # noqa: F811
    bad = stage.add(say(b"", "503 Service Unavailable"), "a")
    good = stage.add(say(b"b"), "b")
    server = front((bad, {"weight": 100}), (good, {}), next_upstream='{ "http_503" }')
    assert ask(server.address).body == b"b"
    (line,) = map(fields, access.wait_for(1))
    assert line["addr"] == f"{bad.address}, {good.address}"
    assert line["upstream_status"] == "503, 200"
    assert re.fullmatch(f"{TIME}, {TIME}", line["header"])


def test_nobody_is_left(front, stage, access):  # noqa: F811
    bad = [stage.add(steps(READ, RESET), name) for name in "ab"]
    server = front(*((one, {}) for one in bad), keepalive=0)
    for _ in range(2):
        assert ask(server.address).status == 502
    tried, down = map(fields, access.wait_for(2))
    assert tried["addr"] == f"{bad[0].address}, {bad[1].address}"
    assert tried["upstream_status"] == "502, 502"
    assert (down["addr"], down["upstream_status"]) == ("api", "502")
    assert (down["connect"], down["header"], down["response"]) == ("-", "-", "0.000")


def test_a_server_that_is_too_slow(front, stage, access):  # noqa: F811
    slow = stage.add(steps(READ, HOLD))
    server = front((slow, {}), read_timeout_ms=50, next_upstream='{ "off" }')
    assert ask(server.address).status == 504
    (line,) = map(fields, access.wait_for(1))
    assert (line["status"], line["addr"], line["upstream_status"]) == (
        "504", slow.address, "504")  # fmt: skip
    assert float(line["response"]) >= 0.05


def test_a_client_that_leaves(front, stage, access):  # noqa: F811
    slow = stage.add(steps(READ, HOLD))
    server = front((slow, {}))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        slow.wait_until_held(1)
    (line,) = map(fields, access.wait_for(1))
    assert (line["status"], line["addr"], line["upstream_status"]) == ("499", slow.address, "-")
    assert re.fullmatch(TIME, line["response"])


def test_an_answer_that_breaks_off(front, stage, access):  # noqa: F811
    part = answer(b"", "200 OK", "Content-Length: 100", length=False) + b"abc"
    server = front((stage.add(steps(READ, part, CLOSE)), {}))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.head().status == 200
        (line,) = map(fields, access.wait_for(1))
    assert (line["status"], line["upstream_status"]) == ("200", "200")


def test_other_routes_have_none(front, stage, access):  # noqa: F811
    server = front((stage.add(), {}))
    assert ask(server.address, "/hello").status == 200
    (line,) = map(fields, access.wait_for(1))
    assert set(line.values()) == {"200", "-"}
