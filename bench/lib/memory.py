"""What connections cost that only stay, and what large bodies cost on their way."""
import time

from lib import client, proc
from lib.servers import UPLOAD

SOURCES = 8       # addresses on loopback to come from: each has ports of its own
TRANSFERS = 8     # large bodies at once
PAUSE_S = 0.5     # how long a client that is slow does nothing


def idle_ms(server, seconds):
    """CPU time of all the server's processes over so many seconds, in milliseconds."""
    before = proc.run_ns(server.pids)
    time.sleep(seconds)
    return (proc.run_ns(server.pids) - before) / 1e6


def open_idle(port, count, connections):
    """Append that many connections that have had one answer each; the number of bad answers."""
    bad = 0
    for number in range(count):
        connection = client.connect(port, f"127.0.1.{1 + number % SOURCES}")
        connections.append(connection)
        connection.sendall(client.head("/hello"))
        bad += client.answer(connection)[0] != 200
    return bad


def closed(connections):
    gone = 0
    for connection in connections:
        connection.setblocking(False)
        try:
            connection.recv(1)
            gone += 1
        except BlockingIOError:
            pass
        except OSError:
            gone += 1
    return gone


def idle(server, count, seconds):
    """Memory and CPU of connections that wait for their next request."""
    connections = []
    client.ask(server.port, "/hello")
    alone_ms = idle_ms(server, seconds)
    before = proc.proportional_kb(server.worker())
    try:
        bad = open_idle(server.port, count, connections)
        with_ms = idle_ms(server, seconds)
        kept = proc.proportional_kb(server.worker()) - before
        bad += closed(connections)
    finally:
        for connection in connections:
            connection.close()
    return {"connections": count, "bytes_each": 1024 * kept / count, "alone_ms": alone_ms,
            "with_ms": with_ms, "seconds": seconds, "failed": bad}


def growth_kb(server, transfer):
    """How much the worker's peak of resident memory is above where it began; (that, failures)."""
    worker = server.worker()
    client.ask(server.port, "/hello")
    proc.reset_peak(worker)
    before = proc.resident_kb(worker)
    connections = [client.connect(server.port) for _ in range(TRANSFERS)]
    try:
        failed = transfer(connections)
        return proc.peak_kb(worker) - before, failed
    finally:
        for connection in connections:
            connection.close()


def download(connections):
    """Ask, read nothing for a while, then all."""
    for connection in connections:
        connection.sendall(client.head("/files/2m"))
    time.sleep(PAUSE_S)
    return sum(client.answer(connection)[0] != 200 for connection in connections)


def upload(connections):
    """Send half, nothing for a while, then the rest."""
    half = len(UPLOAD) // 2
    for connection in connections:
        connection.sendall(client.head("/upload", False, len(UPLOAD), "application/json"))
        connection.sendall(UPLOAD[:half])
    time.sleep(PAUSE_S)
    for connection in connections:
        connection.sendall(UPLOAD[half:])
    return sum(client.answer(connection)[0] != 200 for connection in connections)
