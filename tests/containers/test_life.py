"""What a container lives through: limits of CPUs and memory, orphans, the end."""

import math
import os
import re

import pytest

from engine import STATIC
from lib import process
from lib.growth import grow_until_killed
from lib.wait import eventually
from service import GRACE_S, deployed

CPUS = sorted(os.sched_getaffinity(0))
N = len(CPUS)


def share(cpus, containers):
    """How many workers a container has."""
    return max(1, cpus // containers)


@pytest.mark.parametrize("containers", [1, 2])
@pytest.mark.parametrize("needs, options, cpus", [
    ([], [], N),
    (["cpu"], ["--cpus=0.5"], 1),
    (["cpu"], ["--cpus=1.5"], min(N, 2)),
    (["cpuset"], [f"--cpuset-cpus={CPUS[-1]}"], 1),
    (["cpuset"], [f"--cpuset-cpus={CPUS[0]},{CPUS[-1]}"], len({CPUS[0], CPUS[-1]})),
    (["cpu", "cpuset"], [f"--cpuset-cpus={CPUS[0]}", f"--cpus={min(N, 2)}"], 1),
], ids=["free", "half", "one and a half", "one of the set", "two of the set", "set and quota"])  # fmt: skip
def test_workers_are_as_many_as_cpus_for_them(limits, service, needs, options, cpus, containers):
    limits(*needs)
    one = service(options=options, ZOMBIE_CONTAINERS=str(containers))
    assert one.workers() == share(math.ceil(cpus), containers)


def test_two_containers_of_one_machine(service):
    one, two = (service(conf=deployed("docker/api.conf")) for _ in range(2))
    assert one.identity()["instance"] != two.identity()["instance"]
    for each in (one, two):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                            each.identity()["instance"])  # fmt: skip
        assert each.workers() == share(N, 2)


def test_orphans_of_a_container_are_reaped(service):
    one = service("-o", "log.level=debug")
    # The shell that starts it ends at once, so that it becomes a child of process 1.
    orphan = 'sh -c "exec </tmp/pipe >/dev/null 2>&1; read line" >/dev/null 2>&1 & echo $!'
    pid = int(one.execute("sh", "-c", f"mkfifo /tmp/pipe; {orphan}").stdout)
    adopted = len(process.children_of(one.pid))
    one.execute("sh", "-c", "echo now >/tmp/pipe")
    one.wait_for_log(f"reaped process {pid}, which is no worker")
    eventually(lambda: len(process.children_of(one.pid)) == adopted - 1, "it is gone")
    assert one.fetch("/hello").status == 200


@pytest.mark.parametrize("image", [STATIC])
def test_worker_that_takes_all_memory_of_its_container_is_named(limits, service, figure, image):
    limits("memory")
    one = service("-o", f"http.max_body_bytes={1 << 30}", "-o", "route./sink.handler=not_found",
                  image=image, options=["--memory=64m"])  # fmt: skip
    before = one.identity()["instance"]
    sent = [grow_until_killed(one.address, 400 << 20) >> 20 for _ in range(2)]
    one.wait_for_log("died: killed by SIGKILL, out of memory ", 2)
    assert one.log.count("oom=yes") == 2
    one.wait_until_serving()
    assert one.identity()["instance"] == before
    assert one.state["Running"]
    figure(f"killed by the kernel after {sent} MB of a body in a container of 64 MB; it lives")


@pytest.mark.parametrize("number", ["TERM", "INT", "QUIT"])
def test_container_ends_by_a_signal_to_its_process_1(service, number):
    one = service()
    one.do("kill", f"--signal={number}")
    eventually(lambda: not one.state["Running"], "it ends")
    assert one.state["ExitCode"] == 0
    assert one.log.rstrip().endswith("stopped")


def test_container_that_is_idle_ends_at_once(service):
    one = service()
    assert one.stop(GRACE_S) < GRACE_S / 2
    assert one.state["ExitCode"] == 0
