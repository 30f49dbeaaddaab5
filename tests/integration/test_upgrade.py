"""USR2: another program goes on under the same process id, or nothing changes at all."""

import fcntl
import json
import os
import re
import resource
import signal

import pytest
from test_pid1 import Container, can_unshare

from lib import process
from lib.client import fetch
from lib.server import Daemon
from lib.upgrade import GOES_ON, STATE_FD, Program, descriptors, upgrade, upgrade_in_vain
from lib.upgrade import begin, program  # noqa: F401
from lib.wait import eventually


def listening_inodes(server):
    return {what for what, _ in descriptors(server).values() if what in sockets_of("tcp", "unix")}


def sockets_of(*kinds):
    """The links of all sockets that listen, as /proc/PID/fd has them."""
    found = set()
    for kind in kinds:
        with open(f"/proc/net/{kind}", encoding="utf-8") as file:
            for words in (line.split() for line in file.readlines()[1:]):
                is_tcp = kind == "tcp"
                if (words[3] == "0A") if is_tcp else (words[3] == "00010000"):
                    found.add(f"socket:[{words[9 if is_tcp else 6]}]")
    return found


# What stays and what changes


@pytest.mark.valgrind
def test_everything_stays_but_the_program_and_its_workers(begin, program, tmp_path):
    pidfile, path = tmp_path / "pid", tmp_path / "socket"
    server = begin("-p", pidfile, "-l", f"unix:{path}")
    before, pid, instance = listening_inodes(server), server.pid, server.instance
    files = [os.stat(pidfile).st_ino, os.stat(path).st_ino]
    assert len(before) == 3
    program.install()
    assert not program.is_run_by(server)
    upgrade(server)
    assert program.is_run_by(server)
    assert not server.has_ended and server.pid == pid
    assert listening_inodes(server) == before
    assert [os.stat(pidfile).st_ino, os.stat(path).st_ino] == files
    assert pidfile.read_text() == f"{pid}\n"
    with open(pidfile, "rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert server.identity()["instance"] == instance
    assert fetch(str(path), "/hello").status == 200
    assert [worker.id for worker in server.serving] == [3, 4]
    server.wait_for_log(rf"{GOES_ON} instance={instance} pid={pid} version=\S+$")
    assert server.log.count("zombie-server starts") == 1
    server.stop()
    assert not pidfile.exists() and not path.exists()


def test_state_tells_the_instance_and_its_start_to_every_program(begin, program, tmp_path):
    def look():
        path = tmp_path / "state"
        program.wrap(
            f"state = os.pread(int(os.environ['{STATE_FD}']), 1 << 20, 0)\n"
            f"open({str(path)!r}, 'wb').write(state)\nsys.exit('seen')"
        )
        upgrade_in_vain(server, "seen")
        return json.loads(path.read_text())

    server = begin()
    states = [look()]
    for _ in range(2):
        program.install()
        upgrade(server)
        states.append(look())
    assert [state["upgrades"] for state in states] == [0, 1, 2]
    assert [state["last_worker"] for state in states] == [2, 4, 6]
    assert {state["uuid"] for state in states} == {server.instance}
    assert len({state["started_ms"] for state in states}) == 1


def test_ten_upgrades_leave_nothing_behind(begin, program, tmp_path):
    def kinds():
        found = [re.sub(r"\d+", "N", what) for what, _ in descriptors(server).values()]
        private = all(closes for fd, (_, closes) in descriptors(server).items() if fd > 2)
        return sorted(found), private

    server = begin("-p", tmp_path / "pid")
    before = kinds()
    assert before[1]
    for _ in range(10):
        program.install()
        upgrade(server)
    eventually(lambda: kinds() == before, f"{kinds()} is again {before}")
    assert program.is_run_by(server)
    assert server.log.count("zombie-server starts") == 1
    with open(f"/proc/{server.pid}/environ", "rb") as file:
        assert file.read().count(STATE_FD.encode()) <= 1


def test_workers_do_not_inherit_the_variable_of_the_state(begin):
    server = begin()
    upgrade(server)
    for pid in process.children_of(server.pid):
        with open(f"/proc/{pid}/environ", "rb") as file:
            assert STATE_FD.encode() not in file.read()


# Which file is executed


def test_link_that_was_moved_on_is_followed(start, program, tmp_path):
    other = Program(tmp_path / "other" / "zombie-server")
    link = tmp_path / "link"
    link.symlink_to(program.path)
    server = start(binary=str(link))
    assert program.is_run_by(server)
    (tmp_path / "new-link").symlink_to(other.path)
    os.rename(tmp_path / "new-link", link)
    upgrade(server)
    assert other.is_run_by(server)
    program.install()
    (tmp_path / "new-link").symlink_to(program.path)
    os.rename(tmp_path / "new-link", link)
    upgrade(server)
    assert program.is_run_by(server)


def test_bare_name_is_found_in_path(start, program):
    server = start(binary="zombie-server", env={"PATH": f"{program.path.parent}:/usr/bin:/bin"})
    program.install()
    upgrade(server)
    assert program.is_run_by(server)


def test_name_that_is_none_stands_for_the_file_itself(begin, program):
    server = begin(prefix=("bash", "-c", 'exec -a nonsense "$0" "$@"'))
    program.install()
    upgrade(server)
    assert program.is_run_by(server)


@pytest.fixture
def relative_daemon(start, program, tmp_path):
    """A daemon whose program and configuration are named from the folder of its start."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "zombie.conf").write_text("instance { grace_ms = 1000 }\n")
    return start("-c", "etc/zombie.conf", binary="./bin/zombie-server", kind=Daemon)


def test_daemon_goes_on_with_relative_names(relative_daemon, program):
    pid = relative_daemon.pid
    for _ in range(2):
        program.install()
        upgrade(relative_daemon)
        assert program.is_run_by(relative_daemon)
        assert relative_daemon.pid == pid
        assert os.readlink(f"/proc/{pid}/cwd") == "/"
    for fd in (0, 1, 2):
        assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null"


def test_daemon_stays_in_its_folder_when_the_program_cannot_be_executed(relative_daemon, program):
    program.wrap("os.unlink(sys.argv[0])")
    upgrade_in_vain(relative_daemon, r"cannot execute /\S+: No such file or directory")
    program.install()
    upgrade(relative_daemon)


@pytest.mark.root
def test_process_1_goes_on_as_process_1(begin, program):
    if not can_unshare():
        pytest.skip("no PID namespace to be had here")
    server = begin(kind=Container)
    program.install()
    upgrade(server)
    assert program.is_run_by(server)
    server.wait_for_log(f"{GOES_ON} .*pid=1 ")
    assert server.fetch("/hello").status == 200


# What is refused


UNFIT = {  # what is there instead of the program, its mode, and why that is refused
    "not executable": ("#!/bin/sh\n", 0o644, r"cannot execute /\S+: Permission denied"),
    "text": ("To whom it may concern\n", 0o755, r"cannot execute /\S+: Exec format error"),
    "empty": ("", 0o755, r"cannot execute /\S+: Exec format error"),
    "no interpreter": ("#!/nowhere\n", 0o755, r"cannot execute /\S+: No such file or directory"),
    "message": ("#!/bin/sh\necho no such moon >&2; exit 3\n", 0o755, "no such moon"),
    "lines": ("#!/bin/sh\necho a; echo b >&2; exit 3\n", 0o755, r"a\\nb"),
    "silent": ("#!/bin/sh\nexit 3\n", 0o755, "the new program exited with status 3"),
    "signal": ("#!/bin/sh\nkill -SEGV $$\n", 0o755, "the new program was killed by SIGSEGV"),
    "stranger": ("#!/bin/sh\nexit 0\n", 0o755, ".*"),
    "old": (
        "#!/bin/sh\necho \"unknown option '--preflight'; see zombie-server -h\" >&2; exit 64\n",
        0o755, "unknown option '--preflight'; see zombie-server -h",
    ),
}  # fmt: skip


@pytest.mark.parametrize("text, mode, reason", UNFIT.values(), ids=UNFIT)
def test_unfit_program_is_refused(begin, program, text, mode, reason):
    server = begin()
    program.write(text, mode)
    upgrade_in_vain(server, reason)
    program.install()
    upgrade(server)
    assert program.is_run_by(server)


def test_missing_program_is_refused(begin, program):
    server = begin()
    program.path.unlink()
    upgrade_in_vain(server, rf"cannot execute {program.path}: No such file or directory")
    program.install()
    upgrade(server)


def test_program_that_hangs_is_killed(begin, program):
    server = begin("instance.boot_timeout_ms=1000")
    program.write("#!/bin/sh\nexec sleep 1000\n")
    upgrade_in_vain(server, "the new program did not answer in time")
    program.install()
    server.wait_until_serving()


def test_program_that_hangs_takes_its_children_along(begin, program, tmp_path):
    server = begin("instance.boot_timeout_ms=1000")
    program.write(f"#!/bin/sh\nsleep 1000 &\necho $! >'{tmp_path}/sleeper'\nwait\n")
    upgrade_in_vain(server, "the new program did not answer in time")
    sleeper = int((tmp_path / "sleeper").read_text())
    try:
        eventually(lambda: not process.is_alive(sleeper), "its child is gone")
    finally:
        process.kill(sleeper)


def test_broken_configuration_is_refused_with_its_place(begin, program, tmp_path):
    path = tmp_path / "zombie.conf"
    path.write_text("instance { }\n")
    server = begin("-c", path)
    path.write_text("instance {\n    moons = 2\n}\n")
    upgrade_in_vain(server, rf"{path}:2: .*moons.*")
    path.write_text("instance { }\n")
    upgrade(server)


def test_log_that_cannot_be_opened_is_refused(begin, program, tmp_path):
    path = tmp_path / "zombie.conf"
    path.write_text("log { }\n")
    server = begin("-c", path)
    path.write_text('log { target = "/nowhere/log" }\n')
    upgrade_in_vain(server, ".*/nowhere/log.*")
    path.write_text("log { }\n")
    upgrade(server)


NULL = "null = os.open('/dev/null', os.O_RDONLY); os.set_inheritable(null, True)\n"
STATES = {  # how the state is changed before the real program sees it, and what that says
    "version": ("state['version'] += 1", "state version 6, this program understands 1 to 5"),
    "layouts": ("state['layouts'] += 1", r"state layouts \d+, this program understands \d+"),
    "unknown": ("state['moon'] = 1", "moon: unknown"),
    "unknown of a worker": ("state['workers'][0]['moon'] = 1", r"workers\[0\].moon: unknown"),
    "missing": ("del state['uuid']", "uuid: missing"),
    "no number": ("state['upgrades'] = '1'", "upgrades: not a whole number"),
    "twice": ("state['workers'][0] = state['workers'][1]", r"workers\[1\].\w+: \d+ is .* already"),
    "listener": (
        NULL + "state['listeners'][0]['fd'] = null", r"descriptor \d+ is not a listening socket",
    ),
    "channel": (
        NULL + "state['workers'][0]['channel_fd'] = null",
        r"descriptor \d+ is not a worker's channel",
    ),
    "scoreboard": (
        NULL + "state['scoreboard_fd'] = null",
        r"descriptor \d+ is not a scoreboard of this program",
    ),
    "places": (
        "state['scoreboard_places'] -= 1", r"descriptor \d+ is not a scoreboard of this program",
    ),
    "no object": ("state = []", "not an object"),
}  # fmt: skip


@pytest.mark.parametrize("change, reason", STATES.values(), ids=STATES)
def test_state_that_the_program_cannot_use_is_refused(begin, program, change, reason):
    server = begin()
    program.wrap(
        f"fd = int(os.environ['{STATE_FD}'])\nstate = json.loads(os.pread(fd, 1 << 20, 0))\n"
        f"{change}\nos.ftruncate(fd, 0)\nos.pwrite(fd, json.dumps(state).encode(), 0)\n"
    )
    upgrade_in_vain(server, reason)
    program.install()
    upgrade(server)


def test_state_that_is_empty_is_refused(begin, program):
    server = begin()
    program.wrap(f"os.ftruncate(int(os.environ['{STATE_FD}']), 0)")
    upgrade_in_vain(server, "the state cannot be read: Bad message")


def test_scoreboard_that_cannot_be_handed_over_is_refused(begin):
    def limit_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))

    upgrade_in_vain(begin(preexec=limit_files), "scoreboard_fd: -1 is not from 3 to 1048576")


@pytest.mark.parametrize("code, reason", [
    ("os.unlink(sys.argv[0])", "No such file or directory"),
    ("os.chmod(sys.argv[0], 0o644)", "Permission denied"),
], ids=["gone", "mode"])  # fmt: skip
def test_program_that_cannot_be_executed_after_its_trial(begin, program, code, reason):
    server = begin()
    program.wrap(code)
    upgrade_in_vain(server, f"cannot execute {program.path}: {reason}")
    server.wait_for_log(f"upgrading: executing {program.path}")
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    program.install()
    upgrade(server)


def test_configuration_that_breaks_after_the_trial_is_a_refused_reload(begin, program, tmp_path):
    """There is no way back, so the new program goes on with what the old one had in force."""
    path = tmp_path / "server.conf"
    token = "0123456789abcdef-a-secret"
    good = (f'instance {{ workers = 2 }}\nchaos {{ enabled = yes token = "{token}" }}\n'
            'route "/said" { handler = text body = "in force" }\n')  # fmt: skip
    path.write_text(good)
    server = begin("-c", path)
    program.wrap(f"if not trial: open({str(path)!r}, 'w').write('nonsense {{')")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("zombie-server goes on after an upgrade")
    server.wait_for_log(r"error master: reload refused: \S*server.conf:1: .*, generation 1 goes on$")
    assert sorted(worker.id for worker in server.serving) == [1, 2]
    process.kill(server.serving[0].pid)  # its successor is born under the configuration in force
    server.wait_until_serving(2, after=1)
    assert {server.fetch("/said").text for _ in range(20)} == {"in force"}
    killer = {"Authorization": f"Bearer {token}"}
    assert server.fetch("/workerKiller", headers={"Authorization": "Bearer x"}).status == 401
    assert server.fetch("/workerKiller", headers=killer).status == 200
    assert token not in server.log
    server.wait_until_serving(1, after=3)
    path.write_text(good)
    upgrade(server)


def test_trial_by_hand_has_no_state(run):
    result = run("--preflight")
    assert result.returncode == 64
    assert result.stderr == "--preflight is for a master that upgrades: there is no state\n"
