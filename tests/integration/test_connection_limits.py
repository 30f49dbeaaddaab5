"""How many connections and requests there may be at once, and how long they may last."""

import time

import pytest

from lib import raw
from lib.burden import descriptors
from lib.client import Connection, render
from lib.limit_log import assert_told_once_a_second, hits, told
from lib.wait import eventually

GOOD = render("/hello")
HITS = 200
JSON = {"Content-Type": "application/json"}


def pipeline(server, request, n):
    """The answers to n requests at once, up to the end of the connection or of the answers."""
    with server.connect() as connection:
        connection.send(request * n)
        answers = []
        while len(answers) < n and not (answers and answers[-1].closes):
            answers.append(connection.receive())
        return answers, answers[-1].closes and connection.is_closed()


# How long


def test_idle_connection_is_closed(start):
    server = start("http.keepalive_ms=200", "log.level=debug", workers=1)
    with raw.crowd(2, server.address) as [fresh, used]:
        used.sendall(GOOD)
        begin = time.monotonic()
        assert raw.until_closed(fresh) == b""
        assert time.monotonic() - begin >= 0.15
        [answer] = raw.split(raw.until_closed(used))
    assert (answer.status, answer.closes) == (200, False)
    server.wait_for_log("limit=keepalive_ms hits=1 client=127.0.0.1")


def test_connection_that_is_used_is_not_idle(start):
    server = start("http.keepalive_ms=400", workers=1)
    with server.connect() as connection:
        begin = time.monotonic()
        while time.monotonic() - begin < 1.2:
            assert connection.request("/hello").status == 200
            raw.has_come(connection.socket, 0.1)


def test_old_connection_is_closed_with_an_answer(start):
    server = start("http.keepalive_total_ms=300", "log.level=debug", workers=1)
    with server.connect() as connection:
        begin = time.monotonic()
        while not connection.request("/hello").closes:
            raw.has_come(connection.socket, 0.02)
        assert time.monotonic() - begin >= 0.25
        assert connection.is_closed()
    server.wait_for_log("limit=keepalive_total_ms hits=1 client=127.0.0.1")


@pytest.mark.parametrize("most", [1, 3])
def test_connection_has_a_last_request(start, most):
    server = start(f"http.keepalive_requests={most}", "log.level=debug", workers=1)
    with server.connect() as connection:
        said = [connection.request("/hello").closes for _ in range(most)]
        assert said == [False] * (most - 1) + [True]
        assert connection.is_closed()
    answers, closed = pipeline(server, GOOD, 10)
    assert (len(answers), closed) == (most, True)
    assert hits(server.log, "keepalive_requests")[0].client is not None


# How many


def test_pipelining_ends_at_its_limit(start):
    most = 5
    server = start(f"http.max_pipelined={most}", workers=1)
    answers, closed = pipeline(server, GOOD, most)
    assert ([answer.status for answer in answers], closed) == ([200] * most, False)
    answers, closed = pipeline(server, GOOD, 4 * most)
    assert most <= len(answers) <= most + 1
    assert {answer.status for answer in answers} == {200}
    assert closed
    server.wait_for_log("limit=max_pipelined hits=1 client=127.0.0.1")
    with server.connect() as connection:
        for _ in range(4):
            connection.send(GOOD * most)
            assert [connection.receive().closes for _ in range(most)] == [False] * most


@pytest.mark.valgrind
def test_pipelining_with_bodies_ends_at_its_limit(start, tmp_path):
    (tmp_path / "json.conf").write_text('route "/json" { handler = json }')
    server = start("-c", tmp_path / "json.conf", "http.max_pipelined=5", workers=1)
    answers, closed = pipeline(server, render("/json", "POST", JSON, b"[]"), 20)
    assert 5 <= len(answers) <= 6 and closed


def full(server, n):
    """So many connections that have all been answered once."""
    connections = [server.connect() for _ in range(n)]
    for connection in connections:
        assert connection.request("/hello").status == 200
    return connections


def test_new_connection_takes_the_place_of_the_one_that_was_idle_longest(start):
    server = start("http.max_connections=3", workers=1)
    connections = full(server, 3)
    begin = time.monotonic()
    with server.connect() as late:
        assert late.request("/hello").status == 200
        assert time.monotonic() - begin >= 0.5
        assert connections[0].is_closed()
        for connection in connections[1:]:
            assert connection.request("/hello").status == 200
    server.wait_for_log("limit=max_connections hits=")
    for connection in connections:
        connection.close()


def test_new_connection_waits_while_all_are_busy(start):
    server = start("http.max_connections=3", workers=1)
    busy = [server.connect() for _ in range(3)]
    for connection in busy:
        connection.send(GOOD[:-2])
    with server.connect() as late:
        late.send(GOOD)
        server.wait_for_log("limit=max_connections hits=")
        assert not raw.has_come(late.socket, 1.5)
        busy[0].close()
        assert late.receive().status == 200
    for connection in busy[1:]:
        connection.send(GOOD[-2:])
        assert connection.receive().status == 200
        connection.close()


def test_idle_connections_make_room_for_one_after_the_other(start):
    """Also for those that come when all is quiet, and nothing else would end in time."""
    server = start("http.max_connections=10", "http.header_ms=600000", "http.keepalive_ms=600000",
                   workers=1)  # fmt: skip
    connections = []
    for _ in range(20):
        connections += full(server, 1)
        assert connections[-1].request("/hello").status == 200  # the worker has come to rest
    for connection in connections:
        connection.close()


def test_idle_connection_stays_while_nobody_waits_for_its_place(start):
    server = start("http.max_connections=2", "http.header_ms=300", workers=1)
    connections = full(server, 2)
    assert not any(raw.has_come(connection.socket, 0.8) for connection in connections)
    for connection in connections:
        assert connection.request("/hello").status == 200
        connection.close()


def test_client_has_so_many_connections_and_no_more(start):
    server = start("http.max_connections_per_client=2", workers=1)
    connections = full(server, 2)
    with raw.crowd(1, server.address) as [third]:
        [answer] = raw.split(raw.until_closed(third))
    assert (answer.status, answer.closes) == (503, True)
    server.wait_for_log("limit=max_connections_per_client hits=1 client=127.0.0.1")
    with raw.crowd(2, server.address, source="127.0.0.2") as others:
        for other in others:
            other.sendall(render("/hello", headers={"Connection": "close"}))
            assert raw.split(raw.until_closed(other))[0].status == 200
    assert connections.pop().request("/hello", headers={"Connection": "close"}).status == 200
    with server.connect() as again:
        assert again.request("/hello").status == 200
    connections[0].close()


def test_clients_of_a_unix_socket_are_not_counted(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start("http.max_connections_per_client=2", "-l", f"unix:{path}", workers=1)
    connections = [Connection(path) for _ in range(10)]
    for connection in connections:
        assert connection.request("/hello").status == 200
        connection.close()
    assert server.fetch("/hello").status == 200


def test_refused_connections_do_not_count(start):
    server = start("http.max_connections_per_client=2", workers=1)
    worker = server.serving[0].pid
    before = descriptors(worker)
    for _ in range(20):
        connections = full(server, 2)
        assert [raw.refusal(server.address) for _ in range(3)] == [503] * 3
        for connection in connections:
            connection.close()
        eventually(lambda: descriptors(worker) <= before, "the worker has closed all")


# What the log says of it

HIT = {  # limit: (what hits it, on a connection of its own; the status)
    "malformed": (b"x\r\n\r\n", 400),
    "max_header_bytes": (b"GET / HTTP/1.1\r\nX: " + b"x" * 2000, 431),
    "max_headers": (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 100, 431),
    "max_uri_bytes": (render("/" + "x" * 300), 414),
    "max_body": (render("/", "POST", {"Content-Length": 2000}), 413),
    "hosts": (render("/", headers={"Host": "other.test"}), 421),
    "max_pipelined": (GOOD * 10, 200),
    "keepalive_requests": (GOOD * 12, 200),
}


@pytest.mark.parametrize("limit", HIT)
def test_log_tells_of_a_limit_once_a_second(start, limit):
    request, status = HIT[limit]
    pipelined = 100 if limit == "keepalive_requests" else 5
    server = start("log.level=debug", "http.max_header_bytes=1000", "http.max_headers=20",
                   "http.max_uri_bytes=200", "http.max_body_bytes=1000", "http.hosts=zombie.test",
                   "http.keepalive_requests=11", f"http.max_pipelined={pipelined}",
                   workers=1)  # fmt: skip
    for _ in range(HITS):
        answers = raw.ask(server.address, request)
        assert (answers[-1].status, answers[-1].closes) == (status, True)

    def told_again():
        raw.ask(server.address, request)
        return told(server.log, limit) > HITS

    eventually(told_again, "the log tells of it again")
    lines = hits(server.log, limit)
    assert_told_once_a_second(lines, HITS + 1)
    assert all(hit.client.startswith("127.0.0.1:") for hit in lines)


def test_log_tells_of_refused_clients_once_a_second(start):
    server = start("http.max_connections_per_client=1", workers=1)
    limit = "max_connections_per_client"
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(GOOD)
        assert sock.recv(65536)
        for _ in range(HITS):
            assert raw.refusal(server.address) == 503

        def told_again():
            return raw.refusal(server.address) == 503 and told(server.log, limit) > HITS

        eventually(told_again, "the log tells of it again")
    lines = hits(server.log, limit)
    assert_told_once_a_second(lines, HITS + 1)
    assert all(hit.client.startswith("127.0.0.1:") for hit in lines)


def test_log_tells_of_full_workers_once_a_second(start):
    server = start("http.max_connections=1", workers=1)

    def told_again():
        """One is busy, the others find no place and then take each other's."""
        with raw.crowd(1, server.address) as [busy]:
            busy.sendall(GOOD[:-2])
            raw.wait_until_read(server.port)
            with raw.crowd(20, server.address) as others:
                for sock in others:
                    sock.sendall(render("/hello", headers={"Connection": "close"}))
                busy.sendall(GOOD[-2:] + GOOD[:-2])
                busy.close()
                for sock in others:
                    assert raw.split(raw.until_closed(sock))[0].status == 200
        limit = "max_connections"
        return len(hits(server.log, limit)) > 2 and told(server.log, limit) >= 10

    eventually(told_again, "the log tells of it again and again")
    assert_told_once_a_second(hits(server.log, "max_connections"), 10)
