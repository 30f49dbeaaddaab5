"""Clients and upstreams that mean ill, or are slow at the wrong moment: nobody else pays for it."""

import contextlib
import socket

import pytest

from lib import raw
from lib.control import status
from lib.proxy import (  # noqa: F401
    Client,
    ask,
    behind,
    route,
    stage,
    start_proxy,
    upstream_block,
)
from lib.upstream import answer, say
from lib.wait import DEADLINE, eventually


POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
BIG = 1 << 30  # bytes, more than all buffers on the way take


class Deaf:
    """A port where connecting takes for ever: its backlog is full."""

    def __init__(self):
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._others = [socket.socket() for _ in range(2)]
        for one in self._others:
            one.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                one.connect(self._listener.getsockname())

    @property
    def address(self):
        return "127.0.0.1:%d" % self._listener.getsockname()[1]

    def close(self):
        for one in [self._listener, *self._others]:
            one.close()


def fill(client):
    """Send until nobody takes more."""
    client.socket.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        while True:
            client.socket.send(bytes(1 << 16))


def test_client_that_leaves_while_its_server_is_connected_to(start_proxy):
    """Nobody goes on connecting for it."""
    deaf = Deaf()
    server = start_proxy(upstream_block([(deaf, {})], connect_timeout_ms=600000) + route())

    def connections():
        return status(server)["upstreams"][0]["servers"][0]["connections"]

    client = Client(server.address)
    client.send(POST + b"Expect: 100-continue\r\nContent-Length: 10\r\n\r\n")
    eventually(lambda: connections() == 1, "it is connected to")
    client.reset()
    eventually(lambda: connections() == 0, "the request is given up")
    deaf.close()


def test_early_answer_that_stops_has_an_end(behind):
    """The server neither takes the rest of the request nor gives the rest of its answer."""

    def script(exchange):
        exchange.hold()  # until the request is stuck
        exchange.upstream.hold_again()
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
        exchange.hold()

    options = {"send_timeout_ms": 3000, "read_timeout_ms": 3000}
    upstream, server = behind(script, route_options={"max_body": "1G"}, **options)
    with Client(server.address) as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % BIG)
        fill(client)
        upstream.release()
        client.socket.settimeout(DEADLINE)
        assert b"\r\n\r\nabc" in raw.until_gone(client.socket)


def test_client_with_a_slow_body_takes_no_server_out(stage, start_proxy):
    """Servers close without an answer when a body does not come: that is the client's fault."""

    def script(exchange):
        if exchange.request.method == "POST":
            exchange.close()
        exchange.send(answer(b"ok"))

    servers = [(stage.add(script), {}) for _ in range(2)]
    server = start_proxy(upstream_block(servers) + route(), workers=1)
    for _ in servers:
        with Client(server.address) as client:
            client.send(POST + b"Content-Length: 10\r\n\r\nx")
            assert client.read("POST").status == 502
    assert ask(server.address).status == 200


def test_missing_page_takes_no_server_out(stage, start_proxy):
    """As for nginx, 403 and 404 are a reason to ask another server, and no failure."""
    servers = [(stage.add(say(b"", "404 Not Found")), {}) for _ in range(3)]
    text = upstream_block(servers, next_upstream='{ "error", "http_404" }')
    server = start_proxy(text + route(), workers=1)
    assert ask(server.address).status == 404
    for one, _ in servers:
        one.script = say(b"ok")
    for _ in range(6):
        assert ask(server.address).status == 200
    assert min(len(one.requests) for one, _ in servers) >= 2


def test_nearest_proxy_is_heard_however_many_lines_there_are(behind):
    upstream, server = behind(say(), route_options={"trusted_proxies": '{ "127.0.0.0/8" }'})
    lines = b"".join(b"X-Forwarded-For: 6.6.6.%d\r\n" % i for i in range(16))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + lines + b"X-Forwarded-For: 192.0.2.1\r\n\r\n")
        client.read()
    assert "192.0.2.1" in upstream.requests[0].one("x-forwarded-for")


@pytest.mark.parametrize("base, target", [("/", "/x"), ("/base/", "/base/x"), ("/base", "/base/x")])
def test_base_of_a_url_is_joined_by_one_slash(stage, start_proxy, base, target):
    upstream = stage.add(say())
    text = f'route "/" {{ handler = proxy  proxy_to = "http://{upstream.address}{base}" }}\n'
    ask(start_proxy(text, workers=1).address, "/x")
    assert upstream.requests[0].target == target


def test_added_field_is_the_only_one_of_its_name(behind):
    upstream, server = behind(say(), route_options={"headers_up": '{ "X-Auth: ours" }'})
    ask(server.address, headers={"X-Auth": "theirs"})
    request = upstream.requests[0]
    assert request.all("x-auth") == ["ours"]


def test_length_0_of_a_put_is_passed_on(behind):
    upstream, server = behind(say())
    ask(server.address, method="PUT", headers={"Content-Length": "0"})
    assert upstream.requests[0].all("content-length") == ["0"]


def test_client_that_goes_away_while_nobody_takes_its_body(stage, start_proxy):
    """Its place at the server, which has but one, becomes free."""

    def script(exchange):
        if exchange.request.method == "POST":
            exchange.hold()
        exchange.send(answer(b"ok"))

    servers = [(stage.add(script), {"max_conns": 1, "max_fails": 0})]
    text = upstream_block(servers, send_timeout_ms=600000) + route(max_body="1G")
    server = start_proxy(text, workers=1)
    client = Client(server.address)
    client.send(POST + b"Content-Length: %d\r\n\r\n" % BIG)
    fill(client)
    assert ask(server.address).status == 502
    client.reset()
    eventually(lambda: ask(server.address).status == 200, "the place is free")
