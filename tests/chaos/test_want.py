"""In want of everything: no forks, no descriptors, no room for the log, no memory."""

import os
import resource
import signal
import time

import pytest

from lib import process
from lib.client import Connection
from lib.growth import grow_until_killed
from lib.nobody import become_nobody, limit_processes, public  # noqa: F401
from lib.wait import eventually
from small_disk import fill, small_disk  # noqa: F401
from witness import (
    Journal, Scales, children, cpu_seconds, descriptors, leave_no_descriptor, limit,
)  # fmt: skip

TRUCE_SECONDS = 5  # in which the CPU is measured of a master that cannot do what it should
BUSY_PERCENT = 2  # of a core: one that spins takes all of it


def cpu_of_waiting(server):
    """What the master takes of a core, in per cent, while it waits for better times."""
    scales = Scales(server)
    time.sleep(TRUCE_SECONDS)
    return scales.cpu_percent(TRUCE_SECONDS)


# Processes


@pytest.mark.root
def test_forks_that_fail_are_waited_for(start, public, figure):
    server = start("instance.backoff_max_ms=1000", binary=str(public),
                   preexec=become_nobody)  # fmt: skip
    assert process.status_of(server.pid)["Uid"].split()[0] != "0"
    journal = Journal(server)
    before, _ = resource.getrlimit(resource.RLIMIT_NPROC)  # the server has it from us
    limit_processes(server.pid, 1)
    for worker in server.serving:
        process.kill(worker.pid)
    server.wait_for_log(r"cannot start a worker for slot \d: .*, trying again in \d+ ms", 2)
    cpu = cpu_of_waiting(server)
    n_tries = server.log.count("cannot start a worker")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("upgrade refused: .*: Resource temporarily unavailable; nothing has changed")
    assert children(server.pid) == []
    limit_processes(server.pid, before if before >= 0 else "unlimited")
    begin = time.monotonic()
    journal.wait_for_strength(2)
    healed = time.monotonic() - begin
    figure(f"master at {cpu:.1f} % of a core without forks, {n_tries} tries in "
           f"{TRUCE_SECONDS} s, whole {healed:.1f} s after the limit was lifted")  # fmt: skip
    assert cpu < BUSY_PERCENT
    assert n_tries < 100
    assert server.fetch("/hello").status == 200
    assert journal.forked == [1, 2, 3, 4]


# Descriptors


def test_descriptors_that_run_out_are_waited_for(start, conf, figure):
    server = start("-c", conf.path, "instance.backoff_max_ms=1000", "instance.boot_timeout_ms=1000")
    victim, survivor = server.serving
    journal = Journal(server)
    before_all = descriptors(server.pid)
    before = leave_no_descriptor(server.pid)
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reload refused: .*Too many open files.*, generation 1 goes on")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("upgrade refused: .*: Too many open files; nothing has changed")
    process.kill(victim.pid)
    server.wait_for_log(
        r"cannot start a worker for slot \d: Too many open files, trying again in \d+ ms", 2
    )
    cpu = cpu_of_waiting(server)
    n_tries = server.log.count("cannot start a worker")
    assert server.identity()["worker"] == survivor.id
    limit(server.pid, resource.RLIMIT_NOFILE, before)
    journal.wait_for_strength(2)
    assert descriptors(server.pid) == before_all
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reloaded: generation 2 serves")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("goes on after an upgrade")
    journal.wait_for_strength(2)
    assert server.fetch("/hello").status == 200
    figure(f"master at {cpu:.1f} % of a core without descriptors, {n_tries} tries")
    assert cpu < BUSY_PERCENT
    assert n_tries < 100


# Room for the log


def answers_again(server):
    def answers():
        try:
            with Connection(server.address) as connection:
                return connection.request("/hello").status == 200
        except OSError:
            return False

    eventually(answers, "the server answers")


@pytest.mark.root
def test_log_on_a_full_disk_stops_nothing_and_losses_are_counted(small_disk, start, figure):
    path = small_disk / "log"
    server = start(f"log.target={path}", wait=False)
    eventually(path.exists, "the log is there")
    server.log_path = path
    server.wait_until_serving()
    fill(small_disk / "ballast")
    answers = 0
    while answers < 100 or os.path.getsize(path) % 4096 != 0:
        before = children(server.pid)
        process.kill(before[0])
        eventually(lambda: before[0] not in children(server.pid), "the killed worker is reaped")
        eventually(lambda: len(children(server.pid)) == 2, "it is replaced")
        answers_again(server)
        answers += 1
    os.unlink(small_disk / "ballast")
    said = server.log
    process.kill(children(server.pid)[0])
    lost = server.wait_for_log(r"lines of the log were lost: it could not be written lines=(\d+)$")
    server.stop()
    figure(f"{answers} workers replaced with a full disk, {lost[1]} lines lost and counted")
    # A death, a birth, READY, sometimes a poison request; some of the first still found room.
    assert 3 * answers - said.count("\n") <= int(lost[1]) <= 4 * answers
    assert any(record.text.startswith("lines of the log were lost") for record in server.records)


# Memory


def memory_cgroup():
    """A new cgroup that can limit memory, below our own or as near as may be; skips without."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        lines = [line.rstrip("\n").split(":", 2) for line in file]
    for _, controllers, path in lines:
        if "memory" in controllers.split(","):
            return make_cgroup("/sys/fs/cgroup/memory" + path, "memory.limit_in_bytes")
    for _, controllers, path in lines:
        folder = "/sys/fs/cgroup" + path
        while controllers == "" and len(folder) >= len("/sys/fs/cgroup"):
            if os.path.exists(f"{folder}/cgroup.subtree_control"):
                with open(f"{folder}/cgroup.subtree_control", encoding="ascii") as file:
                    if "memory" in file.read().split():
                        return make_cgroup(folder, "memory.max")
            folder = os.path.dirname(folder)
    return pytest.skip("no cgroup here delegates the memory controller")


def make_cgroup(parent, limit_file):
    folder = f"{parent}/zombie-test-{os.getpid()}"
    try:
        os.mkdir(folder)
    except OSError as error:
        pytest.skip(f"cannot make a cgroup: {error}")
    return folder, limit_file


@pytest.fixture
def small_memory():
    """A cgroup of 64 MB without swap."""
    folder, limit_file = memory_cgroup()
    for name, value in [(limit_file, 64 << 20), ("memory.swappiness", 0), ("memory.swap.max", 0)]:
        if os.path.exists(f"{folder}/{name}"):
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write(str(value))
    yield folder
    eventually(lambda: not open(f"{folder}/cgroup.procs", encoding="ascii").read(), "it is empty")
    os.rmdir(folder)


@pytest.mark.root
def test_worker_that_takes_all_memory_is_killed_by_name_and_replaced(
    small_memory, start, conf, figure
):
    def enter():
        with open(f"{small_memory}/cgroup.procs", "w", encoding="ascii") as file:
            file.write(str(os.getpid()))

    server = start("-c", conf.path, f"http.max_body_bytes={1 << 30}", preexec=enter)
    journal = Journal(server)
    sent = []
    for n in range(1, 4):
        sent.append(grow_until_killed(server.address, 200 << 20) >> 20)
        server.wait_for_log(
            r"warning master: worker \d+ died: killed by SIGKILL, out of memory .*oom=yes .*"
            r'deliberate=no next="replaced at once"$', n,
        )  # fmt: skip
        journal.wait_for_strength(2)
    assert server.fetch("/hello").status == 200
    process.kill(server.serving[0].pid)
    server.wait_for_log(r"worker \d+ died: killed by SIGKILL child_role.*oom=no ")
    figure(f"killed by the kernel after {sent} MB of a body in a cgroup of 64 MB; master lives")
    assert server.log.count("oom=yes") == 3


@pytest.mark.parametrize("size", [32 << 10, 64 << 10, 1 << 20])
def test_body_of_any_allowed_size_is_taken_and_costs_no_more(start, conf, size):
    server = start("-c", conf.path, workers=1)
    worker = server.serving[0]
    before = cpu_seconds(worker.pid)
    with Connection(server.address) as connection:
        connection.socket.settimeout(5)
        assert connection.request("/sink", "POST", body=b"b" * size).status == 404
    assert cpu_seconds(worker.pid) - before < 1
