"""What rows under a steady load that accounts for every request have in common."""
import asyncio

import peers
from running import rotated

WORKERS = 2


def sample(run, found, server, work, allowed):
    account, figures = asyncio.run(work(server))
    faults = account.faults(allowed)
    if server.name == peers.OURS and faults:
        run.blame(server.name, f"{found.title}: lost {faults}")
    return figures


def measure(run, kinds, rounds, found, work, allowed):
    """All rounds of a measure.

    work(server): the coroutine of the load; it returns the account and a sample.
    allowed: in which ways our own may lose requests.
    """
    for number in range(rounds):
        left = [kind for kind in rotated(kinds, number) if kind.name not in found.absent]
        run.each(found, run.make(left, WORKERS),
                 lambda server: sample(run, found, server, work, allowed), checked=False)
    run.add(found)
