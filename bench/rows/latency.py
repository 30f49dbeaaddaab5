"""Latencies at rates that several servers share, taken between the rounds at full speed."""
from typing import NamedTuple

from load import wrk
from report.figures import Measure, Metric

ROUNDS = 2       # of all rounds: each takes as long as one at full speed
PACE_MS = 10     # between two requests of a connection: long beside an answer
AT_MOST = 20000  # requests a second: past that, wrk's own timers show

ABOUT = f"""\
Latencies are taken at rates that servers share: "easy" is half of what the slowest of all does at
full speed; "brisk", for compiled programs alone, is 70 % of what the slowest of them does. No rate
is above {AT_MOST:,} a second. Where all are compiled there is brisk alone."""


class Pace(NamedTuple):
    """A rate: so much of what the slowest does, of those for which it is."""

    name: str
    share: float
    compiled: bool  # only for programs that are

    def takes(self, server):
        return server.compiled or not self.compiled


EASY, BRISK = Pace("easy", 0.5, False), Pace("brisk", 0.7, True)


def metrics():
    for pace in (EASY, BRISK):
        yield Metric(f"{pace.name}_at", f"{pace.name} req/s")
        for share in ("p50", "p99"):
            yield Metric(f"{pace.name}_{share}", f"{pace.name} {share} us", ",.0f", "less")
    yield Metric("failed", "failed")
    yield Metric("late", "late")


def of(load):
    """What is measured of a load."""
    return Measure(f"{load.key}-latency", f"{load.title}: latency", [*metrics()],
                   shown="brisk_p99")


def rates(servers, full):
    """The paces of these servers and what they come to: [(pace, requests a second)].

    full: the samples at full speed, of which the first counts.
    """
    found = []
    for pace in (BRISK,) if all(one.compiled for one in servers) else (EASY, BRISK):
        some = [full[one.name][0]["rate"] for one in servers if pace.takes(one)]
        if some:
            found.append((pace, min(AT_MOST, pace.share * min(some))))
    return found


def sample(load, server, paces, seconds, core):
    figures = {"failed": 0, "late": 0}
    for pace, rate in paces:
        if not pace.takes(server):
            continue
        connections = max(1, round(rate * PACE_MS / 1000))
        result = wrk.load(server, load.path, connections, seconds, core, load.close, PACE_MS)
        figures["failed"] += result["failed"]
        figures["late"] += result["timeout"]
        figures |= {f"{pace.name}_at": 1e6 * result["requests"] / result["us"],
                    f"{pace.name}_p50": result["p50"], f"{pace.name}_p99": result["p99"]}
    return figures


def take(run, load, servers, full, found):
    """A round, of the servers that have samples at full speed."""
    able = [one for one in servers if one.name in full]
    paces = rates(able, full) if able else []
    for one in able:
        with run.attempt(found.title, one, found):
            run.sample(found, one, sample(load, one, paces, run.seconds, run.load_core))
