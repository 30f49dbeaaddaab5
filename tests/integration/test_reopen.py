"""USR1: the log goes on in a new file, for all processes, whatever they may open themselves."""

import errno
import os
import signal
import stat
import subprocess

import pytest

from lib import process
from lib.reload import finish, frozen, has_open, held, order_reload, stopped, with_user
from lib.reload import begin, conf  # noqa: F401
from lib.server import WITHOUT_LEAKS, Server, command
from lib.upgrade import descriptors, occurrences, settle
from lib.wait import eventually

AGAIN = "info master: opened the log again$"


class FileServer(Server):
    """One that logs to a file itself; `log` is what is in that and in those that were moved."""

    def _launch(self, words, **options):
        folder = os.path.join(options["cwd"], "logs")
        os.makedirs(folder, exist_ok=True)
        self.stderr_path, self.moved = self.log_path, []
        self.log_path = os.path.join(folder, "log")
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [*words, *command(f"log.target={self.log_path}")[-2:]], stdin=subprocess.DEVNULL,
                stdout=stderr, stderr=stderr, start_new_session=True, **options,
            )  # fmt: skip

    @property
    def log(self):
        paths = [self.stderr_path, *self.moved, self.log_path]
        return "".join(map(read, filter(os.path.isfile, paths)))

    def move_log(self):
        """As logrotate does; returns the new path of the old file."""
        moved = f"{self.log_path}.{len(self.moved) + 1}"
        os.rename(self.log_path, moved)
        self.moved.append(moved)
        return moved

    def reopen(self):
        told = occurrences(self, AGAIN)
        self.send_signal(signal.SIGUSR1)
        self.wait_for_log(AGAIN, told + 1)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def wait_until_all_write_to(server, path, pids=None):
    pids = pids or [server.pid, *process.children_of(server.pid)]
    eventually(lambda: all(has_open(pid, path) == 1 for pid in pids), f"all have {path} open")


def assert_workers_write_to(path, server):
    """Let each worker say something, and find it there."""
    for worker in server.serving:
        process.kill(worker.pid, signal.SIGTERM)
        line = f"info worker {worker.id}: got signal 15, finishing what is in flight\n"
        eventually(lambda line=line: line in read(path), f"{line!r} in {path}")
        server.wait_until_replaced(worker)
        server.wait_for_log(f"worker {worker.id} died")


@pytest.fixture
def begin_with_file(begin):
    def begin_one(*arguments, **options):
        return begin(*arguments, kind=FileServer, **options)

    return begin_one


def rotate(server):
    """Move the log and have it opened again; nobody keeps the old file."""
    old = server.move_log()
    server.reopen()
    wait_until_all_write_to(server, server.log_path)
    eventually(lambda: not any(has_open(pid, old) for pid in process.children_of(server.pid)),
               "no worker has the old file")  # fmt: skip
    assert not has_open(server.pid, old)
    return old


@pytest.mark.smoke
@pytest.mark.valgrind
def test_all_write_to_the_new_file(begin_with_file):
    server = begin_with_file()
    old = rotate(server)
    before = read(old)
    assert read(server.log_path).splitlines()[0].endswith(" info master: opened the log again")
    assert stat.S_IMODE(os.stat(server.log_path).st_mode) == 0o640
    assert_workers_write_to(server.log_path, server)
    assert read(old) == before
    assert before.splitlines()[-1].endswith(f"got SIGUSR1 from process {os.getpid()}")


def test_log_can_be_moved_again_and_again(begin_with_file):
    server = begin_with_file()
    for _ in range(3):
        rotate(server)
        assert_workers_write_to(server.log_path, server)


@pytest.mark.root
@pytest.mark.parametrize("changes_root", [False, True], ids=["user", "chroot"])
def test_workers_without_the_right_to_open_it_get_it(begin_with_file, conf, tmp_path, changes_root):
    (tmp_path / "root").mkdir()
    root = {"chroot": f'"{tmp_path}/root"'} if changes_root else {}
    conf.write(user="nobody", **root)
    server = begin_with_file(env=WITHOUT_LEAKS)
    os.chmod(os.path.dirname(server.log_path), 0o700)
    rotate(server)
    os.chmod(server.log_path, 0o600)
    assert_workers_write_to(server.log_path, server)


def test_workers_that_leave_get_it_too(begin_with_file):
    server = begin_with_file()
    with held(server) as (connection, worker):
        order_reload(server)
        settle_but_one(server)
        old = rotate(server)
        process.kill(worker.pid, signal.SIGTERM)
        line = f"info worker {worker.id}: got signal 15"
        eventually(lambda: line in read(server.log_path), f"{line!r} in the new file")
        assert line not in read(old)
        finish(connection)
    settle(server, 2, after=2)


def settle_but_one(server):
    eventually(lambda: len(process.children_of(server.pid)) == 3, "one is left of the old ones")


@pytest.mark.root
def test_workers_that_boot_get_it_too(begin_with_file, conf, etc):
    conf.write(**with_user(etc))
    server = begin_with_file(preexec=etc.mount)
    etc.make_boots_hang()
    server.send_signal(signal.SIGHUP)
    with frozen(server, etc, 3, 4):
        server.move_log()
        server.reopen()
    server.wait_for_log("reloaded: generation 2 serves")
    settle(server, 2, after=2)
    wait_until_all_write_to(server, server.log_path)
    assert_workers_write_to(server.log_path, server)


def test_new_workers_write_to_it(begin_with_file):
    server = begin_with_file()
    rotate(server)
    worker = server.serving[0]
    process.kill(worker.pid)
    wait_until_all_write_to(server, server.log_path, [server.wait_until_replaced(worker).pid])


def test_worker_that_was_busy_gets_it_later(begin_with_file):
    server = begin_with_file()
    with stopped(server.serving):
        old = server.move_log()
        server.reopen()
        assert all(has_open(worker.pid, old) for worker in server.serving)
    wait_until_all_write_to(server, server.log_path)


def fill_channel_of(worker, server):
    """It is stopped: it has no room for what the master has to say."""
    full = f"worker {worker.id} keeps its old log: {os.strerror(errno.EAGAIN)}"
    while full not in server.log:
        server.reopen()


def test_worker_that_reads_nothing_holds_nobody_up(begin_with_file):
    server = begin_with_file()
    before = {pid: fds(pid) for pid in [server.pid, *process.children_of(server.pid)]}
    late = server.serving[0]

    def catches_up():
        server.reopen()
        return has_open(late.pid, server.log_path) == 1

    with stopped([late]):
        fill_channel_of(late, server)
        server.move_log()
        server.reopen()
        wait_until_all_write_to(server, server.log_path, [server.pid, server.serving[1].pid])
        assert server.fetch("/hello").status == 200
    eventually(catches_up, "it writes to the new file as well")
    eventually(lambda: {pid: fds(pid) for pid in before} == before, "no descriptor is left over")
    assert sorted(worker.id for worker in server.serving) == [1, 2]


def test_worker_that_has_no_room_for_the_order_to_leave_gets_it_later(begin_with_file):
    server = begin_with_file("instance.grace_ms=600000")
    late = server.serving[0]
    with stopped([late]):
        fill_channel_of(late, server)
        server.send_signal(signal.SIGTERM)
        server.wait_for_log(f"worker {late.id} does not read its channel")
    assert server.wait() == 0
    assert "killing worker" not in server.log


@pytest.mark.parametrize("reason", ["Is a directory", "No such file or directory"])
def test_all_go_on_with_the_old_file_when_it_cannot_be_opened(begin_with_file, reason):
    server = begin_with_file()
    folder = os.path.dirname(server.log_path)
    if reason == "Is a directory":
        old = server.move_log()
        os.mkdir(server.log_path)
    else:
        os.rename(folder, f"{folder}.old")
        old = os.path.join(f"{folder}.old", "log")
        server.moved.append(old)
    server.send_signal(signal.SIGUSR1)
    server.wait_for_log(f"error master: cannot open {server.log_path} again: {reason}, logging on "
                        "into the old file$")  # fmt: skip
    wait_until_all_write_to(server, old)
    assert_workers_write_to(old, server)
    if reason == "Is a directory":
        os.rmdir(server.log_path)
    else:
        os.mkdir(folder)
    server.reopen()
    wait_until_all_write_to(server, server.log_path)
    assert_workers_write_to(server.log_path, server)


@pytest.mark.parametrize("target", ["stderr", "stdout"])
def test_stream_stays(begin, target):
    server = begin(f"log.target={target}")
    pids = [worker.pid for worker in server.serving]
    before = descriptors(server), [fds(pid) for pid in pids]
    for n in range(1, 4):
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log(f"info master: the log goes to {target}, there is nothing to open "
                            "again$", n)  # fmt: skip
    assert [server.fetch("/hello").status for _ in range(10)] == [200] * 10
    eventually(lambda: (descriptors(server), [fds(pid) for pid in pids]) == before, "as before")
    worker = server.serving[0]
    process.kill(worker.pid, signal.SIGTERM)
    server.wait_for_log(f"info worker {worker.id}: got signal 15")
    server.wait_until_replaced(worker)


def test_many_times_leave_nothing_behind(begin_with_file):
    server = begin_with_file()
    pids = [server.pid, *process.children_of(server.pid)]
    before = [fds(pid) for pid in pids]
    for _ in range(50):
        server.reopen()
    wait_until_all_write_to(server, server.log_path, pids)
    eventually(lambda: [fds(pid) for pid in pids] == before, "as many descriptors as before")
