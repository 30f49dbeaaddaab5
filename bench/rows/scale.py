"""Scale: how start, memory and CPU grow with the workers and with the connections."""
import time

import proc
from report.figures import Measure, Metric
from rows.throughput import Load, full
from running import rotated

TITLE = "Scale"
ABOUT = """\
Workers: "start" is until there are so many and a request is answered; all CPUs of the machine.
"idle CPU" is what all processes take while nobody asks, of one CPU. Connections: one worker, text,
each asks again as soon as it has its answer; the memory is what the processes have grown by at the
end, since before the first of these loads. There are up to 20,000, or nearly as many as a process
may open files. zombie-server has no route for files here: with one it would hold back a second
descriptor for each connection."""

WORKERS = (1, 4, 16, 64)
CONNECTIONS = (1, 1000, 10000, 20000)
IDLE_S = 1
MANY = 1000  # with more connections it takes a while until all are there: one round,
MANY_S = 5   # but longer


def grown(one):
    """A sample of a server that has just started."""
    time.sleep(0.2)
    pids = one.pids()
    before, master = proc.run_ns(pids), proc.run_ns([one.master])
    time.sleep(IDLE_S)
    return {"start": one.start_ms, "pss": one.memory_kb() / 1024,
            "idle": (proc.run_ns(pids) - before) / 1e9 / IDLE_S,
            "master": (proc.run_ns([one.master]) - master) / 1e9 / IDLE_S}


def workers(run):
    for count in WORKERS[:2] if run.short else WORKERS:
        title = "1 worker" if count == 1 else f"{count} workers"
        found = Measure(f"workers-{count}", title, [
            Metric("start", "start ms", ",.0f", "less"), Metric("pss", "PSS MiB", ",.1f", "less"),
            Metric("master", "idle master", ".3%"),
            Metric("idle", "idle CPU", ".3%", "less")],
            shown="pss")
        run.say(title)
        made = run.make(run.supervised(), count)
        for one in made:
            one.cores = set(run.cores)
        run.each(found, made, grown, checked=False)
        run.add(found)


def crowd(run, one, load, calm_kb):
    """Full speed with so many connections; a sample. calm_kb: its memory before all loads."""
    sample = full(load, one, MANY_S if load.connections > MANY else run.seconds, run.load_core)
    return {**sample, "kb": one.memory_kb() - calm_kb}


def connections(run):
    counts = sorted({min(count, run.most_connections) for count in CONNECTIONS})
    with run.running(run.crowded(run.kinds, max(counts))) as good:
        calm_kb = {one.name: one.memory_kb() for one in good}
        for count in counts[:2] if run.short else counts:
            title = "1 connection" if count == 1 else f"{count:,} connections"
            load = Load(f"connections-{count}", title, "/hello", count)
            found = Measure(load.key, load.title, [
                Metric("rate", "req/s", ",.0f", "more"),
                Metric("cpu_us", "CPU us/req", ",.1f", "less"), Metric("busy", "busy", ".0%"),
                Metric("kb", "growth KiB", ",.0f", "less"), Metric("failed", "failed"),
                Metric("late", "late")], shown="cpu_us")
            run.say(title)
            for number in range(1 if run.short or count > MANY else 2):
                for one in rotated(good, number):
                    if one.name in found.absent:
                        continue
                    with run.attempt(load.title, one, found, strict=False):
                        run.sample(found, one, crowd(run, one, load, calm_kb[one.name]))
            run.add(found)


def main(run):
    workers(run)
    if run.has_wrk():
        connections(run)
