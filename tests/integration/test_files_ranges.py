"""Static files: conditions, ranges, and compressed forms."""

import os
import re

import pytest

from lib.www import site  # noqa: F401

SIZE = 1000
CONTENT = os.urandom(SIZE)
MTIME = 1_000_000_000
DATE = "Sun, 09 Sep 2001 01:46:40 GMT"
EARLIER = "Sun, 09 Sep 2001 01:46:39 GMT"
LATER = "Sun, 09 Sep 2001 01:46:41 GMT"


@pytest.fixture
def server(site):
    site.write("file", CONTENT, mtime=MTIME)
    return site.serve()


@pytest.fixture
def etag(server):
    return server.fetch("/f/file").headers["etag"]


@pytest.mark.parametrize("fields, status", [
    ({"If-None-Match": "ETAG"}, 304),
    ({"If-None-Match": "W/ETAG"}, 304),
    ({"If-None-Match": '"x", ETAG, "y"'}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"x"'}, 200),
    ({"If-Modified-Since": DATE}, 304),
    ({"If-Modified-Since": LATER}, 304),
    ({"If-Modified-Since": EARLIER}, 200),
    ({"If-Modified-Since": "Sunday, 09-Sep-01 01:46:40 GMT"}, 304),
    ({"If-Modified-Since": "Sun Sep  9 01:46:40 2001"}, 304),
    ({"If-Modified-Since": "recently"}, 200),
    ({"If-None-Match": '"x"', "If-Modified-Since": DATE}, 200),
    ({"If-None-Match": "ETAG", "If-Modified-Since": EARLIER}, 304),
    ({"If-Match": "ETAG"}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"x"'}, 412),
    ({"If-Match": "W/ETAG"}, 412),
    ({"If-Unmodified-Since": DATE}, 200),
    ({"If-Unmodified-Since": EARLIER}, 412),
    ({"If-Match": "ETAG", "If-Unmodified-Since": EARLIER}, 200),
    ({"If-Match": '"x"', "If-None-Match": "ETAG"}, 412),
    ({"If-Match": "ETAG", "If-None-Match": "ETAG"}, 304),
])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_conditions_are_judged(server, etag, method, fields, status):
    headers = {name: value.replace("ETAG", etag) for name, value in fields.items()}
    with server.connect() as connection:
        response = connection.request("/f/file", method, headers)
        assert response.status == status
        assert response.body == (CONTENT if (status, method) == (200, "GET") else response.body)
        if status == 304:
            assert response.headers["etag"] == etag
            assert response.headers["last-modified"] == DATE
            assert not {"content-type", "content-encoding"} & set(response.headers)
            assert response.headers.get("content-length", "0") in ("0", str(SIZE))
        # Were there a body too many, it would be taken for this answer.
        assert connection.request("/f/file").body == CONTENT


def test_conditions_are_for_what_is_there(server):
    for name in ("If-Match", "If-None-Match"):
        assert server.fetch("/f/none", headers={name: "*"}).status == 404


def test_tag_changes_with_the_file(site, server, etag):
    site.write("file", CONTENT[:-1], mtime=MTIME)
    shorter = server.fetch("/f/file").headers["etag"]
    site.write("file", CONTENT)
    os.utime(site.root / "file", ns=(0, MTIME * 10**9 + 1))
    touched = server.fetch("/f/file").headers["etag"]
    assert len({etag, shorter, touched}) == 3


@pytest.mark.parametrize("value, first, last", [
    ("bytes=0-0", 0, 0), ("bytes=0-", 0, 999), ("bytes=10-19", 10, 19), ("bytes=-1", 999, 999),
    ("bytes=-5000", 0, 999), ("bytes=990-5000", 990, 999), ("BYTES=1-1", 1, 1),
    ("bytes=999-", 999, 999), ("bytes=0-4,5-9", 0, 9), ("bytes=5-9, 0-6", 0, 9),
    ("bytes=0-1,2000-", 0, 1),
])  # fmt: skip
def test_one_range_is_a_part(server, etag, value, first, last):
    response = server.fetch("/f/file", headers={"Range": value})
    assert (response.status, response.body) == (206, CONTENT[first : last + 1])
    assert response.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
    assert response.headers["etag"] == etag
    assert response.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("value", [
    "bytes=", "bytes", "bytes=a-b", "bytes=5-1", "lines=0-1", "bytes=0-1;2-3", "bytes=--1",
    "bytes=-", "bytes=0x1-2", "bytes=" + ",".join(f"{i}-{i}" for i in range(0, 100, 2)),
])  # fmt: skip
def test_range_that_makes_no_sense_is_ignored(server, value):
    response = server.fetch("/f/file", headers={"Range": value})
    assert (response.status, response.body) == (200, CONTENT)


@pytest.mark.parametrize("value", ["bytes=1000-", "bytes=5000-6000", "bytes=-0", "bytes=1000-,-0"])
def test_range_behind_the_end_is_refused(server, value):
    with server.connect() as connection:
        response = connection.request("/f/file", headers={"Range": value})
        assert (response.status, response.headers["content-range"]) == (416, f"bytes */{SIZE}")
        assert connection.request("/f/file").body == CONTENT


def parts_of(response):
    """The (headers, body) of each part of a multipart answer (RFC 2046 section 5.1)."""
    boundary = re.fullmatch(
        r"multipart/byteranges; boundary=(\S+)", response.headers["content-type"]
    )[1]
    first, *parts, last = response.body.split(b"--" + boundary.encode())
    assert (first, last) == (b"", b"--\r\n")
    found = []
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        lines = head.decode().strip().split("\r\n")
        found.append((dict(line.lower().split(": ", 1) for line in lines), body[:-2]))
        assert body.endswith(b"\r\n")
    return found


@pytest.mark.parametrize("value, ranges", [
    ("bytes=0-0,-1", [(0, 0), (999, 999)]),
    ("bytes=500-509,100-109,300-399", [(500, 509), (100, 109), (300, 399)]),
    ("bytes=0-9,5-19,900-", [(0, 19), (900, 999)]),
    ("bytes=0-0,5-5,2000-", [(0, 0), (5, 5)]),
])  # fmt: skip
def test_several_ranges_are_several_parts(server, value, ranges):
    with server.connect() as connection:
        response = connection.request("/f/file", headers={"Range": value})
        assert response.status == 206
        assert "content-range" not in response.headers
        assert [body for _, body in parts_of(response)] == [CONTENT[a : b + 1] for a, b in ranges]
        for (headers, _), (first, last) in zip(parts_of(response), ranges):
            assert headers == {"content-type": "application/octet-stream",
                               "content-range": f"bytes {first}-{last}/{SIZE}"}  # fmt: skip
        assert connection.request("/f/file").body == CONTENT


@pytest.mark.valgrind
def test_boundary_is_another_each_time(server):
    types = {server.fetch("/f/file", headers={"Range": "bytes=0-0,5-5"}).headers["content-type"]
             for _ in range(5)}  # fmt: skip
    assert len(types) == 5


@pytest.mark.parametrize("fields, status", [
    ({"If-Range": "ETAG"}, 206), ({"If-Range": DATE}, 206), ({"If-Range": "W/ETAG"}, 200),
    ({"If-Range": '"x"'}, 200), ({"If-Range": LATER}, 200), ({"If-Range": EARLIER}, 200),
    ({"If-None-Match": "ETAG"}, 304), ({"If-Match": '"x"'}, 412), ({"If-Match": "ETAG"}, 206),
])  # fmt: skip
def test_range_counts_if_the_conditions_let_it(server, etag, fields, status):
    headers = {name: value.replace("ETAG", etag) for name, value in fields.items()}
    response = server.fetch("/f/file", headers={"Range": "bytes=1-2", **headers})
    assert response.status == status
    if status in (200, 206):
        assert response.body == (CONTENT if status == 200 else CONTENT[1:3])


def test_range_is_for_get_only(server):
    for value in ("bytes=0-0", "bytes=1000-", "bytes=0-0,5-5"):
        head = server.fetch("/f/file", "HEAD", headers={"Range": value})
        assert (head.status, head.headers["content-length"]) == (200, str(SIZE))


def test_empty_file_has_no_ranges(site, server):
    site.write("empty")
    assert server.fetch("/f/empty", headers={"Range": "bytes=0-"}).status == 200


# Compressed forms


@pytest.fixture
def compressed(site):
    """All forms have one size and one time, so that nothing else tells them apart."""
    for name in ("both.js", "gzip.js", "none.js", "index.html"):
        site.write(name, "plain.", mtime=MTIME)
    for name in ("both.js", "gzip.js", "index.html"):
        site.write(f"{name}.gz", "zipped", mtime=MTIME)
    site.write("both.js.br", "brotli", mtime=MTIME)
    return site.serve(precompressed="yes", cache_control="no-cache")


@pytest.mark.parametrize("name, accept, coding", [
    ("both.js", "gzip, deflate, br, zstd", "br"), ("both.js", "gzip", "gzip"),
    ("both.js", "br;q=0.5, gzip", "gzip"), ("both.js", "br;q=0, *", "gzip"),
    ("both.js", None, None), ("both.js", "", None), ("both.js", "identity", None),
    ("both.js", "gzip;q=0", None), ("both.js", "zstd", None), ("both.js", "GZIP", "gzip"),
    ("gzip.js", "br, gzip", "gzip"), ("gzip.js", "br", None), ("none.js", "br, gzip", None),
    ("none.js", "gzip, identity;q=0", None), ("", "gzip", "gzip"),
])  # fmt: skip
def test_compressed_form_is_negotiated(compressed, name, accept, coding):
    headers = {} if accept is None else {"Accept-Encoding": accept}
    response = compressed.fetch(f"/f/{name}", headers=headers)
    body = {"br": "brotli", "gzip": "zipped", None: "plain."}[coding]
    assert (response.status, response.text) == (200, body)
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept-Encoding"
    assert response.headers["content-type"].startswith("text/")


def test_each_form_has_its_tag(compressed):
    def fetch(coding, **headers):
        return compressed.fetch("/f/both.js", headers={"Accept-Encoding": coding, **headers})

    tags = [fetch(coding).headers["etag"] for coding in ("br", "gzip", "identity")]
    assert len(set(tags)) == 3
    same = fetch("br", **{"If-None-Match": tags[0]})
    assert (same.status, same.headers["vary"]) == (304, "Accept-Encoding")
    assert same.headers["cache-control"] == "no-cache"
    assert "content-encoding" not in same.headers
    assert fetch("gzip", **{"If-None-Match": tags[0]}).status == 200
    part = fetch("br", Range="bytes=0-2", **{"If-Range": tags[0]})
    assert (part.status, part.text, part.headers["content-encoding"]) == (206, "bro", "br")
    assert fetch("gzip", Range="bytes=0-2", **{"If-Range": tags[0]}).status == 200


def test_forms_are_files_only_unless_asked_for(site):
    site.write("file.js", "plain.")
    site.write("file.js.gz", "zipped")
    server = site.serve()
    response = server.fetch("/f/file.js", headers={"Accept-Encoding": "gzip"})
    assert response.text == "plain."
    assert not {"vary", "content-encoding"} & set(response.headers)
    assert server.fetch("/f/file.js.gz").text == "zipped"


def test_form_that_leads_out_of_the_root_is_not_taken(site, tmp_path):
    (tmp_path / "secret").write_text("SECRET")
    site.write("file.js", "plain.")
    (site.root / "file.js.gz").symlink_to("../secret")
    server = site.serve(precompressed="yes")
    assert server.fetch("/f/file.js", headers={"Accept-Encoding": "gzip"}).text == "plain."
