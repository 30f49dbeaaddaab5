"""What dies comes back: at once, with pauses, or not at all; and who is to blame is logged."""

import signal
import socket
import struct

import pytest

from lib import process
from lib.wait import DEADLINE, eventually


@pytest.mark.smoke
@pytest.mark.valgrind
def test_killed_worker_is_replaced_at_once(start):
    server = start(workers=2)
    worker = server.serving[0]
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    server.wait_for_log(
        rf"warning master: worker {worker.id} died: killed by SIGKILL child_role=worker "
        rf"slot={worker.slot} worker={worker.id} pid={worker.pid} generation=1 uptime_ms=\d+ "
        r"signal=SIGKILL core=no oom=no max_rss_kb=\d+ user_ms=\d+ system_ms=\d+ requests=\d+ "
        r'connections=\d+ heartbeat_age_ms=\d+ deliberate=no next="replaced at once"$'
    )


def test_each_worker_can_be_killed_and_the_others_serve(start):
    server = start(workers=4)
    for worker in list(server.serving):
        process.kill(worker.pid)
        successor = server.wait_until_replaced(worker)
        assert successor.slot == worker.slot
        assert server.fetch("/hello").status == 200
    assert sorted(worker.id for worker in server.serving) == [5, 6, 7, 8]


def test_all_workers_can_be_killed_together(start):
    server = start(workers=4)
    for worker in server.serving:
        process.kill(worker.pid)
    server.wait_until_serving(4, after=4)
    assert server.fetch("/hello").status == 200


@pytest.mark.parametrize("name", ["SIGKILL", "SIGALRM", "SIGXCPU", "SIGVTALRM"])
def test_cause_of_death_is_the_signal(start, name):
    server = start(workers=1)
    process.kill(server.serving[0].pid, getattr(signal, name))
    server.wait_until_serving(1, after=1)
    server.wait_for_log(f"worker 1 died: killed by {name}")


@pytest.mark.parametrize("name", ["SIGINT", "SIGHUP", "SIGUSR1", "SIGPIPE", "SIGWINCH", "SIGTTIN"])
def test_worker_leaves_the_signals_of_its_group_to_the_master(start, name):
    server = start(workers=1)
    process.kill(server.serving[0].pid, getattr(signal, name))
    assert server.identity()["worker"] == 1


# Workers whose channel is tampered with


@pytest.mark.parametrize("frame", [
    b"garbage", b"Z", b"ZS\x02\x63\0\0\0\0", b"ZS\x01\x02\0\0\0\x04\0\0\0\x01",
    b"ZS\x02\x02\0\0\0\x05\0\0\0\x01\0", b"ZS\x02\x04\0\0\0\x04\0\0\0\x01", b"x" * 5000,
], ids=["garbage", "short", "type", "version", "length", "direction", "huge"])  # fmt: skip
def test_malformed_frame_costs_the_worker_its_life_and_nobody_else(start, frame):
    server = start(workers=2)
    worker, other = server.serving
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.send(frame)
    server.wait_for_log(f"warning master: killing worker {worker.id}: it sent a malformed frame")
    server.wait_for_log(f'worker {worker.id} died: .*killed_for="it sent a malformed frame"')
    server.wait_until_replaced(worker)
    assert process.is_alive(other.pid)
    assert server.fetch("/hello").status == 200


def test_hello_in_another_workers_name_costs_its_life(start):
    server = start(workers=2)
    worker = server.serving[0]
    hello = b"ZS\x02\x01\0\0\0\x10" + (99).to_bytes(8, "big") + bytes(4) + (1).to_bytes(4, "big")
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.send(hello)
    server.wait_for_log(f"killing worker {worker.id}: its HELLO names another worker")
    server.wait_until_replaced(worker)


def test_worker_that_talks_without_end_is_killed(start):
    server = start(workers=2)
    worker, other = server.serving
    hello = struct.pack("!2sBBIQII", b"ZS", 2, 1, 16, worker.id, worker.pid, worker.slot)
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.settimeout(DEADLINE)
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(100000):
                channel.send(hello)
    server.wait_for_log(f"warning master: killing worker {worker.id}: it talks without end ")
    server.wait_for_log(f'worker {worker.id} died: .*killed_for="it talks without end"')
    server.wait_until_replaced(worker)
    assert process.is_alive(other.pid)
    assert server.fetch("/hello").status == 200


def test_worker_that_closes_its_channel_is_replaced(start):
    server = start(workers=2)
    worker = server.serving[0]
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.shutdown(socket.SHUT_RDWR)
    server.wait_for_log(f"worker {worker.id}: the master is gone .end of file.")
    server.wait_until_replaced(worker)
    assert server.fetch("/hello").status == 200


def test_hung_worker_that_closes_its_channel_is_killed(start):
    server = start(workers=2)
    worker = server.serving[0]
    process.kill(worker.pid, signal.SIGSTOP)
    with process.steal_socket(worker.pid, socket.SOCK_SEQPACKET) as channel:
        channel.shutdown(socket.SHUT_RDWR)
    server.wait_for_log(f"killing worker {worker.id}: its channel is lost")
    server.wait_until_replaced(worker)


# Workers that die before they are of use


def kill_all(server):
    for worker in server.serving:
        process.kill(worker.pid)


@pytest.mark.root
def test_crash_loop_can_end_the_server(start_fragile, etc):
    server = start_fragile("instance.on_crash_loop=exit")
    server.expected_status = 1
    etc.break_boots()
    kill_all(server)
    assert server.wait() == 1
    server.wait_for_log("error master: crash loop: .* exiting .on_crash_loop = exit.")
    server.wait_for_log('error worker .* cannot settle as user "worker"')


@pytest.mark.root
def test_crash_loop_is_survived_when_its_cause_goes(start_fragile, etc):
    server = start_fragile()
    last = max(server.workers)
    etc.break_boots()
    kill_all(server)
    server.wait_for_log("error master: crash loop: .* trying on with pauses")
    etc.mend_boots()
    server.wait_for_log("the crash loop is over")
    server.wait_until_serving(2, after=last)
    assert server.fetch("/hello").status == 200


@pytest.mark.root
def test_crash_loop_takes_five_failed_boots_in_a_row(start_fragile, etc):
    server = start_fragile()
    etc.break_boots()
    kill_all(server)
    server.wait_for_log("crash loop")
    before = server.log.partition("crash loop")[0]
    assert before.count("died: exited with status 71") == 5


@pytest.mark.root
def test_one_worker_that_serves_makes_it_no_crash_loop(start_fragile, etc):
    server = start_fragile(workers=2)
    etc.break_boots()
    process.kill(server.serving[0].pid)
    server.wait_for_log("died: exited with status 71", 8)
    assert "crash loop" not in server.log
    assert server.fetch("/hello").status == 200


@pytest.mark.root
def test_pauses_between_failed_boots_double(start_fragile, etc):
    server = start_fragile("instance.backoff_min_ms=16", "instance.backoff_max_ms=64", workers=1)
    etc.break_boots()
    kill_all(server)
    server.wait_for_log(r"died: exited with status 71 .*replaced in \d+ ms", 5)
    pauses = [
        int(record.fields["next"].split()[2])
        for record in server.records
        if record.fields.get("exit_status") == "71"
    ]
    for pause, full in zip(pauses, (16, 32, 64, 64, 64)):
        assert 0.8 * full - 1 <= pause <= 1.2 * full


@pytest.mark.root
def test_stop_ends_a_crash_loop(start_fragile, etc):
    server = start_fragile("instance.backoff_min_ms=60000", "instance.backoff_max_ms=60000")
    etc.break_boots()
    kill_all(server)
    server.wait_for_log(r"replaced in \d+ ms")
    server.stop()


@pytest.mark.root
def test_worker_that_is_not_ready_in_time_is_killed(start_fragile, etc):
    server = start_fragile("instance.boot_timeout_ms=1000", workers=1)
    etc.make_boots_hang()
    kill_all(server)
    server.wait_for_log("killing worker 2: not ready in time")
    server.wait_for_log('worker 2 died: killed by SIGKILL .*killed_for="not ready in time"')
    etc.mend_boots()
    server.wait_until_serving(1, after=2)


# Workers that die too often


def kill_until(server, pattern):
    """Kill whoever serves until the log says so."""

    def said():
        kill_all(server)
        return pattern in server.log

    eventually(said, f"'{pattern}' in the log")


def test_respawn_budget_bounds_a_storm(start):
    server = start("instance.respawn_per_second=3", "instance.respawn_per_10s=3", workers=2)
    kill_until(server, "workers die too fast, replacing none for 100 ms")
    assert len(server.workers) == 2 + 3


def test_storm_is_over_when_the_budget_is_whole_again(start):
    server = start("instance.respawn_per_second=3", "instance.respawn_per_10s=1000", workers=2)
    kill_until(server, "workers die too fast")
    server.wait_until_serving(2)
    assert server.fetch("/hello").status == 200


def test_deliberate_deaths_are_not_counted(start):
    server = start("--chaos", "instance.respawn_per_second=1", "instance.respawn_per_10s=1")
    for _ in range(10):
        worker = server.fetch("/workerKiller?mode=kill").json["worker"]
        server.wait_until_replaced(server.workers[worker])
    assert "too fast" not in server.log
