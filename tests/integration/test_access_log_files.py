"""The access log's file: moved, reloaded, upgraded and outlived, and no line is lost."""

import os
import signal

import pytest

from lib import process
from lib.access import COMBINED, HOUR, MINUTE, AccessLog
from lib.access import access, start_logged  # noqa: F401
from lib.client import render
from lib.load import Kind, Load
from lib.reload import finish, has_open, held, move_clients, reload_in_vain
from lib.reload import begin, conf  # noqa: F401
from lib.reload import reload as reload_all
from lib.server import WITHOUT_LEAKS, Daemon
from lib.upgrade import occurrences, settle, upgrade
from lib.wait import eventually

AGAIN = "info master: opened the access log again$"
LATE = {"flush_ms": MINUTE}

LOADS = [
    Kind("keep-alive", "/hello?k", clients=6, pause_ms=1),
    Kind("new connection", "/hello?n", keep_alive=False, clients=3, pause_ms=1),
]


def reopen(server):
    told = occurrences(server, AGAIN)
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log(AGAIN, told + 1)


def all_have_open(server, path):
    return all(has_open(pid, path) for pid in [server.pid, *process.children_of(server.pid)])


def rotate(server, log):
    """Move the log and have it opened again; nobody keeps the old file."""
    log.move()
    reopen(server)
    eventually(lambda: all_have_open(server, log.path), "all have the new file")
    old = log.moved[-1]
    eventually(lambda: not any(has_open(pid, old) for pid in process.children_of(server.pid)),
               "no worker has the old file")  # fmt: skip
    assert not has_open(server.pid, old)


def assert_complete(log, load):
    load.assert_flawless()
    assert all(map(COMBINED.fullmatch, log.lines))
    assert len(log.lines) == load.total.answered + len(LOADS)


# Rotation


@pytest.mark.smoke
@pytest.mark.valgrind
def test_goes_on_in_a_new_file(start_logged, access):
    server = start_logged(workers=2, log=LATE)
    server.fetch("/hello?old")
    rotate(server, access)
    assert access.has("/hello.old")  # what waited went to the file that it was meant for
    server.fetch("/hello?new")
    server.stop()
    with open(access.path, encoding="utf-8") as file:
        (line,) = file
    assert "/hello?new" in line
    assert oct(os.stat(access.path).st_mode)[-3:] == "640"
    assert len(access.lines) == 2


def test_loses_nothing_over_many_rotations(start_logged, access):
    server = start_logged(workers=4, log={"flush_ms": 10})
    with Load(server.address, LOADS) as load:
        for _ in range(30):
            load.wait_for_answers(20)
            access.move()
            reopen(server)
    server.stop()
    assert len(access.moved) == 30
    assert_complete(access, load)


def test_many_times_leave_nothing_behind(start_logged, access):
    server = start_logged(workers=2)
    pids = [server.pid, *process.children_of(server.pid)]
    before = [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids]
    for _ in range(20):
        rotate(server, access)
    eventually(lambda: [len(os.listdir(f"/proc/{pid}/fd")) for pid in pids] == before,
               "as many descriptors as before")  # fmt: skip


def test_goes_on_in_the_old_file_when_there_can_be_no_new_one(start_logged, access):
    server = start_logged(log={"buffer_bytes": 0})
    access.move()
    os.mkdir(access.path)
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log(f"error master: cannot write the access log to {access.path}: "
                        "Is a directory, the access log goes on into the old file$")  # fmt: skip
    server.fetch("/hello")
    access.wait_for(1)
    os.rmdir(access.path)
    reopen(server)
    server.fetch("/hello?new")
    eventually(lambda: os.path.getsize(access.path) > 0, "the new file is written")


def test_new_workers_write_to_the_new_file(start_logged, access):
    server = start_logged(log={"buffer_bytes": 0})
    rotate(server, access)
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    server.fetch("/hello")
    eventually(lambda: os.path.getsize(access.path) > 0, "the new file is written")


@pytest.mark.root
@pytest.mark.parametrize("changes_root", [False, True], ids=["user", "chroot"])
def test_workers_need_no_right_to_open_it(begin, conf, access, tmp_path, changes_root):
    (tmp_path / "root").mkdir()
    root = {"chroot": f'"{tmp_path}/root"'} if changes_root else {}
    (tmp_path / "logs").mkdir(mode=0o700)
    access.path = str(tmp_path / "logs" / "access.log")
    conf.write(access.section(buffer_bytes=0), user="nobody", **root)
    server = begin(env=WITHOUT_LEAKS)
    server.fetch("/hello")
    access.wait_for(1)
    rotate(server, access)
    server.fetch("/hello")
    access.wait_for(2)
    assert os.stat(access.path).st_uid == 0


# A start or a reload that cannot write it


def test_start_is_refused_without_it(run, tmp_path):
    result = run("-l", "127.0.0.1:0", "-o", f"access_log.target={tmp_path}/missing/access.log")
    assert result.returncode == os.EX_OSERR
    assert (f"error master: cannot write the access log to {tmp_path}/missing/access.log: "
            "No such file or directory") in result.stderr  # fmt: skip
    assert " forked" not in result.stderr


def test_reload_is_refused_without_it(begin, conf, access, tmp_path):
    conf.write(access.section(buffer_bytes=0))
    server = begin()
    missing = tmp_path / "missing" / "access.log"
    conf.write(AccessLog(missing).section())
    why = f"cannot write the access log to {missing}: No such file or directory"
    reload_in_vain(server, f"refused: {why}")
    server.fetch("/hello?on")
    eventually(lambda: access.has("/hello.on "), "the old one goes on")


def test_format_is_checked_before_anything_changes(begin, conf, access):
    conf.write(access.section())
    server = begin()
    conf.write(access.section(format="$nonsense"))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("error master: reload .*generation 1 goes on$")
    assert " generation=2" not in server.log


@pytest.mark.parametrize("target", ["stdout", "stderr"])
def test_daemon_lets_go_of_the_streams_of_its_caller(start_logged, access, target):
    """Else whoever reads them to their end waits as long as the daemon lives."""
    prefix = ["sh", "-c", f'exec "$@" {">" if target == "stdout" else "2>"} {access.path}', "sh"]
    server = start_logged(log={"target": target}, prefix=prefix, kind=Daemon)
    assert server.fetch("/hello").status == 200
    assert not any(has_open(pid, access.path)
                   for pid in [server.pid, *process.children_of(server.pid)])  # fmt: skip


# A reload


def test_reload_begins_it(begin, conf, access):
    server = begin()
    server.fetch("/hello?without")
    conf.write(access.section(buffer_bytes=0))
    reload_all(server)
    server.fetch("/hello?with")
    assert "/hello?with " in access.wait_for(1)[0]


def test_reload_ends_it(begin, conf, access):
    conf.write(access.section(**LATE))
    server = begin()
    server.fetch("/hello?with")
    conf.write()
    reload_all(server)
    assert "/hello?with " in access.wait_for(1)[0]
    server.fetch("/hello?without")
    assert not has_open(server.pid, access.path)
    server.stop()
    access.wait_for(1)


def test_reload_moves_it_for_new_workers_only(begin, conf, access, tmp_path):
    other = AccessLog(tmp_path / "other.log")
    conf.write(access.section(format="$uri", buffer_bytes=0))
    server = begin()
    with held(server) as (connection, _):
        access.wait_for(1)
        conf.write(other.section(format="new $uri", buffer_bytes=0))
        move_clients(server)
        server.fetch("/hello")
        assert other.wait_for(1) == ["new /hello"]
        finish(connection)
        assert access.wait_for(2)[-1] == "/hello"
    settle(server, 2, after=2)
    assert len(other.lines) == 1
    assert not has_open(server.pid, access.path)


def test_reloads_lose_nothing(begin, conf, access):
    conf.write(access.section(**LATE))
    server = begin()
    with Load(server.address, LOADS) as load:
        for _ in range(3):
            load.wait_for_answers(100)
            reload_all(server)
    server.stop()
    assert_complete(access, load)


# An upgrade


def test_goes_on_after_an_upgrade(start_logged, access):
    server = start_logged(workers=2, log=LATE)
    server.fetch("/hello?old")
    upgrade(server)
    assert access.has("/hello.old ")
    server.fetch("/hello?new")
    rotate(server, access)
    assert access.has("/hello.new ")
    assert len(access.lines) == 2


def test_upgrades_lose_nothing(start_logged, access):
    server = start_logged(workers=2, log=LATE)
    with Load(server.address, LOADS) as load:
        for _ in range(2):
            load.wait_for_answers(100)
            upgrade(server)
    server.stop()
    assert_complete(access, load)


# The end of a worker


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_worker_that_leaves_writes_what_it_has(start_logged, access, number):
    server = start_logged(log=LATE)
    server.fetch("/hello")
    assert access.lines == []
    worker = server.serving[0]
    process.kill(worker.pid, number)
    server.wait_until_replaced(worker)
    eventually(lambda: access.lines, "the line")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_stop_writes_what_there_is(start_logged, access, number):
    server = start_logged(workers=2, log=LATE)
    for _ in range(8):
        server.fetch("/hello")
    server.stop(number)
    assert len(access.lines) == 8


def test_orphans_write_what_they_have(start_logged, access):
    server = start_logged(log=LATE)
    server.expected_status = None
    server.fetch("/hello")
    process.kill(server.pid)
    eventually(lambda: access.lines, "the line")


@pytest.mark.parametrize("mode", ["exit", "kill", "segv", "abort"])
def test_death_on_request_loses_nothing(start_logged, access, mode):
    server = start_logged("--chaos", log={"format": "$status $uri", **LATE})
    server.fetch("/hello")
    assert access.lines == []
    server.fetch(f"/workerKiller?mode={mode}")
    server.wait_until_replaced(server.workers[1])
    assert access.wait_for(2) == ["200 /hello", "200 /workerKiller"]


@pytest.mark.parametrize("mode", ["exit", "kill"])
def test_death_that_was_put_off_loses_nothing(start_logged, access, mode):
    server = start_logged("--chaos", log={"format": "$uri", **LATE})
    server.fetch(f"/workerKiller?mode={mode}&after_ms=500")
    server.fetch("/hello")
    server.wait_until_replaced(server.workers[1])
    lines = access.lines
    assert lines == ["/workerKiller", "/hello"]


def test_worker_that_is_recycled_writes_what_it_has(start_logged, access):
    server = start_logged("instance.max_requests=20", log=LATE)
    for _ in range(25):
        server.fetch("/hello")
    server.wait_until_serving(1, after=1)
    eventually(lambda: len(access.lines) >= 20, "those of the first worker")
    server.stop()
    assert len(access.lines) == 25


@pytest.fixture
def start_late(start_logged, access):
    """A server with a request that takes an hour, on a connection that is returned as well."""
    conf_text = f'route "/later" {{ handler = text body = later delay_ms = {HOUR} }}\n'

    def start_one(*arguments):
        server = start_logged(*arguments, log={"format": "$status $uri", **LATE}, conf=conf_text)
        connection = server.connect()
        connection.send(render("/later"))
        server.fetch("/hello")
        assert access.lines == []
        return server, connection

    return start_one


def test_fast_stop_writes_what_it_cuts_off(start_late, access):
    server, connection = start_late(f"instance.grace_ms={HOUR}")
    with connection:
        server.send_signal(signal.SIGTERM)
        server.wait_for_log("stopping: ")
        server.stop()
    assert sorted(access.lines) == ["200 /hello", "499 /later"]


def test_drain_begins_with_what_there_is(start_late, access):
    """Whoever does not finish in time is killed, and the lines of the others are out by then."""
    server, connection = start_late("instance.grace_ms=500")
    with connection:
        server.stop()
        server.wait_for_log("killing worker 1: not finished in time")
    assert access.lines == ["200 /hello"]
