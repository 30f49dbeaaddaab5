#!/usr/bin/env python3
"""What it costs to be watched, and what the master costs beside many connections.

    bench/watching.py [--rounds N] [--seconds S] [--server PATH]

One server with one worker on one core, the load on another. Each round loads it
twice, once while it is watched and once while it is not, in turns: ten requests
a second for /status, an open live page (its event stream, and /metrics every two
seconds). Master and admin child share the worker's core, so what they take it
lacks. The figures are ratios of watched to not watched, medians and spread; and
the share of a core that the master took at 1,000 connections under load.
"""
import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import proc
from load import client, wrk
from peers import server
from peers.zombie import Zombie

POLLS_PER_SECOND = 10
METRICS_EVERY_S = 2
CONNECTIONS = 32
MANY = 1000


class Watched(Zombie):
    """The server of bench/run with an admin listener."""

    def start(self, prefix=()):
        self.admin_port = server.free_port()
        super().start(prefix)

    def command(self):
        socket = self.folder / "control.sock"
        return [*super().command(), f"-oadmin.listen=127.0.0.1:{self.admin_port}",
                f"-ocontrol.socket={socket}"]

    def roles(self):
        """Process ids: master, worker, admin."""
        pids = {}
        for pid in proc.tree(self.process.pid):
            name = proc.read(f"/proc/{pid}/comm").strip()
            pids[name.removeprefix("zombie-")] = pid
        return self.process.pid, pids["worker"], pids["admin"]


class Watchers:
    """Threads of the load's core that look at the server until they are stopped."""

    def __init__(self, watched):
        self.port = watched.admin_port
        self.over = threading.Event()
        self.threads = [threading.Thread(target=work, daemon=True)
                        for work in (self.poll, self.scrape, self.listen)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def repeat(self, path, period_s):
        due = time.monotonic()
        with client.connect(self.port) as connection:
            while not self.over.is_set():
                connection.sendall(client.head(path).replace(b"Host: bench", b"Host: localhost"))
                status, _ = client.answer(connection)
                if status != 200:
                    raise RuntimeError(f"{path}: {status}")
                due += period_s
                self.over.wait(max(0, due - time.monotonic()))

    def poll(self):
        self.repeat("/status", 1 / POLLS_PER_SECOND)

    def scrape(self):
        self.repeat("/metrics", METRICS_EVERY_S)

    def listen(self):
        with client.connect(self.port) as connection:
            connection.settimeout(0.2)
            connection.sendall(client.head("/events").replace(b"Host: bench", b"Host: localhost"))
            while not self.over.is_set():
                with contextlib.suppress(TimeoutError):
                    if not connection.recv(65536):
                        raise RuntimeError("/events: closed")


def sample(watched, seconds, core, connections):
    """Requests a second, CPU time of the worker for one, shares of the core that others took."""
    master, worker, admin = watched.roles()
    before = [proc.run_ns([pid]) for pid in (master, worker, admin)]
    begin = time.monotonic()
    result = wrk.load(watched, "/hello", connections, seconds, core)
    elapsed_ns = (time.monotonic() - begin) * 1e9
    spent = [proc.run_ns([pid]) - was for pid, was in zip((master, worker, admin), before)]
    if result["failed"]:
        raise RuntimeError(f"{result['failed']} requests failed")
    return {"rate": 1e6 * result["requests"] / result["us"],
            "cpu_us": spent[1] / 1000 / max(1, result["requests"]),
            "master": spent[0] / elapsed_ns, "admin": spent[2] / elapsed_ns}


def one_round(watched, options, core, number):
    samples = {}
    for looked_at in (True, False) if number % 2 else (False, True):
        with Watchers(watched) if looked_at else contextlib.nullcontext():
            samples[looked_at] = sample(watched, options.seconds, core, CONNECTIONS)
    return samples


def show(title, values, form):
    values = list(values)
    low, high = min(values), max(values)
    print(f"  {title:<52}" + form.format(statistics.median(values)) + "  "
          + form.format(low) + " .. " + form.format(high))


def measure(watched, options, core):
    pairs = [one_round(watched, options, core, number) for number in range(options.rounds)]
    print(f"\nwatched beside not watched, {CONNECTIONS} connections")
    show("throughput", (p[True]["rate"] / p[False]["rate"] for p in pairs), "{:.3f}")
    show("CPU time of the worker for a request",
         (p[True]["cpu_us"] / p[False]["cpu_us"] for p in pairs), "{:.3f}")
    show("share of a core: master, watched", (100 * p[True]["master"] for p in pairs), "{:.2f} %")
    show("share of a core: admin child, watched", (100 * p[True]["admin"] for p in pairs),
         "{:.2f} %")
    many = [sample(watched, options.seconds, core, MANY) for _ in range(options.rounds)]
    print(f"\n{MANY} connections under load, not watched")
    show("share of a core: master", (100 * one["master"] for one in many), "{:.3f} %")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=2, help="of each load in each round")
    parser.add_argument("--server", default="build/src/zombie-server", metavar="PATH")
    return parser.parse_args()


def main():
    options = arguments()
    if why := wrk.missing():
        sys.exit(why)
    Zombie.executable = os.path.abspath(options.server)
    cores = sorted(os.sched_getaffinity(0))
    load_core, core = cores[0], cores[-1]
    os.sched_setaffinity(0, {load_core})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server.make_files(folder / "files")
        watched = Watched(folder, [core], connections=MANY + 100)
        print(f"{proc.cpu_model()}, server on core {core}, load and watchers on core {load_core}, "
              f"{options.rounds} rounds of {options.seconds} s")
        try:
            watched.start()
            measure(watched, options, load_core)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            sys.exit(f"{error}")
        finally:
            watched.stop()


if __name__ == "__main__":
    main()
