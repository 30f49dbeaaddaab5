#!/usr/bin/env python3
"""zombie-server beside nginx, node and Go's net/http: speed, latency, memory.

    bench/http.py [--rounds N] [--seconds S] [--only ROW] [--peers nginx,node,go]
                  [--server PATH] [--short] [--json FILE] [--callgrind]

Every server has one worker on one core, the load comes from another core, and
the servers take turns in each round. Figures are medians of the rounds. Ratios
to nginx are formed within a round and above 1 are better than nginx: its CPU
time a request divided by ours, our requests a second divided by its own. CPU
time is that of all processes of a server. "busy" is how much of its core the
server used at full load; far below 100 % the load generator was the limit, and
the CPU time a request is what counts. "others" is what programs besides server
and load took of both cores: the more, the less the figures are worth. Latencies
are those at a rate that is the same for all, without the time to connect. "late"
answers took longer than 10 s.

Rows: text, close, 1k, 100k, 10m, idle, memory. --callgrind counts instructions
instead of time. The exit status is 1 if our own server failed to answer
rightly, not if it is slow.
"""
import argparse
import contextlib
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import callgrind, memory, proc, report, rounds, servers, wrk

IDLE_CONNECTIONS = 10000
ALL_ROWS = [*rounds.ROWS, "idle", "memory"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each load in each round")
    parser.add_argument("--only", action="append", choices=ALL_ROWS, metavar="ROW",
                        help="one of " + " ".join(ALL_ROWS) + "; may be given several times")
    parser.add_argument("--peers", help="some of nginx,node,go (default: all; --short: nginx)")
    parser.add_argument("--server", default="build/src/zombie-server", metavar="PATH")
    parser.add_argument("--short", action="store_true", help="one round, no latencies")
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    parser.add_argument("--callgrind", action="store_true", help="instructions a request")
    parser.add_argument("--requests", type=int, default=2000, help="for --callgrind")
    options = parser.parse_args()
    if options.short:
        options.rounds = options.seconds = 1
    if options.peers is None:
        options.peers = "nginx" if options.short else "nginx,node,go"
    options.peers = [name for name in options.peers.split(",") if name]
    if unknown := set(options.peers) - set(servers.KINDS):
        parser.error(f"no such peers: {', '.join(sorted(unknown))}")
    if options.rounds < 1 or options.seconds < 1:
        parser.error("at least one round of one second")
    if not os.access(options.server, os.X_OK):
        parser.error(f"there is no program {options.server}")
    options.rows = options.only or ALL_ROWS
    return options


class Bench:
    """Everything of one run: the servers, the results, what went wrong with ourselves."""

    def __init__(self, options, folder):
        self.options = options
        cores = sorted(os.sched_getaffinity(0))
        self.load_core, self.core = cores[0], cores[-1]
        os.sched_setaffinity(0, {self.load_core})
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        wanted = 1000 if options.short else IDLE_CONNECTIONS
        self.idle_connections = min(wanted, hard - 500)
        servers.make_files(folder / "files")
        servers.Zombie.program = os.path.abspath(options.server)
        self.servers = []
        for kind in map(servers.KINDS.get, ["zombie", *options.peers]):
            if why := kind.missing():
                print(why)
            else:
                self.servers.append(kind(folder, self.core, self.idle_connections + 100))
        self.results = {}
        self.wrong = []

    def machine(self):
        about = {
            "cpu": proc.cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
            "load generator on core": self.load_core, "servers on core": self.core,
            "load average before": os.getloadavg()[0],
            "versions": {server.name: server.version() for server in self.servers}}
        print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, load average "
              f"{about['load average before']:.2f}\nservers on core {self.core}, load from core "
              f"{self.load_core}, {self.options.rounds} rounds of {self.options.seconds} s")
        for name, version in about["versions"].items():
            print(f"{name}: {version}")
        self.results["machine"] = about

    @contextlib.contextmanager
    def running(self, some):
        """These servers, started anew and checked; those that answer rightly."""
        with contextlib.ExitStack() as stack:
            good = []
            for server in some:
                stack.callback(server.stop)
                with self.attempt("start", server):
                    server.start()
                    mistakes = server.mistakes()
                    for mistake in mistakes:
                        self.blame(server.name, mistake)
                    good += [] if mistakes else [server]
            yield good

    @contextlib.contextmanager
    def attempt(self, title, *able):
        """Go on with what is next when one of these servers fails; remember it if it is ours."""
        try:
            yield
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            for server in able:
                self.blame(server.name, f"{title}: {error}")

    def blame(self, name, mistake):
        print(f"{name} fails: {mistake}", flush=True)
        if name == "zombie" and mistake not in self.wrong:
            self.wrong.append(mistake)

    def note(self, title, name, failed):
        if failed:
            self.blame(name, f"{title}: {failed} requests failed")

    def can(self, server, path):
        if path in server.lacks:
            print(f"  {server.name}: n/a: {server.lacks[path]}")
        return path not in server.lacks

    def loads(self, keys):
        if not keys:
            return
        with self.running(self.servers) as good:
            for key in keys:
                row = rounds.ROWS[key]
                print(f"\n{row.title}, {row.connections} connections", flush=True)
                able = [server for server in good if self.can(server, row.path)]
                if why := wrk.missing():
                    print(f"  n/a: {why}")
                elif able:
                    with self.attempt(row.title, *able):
                        self.load(key, row, able)

    def load(self, key, row, able):
        samples = rounds.measure(row, able, self.options, self.load_core)
        summary = rounds.summarize(samples)
        report.load(summary)
        self.results[key] = {"summary": summary, "samples": samples}
        for name, one in summary.items():
            self.note(row.title, name, one["failed"])

    def idle(self):
        seconds = 1 if self.options.short else 5
        title = f"{self.idle_connections} idle connections"
        print(f"\n{title}: memory of each, CPU time in {seconds} s", flush=True)
        self.results["idle"] = {}
        for server in self.servers:
            with self.running([server]) as good:
                for one in good:
                    with self.attempt(title, one):
                        result = memory.idle(one, self.idle_connections, seconds)
                        self.results["idle"][one.name] = result
                        self.note(title, one.name, result["failed"])
        report.idle(self.results["idle"])

    def transfers(self):
        title = f"{memory.TRANSFERS} bodies of 2 MiB at once"
        print(f"\n{title}: growth of the worker's peak memory", flush=True)
        self.results["memory"] = {}
        for server in self.servers:
            with self.running([server]) as good:
                for one in good:
                    with self.attempt(title, one):
                        self.results["memory"][one.name] = result = self.transfer(one)
                        self.note(title, one.name, result["failed"])
        report.transfers(self.results["memory"])

    def transfer(self, server):
        result = {"failed": 0}
        for key, path, way in (("download_kb", "/files/2m", memory.download),
                               ("upload_kb", "/upload", memory.upload)):
            if self.can(server, path):
                result[key], failed = memory.growth_kb(server, way)
                result["failed"] += failed
        return result

    def callgrind(self):
        """Only of servers whose worker is a program of machine code on its own."""
        if not shutil.which("valgrind"):
            print("n/a: there is no valgrind (Debian: valgrind)")
            return
        some = [server for server in self.servers if isinstance(server, callgrind.KINDS)]
        for key in [key for key in callgrind.ROWS if key in self.options.rows]:
            row = rounds.ROWS[key]
            self.results[key] = {}
            print(f"\n{row.title}: instructions in user space for a request", flush=True)
            for server in some:
                with self.attempt(row.title, server):
                    count = callgrind.measure(server, row, self.options.requests)
                    if count is None:
                        self.can(server, row.path)
                        continue
                    self.results[key][server.name] = count
                    print(f"  {server.name:8} {count:10,.0f}", flush=True)

    def run(self):
        self.machine()
        if self.options.callgrind:
            self.callgrind()
            return
        self.loads([key for key in self.options.rows if key in rounds.ROWS])
        if "idle" in self.options.rows:
            self.idle()
        if "memory" in self.options.rows:
            self.transfers()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-http-") as name:
        bench = Bench(options, Path(name))
        try:
            bench.run()
        except KeyboardInterrupt:
            print("interrupted")
            return 130
    if options.json:
        Path(options.json).write_text(json.dumps(bench.results, indent=1) + "\n", encoding="ascii")
    for wrong in bench.wrong:
        print(f"zombie-server: {wrong}", file=sys.stderr)
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
