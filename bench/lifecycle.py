#!/usr/bin/env python3
"""What the cluster costs and how fast it heals: start, memory, kills.

    bench/lifecycle.py [path of zombie-server]

Starts its own servers on loopback with two workers and prints one line a
measurement. Figures of one machine and one moment: compare runs, not machines.
"""
import json
import os
import re
import select
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time

BINARY = sys.argv[1] if len(sys.argv) > 1 else "build/src/zombie-server"
WORKERS = 2
REQUEST = b"GET %s HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n\r\n"


class Server:
    """A zombie-server on a free port, its log followed by a thread."""

    def __init__(self):
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [BINARY, "-l", "127.0.0.1:0", "-w", str(WORKERS), "--chaos"],
            stderr=subprocess.PIPE, text=True)
        self.lines = []
        while (match := self.read(r"listening on http://127\.0\.0\.1:(\d+)")) is None:
            pass
        self.port = int(match[1])
        threading.Thread(target=self.follow, daemon=True).start()

    def read(self, pattern):
        line = self.process.stderr.readline()
        self.lines.append(line)
        return re.search(pattern, line)

    def follow(self):
        for line in self.process.stderr:
            self.lines.append(line)

    def count(self, text):
        return sum(text in line for line in self.lines)

    def workers(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(path, encoding="ascii") as children:
            return [int(pid) for pid in children.read().split()]

    def await_ready(self, n):
        limit = time.monotonic() + 10
        while self.count(" is ready ") < n:
            if time.monotonic() > limit:
                raise TimeoutError("".join(self.lines[-20:]))
            select.select([], [], [], 0.001)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def exchange(connection, path=b"/"):
    """One request on an open connection: (status, body, whether it stays open)."""
    connection.sendall(REQUEST % path)
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, body = data.split(b"\r\n\r\n", 1)
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += receive(connection)
    return int(head.split()[1]), body, b"connection: close" not in head.lower()


def receive(connection):
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("closed before the answer was complete")
    return data


def fresh(port, path=b"/"):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        return exchange(connection, path)


def first_answer():
    """Milliseconds from before fork and exec of the server to its first whole answer."""
    server = Server()
    fresh(server.port)
    elapsed = (time.perf_counter() - server.started) * 1000
    server.stop()
    return elapsed


def proportional_set_size(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
            total += int(re.search(r"(?m)^Pss:\s+(\d+) kB", rollup.read())[1])
    return total


def identities(server, n=1000):
    seen = [json.loads(fresh(server.port)[1]) for _ in range(n)]
    workers = {one["worker"]: 0 for one in seen}
    for one in seen:
        workers[one["worker"]] += 1
    return workers, {one["instance"] for one in seen}


class Load(threading.Thread):
    """Requests without pause until told to stop; keep-alive or a connection each."""

    def __init__(self, port, keep_alive):
        super().__init__()
        self.port, self.keep_alive = port, keep_alive
        self.answered, self.failed, self.running = 0, [], True

    def run(self):
        connection = None
        while self.running:
            try:
                connection = connection or socket.create_connection(("127.0.0.1", self.port), 10)
                status, _, open_still = exchange(connection, b"/hello")
                self.answered += status == 200
                if status != 200:
                    self.failed.append(status)
                if not (open_still and self.keep_alive):
                    connection.close()
                    connection = None
            except OSError as error:
                self.failed.append(error)
                connection = None
        if connection:
            connection.close()


def kills_under_load(server, n=100):
    """n calls of /workerKiller, each after the last replacement is ready."""
    loads = [Load(server.port, keep_alive=i % 2 == 0) for i in range(8)]
    for load in loads:
        load.start()
    for done in range(1, n + 1):
        fresh(server.port, b"/workerKiller")
        server.await_ready(WORKERS + done)
    for load in loads:
        load.running = False
        load.join()
    return sum(load.answered for load in loads), [f for load in loads for f in load.failed]


def after_kill(server, rounds=50):
    """Milliseconds from kill -9 of a worker to the answer on the next fresh connection."""
    times = []
    for _ in range(rounds):
        ready = server.count(" is ready ")
        victim = server.workers()[0]
        begin = time.perf_counter()
        os.kill(victim, signal.SIGKILL)
        fresh(server.port, b"/hello")
        times.append((time.perf_counter() - begin) * 1000)
        server.await_ready(ready + 1)
    return times


def spread(times):
    return (f"median {statistics.median(times):.2f} ms, "
            f"worst {max(times):.2f} ms of {len(times)}")


def main():
    print("first answer after exec:", spread([first_answer() for _ in range(20)]))
    server = Server()
    server.await_ready(WORKERS)
    workers, instances = identities(server)
    print(f"1000 requests: workers {workers}, {len(instances)} instance")
    pss = proportional_set_size([server.process.pid, *server.workers()])
    print(f"PSS of master and {WORKERS} workers: {pss} kB")
    print("next answer after kill -9:", spread(after_kill(server)))
    server.stop()
    server = Server()
    server.await_ready(WORKERS)
    answered, failed = kills_under_load(server)
    print(f"100 calls of /workerKiller: {answered} requests answered, {len(failed)} failed, "
          f"{len(server.workers())} workers serve {failed[:3]}")
    print("exit status:", server.stop())


if __name__ == "__main__":
    main()
