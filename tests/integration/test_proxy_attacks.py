"""
Every answer of tests/upstream_attacks, however it arrives: the client gets what
`expected` says, and its next request is answered rightly.

A line of `expected` has the file, the method of the request, what the upstream
does behind the bytes (close, or keep the connection), the verdict and the body.
Verdicts: a status, with that body, whole; broken: a head, and then the
connection ends before the answer is whole; a|b: either.
"""

import os
import threading

import pytest

from lib.answer import Broken
from lib.proxy import Client, route, stage, start_proxy, upstream_block  # noqa: F401
from lib.server import SRCDIR
from lib.wait import DEADLINE


FOLDER = os.path.join(SRCDIR, "tests", "upstream_attacks")
CUTS = 8  # at most, evenly, besides those around the ends
PIECE = 7  # bytes, of what is short enough to be sent in such pieces
SHORT = 200


class Attack:
    def __init__(self, line):
        self.name, self.method, self.end, verdicts, body = line.rstrip("\n").split("\t")
        self.verdicts = verdicts.split("|")
        self.body = body.encode().decode("unicode_escape").encode("latin-1")
        with open(os.path.join(FOLDER, self.name), "rb") as file:
            self.bytes = file.read()

    @property
    def splits(self):
        """Ways to cut it: lists of pieces."""
        size = len(self.bytes)
        head = self.bytes.find(b"\r\n\r\n") + 4
        second = self.bytes.rfind(b"HTTP/1.1 ")  # where another answer begins, if any
        places = {1, head - 3, head - 1, head, head + 1, head + 5, second, size - 1, size // 2}
        places |= set(range(0, size, size // CUTS + 1))
        for at in sorted(places & set(range(1, size))):
            yield f"cut at {at}", [self.bytes[:at], self.bytes[at:]]
        if size < SHORT:
            pieces = [self.bytes[at : at + PIECE] for at in range(0, size, PIECE)]
            yield f"in pieces of {PIECE}", pieces

    def judge(self, outcome, answer):
        """What is wrong with it; None if nothing is. outcome: a status, or "broken" """
        if outcome not in self.verdicts:
            return f"{outcome} instead of {self.verdicts}: {answer}"
        if outcome == "broken":
            wanted = b"hello"
            if not wanted.startswith(answer.body[: len(wanted)]):
                return f"an invented body {answer.body[:80]!r}"
        elif outcome != "502" and answer.body != self.body:
            return f"the body {answer.body[:80]!r}"
        names = [name.lower() for name, _ in answer.trailers]
        if set(names) & {"content-length", "transfer-encoding"}:
            return f"trailers {names}"
        return None


with open(os.path.join(FOLDER, "expected"), encoding="ascii") as lines:
    ATTACKS = [Attack(line) for line in lines]


class Play:
    """One of them on the stage: the upstream that sends it, the client that judges."""

    def __init__(self, server, upstream):
        self.server, self.upstream = server, upstream
        upstream.script = self.answer
        self.attack, self.pieces = None, []
        self.is_sent = threading.Event()
        self.n_good = 0

    def answer(self, exchange):
        if exchange.request.target == "/attack":
            try:
                for number, piece in enumerate(self.pieces):
                    if number:
                        exchange.until_read()
                    exchange.send(piece)
            finally:
                self.is_sent.set()
            if self.attack.end == "close":
                exchange.close()
        else:
            body = exchange.request.target.encode()
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def good(self, client):
        """What is wrong with the answer to a good request."""
        self.n_good += 1
        target = f"/good/{self.n_good}"
        try:
            answer = client.ask(target)
        except (Broken, AssertionError, OSError) as error:
            return f"the next request: {error}"
        if (answer.status, answer.body) != (200, target.encode()):
            return f"the next request is answered by {answer} {answer.body[:80]!r}"
        return None

    def bad(self, client):
        """What is wrong with the answer to the attack, and whether the connection goes on."""
        client.send(f"{self.attack.method} /attack HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        try:
            answer = client.read(self.attack.method)
        except Broken as error:
            if error.answer is None:
                return "no head at all", False
            return self.attack.judge("broken", error.answer), False
        except (AssertionError, OSError) as error:
            return f"{type(error).__name__}: {error}", False
        problem = self.attack.judge(str(answer.status), answer)
        if problem is None and answer.closes and not client.is_over():
            problem = "bytes behind the last answer"
        return problem, not answer.closes

    def run(self, attack, pieces):
        """What is wrong, or None."""
        self.attack, self.pieces = attack, pieces
        self.is_sent.clear()
        with Client(self.server.address) as client:
            problem, goes_on = self.bad(client)
            # What comes after the next request went out is an answer to it, whoever meant what.
            assert self.is_sent.wait(DEADLINE)
            if problem is None and goes_on:
                problem = self.good(client)
        if problem is None and not goes_on:
            with Client(self.server.address) as client:
                problem = self.good(client)
        return problem


@pytest.fixture(params=[0, 4], ids=["no keep-alive", "keep-alive"])
def play(start_proxy, stage, request):
    upstream = stage.add()
    server = start_proxy(
        upstream_block([(upstream, {"max_fails": 0})], keepalive=request.param) + route(),
        workers=1,
    )
    yield Play(server, upstream)
    assert not any(worker.is_dead for worker in server.workers.values()), "the worker has died"


def judge_all(play, jobs):
    problems = []
    for attack, how, pieces in jobs:
        problem = play.run(attack, pieces)
        if problem:
            problems.append(f"{attack.name} {how}: {problem}")
    assert not problems, f"{len(problems)} of {len(jobs)}:\n" + "\n".join(problems[:50])


@pytest.mark.smoke
def test_there_are_enough_attacks():
    names = {name for name in os.listdir(FOLDER) if name.endswith(".http")}
    assert names == {attack.name for attack in ATTACKS}
    assert len(ATTACKS) >= 200


@pytest.mark.smoke
@pytest.mark.valgrind
def test_attack_in_one_piece(play):
    judge_all(play, [(attack, "whole", [attack.bytes]) for attack in ATTACKS])


def test_attack_in_pieces(play):
    jobs = [(attack, how, pieces) for attack in ATTACKS for how, pieces in attack.splits]
    assert len(jobs) > 2000
    judge_all(play, jobs)
