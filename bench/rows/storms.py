"""Storms: workers die many times a second, by SIGKILL or by /workerKiller; what is lost?"""
import asyncio
import time

import proc
from load.steady import DEADLINE_S, Steady
from peers.server import BODY
from report.figures import Measure, Metric
from rows import accounted
from running import patience_s

TITLE = "Storms"
ABOUT = f"""\
Two workers. A steady load, half of it on kept connections; lost is what has no whole answer
within {DEADLINE_S} s, by kind: refused, reset, closed, timeout, 5xx, wrong, late (there, but
after the deadline). With SIGKILL the oldest worker not yet killed dies each time; what it had in
flight cannot be saved; who replaces slowly is killed less often. /workerKiller is asked for over
HTTP as often as said; its own answers count, too. "master" is the CPU time of the master, of one
CPU; "lag" is how long the load itself got no CPU at most, which explains losses that are not the
server's."""

RATE = 800            # requests a second
KILLS = (5, 50, 200)  # a second
CALLS = (5, 50, 500)
UNAVOIDABLE = {"signals": {"reset", "closed", "late"}, "calls": {"late"}}

METRICS = [
    Metric("sent", "requests"), Metric("lost", "lost"),
    Metric("share", "lost %", ",.2f", "less"), Metric("deaths", "kills"),
    Metric("each", "lost per kill", ",.2f"), Metric("kinds", "how", None),
    Metric("master", "master", ".1%"), Metric("lag", "lag ms")]


async def kill(server, rate, seconds):
    """SIGKILL that many times a second, the oldest first; how many there were."""
    killed, begin = set(), time.perf_counter()
    for number in range(round(rate * seconds)):
        await asyncio.sleep(begin + number / rate - time.perf_counter())
        alive = [pid for pid in server.worker_pids() if pid not in killed]
        if alive:
            proc.kill(alive[0])
            killed.add(alive[0])
    await asyncio.sleep(begin + seconds - time.perf_counter())
    return len(killed)


async def call(server, rate, seconds, limit_s):
    """Ask for /workerKiller that often: what became of the calls."""
    async with Steady(server.port, "/workerKiller", rate, None, limit_s, kept=False) as account:
        await asyncio.sleep(seconds)
    return account


async def storm(server, way, rate, seconds):
    """One storm: what became of the requests, and a sample."""
    limit_s = patience_s(server, DEADLINE_S)
    begin, before = time.perf_counter(), proc.run_ns([server.master])
    async with Steady(server.port, "/hello", RATE, BODY.encode(), limit_s) as account:
        if way == "signals":
            calls, deaths = None, await kill(server, rate, seconds)
        else:
            calls = await call(server, rate, seconds, limit_s)
            deaths = calls.sent
        master = (proc.run_ns([server.master]) - before) / 1e9 / (time.perf_counter() - begin)
    if calls:
        account.add(calls)
    lost = account.lost_in_all()
    return account, {
        "sent": account.sent, "lost": lost, "share": 100 * lost / account.sent, "deaths": deaths,
        "each": lost / max(1, deaths), "kinds": dict(account.lost), "master": master,
        "lag": account.lag_ms}


def main(run):
    rounds, seconds = (1, 1) if run.short else (2, 2)
    for way, rates, title, kinds in (
            ("signals", KILLS, "SIGKILLs a second", run.supervised()),
            ("calls", CALLS, "/workerKiller calls a second",
             [kind for kind in run.supervised() if kind.killer])):
        for rate in rates[::2] if run.short else rates:
            found = Measure(f"{way}-{rate}", f"Storm: {rate} {title}", METRICS, shown="share")
            run.say(f"{found.title}: {rounds} x {seconds} s each")
            accounted.measure(
                run, kinds, rounds, found,
                lambda server, way=way, rate=rate: storm(server, way, rate, seconds),
                UNAVOIDABLE[way])
