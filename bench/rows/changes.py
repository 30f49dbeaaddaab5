"""Changes under load: reload, restart in turn, upgrade to another program; what is lost?"""
import asyncio
import time

from load.steady import DEADLINE_S, Steady
from peers.server import BODY
from report.figures import Measure, Metric, percentile
from rows import accounted
from running import patience_s

TITLE = "Reload and upgrade"
ABOUT = f"""\
Two workers. A steady load, half of it on kept connections; lost is what has no whole answer within
{DEADLINE_S} s. A reload is SIGHUP: new workers, gently (of Node's cluster: a restart one by one,
written for this). An upgrade is SIGUSR2: the program is executed anew, and the old one leaves; of
nginx and gunicorn that takes a second signal. "Takes" is from the signal until the last old worker
is gone. p99 is of requests sent meanwhile, beside those before; "lag" is how long the load itself
got no CPU at most."""

RATE = 500
CALM_S = 0.7

METRICS = [
    Metric("sent", "requests"), Metric("lost", "lost"),
    Metric("each", "lost a change", ",.2f", "less"), Metric("kinds", "how", None),
    Metric("takes", "takes ms", ",.0f", "less"), Metric("calm", "p99 before, ms", ",.1f"),
    Metric("p99", "p99 meanwhile, ms", ",.1f", "less"), Metric("lag", "lag ms")]


async def watch(server, way, times):
    """That many changes under load: what became of the requests, and a sample."""
    limit_s = patience_s(server, DEADLINE_S)
    spans = []
    async with Steady(server.port, "/hello", RATE, BODY.encode(), limit_s) as account:
        begin = time.perf_counter()
        await asyncio.sleep(CALM_S)
        calm = account.between(begin, time.perf_counter())
        for _ in range(times):
            begin = time.perf_counter()
            await asyncio.to_thread(getattr(server, way))
            spans.append((begin, time.perf_counter()))
            await asyncio.sleep(CALM_S / 2)
    during = [ms for span in spans for ms in account.between(*span)]
    return account, {
        "sent": account.sent, "lost": account.lost_in_all(),
        "each": account.lost_in_all() / times, "kinds": dict(account.lost),
        "takes": 1000 * sum(end - begin for begin, end in spans) / times,
        "calm": percentile(calm, 99), "p99": percentile(during, 99), "lag": account.lag_ms}


def main(run):
    rounds, times = (1, 2) if run.short else (2, 3)
    for way, title, kinds in (
            ("reload", "Reload under load", run.supervised()),
            ("upgrade", "Upgrade under load",
             [kind for kind in run.supervised() if kind.upgrades])):
        found = Measure(way, title, METRICS, shown="each")
        run.say(f"{title}: {rounds} x {times} each")
        accounted.measure(run, kinds, rounds, found,
                          lambda server, way=way: watch(server, way, times), {"late"})
