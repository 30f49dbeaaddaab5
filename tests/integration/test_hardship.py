"""Hard times: nobody reads the log, descriptors run out, workers lie, clients take no answer."""

import contextlib
import json
import os
import re
import resource
import signal
import socket
import struct

import pytest

from lib import process
from lib.client import Connection, render
from lib.wait import eventually

HOUR = 3600000
LOG_LIMIT = 16384
HELLO, MASTER_ID, CHAOS = 1, 3, 8


def frame(kind, payload):
    """A frame of the channel, as doc/protocol.md describes it."""
    return struct.pack("!2sBBI", b"ZS", 2, kind, len(payload)) + payload


def say(worker, kind, payload):
    """Say something to the master on the channel of this worker."""
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.send(frame(kind, payload))


def full_pipe():
    """A pipe that takes nothing more until somebody reads it: (reader, writer)."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, b"\n" * 4096)
    os.set_blocking(writer, True)
    return reader, writer


def first_child(pid):
    """The worker of a server whose log cannot be read."""
    return eventually(lambda: process.children_of(pid), "the server has a worker")[0]


def await_answer(path):
    def answers():
        try:
            with Connection(path) as connection:
                return connection.request("/hello").status == 200
        except OSError:
            return False

    eventually(answers, "the server answers")


def test_log_that_nobody_reads_stops_nothing(start, tmp_path):
    reader, writer = full_pipe()
    path = str(tmp_path / "socket")
    server = start(f"log.target=/proc/self/fd/{writer}", listen=f"unix:{path}", workers=1,
                   wait=False, pass_fds=[writer])  # fmt: skip
    await_answer(path)
    victim = first_child(server.pid)
    process.kill(victim)
    eventually(lambda: not process.is_alive(victim), "the worker is dead")
    await_answer(path)
    os.read(reader, 1 << 20)
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as rest:
        assert "lines of the log were lost" in rest.read()


@pytest.fixture
def fifo(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


class Reader:
    """The reading end of a FIFO; `text` is what has come so far."""

    def __init__(self, fifo):
        self._fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self._bytes = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._fd)

    def wait_for(self, words):
        eventually(lambda: words in self.text, f"'{words}' in the pipe")

    @property
    def text(self):
        with contextlib.suppress(BlockingIOError):
            self._bytes += os.read(self._fd, 1 << 16)
        return self._bytes.decode()


def await_replacement(server, path):
    """Prove that the master goes on, whose log may be anywhere."""
    victim = first_child(server.pid)
    process.kill(victim)
    eventually(lambda: not process.is_alive(victim), "the worker is dead")
    await_answer(path)


def test_fifo_without_a_reader_is_refused_as_a_log(start, fifo):
    server = start(f"log.target={fifo}", wait=False)
    server.expected_status = 71
    assert server.wait() == 71
    server.wait_for_log(f"cannot log to {fifo}: No such device or address$")


def test_fifo_whose_reader_goes_away_stops_nothing(start, fifo, tmp_path):
    path = str(tmp_path / "socket")
    with Reader(fifo) as reader:
        server = start(f"log.target={fifo}", listen=f"unix:{path}", workers=1, wait=False)
        await_answer(path)
        reader.wait_for("worker 1 is ready")
    for number in signal.SIGUSR1, signal.SIGHUP, signal.SIGUSR1:
        server.send_signal(number)
        await_replacement(server, path)
    with Reader(fifo) as reader:
        server.send_signal(signal.SIGUSR1)
        reader.wait_for("opened the log again")
        assert "lines of the log were lost" in reader.text
        server.send_signal(signal.SIGHUP)
        reader.wait_for("reloaded: generation 2 serves")
        await_answer(path)
        server.send_signal(signal.SIGTERM)
        assert server.wait() == 0


def test_log_file_at_its_limit_stops_nothing(start, tmp_path):
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (LOG_LIMIT, LOG_LIMIT))

    path = str(tmp_path / "socket")
    server = start(listen=f"unix:{path}", workers=1, preexec=limit_files)
    for _ in range(60):
        victim = first_child(server.pid)
        process.kill(victim)
        eventually(lambda: not process.is_alive(victim), "the worker is dead")
        await_answer(path)
    assert os.path.getsize(server.log_path) <= LOG_LIMIT
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0


def test_closed_standard_streams_are_no_place_for_a_log(start, tmp_path):
    def close_standard_streams():
        for fd in range(3):
            os.close(fd)

    path, pidfile = str(tmp_path / "socket"), tmp_path / "pid"
    server = start("-p", pidfile, listen=f"unix:{path}", workers=1, wait=False,
                   preexec=close_standard_streams)  # fmt: skip
    await_answer(path)
    process.kill(first_child(server.pid))
    await_answer(path)
    assert pidfile.read_text() == f"{server.pid}\n"
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0


def test_worker_without_descriptors_waits_for_some(start):
    server = start(workers=1)
    worker = server.serving[0]
    taken = len(os.listdir(f"/proc/{worker.pid}/fd"))
    soft_and_hard = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (taken + 4, soft_and_hard[1]))
    idle = [Connection(server.address) for _ in range(10)]
    server.wait_for_log("accept: Too many open files, trying again")
    for connection in idle:
        connection.close()
    assert server.identity()["worker"] == worker.id


@pytest.mark.root
@pytest.mark.parametrize(
    "kind, payload, reason",
    [
        (HELLO, struct.pack("!QII", 99, 1, 1), "its HELLO names another worker"),
        (MASTER_ID, struct.pack("!I", 1), "it asks MASTER_ID again and again"),
        (CHAOS, struct.pack("!BIB", 1, 0, 0), "it reports chaos, which is switched off"),
        (99, b"", "it sent a malformed frame"),
    ],
)
def test_worker_that_lies_is_killed_and_replaced(start, kind, payload, reason):
    server = start()
    liar, other = server.serving
    say(liar, kind, payload)
    server.wait_for_log(f"killing worker {liar.id}: {reason}")
    server.wait_until_replaced(liar)
    assert not server.workers[other.id].is_dead


def test_slow_clients_of_leaving_workers_leave_a_place_for_a_successor(start):
    server = start(f"instance.grace_ms={HOUR}", "--chaos", workers=1)
    held = []
    for _ in range(25):
        worker = server.serving[0]
        connection = Connection(server.address)
        assert connection.request("/hello").status == 200
        connection.send("GET /hello HTTP/1.1\r\n")
        held.append(connection)
        assert server.fetch("/workerKiller").status == 200
        server.wait_until_replaced(worker)
    server.wait_for_log("killing worker 1: too many workers leave, its place is needed")
    for connection in held:
        connection.close()


def test_pipelining_client_that_reads_nothing_is_held_back(start, tmp_path):
    enough = 64 << 20
    conf = tmp_path / "big.conf"
    conf.write_text('route "/big" { handler = text\n body = "%s" }\n' % ("x" * 65536))
    server = start("-c", conf, workers=1)
    requests = render("/big") * 1000
    with Connection(server.address) as connection:
        connection.socket.settimeout(2)
        sent = 0
        with pytest.raises(TimeoutError):
            while sent < enough:
                sent += connection.socket.send(requests)
    assert sent < enough
    assert server.fetch("/hello").status == 200


def test_signal_death_in_a_row_resets_nobody(start):
    server = start("--chaos")
    for _ in range(100):
        response = server.fetch("/workerKiller?mode=kill")
        assert (response.status, json.loads(response.body)["mode"]) == (200, "kill")


def test_later_death_does_not_put_off_an_earlier_one(start):
    server = start("--chaos", workers=1)
    worker = server.serving[0]
    for query in "mode=kill&after_ms=200", f"mode=exit&after_ms={HOUR}":
        assert server.fetch(f"/workerKiller?{query}").status == 200
    server.wait_for_log(f"worker {worker.id} died: killed by SIGKILL .*deliberate=yes")


def test_crash_before_a_planned_death_is_a_crash(start):
    server = start("--chaos", workers=1)
    worker = server.serving[0]
    assert server.fetch(f"/workerKiller?after_ms={HOUR}").status == 200
    process.kill(worker.pid, signal.SIGKILL)
    server.wait_for_log(f"worker {worker.id} died: killed by SIGKILL .*deliberate=no")


def test_stopped_worker_does_not_outlive_the_master(start):
    server = start("instance.grace_ms=0", workers=1)
    worker = server.serving[0]
    process.kill(worker.pid, signal.SIGSTOP)
    eventually(lambda: process.is_stopped(worker.pid), "the worker is stopped")
    server.expected_status = -signal.SIGKILL
    server.send_signal(signal.SIGKILL)
    eventually(lambda: not process.is_alive(worker.pid), "the worker is gone")


def test_unix_socket_stays_while_connections_are_accepted(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start(f"instance.drain_delay_ms={HOUR}", listen=f"unix:{path}")
    server.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping")

    def drains():
        with Connection(path) as connection:
            return connection.request("/healthcheck").status == 503

    eventually(drains, "the health check says draining, to whoever connects")
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    assert not os.path.exists(path)


@pytest.mark.root
def test_group_counts_without_a_user(start):
    server = start("instance.group=nogroup", workers=1)
    status = process.status_of(server.serving[0].pid)
    gids = re.split(r"\s+", status["Gid"].strip())
    with open("/etc/group", encoding="ascii") as groups:
        nogroup = next(line.split(":")[2] for line in groups if line.startswith("nogroup:"))
    assert set(gids) == {nogroup}
    assert status["Groups"].split() == [nogroup]


def test_two_fast_stops_with_open_connections_end_cleanly(start):
    server = start("http.max_connections=2", "-l", "127.0.0.1:0", workers=1)
    connections = [Connection(("127.0.0.1", port)) for port in server.ports * 3]
    server.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping: ")
    server.send_signal(signal.SIGTERM)
    assert server.wait() == 0
    for connection in connections:
        connection.close()
