#!/usr/bin/env python3
"""How fast zombie-distributor tells all nodes of one that comes or goes, and what it costs.

    bench/distributor.py [--nodes N]... [--rounds N] [--program PATH]

For each number of nodes: how long it takes until all of them, who come at once, have the
list with everybody in it; how long from the POST of one more until the last byte of the new
list is at the last node, and the same when it leaves; the memory of the program for each node;
its CPU time for each list that goes to all, and how long it waited for a CPU meanwhile, which is
for others on the machine. The nodes are sockets of one process that throws
away what it reads (MSG_TRUNC), on the same machine: what it takes is in the figures.
"""
import argparse
import json
import re
import select
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import proc
from running import raise_limit

END = "\u00b6".encode()
SINK = bytearray(1 << 20)
SOURCES = 8       # addresses on loopback to come from: each has ports of its own
BATCH = 64        # who connects before the others read
PATIENCE_S = 120


def post(number):
    return json.dumps({"uri": "/distributes", "method": "POST", "key": 0, "params": {
        "port": 10000 + number % 50000, "name": f"n{number:05}", "urls": ["GET/a"]}}).encode() + END


class Program:
    def __init__(self, path, nodes):
        self.path, self.nodes = path, nodes
        self.folder = tempfile.TemporaryDirectory(prefix="zombie-bench-")
        self.control = f"-odistributor.control={self.folder.name}/control.sock"

    def __enter__(self):
        log = Path(self.folder.name) / "log"
        self.process = subprocess.Popen(
            [self.path, self.control, "-odistributor.listen=127.0.0.1:0", f"-olog.target={log}",
             f"-odistributor.max_nodes={self.nodes + 16}"])
        limit = time.monotonic() + 10
        while not (found := log.exists() and re.search(r"listens on .*?:(\d+) ", log.read_text())):
            if time.monotonic() > limit:
                raise TimeoutError("the program does not start")
            time.sleep(0.01)
        self.port = int(found[1])
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)
        self.folder.cleanup()

    def status(self):
        return json.loads(subprocess.check_output([self.path, "--status", "--json", self.control]))

    def anonymous_kb(self):
        return proc.kilobytes(self.process.pid, "status", "RssAnon")

    def cpu_ms(self):
        """How long it was on a CPU so far, and how long it waited for one that others had."""
        fields = proc.read(f"/proc/{self.process.pid}/schedstat").split()
        return int(fields[0]) / 1e6, int(fields[1]) / 1e6


class Star:
    """The nodes: sockets, and how many bytes each has read."""

    def __init__(self, port):
        self.port = port
        self.epoll = select.epoll()
        self.sockets = {}
        self.read = {}

    def close(self):
        for one in self.sockets.values():
            one.close()
        self.epoll.close()

    def join(self, number):
        one = socket.socket()
        one.bind((f"127.0.1.{1 + number % SOURCES}", 0))
        one.connect(("127.0.0.1", self.port))
        one.setblocking(False)
        one.sendall(post(number))
        self.sockets[one.fileno()] = one
        self.read[one.fileno()] = 0
        self.epoll.register(one, select.EPOLLIN)
        return one

    def leave(self, one):
        self.epoll.unregister(one)
        del self.sockets[one.fileno()], self.read[one.fileno()]
        one.close()

    def drain(self, timeout):
        """Read what is there; whether there was anything."""
        ready = self.epoll.poll(timeout, 1024)
        for fd, _ in ready:
            count = self.sockets[fd].recv_into(SINK, 0, socket.MSG_TRUNC)
            if count == 0:
                raise RuntimeError("a node was cut off")
            self.read[fd] += count
        return bool(ready)

    def fill(self, count):
        for number in range(count):
            self.join(number)
            if number % BATCH == 0:
                self.drain(0)

    def await_all(self, length, but=None):
        """Wait until each has read so many bytes; the times at which they had."""
        times = []
        waiting = {fd for fd in self.sockets if fd != but and self.read[fd] < length}
        limit = time.monotonic() + PATIENCE_S
        while waiting:
            for fd, _ in self.epoll.poll(1, 1024):
                self.read[fd] += self.sockets[fd].recv_into(SINK, 0, socket.MSG_TRUNC)
                if self.read[fd] >= length and fd in waiting:
                    waiting.discard(fd)
                    times.append(time.perf_counter())
            if time.monotonic() > limit:
                raise TimeoutError(f"{len(waiting)} nodes have not got the list")
        return times

    def forget(self):
        self.read = dict.fromkeys(self.sockets, 0)


def settle(program, star, count):
    """Read until all have the list of all; its length."""
    while True:
        while star.drain(0.2):
            pass
        status = program.status()
        if status["node_count"] == count and status["behind"] == 0:
            return status["list_bytes"], status["counted"]["broadcasts"]


def one_round(program, star, count, length):
    """Milliseconds until the last and the median node know that one has come, and has gone."""
    star.forget()
    longer = length + (length - 62) // count  # one more like the others, about
    before = program.cpu_ms()
    begin = time.perf_counter()
    guest = star.join(count)
    come = star.await_all(longer - 2)
    after = program.cpu_ms()
    settle(program, star, count + 1)
    star.forget()
    again = time.perf_counter()
    star.leave(guest)
    gone = star.await_all(length)
    settle(program, star, count)
    return [(come[-1] - begin) * 1000, (statistics.median(come) - begin) * 1000,
            (gone[-1] - again) * 1000, after[0] - before[0], after[1] - before[1]]


def measure(path, count, rounds):
    with Program(path, count) as program:
        empty_kb = program.anonymous_kb()
        star = Star(program.port)
        begin = time.perf_counter()
        star.fill(count)
        length, broadcasts = settle(program, star, count)
        storm_s = time.perf_counter() - begin - 0.2
        node_bytes = (program.anonymous_kb() - empty_kb) * 1024 / count
        rows = [one_round(program, star, count, length) for _ in range(rounds)]
        peak_kb = proc.kilobytes(program.process.pid, "status", "VmHWM")
        star.close()
    come, median, gone, ran, waited = (statistics.median(column) for column in zip(*rows))
    print(f"{count:6} nodes: list {length / 1000:.0f} KB; all at once {storm_s:.2f} s in"
          f" {broadcasts} broadcasts; one comes, last node knows after {come:.1f} ms"
          f" (worst {max(row[0] for row in rows):.1f}), median {median:.1f} ms;"
          f" goes {gone:.1f} ms; CPU {ran:.1f} ms a list (and {waited:.1f} ms waiting for one);"
          f" {node_bytes:.0f} bytes a node, peak {peak_kb} KB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--nodes", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default="build/src/distributor/zombie-distributor")
    arguments = parser.parse_args()
    raise_limit()
    for count in arguments.nodes or [100, 1000, 10000]:
        measure(arguments.program, count, arguments.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
