"""Workers behind bars: chroot and landlock."""

import ctypes
import os
import signal

import pytest

from lib import process
from lib.client import fetch
from lib.server import WITHOUT_LEAKS
from lib.survival import reload, start_logging, upgrade
from lib.wait import eventually


@pytest.fixture
def jail(tmp_path):
    folder = tmp_path / "jail"
    folder.mkdir()
    return folder


@pytest.mark.root
def test_workers_may_have_a_root_of_their_own(start, jail, tmp_path):
    """The user database is out of sight in there, and so is the log."""
    path = tmp_path / "file.log"
    server = start_logging(start, path, f"instance.chroot={jail}", "instance.user=nobody",
                           "log.level=debug", env=WITHOUT_LEAKS)  # fmt: skip
    process.kill(server.serving[0].pid)
    server.wait_until_serving(2, after=1)
    reload(server, 2)
    for worker in server.serving:
        assert os.readlink(f"/proc/{worker.pid}/root") == str(jail)
        assert os.readlink(f"/proc/{worker.pid}/cwd") == str(jail)
        assert process.status_of(worker.pid)["Uid"].split()[0] != "0"
        server.wait_for_log(f"debug worker {worker.id}: MASTER_ID is {server.instance}")
    assert os.readlink(f"/proc/{server.pid}/root") == "/"
    assert server.fetch("/hello").status == 200


@pytest.mark.root
@pytest.mark.parametrize("arguments", [["chroot"], ["landlock=yes"], ["chroot", "landlock=yes"]],
                         ids=" and ".join)  # fmt: skip
def test_locked_up_workers_get_the_new_log(start, jail, tmp_path, arguments):
    path, moved = tmp_path / "file.log", tmp_path / "old.log"
    options = [f"chroot={jail}" if word == "chroot" else word for word in arguments]
    server = start_logging(start, path, "instance.user=nobody",
                           *(f"instance.{option}" for option in options),
                           env=WITHOUT_LEAKS)  # fmt: skip
    worker, address = server.serving[0], server.address
    os.rename(path, moved)
    server.send_signal(signal.SIGUSR1)
    eventually(path.exists, "there is a new log")
    server.wait_for_log("info master: opened the log again$")
    process.kill(worker.pid, signal.SIGTERM)
    server.wait_for_log(f"info worker {worker.id}: got signal {int(signal.SIGTERM)}")
    server.wait_for_log(f"master: worker {worker.id} died")
    assert "got signal" not in moved.read_text()
    assert fetch(address, "/hello").status == 200


def test_root_that_does_not_exist_is_refused(run, tmp_path):
    result = run(f"instance.chroot={tmp_path}/none")
    assert result.returncode == 78
    assert f"instance.chroot: {tmp_path}/none: No such file or directory" in result.stderr


@pytest.mark.root
def test_root_that_is_gone_later_fails_the_boot(start, jail):
    server = start(f"instance.chroot={jail}", "instance.user=nobody", "instance.backoff_min_ms=1",
                   env=WITHOUT_LEAKS)  # fmt: skip
    worker, other = server.serving
    jail.rename(jail.with_name("elsewhere"))
    process.kill(worker.pid)
    server.wait_for_log(f'cannot settle as .*chroot "{jail}": No such file or directory', 2)
    assert server.identity()["worker"] == other.id
    jail.mkdir()
    server.wait_until_replaced(worker)


def landlock_version():
    """Or -1."""
    create_ruleset, version = 444, 1
    return ctypes.CDLL(None).syscall(create_ruleset, None, ctypes.c_size_t(0), version)


needs_landlock = pytest.mark.skipif(landlock_version() < 1, reason="the kernel has no landlock")


@needs_landlock
def test_landlocked_workers_serve_whatever_happens(start, tmp_path):
    path = tmp_path / "socket"
    server = start("--chaos", "-l", f"unix:{path}", "instance.landlock=yes", workers=2)
    server.wait_for_log(
        f"info master: landlock {landlock_version()} restricts the workers: files read-only"
    )

    def assert_served():
        for address in (server.address, str(path)):
            assert fetch(address, "/hello").status == 200

    assert_served()
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    reload(server, 2)
    assert_served()
    upgrade(server, 3)
    assert_served()
    server.stop()
    assert not path.exists()


def test_landlock_that_is_not_there_is_a_warning_and_no_more(start):
    server = start("instance.landlock=yes")
    warns = "warning master: instance.landlock = yes, but this kernel has no landlock"
    assert (warns in server.log) is (landlock_version() < 1)
    assert server.fetch("/hello").status == 200


def core_files(folder):
    return [name for name in os.listdir(folder) if name.startswith("core")]


@needs_landlock
def test_landlocked_worker_cannot_write_a_core_file(start, tmp_path):
    def abort(landlock):
        server = start("--chaos", "instance.core_dumps=yes", f"instance.landlock={landlock}",
                       workers=1)  # fmt: skip
        server.fetch("/workerKiller?mode=abort")
        return server.wait_for_log("worker 1 died: killed by SIGABRT.* core=(yes|no)")[1]

    # First that it would write one otherwise, here and now.
    if abort("no") == "no" or not core_files(tmp_path):
        pytest.skip("there are no core files here")
    for name in core_files(tmp_path):
        os.unlink(tmp_path / name)
    abort("yes")
    assert not core_files(tmp_path)
