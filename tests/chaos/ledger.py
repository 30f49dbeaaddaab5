"""
The accounts of a run: whose death, or want, may have cost which requests.
Pure. What is lost without a licence that fits is a defect of the server.
"""

from dataclasses import dataclass

# How a request may end whose worker dies, also one that was not sent yet.
DEATHS = {"reset in request", "reset in answer", "closed in answer",
          "reset while idle", "closed while idle"}  # fmt: skip

# A worker that cannot open what an answer needs says so, see zombie-server.conf(5).
WANTS = {"status 503"}

CLOCK = 0.002  # seconds by which the log, in milliseconds, may be early


@dataclass
class Licence:
    """What this worker has in flight may be lost in one of these ways, from then on."""

    worker: int
    why: str
    since: float  # seconds since the epoch, as all times here
    ways: frozenset
    until: float | None = None  # None: not over yet

    def covers(self, loss):
        return (
            loss.reason in self.ways
            and loss.worker in (None, self.worker)  # None: it had not said who it is
            and loss.ended >= self.since
            and (self.until is None or loss.began <= self.until + CLOCK)
        )


class Ledger:
    def __init__(self):
        self.licences = []
        self._died = {}  # when, by worker

    def license(self, worker, why, since, ways=frozenset(DEATHS)):
        """Allow losses from now on, until the worker is dead or the licence is over."""
        made = Licence(worker, why, since, ways, self._died.get(worker))
        self.licences.append(made)
        return made

    def revoke(self, licence):
        """It has turned out that nothing may be lost by it."""
        self.licences.remove(licence)

    def note_death(self, worker, when):
        self._died[worker] = when
        for licence in self.licences:
            if licence.worker == worker and licence.until is None:
                licence.until = when

    def may_die(self, worker):
        """Whether a violent death of this worker is what somebody wanted."""
        return any(one.worker == worker and one.ways & DEATHS for one in self.licences)

    def inexcusable(self, losses):
        return [loss for loss in losses if not any(one.covers(loss) for one in self.licences)]
