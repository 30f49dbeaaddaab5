"""Load: clients in a process of their own, which check every answer and forgive nothing."""

import collections
import contextlib
import multiprocessing
import random
import socket
import threading
import time
from dataclasses import dataclass, field

from lib import client
from lib.wait import DEADLINE, eventually

# Longer than any stall of a busy machine, shorter than a test's deadline.
PATIENCE = 15

# A keep-alive client may pause for less than drain_idle_ms, 500 unless configured; one that
# was kept from running for longer than this closes its connection instead of using it.
STALE_MS = 400

_POST = b"z" * 16384
_EXAMPLES = 20  # failures that are kept with all their details


@dataclass
class Kind:
    """What some of the clients do again and again."""

    name: str
    target: str
    method: str = "GET"
    body: bytes = b""
    keep_alive: bool = True
    pause_ms: int = 2  # at most, before each request
    clients: int = 2


def kinds(small="/hello", sink="/sink"):
    """Keep-alive and not, small GETs and POSTs of 16 KB; sink: a path that takes POST."""
    return [
        Kind("GET keep-alive", small),
        Kind("GET keep-alive with pauses", small, pause_ms=200, clients=16),
        Kind("GET new connection", small, keep_alive=False),
        Kind("POST keep-alive", sink, "POST", _POST),
        Kind("POST new connection", sink, "POST", _POST, keep_alive=False),
    ]


@dataclass
class Tally:
    """What became of the requests. A failure is anything but the whole and right answer."""

    answered: int = 0
    connections: int = 0
    slowest_ms: float = 0
    failures: collections.Counter = field(default_factory=collections.Counter)  # by reason
    examples: list = field(default_factory=list)

    @property
    def failed(self):
        return sum(self.failures.values())

    @property
    def resets(self):
        return sum(n for reason, n in self.failures.items() if "reset" in reason)

    def add(self, other):
        self.answered += other.answered
        self.connections += other.connections
        self.slowest_ms = max(self.slowest_ms, other.slowest_ms)
        self.failures += other.failures
        self.examples = (self.examples + other.examples)[:_EXAMPLES]

    def fail(self, reason, details):
        self.failures[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{reason}: {details}")

    def __str__(self):
        return (f"{self.answered} answered on {self.connections} connections, "
                f"{self.failed} failed, {self.resets} resets, "
                f"slowest {self.slowest_ms:.0f} ms")  # fmt: skip


class _Connection(client.Connection):
    """One that tells a reset from an orderly end."""

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise client.Disconnected(f"after {len(self._unread)} bytes of the answer")
        self._unread += data


def _reason(error, step):
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return f"reset {step}"
    if isinstance(error, client.Disconnected):
        return f"closed {step}"
    if isinstance(error, (socket.timeout, TimeoutError)):
        return f"no answer {step}"
    return f"{type(error).__name__} {step}"


class _Client:
    def __init__(self, address, kind, expected, patience):
        self.address, self.kind = address, kind
        self.expected, self.patience = expected, patience
        self.tally = Tally()
        self.connection = None
        self.n_requests = 0  # on this connection
        self.asked = 0.0  # when the last request was begun
        self.step = ""  # for the reason of a failure
        header = {} if kind.keep_alive else {"Connection": "close"}
        self.request = client.render(kind.target, kind.method, header, kind.body)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def open(self):
        self.step = "in connect"
        self.connection = _Connection(self.address)
        self.connection.socket.settimeout(self.patience)
        self.tally.connections += 1
        self.n_requests = 0

    def exchange(self):
        if self.connection is not None and time.monotonic() - self.asked > STALE_MS / 1000:
            self.close()
        self.asked = time.monotonic()
        if self.connection is None:
            self.open()
        self.n_requests += 1
        self.step = "in request"
        self.connection.send(self.request)
        self.step = "in answer"
        response = self.connection.receive(self.kind.method)
        self.tally.slowest_ms = max(self.tally.slowest_ms, 1000 * (time.monotonic() - self.asked))
        if (response.status, response.body) != self.expected:
            raise ValueError(f"wrong answer {response.status} {response.body[:80]!r}")
        self.tally.answered += 1
        if response.closes or not self.kind.keep_alive:
            self.close()

    def attempt(self):
        try:
            self.exchange()
        except (OSError, client.Disconnected, ValueError) as error:
            self.tally.fail(
                _reason(error, self.step),
                f"{self.kind.name}, request {self.n_requests} of its connection, "
                f"{1000 * (time.monotonic() - self.asked):.0f} ms after it began, "
                f"at {time.time():.3f}: {error!r}",
            )
            self.close()

    def run(self, control):
        while not control.stop:
            self.attempt()
            control.progress(self.tally)
            time.sleep(random.uniform(0, self.kind.pause_ms / 1000))
        self.close()


class _Control:
    """What both processes see."""

    def __init__(self):
        self._stop = multiprocessing.RawValue("b", 0)
        self._answered = multiprocessing.RawValue("Q", 0)
        self._lock = threading.Lock()

    @property
    def stop(self):
        return self._stop.value

    def end(self):
        self._stop.value = 1

    @property
    def answered(self):
        return self._answered.value

    def progress(self, tally):
        with self._lock:
            self._answered.value += tally.answered - getattr(tally, "told", 0)
            tally.told = tally.answered


def _work(clients, control, pipe):
    threads = [threading.Thread(target=one.run, args=(control,)) for one in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tallies = {}
    for one in clients:
        tallies.setdefault(one.kind.name, Tally()).add(one.tally)
    pipe.send(tallies)


def _ask(address, kind):
    response = client.fetch(address, kind.target, kind.method, body=kind.body)
    return response.status, response.body


class Load(contextlib.AbstractContextManager):
    """
    Clients of the given kinds from the beginning of the block to its end; then
    `tallies` has a Tally for each kind, `total` their sum. Right is what the
    server answers at the beginning.

    patience: how long a client waits for an answer, in seconds
    """

    def __init__(self, address, of=None, patience=PATIENCE):
        wanted = kinds() if of is None else of
        expected = {kind.name: _ask(address, kind) for kind in wanted}
        clients = [_Client(address, kind, expected[kind.name], patience)
                   for kind in wanted for _ in range(kind.clients)]  # fmt: skip
        context = multiprocessing.get_context("fork")
        self._control = _Control()
        self._pipe, theirs = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_work, args=(clients, self._control, theirs), daemon=True
        )
        self.tallies = {}
        self.total = Tally()
        self.seconds = 0.0

    def __enter__(self):
        self.seconds = -time.monotonic()
        self._process.start()
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def answered(self):
        """So far."""
        return self._control.answered

    def wait_for_answers(self, n):
        """Wait until n more requests have been answered."""
        wanted = self.answered + n
        eventually(lambda: self.answered >= wanted, f"{n} more requests are answered")

    def stop(self):
        """End it; later calls do nothing."""
        if self.tallies:
            return
        self._control.end()
        self.seconds += time.monotonic()
        if self._pipe.poll(DEADLINE + PATIENCE):
            self.tallies = self._pipe.recv()
        self._process.join(DEADLINE)
        if self._process.is_alive():
            self._process.kill()
        assert self.tallies, "the clients of the load have vanished"
        for tally in self.tallies.values():
            self.total.add(tally)

    def assert_flawless(self):
        """Every kind of client was answered, and nothing whatever failed."""
        for name, tally in self.tallies.items():
            assert tally.answered > 0, f"{name}: no request was answered"
        assert self.total.failed == 0, "\n".join([str(self.total), *self.total.examples])
