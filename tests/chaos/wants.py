"""
Scenarios in which something is short or far too slow for a while: memory,
descriptors, disk, clients, the registry. Nobody loses anything by them; but a
worker that cannot open what an answer needs says 503.
"""

import os
import resource
import time

from cluster import BIG_BYTES, MIB, PATIENCE
from ledger import WANTS
from lib import fake_registry, raw
from lib.client import Connection, render
from lib.load import WrongAnswer
from scenario import LeftOut, Scenario
from small_disk import fill
from witness import leave_no_descriptor, limit

LEAK_BYTES = 56 * MIB  # more than instance.max_memory
SLOW_CLIENTS = 3
BODY_BYTES = 64

_JSON = {"Accept": "application/json"}


# --- Slow clients ---------------------------------------------------------------------------


def acquainted(cluster, errand):
    """A connection whose worker is known, and goes on with it."""
    while True:
        errand.step = "in connect"
        connection = Connection(cluster.address)
        connection.socket.settimeout(PATIENCE)
        errand.step, errand.worker = "in answer", None
        who = connection.request("/", headers=_JSON)
        errand.worker = who.json["worker"]
        if not who.closes:
            return connection
        connection.close()


def expect(response, status, length):
    if response.status != status or (length is not None and len(response.body) != length):
        raise WrongAnswer(response)
    return f"{status}, {len(response.body)} bytes"


class Slow(Scenario):
    """Clients that take their time for the head of a request, its body, or its answer."""

    def begin(self):
        self._end = time.monotonic() + self.step.lasts
        deed = {"head": self._head, "body": self._body, "answer": self._answer}[self.step.variant]
        self._errands = [self.cluster.send(str(self.step), deed) for _ in range(SLOW_CLIENTS)]
        return f"{SLOW_CLIENTS} clients"

    def _drip(self, errand, connection, data):
        """Byte by byte until it is time, then the rest."""
        errand.step = "in request"
        for n in range(len(data)):
            if time.monotonic() > self._end:
                connection.send(data[n:])
                break
            connection.send(data[n : n + 1])
            raw.nothing_for(self.step.lasts / len(data))
        errand.step = "in answer"

    def _head(self, errand):
        with acquainted(self.cluster, errand) as connection:
            self._drip(errand, connection, render("/hello"))
            return expect(connection.receive(), 200, None)

    def _body(self, errand):
        with acquainted(self.cluster, errand) as connection:
            head, _, body = render("/sink", "POST", {}, b"b" * BODY_BYTES).partition(b"\r\n\r\n")
            connection.send(head + b"\r\n\r\n")
            self._drip(errand, connection, body)
            return expect(connection.receive(), 404, None)

    def _answer(self, errand):
        with acquainted(self.cluster, errand) as connection:
            connection.send(render("/big"))
            raw.nothing_for(max(0, self._end - time.monotonic()))
            return expect(connection.receive(), 200, BIG_BYTES)

    def verdict(self):
        if any(one.is_alive() for one in self._errands):
            return None
        return ", ".join(str(one.outcome or one.loss) for one in self._errands)


# --- Memory ---------------------------------------------------------------------------------


class Leak(Scenario):
    """A worker grows beyond its limit: it is recycled, and finishes what made it grow."""

    def begin(self):
        self._end = time.monotonic() + self.step.lasts
        self._errand = self.cluster.send(str(self.step), self._grow)
        return f"{LEAK_BYTES // MIB} MB"

    def _grow(self, errand):
        with acquainted(self.cluster, errand) as connection:
            errand.step = "in request"
            connection.send(f"POST /sink HTTP/1.1\r\nHost: a\r\nContent-Length: {LEAK_BYTES}\r\n")
            connection.send(b"\r\n")
            connection.send(b"m" * (LEAK_BYTES - 1))
            while time.monotonic() < self._end and self._serves(errand.worker):
                raw.nothing_for(0.1)
            connection.send(b"m")
            errand.step = "in answer"
            return expect(connection.receive(), 404, None)

    def _serves(self, worker):
        return worker in [one.id for one in self.cluster.journal.serving]

    def verdict(self):
        if self._errand.is_alive():
            return None
        recycled = self.said(rf"worker {self._errand.worker} is to be recycled")
        return f"{self._errand.outcome or self._errand.loss}; {recycled or 'it was not recycled'}"


# --- Descriptors ----------------------------------------------------------------------------


class MasterDescriptors(Scenario):
    """The master can open nothing: what needs that is refused, or waits."""

    errors = (r"(reload|upgrade) refused: .*Too many open files", r"reload failed: ",
              r"cannot write the access log to .*: Too many open files",
              r"crash loop: .*not even forked, Too many open files")  # fmt: skip

    def begin(self):
        self._before = leave_no_descriptor(self.cluster.pid)
        return f"limit {self._before} lowered"

    def end(self):
        limit(self.cluster.pid, resource.RLIMIT_NOFILE, self._before)
        return "lifted"


class WorkerDescriptors(Scenario):
    """One worker can open nothing: others accept, and it says 503 where it needs a file."""

    def begin(self):
        worker = self.choose_victim()
        self._pid = worker.pid
        try:
            self._before = leave_no_descriptor(worker.pid)
        except (ProcessLookupError, FileNotFoundError) as error:
            raise LeftOut(f"worker {worker.id} has just died") from error
        self._licence = self.cluster.ledger.license(worker.id, str(self.step), time.time(),
                                                    frozenset(WANTS))  # fmt: skip
        return f"worker {worker.id}"

    def end(self):
        try:
            limit(self._pid, resource.RLIMIT_NOFILE, self._before)
        except ProcessLookupError:
            return "it has died"
        self._licence.until = self._licence.until or time.time()
        return "lifted"


def descriptors(cluster, step):
    kind = MasterDescriptors if step.variant == "master" else WorkerDescriptors
    return kind(cluster, step)


# --- Disk -----------------------------------------------------------------------------------


class Disk(Scenario):
    """No byte of room for the access log and the cache file."""

    errors = (r"(reload refused: )?cannot write .*: No space left on device",)

    def begin(self):
        if not self.cluster.has_disk:
            raise LeftOut("a disk that can be filled takes root")
        self._ballast = self.cluster.disk / "ballast"
        fill(self._ballast)
        return "is full"

    def end(self):
        os.unlink(self._ballast)
        return "has room again"


# --- The registry ---------------------------------------------------------------------------


class Registry(Scenario):
    """It is gone, or answers in a way that helps nobody; then it is as before."""

    WAYS = {
        "garbage": fake_registry.garbage,
        "silent": fake_registry.nothing,
        "dripping": fake_registry.drip,
        "failing": fake_registry.say(500),
    }

    def begin(self):
        if self.step.variant == "gone":
            self.cluster.registry.go()
        else:
            self.cluster.registry.misbehaves = self.WAYS[self.step.variant]
        return self.cluster.registry.TYPE

    def end(self):
        self.cluster.registry.misbehaves = None
        if self.cluster.registry.is_away:
            self.cluster.registry.come()
        self._heartbeats = self.cluster.n_heartbeats
        return "answers again"

    def verdict(self):
        if self.cluster.n_heartbeats == self._heartbeats or not self.cluster.is_registered:
            return None
        return "the instance is registered"
