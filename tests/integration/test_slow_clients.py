"""Clients that take their time: how long a head, a body and an answer may take."""

import time

import pytest

from lib import raw
from lib.burden import descriptors
from lib.client import render
from lib.limit_log import assert_told_once_a_second, hits
from lib.wait import DEADLINE, eventually

GOOD = render("/hello")
LARGE = 64 << 20
TICK = 0.05
HITS = 200
SLOW_READER = 4096  # bytes of its receive buffer
BODY = b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def conf(tmp_path):
    """Its path /large is a file of so many bytes, and /json takes bodies."""
    root = tmp_path / "root"
    root.mkdir()
    with open(root / "large", "wb") as file:
        file.truncate(LARGE)
    (root / "large").chmod(0o644)
    path = tmp_path / "routes.conf"
    path.write_text(
        f'route "/large" {{ handler = files  root = "{root}" }}\n'
        'route "/json" { handler = json }\n'
    )
    return path


def drip(sock, first, piece):
    """Send a piece each tick until there is an answer, then return it; fail when there is none."""
    sock.sendall(first)
    end = time.monotonic() + DEADLINE
    while not raw.has_come(sock, TICK):
        assert time.monotonic() < end, "there is no end to it"
        sock.sendall(piece)
    return raw.split(raw.until_closed(sock))


HEADS = {
    "no end of a line": (b"GET /", b"x"),
    "no end of the lines": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n"),
    "nothing more": (b"GET / HTTP/1.1\r\nHost: a\r\n", b""),
}


@pytest.mark.parametrize("head", HEADS)
def test_head_has_a_time(start, head):
    server = start("http.header_ms=400", "http.max_headers=10000", "http.max_header_bytes=100000",
                   workers=1)  # fmt: skip
    with raw.crowd(1, server.address) as [sock]:
        begin = time.monotonic()
        [answer] = drip(sock, *HEADS[head])
        assert time.monotonic() - begin >= 0.35
    assert (answer.status, answer.closes) == (408, True)
    server.wait_for_log("limit=header_ms hits=1 client=127.0.0.1")


def test_each_head_of_a_connection_has_its_own_time(start):
    server = start("http.header_ms=500", workers=1)
    with server.connect() as connection:
        begin = time.monotonic()
        while time.monotonic() - begin < 1.2:
            connection.send(GOOD[:5])
            raw.has_come(connection.socket, TICK)
            connection.send(GOOD[5:])
            assert connection.receive().status == 200
        connection.send(GOOD[:5])
        answer = connection.receive()
        assert (answer.status, answer.closes) == (408, True)


BODIES = {
    "of a length": (BODY % 100000, b"x"),
    "in chunks": (b"POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                  b"1\r\nx\r\n"),
    "with nothing": (BODY % 100000, b""),
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_body_has_a_time(start, conf, body):
    server = start("-c", conf, "http.body_ms=400", workers=1)
    with raw.crowd(1, server.address) as [sock]:
        begin = time.monotonic()
        [answer] = drip(sock, *BODIES[body])
        assert time.monotonic() - begin >= 0.35
    assert (answer.status, answer.closes) == (408, True)
    server.wait_for_log("limit=body_ms hits=1 client=127.0.0.1")


def test_client_that_stops_reading_is_closed(start, conf):
    server = start("-c", conf, "http.send_ms=400", workers=1)
    with raw.crowd(1, server.address, receive_buffer=SLOW_READER) as [sock]:
        sock.sendall(render("/large"))
        server.wait_for_log("limit=send_ms hits=1 client=127.0.0.1")
        assert len(raw.until_gone(sock)) < LARGE
    assert server.fetch("/hello").status == 200


def test_client_that_reads_a_little_at_a_time_is_not_closed(start, conf):
    """It goes on for several times the limit, and takes less in that time than buffers hold."""
    server = start("-c", conf, "http.send_ms=700", "http.min_rate=0", workers=1)
    with raw.crowd(1, server.address, receive_buffer=SLOW_READER) as [sock]:
        sock.sendall(render("/large"))
        begin = time.monotonic()
        while time.monotonic() - begin < 3:
            assert raw.has_come(sock, DEADLINE) and sock.recv(2048), "the server has closed"
            raw.nothing_for(TICK)
    assert not hits(server.log, "send_ms")


def test_rate_has_a_least(start, conf):
    """After 5 s: a slow body is refused, a slow reader closed, and a fast body goes on."""
    fast_bytes = 128 << 20
    server = start("-c", conf, "http.min_rate=4M", f"http.max_body_bytes={fast_bytes}",
                   workers=1)  # fmt: skip
    with (
        raw.crowd(2, server.address) as [slow, fast],
        raw.crowd(1, server.address, receive_buffer=SLOW_READER) as [reader],
    ):
        reader.sendall(render("/large"))
        raw.wait_until_read(server.port)  # its 5 s are over first
        slow.sendall(BODY % 1000000)
        fast.sendall(BODY % fast_bytes)
        left = fast_bytes
        begin = time.monotonic()
        while not raw.has_come(slow, TICK):
            assert time.monotonic() < begin + DEADLINE, "it may be as slow as it likes"
            slow.sendall(b"x" * 500)
            reader.recv(1000)
            part = min(left, 1 << 20)
            fast.sendall(bytes(part))
            left -= part
        assert time.monotonic() - begin >= 4.5
        [answer] = raw.split(raw.until_closed(slow))
        assert (answer.status, answer.closes) == (408, True)
        server.wait_for_log("limit=min_rate hits=1 client=127.0.0.1")
        assert len(raw.until_gone(reader)) < LARGE
        fast.sendall(bytes(left))
        eventually(lambda: raw.has_come(fast), "the fast one is answered")
        assert fast.recv(65536).startswith(b"HTTP/1.1 415 ")  # the handler's answer: no type


def test_slow_client_is_dropped_whatever_it_sends_meanwhile(start, conf):
    """What it sends is no progress of the answer that it does not take."""
    server = start("-c", conf, "http.send_ms=500", "http.min_rate=0", workers=1)
    with raw.crowd(1, server.address, receive_buffer=SLOW_READER) as [sock]:
        sock.sendall(render("/large"))
        end = time.monotonic() + DEADLINE
        while not hits(server.log, "send_ms"):
            assert time.monotonic() < end, "it is not closed"
            try:
                sock.sendall(b"x")
            except ConnectionError:
                pass
            raw.nothing_for(TICK)


SLOW = {  # limit: (settings, what each client sends)
    "header_ms": ("http.header_ms=300", GOOD[:-1]),
    "body_ms": ("http.body_ms=300", BODY % 10),
    "keepalive_ms": ("http.keepalive_ms=300", GOOD),
    "send_ms": ("http.send_ms=300", render("/large")),
}


@pytest.mark.parametrize("limit", SLOW)
def test_log_tells_of_slow_clients_once_a_second(start, conf, limit):
    setting, request = SLOW[limit]
    server = start("-c", conf, "log.level=debug", setting, workers=1)
    worker = server.serving[0].pid
    before = descriptors(worker)
    for n in HITS, 1, 1, 1, 1:
        with raw.crowd(n, server.address, receive_buffer=SLOW_READER) as sockets:
            for sock in sockets:
                sock.sendall(request)
            if limit == "send_ms":  # whoever reads on would take the answer
                raw.wait_until_read(server.port)
                eventually(lambda: descriptors(worker) <= before, "they are all closed")
            else:
                for sock in sockets:
                    raw.until_closed(sock)
    lines = hits(server.log, limit)
    assert len(lines) > 1
    assert_told_once_a_second(lines, HITS)
    assert all(hit.client.startswith("127.0.0.1:") for hit in lines)


def cut_off(sockets):
    """Clients that send too slowly, up to the end."""
    for sock in sockets:
        sock.sendall(BODY % 10)
    for sock in sockets:
        [answer] = raw.split(raw.until_closed(sock))
        assert (answer.status, answer.closes) == (408, True)


def test_log_tells_of_clients_below_the_rate_once_a_second(start, conf):
    server = start("-c", conf, "http.min_rate=1M", workers=1)
    with raw.crowd(HITS, server.address) as sooner:
        cut_off(sooner)
    with raw.crowd(1, server.address) as later:  # it takes longer than a second
        cut_off(later)
    lines = hits(server.log, "min_rate")
    assert_told_once_a_second(lines, HITS + 1)
    assert all(hit.client.startswith("127.0.0.1:") for hit in lines)
