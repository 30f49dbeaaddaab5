"""What the kernel shows of the workers: priorities, rights, descriptors."""

import os
import pwd
import resource
import signal

import pytest

from lib import process
from lib.survival import reload, start_logging, upgrade
from lib.wait import eventually


def oom_score_adj(pid):
    with open(f"/proc/{pid}/oom_score_adj", encoding="utf-8") as file:
        return int(file.read())


@pytest.mark.parametrize("arguments, raised_by", [
    ([], 300), (["instance.oom_score_adj=500"], 500), (["instance.oom_score_adj=0"], 0),
])  # fmt: skip
def test_memory_is_taken_from_workers_first(start, arguments, raised_by):
    server = start(*arguments)
    for worker in server.serving:
        assert oom_score_adj(worker.pid) == oom_score_adj(server.pid) + raised_by
    assert oom_score_adj(server.pid) == oom_score_adj(os.getpid())


def test_oom_score_has_an_end(start):
    def raise_own():
        with open("/proc/self/oom_score_adj", "w", encoding="utf-8") as file:
            file.write("900")

    server = start(preexec=raise_own)
    process.kill(server.serving[0].pid)
    for worker in server.wait_until_serving(2, after=1):
        assert oom_score_adj(worker.pid) == 1000
    assert oom_score_adj(server.pid) == 900


def test_workers_are_pinned_by_slot(start):
    cpus = sorted(os.sched_getaffinity(0))
    server = start("instance.cpu_affinity=auto", workers=len(cpus) + 1)

    def assert_pinned():
        for worker in server.serving:
            assert os.sched_getaffinity(worker.pid) == {cpus[(worker.slot - 1) % len(cpus)]}
        assert sorted(os.sched_getaffinity(server.pid)) == cpus

    assert_pinned()
    worker = server.serving[-1]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    assert_pinned()


def test_workers_are_not_pinned_unless_asked(start):
    for worker in start().serving:
        assert os.sched_getaffinity(worker.pid) == os.sched_getaffinity(0)


def descriptors(pid):
    """What the process has open, by kind; streams and sockets as they are."""
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
    return links


@pytest.mark.parametrize("change", [None, reload, upgrade], ids=["start", "reload", "upgrade"])
def test_workers_have_the_descriptors_that_they_need_and_no_others(start, manager, tmp_path,
                                                                  change):  # fmt: skip
    path = tmp_path / "file.log"
    with open(tmp_path / "stray", "wb") as stray:
        server = start_logging(
            start, path, "-p", tmp_path / "pid", "-l", "127.0.0.1:0", workers=3,
            pass_fds=[stray.fileno()], env=manager.variables(),
        )  # fmt: skip
    streams = {os.readlink(f"/proc/{server.pid}/fd/{fd}") for fd in (0, 1, 2)}
    if change:
        change(server, 2)
    for worker in server.serving:
        links = descriptors(worker.pid)
        sockets = [link for link in links if link.startswith("socket:")]
        pipes = [link for link in links if link.startswith("pipe:")]
        # Two listeners, its channel, and the pair by which libevent hears of signals.
        assert len(set(sockets)) == len(sockets) and len(sockets) + len(pipes) <= 5
        assert len(set(pipes)) <= 1
        assert links.count(str(path)) == 1
        known = {*streams, *sockets, *pipes, str(path), "anon_inode:[eventpoll]",
                 "anon_inode:[eventfd]", "anon_inode:[timerfd]"}  # fmt: skip
        assert set(links) <= known
        assert links.count("anon_inode:[eventpoll]") == 1
        assert process.status_of(worker.pid)["NoNewPrivs"] == "1"


@pytest.mark.root
def test_hung_worker_of_another_user_follows_a_killed_master(start):
    server = start("--chaos", "instance.user=nobody", "instance.grace_ms=0", workers=1)
    server.fetch("/workerKiller?mode=hang")
    server.wait_for_log("asked to die .*mode=hang")
    server.expected_status = -signal.SIGKILL
    process.kill(server.pid)
    eventually(lambda: not server.processes(), "no process of the server is left")


@pytest.mark.root
def test_supplementary_groups_are_the_users(start_fragile, etc):
    etc.add_group("extra", 12345, "worker")
    etc.add_group("others", 12346, "root")
    for worker in start_fragile().serving:
        groups = set(map(int, process.status_of(worker.pid)["Groups"].split()))
        assert groups == {etc.uid, 12345}


@pytest.mark.root
def test_group_alone_takes_the_supplementary_ones_away(start):
    server = start("instance.group=daemon", preexec=lambda: os.setgroups([0, 12345]))
    for worker in server.serving:
        status = process.status_of(worker.pid)
        assert set(status["Groups"].split()) == {status["Gid"].split()[0]} != {"0"}
        assert status["Uid"].split() == ["0"] * 4


def no_core_at_first():
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))


def core_limits(pid):
    """Soft and hard, as proc(5) writes them."""
    with open(f"/proc/{pid}/limits", encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("Max core file size"))
    return line.split()[4:6]


@pytest.mark.root
@pytest.mark.parametrize("wanted", [True, False], ids=["yes", "no"])
def test_core_dumps_are_possible_after_a_change_of_user(start, wanted):
    server = start("instance.user=nobody", f"instance.core_dumps={'yes' if wanted else 'no'}",
                   preexec=no_core_at_first)  # fmt: skip
    for worker in server.serving:
        soft, hard = core_limits(worker.pid)
        assert soft == (hard if wanted else "0")
        # proc(5): the files of a process that is not dumpable are root's.
        owner = os.stat(f"/proc/{worker.pid}/environ").st_uid
        assert owner == (pwd.getpwnam("nobody").pw_uid if wanted else 0)
    assert core_limits(server.pid)[0] == "0"
