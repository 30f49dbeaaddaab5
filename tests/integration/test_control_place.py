"""The usual place of the control socket: whose folder it is, and what is in its way."""

import os
import pathlib
import pwd
import shutil

import pytest

from lib import process
from lib.control import do
from lib.control_place import HEARD, ask_as, folder, mode_of  # noqa: F401
from lib.nobody import become_nobody, public  # noqa: F401
from lib.reload import order_reload
from lib.zombiectl import ctl

TRAPS = {
    "of another": "its folder belongs to another user",
    "link": "its folder is a symbolic link",
    "open": "others may write to its folder",
}


def set_trap(path, trap, user, folder):
    """Make something at the path that is no folder for this user's socket."""
    if trap == "link":
        os.symlink(folder, path)
        os.lchown(path, user, -1)
    else:
        os.mkdir(path)
        os.chmod(path, 0o777 if trap == "open" else 0o755)
        os.chown(path, 4711 if trap == "of another" else user, -1)


@pytest.fixture
def start_in_run(start, folder):
    """Start a server that takes the folder for /run."""

    def start_one(*arguments, **options):
        server = start(*arguments, env={"ZOMBIE_CONTROL": "auto"},
                       preexec=lambda: process.mount_over(folder, "/run"), **options)  # fmt: skip
        server.control_path = f"{folder}/zombie-server/control.sock"
        return server

    return start_one


@pytest.mark.root
def test_of_root_it_is_in_run(start_in_run, folder):
    before = os.umask(0o077)
    try:
        server = start_in_run()
    finally:
        os.umask(before)
    assert server.wait_for_log(HEARD)[1] == "/run/zombie-server/control.sock"
    assert do(server, "ping").text == "pong"
    assert mode_of(server.control_path) == 0o600
    assert mode_of(f"{folder}/zombie-server") == 0o755
    server.stop()
    assert os.listdir(f"{folder}/zombie-server") == []


@pytest.mark.root
def test_second_instance_goes_on_without(start_in_run):
    first = start_in_run()
    second = start_in_run()
    second.wait_for_log("info master: cannot listen on unix:/run/zombie-server/control.sock: "
                        "another instance does, going on without$")  # fmt: skip
    assert second.fetch("/hello").status == 200
    assert do(first, "version").result["pid"] == first.pid
    order_reload(second)
    assert do(first, "version").result["pid"] == first.pid
    first.stop()
    order_reload(second)
    assert do(second, "version").result["pid"] == second.pid


@pytest.mark.root
@pytest.mark.parametrize("make,what", [
    (lambda path: path.write_text("dear diary", encoding="utf-8"), "a file"),
    (lambda path: path.symlink_to("/nowhere/else"), "a symbolic link"),
    (lambda path: path.mkdir(), "a folder"),
    (os.mkfifo, "a device or a pipe"),
], ids=["file", "link", "folder", "pipe"])  # fmt: skip
def test_something_else_in_its_place_is_told_and_left_alone(start_in_run, folder, make, what):
    path = pathlib.Path(folder, "zombie-server", "control.sock")
    path.parent.mkdir(mode=0o755)
    make(path)
    before = path.lstat()
    server = start_in_run()
    server.wait_for_log("warning master: cannot listen on unix:/run/zombie-server/control.sock: "
                        f"there is {what} in its place, remove it and reload; going on without$"
                        )  # fmt: skip
    assert server.fetch("/hello").status == 200
    after = path.lstat()
    assert (after.st_ino, after.st_mode, after.st_mtime) == (
        before.st_ino, before.st_mode, before.st_mtime
    )  # fmt: skip
    os.rename(path, f"{folder}/elsewhere")
    order_reload(server)
    assert do(server, "version").result["pid"] == server.pid


@pytest.mark.root
@pytest.mark.parametrize("trap", TRAPS)
def test_folder_in_run_that_is_not_roots_is_not_used(start_in_run, folder, trap):
    usual = f"{folder}/zombie-server"
    set_trap(usual, trap, 0, "/tmp")
    server = start_in_run()
    server.wait_for_log("warning master: no control socket at /run/zombie-server/control.sock: "
                        f"{TRAPS[trap]}; mend that and reload, or set control.socket$")  # fmt: skip
    assert server.fetch("/hello").status == 200
    assert "zombiectl is heard" not in server.log


@pytest.mark.root
def test_run_that_cannot_be_written_stops_nobody(start_in_run, folder):
    with open(f"{folder}/zombie-server", "w", encoding="utf-8"):
        pass
    server = start_in_run()
    assert server.fetch("/hello").status == 200
    assert "zombiectl is heard" not in server.log


@pytest.mark.root
def test_of_others_it_is_in_their_runtime_folder(start, public, folder):
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    server = start(binary=public, preexec=become_nobody,
                   env={"ZOMBIE_CONTROL": "auto", "XDG_RUNTIME_DIR": folder})  # fmt: skip
    path = f"{folder}/zombie-server/control.sock"
    assert server.wait_for_log(HEARD)[1] == path
    assert do(path, "version").result["pid"] == server.pid
    assert os.stat(path).st_uid == user.pw_uid
    assert ask_as(path, user.pw_uid, user.pw_gid) == "pong"


# A user that nobody else is, nor who runs tests beside us, so its folder in /tmp is ours.
STRANGER = 10_000_000 + os.getpid()


def become_stranger():
    os.setgroups([])
    os.setgid(STRANGER)
    os.setuid(STRANGER)


@pytest.fixture
def start_as_stranger(start, public):
    """Start a server of a user who has no runtime folder, unless `runtime` is one."""
    private = f"/tmp/zombie-server-{STRANGER}"

    def start_one(runtime=""):
        server = start(binary=public, preexec=become_stranger,
                       env={"ZOMBIE_CONTROL": "auto", "XDG_RUNTIME_DIR": runtime})  # fmt: skip
        server.control_path = f"{private}/control.sock"
        return server

    start_one.private = private
    yield start_one
    if os.path.islink(private):
        os.unlink(private)
    shutil.rmtree(private, ignore_errors=True)


@pytest.mark.root
@pytest.mark.parametrize("runtime", ["/nowhere", "relative", "", "/" + "x" * 120])
def test_of_others_without_one_it_is_in_a_private_folder(start_as_stranger, runtime):
    server = start_as_stranger(runtime)
    assert server.wait_for_log(HEARD)[1] == server.control_path
    assert mode_of(start_as_stranger.private) == 0o700
    assert do(server, "version").result["pid"] == server.pid
    assert ask_as(server.control_path, STRANGER, STRANGER) == "pong"
    assert ask_as(server.control_path, 4711, 4711) == "PermissionError"
    server.stop()
    again = start_as_stranger(runtime)
    assert do(again, "version").result["pid"] == again.pid, "the folder is used again"


@pytest.mark.root
@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize("has_runtime", [False, True], ids=["private", "runtime"])
def test_folder_that_is_not_ours_is_not_used(start_as_stranger, folder, trap, has_runtime):
    """Neither by the server nor by zombiectl, which could find somebody else there."""
    target, runtime = f"{folder}/target", f"{folder}/run" if has_runtime else ""
    for path in filter(None, (target, runtime)):
        os.mkdir(path)
        os.chown(path, STRANGER, STRANGER)
    usual = f"{runtime}/zombie-server" if has_runtime else start_as_stranger.private
    set_trap(usual, trap, STRANGER, target)
    server = start_as_stranger(runtime)
    assert server.fetch("/hello").status == 200
    server.wait_for_log(f"warning master: no control socket at {usual}/control.sock: "
                        f"{TRAPS[trap]}; mend that and reload, or set control.socket$")  # fmt: skip
    assert "zombiectl is heard" not in server.log
    assert os.listdir(target) == []
    done = ctl(None, "ping", env={"XDG_RUNTIME_DIR": runtime}, preexec_fn=become_stranger)
    assert done.returncode == 3
    assert done.stderr == (f"zombiectl: {usual}/control.sock is not to be trusted: {TRAPS[trap]}; "
                           "use -s or ZOMBIE_CONTROL\n")  # fmt: skip
