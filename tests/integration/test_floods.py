"""Clients that want to exhaust a worker: it needs little for them, and others are answered."""

import os
import resource
import threading

import pytest

from lib import raw
from lib.burden import Burden, descriptors
from lib.client import Connection, render
from lib.limit_log import assert_told_once_a_second, hits
from lib.neighbour import Neighbour
from lib.wait import DEADLINE, eventually

MIB = 1 << 20
KIB = 1 << 10
GOOD = render("/hello")
PATIENCE = ("http.header_ms=600000", "http.body_ms=600000", "http.send_ms=600000",
            "http.min_rate=0")  # fmt: skip
BODY_BYTES = 65000
FILE_BYTES = 16 * MIB  # the kernel alone takes 4 for a client that does not read
SMALL_BUFFER = 4096
ROUNDS = 20
TICK = 0.05
# Generous: what is measured beside it is a few percent.
CPU_SHARE = 0.5


@pytest.fixture
def conf(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    with open(root / "file", "wb") as file:
        file.truncate(FILE_BYTES)
    (root / "file").chmod(0o644)
    path = tmp_path / "routes.conf"
    path.write_text(
        f'route "/big" {{ handler = text  body = "{"x" * BODY_BYTES}" }}\n'
        f'route "/file" {{ handler = files  root = "{root}" }}\n'
        'route "/json" { handler = json }\n'
    )
    return path


@pytest.fixture
def besieged(start, conf):
    """Start a server with these settings: (server, its worker's burden)."""

    def start_one(*settings):
        server = start("-c", conf, *PATIENCE, *settings, workers=1)
        assert server.fetch("/hello").status == 200
        return server, Burden(server.serving[0].pid)

    return start_one


def in_rounds(burden, sockets, act):
    """Let each client act again and again, a little at a time."""
    for _ in range(ROUNDS):
        for sock in sockets:
            act(sock)
        raw.nothing_for(TICK)
        burden.look()


SLOWLY = {  # beginning, what follows again and again, bytes a client
    "heads": (b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ", b"x", 8 * KIB),
    "header lines": (b"GET /hello HTTP/1.1\r\nHost: a\r\n", b"a: b\r\n", 8 * KIB),
    "bodies": (b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n", b"x" * 50,
               16 * KIB),
    "chunks": (b"POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
               b"1\r\nx\r\n", 16 * KIB),
}  # fmt: skip


@pytest.mark.parametrize("kind", SLOWLY)
def test_300_slow_requests_cost_little(besieged, kind):
    beginning, piece, each = SLOWLY[kind]
    server, burden = besieged()
    with Neighbour(server), raw.crowd(300, server.address) as sockets:
        for sock in sockets:
            sock.sendall(beginning)
        in_rounds(burden, sockets, lambda sock: sock.sendall(piece))
        assert not raw.ready(sockets)
    burden.assert_growth_below(300 * each + MIB)
    assert burden.cpu_share < CPU_SHARE


READERS = {  # what each asks for, bytes a client
    "memory": (render("/big") * 100, 128 * KIB),
    "a file": (render("/file"), 32 * KIB),
}


@pytest.mark.parametrize("kind", READERS)
def test_100_slow_readers_cost_little(besieged, kind):
    request, each = READERS[kind]
    server, burden = besieged()
    with (
        Neighbour(server),
        raw.crowd(100, server.address, receive_buffer=SMALL_BUFFER) as sockets,
    ):
        for sock in sockets:
            sock.sendall(request)
        in_rounds(burden, sockets, lambda sock: sock.recv(1024))
    burden.assert_growth_below(100 * each + MIB)
    assert burden.cpu_share < CPU_SHARE


def send_until_stuck(sock, data):
    """Returns how many of these bytes somebody has taken, when nothing more goes for a while."""
    sock.settimeout(0.5)
    view, sent = memoryview(data), 0
    try:
        while sent < len(data):
            sent += sock.send(view[sent : sent + 65536])
    except TimeoutError:
        pass
    sock.settimeout(DEADLINE)
    return sent


def test_pipelined_flood_is_held_back_and_answered_in_full(besieged):
    n = 200000
    server, burden = besieged("http.max_pipelined=1000000", "http.keepalive_requests=0")
    flood = GOOD * n
    with Neighbour(server), raw.crowd(1, server.address) as [sock]:
        sent = send_until_stuck(sock, flood)
        burden.look()
        assert sent < len(flood)
        sender = threading.Thread(target=sock.sendall, args=[memoryview(flood)[sent:]])
        sender.start()
        answers, rest = 0, b""
        while answers < n:
            rest += sock.recv(MIB)
            answers += rest.count(b"HTTP/1.1 200 OK\r\n")
            rest = rest[rest.rfind(b"HTTP/1.1 200 OK\r\n") + 1 :]
        sender.join()
    assert answers == n
    burden.assert_growth_below(4 * MIB)


def test_pipelined_flood_of_large_answers_is_held_back(besieged):
    server, burden = besieged("http.max_pipelined=1000000")
    flood = render("/big") * 200000
    with Neighbour(server), raw.crowd(5, server.address) as sockets:
        for sock in sockets:
            assert send_until_stuck(sock, flood) < len(flood)
            burden.look()
        idle = Burden(server.serving[0].pid)
        raw.nothing_for(0.5)
        assert idle.cpu_share < CPU_SHARE
    burden.assert_growth_below(4 * MIB)


CHUNKED = b"POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "request line": (b"GET /", b"x" * 1000, 414),
    "method": (b"", b"X" * 1000, 414),
    "header line": (b"GET / HTTP/1.1\r\nHost: a\r\nX: ", b"x" * 1000, 431),
    "header lines": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n" * 100, 431),
    "empty lines": (b"", b"\r\n" * 100, 400),
    "chunk size": (CHUNKED, b"0" * 1000, 413),
    "chunk extension": (CHUNKED + b"1;", b"x" * 1000, 400),
    "chunk extensions": (CHUNKED, b"1;a=b\r\nx\r\n" * 100, 400),
    "trailer": (CHUNKED + b"0\r\n", b"x" * 1000, 431),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 100, 431),
    "tiny chunks": (CHUNKED, b"1\r\nx\r\n" * 1000, 413),
}


@pytest.mark.parametrize("kind", ENDLESS)
def test_what_never_ends_is_refused(besieged, kind):
    beginning, piece, status = ENDLESS[kind]
    server, burden = besieged("http.max_body_bytes=100000")
    with Neighbour(server), raw.crowd(20, server.address) as sockets:
        for sock in sockets:
            sent = 0
            sock.sendall(beginning)
            while not raw.has_come(sock, 0):
                try:
                    sock.sendall(piece)
                except BrokenPipeError:
                    break  # it was refused just then
                sent += len(piece)
                assert sent < 16 * MIB
            [answer] = raw.split(raw.until_closed(sock))
            assert (answer.status, answer.closes) == (status, True)
            burden.look()
    burden.assert_growth_below(2 * MIB)


def test_flood_of_connections_leaves_nothing_behind(besieged):
    server, burden = besieged()
    worker = server.serving[0].pid
    before = descriptors(worker)
    with Neighbour(server):
        for _ in range(20):
            with raw.crowd(200, server.address) as sockets:
                for sock in sockets[::2]:
                    sock.sendall(GOOD[:9])
                burden.look()
    eventually(lambda: descriptors(worker) <= before, "all connections are closed")
    burden.assert_growth_below(2 * MIB)


def test_silent_connections_make_room(besieged):
    """All places are taken by clients that say nothing, and more wait: each goes after a second."""
    server, burden = besieged("http.max_connections=100")
    with raw.crowd(250, server.address) as sockets:
        with server.connect() as connection:
            assert connection.request("/hello").status == 200
            assert burden.cpu_share < CPU_SHARE
        assert len(raw.ready(sockets)) >= 150
    assert hits(server.log, "max_connections")
    burden.assert_growth_below(2 * MIB)


def test_lack_of_descriptors_does_not_spin(besieged):
    server, _ = besieged()
    worker = server.serving[0].pid
    _, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    with server.connect() as kept:
        assert kept.request("/hello").status == 200
        used = len(os.listdir(f"/proc/{worker}/fd"))
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (used + 10, hard))
        with raw.crowd(50, server.address) as sockets:
            for sock in sockets:
                sock.sendall(GOOD)
            server.wait_for_log("limit=descriptors hits=1")
            burden = Burden(worker)
            while len(hits(server.log, "descriptors")) < 3:
                assert kept.request("/hello").status == 200
                raw.nothing_for(TICK)
            assert burden.cpu_share < 0.3
            assert_told_once_a_second(hits(server.log, "descriptors"), 10)
            assert len(raw.ready(sockets)) < len(sockets)
            for sock in sockets:
                sock.settimeout(DEADLINE)
                assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
                raw.destroy(sock)
    assert server.fetch("/hello").status == 200


def test_lingering_is_bounded(besieged):
    """Refused clients that never close: the worker closes them, and reads no more than some MiB."""
    server, burden = besieged()
    worker = server.serving[0].pid
    before = descriptors(worker)
    with Neighbour(server), raw.crowd(800, server.address) as sockets:
        for sock in sockets:
            sock.sendall(b"x\r\n\r\n")
        raw.wait_until_read(server.port)
        burden.look()
        assert descriptors(worker) < before + 600
        eventually(lambda: descriptors(worker) <= before + 3, "none lingers any more")
    burden.assert_growth_below(4 * MIB)


def test_half_closed_connections_cost_no_cpu(besieged):
    """What the end of a request's stream leaves readable for ever is no reason to spin."""
    server, _ = besieged()
    with raw.crowd(50, server.address, receive_buffer=SMALL_BUFFER) as sockets:
        for sock in sockets:
            sock.sendall(render("/file"))
            sock.shutdown(1)
        raw.wait_until_read(server.port)
        burden = Burden(server.serving[0].pid)
        raw.nothing_for(1)
        assert burden.cpu_share < 0.3
        with Connection(server.address) as other:
            assert other.request("/hello").status == 200
