"""zombie-distributor as its operator sees it: limits, reload, stop, who may come, what it tells."""

import contextlib
import os
import re
import resource
import signal
import socket
import time

import pytest

from lib import process, raw
from lib import server as servers
from lib.distributor import Distributor, complaint, refused, run
from lib.server import SRCDIR
from lib.wait import eventually


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "distributor.conf"
        path.write_text(text)
        return str(path)

    return write


# Limits


def test_as_many_nodes_as_may_be(start):
    distributor = start("distributor.max_nodes=2", kind=Distributor)
    with distributor.node("a") as a, distributor.node() as b, distributor.node() as c:
        assert a.names() == ["a"]
        b.post("b")
        a.wait_for("a", "b")
        c.post("c")
        c.expect_end()
        complaint(distributor, "there are as many nodes as may be")
        b.post("bb")  # who is in may change
        a.wait_for("a", "bb")
    distributor.wait_for_status(node_count=0)
    with distributor.node("d") as d:
        assert d.names() == ["d"]
    assert refused(distributor, "full") == 1


def test_who_only_sits_there_makes_room(start):
    distributor = start("distributor.max_nodes=1", kind=Distributor)
    with distributor.node("a") as a:
        assert a.names() == ["a"]
        guests = [distributor.node() for _ in range(65)]
        guests[0].expect_end()
        complaint(distributor, "it has not registered, and its place is needed")
        distributor.wait_for_status(open_connections=65)
        a.expect_nothing()
        for guest in guests:
            guest.close()


def test_without_descriptors_others_wait(start):
    def few():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    distributor = start("distributor.max_nodes=20", kind=Distributor, preexec=few)
    distributor.wait_for_log(r"40 descriptors are allowed \(RLIMIT_NOFILE\), 20 nodes need \d+")
    with distributor.node("a") as a:
        assert a.names() == ["a"]
        others = [distributor.node() for _ in range(50)]
        distributor.wait_for_log("cannot accept connections: Too many open files, trying again")
        a.post("aa")  # a list needs a descriptor, too, and waits for one
        for other in others:
            other.close()
        with distributor.node("b") as b:
            b.wait_for("aa", "b")
    assert distributor.log.count("cannot accept") == 1


FAT = "x" * 16000
CROWD = 8  # so many fat nodes are a list that a small socket does not take at once


@pytest.fixture
def crowd(start):
    """Make a Distributor, fat nodes that read, and a slow one that does not, which came first."""
    nodes = []

    def make(*arguments):
        distributor = start(*arguments, kind=Distributor)
        nodes.append(distributor.node("slow", receive_buffer=4096))
        distributor.wait_for_log("there are 1$")
        for number in range(CROWD):
            nodes.append(distributor.node())
            change(nodes[1:], nodes[-1], f"fat{number}")
        return distributor, nodes[0], nodes[1:]

    yield make
    for node in nodes:
        node.close()


def change(readers, node, name):
    """Register a node by that name; all who read know it in the end."""
    node.post(name, text=FAT)
    for reader in readers:
        while name not in reader.names():
            continue


def test_node_that_says_too_much(start):
    distributor = start(kind=Distributor)
    with distributor.node("witness") as witness, distributor.node() as node:
        witness.wait_for("witness")
        node.post("a", text="x" * 16384)
        node.expect_end()
        complaint(distributor, "a node says too much of itself")
        witness.expect_nothing()
    assert refused(distributor, "garbage") == 1


def test_slow_reader_gets_only_the_newest(crowd):
    distributor, slow, fat = crowd("distributor.send_timeout_ms=600000")
    for number in range(6):
        change(fat, fat[0], f"v{number}")
    slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)  # it hurries now
    heard = []
    while not heard or "v5" not in heard[-1]:
        heard.append(slow.names())
    versions = {names[1] for names in heard if names[1:] and names[1].startswith("v")}
    assert len(versions) <= 2, "one that was on its way, and the newest"
    assert refused(distributor, "slow") == 0
    distributor.wait_for_status(behind=0)
    for number in range(6, 100):
        change(fat, fat[0], f"v{number}")
        if distributor.status()["behind"] == 1:
            break
    slow.close()  # nobody waits for who has gone
    for node in fat:
        while "slow" in node.names():
            continue
    distributor.wait_for_status(behind=0)


def test_who_does_not_read_is_cut_off(crowd, file):
    section = "distributor {{ send_timeout_ms = {} }}"
    distributor, _, _ = crowd("-c", file(section.format(600000)))
    file(section.format(3000))
    distributor.send_signal(signal.SIGHUP)
    complaint(distributor, "it does not read what it is sent")
    distributor.wait_for_status(node_count=CROWD)
    assert refused(distributor, "slow") == 1


def test_old_lists_are_bounded(start):
    distributor = start("distributor.send_timeout_ms=600000", "distributor.max_frame_bytes=256K",
                        kind=Distributor)  # fmt: skip
    key = "k" * 200000  # more than the sockets take: each answer stays with the list of its time
    with contextlib.ExitStack() as stack:
        node = stack.enter_context(distributor.node("n"))
        assert node.names() == ["n"]
        slow = []
        for number in range(132):
            slow.append(stack.enter_context(distributor.node(receive_buffer=4096)))
            slow[-1].get(key)
            slow[-1].wait_until_read()
            node.post(f"n{number}")
            assert node.names() == [f"n{number}"]
        complaint(distributor, "it reads too slowly, and there are too many old lists")
        assert refused(distributor, "slow") == 4
        raw.until_gone(slow[3].socket)
        slow[4].socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        assert [one["name"] for one in slow[4].receive()["params"]] == ["n3"]
        node.expect_nothing()


def test_who_comes_and_goes_does_not_fill_the_log(start):
    distributor = start(kind=Distributor)
    began = time.monotonic()

    def come_and_go():
        with distributor.node("x" * 3000) as node:
            assert len(node.names()) > 0

    def says():
        return re.findall(r"info distributor: node \S+ has (?:come|gone).*", distributor.log)

    def left_out():
        come_and_go()
        return re.search(r"info distributor: nodes have come or gone (\d+) more times", distributor.log)

    for _ in range(300):
        come_and_go()
    eventually(left_out, "a count of what was left out")
    assert len(says()) <= 10 * (time.monotonic() - began + 2)
    assert ' has come as "%s",' % ("x" * 100) in says()[0]


# Who may come


def test_networks(start):
    distributor = start("distributor.networks=127.0.0.1,127.0.0.2", kind=Distributor)
    with distributor.node("a") as a, distributor.node("b", source="127.0.0.2") as b:
        a.wait_for("a", "b")
        b.wait_for("a", "b")
        with distributor.node(source="127.0.0.3") as c:
            c.expect_end()
    complaint(distributor, "it is in none of distributor.networks")
    assert refused(distributor, "network") == 1


# Reload, stop


def test_reload_takes_limits_networks_and_log(start, file):
    path = file("")
    distributor = start("-c", path, kind=Distributor)
    near, far = distributor.node("near"), distributor.node("far", source="127.0.0.2")
    distributor.wait_for_status(node_count=2)
    file('distributor { networks = { "127.0.0.2" } max_nodes = 1 max_frame_bytes = 1K }\n'
         "log { level = debug }\n")  # fmt: skip
    distributor.send_signal(signal.SIGHUP)
    distributor.wait_for_log("info distributor: reloaded")
    complaint(distributor, "it is in none of distributor.networks any more")
    far.wait_for("far")
    with distributor.node(source="127.0.0.2") as another:
        another.post("another")
        another.expect_end()
    far.post("x" * 1024)
    while far.receive_frame() is not None:
        continue
    distributor.wait_for_log("debug distributor: broadcast")
    near.close()
    far.close()


def test_reload_that_is_refused_changes_nothing(start, file):
    distributor = start("-c", file(""), kind=Distributor)
    with distributor.node("a") as node:
        assert node.names() == ["a"]
        file("distributor { max_nodes = 0 }")
        distributor.send_signal(signal.SIGHUP)
        distributor.wait_for_log(r"error distributor: reload refused: \S+:1: distributor.max_nodes")
        node.expect_nothing()


def test_reload_tells_what_waits_for_the_next_start(start, file):
    rest = 'distributor { listen = "127.0.0.1:0" control = off }\n'
    distributor = start("-c", file(rest), kind=Distributor, listen=None)
    file(rest.replace(".1:0", ".2:0") + "instance { pidfile = \"/nowhere\" }")
    distributor.send_signal(signal.SIGHUP)
    distributor.wait_for_log("warning distributor: distributor.listen and control count from the")
    distributor.wait_for_log("warning distributor: the section instance counts from the next start")
    with distributor.node("a") as node:
        assert node.names() == ["a"]


@pytest.mark.smoke
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_closes_all(start, tmp_path, number):
    pidfile = tmp_path / "pid"
    distributor = start("-p", pidfile, kind=Distributor)
    assert pidfile.read_text() == f"{distributor.pid}\n"
    with distributor.node("a") as node:
        assert node.names() == ["a"]
        distributor.stop(number)
        node.expect_end()
    assert not pidfile.exists()


def test_log_is_opened_again(start, tmp_path):
    path = tmp_path / "own.log"
    distributor = start(f"log.target={path}", kind=Distributor, wait=False)
    eventually(lambda: path.exists() and "listens on" in path.read_text(), "it listens")
    path.rename(tmp_path / "old.log")
    distributor.send_signal(signal.SIGUSR1)
    eventually(lambda: path.exists() and "opened again" in path.read_text(), "a new file")
    distributor.send_signal(signal.SIGTERM)
    assert distributor.wait() == 0


def test_service_manager_hears_of_start_reload_and_stop(start, manager):
    distributor = start(kind=Distributor, env=manager.variables(watchdog_ms=200))
    ready = manager.wait_for("READY").fields
    assert ready["MAINPID"] == str(distributor.pid)
    assert ready["STATUS"] == f"Listens on 127.0.0.1:{distributor.port}"
    manager.wait_for("WATCHDOG")
    distributor.send_signal(signal.SIGHUP)
    assert "MONOTONIC_USEC" in manager.wait_for("RELOADING").fields
    manager.wait_for("READY")
    distributor.stop()
    manager.wait_for("STOPPING")


@pytest.mark.root
def test_user_is_changed(start):
    distributor = start("instance.user=nobody", kind=Distributor)
    status = process.status_of(distributor.pid)
    assert "0" not in status["Uid"].split()
    assert status["NoNewPrivs"] == "1"
    with distributor.node("a") as node:
        assert node.names() == ["a"]
    os.unlink(distributor.control_path)  # the folder is not its own any more


def test_background(tmp_path):
    log, control = tmp_path / "log", f"distributor.control={tmp_path}/socket"
    pidfile = tmp_path / "pid"
    result = run("-d", "-p", pidfile, "-o", control, "-o", "distributor.listen=127.0.0.1:0",
                 "-o", f"log.target={log}")  # fmt: skip
    assert result.returncode == 0, result.stderr
    pid = int(pidfile.read_text())
    assert "listens on 127.0.0.1:" in log.read_text()
    assert run("--status", "-o", control).returncode == 0
    process.kill(pid, signal.SIGTERM)
    eventually(lambda: not process.is_alive(pid), "the daemon ends")


def test_half_open_nodes_vanish(start):
    distributor = start("distributor.keepalive_ms=60000", "distributor.send_timeout_ms=7000",
                        kind=Distributor)  # fmt: skip
    door = process.steal_socket(distributor.pid, socket.SOCK_STREAM)
    with door:
        assert door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
        assert door.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = [door.getsockopt(socket.IPPROTO_TCP, option) for option in (
            socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT,
            socket.TCP_USER_TIMEOUT)]  # fmt: skip
    assert options == [30, 10, 3, 60000]


# What it tells


@pytest.mark.smoke
def test_status(start):
    distributor = start(kind=Distributor)
    with distributor.node() as node:
        node.post("goods\u001b[31m\u0085", port="3000", urls=["GET/goods", "POST/goods"])
        assert len(node.names()) == 1
        node.get(1)
        node.receive()
        status = distributor.status()
        assert status["nodes"] == [{
            "host": "127.0.0.1", "peer_port": node.port, "port": "3000",
            "name": "goods\u001b[31m\u0085", "urls": 2, "since": status["nodes"][0]["since"],
        }]  # fmt: skip
        assert status["counted"] == {
            "connections": 1, "frames": 2, "broadcasts": 1, "answers": 1,
            "sent_bytes": status["counted"]["sent_bytes"],
            "refused": {"network": 0, "full": 0, "garbage": 0, "slow": 0},
        }  # fmt: skip
        assert (status["node_count"], status["nodes_told"], status["behind"]) == (1, 1, 0)
        text = run("--status", *distributor.control).stdout
        assert "nodes        1 of 10000, 0 behind" in text
        assert "3000      2  goods?[31m?\n" in text


def test_status_of_many(start):
    distributor = start(kind=Distributor)
    nodes = [distributor.node(f"n{number}") for number in range(150)]
    distributor.wait_for_status(node_count=150)
    assert len(distributor.status()["nodes"]) == 150
    for node in nodes:
        node.close()


def test_status_of_nobody(tmp_path):
    result = run("--status", "-o", f"distributor.control={tmp_path}/none")
    assert result.returncode == os.EX_UNAVAILABLE
    assert "nobody answers on" in result.stderr


# How it starts


def test_named_control_socket_must_be_had(tmp_path):
    (tmp_path / "file").write_text("mine")
    result = run("-o", f"distributor.control={tmp_path}/file", "-o",
                 "distributor.listen=127.0.0.1:0")  # fmt: skip
    assert result.returncode == os.EX_OSERR
    assert "Address already in use" in result.stderr
    assert (tmp_path / "file").read_text() == "mine"


def test_socket_of_one_that_was_killed_is_replaced(start, tmp_path):
    first = start(kind=Distributor)
    first.expected_status = -signal.SIGKILL
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    again = start(*first.control, kind=Distributor)
    again.control = first.control
    again.status()
    again.stop()


def test_busy_port(start):
    distributor = start(kind=Distributor)
    result = run("-o", f"distributor.listen=127.0.0.1:{distributor.port}", "-o",
                 "distributor.control=off")  # fmt: skip
    assert result.returncode == os.EX_OSERR
    assert "Address already in use" in result.stderr


@pytest.mark.parametrize(("arguments", "status", "text"), [
    (["-t"], 0, "the configuration is valid"),
    (["-t", "-o", "distributor.max_nodes=0"], os.EX_CONFIG, "distributor.max_nodes"),
    (["-t", "-o", "distributor.listen=9000"], os.EX_CONFIG, "distributor.listen"),
    (["-t", "-o", "distributor.listen=unix:/tmp/x"], os.EX_CONFIG, "nodes come by TCP"),
    (["--wrong"], os.EX_USAGE, "unknown option '--wrong'"),
    (["-x"], os.EX_USAGE, "unknown option '-x'"),
    (["-c"], os.EX_USAGE, "option --config needs a value"),
    (["--json"], os.EX_USAGE, "option --json needs --status"),
    (["--status=1"], os.EX_USAGE, "option --status takes no value"),
    (["-c", "a", "-c", "b"], os.EX_USAGE, "option --config is given twice"),
    (["more"], os.EX_USAGE, "unexpected argument 'more'"),
    (["-V"], 0, "zombie-distributor "),
    (["-h"], 0, "usage: zombie-distributor"),
])  # fmt: skip
def test_command_line(arguments, status, text):
    result = run(*arguments)
    assert result.returncode == status
    assert text in result.stdout + result.stderr


# What the documents say


def read(name):
    with open(os.path.join(SRCDIR, name), encoding="utf-8") as text:
        return text.read()


def test_manual_has_all_options():
    usage = run("-h").stdout
    manual = read("man/zombie-distributor.8").replace("\\-", "-")
    options = set(re.findall(r"(?<![\w-])--([a-z]+)", usage))
    assert len(options) == 10
    assert [name for name in options if f"Fl -{name}" not in manual] == []
    assert set(re.findall(r"Fl -([a-z]+)", manual)) == options


def test_sample_has_the_values_that_hold_anyhow():
    sample = os.path.join(SRCDIR, "conf/zombie-distributor.conf")
    assert run("-t", "-c", sample).returncode == 0

    def effective(*arguments):
        text = servers.run("-T", *arguments).stdout
        return re.findall(r"(?m)^ +(\w+ = .*?) *#", text)

    assert effective("-c", sample) == effective()
    section = read("src/conf/options.c").partition("distributor_options[]")[2].partition("END}")[0]
    keys = re.findall(r"FIELD\(distributor, (\w+)", section)
    assert len(keys) == 7
    written = read("conf/zombie-distributor.conf").partition("\n}\n")[0]
    assert re.findall(r"(?m)^    (\w+) = ", written) == keys
