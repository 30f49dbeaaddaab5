"""What the control socket tells as it happens: events and the log, and how it takes nonsense."""

import os
import re
import signal

import pytest

from lib import process
from lib.control import Client, Rejected, do, events, find_event, last_event, refusal
from lib.control import slot_of, status, wait_for_event, wait_for_upgrade, wait_until_heard
from lib.control import wait_until_settled
from lib.schema import EVENT, KINDS, assert_fits
from lib.unread import Unread, write_route
from lib.upgrade import program  # noqa: F401
from lib.wait import eventually

KEPT = 256


def texts(found, kind):
    return [event["text"] for event in found if event["event"] == kind]


# --- Events -------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_events_of_a_start(start):
    server = start("admin.listen=127.0.0.1:0")
    wait_until_settled(server)
    found = events(server)
    assert_fits(found, [EVENT], "events")
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert [event["time"] for event in found] == sorted(event["time"] for event in found)
    assert found[0]["event"] == "start" and "version" in found[0]["text"]
    assert (found[0]["worker"], found[0]["slot"], found[0]["pid"]) == (None, None, None)
    for worker in server.serving:
        for kind in "birth", "ready":
            assert find_event(found, kind, worker=worker.id, slot=worker.slot, pid=worker.pid,
                              role="worker", generation=1)  # fmt: skip
    assert find_event(found, "ready", role="admin", slot=None)
    assert len(found) == 7


def test_events_since(start):
    server = start()
    found = events(server)
    assert events(server, since=3) == found[3:]
    assert events(server, since=len(found)) == []
    assert events(server, since=2**53) == []
    process.kill(server.serving[0].pid)
    wait_for_event(server, "ready", worker=3)
    later = events(server, since=len(found))
    assert [event["event"] for event in later] == ["death", "birth", "ready"]
    assert later[0]["text"] == "killed by SIGKILL, replaced at once"
    assert later[1]["text"] == "in place of one that has died"


def test_followers_hear_it_at_once_and_each_by_itself(start):
    server = start()
    with Client(server.control_path) as one, Client(server.control_path) as other:
        follow = one.begin("events", follow=True, since=last_event(server))
        late = other.begin("events", follow=True)
        late.wait_for(lambda order: len(order.events) == 5)
        victim = server.serving[0]
        process.kill(victim.pid, signal.SIGSEGV)
        assert follow.wait_for_event("death")["worker"] == victim.id
        assert "killed by SIGSEGV" in follow.wait_for_event("death")["text"]
        assert follow.wait_for_event("ready")["slot"] == victim.slot
        late.wait_for_event("ready", worker=3)
        assert late.events[5:] == follow.events
        assert one.ask("ping").text == "pong"
        assert follow.end is None
        do(server, "stop")
        for order in follow, late:
            order.wait()
            assert find_event(order.events, "stop", "finish what they have")


@pytest.mark.root
def test_every_kind_of_event(start, program):
    server = start("chaos.enabled=yes", "admin.listen=127.0.0.1:0", "instance.drain_idle_ms=0",
                   binary=str(program.path))  # fmt: skip
    wait_until_settled(server)
    with Client(server.control_path) as client:
        follow = client.begin("events", follow=True)
        server.fetch("/workerKiller", "POST")
        chaos = follow.wait_for_event("chaos")
        assert_fits(chaos, EVENT, "chaos")
        assert chaos["worker"] in server.workers and "127.0.0.1" in chaos["text"]
        follow.wait_for_event("death", worker=chaos["worker"])
        wait_until_settled(server)
        do(server, "scale", to=3)
        assert follow.wait_for_event("scale")["text"] == "3 workers, 2 before"
        do(server, "scale", to=2)
        follow.wait_for_event("leaving", "fewer workers are wanted")
        do(server, "reload")
        assert re.fullmatch(r"generation 2 boots with 2 workers",
                            follow.wait_for_event("reload")["text"])  # fmt: skip
        assert "generation 2 serves" in follow.wait_for_event("reloaded")["text"]
        wait_until_settled(server)
        do(server, "kill", slot=1, signal="CONT")
        order = follow.wait_for_event("order")
        assert (order["slot"], order["text"]) == (1, "sent SIGCONT")
        program.write("#!/bin/sh\necho no such moon >&2; exit 3\n")
        assert "no such moon" in refusal(server, "failed", "upgrade")
        assert "no such moon" in follow.wait_for_event("upgrade-failed")["text"]
        server.send_signal(signal.SIGWINCH)
        follow.wait_for_event("pause")
        seen = follow.events[-1]["seq"]
    program.install()
    do(server, "reload")
    server.send_signal(signal.SIGUSR2)
    wait_for_upgrade(server)
    wait_until_settled(server)
    found = events(server, since=seen)
    assert found[0]["seq"] == seen + 1, "they go on counting after an upgrade"
    assert find_event(found, "upgrade", "version .* goes on")
    assert find_event(events(server), "start")["seq"] == 1
    assert_fits(events(server), [EVENT], "events")


def test_a_failed_reload_is_told(start, tmp_path):
    path = tmp_path / "own.conf"
    path.write_text("")
    server = start("-c", path)
    path.write_text("instance { workers = none }\n")
    seen = last_event(server)
    server.send_signal(signal.SIGHUP)
    text = wait_for_event(server, "reload-failed", since=seen)["text"]
    assert "own.conf:1" in text and "workers" in text
    assert "reload" not in [event["event"] for event in events(server, since=seen)]


def test_poison_is_told_with_its_request(start, tmp_path):
    path = tmp_path / "socket"
    server = start("-c", write_route(tmp_path), listen=f"unix:{path}", workers=1)
    for n in range(3):
        victim = slot_of(status(server), 1)
        with Unread(str(path), f"/big/venom?n={n}") as connection:
            connection.wait_until_stuck(victim["pid"])
            process.kill(victim["pid"])
            wait_for_event(server, "ready", worker=victim["worker"] + 1)
    found = events(server)
    assert len(texts(found, "death")) == 3
    poison = find_event(found, "poison")
    assert poison["text"].startswith("GET /big/venom")
    assert poison["worker"] == victim["worker"]


def test_the_last_256_events_are_kept(start):
    server = start()
    first = last_event(server)
    with Client(server.control_path) as client:
        for _ in range(KEPT + 44):
            client.ask("kill", slot=1, signal="CONT").done()
    found = events(server)
    assert len(found) == KEPT
    assert [event["seq"] for event in found] == list(range(first + 45, first + KEPT + 45))
    assert {event["event"] for event in found} == {"order"}
    assert events(server, since=1) == found
    assert KINDS >= {event["event"] for event in found}


def test_a_follower_hears_more_than_are_kept(start):
    """It reads all the time, so nothing is lost to it."""
    server = start()
    with Client(server.control_path) as watcher, Client(server.control_path) as client:
        first = last_event(server)
        follow = watcher.begin("events", follow=True, since=first)
        for n in range(1, 3 * KEPT + 1):
            client.ask("kill", slot=2, signal="CONT").done()
            follow.wait_for(lambda order, n=n: len(order.events) == n)
        assert [e["seq"] for e in follow.events] == list(range(first + 1, first + 3 * KEPT + 1))


# --- The log ------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.valgrind
def test_logs_are_the_lines_of_the_log(start):
    server = start()
    found = do(server, "logs", lines=1000)
    assert found.lines == server.log.splitlines()
    assert {entry["worker"] for entry in found.logs} == {0}
    assert do(server, "logs", lines=2).lines == found.lines[-2:]
    assert do(server, "logs", lines=0).lines == []


def test_logs_of_one_worker(start):
    server = start()
    victim = server.serving[0]
    process.kill(victim.pid, signal.SIGTERM)
    server.wait_for_log(f"worker {victim.id} died")
    found = do(server, "logs", worker=victim.id)
    assert found.lines == [line for line in server.log.splitlines()
                           if f" worker {victim.id}: " in line or f" worker={victim.id} " in line
                           or line.endswith(f" worker={victim.id}")]  # fmt: skip
    for text in ["forked", "is ready", "got signal 15", "leaves: it got a signal", "died"]:
        assert sum(text in line for line in found.lines) == 1, text
    assert {entry["worker"] for entry in found.logs} == {0, victim.id}
    assert {entry["worker"] for entry in do(server, "logs", worker=0, lines=1000).logs} == {0}


def test_logs_of_a_worker_that_never_was(start):
    server = start()
    refused = refusal(server, "failed", "logs", worker=3, follow=True)
    assert refused == "there is no worker 3 (the newest is 2)"
    assert do(server, "logs", worker=2).lines


def test_fifty_lines_unless_said_otherwise_and_512_are_kept(start):
    server = start()
    with Client(server.control_path) as client:
        for _ in range(600):
            client.ask("kill", slot=1, signal="CONT").done()
    told = server.log.splitlines()
    assert do(server, "logs").lines == told[-50:]
    found = do(server, "logs", lines=1000).lines
    assert 500 <= len(found) <= 512
    assert found == told[-len(found):]


def test_logs_are_followed(start):
    server = start()
    with Client(server.control_path) as client:
        everything = client.begin("logs", follow=True, lines=0)
        one = client.begin("logs", follow=True, lines=0, worker=2)
        assert client.ask("ping").text == "pong"
        for worker in server.serving:
            process.kill(worker.pid, signal.SIGTERM)
        assert everything.wait_for_line("worker 4 is ready")["worker"] == 0
        everything.wait_for_line("worker 1: got signal 15")
        one.wait_for_line("worker 2: got signal 15")
        one.wait_for_line("worker 2 died")
        assert {entry["worker"] for entry in one.logs} == {0, 2}
        assert all("worker 2" in line for line in one.lines)
    # Of two processes that write at once either may be first, so each is judged by itself.
    told = server.log.splitlines()
    for writer in (" master: ", " worker 1: ", " worker 2: "):
        followed = [line for line in everything.lines if writer in line]
        written = [line for line in told if writer in line]
        first = written.index(followed[0])
        assert followed == written[first : first + len(followed)]


def test_logs_in_json_are_text_all_the_same(start):
    server = start("log.format=json", wait=False)
    server.wait_for_log('"message":"worker 2 is ready"')
    lines = do(server, "logs", lines=1000).lines
    assert lines == server.log.splitlines()
    assert all(line.startswith("{") for line in lines)




def test_logs_of_a_log_in_a_file(start, tmp_path):
    path = tmp_path / "file.log"
    server = start(f"log.target={path}", wait=False)
    wait_until_heard(server)
    wait_until_settled(server, 2)
    process.kill(slot_of(status(server), 1)["pid"], signal.SIGTERM)
    eventually(lambda: "got signal 15" in path.read_text(), "a worker logs")
    wait_until_settled(server, 2)
    found = do(server, "logs", lines=1000).lines
    assert found[-3:] == path.read_text().splitlines()[-3:]
    assert any("got signal 15" in line for line in found)


def test_logs_of_a_full_disk(start):
    server = start("log.target=/dev/full", wait=False)
    wait_until_heard(server)
    wait_until_settled(server, 2)
    found = do(server, "logs", lines=1000).lines
    assert any("worker 2 is ready" in line for line in found)
    process.kill(slot_of(status(server), 1)["pid"], signal.SIGTERM)
    wait_for_event(server, "ready", worker=3)
    assert any("worker 1: got signal 15" in line for line in do(server, "logs").lines)
    server.send_signal(signal.SIGTERM)


def test_logs_of_a_pipe_that_nobody_reads(start, tmp_path):
    """The log is lost once the pipe is full, but nobody waits for it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    server = start(f"log.target={pipe}", wait=False)
    wait_until_heard(server)
    wait_until_settled(server, 2)
    with Client(server.control_path) as client:
        for _ in range(1500):  # more than the 64 KiB of a pipe
            client.ask("kill", slot=1, signal="CONT").done()
        process.kill(slot_of(status(server), 1)["pid"], signal.SIGTERM)
        wait_for_event(server, "ready", worker=3)
        assert any("worker 1: got signal 15" in line for line in client.ask("logs").lines)
    os.close(reader)
    assert do(server, "ping").text == "pong"


def test_log_level_reaches_workers_that_live_and_those_to_come(start):
    server = start()
    one, other = server.serving
    assert "level error" in do(server, "log-level", level="error").text
    process.kill(one.pid, signal.SIGTERM)
    wait_for_event(server, "ready", worker=3)
    wait_until_settled(server)
    assert "got signal" not in server.log
    do(server, "log-level", level="debug")
    process.kill(other.pid, signal.SIGTERM)
    server.wait_for_log(f"worker {other.id}: got signal 15")
    server.wait_for_log("debug worker 4: MASTER_ID is")
    wait_until_settled(server)
    do(server, "reload")
    wait_until_settled(server)
    for worker in 5, 6:
        assert f"debug worker {worker}:" not in server.log
    do(server, "log-level", level="debug")
    process.kill(slot_of(status(server), 1)["pid"])
    server.wait_for_log("debug worker 7: MASTER_ID is")


def test_log_level_is_forgotten_by_the_workers_of_a_reload(start):
    server = start()
    do(server, "log-level", level="error")
    do(server, "reload")
    assert "generation 2 serves" in server.log
    wait_until_settled(server)
    process.kill(slot_of(status(server), 1)["pid"], signal.SIGTERM)
    server.wait_for_log("worker 3: got signal 15")


def test_log_level_outlives_the_opening_of_the_log(start, tmp_path):
    """It holds until the next reload."""
    path = tmp_path / "file.log"
    server = start(f"log.target={path}", wait=False)
    wait_until_heard(server)
    wait_until_settled(server, 2)
    do(server, "log-level", level="debug")
    do(server, "reopen-logs")
    process.kill(slot_of(status(server), 1)["pid"])
    wait_for_event(server, "ready", worker=3)
    eventually(lambda: "debug worker 3: MASTER_ID is" in path.read_text(), "it is told in full")


def test_reopen_logs(start, tmp_path):
    path, moved = tmp_path / "file.log", tmp_path / "old.log"
    access = tmp_path / "access.log"
    server = start(f"log.target={path}", "-o", f"access_log.target={access}", wait=False)
    wait_until_heard(server)
    wait_until_settled(server, 2)
    os.rename(path, moved)
    os.rename(access, tmp_path / "access.old")
    assert do(server, "reopen-logs").text
    assert path.exists() and access.exists()
    process.kill(slot_of(status(server), 1)["pid"], signal.SIGTERM)
    wait_for_event(server, "ready", worker=3)
    eventually(lambda: "worker 1: got signal 15" in path.read_text(), "workers have the new one")
    assert "got signal 15" not in moved.read_text()


# --- Nonsense -----------------------------------------------------------------

NONSENSE = [  # command, arguments, error, what the text has
    ("", {}, "bad-request", "command"),
    ("statu", {}, "unknown-command", "'statu'"),
    ("x" * 64, {}, "unknown-command", "there is no command"),
    ("x" * 65, {}, "bad-request", "64 bytes"),
    ("ping\n", {}, "bad-request", "name"),
    ("STATUS", {}, "unknown-command", "STATUS"),
    ("status", {"x": 1}, "bad-request", "'x'"),
    ("ping", {"slot": 1}, "bad-request", "'slot'"),
    ("events", {"follow": 1}, "bad-argument", "true or false"),
    ("events", {"since": -1}, "bad-argument", "since"),
    ("events", {"since": "1"}, "bad-argument", "since"),
    ("events", {"since": 1.0}, "bad-argument", "since"),
    ("logs", {"lines": 1001}, "bad-argument", "lines"),
    ("logs", {"lines": -1}, "bad-argument", "lines"),
    ("logs", {"worker": -1}, "bad-argument", "worker"),
    ("log-level", {}, "bad-argument", "level"),
    ("log-level", {"level": "loud"}, "bad-argument", '"error", "warning", "info" or "debug"'),
    ("log-level", {"level": 1}, "bad-argument", "level"),
    ("scale", {}, "bad-argument", "either"),
    ("scale", {"to": 1, "by": 1}, "bad-argument", "either"),
    ("scale", {"to": "2"}, "bad-argument", "to"),
    ("scale", {"to": 0}, "bad-argument", "1 to 256"),
    ("scale", {"to": 257}, "bad-argument", "instance.max_workers"),
    ("scale", {"by": -2}, "bad-argument", "1 to 256"),
    ("scale", {"by": 10**6}, "bad-argument", "max_workers"),
    ("scale", {"by": 10**12}, "bad-argument", "from"),
    ("scale", {"by": 2**63 - 1}, "bad-argument", "from"),
    ("restart", {"slot": 0}, "bad-argument", "slot"),
    ("restart", {"slot": 3}, "unknown-slot", "there is no slot 3: there are 1 to 2"),
    ("restart", {"slot": 1025}, "bad-argument", "slot"),
    ("restart", {"slot": "1"}, "bad-argument", "slot"),
    ("restart", {"slot": "admin"}, "unknown-slot", "admin.listen is off"),
    ("drain", {}, "bad-argument", "slot"),
    ("drain", {"slot": 1024}, "unknown-slot", "there is no slot 1024"),
    ("drain", {"slot": "admin"}, "unknown-slot", "admin"),
    ("kill", {}, "bad-argument", "slot"),
    ("kill", {"slot": 9}, "unknown-slot", "there is no slot 9"),
    ("kill", {"slot": 1, "signal": "MOON"}, "bad-argument", "signal"),
    ("kill", {"slot": 1, "signal": 9}, "bad-argument", "signal"),
    ("kill", {"slot": 1, "signal": ""}, "bad-argument", "signal"),
    ("kill", {"slot": 1, "chaos": "yes"}, "bad-argument", "true or false"),
    ("kill", {"slot": 1, "chaos": True}, "not-allowed", "chaos.enabled"),
    ("stop", {"fast": 1}, "bad-argument", "true or false"),
    ("stop", {"now": True}, "bad-request", "'now'"),
    ("reload", {"now": True}, "bad-request", "'now'"),
]


def test_nonsense_is_refused_and_changes_nothing(start):
    server = start()
    before = len(events(server))
    with Client(server.control_path) as client:
        for command_, arguments, error, what in NONSENSE:
            text = client.ask(command_, **arguments).failed(error)
            assert what in text, (command_, arguments, text)
        assert client.ask("ping").text == "pong"
    assert len(events(server)) == before
    assert [w.id for w in server.serving] == [1, 2]


def test_many_orders_at_once(start):
    """Sixteen may be open; answers come with the id of their request."""
    server = start()
    with Client(server.control_path) as client:
        follows = [client.begin("events", follow=True, since=n % 3) for n in range(16)]
        assert client.ask("ping").failed("too-many")
        for n, order in enumerate(follows):
            order.wait_for(lambda o, n=n: len(o.events) == 5 - n % 3)
        process.kill(server.serving[0].pid)
        for order in follows:
            order.wait_for_event("ready", worker=3)


@pytest.mark.parametrize("line", [
    b'{"command":"ping"}', b'{"id":0,"command":"ping"}', b'{"id":-1,"command":"ping"}',
    b'{"id":1.0,"command":"ping"}', b'{"id":"1","command":"ping"}',
    b'{"id":9007199254740992,"command":"ping"}', b'{"id":1,"id":2,"command":"ping"}',
    b"ping", b"[]", b"1", b"", b"{", b'{"id":1,"command":"ping"} x', b"\0", b"\xff\xfe",
    b'{"id":1,"command":"\xff"}', b"[" * 4000, b"GET / HTTP/1.1\r",
])  # fmt: skip
def test_what_is_no_request_ends_the_connection(control, line):
    with Client(control.control_path) as client:
        client.send(line + b"\n")
        with pytest.raises(Rejected) as rejected:
            client.receive()
        assert rejected.value.args[0] == "bad-request"
        assert client.is_closed()
    assert do(control, "ping").text == "pong"


@pytest.fixture
def control(start):
    return start(workers=1)


def test_id_of_an_open_request_is_not_taken_twice(control):
    with Client(control.control_path) as client:
        client.begin("events", follow=True, since=10**6)
        client.send('{"id":1,"command":"ping"}\n')
        with pytest.raises(Rejected):
            client.receive()
        assert client.is_closed()


def test_ids_may_be_large_and_used_again(control):
    with Client(control.control_path) as client:
        for _ in range(3):
            client.send('{"id":9007199254740991,"command":"ping"}\n')
            assert client.expect(9007199254740991).wait().text == "pong"
