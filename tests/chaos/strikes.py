"""
Scenarios that strike a process.

A worker that is killed, stands still or hangs may lose what it has in flight,
and nobody else loses anything. One that is told to leave, or stands still for a
moment, loses nothing; nor does anybody by the death of another role.
"""

import signal
import time

from cluster import PATIENCE
from lib import process
from lib.client import Connection
from lib.load import WrongAnswer
from scenario import LeftOut, Scenario

# Thrice in the same path: to the master that is suspicious.
POISON = r"poison request: "
MOMENT = 1.5  # seconds; a worker that stands still for less is not found to hang


class Strike(Scenario):
    """Of one worker, whose death is the verdict. `losing`: it may lose what it has."""

    errors = (POISON, r"worker \d+ hangs, replacing it")
    number = signal.SIGKILL
    losing = True

    def begin(self):
        self._victim, self._began = self.choose_victim(), time.time()
        if self.losing:
            self._licence = self.license(self._victim.id, self._began)
        process.kill(self._victim.pid, self.number)
        return f"worker {self._victim.id}"

    def license(self, worker, since):
        return self.cluster.ledger.license(worker, str(self.step), since)

    def verdict(self):
        return self.cluster.death_of(self._victim.id)


class Stop(Strike):
    number = signal.SIGSTOP


class Pause(Strike):
    """Stopped for a moment."""

    number = signal.SIGSTOP

    def end(self):
        process.kill(self._victim.pid, signal.SIGCONT)
        if time.time() - self._began > MOMENT:
            return "it was long, on this machine"
        self.cluster.ledger.revoke(self._licence)
        return "goes on"

    def verdict(self):
        return "has passed"


class Chaos(Strike):
    """By /workerKiller, which says whom it strikes."""

    @property
    def mode(self):
        return self.step.variant

    def begin(self):
        self._errand = self.cluster.send(f"workerKiller?mode={self.mode}", self._ask)
        return "asked"

    def _ask(self, errand):
        began = time.time()
        with Connection(self.cluster.address) as connection:
            connection.socket.settimeout(PATIENCE)
            errand.step = "in answer"
            response = connection.request(f"/workerKiller?mode={self.mode}")
        if response.status != 200:
            raise WrongAnswer(response)
        errand.worker = response.json["worker"]
        if self.losing:
            self.license(errand.worker, began)
        return errand.worker

    def verdict(self):
        if self._errand.is_alive():
            return None
        if self._errand.loss:
            return f"nobody was struck: {self._errand.loss}"
        return self.cluster.death_of(self._errand.outcome)


class Hang(Chaos):
    mode = "hang"


class Leave(Strike):
    """By SIGTERM."""

    errors = ()
    number = signal.SIGTERM
    losing = False


class LeaveAsAsked(Chaos):
    errors = ()
    losing = False


class Role(Scenario):
    """The admin child or the herald is killed; nobody's requests depend on it."""

    def begin(self):
        self._pid = self.cluster.role_pid(self.step.variant)
        if self._pid is None:
            raise LeftOut("there is not exactly one")
        process.kill(self._pid)
        return f"process {self._pid}"

    def verdict(self):
        now = self.cluster.role_pid(self.step.variant)
        return f"it is process {now}" if now not in (None, self._pid) else None


def kill(cluster, step):
    return (Strike if step.variant == "signal" else Chaos)(cluster, step)


def leave(cluster, step):
    return (Leave if step.variant == "signal" else LeaveAsAsked)(cluster, step)
