"""Memory: of the processes, of a connection that waits, of large bodies."""
import time

import peers
import proc
from load import client
from peers.server import UPLOAD
from report.figures import Measure, Metric
from running import rotated

TITLE = "Start and memory"
ABOUT = """\
One worker. PSS counts what processes share once, divided among them; taken after 200 requests. An
idle connection has had one answer and waits for its next request; gone are those that the server
has closed meanwhile. The transfers are eight bodies of 2 MiB at once by clients that pause: how
much the peak of the worker's memory grows."""

WARM_UP = 200
IDLE_CONNECTIONS = 10000
SOURCES = 8       # addresses on loopback to come from: each has ports of its own
TRANSFERS = 8     # large bodies at once
PAUSE_S = 0.5     # how long a client that is slow does nothing


def processes(run):
    """Start, and memory of master and worker."""
    found = Measure("memory", "Start and memory", [
        Metric("start", "ms to first answer", ",.0f", "less"),
        Metric("master", "master PSS KiB"), Metric("worker", "worker PSS KiB"),
        Metric("pss", "PSS KiB", ",.0f", "less")], shown="pss")
    run.say(f"{found.title}: {run.rounds} starts each")
    for number in range(run.rounds):
        run.each(found, rotated(run.make(run.kinds), number), process, checked=False)
    run.add(found)


def process(one):
    for _ in range(WARM_UP):
        client.ask(one.port, "/hello")
    pids = one.pids()
    kb = {pid: proc.proportional_kb(pid) for pid in pids}
    sample = {"start": one.start_ms, "pss": sum(kb.values())}
    if len(pids) > 1:
        sample |= {"master": kb[one.master], "worker": kb[one.worker()]}
    return sample


def open_idle(port, count, connections):
    """Append that many connections that have had one answer each."""
    for number in range(count):
        connection = client.connect(port, f"127.0.1.{1 + number % SOURCES}")
        connections.append(connection)
        connection.sendall(client.head("/hello"))
        client.answer(connection)


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
    pids = server.pids()
    before_kb = server.memory_kb()
    try:
        open_idle(server.port, count, connections)
        ran_ns = proc.run_ns(pids)
        time.sleep(seconds)
        ran_ns = proc.run_ns(pids) - ran_ns
        kept_kb = server.memory_kb() - before_kb
        gone = closed(connections)
    finally:
        for connection in connections:
            connection.close()
    return {"each": 1024 * kept_kb / max(1, count - gone), "cpu": ran_ns / 1e6 / seconds,
            "count": count, "gone": gone}


def waiting(run):
    count = min(1000 if run.short else IDLE_CONNECTIONS, run.most_connections)
    found = Measure("idle", f"{count:,} idle connections", [
        Metric("each", "bytes each", ",.0f", "less"), Metric("cpu", "CPU ms a second", ",.1f"),
        Metric("count", "connections"), Metric("gone", "gone")], shown="each")
    run.say(found.title)
    run.each(found, run.crowded(run.kinds, count), lambda one: idle(one, count, 1))
    if any(sample["gone"] for sample in found.samples.get(peers.OURS, [])):
        run.blame(peers.OURS, "idle connections were closed")
    run.add(found)


def growth_kb(server, transfer):
    """How much the worker's peak of resident memory is above where it began."""
    worker = server.worker()
    client.ask(server.port, "/hello")
    proc.reset_peak(worker)
    before = proc.resident_kb(worker)
    connections = [client.connect(server.port) for _ in range(TRANSFERS)]
    try:
        bad = transfer(connections)
        if bad:
            raise RuntimeError(f"{bad} transfers failed")
        return proc.peak_kb(worker) - before
    finally:
        for connection in connections:
            connection.close()


def download(connections):
    """Ask, read nothing for a while, then all; the number of bad answers."""
    for connection in connections:
        connection.sendall(client.head("/files/2m"))
    time.sleep(PAUSE_S)
    return sum(client.answer(connection)[0] != 200 for connection in connections)


def upload(connections):
    """Send half, nothing for a while, then the rest; the number of bad answers."""
    half = len(UPLOAD) // 2
    for connection in connections:
        connection.sendall(client.head("/upload", False, len(UPLOAD), "application/json"))
        connection.sendall(UPLOAD[:half])
    time.sleep(PAUSE_S)
    for connection in connections:
        connection.sendall(UPLOAD[half:])
    return sum(client.answer(connection)[0] != 200 for connection in connections)


def transfers(run):
    found = Measure("transfers", f"{TRANSFERS} bodies of 2 MiB at once", [
        Metric("down", "download, KiB", ",.0f", "less"),
        Metric("up", "upload, KiB", ",.0f", "less")])
    run.say(found.title)
    run.each(found, run.make(run.kinds), lambda one: {"down": growth_kb(one, download),
                                                      "up": growth_kb(one, upload)})
    run.add(found)


def main(run):
    processes(run)
    waiting(run)
    if not run.short:
        transfers(run)
