"""Proxies in front of the same nginx: throughput and CPU time of the proxy alone.

The upstream shares the CPU of the load. All add the same header fields.
"""
import contextlib

import peers
from rows.throughput import Load, measure

TITLE = "Proxies"
ABOUT = """\
Each has one worker and a pool of connections to the same nginx, which shares the CPU of the load:
"others" has it in. All set X-Forwarded-For, -Proto and -Host, Forwarded and Via."""

LOADS = (
    Load("proxy-keep-alive", "Proxy: text, keep-alive", "/hello", pace_ms=10),
    Load("proxy-close", "Proxy: text, a connection per request", "/hello", close=True),
    Load("proxy-100k", "Proxy: file of 100 KiB", "/files/100k"),
)


def main(run):
    if not run.has_wrk():
        return
    if why := peers.Upstream.missing():
        run.say(f"  n/a, it would be the upstream: {why}")
        return
    behind = peers.Upstream(run.folder, [run.load_core])
    with contextlib.ExitStack() as stack:
        stack.callback(behind.stop)
        behind.start()
        proxies = run.make(run.proxies)
        for one in proxies:
            one.behind = behind
        good = stack.enter_context(run.running(proxies))
        for load in LOADS:
            measure(run, load, good)
