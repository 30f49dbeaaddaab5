"""The file of the control socket: where it is, whose it is, how it comes and goes."""

import grp
import os
import pwd
import signal
import socket
import stat
import threading

import pytest

from lib import process
from lib.control import Client, do, path_of, wait_for_status, wait_for_upgrade, wait_until_settled
from lib.control_place import HEARD, ask_as, folder, mode_of  # noqa: F401
from lib.reload import conf  # noqa: F401
from lib.upgrade import program  # noqa: F401
from lib.wait import eventually

WITHOUT = ("env", "-u", "ZOMBIE_CONTROL")  # let the file say where the socket is
EX_CONFIG, EX_OSERR = 78, 71


def bind(path):
    """A socket that is not ours."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    return listening


@pytest.mark.smoke
def test_off_is_none(start):
    server = start(env={"ZOMBIE_CONTROL": "off"})
    assert "zombiectl" not in server.log
    assert not os.path.exists(server.control_path)
    assert server.fetch("/hello").status == 200


@pytest.mark.smoke
def test_path_with_a_mode(start):
    server = start("control.mode=0640")
    assert mode_of(server.control_path) == 0o640
    assert stat.S_ISSOCK(os.stat(server.control_path).st_mode)
    server.stop()
    assert not os.path.exists(server.control_path)


@pytest.mark.root
def test_owner_and_group(start):
    user, group = pwd.getpwnam("nobody"), grp.getgrnam("daemon")
    server = start("control.user=nobody", "control.group=daemon")
    found = os.stat(server.control_path)
    assert (found.st_uid, found.st_gid) == (user.pw_uid, group.gr_gid)
    assert do(server, "ping").text == "pong"
    assert ask_as(server.control_path, user.pw_uid, user.pw_gid) == "pong"
    assert ask_as(server.control_path, 4711, 4711) == "PermissionError"


def test_reload_changes_the_mode(start, conf, folder):
    path = f"{folder}/s"
    conf.write(f"control {{ socket = {path} mode = 0600 }}")
    server = start("-c", conf.path, workers=None, listen=None, prefix=WITHOUT, wait=False)
    server.wait_for_log(HEARD)
    conf.write(f"control {{ socket = {path} mode = 0660 }}")
    inode = os.stat(path).st_ino
    do(path, "reload")
    assert mode_of(path) == 0o660
    assert os.stat(path).st_ino == inode


WRONG = [
    ("control.socket=/" + "x" * 108, "control.socket"),
    ("control.user=nobody-we-know", "control.user: there is no user 'nobody-we-know'"),
    ("control.group=nobody-we-know", "control.group: there is no group 'nobody-we-know'"),
    ("control.mode=0999", "control.mode"),
    ("control.mode=1777", "control.mode"),
    ("control.socket=", "control.socket"),
]


@pytest.mark.parametrize("argument, what", WRONG)
def test_wrong_configuration_is_refused(run, argument, what):
    result = run(argument, "-l", "127.0.0.1:0")
    assert result.returncode == EX_CONFIG
    assert what in result.stderr
    assert result.stderr.count("\n") == 1


def test_path_of_a_listen_section_is_refused(run, folder):
    result = run("-l", "127.0.0.1:0", "-l", f"unix:{folder}/s", f"control.socket={folder}/s")
    assert result.returncode == EX_CONFIG
    assert f'control.socket: listen "unix:{folder}/s" is the same address' in result.stderr
    assert os.listdir(folder) == []


def test_longest_path_there_can_be(start, folder):
    path = folder + "/" + "x" * (107 - len(folder) - 1)
    server = start(env={"ZOMBIE_CONTROL": path})
    assert do(path, "version").result["pid"] == server.pid


# --- Who may ------------------------------------------------------------------


@pytest.mark.root
def test_others_may_where_the_mode_lets_them(start):
    server = start("control.mode=0666")
    assert ask_as(server.control_path, 4711, 4711) == "pong"
    os.chmod(server.control_path, 0o600)
    assert ask_as(server.control_path, 4711, 4711) == "PermissionError"
    assert do(server, "ping").text == "pong"


@pytest.mark.root
def test_group_may_where_the_mode_lets_it(start):
    group = grp.getgrnam("daemon").gr_gid
    server = start("control.mode=0660", "control.group=daemon")
    assert ask_as(server.control_path, 4711, group) == "pong"
    assert ask_as(server.control_path, 4711, 4711, groups=[4712, group, 4713]) == "pong"
    assert ask_as(server.control_path, 4711, 4711, groups=[4712]) == "PermissionError"


@pytest.mark.root
def test_who_comes_in_all_the_same_is_turned_away(start):
    """Connected while the mode let him, and before the master had a look."""
    server = start("control.mode=0666")
    process.kill(server.pid, signal.SIGSTOP)
    eventually(lambda: process.is_stopped(server.pid), "the master is stopped")
    thread_answer = []
    thread = threading.Thread(
        target=lambda: thread_answer.append(ask_as(server.control_path, 4711, 4711))
    )
    thread.start()
    eventually(lambda: backlog_of(server.control_path) > 0, "he waits at the door")
    os.chmod(server.control_path, 0o600)
    process.kill(server.pid, signal.SIGCONT)
    thread.join()
    assert thread_answer == ["not-allowed"]
    server.wait_for_log(r"warning master: control: user 4711 \(process \d+\) may not use the "
                        "control socket, turned away$")  # fmt: skip


def backlog_of(path):
    """How many have connected that nobody has accepted: entries of the path that have no inode."""
    with open("/proc/net/unix", encoding="utf-8") as file:
        rows = [line.split() for line in file if line.rstrip().endswith(" " + path)]
    return sum(row[5] in ("02", "03") and row[6] == "0" for row in rows)


# --- Files that are there already, or not any more -----------------------------


@pytest.mark.smoke
def test_stale_socket_is_replaced(start, folder):
    path = f"{folder}/s"
    bind(path).close()
    server = start(env={"ZOMBIE_CONTROL": path})
    assert do(path, "version").result["pid"] == server.pid


def test_socket_of_one_that_was_killed_is_replaced(start, folder):
    path = f"{folder}/s"
    first = start(env={"ZOMBIE_CONTROL": path})
    first.expected_status = -signal.SIGKILL
    process.kill(first.pid)
    first.wait()
    assert os.path.exists(path)
    server = start(env={"ZOMBIE_CONTROL": path})
    assert do(path, "version").result["pid"] == server.pid


@pytest.mark.parametrize("make", ["file", "folder", "link", "listener"])
def test_what_is_not_ours_is_refused_and_left_alone(run, folder, make):
    path = f"{folder}/s"
    keep = None
    if make == "file":
        with open(path, "w", encoding="utf-8") as file:
            file.write("dear diary")
    elif make == "folder":
        os.mkdir(path)
    elif make == "link":
        os.symlink("/nowhere/else", path)
    else:
        keep = bind(path)
        keep.listen()
    before = os.lstat(path)
    result = run("-l", "127.0.0.1:0", f"control.socket={path}")
    assert result.returncode == EX_OSERR
    assert f"cannot listen on unix:{path}: " in result.stderr
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode, after.st_mtime) == (
        before.st_ino, before.st_mode, before.st_mtime
    )  # fmt: skip
    if keep:
        keep.close()


def test_folder_that_is_not_there_is_an_error(run, folder):
    result = run("-l", "127.0.0.1:0", f"control.socket={folder}/none/s")
    assert result.returncode == EX_OSERR
    assert "No such file or directory" in result.stderr


@pytest.mark.parametrize("how", ["removed", "replaced"])
def test_file_that_vanishes_is_told_and_made_again(start, how):
    server = start()
    path = server.control_path
    with Client(path) as client:
        os.unlink(path)
        if how == "replaced":
            bind(path).close()
        server.wait_for_log(f"warning master: the socket file {path} is gone or replaced")
        assert client.ask("ping").text == "pong"
        client.ask("reload").done()
        assert do(server, "version").result["pid"] == server.pid
        assert client.ask("ping").text == "pong"
    assert server.log.count("is gone or replaced") == 1


# --- Reload and upgrade -------------------------------------------------------


def begin_at(start, conf, path, **options):
    conf.write(f"control {{ socket = {path} }}")
    server = start("-c", conf.path, workers=None, listen=None, prefix=WITHOUT, wait=False,
                   **options)  # fmt: skip
    server.n_workers = 2
    server.wait_until_serving()
    return server


def test_reload_moves_it_and_who_is_connected_stays(start, conf, folder):
    one, other = f"{folder}/one", f"{folder}/other"
    server = begin_at(start, conf, one)
    with Client(one) as client:
        follow = client.begin("events", follow=True)
        conf.write(f"control {{ socket = {other} }}")
        client.ask("reload").done()
        assert do(other, "version").result["pid"] == server.pid
        eventually(lambda: not os.path.exists(one), "the old file is gone")
        follow.wait_for_event("reloaded")
        assert client.ask("ping").text == "pong"
        conf.write("control { socket = off }")
        client.ask("reload").done()
        eventually(lambda: not os.path.exists(other), "there is none")
        assert client.ask("ping").text == "pong"
        conf.write(f"control {{ socket = {one} }}")
        client.ask("reload").done()
        assert client.ask("ping").text == "pong"
    assert do(one, "version").result["pid"] == server.pid


def test_reload_to_where_it_cannot_be_is_refused(start, conf, folder):
    path = f"{folder}/s"
    server = begin_at(start, conf, path)
    conf.write(f"control {{ socket = {folder}/none/s }}")
    why = f"cannot listen on unix:{folder}/none/s: No such file or directory"
    assert why in do_fail(path)
    assert f"error master: reload refused: {why}, generation 1 goes on" in server.log
    conf.write(f"control {{ socket = /{'x' * 200} }}")
    assert "control.socket" in do_fail(path)
    assert do(path, "version").result["pid"] == server.pid


def do_fail(path):
    with Client(path) as client:
        return client.ask("reload").failed("failed")


def test_upgrade_keeps_it(start, program):
    server = start(binary=str(program.path))
    path = server.control_path
    before = os.stat(path)
    program.install()
    stop, refused = threading.Event(), []

    def knock():
        while not stop.is_set():
            try:
                Client(path).close()
            except OSError as error:
                refused.append(error)

    thread = threading.Thread(target=knock)
    thread.start()
    server.send_signal(signal.SIGUSR2)
    wait_for_upgrade(server)
    stop.set()
    thread.join()
    assert refused == []
    after = os.stat(path)
    assert (after.st_ino, after.st_dev) == (before.st_ino, before.st_dev)
    wait_until_settled(server)
    server.stop()
    assert not os.path.exists(path)


def test_stop_keeps_it_to_the_end(start):
    server = start("instance.drain_delay_ms=1000")
    server.send_signal(signal.SIGTERM)
    assert wait_for_status(server, lambda s: s["state"] == "stopping", "a stop")
    assert os.path.exists(path_of(server))
    assert server.wait() == 0
    assert not os.path.exists(path_of(server))
