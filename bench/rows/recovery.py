"""Recovery: the only worker gets SIGKILL; how long until a fresh request is answered?"""
import os
import signal
import time

import peers
from load import client
from peers.server import wait_until
from report.figures import Measure, Metric, percentile
from running import patience_s, rotated

TITLE = "Recovery"
ABOUT = """\
At once after the signal a client connects and asks; refused, reset or closed, it tries again at
once, and without an answer within a second (with zombie-server ten) on a new connection: that
request hung. The worst is of all rounds. Go is not there, nobody replaces its process; and node
alone has the cluster of express."""

HANGS_S = 1
GIVES_UP_S = 15
CALM_S = 0.15  # between two deaths: who dies at birth is held back, and not only by us


def once(server):
    """One request on a fresh connection: "answered", "hung" or "again"."""
    try:
        status, _ = client.ask(server.port, "/hello", limit_s=patience_s(server, HANGS_S))
        return "answered" if status == 200 else "again"
    except TimeoutError:
        return "hung"
    except (OSError, IndexError, TypeError):
        return "again"


def recover(server):
    """Kill, ask until there is an answer: how long that took, and what became of the requests."""
    victim = server.worker()
    hung = again = 0
    begin = time.perf_counter()
    os.kill(victim, signal.SIGKILL)
    while (result := once(server)) != "answered":
        hung += result == "hung"
        again += result == "again"
        if time.perf_counter() - begin > GIVES_UP_S:
            raise RuntimeError(f"no answer within {GIVES_UP_S} s")
        time.sleep(0 if result == "hung" else 0.0002)
    elapsed_ms = (time.perf_counter() - begin) * 1000
    wait_until(lambda: victim not in server.worker_pids() and server.worker_pids()
               and once(server) == "answered", "successor")
    time.sleep(CALM_S)
    return {"ms": elapsed_ms, "hung": int(hung > 0), "again": again}


def main(run):
    rounds = 5 if run.short else 3 * run.rounds
    metrics = [Metric("ms", "ms to an answer", ",.1f", "less"), Metric("worst", "worst ms", ",.1f"),
               Metric("hung", f"hung, of {rounds}", ",.0f"), Metric("again", "refused or cut off"),
               Metric("kills", "kills")]
    found = Measure("recovery", "Recovery from kill -9 of the only worker", metrics,
                    shown="ms")
    run.say(f"Recovery: {rounds} kills each")
    with run.running(run.make(run.supervised())) as good:
        for number in range(rounds):
            for one in rotated(good, number):
                if one.name not in found.absent:
                    with run.attempt("recovery", one, found):
                        run.sample(found, one, recover(one))
    for samples in found.samples.values():
        totals(samples)
    if any(sample["hung"] for sample in found.samples.get(peers.OURS, [])):
        run.blame(peers.OURS, "a request hung after the worker was killed")
    run.add(found)


def totals(samples):
    """What is of all rounds together goes to each of them, so that their median is just that."""
    worst = percentile([sample["ms"] for sample in samples], 100)
    hung, again = (sum(sample[key] for sample in samples) for key in ("hung", "again"))
    for sample in samples:
        sample.update(worst=worst, hung=hung, again=again, kills=len(samples))
