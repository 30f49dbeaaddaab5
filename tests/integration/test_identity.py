"""GET /: who answered, and that all of them are one instance."""

import os
import socket
import uuid
from collections import Counter

import pytest

JSON = {"Accept": "application/json"}


@pytest.mark.smoke
@pytest.mark.valgrind
def test_root_says_who_answered(start):
    server = start()
    answer = server.identity()
    worker = server.workers[answer["worker"]]
    assert set(answer) == {
        "instance", "worker", "slot", "pid", "hostname", "uptime_ms", "requests",
    }  # fmt: skip
    assert (answer["slot"], answer["pid"]) == (worker.slot, worker.pid)
    assert answer["hostname"] == socket.gethostname()
    assert answer["uptime_ms"] >= 0


@pytest.mark.smoke
def test_instance_is_a_random_uuid(start):
    server = start()
    instance = server.identity()["instance"]
    assert uuid.UUID(instance).version == 4
    assert instance == server.instance == str(uuid.UUID(instance))


def test_two_servers_are_two_instances(start):
    assert start().identity()["instance"] != start().identity()["instance"]


def test_requests_are_counted_by_worker(start):
    server = start(workers=1)
    with server.connect() as connection:
        counts = [connection.request(headers=JSON).json["requests"] for _ in range(3)]
    assert counts == [1, 2, 3]


def test_uptime_rises(start):
    server = start(workers=1)
    first, second = server.identity(), server.identity()
    assert second["uptime_ms"] >= first["uptime_ms"]


def test_thousand_requests_are_answered_by_two_workers_of_one_instance(start):
    server = start("--chaos", workers=2)
    answers = [server.identity() for _ in range(1000)]
    assert {answer["instance"] for answer in answers} == {server.instance}
    assert set(Counter(answer["worker"] for answer in answers)) == {1, 2}


def test_workers_are_children_of_the_master(start):
    server = start(workers=3)
    for worker in server.serving:
        with open(f"/proc/{worker.pid}/stat", encoding="utf-8") as file:
            parent = int(file.read().rpartition(")")[2].split()[1])
        assert parent == server.pid
        assert worker.pid != os.getpid()
