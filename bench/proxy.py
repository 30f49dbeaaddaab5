#!/usr/bin/env python3
"""zombie-server beside nginx as proxies in front of the same upstream.

    bench/proxy.py [--rounds N] [--seconds S] [--only ROW] [--server PATH]
                   [--bare] [--short] [--json FILE]

Both have one worker on one core and a pool of keep-alive connections to the
upstream, which is an nginx that shares the other core with the load generator.
They take turns in each round. Figures are medians of the rounds. Ratios are
formed within a round and above 1 are better than nginx: its CPU time a request
divided by ours, our requests a second divided by its own. "busy" is how much of
its core the proxy used at full load: below 100 % the upstream and the load
generator were the limit, and the CPU time a request is what counts. "others" is
what programs besides the proxy and the load took of both cores: the upstream is
among them. Latencies are those at a rate that is the same for both.

nginx sets the fields that we set: X-Forwarded-For, -Proto and -Host, Forwarded
and Via; --bare: it sets none of them.

Rows: text, close, 1k, 100k, 10m. The exit status is 1 if our own server failed
to answer rightly, not if it is slow.
"""
import argparse
import contextlib
import json
import os
import platform
import signal
import string
import subprocess
import sys
import tempfile
from pathlib import Path

from lib import proc, report, rounds, servers, wrk

POOL = 64  # idle connections to the upstream: more than any row uses at once
FIELDS = """proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$http_host";
            proxy_set_header Via "1.1 nginx";"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of each load in each round")
    parser.add_argument("--only", action="append", choices=list(rounds.ROWS), metavar="ROW",
                        help="one of " + " ".join(rounds.ROWS) + "; may be given several times")
    parser.add_argument("--server", default="build/src/zombie-server", metavar="PATH")
    parser.add_argument("--bare", action="store_true", help="nginx adds no fields")
    parser.add_argument("--short", action="store_true", help="one round, no latencies")
    parser.add_argument("--json", metavar="FILE", help="write all samples there")
    options = parser.parse_args()
    if options.short:
        options.rounds = options.seconds = 1
    if options.rounds < 1 or options.seconds < 1:
        parser.error("at least one round of one second")
    if not os.access(options.server, os.X_OK):
        parser.error(f"there is no program {options.server}")
    options.rows = options.only or list(rounds.ROWS)
    return options


class Behind(servers.Nginx):
    """The upstream of both."""

    name = "upstream"


class ZombieProxy(servers.Zombie):
    behind = None  # a started Behind

    def wrong_answers(self):
        self.lacks["/upload"] = "the upstream takes none"
        return super().wrong_answers()

    def command(self):
        path = self.folder / "proxy.conf"
        # /hello of its own accord is an answer of ours.
        routes = [f'route "{pattern}" {{ handler = proxy  upstream = "behind" }}\n'
                  for pattern in ("/", "/hello")]
        path.write_text(
            "instance { workers = 1  hang_timeout_ms = 0 }\n"
            f'listen "127.0.0.1:{self.port}" {{}}\n'
            "log { level = warning }\n"
            f"http {{ max_connections = {self.connections}  keepalive_requests = 0 }}\n"
            f'upstream "behind" {{ server "127.0.0.1:{self.behind.port}" {{}}'
            f"  keepalive = {POOL}  keepalive_requests = 0 }}\n"
            + "".join(routes), encoding="ascii")
        options = [f"-o{option}" for option in self.UNLIMITED]
        return [self.program, "-c", str(path), *options]


class NginxProxy(servers.Nginx):
    behind = None
    fields = FIELDS

    def wrong_answers(self):
        self.lacks["/upload"] = "the upstream takes none"
        return super().wrong_answers()

    def command(self):
        template = (servers.PEERS / "nginx-proxy.conf").read_text(encoding="ascii")
        conf = self.folder / "nginx.conf"
        conf.write_text(string.Template(template).substitute(
            user="user root;" if os.geteuid() == 0 else "", folder=self.folder,
            descriptors=self.connections * 2 + 100, connections=self.connections * 2,
            port=self.port, behind=self.behind.port, pool=POOL, fields=self.fields),
            encoding="ascii")
        return ["nginx", "-e", str(self.folder / "nginx.log"), "-c", str(conf)]


class Bench:
    def __init__(self, options, folder):
        self.options = options
        cores = sorted(os.sched_getaffinity(0))
        self.load_core, self.core = cores[0], cores[-1]
        os.sched_setaffinity(0, {self.load_core})
        servers.make_files(folder / "files")
        servers.Zombie.program = os.path.abspath(options.server)
        NginxProxy.fields = "" if options.bare else FIELDS
        self.behind = Behind(folder, self.load_core, 1000)
        self.proxies = [kind(folder, self.core, 1000) for kind in (ZombieProxy, NginxProxy)]
        self.results = {}
        self.wrong = []

    def blame(self, name, mistake):
        print(f"{name} fails: {mistake}", flush=True)
        if name == "zombie":
            self.wrong.append(mistake)

    def machine(self):
        about = {"cpu": proc.cpu_model(), "cores": os.cpu_count(), "kernel": platform.release(),
                 "load and upstream on core": self.load_core, "proxies on core": self.core,
                 "load average before": os.getloadavg()[0],
                 "versions": {proxy.name: proxy.version() for proxy in self.proxies}}
        print(f"{about['cpu']}, {about['cores']} cores, Linux {about['kernel']}, load average "
              f"{about['load average before']:.2f}\nproxies on core {self.core}, load and upstream "
              f"on core {self.load_core}, {self.options.rounds} rounds of "
              f"{self.options.seconds} s")
        for name, version in about["versions"].items():
            print(f"{name}: {version}")
        self.results["machine"] = about

    def start(self, stack):
        """Those that answer rightly."""
        stack.callback(self.behind.stop)
        self.behind.start()
        good = []
        for proxy in self.proxies:
            proxy.behind = self.behind
            stack.callback(proxy.stop)
            try:
                proxy.start()
            except RuntimeError as error:
                self.blame(proxy.name, error)
                continue
            mistakes = proxy.mistakes()
            for mistake in mistakes:
                self.blame(proxy.name, mistake)
            good += [] if mistakes else [proxy]
        return good

    def load(self, key, good):
        row = rounds.ROWS[key]
        print(f"\n{row.title}, {row.connections} connections", flush=True)
        try:
            samples = rounds.measure(row, good, self.options, self.load_core)
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:
            for proxy in good:
                self.blame(proxy.name, f"{row.title}: {error}")
            return
        summary = rounds.summarize(samples)
        report.load(summary)
        self.results[key] = {"summary": summary, "samples": samples}
        for name, one in summary.items():
            if one["failed"]:
                self.blame(name, f"{row.title}: {one['failed']} requests failed")

    def run(self):
        self.machine()
        for why in (wrk.missing(), servers.Nginx.missing()):
            if why:
                print(f"n/a: {why}")
                return
        with contextlib.ExitStack() as stack:
            good = self.start(stack)
            for key in self.options.rows if good else []:
                self.load(key, good)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="bench-proxy-") as name:
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
