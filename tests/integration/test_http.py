"""What the server says to well-behaved clients and to others."""

import pytest

from lib.client import Disconnected, render


@pytest.fixture
def server(start):
    return start(workers=1)


@pytest.mark.smoke
def test_hello_is_a_fixed_text(server):
    response = server.fetch("/hello")
    assert (response.status, response.reason) == (200, "OK")
    assert response.text == "Hello from a zombie.\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.smoke
@pytest.mark.valgrind
def test_healthcheck_says_serving(server):
    response = server.fetch("/healthcheck")
    assert response.status == 200
    assert response.json == {"status": "serving", "worker": 1, "slot": 1}
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.smoke
@pytest.mark.parametrize("target", ["/nowhere", "/hello/", "/Hello", "//nowhere", "/hello%2f"])
def test_unknown_path_is_not_found(server, target):
    response = server.fetch(target)
    assert (response.status, response.reason) == (404, "Not Found")
    assert 0 < len(response.body) < 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_wrong_method_is_told_the_right_ones(server, method):
    response = server.fetch("/", method, body=b"x")
    assert (response.status, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_options_lists_the_methods(server):
    response = server.fetch("/hello", "OPTIONS")
    assert (response.status, response.headers["allow"], response.body) == (204, "GET, HEAD, OPTIONS", b"")
    assert "content-length" not in response.headers


@pytest.mark.parametrize("target", ["/hello", "/healthcheck", "/nowhere"])
def test_head_is_get_without_the_body(server, target):
    with server.connect() as connection:
        get = connection.request(target)
        head = connection.request(target, "HEAD")
        # Were there a body, it would be taken for this answer.
        assert connection.request("/hello").status == 200
    assert head.status == get.status
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.body))


def test_pipelined_requests_are_answered_in_order(server):
    targets = ["/hello", "/nowhere", "/healthcheck", "/hello"]
    with server.connect() as connection:
        connection.send(b"".join(render(target) for target in targets))
        assert [connection.receive().status for _ in targets] == [200, 404, 200, 200]


def test_request_may_come_byte_by_byte(server):
    with server.connect() as connection:
        for byte in render("/hello"):
            connection.send(bytes([byte]))
        assert connection.receive().status == 200


def test_http_1_0_closes_unless_asked(server):
    with server.connect() as connection:
        connection.send("GET /hello HTTP/1.0\r\n\r\n")
        assert connection.receive().status == 200
        assert connection.is_closed()


def test_http_1_0_can_keep_alive(server):
    with server.connect() as connection:
        for _ in range(2):
            connection.send("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert connection.receive().status == 200


def test_connection_close_is_obeyed(server):
    with server.connect() as connection:
        assert connection.request("/hello", headers={"Connection": "close"}).status == 200
        assert connection.is_closed()


def test_absolute_target_is_its_path(server):
    assert server.fetch("http://zombie.test/hello?x=1").status == 200


@pytest.mark.parametrize("accept, type_", [
    (None, "text/html; charset=utf-8"),
    ("*/*", "text/html; charset=utf-8"),
    ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
    ("application/json", "application/json"),
    ("application/*", "application/json"),
    ("text/plain", "text/plain; charset=utf-8"),
    ("text/html;q=0.5, text/plain;q=0.9", "text/plain; charset=utf-8"),
    ("text/html;q=0, */*", "application/json"),
    ("image/png", "text/html; charset=utf-8"),
])  # fmt: skip
def test_accept_chooses_the_form(server, accept, type_):
    response = server.fetch("/", headers={} if accept is None else {"Accept": accept})
    assert (response.status, response.headers["content-type"]) == (200, type_)
    assert response.headers["vary"] == "Accept, Accept-Language"


@pytest.mark.parametrize("accept_language, language", [
    ("ko", "ko"), ("ko-KR,ko;q=0.9,en;q=0.8", "ko"), ("en-US,en;q=0.9,ko;q=0.8", "en"),
    ("de", "en"), ("de, ko;q=0.1", "ko"), ("*", "en"), ("", "en"),
])  # fmt: skip
def test_page_is_korean_for_those_who_prefer_it(server, accept_language, language):
    page = server.fetch("/", headers={"Accept-Language": accept_language}).text
    assert f'<html lang="{language}">' in page
    assert ("좀비 서버" in page) == (language == "ko")


def test_plain_text_has_the_facts_line_by_line(server):
    text = server.fetch("/", headers={"Accept": "text/plain"}).text
    facts = dict(line.split(": ", 1) for line in text.splitlines())
    assert facts["instance"] == server.instance
    assert facts["worker"] == "1"


@pytest.mark.parametrize("target", ["/%68ello", "/hell%6F", "/hello?a=%zz"])
def test_encoded_path_is_the_same_path(server, target):
    assert server.fetch(target).status == 200


@pytest.mark.parametrize("target", ["/%", "/%4", "/%zz", "/hello%00", "/a%g0b"])
def test_bad_escape_is_a_bad_request(server, target):
    assert server.fetch(target).status == 400


@pytest.mark.parametrize("bytes_", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /hello HTTP/9.9\r\n\r\n",
    b"GET /hello HTTP/1.1\r\nno colon\r\n\r\n",
    b"POST /hello HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    b"POST /hello HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"\0" * 64 + b"\r\n\r\n",
])  # fmt: skip
def test_nonsense_gets_an_error_or_nothing_and_harms_nobody(server, bytes_):
    with server.connect() as connection:
        connection.send(bytes_)
        try:
            assert connection.receive().status in (400, 405, 501, 505)
        except Disconnected:
            pass
    assert server.identity()["worker"] == 1


def test_unknown_method_is_refused(server):
    with server.connect() as connection:
        connection.send(render("/hello", "BREW"))
        assert connection.receive().status in (400, 405, 501)


def test_too_large_header_is_refused(start):
    server = start("http.max_header_bytes=1024", workers=1)
    assert server.fetch("/hello", headers={"X": "y" * 800}).status == 200
    with server.connect() as connection:
        connection.send(render("/hello", headers={"X": "y" * 2000}))
        try:
            assert connection.receive().status in (400, 413, 431)
        except Disconnected:
            pass
        assert connection.is_closed()
    assert server.identity()["worker"] == 1


@pytest.mark.parametrize("size", [1, 16 * 1024, 32 * 1024, 40_000, 1024 * 1024])
def test_bodies_arrive_whole_whatever_their_size(server, size):
    """What is read ahead has a limit; what belongs to the body has its own."""
    with server.connect() as connection:
        for _ in range(2):
            assert connection.request("/hello", "POST", body=b"x" * size).status == 405
        chunk = b"%x\r\n%s\r\n0\r\n\r\n" % (size, b"y" * size)
        connection.send(b"POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.send(chunk)
        assert connection.receive().status == 405
        assert connection.request("/hello").status == 200


def test_body_may_come_behind_a_request_that_is_being_answered(server):
    body = b"x" * 100_000
    with server.connect() as connection:
        connection.send(render("/hello") + render("/hello", "POST", body=body) + render("/hello"))
        assert [connection.receive().status for _ in range(3)] == [200, 405, 200]


def test_too_large_body_is_refused(start):
    server = start("http.max_body_bytes=1000", workers=1)
    with server.connect() as connection:
        connection.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n")
        assert connection.receive().status == 413
    assert server.fetch("/hello", "POST", body=b"x" * 1000).status == 405


def test_idle_connection_is_closed_after_keepalive_ms(start):
    server = start("http.keepalive_ms=50", workers=1)
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        assert connection.is_closed()


def test_connections_beyond_the_maximum_wait_for_their_turn(start):
    server = start("http.max_connections=2", workers=1)
    held = [server.connect(), server.connect()]
    assert all(connection.request("/hello").status == 200 for connection in held)
    with server.connect() as third:
        third.send(render("/hello"))
        held.pop().close()
        assert third.receive().status == 200
    held.pop().close()


def test_routes_are_configurable(start, tmp_path):
    (tmp_path / "routes.conf").write_text("""
        route "/tea" { handler = text  status = 418  body = "short"  content_type = "x/tea" }
        route "/tree/" { handler = text  body = "subtree" }
        route "/tree/{$}" { handler = text  body = "itself" }
        route "/hello" { handler = not_found }
    """)
    server = start("-c", tmp_path / "routes.conf", workers=1)
    tea = server.fetch("/tea")
    assert (tea.status, tea.reason, tea.headers["content-type"]) == (418, "I'm a teapot", "x/tea")
    assert server.fetch("/tree/").text == "itself"
    assert server.fetch("/tree/leaf").text == "subtree"
    assert server.fetch("/tree").status == 301
    assert server.fetch("/hello").status == 404
    assert server.fetch("/").status == 200
