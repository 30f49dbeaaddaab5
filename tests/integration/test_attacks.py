"""Every request of tests/attacks is refused, however it arrives, and nothing behind it is read."""

import contextlib
import os

import pytest

from lib import raw
from lib.client import render
from lib.server import SRCDIR

ROUTES = """
route "/{$}" { handler = json }
route "/who" { handler = identity }
"""
FOLDER = os.path.join(SRCDIR, "tests", "attacks")
GOOD = render("/hello")
AT_ONCE = 300  # connections: fewer than may linger
ALL_SPLITS_BYTES = 300
BYTE_BY_BYTE_BYTES = 2048
FEW = 10


class Attack:
    """A file: its name, its bytes, and the statuses to refuse it with."""

    def __init__(self, line):
        self.name, statuses = line.rstrip("\n").split("\t")
        self.statuses = {int(status) for status in statuses.split("|")}
        with open(os.path.join(FOLDER, self.name), "rb") as file:
            self.bytes = file.read()
        self.method = "HEAD" if self.bytes.startswith(b"HEAD ") else "GET"

    def judge(self, received, before=0, how="whole"):
        """What is wrong with these bytes as the answer; `before`: good answers go ahead of it."""
        try:
            answers = raw.split(received, self.method)
        except (AssertionError, ValueError) as error:
            return [f"{self.name} {how}: {error}"]
        wanted = [{200}] * before + [self.statuses]
        statuses = [answer.status for answer in answers]
        if len(statuses) != len(wanted) or any(s not in w for s, w in zip(statuses, wanted)):
            return [f"{self.name} {how}: {statuses} instead of {wanted}"]
        if not answers[-1].closes or any(answer.closes for answer in answers[:-1]):
            return [f"{self.name} {how}: not exactly the last answer says close"]
        return []

    @property
    def splits(self):
        """Where to cut it in two: everywhere, or around the ends and now and then between."""
        size = len(self.bytes)
        if size < ALL_SPLITS_BYTES:
            return range(1, size)
        return [at for at in range(1, size) if at < 64 or at > size - 64 or at % 509 == 0]


with open(os.path.join(FOLDER, "expected"), encoding="ascii") as lines:
    ATTACKS = [Attack(line) for line in lines]


@pytest.fixture
def server(start, tmp_path):
    (tmp_path / "routes.conf").write_text(ROUTES)
    patient = "http.header_ms=3600000", "http.body_ms=3600000", "http.min_rate=0"
    return start("-c", tmp_path / "routes.conf", *patient, workers=1)


@pytest.fixture
def routed(server):
    """How many requests have been routed since the last question, that one not counted."""
    seen = server.fetch("/who", headers={"Accept": "application/json"}).json["requests"]

    def count():
        nonlocal seen
        before = seen
        seen = server.fetch("/who", headers={"Accept": "application/json"}).json["requests"]
        return seen - before - 1

    return count


class Job:
    """
    An attack in pieces, on a connection of its own, perhaps behind good requests.

    A later piece may find that the server, after its refusal, has read on for long
    enough: then the answer is there, and a reset behind it.
    """

    def __init__(self, attack, pieces, good=0, how="whole"):
        self.attack, self.pieces, self.good, self.how = attack, pieces, good, how

    def send(self, sock, turn):
        with contextlib.suppress(ConnectionError if turn > 0 else ()):
            if turn < len(self.pieces):
                sock.sendall(self.pieces[turn])

    def judge(self, sock):
        """What is wrong with the answer: nothing, or a list of one."""
        receive = raw.until_closed if len(self.pieces) == 1 else raw.until_gone
        try:
            return self.attack.judge(receive(sock), self.good, self.how)
        except ConnectionError:
            return [f"{self.attack.name} {self.how}: reset"]


def play(server, jobs):
    """All jobs, many at a time; no piece goes before the server has read the one before it."""
    problems = []
    for first in range(0, len(jobs), AT_ONCE):
        batch = jobs[first : first + AT_ONCE]
        with raw.crowd(len(batch), server.address) as sockets:
            for turn in range(max(len(job.pieces) for job in batch)):
                if turn > 0:
                    raw.wait_until_read(server.port)
                for job, sock in zip(batch, sockets):
                    job.send(sock, turn)
            for job, sock in zip(batch, sockets):
                problems += job.judge(sock)
    assert not problems, f"{len(problems)} of {len(jobs)}: " + "; ".join(problems[:20])


@pytest.mark.smoke
def test_there_are_enough_attacks():
    names = {name for name in os.listdir(FOLDER) if name.endswith(".http")}
    assert names == {attack.name for attack in ATTACKS}
    assert len(ATTACKS) >= 140


@pytest.mark.smoke
@pytest.mark.valgrind
def test_attack_is_refused(server, routed):
    play(server, [Job(attack, [attack.bytes]) for attack in ATTACKS])
    assert routed() == 0


def test_attack_behind_a_good_request_is_refused(server, routed):
    play(server, [Job(attack, [GOOD + attack.bytes], good=1) for attack in ATTACKS])
    assert routed() == len(ATTACKS)
    jobs = [Job(attack, [GOOD, attack.bytes], good=1, how="on its own") for attack in ATTACKS]
    play(server, jobs)
    assert routed() == len(ATTACKS)


def test_good_request_behind_an_attack_is_never_read(server, routed):
    play(server, [Job(attack, [attack.bytes + GOOD * 3]) for attack in ATTACKS])
    later = [Job(attack, [attack.bytes, GOOD, GOOD], how="good ones later") for attack in ATTACKS]
    play(server, later)
    both = [Job(attack, [GOOD + attack.bytes + GOOD], good=1, how="between") for attack in ATTACKS]
    play(server, both)
    assert routed() == len(ATTACKS)


@pytest.mark.parametrize("behind", [b"", GOOD], ids=["alone", "with a good one behind"])
def test_attack_is_refused_wherever_it_is_cut(server, routed, behind):
    jobs = [
        Job(attack, [attack.bytes[:at], attack.bytes[at:] + behind], how=f"cut at {at}")
        for attack in ATTACKS
        for at in attack.splits
    ]
    assert len(jobs) > 20000
    play(server, jobs)
    assert routed() == 0


def test_attack_is_refused_byte_by_byte(server, routed):
    jobs = [
        Job(attack, [bytes([byte]) for byte in attack.bytes], how="byte by byte")
        for attack in ATTACKS
        if len(attack.bytes) < BYTE_BY_BYTE_BYTES
    ]
    problems = []
    with raw.crowd(len(jobs), server.address) as sockets:
        waiting = dict(zip(sockets, jobs))
        for turn in range(BYTE_BY_BYTE_BYTES):
            for sock in raw.ready(waiting):
                problems += waiting.pop(sock).judge(sock)
            for sock, job in waiting.items():
                job.send(sock, turn)
            if len(waiting) > FEW:
                raw.wait_until_read(server.port)
        for sock, job in waiting.items():
            problems += job.judge(sock)
    assert not problems, "; ".join(problems)
    assert routed() == 0
