"""Proxies in front of the same nginx: throughput and CPU time of the proxy alone.

The upstream shares the CPU of the load. All add the same header fields.
"""
import peers
from rows.throughput import Load, measure_all

TITLE = "Proxies"
ABOUT = """\
Each has one worker, unless it says otherwise, and a pool of connections to the same nginx, which
shares the CPU of the load: "others" has it in. All set X-Forwarded-For, -Proto and -Host,
Forwarded and Via."""

LOADS = (
    Load("proxy-keep-alive", "Proxy: text, keep-alive", "/hello"),
    Load("proxy-close", "Proxy: text, a connection per request", "/hello", close=True),
    Load("proxy-100k", "Proxy: file of 100 KiB", "/files/100k"),
    Load("proxy-2", "Proxy: text, keep-alive, 2 workers", "/hello", workers=2),
)


def proxies(run, workers, behind):
    """Servers that are not started yet, in front of that one."""
    made = run.make(run.proxies, workers)
    for one in made:
        one.behind = behind
    return made


def main(run):
    if not run.has_wrk():
        return
    if why := peers.Upstream.missing():
        run.say(f"  n/a, it would be the upstream: {why}")
        return
    with run.running([peers.Upstream(run.folder, [run.load_core])]) as good:
        for behind in good:
            measure_all(run, LOADS, lambda workers: proxies(run, workers, behind))
