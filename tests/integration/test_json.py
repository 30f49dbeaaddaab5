"""The json handler: what the server understood of a request."""

import json

import pytest

from lib.client import render

ROUTES = """
route "/json/{rest...}" { handler = json }
route "/json/of/{user}/{$}" { handler = json }
route "/json/small" { handler = json  max_body = 16 }
"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def server(start, tmp_path):
    (tmp_path / "json.conf").write_text(ROUTES)
    return start("-c", tmp_path / "json.conf", workers=1)


def post(server, body, type_="application/json", target="/json/", method="POST"):
    headers = {"Content-Type": type_} if type_ else {}
    return server.fetch(target, method, headers, body)


@pytest.mark.smoke
@pytest.mark.valgrind
def test_request_is_told_as_it_was_understood(server):
    body = {"list": [1, -2.5, None, True], "text": "좀비\u0000\n", "object": {}}
    response = server.fetch(
        "/json/of/J%C3%BCrgen%2F/?a=1&b=%20+&a=2&c&%EC%A2%80=",
        "POST",
        {"Host": "Zombie.Test", "X-Thing": "one", "x-thing": "two", **JSON},
        json.dumps(body).encode(),
    )
    assert response.status == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    said = response.json
    headers = said.pop("headers")
    assert said == {
        "method": "POST",
        "path": "/json/of/Jürgen//",
        "params": {"user": "Jürgen/"},
        "query": {"a": ["1", "2"], "b": ["  "], "c": [""], "좀": [""]},
        "body": body,
    }
    assert headers["host"] == ["Zombie.Test"]
    assert headers["x-thing"] == ["one", "two"]
    assert headers["content-length"] == [str(len(json.dumps(body).encode()))]


def test_get_without_anything(server):
    said = server.fetch("/json/").json
    assert (said["method"], said["path"]) == ("GET", "/json/")
    assert (said["params"], said["query"], said["body"]) == ({"rest": ""}, {}, None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_methods_may_have_a_body(server, method):
    said = post(server, b'{"a": [1]}', method=method).json
    assert (said["method"], said["body"]) == (method, {"a": [1]})


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_empty_body_is_null_and_needs_no_type(server, method):
    response = server.fetch("/json/", method, {"Content-Length": "0"})
    assert (response.status, response.json["body"]) == (200, None)


def test_head_is_get_without_the_body(server):
    with server.connect() as connection:
        head = connection.request("/json/", "HEAD")
        get = connection.request("/json/", "GET")
    assert (head.status, get.status) == (200, 200)
    # "HEAD" is a letter longer than "GET".
    assert int(head.headers["content-length"]) == len(get.body) + 1


def test_other_methods_are_told_the_right_ones(server):
    response = server.fetch("/json/", "TRACE")
    assert response.status in (405, 501)


def test_chunks_are_one_body(server):
    with server.connect() as connection:
        connection.send("POST /json/ HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n")
        connection.send("Transfer-Encoding: chunked\r\n\r\n")
        connection.send('4\r\n{"a"\r\n1\r\n:\r\n2\r\n1}\r\n0\r\n\r\n')
        assert connection.receive().json["body"] == {"a": 1}
        assert connection.request("/json/").status == 200


@pytest.mark.parametrize("body", [b"null", b"0", b'"x"', b" [] ", b"9223372036854775807"])
def test_any_json_value_is_a_body(server, body):
    assert post(server, body).json["body"] == json.loads(body)


@pytest.mark.parametrize("body, offset", [
    (b"{", 1), (b"[1,]", 4), (b"{} {}", 4), (b'{"a":1,"a":1}', 10), (b"\xff", 0), (b" ", 1),
    (b"9223372036854775808", 19), (b"[1e999]", 6), (b"nonsense", 8), (b"[\0]", 2),
    (b"[" * 100_000, 2049),
], ids=lambda value: repr(value)[:24])  # fmt: skip
def test_bad_json_is_refused_with_the_offset(server, body, offset):
    with server.connect() as connection:
        response = connection.request("/json/", "POST", JSON, body)
        assert response.status == 400
        assert response.headers["content-type"] == "application/json"
        assert set(response.json) == {"error", "offset"}
        assert response.json["offset"] == offset
        assert connection.request("/json/", "POST", JSON, b"1").json["body"] == 1


@pytest.mark.parametrize("type_", [
    "application/json; charset=utf-8", 'Application/JSON;charset="UTF-8";a=b',
    "application/problem+json", "application/vnd.api+json; v=1",
])  # fmt: skip
def test_types_of_json_are_taken(server, type_):
    assert post(server, b"1", type_).json["body"] == 1


@pytest.mark.parametrize("type_", [
    None, "text/plain", "text/json", "application/x-www-form-urlencoded", "application/json-seq",
    "application/json; charset=latin1", "application/json, text/plain", "application/+json",
])  # fmt: skip
def test_other_types_are_415(server, type_):
    response = post(server, b"1", type_)
    assert response.status == 415
    assert list(response.json) == ["error"]
    assert response.headers["accept"] == "application/json"


@pytest.mark.parametrize("query, offset", [("%", 0), ("a=1&b=%4", 6), ("a=%zz", 2), ("a=%00", 2)])
def test_bad_escape_in_the_query_is_refused_with_the_offset(server, query, offset):
    response = server.fetch(f"/json/?{query}")
    assert (response.status, response.json["offset"]) == (400, offset)


def test_body_beyond_the_limit_is_413(server):
    assert post(server, b'"' + b"x" * 14 + b'"', target="/json/small").status == 200
    assert post(server, b'"' + b"x" * 15 + b'"', target="/json/small").status == 413


def test_credentials_are_not_shown(server):
    names = ("Authorization", "COOKIE", "proxy-authorization")
    response = server.fetch("/json/", headers={name: "sesame" for name in names})
    assert "sesame" not in response.text
    assert all(response.json["headers"][name.lower()] == ["***"] for name in names)


def test_answer_is_utf8_whatever_came(server):
    with server.connect() as connection:
        connection.send(b"GET /json/%ff%ed%a0%80?%c3=%28%80 HTTP/1.1\r\nHost: a\r\n")
        connection.send(b"X-Latin: caf\xe9\r\nX-Utf8: caf\xc3\xa9\r\n\r\n")
        said = connection.receive().json
    assert said["path"] == "/json/" + "\ufffd" * 4
    assert said["params"] == {"rest": "\ufffd" * 4}
    assert said["query"] == {"\ufffd": ["(\ufffd"]}
    assert said["headers"]["x-latin"] == ["caf\ufffd"]
    assert said["headers"]["x-utf8"] == ["café"]


def test_many_query_keys_and_headers(server):
    query = "&".join(f"k{i % 100}={i}" for i in range(800))
    headers = {f"X-{i}": str(i) for i in range(80)}
    said = server.fetch(f"/json/?{query}", headers=headers).json
    assert said["query"] == {f"k{i}": [str(n) for n in range(i, 800, 100)] for i in range(100)}
    assert all(said["headers"][f"x-{i}"] == [str(i)] for i in range(80))


def test_large_body_of_small_values(server):
    body = b"[" + b",".join([b"{}"] * 300_000) + b"]"
    with server.connect() as connection:
        connection.send(render("/json/", "POST", JSON, body))
        assert connection.receive().json["body"] == [{}] * 300_000
    assert server.identity()["worker"] == 1
