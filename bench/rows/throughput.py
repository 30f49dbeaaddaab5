"""Throughput and CPU time: the same answers from all, at full speed and at a rate they share."""
from typing import NamedTuple

import proc
from load import wrk
from report.figures import Measure, Metric
from running import failures, rotated

PACED_AT_MOST = 20000  # requests a second: past that, wrk's own timers show
PACED_ROUNDS = 3       # of all rounds: latencies take as long as throughput

TITLE = "Throughput and CPU time"
ABOUT = """\
32 connections, one worker each unless it says otherwise. CPU time is that of all processes of a
server. "busy" is how much of its CPUs it used: far below 100 % the load generator was the limit,
and the CPU time for a request is what counts. "others" is what programs besides server and load
took: the more, the less the figures are worth. p50 and p99 are at a rate that is the same for all,
half of what the slowest can do, and shown as "at"."""

METRICS = [
    Metric("rate", "req/s", ",.0f", "more"), Metric("cpu_us", "CPU us/req", ",.1f", "less"),
    Metric("busy", "busy", ".0%"), Metric("others", "others", ".0%"),
    Metric("at", "at req/s"), Metric("p50", "p50 us", ",.0f", "less"),
    Metric("p99", "p99 us", ",.0f", "less"),
    Metric("failed", "failed", ",.0f"), Metric("late", "late", ",.0f")]


class Load(NamedTuple):
    """How many connections ask for which path, and whether each asks only once.

    pace_ms: what a connection waits on average between two requests when latencies are taken:
    long beside an answer, or slow answers would make the rate lower. None: they are not taken.
    """

    key: str
    title: str
    path: str
    connections: int = 32
    close: bool = False
    pace_ms: int = None
    workers: int = 1


LOADS = (
    Load("keep-alive", "Text, keep-alive", "/hello", pace_ms=10),
    Load("close", "Text, a connection per request", "/hello", close=True, pace_ms=10),
    Load("1k", "File of 1 KiB", "/files/1k"),
    Load("100k", "File of 100 KiB", "/files/100k"),
    Load("keep-alive-2", "Text, keep-alive, 2 workers", "/hello", workers=2),
    Load("close-2", "Text, a connection per request, 2 workers", "/hello", close=True, workers=2),
    Load("1k-2", "File of 1 KiB, 2 workers", "/files/1k", workers=2),
)


def full(load, server, seconds, core):
    """One sample at full speed: requests a second, CPU time for each, who kept the cores busy."""
    pids, cores = server.pids(), {core, *server.cores}
    before, waited_us, busy_us = proc.run_ns(pids), proc.waited_for_us(), proc.busy_us(cores)
    result = wrk.load(server, load.path, load.connections, seconds, core, load.close)
    spent_us = (proc.run_ns(pids) - before) / 1000
    others_us = (proc.busy_us(cores) - busy_us) - (proc.waited_for_us() - waited_us) - spent_us
    if result["requests"] == 0:
        raise RuntimeError("not one answer")
    return {"rate": 1e6 * result["requests"] / result["us"],
            "cpu_us": spent_us / result["requests"],
            "busy": spent_us / result["us"] / len(server.cores),
            "others": max(0, others_us) / result["us"] / len(cores),
            "failed": result["failed"], "late": result["timeout"]}


def paced(load, server, seconds, core, rate):
    """The latencies at a given rate, in microseconds."""
    connections = max(1, round(rate * load.pace_ms / 1000))
    result = wrk.load(server, load.path, connections, seconds, core, load.close, load.pace_ms)
    return {"p50": result["p50"], "p99": result["p99"],
            "at": 1e6 * result["requests"] / result["us"], "failed": result["failed"],
            "late": result["timeout"]}


def common_rate(samples):
    """Half of what the slowest could do in the first round."""
    return min(PACED_AT_MOST, min(values[0]["rate"] for values in samples.values()) / 2)


def merge(sample, latencies):
    """Put the latencies of a round beside its other figures."""
    for key in ("failed", "late"):
        latencies[key] += sample[key]
    sample.update(latencies)


def measure(run, load, servers):
    """All rounds of a load, with servers that run."""
    found = Measure(load.key, load.title, METRICS, shown="cpu_us")
    run.say(f"{load.title}: {run.rounds} x {run.seconds} s each")
    for number in range(run.rounds):
        for one in rotated(servers, number):
            with run.attempt(load.title, one, found):
                run.sample(found, one, full(load, one, run.seconds, run.load_core))
        if load.pace_ms is None or run.short or number >= PACED_ROUNDS or not found.samples:
            continue
        rate = common_rate(found.samples)
        for one in rotated([one for one in servers if one.name in found.samples], number):
            with run.attempt(load.title, one, found):
                merge(found.samples[one.name][-1],
                      paced(load, one, run.seconds, run.load_core, rate))
    failures(run, found)
    run.add(found)


def measure_all(run, loads, make):
    """All loads; make(workers) has servers with so many workers each, which are started here."""
    for workers in sorted({load.workers for load in loads}):
        with run.running(make(workers)) as good:
            for load in loads:
                if load.workers == workers:
                    measure(run, load, good)


def main(run):
    if run.has_wrk():
        measure_all(run, LOADS, lambda workers: run.make(run.kinds, workers))
