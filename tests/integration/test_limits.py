"""Sizes, hosts and expectations: what is at a limit passes, what is beyond it is refused."""

import pytest

from lib import raw
from lib.client import render

ROUTES = """
route "/json" { handler = json }
route "/small" { handler = json  max_body = 10 }
route "/who" { handler = identity }
"""
HEADER_BYTES, HEADERS, URI_BYTES, BODY_BYTES = 1000, 20, 200, 5000
LIMITS = (f"http.max_header_bytes={HEADER_BYTES}", f"http.max_headers={HEADERS}",
          f"http.max_uri_bytes={URI_BYTES}", f"http.max_body_bytes={BODY_BYTES}")  # fmt: skip
LARGE = 50 << 20


@pytest.fixture
def server(start, tmp_path):
    (tmp_path / "routes.conf").write_text(ROUTES)
    return start("-c", tmp_path / "routes.conf", *LIMITS, workers=1)


def status_of(server, *pieces):
    """Of the only answer, on a connection that the client does not end."""
    with server.connect() as connection:
        for piece in pieces:
            connection.send(piece)
        return connection.receive().status


def head_of(size):
    start, end = b"GET /hello HTTP/1.1\r\nHost: a\r\nX-Long: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


def post(size, target="/json"):
    """The head of a request with a body of JSON, and the body."""
    body = b'"' + b"x" * (size - 2) + b'"'
    head = f"POST {target} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    return head.encode(), body


def with_length(size, target="/json"):
    head, body = post(size, target)
    return head + f"Content-Length: {size}\r\n\r\n".encode() + body


def in_chunks(size, target="/json", chunk=1000):
    head, body = post(size, target)
    pieces = [body[at : at + chunk] for at in range(0, size, chunk)]
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunks) + b"0\r\n\r\n"


def test_head_has_a_largest_size(server):
    assert status_of(server, head_of(HEADER_BYTES)) == 200
    assert raw.refusal(server.address, head_of(HEADER_BYTES + 1)) == 431
    server.wait_for_log("limit=max_header_bytes hits=1 client=127.0.0.1")


def test_head_at_the_limit_may_come_in_pieces(server):
    head = head_of(HEADER_BYTES)
    assert status_of(server, *(head[at : at + 7] for at in range(0, len(head), 7))) == 200
    head = head_of(HEADER_BYTES + 1)
    assert raw.refusal(server.address, head[:-1], head[-1:]) == 431


def test_each_head_has_the_whole_size_to_itself(server):
    with server.connect() as connection:
        connection.send(head_of(HEADER_BYTES) * 5)
        assert [connection.receive().status for _ in range(5)] == [200] * 5


def test_header_lines_have_a_largest_number(server):
    def request(n):
        return b"GET /hello HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * (n - 1) + b"\r\n"

    assert status_of(server, request(HEADERS)) == 200
    assert raw.refusal(server.address, request(HEADERS + 1)) == 431
    server.wait_for_log("limit=max_headers hits=1 client=127.0.0.1")


@pytest.mark.parametrize("begin", ["/hello?", "http://zombie.test/hello?"])
def test_target_has_a_longest_size(server, begin):
    def request(size):
        return render(begin + "x" * (size - len(begin)))

    assert status_of(server, request(URI_BYTES)) == 200
    assert raw.refusal(server.address, request(URI_BYTES + 1)) == 414
    server.wait_for_log("limit=max_uri_bytes hits=1 client=127.0.0.1")


@pytest.mark.parametrize("make", [with_length, in_chunks])
def test_body_has_a_largest_size(server, make):
    assert status_of(server, make(BODY_BYTES)) == 200
    assert raw.refusal(server.address, make(BODY_BYTES + 1)) == 413
    server.wait_for_log("limit=max_body hits=1 client=127.0.0.1")


@pytest.mark.parametrize("make", [with_length, in_chunks])
def test_route_has_its_own_largest_body(server, make):
    assert status_of(server, make(10, "/small")) == 200
    assert raw.refusal(server.address, make(11, "/small")) == 413


@pytest.mark.valgrind
def test_body_is_measured_without_the_chunks_around_it(server):
    assert status_of(server, in_chunks(BODY_BYTES, chunk=10)) == 200


def test_chunk_that_is_too_large_is_refused_before_it_comes(server):
    head, _ = post(2)
    chunked = head + b"Transfer-Encoding: chunked\r\n\r\n"
    assert raw.refusal(server.address, chunked + b"%x\r\n" % (BODY_BYTES + 1)) == 413


def test_length_that_is_too_large_is_refused_before_the_body_comes(server):
    head, _ = post(2)
    length = f"Content-Length: {BODY_BYTES + 1}\r\n\r\n".encode()
    assert raw.refusal(server.address, head + length) == 413


# Expect

EXPECT = b"Expect: 100-continue\r\n"


def expecting(framing):
    return post(2)[0] + EXPECT + framing + b"\r\n\r\n"


def test_client_that_expects_to_continue_is_told_so(server):
    with server.connect() as connection:
        connection.send(expecting(b"Content-Length: 4"))
        assert connection.receive().status == 100
        connection.send(b"null")
        assert connection.receive().status == 200
        assert connection.request("/hello").status == 200


def test_client_that_expects_to_continue_may_send_chunks(server):
    with server.connect() as connection:
        connection.send(expecting(b"Transfer-Encoding: chunked"))
        assert connection.receive().status == 100
        connection.send(b"4\r\nnull\r\n0\r\n\r\n")
        assert connection.receive().status == 200


def test_client_that_does_not_wait_needs_no_continue(server):
    with server.connect() as connection:
        connection.send(expecting(b"Content-Length: 4") + b"null")
        assert connection.receive().status == 200


def test_client_that_expects_to_continue_with_too_much_is_refused(server):
    length = f"Content-Length: {BODY_BYTES + 1}".encode()
    assert raw.refusal(server.address, expecting(length)) == 413


def test_request_without_a_body_needs_no_continue(server):
    with server.connect() as connection:
        connection.send(b"GET /hello HTTP/1.1\r\nHost: a\r\n" + EXPECT + b"\r\n")
        assert connection.receive().status == 200


def test_old_client_is_never_told_to_continue(server):
    with server.connect() as connection:
        connection.send(expecting(b"Content-Length: 4").replace(b"HTTP/1.1", b"HTTP/1.0"))
        raw.wait_until_read(server.port)
        connection.send(b"null")
        assert connection.receive().status == 200


@pytest.mark.parametrize("value", ["100-continues", "x", "100-continue, x"])
def test_other_expectations_are_refused(server, value):
    assert raw.refusal(server.address, render("/hello", headers={"Expect": value})) == 417


# Hosts


@pytest.fixture
def choosy(start):
    return start("http.hosts=a.test, B.test", workers=1)


@pytest.mark.parametrize("host", ["a.test", "A.TEST", "b.test", "a.test:80", "b.test:8080"])
def test_host_that_is_served_is_answered(choosy, host):
    with choosy.connect() as connection:
        assert connection.request("/hello", headers={"Host": host}).status == 200
        target = f"http://{host}/hello"
        assert connection.request(target, headers={"Host": host}).status == 200


@pytest.mark.parametrize("host", ["c.test", "xa.test", "a.tes", "127.0.0.1", "[::1]"])
def test_other_host_is_misdirected(choosy, host):
    request, good = (render("/hello", headers={"Host": name}) for name in (host, "a.test"))
    assert raw.refusal(choosy.address, request) == 421
    assert raw.refusal(choosy.address, request + good) == 421
    choosy.wait_for_log("limit=hosts hits=1 client=127.0.0.1")


def test_client_that_names_no_host_is_misdirected(choosy):
    assert raw.refusal(choosy.address, b"GET /hello HTTP/1.0\r\n\r\n") == 421


# How it ends


@pytest.mark.parametrize("request_", [render("/hello"), render("/hello") * 3,
                                      with_length(BODY_BYTES), in_chunks(BODY_BYTES)])  # fmt: skip
def test_client_that_says_no_more_is_still_answered(server, request_):
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(request_)
        sock.shutdown(1)
        answers = raw.split(raw.until_closed(sock))
    assert {answer.status for answer in answers} == {200}
    assert len(answers) == request_.count(b" HTTP/1.1\r\n")


@pytest.mark.parametrize("begin", [b"GET /hello", b"GET /hello HTTP/1.1\r\nHost: a\r\n",
                                   with_length(100)[:-1], in_chunks(100)[:-3]])  # fmt: skip
def test_request_that_breaks_off_is_not_answered(server, begin):
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(begin)
        sock.shutdown(1)
        assert raw.until_closed(sock) == b""
    assert server.fetch("/hello").status == 200


def test_tls_is_told_that_this_is_none(server):
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(193)
    assert raw.refusal(server.address, hello) == 400


def upload(n):
    return b"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % n


def test_client_that_looks_up_from_its_upload_sees_the_refusal(server):
    """It stops when there is an answer: neither it nor the answer is reset."""
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(upload(LARGE))
        for _ in range(0, LARGE, 65536):
            if raw.has_come(sock):
                break
            sock.sendall(bytes(65536))
        else:
            pytest.fail("all was sent before the answer came")
        [answer] = raw.split(raw.until_closed(sock))
    assert (answer.status, answer.closes) == (413, True)


def test_client_that_sends_all_first_sees_the_refusal(server):
    size = 3 << 20
    with raw.crowd(1, server.address) as [sock]:
        sock.sendall(upload(size) + bytes(size))
        [answer] = raw.split(raw.until_closed(sock))
    assert (answer.status, answer.closes) == (413, True)


def test_client_that_never_looks_up_cannot_go_on_for_ever(server):
    with raw.crowd(1, server.address) as [sock]:
        with pytest.raises(ConnectionError):
            sock.sendall(upload(LARGE))
            while True:
                sock.sendall(bytes(1 << 20))
        [answer] = raw.split(raw.until_gone(sock))
    assert (answer.status, answer.closes) == (413, True)
