"""What rows under a steady load that accounts for every request have in common."""
import asyncio

import peers
from running import rotated

WORKERS = 2


def one(run, kind, found, work, allowed):
    """A server of its own: what the one before has left behind counts not."""
    for server in run.make([kind], WORKERS):
        with run.attempt(found.title, server, found):
            try:
                server.start()
                account, sample = asyncio.run(work(server))
            finally:
                server.stop()
            run.sample(found, server, sample)
            faults = account.faults(allowed)
            if server.name == peers.OURS and faults:
                run.blame(server.name, f"{found.title}: lost {faults}")


def measure(run, kinds, rounds, found, work, allowed):
    """All rounds of a measure.

    work(server): the coroutine of the load; it returns the account and a sample.
    allowed: in which ways our own may lose requests.
    """
    for number in range(rounds):
        for kind in rotated(kinds, number):
            if kind.name not in found.absent:
                one(run, kind, found, work, allowed)
    run.add(found)
