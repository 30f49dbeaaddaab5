"""Load: clients in a process of their own, which check every answer and forgive nothing."""

import collections
import contextlib
import multiprocessing
import random
import select
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
_EXAMPLES = 20  # failures that are shown with all their details
_JSON = {"Accept": "application/json"}


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
    asks_who: bool = False  # first of all, on each connection: a loss then names the worker


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
class Loss:
    """A request that was not answered, or a connection that broke before it could be asked."""

    kind: str
    reason: str
    began: float  # seconds since the epoch
    ended: float
    worker: int | None  # that has answered on this connection before, if it is known
    details: str = ""

    def __str__(self):
        whose = "" if self.worker is None else f" by worker {self.worker}"
        return (f"{self.reason}: {self.kind}{whose}, {1000 * (self.ended - self.began):.0f} ms "
                f"after it began, at {self.ended:.3f}: {self.details}")  # fmt: skip


@dataclass
class Tally:
    """What became of the requests. A failure is anything but the whole and right answer."""

    answered: int = 0
    connections: int = 0
    slowest_ms: float = 0
    failures: collections.Counter = field(default_factory=collections.Counter)  # by reason
    losses: list = field(default_factory=list)  # each failure

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
        self.losses += other.losses

    @property
    def examples(self):
        return list(map(str, self.losses[:_EXAMPLES]))

    def fail(self, loss):
        self.failures[loss.reason] += 1
        self.losses.append(loss)

    def __str__(self):
        return (f"{self.answered} answered on {self.connections} connections, "
                f"{self.failed} failed, {self.resets} resets, "
                f"slowest {self.slowest_ms:.0f} ms")  # fmt: skip


class WrongAnswer(Exception):
    """A whole answer, and not the right one."""

    def __init__(self, response):
        super().__init__(f"wrong answer {response.status} {response.body[:80]!r}")
        self.status = response.status


class _Connection(client.Connection):
    """One that tells a reset from an orderly end."""

    def fail_if_broken(self):
        """Of one that is idle."""
        if select.select([self.socket], [], [], 0)[0]:
            self._more()
            raise ValueError("bytes that nobody has asked for")

    def _more(self):
        data = self.socket.recv(65536)
        if not data:
            raise client.Disconnected(f"after {len(self._unread)} bytes of the answer")
        self._unread += data


def reason_of(error, step):
    if isinstance(error, WrongAnswer):
        return f"status {error.status}"
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
        self.worker = None  # that has it, if known
        self.asked = 0.0  # when the last request was begun
        self.began = 0.0  # the same, or what a failure counts from, since the epoch
        self.step = ""  # for the reason of a failure
        header = {} if kind.keep_alive else {"Connection": "close"}
        self.request = client.render(kind.target, kind.method, header, kind.body)

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def open(self):
        self.step, self.worker = "in connect", None
        self.connection = _Connection(self.address)
        self.connection.socket.settimeout(self.patience)
        self.tally.connections += 1
        self.n_requests = 0

    def is_usable(self):
        """Whether the connection may take one more request; one that has broken is a failure."""
        if self.connection is None or time.monotonic() - self.asked > STALE_MS / 1000:
            return False
        self.step = "while idle"
        self.connection.fail_if_broken()
        return True

    def ask(self, request, method, is_right):
        self.n_requests += 1
        self.step = "in request"
        self.connection.send(request)
        self.step = "in answer"
        response = self.connection.receive(method)
        self.tally.slowest_ms = max(self.tally.slowest_ms, 1000 * (time.monotonic() - self.asked))
        if not is_right(response):
            raise WrongAnswer(response)
        self.tally.answered += 1
        if response.closes or not self.kind.keep_alive:
            self.close()
        return response

    def exchange(self):
        now = time.monotonic(), time.time()  # before it is found usable: it may break at once
        if not self.is_usable():
            self.close()
        self.asked, self.began = now
        if self.connection is None:
            self.open()
            if self.kind.asks_who:
                who = self.ask(client.render("/", headers=_JSON), "GET", lambda r: r.status == 200)
                self.worker = who.json["worker"]
                return
        self.ask(self.request, self.kind.method,
                 lambda response: (response.status, response.body) == self.expected)  # fmt: skip

    def attempt(self):
        try:
            self.exchange()
        except (OSError, client.Disconnected, WrongAnswer, ValueError) as error:
            now = time.time()
            self.tally.fail(Loss(
                self.kind.name, reason_of(error, self.step), self.began, now, self.worker,
                f"request {self.n_requests} of its connection: {error!r}",
            ))  # fmt: skip
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
