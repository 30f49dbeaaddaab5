"""Static files: large ones, slow readers, and files that change while they are sent."""

import os

import pytest

from lib import process
from lib.wait import eventually
from lib.www import Download, site  # noqa: F401

MIB = 1 << 20
SIZE = 64 * MIB


@pytest.fixture
def large(site):
    site.sparse("large", SIZE)
    return site


def test_large_file_is_the_same_byte_by_byte(large):
    content = (large.root / "large").read_bytes()
    server = large.serve()
    assert Download(server.address, "/f/large").read_rest() == content
    for first, last in [(0, MIB), (MIB - 1, MIB + 20), (SIZE - 1, SIZE - 1), (5, SIZE - 6)]:
        download = Download(server.address, "/f/large", {"Range": f"bytes={first}-{last}"})
        assert download.response.headers["content-range"] == f"bytes {first}-{last}/{SIZE}"
        assert download.read_rest() == content[first : last + 1]


def test_large_parts_are_the_same_byte_by_byte(large):
    content = (large.root / "large").read_bytes()
    server = large.serve()
    download = Download(server.address, "/f/large", {"Range": f"bytes=3-{20 * MIB},{40 * MIB}-"})
    boundary = b"--" + download.response.headers["content-type"].partition("=")[2].encode()
    head = b"\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes %d-%d/%d\r\n\r\n"
    expected = [
        boundary, head % (3, 20 * MIB, SIZE), content[3 : 20 * MIB + 1],
        b"\r\n", boundary, head % (40 * MIB, SIZE - 1, SIZE), content[40 * MIB :],
        b"\r\n", boundary, b"--\r\n",
    ]  # fmt: skip
    assert download.read_rest() == b"".join(expected)


def test_range_of_a_file_that_memory_does_not_hold(site):
    size = 1 << 40
    with open(site.root / "huge", "wb") as file:
        file.truncate(size)
        file.seek(size - 3)
        file.write(b"end")
    server = site.serve()
    head = server.fetch("/f/huge", "HEAD")
    assert head.headers["content-length"] == str(size)
    part = server.fetch("/f/huge", headers={"Range": "bytes=-3"})
    assert part.body == b"end"
    assert part.headers["content-range"] == f"bytes {size - 3}-{size - 1}/{size}"


def anonymous_kib(pid):
    return int(process.status_of(pid)["RssAnon"].split()[0])


def test_slow_reader_costs_no_memory(large):
    server = large.serve()
    worker = server.serving[0].pid
    # So that whatever is allocated once has been.
    assert len(Download(server.address, "/f/large").read_rest()) == SIZE
    before = anonymous_kib(worker)
    slow = [Download(server.address, "/f/large") for _ in range(8)]
    for download in slow:
        download.read(MIB)
    eventually(lambda: process.sleeps(worker), "the worker waits for its clients")
    assert anonymous_kib(worker) - before < 1024
    assert server.fetch("/hello").status == 200
    for download in slow:
        download.close()
    assert server.identity()["worker"] == 1


def test_client_that_leaves_harms_nobody(large):
    server = large.serve()
    pid = server.serving[0].pid
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(20):
        Download(server.address, "/f/large").close()
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before, "all files are closed")
    assert server.identity()["worker"] == 1


def test_deleted_file_is_sent_to_its_end(large):
    content = (large.root / "large").read_bytes()
    server = large.serve()
    download = Download(server.address, "/f/large")
    os.unlink(large.root / "large")
    assert download.read_rest() == content
    assert server.fetch("/f/large").status == 404


def test_file_may_be_replaced_while_it_is_sent(large):
    content = (large.root / "large").read_bytes()
    server = large.serve()
    download = Download(server.address, "/f/large")
    large.write("new", "new")
    os.rename(large.root / "new", large.root / "large")
    assert server.fetch("/f/large").text == "new"
    assert download.read_rest() == content


@pytest.mark.parametrize("size", [0, 100, 32 * MIB])
def test_file_that_shrinks_breaks_the_answer_off(large, size):
    server = large.serve()
    download = Download(server.address, "/f/large")
    os.truncate(large.root / "large", size)
    assert download.breaks_off()
    assert server.fetch("/f/large", "HEAD").headers["content-length"] == str(size)
    assert server.identity()["worker"] == 1


def test_file_that_grows_is_sent_as_long_as_it_was(large):
    server = large.serve()
    download = Download(server.address, "/f/large")
    with open(large.root / "large", "ab") as file:
        file.write(b"more" * MIB)
    assert download.left == SIZE
    download.read_rest()
    # The connection goes on: nothing came behind the answer's end.
    assert download.request("/hello").status == 200


def test_file_is_sent_over_http_1_0(large):
    server = large.serve()
    with Download(server.address, None, request="GET /f/large HTTP/1.0\r\n\r\n") as download:
        assert len(download.read_rest()) == SIZE
        assert download.is_closed()
