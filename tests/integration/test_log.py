"""The log: one line an event, for people or machines, whatever users send."""

import json
import os
import re
import signal

import pytest

from lib import log, process
from lib.client import Connection, fetch, render
from lib.wait import eventually


@pytest.fixture
def stuck(start, tmp_path):
    """
    A server of one worker, and a function that sends it a target over a unix
    socket and leaves the worker in the middle of the answer.
    """
    path = tmp_path / "socket"
    (tmp_path / "big.conf").write_text(
        f'route "/big/" {{ handler = text body = "{"x" * 65000}" }}'
    )

    def start_stuck(target, *arguments):
        server = start("-c", tmp_path / "big.conf", *arguments, listen=f"unix:{path}", workers=1,
                       wait=False)  # fmt: skip
        server.wait_for_log("is ready")
        connection = Connection(str(path))
        # More than the socket's buffers hold: a worker that sleeps has one in flight.
        connection.send(render(target) * 20)
        connection.receive()
        worker = process.children_of(server.pid)[0]
        eventually(lambda: process.sleeps(worker), "the worker waits for its client")
        return server, connection

    return start_stuck


@pytest.mark.smoke
def test_each_event_is_a_line(start):
    server = start()
    victim = server.serving[0]
    process.kill(victim.pid, signal.SIGTERM)
    server.wait_for_log(f"worker {victim.id} died")
    server.wait_until_serving(2)
    server.stop()
    assert all(log.LINE.fullmatch(line) for line in server.log.splitlines())
    for event, count in {
        "zombie-server starts": 1, "listening on": 1, "2 workers, as configured": 1,
        r"worker \d+ forked": 3, r"worker \d+ is ready": 3, r"worker \d+ leaves": 1,
        r"worker \d+ died": 3, "stopping": 1, "stopped": 1,
    }.items():  # fmt: skip
        server.wait_for_log(f"master: {event}", count)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_json_lines_are_objects(start):
    server = start("log.format=json", wait=False)
    server.wait_for_log('"message":"worker 2 is ready"')
    port = next(
        int(line["message"].rpartition(":")[2])
        for line in map(json.loads, server.log.splitlines())
        if line["message"].startswith("listening on")
    )
    assert port > 0
    server.stop()
    lines = [json.loads(line) for line in server.log.splitlines()]
    for line in lines:
        assert {"time", "level", "role", "message"} <= set(line)
    death = next(line for line in lines if line["message"].startswith("worker 1 died"))
    assert (death["child_role"], death["worker"], death["exit_status"]) == ("worker", 1, 0)
    assert isinstance(death["pid"], int)


TARGETS = {  # what is sent, what a line in text format has of it, what one in JSON means
    "quotes": ('/big/a"b\\c', r'"/big/a\"b\\c"', '/big/a"b\\c'),
    "equals": ("/big/a=b", '"/big/a=b"', "/big/a=b"),
    "escaped": ("/big/%1b[31m", "/big/%1b[31m", "/big/%1b[31m"),
}  # other bytes are refused before anybody could die of them


@pytest.mark.parametrize("sent, written, _", TARGETS.values(), ids=TARGETS)
def test_text_of_users_never_breaks_a_line(stuck, sent, written, _):
    server, connection = stuck(sent)
    with connection:
        process.kill(server.serving[0].pid)
        line = server.wait_for_log("^.*worker 1 died: .*$")[0]
    assert f"method=GET path={written} client=unix: elapsed_ms=" in line


@pytest.mark.parametrize("sent, _, meant", TARGETS.values(), ids=TARGETS)
def test_text_of_users_never_breaks_json(stuck, sent, _, meant):
    server, connection = stuck(sent, "log.format=json")
    with connection:
        process.kill(process.children_of(server.pid)[0])
        line = json.loads(server.wait_for_log('^.*"worker 1 died: .*$')[0])
    assert line["path"] == meant


def test_death_names_the_request_in_flight(stuck):
    server, connection = stuck("/big/request")
    with connection:
        process.kill(server.serving[0].pid)
        server.wait_for_log(
            r"worker 1 died: .* connections=1 heartbeat_age_ms=\d+ method=GET path=/big/request "
            r"client=unix: elapsed_ms=\d+ "
        )


def test_death_names_the_client_by_address_and_port(start, tmp_path):
    (tmp_path / "big.conf").write_text(f'route "/big" {{ handler = text body = "{"x" * 65000}" }}')
    server = start("-c", tmp_path / "big.conf", workers=1)
    with server.connect() as connection:
        host, port = connection.socket.getsockname()
        connection.send(render("/big") * 200)
        connection.receive()
        worker = server.serving[0].pid
        eventually(lambda: process.sleeps(worker), "the worker waits for its client")
        process.kill(worker)
        server.wait_for_log(rf"worker 1 died: .* path=/big client={re.escape(host)}:{port} ")


def only_child(server):
    """The pid of the worker of a server whose log does not tell."""
    return eventually(lambda: process.children_of(server.pid), "there is a worker")[0]


@pytest.mark.parametrize("level, levels", [
    ("error", set()), ("warning", {"warning"}), ("info", {"info", "warning"}),
    ("debug", {"debug", "info", "warning"}),
])  # fmt: skip
def test_level_is_the_least_that_is_logged(start, level, levels):
    server = start(f"log.level={level}", wait=False, workers=1)
    worker = only_child(server)
    process.kill(worker)
    eventually(lambda: only_child(server) != worker, "the worker is replaced")
    server.stop()
    assert {record.level for record in server.records} == levels


def test_file_is_appended_to(start, tmp_path):
    path = tmp_path / "file.log"
    path.write_text("before\n")
    server = start(f"log.target={path}", wait=False)
    server.log_path = str(path)
    server.wait_until_serving()
    server.stop()
    assert server.log.startswith("before\n")
    assert server.records[-1].text.startswith("stopped")


def test_stdout_can_be_the_target(start):
    server = start("log.target=stdout", workers=1)
    server.stop()
    assert server.records[-1].text.startswith("stopped")


def test_full_disk_stops_nobody(start):
    server = start("log.target=/dev/full", wait=False, workers=1)
    only_child(server)
    server.stop()


def test_pipe_that_nobody_reads_stops_nobody(start, tmp_path):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with pytest.raises(BlockingIOError):
        while True:
            os.write(writer, bytes(65536))
    path = str(tmp_path / "socket")
    server = start(f"log.target=/proc/self/fd/{writer}", listen=f"unix:{path}", workers=1,
                   wait=False, pass_fds=[writer])  # fmt: skip
    worker = only_child(server)
    process.kill(worker)
    eventually(lambda: only_child(server) != worker, "the worker is replaced")
    assert fetch(path, "/hello").status == 200
    server.stop()
    os.close(writer)
    os.close(reader)
