"""Violence from outside: kills by the thousand, workers that stand still."""

import random
import signal
import time

from ledger import DEATHS
from lib import process
from lib.client import Connection
from lib.load import Load, kinds
from lib.wait import DEADLINE, eventually
from witness import Journal, Scales

KILLS_PER_SECOND = 50
STORM_SECONDS = 30


def pause_until(moment):
    time.sleep(max(0, moment - time.monotonic()))


def assert_only_deaths(load, n_deaths):
    """Who was not with one of the workers that died was answered; so was everybody in the end."""
    total = load.total
    assert set(total.failures) <= DEATHS, "\n".join(total.examples)
    most = n_deaths * sum(kind.clients for kind in kinds())
    assert total.failed <= most, f"{total.failed} failed, {n_deaths} deaths"
    assert total.answered > total.failed


# A storm of kills


def storm(journal):
    """Kill the oldest worker that serves, again and again; returns when, each time."""
    begin = time.monotonic()
    killed, moments = set(), []
    for i in range(KILLS_PER_SECOND * STORM_SECONDS):
        pause_until(begin + i / KILLS_PER_SECOND)
        if time.monotonic() > begin + STORM_SECONDS:
            break
        journal.read()
        victims = [worker for worker in journal.serving if worker.id not in killed]
        if victims:
            killed.add(victims[0].id)
            moments.append(time.time())
            process.kill(victims[0].pid)
    return moments


def test_storm_of_kills_leaves_the_server_whole(start, conf, figure):
    server = start("-c", conf.path)
    journal = Journal(server)
    with Load(server.address) as load:
        load.wait_for_answers(1000)
        scales = Scales(server)
        moments = storm(journal)
        cpu = scales.cpu_percent(STORM_SECONDS)
        eventually(lambda: journal.read() is not None and len(journal.deaths) >= len(moments),
                   "every kill is in the log")  # fmt: skip
        survivors = journal.wait_for_strength(2)
        load.wait_for_answers(1000)
    healed_ms = 1000 * (journal.ready[-1][0] - moments[-1])
    figure(f"{len(moments)} kills in {STORM_SECONDS} s, full strength {healed_ms:.1f} ms after "
           f"the last, master at {cpu:.1f} % of a core; {load.total}")  # fmt: skip
    figure(scales.assert_nothing_leaked())
    assert len(moments) > KILLS_PER_SECOND * STORM_SECONDS / 2
    assert len(journal.deaths) == len(moments)
    assert journal.forked == list(range(1, len(moments) + 3))
    assert sorted(worker.slot for worker in survivors) == [1, 2]
    assert "too fast" not in server.log
    # With fifty kills a second some hit the same path thrice: to the master that is suspicious.
    assert all(text.startswith("poison request") for text in journal.complaints)
    assert healed_ms < 1000  # well under 10, but no machine promises that
    assert cpu < 20
    assert_only_deaths(load, len(moments))


# A worker that stands still


def fresh_answers(server, journal, until):
    """New connections, one after the other, until(log text): [(worker, milliseconds)]."""
    answers = []
    end = time.monotonic() + DEADLINE
    while not any(until in text for _, text in journal.read()):
        assert time.monotonic() < end, f"not within {DEADLINE} s: {until}"
        begin = time.monotonic()
        worker = server.identity()["worker"]
        answers.append((worker, 1000 * (time.monotonic() - begin)))
    return answers


def test_stopped_worker_is_replaced_and_its_sibling_serves(start, conf, figure):
    server = start("-c", conf.path, "instance.hang_timeout_ms=2000")
    stopped, sibling = server.serving
    journal = Journal(server)
    with Load(server.address) as load:
        load.wait_for_answers(1000)
        process.kill(stopped.pid, signal.SIGSTOP)
        eventually(lambda: process.is_stopped(stopped.pid), "the worker is stopped")
        began = time.monotonic()
        answers = fresh_answers(server, journal, f"worker {stopped.id} hangs")
        detected = time.monotonic() - began
        server.wait_until_replaced(stopped)
        server.wait_for_log(f"worker {stopped.id} died: killed by SIGKILL")
        journal.wait_for_strength(2)
        load.wait_for_answers(1000)
    slowest = max(ms for _, ms in answers)
    figure(f"found out after {detected:.1f} s; meanwhile {len(answers)} new connections answered, "
           f"the slowest in {slowest:.1f} ms; around it {load.total}")  # fmt: skip
    assert {worker for worker, _ in answers[:-1]} == {sibling.id}
    assert slowest < 1500
    assert detected >= 1
    assert_only_deaths(load, 1)
    assert not server.workers[sibling.id].is_dead


def test_lone_connection_does_not_wait_for_a_stopped_worker(start, figure):
    slowest = 0
    for _ in range(10):
        server = start("instance.hang_timeout_ms=0")
        stopped, sibling = random.sample(server.serving, 2)
        process.kill(stopped.pid, signal.SIGSTOP)
        eventually(lambda: process.is_stopped(stopped.pid), "the worker is stopped")
        begin = time.monotonic()
        with Connection(server.address) as connection:
            connection.socket.settimeout(5)
            answer = connection.request("/", headers={"Accept": "application/json"})
        slowest = max(slowest, 1000 * (time.monotonic() - begin))
        assert answer.json["worker"] == sibling.id
        process.kill(stopped.pid, signal.SIGCONT)
        server.stop()
    figure(f"slowest of 10 answered in {slowest:.1f} ms")
