"""Workers and their ids: MASTER_ID for each, numbers that rise, slots that stay."""

import grp
import os
import pwd
import re
import resource
import signal

import pytest

from lib import process
from lib.client import render
from lib.server import BINARY


def master_ids(server):
    """What each worker was told, by its id."""
    return dict(re.findall(r"debug worker (\d+): MASTER_ID is (\S+)", server.log))


@pytest.mark.smoke
@pytest.mark.valgrind
def test_first_workers_ask_for_the_master_id(start):
    server = start("log.level=debug", workers=2)
    assert master_ids(server) == {"1": server.instance, "2": server.instance}


def test_replaced_workers_ask_for_the_master_id(start):
    server = start("log.level=debug", workers=2)
    for worker in server.serving:
        process.kill(worker.pid)
        server.wait_until_replaced(worker)
    assert set(master_ids(server).values()) == {server.instance}
    assert set(master_ids(server)) == {"1", "2", "3", "4"}


def test_worker_knows_its_instance_before_it_is_ready(start):
    server = start("log.level=debug", workers=4)
    for number in range(1, 5):
        assert re.search(
            rf"worker {number}: MASTER_ID is(.|\n)*worker {number} is ready", server.log
        )


def test_worker_ids_start_at_one_and_fill_the_slots(start):
    server = start(workers=4)
    assert sorted((w.id, w.slot) for w in server.serving) == [(1, 1), (2, 2), (3, 3), (4, 4)]


@pytest.mark.smoke
def test_worker_id_rises_slot_and_uuid_stay(start):
    server = start(workers=2)
    before, victim = server.instance, server.serving[0]
    for n in range(1, 4):
        process.kill(victim.pid)
        successor = server.wait_until_replaced(victim)
        assert (successor.id, successor.slot) == (2 + n, victim.slot)
        victim = successor
    while (answer := server.identity())["worker"] != victim.id:
        continue
    assert (answer["slot"], answer["pid"]) == (victim.slot, victim.pid)
    assert answer["instance"] == before


def test_number_of_workers_is_the_configured_one(start):
    server = start(workers=5)
    assert len(process.children_of(server.pid)) == 5
    server.wait_for_log("5 workers, as configured")


def test_automatic_number_of_workers_shows_its_sum(start):
    server = start(workers="auto", wait=False)
    line = server.wait_for_log(r"cpus (\d+) \(affinity (\d+).*\) = (\d+) workers?(, the minimum)?$")
    assert int(line[2]) == len(os.sched_getaffinity(0))
    assert int(line[1]) <= int(line[2])
    assert len(server.wait_until_serving(int(line[3]))) == int(line[1])


def test_containers_and_reserve_divide_the_cpus_down_to_one(start):
    server = start("-n", 4096, "instance.reserve_cpus=1", workers="auto", wait=False)
    server.wait_for_log(r"- 1 reserved / containers 4096 = 1 worker, the minimum$")
    server.wait_until_serving(1)


def test_affinity_mask_decides_the_number_of_workers(start):
    one_cpu = {min(os.sched_getaffinity(0))}
    server = start(workers="auto", wait=False, preexec=lambda: os.sched_setaffinity(0, one_cpu))
    server.wait_for_log(r"cpus 1 \(affinity 1.*\) = 1 worker$")
    server.wait_until_serving(1)


@pytest.mark.root
def test_workers_become_the_user_and_the_master_stays_root(start):
    server = start("instance.user=nobody")
    nobody = pwd.getpwnam("nobody")
    master = process.status_of(server.pid)
    assert master["Uid"].split() == ["0"] * 4
    for worker in server.serving:
        status = process.status_of(worker.pid)
        assert status["Uid"].split() == [str(nobody.pw_uid)] * 4
        assert status["Gid"].split() == [str(nobody.pw_gid)] * 4
        assert "0" not in status["Groups"].split()
        assert int(status["CapEff"], 16) == 0


def test_workers_can_gain_no_privileges(start):
    server = start()
    for worker in server.serving:
        assert process.status_of(worker.pid)["NoNewPrivs"] == "1"


@pytest.mark.root
def test_group_can_be_another_than_the_users_own(start):
    server = start("instance.user=nobody", "instance.group=daemon")
    daemon = str(grp.getgrnam("daemon").gr_gid)
    for worker in server.serving:
        assert process.status_of(worker.pid)["Gid"].split() == [daemon] * 4


@pytest.fixture
def as_nobody():
    """
    Options that start the server as nobody, who may not be allowed to reach the
    binary by its path: so it is executed by its descriptor.
    """
    fd = os.open(BINARY, os.O_RDONLY)
    yield {"binary": f"/proc/self/fd/{fd}", "pass_fds": [fd], "preexec": lambda: os.setuid(65534)}
    os.close(fd)


@pytest.mark.root
def test_user_needs_root(start, as_nobody):
    server = start("instance.user=daemon", wait=False, **as_nobody)
    server.expected_status = 71
    assert server.wait() == 71
    server.wait_for_log(
        "instance.user, group and chroot need root: start as root or leave them out$"
    )


@pytest.mark.root
def test_too_few_descriptors_mean_fewer_connections(start, as_nobody):
    become_nobody = as_nobody.pop("preexec")

    def scarce():
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        become_nobody()  # root would raise the limit

    server = start(workers=1, preexec=scarce, **as_nobody)
    server.wait_for_log("warning .* needs 10033 descriptors a worker, the limit is 64")
    connections = [server.connect() for _ in range(80)]
    for connection in connections:
        connection.send(render("/hello"))
    for connection in connections:  # those beyond the limit wait until others have gone
        with connection:
            assert connection.receive().status == 200
    assert [worker.id for worker in server.serving] == [1]


def test_workers_hold_no_descriptor_of_another_worker(start):
    server = start(workers=4)
    for worker in server.serving:
        sockets = [
            link
            for fd in os.listdir(f"/proc/{worker.pid}/fd")
            if (link := os.readlink(f"/proc/{worker.pid}/fd/{fd}")).startswith("socket:")
        ]
        # The listener, its channel, and the pair by which libevent hears of signals.
        assert len(set(sockets)) <= 4


def test_worker_ends_by_term_and_is_replaced(start):
    server = start(workers=2)
    worker = server.serving[0]
    process.kill(worker.pid, signal.SIGTERM)
    server.wait_until_replaced(worker)
    server.wait_for_log(f"worker {worker.id} leaves: it got a signal")
    server.wait_for_log(f"worker {worker.id} died: exited with status 0 .*deliberate=yes")
