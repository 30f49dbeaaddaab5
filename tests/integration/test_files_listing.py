"""Static files: listings of folders."""

import html
import os
import re
import urllib.parse

import pytest

from lib.www import site  # noqa: F401

HOSTILE = [
    b"<script>alert(1)<", b"\"><img src=x onerror='alert(1)'>", b"a&amp;b", b"javascript:alert(1)",
    b"new\nline", b"\xff\xfe", b"tab\t\x1b[31m", b"a%2fb", b"a?b#c", b" ", b"x" * 255, b"\\",
    "ü \u202e".encode(),
]  # fmt: skip


def links(page):
    return [html.unescape(link) for link in re.findall(r'<a href="([^"]*)"', page)]


def test_listing_is_off_by_default(site):
    site.write("file")
    assert site.serve().fetch("/f/").status == 403


@pytest.mark.smoke
@pytest.mark.valgrind
def test_page_lists_folders_then_files(site):
    site.write("b.txt", "x" * 12345, mtime=1_000_000_000)
    site.write("Z")
    site.write("sub/a.txt")
    site.write(".hidden")
    os.mkfifo(site.root / "fifo")
    server = site.serve(autoindex="yes")
    response = server.fetch("/f/")
    assert response.status == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'unsafe-inline'")  # fmt: skip
    assert response.headers["vary"] == "Accept"
    assert links(response.text) == ["./sub/", "./Z", "./b.txt"]
    assert "<h1>Index of /f/</h1>" in response.text
    assert "<td>12345</td><td>2001-09-09 01:46</td>" in response.text
    assert "color-scheme: light dark" in response.text
    assert links(server.fetch("/f/sub/").text) == ["../", "./a.txt"]


def test_listing_as_json(site):
    site.write("b.txt", "x" * 12345, mtime=1_000_000_000)
    site.write("sub/a.txt")
    os.utime(site.root / "sub", (0, 0))
    response = site.serve(autoindex="yes").fetch("/f/", headers={"Accept": "application/json"})
    assert (response.status, response.headers["content-type"]) == (200, "application/json")
    assert response.headers["vary"] == "Accept"
    assert response.json == [
        {"name": "sub", "type": "directory", "mtime": "Thu, 01 Jan 1970 00:00:00 GMT"},
        {"name": "b.txt", "type": "file", "mtime": "Sun, 09 Sep 2001 01:46:40 GMT", "size": 12345},
    ]


def test_browsers_get_the_page(site):
    accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    response = site.serve(autoindex="yes").fetch("/f/", headers={"Accept": accept})
    assert response.headers["content-type"] == "text/html; charset=utf-8"


def test_every_name_is_only_a_name(site):
    """Each link leads to its file, and nothing of a name is markup."""
    for number, name in enumerate(HOSTILE):
        site.write(name, str(number))
    server = site.serve(autoindex="yes")
    page = server.fetch("/f/").text
    assert "<script" not in page and "<img" not in page and "onerror='" not in page
    assert "\x1b" not in page
    found = {}
    for link in links(page):
        assert link.startswith("./")
        response = server.fetch("/f/" + link[2:])
        assert response.status == 200, link
        found[urllib.parse.unquote_to_bytes(link[2:])] = response.text
    assert found == {name: str(number) for number, name in enumerate(HOSTILE)}


def test_json_is_valid_whatever_the_names(site):
    for name in HOSTILE:
        site.write(name)
    listing = site.serve(autoindex="yes").fetch("/f/", headers={"Accept": "application/json"}).json
    assert len(listing) == len(HOSTILE)
    assert "<script>alert(1)<" in {entry["name"] for entry in listing}


def test_hostile_folder_is_listed(site):
    site.write(b"<b>&\"\n\xff/file")
    page = site.serve(autoindex="yes").fetch("/f/%3Cb%3E%26%22%0A%FF/").text
    assert "Index of /f/&lt;b&gt;&amp;&quot;\ufffd\ufffd/" in page


def test_dot_files_are_listed_if_they_are_served(site):
    site.write(".hidden")
    site.write("file")
    assert links(site.serve(autoindex="yes").fetch("/f/").text) == ["./file"]
    server = site.serve(autoindex="yes", dot_files="yes")
    assert links(server.fetch("/f/").text) == ["./.hidden", "./file"]


def test_index_comes_before_the_listing(site):
    site.write("index.html", "index")
    assert site.serve(autoindex="yes").fetch("/f/").text == "index"


def test_long_listing_is_cut(site):
    for number in range(10_001):
        site.write(f"{number:05}")
    with site.serve(autoindex="yes").connect() as connection:
        page = connection.request("/f/").text
        assert len(links(page)) == 10_000
        assert "There is more than these 10000 entries." in page
        head = connection.request("/f/", "HEAD")
        assert head.headers["content-length"] == str(len(page.encode()))
