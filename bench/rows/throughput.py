"""Throughput and CPU time: the same answers from all at full speed; and latencies."""
from typing import NamedTuple

import proc
from load import wrk
from report.figures import Measure, Metric
from rows import latency
from running import failures, rotated

TITLE = "Throughput and CPU time"
ABOUT = f"""\
32 connections, one worker each unless it says otherwise. CPU time is that of all processes of a
server. "busy" is how much of its CPUs it used: far below 100 % the load generator was the limit,
and the CPU time for a request is what counts. "others" is what programs besides server and load
took: the more, the less the figures are worth. {latency.ABOUT}"""

METRICS = [
    Metric("rate", "req/s", ",.0f", "more"), Metric("cpu_us", "CPU us/req", ",.1f", "less"),
    Metric("busy", "busy", ".0%"), Metric("others", "others", ".0%"),
    Metric("failed", "failed", ",.0f"), Metric("late", "late", ",.0f")]


class Load(NamedTuple):
    """How many connections ask for which path, and whether each asks only once."""

    key: str
    title: str
    path: str
    connections: int = 32
    close: bool = False
    workers: int = 1


LOADS = (
    Load("keep-alive", "Text, keep-alive", "/hello"),
    Load("close", "Text, a connection per request", "/hello", close=True),
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


def measure(run, load, servers, with_latencies):
    """All rounds of a load, with servers that run."""
    found, latencies = Measure(load.key, load.title, METRICS, shown="cpu_us"), latency.of(load)
    run.say(f"{load.title}: {run.rounds} x {run.seconds} s each")
    for number in range(run.rounds):
        for one in rotated(servers, number):
            with run.attempt(load.title, one, found):
                run.sample(found, one, full(load, one, run.seconds, run.load_core))
        if with_latencies and number < latency.ROUNDS:
            latency.take(run, load, rotated(servers, number), found.samples, latencies)
    for one in (found, latencies) if with_latencies else (found,):
        failures(run, one)
        run.add(one)


def measure_all(run, loads, make):
    """All loads; make(workers) has servers with so many workers each, which are started here."""
    for workers in sorted({load.workers for load in loads}):
        with run.running(make(workers)) as good:
            for load in loads:
                if load.workers == workers:
                    measure(run, load, good, not run.short or load is loads[0])


def main(run):
    if run.has_wrk():
        measure_all(run, LOADS, lambda workers: run.make(run.kinds, workers))
