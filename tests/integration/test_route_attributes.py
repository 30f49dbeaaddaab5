"""What any route may have, whatever its handler: time limits, body limits, networks, headers."""

import socket
import struct
import time

import pytest

from lib.client import Connection, Disconnected, fetch
from lib.wait import eventually


@pytest.fixture
def serve(start, tmp_path):
    """Start a server with this text as its file."""

    def begin(text, *arguments, **options):
        (tmp_path / "routes.conf").write_text(text)
        return start("-c", tmp_path / "routes.conf", *arguments, workers=1, **options)

    return begin


# timeout_ms


SLOW = """
route "/slow" { handler = text  delay_ms = 3600000  timeout_ms = 50  timeout_text = "zzz\\n" }
route "/default" { handler = text  delay_ms = 3600000  timeout_ms = 50 }
route "/late" { handler = text  delay_ms = 100  timeout_ms = 3600000 }
route "/later" { handler = text  delay_ms = 300  body = "at last" }
route "/forever" { handler = text  delay_ms = 3600000 }
route "/quick" { handler = text  timeout_ms = 1  body = "quick" }
"""


def goes_on(connection, response):
    """Whether the connection is as the response says: of use, or closed."""
    if response.closes:
        return connection.is_closed()
    return connection.request("/hello").status == 200


@pytest.mark.smoke
def test_answer_that_takes_too_long_is_503(serve):
    server = serve(SLOW)
    with server.connect() as connection:
        begun = time.monotonic()
        response = connection.request("/slow")
        assert time.monotonic() - begun >= 0.05
        assert (response.status, response.text) == (503, "zzz\n")
        assert response.headers["content-type"].startswith("text/plain")
        assert goes_on(connection, response)
    assert server.fetch("/default").text == "503 Service Unavailable: this took too long\n"


def test_timeout_of_head_has_no_body(serve):
    server = serve(SLOW)
    with server.connect() as connection:
        response = connection.request("/slow", "HEAD")
        assert (response.status, response.headers["content-length"]) == (503, "4")
        assert goes_on(connection, response)


def test_answer_in_time_is_given(serve):
    server = serve(SLOW)
    begun = time.monotonic()
    assert server.fetch("/late").status == 200
    assert time.monotonic() - begun >= 0.1
    with server.connect() as connection:
        assert all(connection.request("/quick").text == "quick" for _ in range(20))


def test_requests_behind_one_that_waits_are_answered_in_order(serve):
    server = serve(SLOW)
    with server.connect() as connection:
        lines = [f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in ("/later", "/quick")]
        connection.send("".join(lines))
        assert connection.receive().text == "at last"
        assert connection.receive().text == "quick"


def reset(connection):
    """Leave in a way that cannot be taken for a client that only sends no more."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_others_are_served_meanwhile_and_nobody_waits_for_the_gone(serve):
    server = serve(SLOW, "instance.grace_ms=3600000")
    connection = server.connect()
    connection.send("GET /forever HTTP/1.1\r\nHost: a\r\n\r\n")
    assert server.fetch("/quick").text == "quick"
    reset(connection)
    server.stop()


def test_clients_that_do_not_wait_leave_nothing_behind(serve):
    server = serve(SLOW)
    for _ in range(20):
        with server.connect() as connection:
            connection.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
            server.fetch("/quick")
    assert server.fetch("/later").text == "at last"
    assert server.identity()["worker"] == 1


def test_request_that_waits_is_answered_before_a_stop(serve):
    server = serve(SLOW)
    with server.connect() as connection:
        assert connection.request("/quick").status == 200
        connection.send("GET /later HTTP/1.1\r\nHost: a\r\n\r\n")
        assert server.fetch("/quick").status == 200
        server.stop()
        assert connection.receive().text == "at last"


# max_body


BODIES = """
http { max_body_bytes = 1000 }
route "/less" { handler = json  max_body = 10 }
route "/more" { handler = json  max_body = 5000 }
route "/same" { handler = json  max_body = inherit }
route "/none" { handler = json  max_body = 0 }
route "/silent" { handler = json }
"""
LIMITS = [("/less", 10), ("/more", 5000), ("/same", 1000), ("/silent", 1000)]


def json_of(size):
    return b'"' + b"x" * (size - 2) + b'"'


def post(connection, target, body, chunked):
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    if chunked:
        connection.send(head + "Transfer-Encoding: chunked\r\n\r\n")
        for part in (body[:3], body[3:]):
            if part:
                connection.send(b"%x\r\n%s\r\n" % (len(part), part))
        connection.send("0\r\n\r\n")
    else:
        connection.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return connection.receive()


@pytest.mark.smoke
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
@pytest.mark.parametrize("target, limit", LIMITS)
def test_larger_bodies_are_413(serve, target, limit, chunked):
    server = serve(BODIES)
    with server.connect() as connection:
        assert post(connection, target, json_of(limit), chunked).status == 200
        assert post(connection, target, json_of(limit + 1), chunked).status == 413
        assert connection.is_closed()
    assert server.fetch(target).status == 200


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_route_that_takes_no_body(serve, chunked):
    server = serve(BODIES)
    with server.connect() as connection:
        assert post(connection, "/none", b"", chunked).status == 200
        assert post(connection, "/none", b"1", chunked).status == 413


def test_announced_body_is_refused_before_it_comes(serve):
    with serve(BODIES).connect() as connection:
        connection.send("POST /less HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n")
        assert connection.receive().status == 413


def test_endless_chunks_are_refused(serve):
    with serve(BODIES).connect() as connection:
        connection.send("POST /less HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(1000):
                connection.send("5\r\nxxxxx\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            assert connection.receive().status == 413
        except Disconnected:
            pass


# allow, deny


NETWORKS = """
route "/all" { handler = json }
route "/v4" { handler = json  allow = { "127.0.0.0/8" } }
route "/v6" { handler = json  allow = { "::1/128" } }
route "/unix" { handler = json  allow = { unix } }
route "/some" { handler = json  allow = { "10.0.0.0/8", "127.0.0.1", unix } }
route "/not-v4" { handler = json  deny = { "0.0.0.0/0" } }
route "/not-v6" { handler = json  deny = { "::/0" } }
route "/not-unix" { handler = json  deny = { unix } }
route "/but" { handler = json  allow = { "127.0.0.0/8", "::/0", unix }  deny = { "127.0.0.1", unix } }
route "/text" { handler = text  deny = { "127.0.0.1" } }
"""
ADMITTED = {
    "/all": "4 6 u", "/v4": "4", "/v6": "6", "/unix": "u", "/some": "4 u",
    "/not-v4": "6 u", "/not-v6": "4 u", "/not-unix": "4 6", "/but": "6",
}  # fmt: skip


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


@pytest.mark.smoke
@pytest.mark.valgrind
def test_networks_decide_who_is_answered(serve, tmp_path):
    path = str(tmp_path / "socket")
    more = ["-l", "[::1]:0"] if has_ipv6() else []
    server = serve(NETWORKS, "-l", f"unix:{path}", *more)
    addresses = {"4": server.address, "u": path}
    if more:
        addresses["6"] = ("::1", server.ports[1])
    for target, admitted in ADMITTED.items():
        for name, address in addresses.items():
            status = 200 if name in admitted else 403
            assert (target, name, fetch(address, target).status) == (target, name, status)


def test_refusal_says_403_and_the_connection_goes_on(serve):
    server = serve(NETWORKS)
    with server.connect() as connection:
        response = connection.request("/text")
        assert (response.status, response.reason) == (403, "Forbidden")
        assert goes_on(connection, response)
        response = connection.request("/text", "HEAD")
        assert response.status == 403
        assert goes_on(connection, response)


def test_refused_request_may_have_a_body(serve):
    server = serve(NETWORKS)
    with server.connect() as connection:
        response = post(connection, "/not-v4", json_of(1000), False)
        assert response.status == 403
        assert goes_on(connection, response)


@pytest.mark.parametrize("key", ["allow", "deny"])
def test_bad_network_is_a_configuration_error(run, tmp_path, key):
    path = tmp_path / "bad.conf"
    path.write_text(f'route "/x" {{\n  handler = json\n  {key} = {{ "10.0.0.1/8" }}\n}}\n')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}:3: ")


# headers


def fields(keys):
    return f'{{ {keys} headers = {{ "X-One: 1", "X-Two: a: b, \\"c\\"", "X-Empty:" }} }}\n'


HEADERS = "".join([
    'route "/text" ', fields("handler = text"),
    'route "/json" ', fields("handler = json max_body = 100"),
    'route "/none" ', fields("handler = text status = 304"),
    'route "/empty" ', fields("handler = text status = 204"),
    'route "/not" ', fields("handler = not_found"),
    'route "/go" ', fields('handler = redirect to = "/x"'),
    'route "/slow" ', fields("handler = text delay_ms = 3600000 timeout_ms = 1"),
    'route "/closed" ', fields('handler = text deny = { "0.0.0.0/0" }'),
    'route "/moved" { handler = text status = 301 body = "" headers = { "Location: /y" } }\n',
    'route "/plain" { handler = text }\n',
])  # fmt: skip


@pytest.mark.smoke
@pytest.mark.parametrize("target, method, body, status", [
    ("/text", "GET", b"", 200),
    ("/text", "HEAD", b"", 200),
    ("/json", "POST", b"x", 415),
    ("/json?%", "GET", b"", 400),
    ("/json", "POST", b"x" * 101, 413),
    ("/none", "GET", b"", 304),
    ("/empty", "GET", b"", 204),
    ("/not", "GET", b"", 404),
    ("/go", "GET", b"", 302),
    ("/slow", "GET", b"", 503),
    ("/closed", "GET", b"", 403),
])  # fmt: skip
def test_every_answer_of_a_route_has_its_headers(serve, target, method, body, status):
    response = serve(HEADERS).fetch(target, method, body=body)
    assert response.status == status
    found = {name: response.headers.get(name) for name in ("x-one", "x-two", "x-empty")}
    assert found == {"x-one": "1", "x-two": 'a: b, "c"', "x-empty": ""}


def test_other_routes_have_them_not(serve):
    server = serve(HEADERS)
    for target in ["/plain", "/hello", "/nowhere"]:
        assert "x-one" not in server.fetch(target).headers


def test_text_can_redirect_by_a_header(serve):
    response = serve(HEADERS).fetch("/moved")
    assert (response.status, response.headers["location"]) == (301, "/y")
    assert response.headers["content-length"] == "0"


@pytest.mark.parametrize("field", ["no colon", ": x", "A B: c", "A: b\\r\\nC: d", "A: b\\0c"])
def test_bad_header_is_a_configuration_error(run, tmp_path, field):
    path = tmp_path / "bad.conf"
    path.write_text(f'route "/x" {{\n  handler = text\n  headers = {{ "{field}" }}\n}}\n')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}:")


@pytest.mark.parametrize("status", [204, 205, 304])
def test_text_of_a_status_without_content(serve, status):
    server = serve(f'route "/x" {{ handler = text  status = {status}  body = "not sent" }}')
    with server.connect() as connection:
        response = connection.request("/x")
        assert (response.status, response.body) == (status, b"")
        assert "content-type" not in response.headers
        assert connection.request("/hello").status == 200


# access_log


def test_route_can_stay_out_of_the_access_log(serve, tmp_path):
    log = tmp_path / "access.log"
    server = serve(
        'route "/quiet" { handler = text  access_log = no }\nroute "/loud" { handler = text }\n'
        f'access_log {{ target = "{log}"  flush_ms = 10 }}\n'
    )
    with server.connect() as connection:
        for target in ["/quiet?1", "/quiet?2", "/loud?3"]:
            assert connection.request(target).status == 200
    eventually(lambda: log.exists() and "/loud?3" in log.read_text(), "the request is logged")
    assert "/quiet" not in log.read_text()


def test_unix_clients_can_be_kept_out(serve, tmp_path):
    path = str(tmp_path / "socket")
    serve(NETWORKS, "-l", f"unix:{path}")
    with Connection(path) as connection:
        response = connection.request("/not-unix")
        assert response.status == 403
        assert goes_on(connection, response)
