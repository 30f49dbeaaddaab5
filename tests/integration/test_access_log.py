"""The access log: a line for each request, in the words that were asked for."""

import contextlib
import json
import os
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib import raw
from lib.access import COMBINED, COMMON, HOUR, MINUTE
from lib.access import access, start_logged  # noqa: F401
from lib.client import Connection, fetch, render
from lib.load import Kind, Load
from lib.wait import eventually

AT_ONCE = {"buffer_bytes": 0}
LATER = f'route "/later" {{ handler = text body = later delay_ms = {HOUR} }}\n'
SOON = 'route "/soon" { handler = text body = soon delay_ms = 200 }\n'


@pytest.mark.smoke
def test_none_is_kept_by_default(start, tmp_path):
    server = start()
    before = server.log
    server.fetch("/hello")
    server.fetch("/missing")
    server.stop()
    assert "/hello" not in server.log[len(before) :]
    assert [path.name for path in tmp_path.iterdir()] == [os.path.basename(server.log_path)]


# How a line looks


@pytest.mark.smoke
def test_common(start_logged, access):
    server = start_logged(log={"format": "common", **AT_ONCE})
    answer = server.fetch("/hello?a=b%20c")
    (line,) = access.wait_for(1)
    found = COMMON.fullmatch(line)
    assert found["remote_addr"] == "127.0.0.1"
    assert found["request"] == "GET /hello?a=b%20c HTTP/1.1"
    assert (int(found["status"]), int(found["body_bytes_sent"])) == (200, len(answer.body))


@pytest.mark.smoke
def test_combined_is_the_default(start_logged, access):
    server = start_logged(log=AT_ONCE)
    server.fetch("/missing", headers={"Referer": "http://a/b", "User-Agent": "C/1 (d)"})
    access.wait_for(1)
    server.fetch("/hello", "HEAD")
    with_both, with_none = (COMBINED.fullmatch(line) for line in access.wait_for(2))
    assert (with_both["status"], with_both["referer"]) == ("404", "http://a/b")
    assert with_both["user_agent"] == "C/1 (d)"
    assert (with_none["referer"], with_none["user_agent"]) == ("-", "-")
    assert (with_none["request"], with_none["body_bytes_sent"]) == ("HEAD /hello HTTP/1.1", "0")


MEMBERS = [
    "time", "status", "bytes", "duration_ms", "remote_addr", "method", "protocol", "worker", "slot",
    "pid", "instance", "route", "trace_id", "span_id", "host", "uri", "referer", "user_agent",
]  # fmt: skip


@pytest.mark.smoke
@pytest.mark.valgrind
def test_json(start_logged, access):
    server = start_logged(log={"format": "json", **AT_ONCE})
    before = time.time()
    answer = server.fetch("/hello?a=b", headers={"User-Agent": 'a"b\\c'})
    (line,) = access.wait_for(1)
    entry = json.loads(line)
    worker = server.serving[0]
    assert list(entry) == MEMBERS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    assert entry["time"] >= time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(before - 1))
    assert (entry["status"], entry["bytes"]) == (200, len(answer.body))
    assert 0 <= entry["duration_ms"] < 30000
    assert (entry["worker"], entry["slot"], entry["pid"]) == (worker.id, worker.slot, worker.pid)
    assert (entry["method"], entry["protocol"], entry["uri"]) == ("GET", "HTTP/1.1", "/hello?a=b")
    assert (entry["route"], entry["host"]) == ("/hello", "zombie.test")
    assert (entry["instance"], entry["remote_addr"]) == (server.instance, "127.0.0.1")
    assert (entry["referer"], entry["user_agent"]) == (None, 'a"b\\c')


def test_variables(start_logged, access):
    names = [
        "args", "body_bytes_sent", "bytes_sent", "connection", "connection_requests", "host",
        "http_x_test", "http_missing", "instance", "msec", "pid", "pipe", "remote_addr",
        "remote_user", "request", "request_length", "request_method", "request_time",
        "request_uri", "route", "server_protocol", "slot", "span_id", "status", "time_iso8601",
        "time_local", "trace_id", "traceparent", "uri", "worker",
    ]  # fmt: skip
    text = "\t".join(f"{name}=${{{name}}}" for name in names) + "\t$$end"
    server = start_logged(log={"format": text, **AT_ONCE},
                          conf='route "/a/" { handler = json }\n')  # fmt: skip
    request = render("/a/%62?x=1&y", "POST", JSON, b"[1]")
    with server.connect() as connection:
        connection.request("/hello")
        access.wait_for(1)
        connection.send(request)
        answer = connection.receive()
        line = access.wait_for(2)[-1]
    *pairs, end = line.split("\t")
    value = dict(pair.split("=", 1) for pair in pairs)
    assert end == "$end"
    assert list(value) == names
    worker = server.serving[0]
    assert {name: value[name] for name in names if name in EXACT} == EXACT
    assert value["instance"] == server.instance
    assert (value["pid"], value["worker"]) == (str(worker.pid), str(worker.id))
    assert value["slot"] == str(worker.slot)
    assert value["request_length"] == str(len(request))
    assert int(value["bytes_sent"]) > int(value["body_bytes_sent"]) == len(answer.body)
    assert abs(float(value["msec"]) - time.time()) < 60
    assert re.fullmatch(r"\d+\.\d{3}", value["request_time"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d", value["time_iso8601"])
    assert value["traceparent"] == f"00-{value['trace_id']}-{value['span_id']}-01"


JSON = {"X-Test": "t", "Content-Type": "application/json"}
EXACT = {
    "args": "x=1&y", "connection": "1", "connection_requests": "2",
    "host": "zombie.test", "http_x_test": "t", "http_missing": "-", "pipe": ".",
    "remote_addr": "127.0.0.1", "remote_user": "-", "request": "POST /a/%62?x=1&y HTTP/1.1",
    "request_method": "POST", "request_uri": "/a/%62?x=1&y", "route": "/a/",
    "server_protocol": "HTTP/1.1", "status": "200", "uri": "/a/b",
}  # fmt: skip


def test_what_is_sent_ahead_is_marked(start_logged, access):
    server = start_logged(log={"format": "$uri $pipe $connection_requests", **AT_ONCE})
    with server.connect() as connection:
        connection.send(render("/hello?1") * 3)
        for _ in range(3):
            connection.receive()
        assert access.wait_for(3) == ["/hello . 1", "/hello p 2", "/hello p 3"]


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_protocol(start_logged, access, version):
    server = start_logged(log={"format": "$server_protocol", **AT_ONCE})
    request = f"GET /hello HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n"
    raw.ask(server.address, request.encode())
    assert access.wait_for(1) == [f"HTTP/{version}"]


def test_clients_without_an_address(start_logged, access, tmp_path):
    path = str(tmp_path / "socket")
    start_logged(log={"format": "<$remote_addr>", **AT_ONCE}, listen=f"unix:{path}")
    assert fetch(path, "/hello").status == 200
    assert access.wait_for(1) == ["<unix:>"]


def test_clients_of_ipv6(start_logged, access):
    server = start_logged(log={"format": "<$remote_addr>", **AT_ONCE}, listen="[::1]:0")
    assert fetch(("::1", server.port), "/hello").status == 200
    assert access.wait_for(1) == ["<::1>"]


HOSTILE = {  # what is sent; what a text has of it; what JSON means
    "quote": (b'a"b\\c', r"a\x22b\x5Cc", 'a"b\\c'),
    "tab": (b"a\tb", r"a\x09b", "a\tb"),
    "UTF-8": ("a좀b".encode(), r"a\xEC\xA2\x80b", "a좀b"),
    "not UTF-8": (b"a\xff\xfe\xc3b", r"a\xFF\xFE\xC3b", "a\ufffd\ufffd\ufffdb"),
    "C1 control": (b"a\xc2\x9b31mb", r"a\xC2\x9B31mb", None),
    "injection": (b'" 200 1 "-" "', r"\x22 200 1 \x22-\x22 \x22", '" 200 1 "-" "'),
}

FROM_AGENT = (
    b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    b"User-Agent: %b\r\n\r\n"
)  # fmt: skip


@pytest.mark.parametrize("sent, written, meant", HOSTILE.values(), ids=HOSTILE)
def test_text_of_users_never_breaks_a_line(start_logged, access, sent, written, meant):
    server = start_logged(log=AT_ONCE)
    raw.ask(server.address, FROM_AGENT % sent)
    found = COMBINED.fullmatch(access.wait_for(1)[0])
    assert found["user_agent"].upper() == written.upper()
    assert found["status"] == "200"


@pytest.mark.parametrize("sent, written, meant", HOSTILE.values(), ids=HOSTILE)
def test_text_of_users_never_breaks_json(start_logged, access, sent, written, meant):
    server = start_logged(log={"format": "json", **AT_ONCE})
    raw.ask(server.address, FROM_AGENT % sent)
    agent = json.loads(access.wait_for(1)[0])["user_agent"]
    assert agent == meant or (meant is None and "\x9b" not in agent)


def test_long_lines_are_cut(start_logged, access):
    server = start_logged("http.max_header_bytes=60000", "http.max_uri_bytes=50000",
                          log={"format": "json", **AT_ONCE})  # fmt: skip
    assert server.fetch("/hello?" + "x" * 40000).status == 200
    (line,) = access.wait_for(1)
    assert 10000 < len(line) < 16384
    assert json.loads(line)["uri"].startswith("/hello?xxx")


@pytest.mark.parametrize("text", ["combine", "$nothing", "", "a\nb"])
def test_formats_that_say_nothing_are_refused(run, text):
    result = run("-T", "-o", f"access_log.format={text}")
    assert result.returncode != 0
    assert "access_log" in result.stderr


# Which requests


def test_refused_requests_stand_in_it(start_logged, access):
    server = start_logged(log={"format": "json", **AT_ONCE})
    assert raw.refusal(server.address, b"GET /a b HTTP/1.1\r\n\r\n") == 400
    assert raw.refusal(server.address, b"GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
                       b"Content-Length: 2\r\n\r\n") == 400  # fmt: skip
    entries = [json.loads(line) for line in access.wait_for(2)]
    for entry in entries:
        assert entry["status"] == 400 and entry["bytes"] > 0
        assert entry["method"] is entry["uri"] is entry["route"] is entry["trace_id"] is None


def test_refused_bodies_stand_in_it(start_logged, access):
    server = start_logged("http.max_body_bytes=10", log={"format": "json", **AT_ONCE},
                          conf='route "/sink" { handler = text body = thanks }')  # fmt: skip
    assert raw.refusal(server.address, render("/sink", "POST", body=b"x" * 11)) == 413
    entry = json.loads(access.wait_for(1)[0])
    assert (entry["status"], entry["method"], entry["uri"]) == (413, "POST", "/sink")


def test_routes_can_be_left_out(start_logged, access):
    server = start_logged(log={"format": "$uri", **AT_ONCE}, conf=(
        'route "/quiet/" { handler = text body = hello access_log = no }\n'
        'route "/loud" { handler = text body = hello access_log = yes }\n'))  # fmt: skip
    for path in ["/quiet/a", "/quiet/", "/loud", "/hello", "/missing"]:
        server.fetch(path)
    assert access.wait_for(3) == ["/loud", "/hello", "/missing"]


def test_redirects_of_the_router_stand_in_it(start_logged, access):
    server = start_logged(log={"format": "$status $request_uri", **AT_ONCE},
                          conf='route "/a/" { handler = text body = hello }')  # fmt: skip
    server.fetch("/a")
    server.fetch("/a/../a/")
    server.fetch("/a/", "OPTIONS")
    lines = access.wait_for(3)
    assert [line[0] for line in lines] == ["3", "3", "2"]


def test_clients_that_leave_get_499(start_logged, access):
    server = start_logged(log={"format": "json", **AT_ONCE}, conf=LATER)
    sock = raw.connect(server.address)
    sock.sendall(render("/later"))
    raw.wait_until_read(server.port)
    raw.destroy(sock)
    entry = json.loads(access.wait_for(1)[0])
    assert (entry["status"], entry["bytes"], entry["uri"]) == (499, 0, "/later")
    assert entry["route"] == "/later"


def test_clients_that_leave_in_a_body_get_499(start_logged, access):
    server = start_logged(log={"format": "$status $request_uri $request_length", **AT_ONCE},
                          conf='route "/sink" { handler = text body = thanks }')  # fmt: skip
    request = render("/sink", "POST", {"Content-Length": 100})
    with contextlib.closing(raw.connect(server.address)) as sock:
        sock.sendall(request + b"some")
        raw.wait_until_read(server.port)
    assert access.wait_for(1) == [f"499 /sink {len(request) + 4}"]


def test_half_a_head_is_no_request(start_logged, access):
    server = start_logged(log={"format": "$status $uri", **AT_ONCE})
    with contextlib.closing(raw.connect(server.address)) as sock:
        sock.sendall(b"GET /half HTTP/1.1\r\n")
        raw.wait_until_read(server.port)
    server.fetch("/hello")
    assert access.wait_for(1) == ["200 /hello"]


def test_time_is_that_of_the_whole_request(start_logged, access):
    server = start_logged(log={"format": "json", **AT_ONCE}, conf=SOON)
    server.fetch("/soon")
    assert 200 <= json.loads(access.wait_for(1)[0])["duration_ms"] < 30000


# Where lines go, and when


@pytest.mark.parametrize("target, redirect", [("stdout", ">"), ("stderr", "2>")])
def test_streams(start_logged, access, target, redirect):
    prefix = ["sh", "-c", f'exec "$@" {redirect} {access.path}', "sh"]
    other = "stdout" if target == "stderr" else "stderr"
    server = start_logged(f"log.target={other}", log={"target": target, **AT_ONCE}, prefix=prefix)
    server.fetch("/hello")
    assert COMBINED.fullmatch(access.wait_for(1)[0])
    server.stop()
    assert len(access.lines) == 1


def test_files_are_appended_to(start_logged, access):
    with open(access.path, "w", encoding="utf-8") as file:
        file.write("before\n")
    os.chmod(access.path, 0o600)
    start_logged(log=AT_ONCE).fetch("/hello")
    assert access.wait_for(2)[0] == "before"
    assert stat.S_IMODE(os.stat(access.path).st_mode) == 0o600


def test_new_files_are_not_for_everybody(start_logged, access):
    start_logged(preexec=lambda: os.umask(0))
    assert stat.S_IMODE(os.stat(access.path).st_mode) == 0o640


def test_lines_wait_for_others(start_logged, access):
    server = start_logged(log={"flush_ms": MINUTE})
    for _ in range(10):
        server.fetch("/hello")
    assert access.lines == []
    server.stop()
    assert len(access.lines) == 10


def test_lines_do_not_wait_for_long(start_logged, access):
    server = start_logged(log={"flush_ms": 50})
    for n in range(1, 4):
        server.fetch("/hello")
        access.wait_for(n)


def test_a_full_buffer_is_written(start_logged, access):
    server = start_logged(log={"flush_ms": MINUTE, "buffer_bytes": 500, "format": "$uri"})
    with server.connect() as connection:
        for _ in range(200):
            connection.request("/hello")
        eventually(lambda: 100 < len(access.lines) < 200, "most of the lines")
    server.stop()
    assert access.lines == ["/hello"] * 200


LOADS = [
    Kind("keep-alive", "/hello?" + "k" * 100, clients=8, pause_ms=0),
    Kind("new connection", "/hello?" + "n" * 900, keep_alive=False, clients=4, pause_ms=0),
]


@pytest.mark.parametrize("buffer_bytes", [0, 3000, 65536])
def test_lines_of_workers_do_not_mix(start_logged, access, buffer_bytes):
    server = start_logged(workers=4, log={"flush_ms": 20, "buffer_bytes": buffer_bytes})
    with Load(server.address, LOADS) as load:
        load.wait_for_answers(3000)
    load.assert_flawless()
    server.stop()
    lines = access.lines
    assert all(map(COMBINED.fullmatch, lines))
    assert len(lines) == load.total.answered + len(LOADS)


def lost(server):
    """How many lines the log says were lost."""
    return sum(int(n) for n in re.findall(r"lines of the access log were lost.* lines=(\d+)",
                                          server.log))  # fmt: skip


def read_all(fd):
    os.set_blocking(fd, True)
    pieces = []
    while piece := os.read(fd, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces).decode().splitlines()


@pytest.fixture
def pipe(access):
    """The end of a named pipe that stands where the log is to be; nobody reads from it."""
    os.mkfifo(access.path)
    reader = os.open(access.path, os.O_RDONLY | os.O_NONBLOCK)
    yield reader
    os.close(reader)


def test_lines_in_a_pipe_are_whole_or_counted(start_logged, pipe):
    server = start_logged(workers=4, log={"flush_ms": 20})
    with Load(server.address, LOADS) as load, ThreadPoolExecutor() as pool:
        load.wait_for_answers(1000)
        server.wait_for_log("lines of the access log were lost")
        reading = pool.submit(read_all, pipe)
        load.wait_for_answers(1000)
        load.stop()
        server.stop()
        lines = reading.result()
    load.assert_flawless()
    assert all(map(COMBINED.fullmatch, lines))
    assert 0 < lost(server) < load.total.answered
    assert len(lines) + lost(server) == load.total.answered + len(LOADS)


def test_lines_go_out_when_a_pipe_is_read_again(start_logged, pipe):
    """Without another request to remind the worker of them."""
    quiet = 'route "/quiet" { handler = text body = a access_log = no }\n'
    server = start_logged(log={"flush_ms": 1, "format": "$uri"}, conf=quiet)
    writer = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while os.write(writer, b"." * 4095 + b"\n"):
            pass
    os.close(writer)
    server.fetch("/hello")
    end = time.monotonic() + 0.05  # more than flush_ms, so that the line has met the full pipe
    eventually(lambda: server.fetch("/quiet") and time.monotonic() > end, "some time has passed")
    found = []

    def has_come():
        with contextlib.suppress(BlockingIOError):
            found.append(os.read(pipe, 1 << 20))
        return b"".join(found).endswith(b".\n/hello\n")

    eventually(has_come, "the line", seconds=5)


def test_full_disk_stops_nobody(start_logged):
    server = start_logged(log={"target": "/dev/full", "flush_ms": 1})
    for _ in range(3):
        assert server.fetch("/hello").status == 200
    server.wait_for_log(
        r"warning worker 1: lines of the access log were lost: it could not be written; "
        r'trying again with the next lines=\d+ error="No space left on device"$'
    )
    server.stop()
    assert lost(server) == 3
