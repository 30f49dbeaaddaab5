"""What passes through the proxy as it came: bodies of every framing, interim answers, tunnels."""

import threading

import pytest

from lib import raw
from lib.answer import Broken
from lib.burden import Burden
from lib.proxy import (  # noqa: F401
    Client,
    ask,
    behind,
    stage,
    start_proxy,
)
from lib.upstream import CLOSE, HOLD, READ, RESET, answer, say, steps
from lib.wait import eventually


OFFERED = 64 << 20
LITTLE = 1 << 20
PIECE = bytes(range(256)) * 256


def worker_of(server):
    (worker,) = server.serving
    return worker


# Answers


@pytest.mark.smoke
@pytest.mark.valgrind
def test_answers_of_every_framing(behind):
    chunks = b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
    answers = {
        "/length": steps(READ, answer(b"abcdefg")),
        "/nothing": steps(READ, answer(b"")),
        "/chunks": steps(READ, b"HTTP/1.1 200 OK\r\n" + chunks),
        "/close": steps(READ, b"HTTP/1.1 200 OK\r\n\r\nabc", b"defg", CLOSE),
        "/1.0": steps(READ, b"HTTP/1.0 200 OK\r\n\r\nabcdefg", CLOSE),
        "/1.0-length": steps(READ, b"HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg", CLOSE),
    }
    _, server = behind(lambda exchange: answers[exchange.request.target](exchange))
    with Client(server.address) as client:
        for _ in range(2):
            for target in answers:
                found = client.ask(target)
                assert found.status == 200, target
                assert found.body == (b"" if target == "/nothing" else b"abcdefg"), target
                assert not found.closes, target
    for target in answers:  # HTTP/1.0 knows no chunks
        with Client(server.address) as client:
            client.send(f"GET {target} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
            found = client.read()
            assert found.body == (b"" if target == "/nothing" else b"abcdefg"), target
            assert found.framing != "chunked" and client.is_over()


@pytest.mark.parametrize("status, method, fields", [
    ("204 No Content", "GET", ()),
    ("304 Not Modified", "GET", ('ETag: "a"',)),
    ("200 OK", "HEAD", ("Content-Length: 1234",)),
    ("200 OK", "HEAD", ("Transfer-Encoding: chunked",)),
    ("404 Not Found", "HEAD", ("Content-Length: 9",)),
])  # fmt: skip
def test_answers_without_a_body(behind, status, method, fields):
    bodiless = answer(b"", status, *fields, length=False)
    upstream, server = behind(steps(READ, bodiless))
    with Client(server.address) as client:
        for _ in range(3):
            found = client.ask("/", method)
            assert f"{found.status} {found.reason}" == status and found.body == b""
            if fields and fields[0].startswith("Content-Length"):
                assert found.one("content-length") == fields[0].split(": ")[1]
            if "ETag" in "".join(fields):
                assert found.one("etag") == '"a"'
    if not any("chunked" in field for field in fields):
        assert upstream.connections == 1


def test_status_and_fields_are_passed_on(behind):
    fields = ("Set-Cookie: a=b", "Set-Cookie: c=d", "X-Empty:", "X-Beyond: \xe9", "Server: theirs",
              "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Content-Type: text/plain")  # fmt: skip
    _, server = behind(say(b"body", "299 Nearly Right", *fields))
    found = ask(server.address)
    assert (found.status, found.reason, found.body) == (299, "Nearly Right", b"body")
    assert found.all("set-cookie") == ["a=b", "c=d"]
    assert found.one("x-empty") == "" and found.one("x-beyond") == "\xe9"
    assert found.one("date") == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert found.one("content-type") == "text/plain"


def test_interim_answers_come_before_the_end(behind):
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
    upstream, server = behind(steps(READ, hints, HOLD, answer(b"at last")))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        found = client.head()
        assert found.status == 103 and found.one("link") == "</a.css>; rel=preload"
        upstream.wait_until_held(1)
        upstream.release()
        assert client.read().body == b"at last"
        assert client.ask().body == b"at last"


def test_interim_answers_are_not_for_http_1_0(behind):
    _, server = behind(steps(READ, b"HTTP/1.1 103 Early Hints\r\n\r\n", answer(b"at last")))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.0\r\nHost: a\r\n\r\n")
        found = client.read()
        assert found.interim == [] and found.body == b"at last"


def test_trailers_of_an_answer(behind):
    body = b"5\r\nhello\r\n0\r\nX-Sum: 42\r\nX-More: b\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    _, server = behind(steps(READ, head + body))
    with Client(server.address) as client:
        for _ in range(2):
            found = client.ask("/", headers={"TE": "trailers", "Connection": "TE"})
            assert found.body == b"hello"
            assert found.trailers == [("X-Sum", "42"), ("X-More", "b")]


def test_pieces_are_not_kept_back(behind):
    def in_turns(exchange):
        exchange.body()
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"one", b"two", b"three"):
            exchange.send(b"%x\r\n%s\r\n" % (len(piece), piece))
            turns.acquire()
        exchange.send(b"0\r\n\r\n")

    turns = threading.Semaphore(0)
    _, server = behind(in_turns)
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = b""
        for piece in (b"one", b"two", b"three"):
            while piece not in seen:
                seen += client.socket.recv(65536)
            turns.release()
        while not seen.endswith(b"0\r\n\r\n"):
            seen += client.socket.recv(65536)


@pytest.mark.parametrize("how", [CLOSE, RESET], ids=["closed", "reset"])
@pytest.mark.parametrize("head", [
    b"Content-Length: 100\r\n\r\nhello",
    b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
], ids=["length", "chunks"])  # fmt: skip
def test_broken_answer_is_broken_at_the_client(behind, head, how):
    upstream, server = behind(steps(READ, b"HTTP/1.1 200 OK\r\n" + head, HOLD, how))
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        seen = b""
        while b"hello" not in seen:
            seen += client.socket.recv(65536)
        upstream.release()
        assert b"0\r\n\r\n" not in raw.until_gone(client.socket)
    server.wait_for_log(r"upstream server failed: .*\bupstream=\"?api")
    upstream.script = say(b"well")
    assert ask(server.address).body == b"well"


# Streaming


def flow(exchange):
    """Offer far more than fits anywhere."""
    exchange.body()
    exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % OFFERED)
    exchange.upstream.flowed = 0
    for _ in range(OFFERED // len(PIECE)):
        exchange.send(PIECE)
        exchange.upstream.flowed += len(PIECE)


def wait_until_stuck(count):
    """Until the figure stays the same for a while; returns it."""
    last = -1
    while (now := count()) != last:
        last = now
        raw.nothing_for(0.3)
    return now


def test_download_to_a_slow_reader_costs_little(behind):
    upstream, server = behind(say(b"warm"))
    ask(server.address)
    upstream.script, upstream.flowed = flow, 0
    burden = Burden(worker_of(server).pid)
    with Client(server.address, receive_buffer=4096) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        upstream.wait_for_requests(2)
        eventually(lambda: upstream.flowed > 0, "the download begins")
        flowed = wait_until_stuck(lambda: upstream.flowed)
        burden.assert_growth_below(LITTLE)
        assert flowed < OFFERED // 2, "nothing holds the upstream back"
        client.head()
        for _ in range(4 * LITTLE // len(PIECE)):
            assert client.take(len(PIECE)) == PIECE
        eventually(lambda: upstream.flowed > flowed, "it goes on when the client reads")
        burden.assert_growth_below(LITTLE)
        client.reset()


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_upload_to_a_slow_upstream_costs_little(behind, chunked):
    def swallow(exchange):
        if exchange.request.method == "POST":
            exchange.hold()
            size = len(exchange.body())
            exchange.send(answer(b"%d" % size))
        else:
            exchange.send(answer(b"here"))

    upstream, server = behind(swallow, arguments=(f"http.max_body_bytes={OFFERED}",))
    ask(server.address)
    burden = Burden(worker_of(server).pid)
    sent = 0
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {OFFERED}"
    piece = b"%x\r\n%s\r\n" % (len(PIECE), PIECE) if chunked else PIECE
    with Client(server.address) as client:
        client.send(f"POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n".encode())

        def push():
            nonlocal sent
            for _ in range(OFFERED // len(PIECE)):
                client.send(piece)
                sent += len(PIECE)
            if chunked:
                client.send(b"0\r\n\r\n")

        pusher = threading.Thread(target=push, daemon=True)
        pusher.start()
        upstream.wait_until_held(1)
        stuck = wait_until_stuck(lambda: sent)
        burden.assert_growth_below(LITTLE)
        assert stuck < OFFERED // 2, "nothing holds the client back"
        upstream.release()
        assert client.read().body == b"%d" % OFFERED
        pusher.join()
        burden.assert_growth_below(LITTLE)


# Requests


@pytest.mark.smoke
@pytest.mark.valgrind
def test_bodies_of_requests(behind):
    upstream, server = behind(lambda exchange: exchange.send(answer(exchange.body())))
    body = bytes(range(256)) * 100
    with Client(server.address) as client:
        assert client.ask("/a?b=c", "POST", {}, body).body == body
        client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                    b"5\r\nhello\r\n", b"1\r\n!\r\n0\r\n\r\n")  # fmt: skip
        assert client.read().body == b"hello!"
        assert client.ask("/", "POST", {"Content-Length": 0}).body == b""
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello")
        upstream.wait_for_requests(4)  # it does not wait for the rest
        client.send(b"again")
        assert client.read().body == b"helloagain"
    assert upstream.requests[0].target == "/a?b=c"
    assert upstream.requests[0].one("content-length") == str(len(body))
    assert upstream.requests[1].one("transfer-encoding") == "chunked"
    assert upstream.requests[2].one("content-length") == "0"


def test_expectation_of_100_is_answered(behind):
    upstream, server = behind(say(b"thanks"))
    with Client(server.address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    b"Expect: 100-continue\r\n\r\n")  # fmt: skip
        assert client.head().status == 100
        client.send(b"hello")
        assert client.read().body == b"thanks"
    assert upstream.requests[0].body == b"hello"


def test_answer_while_the_body_is_sent(behind):
    def echo_pieces(exchange):
        exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n")
        left = 30
        while left:
            data = exchange.receive()
            exchange.send(data.upper())
            left -= len(data)

    _, server = behind(echo_pieces)
    with Client(server.address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
        assert client.head().status == 200
        for _ in range(3):
            client.send(b"abcdefghij")
            assert client.take(10) == b"ABCDEFGHIJ"


def test_answer_before_the_body_is_sent(behind):
    _, server = behind(steps(answer(b"too large", "413 Too Large", "Connection: close"), CLOSE))
    with Client(server.address) as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nhello")
        try:
            found = client.read()
        except Broken as error:
            raise AssertionError("the answer is lost") from error
        assert (found.status, found.body) == (413, b"too large")


# Tunnels

UPGRADE = (b"GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
           b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")  # fmt: skip
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")  # fmt: skip


def echo(exchange):
    exchange.send(SWITCH, b"hello")
    while True:
        exchange.send(exchange.receive().upper())


def tunnel(client):
    client.send(UPGRADE)
    found = client.read()
    assert found.status == 101 and found.one("upgrade") == "websocket"
    assert found.one("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def expect(client, data):
    """That this comes next, through the reader that may have it already."""
    assert client.take(len(data)) == data


def test_tunnel_echoes(behind):
    upstream, server = behind(echo)
    with Client(server.address) as client:
        tunnel(client)
        expect(client, b"hello")
        for piece in (b"a", b"bc" * 1000, b"\0\xff" * 50000):
            client.send(piece)
            expect(client, piece.upper())
    upstream.wait_until_closed()
    assert upstream.requests[0].one("upgrade").lower() == "websocket"
    assert upstream.requests[0].one("connection").lower() == "upgrade"


def test_limits_of_request_bodies_are_not_for_tunnels(behind):
    arguments = ("http.body_ms=300", "http.max_body_bytes=10")
    _, server = behind(echo, arguments=arguments)
    with Client(server.address) as client:
        tunnel(client)
        expect(client, b"hello")
        for _ in range(3):
            raw.nothing_for(0.4)
            client.send(b"still here")
            expect(client, b"STILL HERE")


def test_tunnel_ends_with_the_upstream(behind):
    upstream, server = behind(steps(SWITCH, b"bye", CLOSE))
    with Client(server.address) as client:
        tunnel(client)
        expect(client, b"bye")
        assert client.is_over()
    upstream.wait_until_closed()


def test_bytes_behind_the_upgrade_reach_the_upstream(behind):
    _, server = behind(echo)
    with Client(server.address) as client:
        client.send(UPGRADE + b"early")
        assert client.read().status == 101
        expect(client, b"helloEARLY")


def test_refused_upgrade_is_an_answer_like_others(behind):
    _, server = behind(say(b"no", "403 Forbidden"))
    with Client(server.address) as client:
        client.send(UPGRADE)
        found = client.read()
        assert (found.status, found.body) == (403, b"no")
        assert client.ask().status == 403


def test_upgrade_can_be_off(behind):
    upstream, server = behind(say(b"plain"), route_options={"upgrade": "no"})
    with Client(server.address) as client:
        client.send(UPGRADE)
        assert client.read().body == b"plain"
    assert upstream.requests[0].all("upgrade") == []


# Clients that go away


@pytest.mark.parametrize("go", [Client.close, Client.reset], ids=["close", "reset"])
@pytest.mark.parametrize("script", [
    steps(READ, HOLD),
    steps(READ, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", HOLD),
    steps(READ, b"HTTP/1.1 200 OK\r\n\r\nhello", HOLD),
    steps(HOLD),
], ids=["before the head", "in the body", "until close", "in the request"])  # fmt: skip
def test_client_that_goes_away_ends_the_work(behind, script, go):
    upstream, server = behind(script)
    client = Client(server.address)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    upstream.wait_until_held(1)
    go(client)
    upstream.wait_until_closed()
    upstream.script = say(b"next")
    assert ask(server.address).body == b"next"


def test_client_that_goes_away_in_a_download_ends_it(behind):
    upstream, server = behind(flow)
    client = Client(server.address, receive_buffer=4096)
    client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    upstream.wait_for_requests(1)
    client.socket.recv(1000)
    client.reset()
    upstream.wait_until_closed()
