"""The head of a request on its way to the upstream, and that of the answer on its way back."""

import re

import pytest

from lib.proxy import (  # noqa: F401
    Client,
    ask,
    behind,
    route,
    stage,
    start_proxy,
)
from lib.upstream import READ, answer, say, steps


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRUSTING = {"trusted_proxies": '{ "127.0.0.0/8" }'}


@pytest.fixture
def sent(behind):
    """Send a request with these fields; returns it as the upstream has got it."""

    def send(*fields, method="GET", target="/", routes="", source=None, route_options=None):
        upstream, server = behind(say(b"ok"), routes=routes, route_options=route_options)
        with Client(server.address, source=source) as client:
            lines = [f"{method} {target} HTTP/1.1", "Host: front.test:8080", *fields, "", ""]
            client.send("\r\n".join(lines).encode("latin-1"))
            assert client.read(method).status == 200
        (request,) = upstream.requests
        return request

    return send


@pytest.mark.smoke
@pytest.mark.valgrind
def test_where_a_request_comes_from(sent):
    request = sent(source="127.0.0.7")
    assert request.version == "HTTP/1.1"
    assert request.one("host") == "front.test:8080"
    assert request.one("x-forwarded-for") == "127.0.0.7"
    assert request.one("x-forwarded-proto") == "http"
    assert request.one("x-forwarded-host") == "front.test:8080"
    forwarded = dict(pair.split("=", 1) for pair in request.one("forwarded").split(";"))
    assert forwarded["for"].strip('"') == "127.0.0.7"
    assert forwarded["proto"] == "http"
    assert forwarded["host"].strip('"') == "front.test:8080"
    assert re.fullmatch(r"1\.1 \S+", request.one("via"))


FORGED = ("X-Forwarded-For: 10.0.0.1", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.test",
          "Forwarded: for=10.0.0.1;proto=https")  # fmt: skip


def test_what_strangers_say_of_their_way_is_dropped(sent):
    request = sent(*FORGED, source="127.0.0.7")
    assert request.one("x-forwarded-for") == "127.0.0.7"
    assert request.one("x-forwarded-proto") == "http"
    assert request.one("x-forwarded-host") == "front.test:8080"
    assert "10.0.0.1" not in request.one("forwarded")


def test_what_trusted_proxies_say_is_kept(sent):
    request = sent(*FORGED, source="127.0.0.7", route_options=TRUSTING)
    assert request.one("x-forwarded-for") == "10.0.0.1, 127.0.0.7"
    assert request.one("x-forwarded-proto") == "https"
    assert request.one("x-forwarded-host") == "evil.test"
    assert re.match(r"for=10\.0\.0\.1;proto=https, *for=", ", ".join(request.all("forwarded")))


def test_via_is_kept_and_extended(sent):
    via = ", ".join(sent("Via: 1.0 first").all("via"))
    assert re.fullmatch(r"1\.0 first, 1\.1 \S+", via)


@pytest.mark.parametrize("fields, gone, kept", [
    (("Connection: X-A, x-b", "X-A: 1", "X-B: 2", "X-C: 3"), ("x-a", "x-b"), ("x-c",)),
    (("Keep-Alive: timeout=5", "Proxy-Connection: close"), ("keep-alive", "proxy-connection"), ()),
    (("TE: gzip", "Connection: TE"), ("te",), ()),
    (("Upgrade: h2c",), ("upgrade",), ()),
    (("Proxy-Authorization: Basic eDp5",), ("proxy-authorization",), ()),
    (("Connection: Host, Content-Length, Cookie", "Cookie: a"), ("cookie",), ("host",)),
], ids=str)  # fmt: skip
def test_fields_of_one_connection_stay_there(sent, fields, gone, kept):
    request = sent(*fields)
    for name in gone:
        assert request.all(name) == [], name
    for name in kept:
        assert len(request.all(name)) == 1, name


def test_fields_of_the_request_are_passed_on_as_they_are(sent):
    request = sent("X-Twice: a", "X-Twice: b", "X-Beyond: \xe9", "Cookie: a=b", "Accept: */*",
                   "Authorization: Basic eDp5", "X-Empty:", "Range: bytes=0-1")  # fmt: skip
    assert request.all("x-twice") == ["a", "b"]
    assert request.one("x-beyond") == "\xe9" and request.one("x-empty") == ""
    for name, value in (("cookie", "a=b"), ("accept", "*/*"), ("authorization", "Basic eDp5"),
                        ("range", "bytes=0-1")):  # fmt: skip
        assert request.one(name) == value


@pytest.mark.parametrize("target", ["/a/b?c=d&e=%2f", "/%41%2fb", "/a?", "/a?b?c", "/~a;b=c"])
def test_target_is_passed_on_as_it_is(sent, target):
    assert sent(target=target).target in (target, target.rstrip("?"))


@pytest.mark.parametrize("flags", ["00", "01"])
def test_trace_goes_on(sent, flags):
    request = sent(f"traceparent: 00-{TRACE}-{SPAN}-{flags}", "tracestate: a=b")
    assert request.one("traceparent").startswith(f"00-{TRACE}-")
    assert request.one("traceparent").endswith(f"-{flags}")
    assert request.one("tracestate") == "a=b"


def test_trace_begins(sent):
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", sent().one("traceparent"))


def test_prefix_can_be_stripped(sent):
    routes = route("/api/", strip_prefix="yes")
    assert sent(target="/api/users?x=y", routes=routes).target == "/users?x=y"


@pytest.mark.parametrize(("fields", "status"), [
    ("Via: 1.1 a\r\n" * 33, 508),
    ("Via: " + ", ".join(["1.1 a"] * 33) + "\r\n", 508),
    ("Connection: x\r\n" * 17, 400),
])  # fmt: skip
def test_no_server_is_troubled_with_what_cannot_be_passed_on(behind, fields, status):
    upstream, server = behind(say())
    with Client(server.address) as client:
        client.send(f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
        assert client.read().status == status
        assert client.ask().status == 200
    assert len(upstream.requests) == 1


def test_host_of_the_upstream_and_more_fields(sent):
    options = {"pass_host": "no", "headers_up": '{ "X-Secret: 42", "X-More: a b" }'}
    request = sent("X-Secret: forged", route_options=options)
    assert re.fullmatch(r"127\.0\.0\.1:\d+", request.one("host"))
    assert request.one("x-forwarded-host") == "front.test:8080"
    assert "42" in request.all("x-secret") and request.one("x-more") == "a b"


def test_upstream_at_a_unix_socket(stage, start_proxy, tmp_path):
    path = tmp_path / "app.sock"
    upstream = stage.add(say(b"here"), path=path)
    text = f'upstream "api" {{ server "unix:{path}" {{ }} }}\n'
    server = start_proxy(text + route())
    assert ask(server.address).body == b"here"
    assert upstream.requests[0].one("host") == "zombie.test"


def test_proxy_to_one_server(stage, start_proxy):
    upstream = stage.add(say(b"here"))
    url = f"http://{upstream.address}/base"
    server = start_proxy(f'route "/" {{ handler = proxy  proxy_to = "{url}" }}\n')
    assert ask(server.address, "/a?b").body == b"here"
    assert upstream.requests[0].target == "/base/a?b"


def test_fields_of_the_upstreams_connection_stay_there(behind):
    fields = ("Connection: X-A, keep-alive", "X-A: 1", "X-B: 2", "Keep-Alive: timeout=5",
              "Proxy-Connection: keep-alive", "Upgrade: h2c", "Proxy-Authenticate: Basic")
    _, server = behind(steps(READ, answer(b"ok", "200 OK", *fields)))
    with Client(server.address) as client:
        for _ in range(2):
            found = client.ask()
            assert found.body == b"ok" and found.one("x-b") == "2"
            for name in ("x-a", "keep-alive", "proxy-connection", "upgrade"):
                assert found.all(name) == [], name


def test_close_of_the_upstream_is_not_one_for_the_client(behind):
    upstream, server = behind(say(b"ok", "200 OK", "Connection: close"))
    with Client(server.address) as client:
        for _ in range(3):
            assert not client.ask().closes
    assert upstream.connections == 3
