"""Rounds of load that take turns among the servers, and what they come to."""
import statistics
from typing import NamedTuple

from lib import proc, wrk

REFERENCE = "nginx"
PACED_AT_MOST = 20000  # requests a second: past that, wrk's own timers show


class Row(NamedTuple):
    """A load: how many connections ask for which path, and whether each asks only once.

    pace_ms is what a connection waits on average between two requests where the rate is given:
    long beside an answer, or slow answers would make the rate lower.
    """

    title: str
    path: str
    connections: int
    close: bool = False
    pace_ms: int = 10


ROWS = {
    "text": Row("text over keep-alive", "/hello", 32),
    "close": Row("text, a connection per request", "/hello", 32, close=True),
    "1k": Row("file of 1 KiB", "/files/1k", 32),
    "100k": Row("file of 100 KiB", "/files/100k", 32),
    "10m": Row("file of 10 MiB", "/files/10m", 8, pace_ms=200),
}


def full(row, server, seconds, core):
    """One sample at full speed: requests a second, CPU time for each, who kept the cores busy."""
    pids, cores = proc.tree(server.process.pid), {core, server.core}
    before, waited_us, busy_us = proc.run_ns(pids), proc.waited_for_us(), proc.busy_us(cores)
    result = wrk.load(server, row.path, row.connections, seconds, core, row.close)
    spent_us = (proc.run_ns(pids) - before) / 1000
    others_us = (proc.busy_us(cores) - busy_us) - (proc.waited_for_us() - waited_us) - spent_us
    return {"rate": 1e6 * result["requests"] / result["us"],
            "cpu_us": spent_us / max(1, result["requests"]), "busy": spent_us / result["us"],
            "others": max(0, others_us) / result["us"] / len(cores),
            "failed": result["failed"], "late": result["timeout"]}


def paced(row, server, seconds, core, rate):
    """The latencies at a given rate, in microseconds."""
    connections = max(1, round(rate * row.pace_ms / 1000))
    result = wrk.load(server, row.path, connections, seconds, core, row.close, row.pace_ms)
    return {"paced_rate": 1e6 * result["requests"] / result["us"], "p50": result["p50"],
            "p99": result["p99"], "failed": result["failed"], "late": result["timeout"]}


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


def common_rate(samples):
    """Half of what the slower of ourselves and the reference can do."""
    rates = [samples[name][0]["rate"] for name in ("zombie", REFERENCE) if name in samples]
    slowest = min(rates or [values[0]["rate"] for values in samples.values()])
    return min(PACED_AT_MOST, slowest / 2)


def merge(first, second):
    together = {**first, **second}
    for key in ("failed", "late"):
        together[key] = first[key] + second[key]
    return together


def measure(row, servers, options, core):
    """All rounds of a row: {name of a server: [sample of a round]}."""
    samples = {server.name: [] for server in servers}
    for number in range(options.rounds):
        for server in rotated(servers, number):
            samples[server.name].append(full(row, server, options.seconds, core))
        if options.short:
            continue
        rate = common_rate(samples)
        for server in rotated(servers, number):
            latencies = paced(row, server, options.seconds, core, rate)
            samples[server.name][-1] = merge(samples[server.name][-1], latencies)
    return samples


def spread(ratios):
    ratios = list(ratios)
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def summarize(samples):
    """Medians, and ratios to the reference, round by round; above 1 is better than it."""
    reference = samples.get(REFERENCE)
    summary = {}
    for name, own in samples.items():
        one = {key: statistics.median(sample[key] for sample in own)
               for key in own[0] if key not in ("failed", "late")}
        one |= {key: sum(sample[key] for sample in own) for key in ("failed", "late")}
        if reference and name != REFERENCE:
            pairs = list(zip(own, reference))
            one["rate_ratio"] = spread(a["rate"] / max(1, b["rate"]) for a, b in pairs)
            one["cpu_ratio"] = spread(b["cpu_us"] / a["cpu_us"] for a, b in pairs)
        summary[name] = one
    return summary
