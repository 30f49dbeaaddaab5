"""The control socket among clients that are slow, many, dead or mad: the operator gets in."""

import contextlib
import fcntl
import json
import os
import random
import signal
import struct
import termios
import time

import pytest

from lib import process
from lib.burden import Burden, descriptors
from lib.control import Client, HungUp, Rejected, do, wait_until_settled
from lib.wait import eventually
from lib.zombiectl import Background, ctl

LINE_MAX = 4096
CLIENTS_MAX = 32
REQUESTS_MAX = 16  # of one client that are not answered yet
BACKLOG_MAX = 4 << 20
MIB = 1 << 20
SENT_OFF = "too many clients are connected; the oldest that only follow make room"

FOLLOW = '{"id":%d,"command":"events","follow":true}\n'

without_wrapper = pytest.mark.skipif(
    "ZOMBIE_WRAPPER" in os.environ, reason="measures, and a wrapper costs"
)


@pytest.fixture
def many():
    """Clients that are closed in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda server, n: [stack.enter_context(Client(server.control_path)) for _ in range(n)]


def is_cut(client):
    try:
        while True:
            client.read_line()
    except HungUp:
        return True


def test_longest_request_there_can_be(start):
    server = start()
    with Client(server.control_path) as client:
        line = '{"id":1,"command":"ping"'
        client.send(line + " " * (LINE_MAX - len(line) - 2) + "}\n")
        assert client.expect(1).wait().text == "pong"
        client.send(line + " " * (LINE_MAX - len(line) - 1) + "}\n")
        with pytest.raises(Rejected, match="4096"):
            client.receive()
        assert client.is_closed()


def test_line_of_a_megabyte_is_refused_and_costs_nothing(start):
    server = start()
    burden = Burden(server.pid)
    for end in b"\n", b"":
        with Client(server.control_path) as client:
            try:
                client.send(b"x" * MIB + end)
            except OSError:
                pass  # it was closed while we spoke
            try:
                client.receive()
            except (Rejected, HungUp):
                pass
            assert is_cut(client)
        burden.look()
    burden.assert_growth_below(MIB)
    assert do(server, "ping").text == "pong"


def test_requests_come_in_pieces_and_in_bunches(start):
    server = start()
    with Client(server.control_path) as client:
        for byte in b'{"id":7,"command":"ping"}\n':
            client.send(bytes([byte]))
        assert client.expect(7).wait().text == "pong"
        for begin in range(100, 1000, REQUESTS_MAX):
            orders = [client.expect(begin + n) for n in range(REQUESTS_MAX)]
            client.send("".join('{"id":%d,"command":"ping"}\n' % order.id for order in orders))
            assert [order.wait().text for order in orders] == ["pong"] * REQUESTS_MAX


def test_who_has_closed_its_half_is_answered(start):
    server = start()
    with Client(server.control_path) as client:
        client.send('{"id":1,"command":"ping"}\n{"id":2,"command":"scale","to":3}\n')
        client.socket.shutdown(1)
        orders = client.expect(1), client.expect(2)
        assert orders[0].wait().text == "pong"
        orders[1].done()
        assert client.is_closed()


def test_half_a_line_for_ever_harms_nobody(start, many):
    server = start()
    for client in many(server, CLIENTS_MAX - 2):
        client.send('{"id":1,"comm')
    burden = Burden(server.pid)
    for _ in range(20):
        assert do(server, "ping").text == "pong"
    burden.assert_growth_below(MIB)


@pytest.mark.parametrize("half", ["", '{"id":1,"comm'], ids=["silent", "half a line"])
def test_forty_silent_clients_do_not_lock_the_operator_out(start, many, half):
    server = start()
    silent = many(server, 40)
    for client in silent[-CLIENTS_MAX:]:
        with contextlib.suppress(OSError):
            client.send(half)
    with Client(server.control_path) as operator:
        assert operator.ask("ping").text == "pong"
        more = many(server, 40)
        assert more[-1].ask("ping").text == "pong"
    for client in silent:
        assert is_cut(client)
    eventually(lambda: descriptors(server.pid) < 40 + CLIENTS_MAX, "those are closed")


def test_operator_who_works_is_not_cut_off_by_silent_ones(start, many):
    """The silent one that has been so longest goes, and who waits for an answer stays."""
    server = start()
    with Client(server.control_path) as operator, Client(server.control_path) as watcher:
        follow = watcher.begin("events", follow=True, since=10**6)
        for _ in range(10):
            for client in many(server, 10):
                client.ask("ping").done()  # it has been let in, and says no more
            assert operator.ask("ping").text == "pong"
        assert watcher.ask("ping").text == "pong"
        assert follow.end is None


def test_followers_do_not_lock_the_operator_out(start, many):
    """The oldest of them is told why it has to go, and goes; orders under way stay."""
    server = start("instance.hang_timeout_ms=0", "instance.grace_ms=60000")
    stuck = server.serving[0]
    process.kill(stuck.pid, signal.SIGSTOP)
    with Client(server.control_path) as worker:
        drain = worker.begin("drain", slot=stuck.slot)
        drain.wait_for_progress()
        follower = Background(server.control_path, "events", "-f")
        follower.line()
        for client in many(server, CLIENTS_MAX - 2):
            client.begin("logs", follow=True, lines=0)
            client.ask("ping").done()
        assert ctl(server.control_path, "ping").stdout == "pong\n"
        status, _, err = follower.finish()
        assert (status, err) == (1, f"zombiectl: {SENT_OFF}\n")
        for _ in range(CLIENTS_MAX):
            client = many(server, 1)[0]
            client.begin("events", follow=True)
            client.ask("ping").done()
        assert drain.end is None
        process.kill(stuck.pid, signal.SIGCONT)
        drain.done()
        assert ctl(server.control_path, "stop").returncode == 0


def test_too_many_who_are_busy_are_told_so(start, many):
    server = start("instance.hang_timeout_ms=0", "instance.grace_ms=60000")
    stuck = server.serving[0]
    process.kill(stuck.pid, signal.SIGSTOP)
    for client in many(server, CLIENTS_MAX):
        client.begin("stop").wait_for_progress()
    with Client(server.control_path) as late:
        with pytest.raises(Rejected, match="too-many"):
            late.receive()
        assert late.is_closed()
    process.kill(stuck.pid, signal.SIGCONT)
    assert server.wait() == 0


def test_place_of_one_who_leaves_is_free(start, many):
    server = start("instance.hang_timeout_ms=0", "instance.grace_ms=60000")
    stuck = server.serving[0]
    process.kill(stuck.pid, signal.SIGSTOP)
    busy = many(server, CLIENTS_MAX)
    for client in busy:
        client.begin("stop").wait_for_progress()
    busy[0].close()

    def gets_in():
        with Client(server.control_path) as client:
            try:
                return client.ask("ping").text == "pong"
            except (Rejected, HungUp, BrokenPipeError):
                return False

    eventually(gets_in, "there is a place")
    process.kill(stuck.pid, signal.SIGCONT)
    assert server.wait() == 0


@without_wrapper
def test_follower_that_never_reads_is_cut_off(start):
    server = start()
    burden = Burden(server.pid)
    with Client(server.control_path) as deaf, Client(server.control_path) as client:
        for n in range(16):
            deaf.send(FOLLOW % (n + 1))
        told = "does not read its answers, closing its connection"

        def is_told():
            for _ in range(50):
                client.ask("kill", slot=1, signal="CONT").done()
            burden.look()
            return told in server.log

        eventually(is_told, "it is cut off")
        assert client.ask("ping").text == "pong"
        burden.assert_growth_below(3 * BACKLOG_MAX)
        assert is_cut(deaf)
    after = Burden(server.pid)
    quiet_for(after, 2)
    assert after.cpu_share < 0.02


@without_wrapper
def test_follower_that_does_not_read_for_a_while_costs_no_cpu(start):
    """Its answers wait; nobody tries to send them again and again."""
    server = start()
    with Client(server.control_path) as deaf:
        for n in range(100, 112):
            deaf.send('{"id":%d,"command":"logs","lines":1000,"follow":true}\n' % n)
        with Client(server.control_path) as client:
            for _ in range(300):
                client.ask("kill", slot=1, signal="CONT").done()
        held = eventually(lambda: unread(deaf), "there is something to read")
        burden = Burden(server.pid)
        quiet_for(burden, 2)
        assert burden.cpu_share < 0.02
        burden.assert_growth_below(MIB)
        assert do(server, "ping").text == "pong"
        orders = [deaf.expect(n) for n in range(100, 112)]
        for order in orders:
            order.wait_for(lambda o: sum("is sent a signal" in line for line in o.lines) == 300)
        assert sum(len(line) for order in orders for line in order.lines) > held


def unread(client):
    """Bytes that the kernel keeps for the client."""
    return struct.unpack("i", fcntl.ioctl(client.socket, termios.FIONREAD, bytes(4)))[0]


def test_asker_that_never_reads_is_cut_off(start):
    server = start()
    burden = Burden(server.pid)
    with Client(server.control_path) as deaf:
        with pytest.raises(OSError):
            for n in range(10**6):
                deaf.send('{"id":%d,"command":"config"}\n' % (n + 1))
        burden.assert_growth_below(3 * BACKLOG_MAX)
    assert do(server, "ping").text == "pong"


def test_clients_that_come_and_go_leave_nothing_behind(start):
    server = start()
    wait_until_settled(server)
    before = descriptors(server.pid)
    for n in range(300):
        with Client(server.control_path) as client:
            if n % 3 == 0:
                client.begin("events", follow=True)
            if n % 3 == 1:
                client.send('{"id":1,')
    eventually(lambda: descriptors(server.pid) <= before + 1, "all are closed")
    burden = Burden(server.pid)
    for _ in range(300):
        with Client(server.control_path) as client:
            client.begin("logs", follow=True, lines=0)
    burden.assert_growth_below(MIB)


def quiet_for(burden, seconds):
    """A measurement needs its time."""
    eventually(lambda: burden.seconds > seconds, "the time of the measurement is over")


@without_wrapper
def test_ten_statuses_a_second_cost_less_than_1_5_percent(start):
    server = start(workers=4)
    with Client(server.control_path) as client:
        client.ask("status").done()
        burden = Burden(server.pid)
        for n in range(60):
            quiet_for(burden, n / 10)
            client.ask("status").done()
        quiet_for(burden, 6)
    assert burden.cpu_share < 0.015, burden.cpu_share


@without_wrapper
def test_followers_cost_less_than_one_percent_when_nothing_happens(start, many):
    server = start()
    for client in many(server, 8):
        client.begin("events", follow=True)
        client.begin("logs", follow=True)
    burden = Burden(server.pid)
    quiet_for(burden, 4)
    assert burden.cpu_share < 0.01, burden.cpu_share


def hostile_line(chance):
    """Half of a request, one with nonsense in it, or something else."""
    value = chance.choice([0, -1, 2**62, 1e300, None, True, "admin", "\u00e9" * 200, [[{}]]])
    order = {"id": chance.choice([chance.randrange(1, 2**53), 0, "1", 1.5]),
             "command": chance.choice(["ping", "status", "events", "logs", "scale", "drain", "x"]),
             chance.choice(["slot", "to", "by", "since", "lines", "y" * 99]): value}  # fmt: skip
    line = bytearray(json.dumps(order).encode())
    if chance.random() < 0.2:
        line[chance.randrange(len(line))] = chance.randrange(256)
    if chance.random() < 0.2:
        del line[chance.randrange(len(line)) :]
    if chance.random() < 0.02:
        line = b"[" * 4000
    return bytes(line) + b"\n"


@without_wrapper
def test_hostile_lines_leave_nothing_behind(start, many):
    """Among followers that do not read: what waits for these is all that may grow."""
    server = start()
    chance = random.Random(4711)
    for client in many(server, 4):
        client.send(FOLLOW % 1 + '{"id":2,"command":"logs","follow":true}\n')
    burden = Burden(server.pid)
    for _ in range(1500):
        with Client(server.control_path) as client:
            client.socket.settimeout(0)
            with contextlib.suppress(OSError):
                client.send(b"".join(hostile_line(chance) for _ in range(chance.randrange(1, 20))))
            if chance.random() < 0.5:
                with contextlib.suppress(HungUp, OSError):
                    client.read_line()
        burden.look()
    assert do(server, "ping").text == "pong"
    burden.assert_growth_below(8 * MIB)
    assert server.fetch("/hello").status == 200


def test_client_that_is_killed_in_the_middle_of_its_request(start):
    server = start()
    pid = os.fork()
    if pid == 0:
        client = Client(server.control_path)
        client.send('{"id":1,"command":"events","follow":true}\n{"id":2,"com')
        while True:
            time.sleep(60)
    eventually(lambda: descriptors(server.pid) > 0, "the master lives")
    process.kill(pid)
    os.waitpid(pid, 0)
    assert do(server, "ping").text == "pong"
