"""What is shared out when there is too little: places, descriptors, memory for bodies, time."""

import resource
import signal
import time

import pytest

from lib import raw
from lib.client import render
from lib.limit_log import hits
from lib.wait import eventually

POST = b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def conf(tmp_path):
    """Its path /large is a file of 64 MB, and /json takes bodies."""
    root = tmp_path / "root"
    root.mkdir()
    with open(root / "large", "wb") as file:
        file.truncate(64 << 20)
    (root / "large").chmod(0o644)
    path = tmp_path / "routes.conf"
    path.write_text(
        f'route "/large" {{ handler = files  root = "{root}" }}\n'
        'route "/json" { handler = json }\n'
    )
    return path


def test_bodies_share_a_memory(start, conf):
    server = start("-c", conf, "http.max_bodies_bytes=100K", workers=1)
    body = b'"' + b"x" * 79998 + b'"'
    with raw.crowd(2, server.address) as [first, second]:
        first.sendall(POST % len(body) + body[:-1])
        raw.wait_until_read(server.port)
        second.sendall(POST % len(body) + body)
        assert raw.until_closed(second).startswith(b"HTTP/1.1 503 ")
        first.sendall(body[-1:])
        assert first.recv(17) == b"HTTP/1.1 200 OK\r\n"
    server.wait_for_log("limit=max_bodies_bytes hits=1 client=127.0.0.1")
    assert server.fetch("/json", "POST", body=body,
                        headers={"Content-Type": "application/json"}).status == 200  # fmt: skip


def test_full_worker_makes_room_while_it_drains(start):
    """Those who come during the delay are served, at the cost of connections that idle."""
    server = start("http.max_connections=5", "instance.drain_delay_ms=5000", workers=1)
    with raw.crowd(5, server.address) as idle:
        for sock in idle:
            sock.sendall(render("/hello"))
            assert sock.recv(4096)
        raw.nothing_for(1.1)  # as long as one must have idled
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping")
        assert server.fetch("/hello").status == 200
    assert server.wait() == 0


def test_fast_reader_of_a_large_answer_is_not_taken_for_a_slow_one(start, conf):
    """What the kernel took at once counts as soon as the client has it."""
    server = start("-c", conf, "http.min_rate=1K", workers=1)
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(render("/large"))
        begin, taken = time.monotonic(), 0
        while (passed := time.monotonic() - begin) < 7:
            if taken < 150000 * passed:
                taken += len(sock.recv(16384))
            else:
                raw.nothing_for(0.01)
    assert not hits(server.log, "min_rate")


def test_few_descriptors_are_shared_by_connections_and_files(start, conf):
    limit = (200, 200)
    server = start("-c", conf, workers=1,
                   preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limit))  # fmt: skip
    with raw.crowd(60, server.address, receive_buffer=4096) as readers:
        for sock in readers:
            sock.sendall(render("/large"))
        for sock in readers:
            assert sock.recv(15) == b"HTTP/1.1 200 OK"
        assert server.fetch("/hello").status == 200
    eventually(lambda: server.fetch("/large", "HEAD").status == 200, "files are there again")
    assert not hits(server.log, "descriptors")
