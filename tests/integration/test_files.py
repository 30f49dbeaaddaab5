"""Static files: what is served, and as what."""

import os

import pytest

from lib.client import render
from lib.wait import eventually
from lib.www import site  # noqa: F401


@pytest.mark.smoke
@pytest.mark.valgrind
def test_file_is_served(site):
    site.write("a/b.txt", "hello", mtime=1_000_000_000)
    response = site.serve().fetch("/f/a/b.txt")
    assert (response.status, response.body) == (200, b"hello")
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-length"] == "5"
    assert response.headers["last-modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert response.headers["accept-ranges"] == "bytes"
    assert response.headers["etag"].startswith('"')
    assert not {"cache-control", "vary", "content-encoding"} & set(response.headers)


@pytest.mark.parametrize("size", [0, 1, 1023, 32767, 32768, 32769, 65536, 1_000_000])
def test_files_of_any_size_are_whole(site, size):
    content = os.urandom(size)
    site.write("file", content)
    with site.serve().connect() as connection:
        for _ in range(3):
            assert connection.request("/f/file").body == content


def test_pipelined_files_come_in_order(site):
    contents = [os.urandom(size) for size in (10, 300_000, 0, 40_000, 5)]
    for i, content in enumerate(contents):
        site.write(str(i), content)
    with site.serve().connect() as connection:
        connection.send(b"".join(render(f"/f/{i}") for i in range(len(contents))))
        assert [connection.receive().body for _ in contents] == contents


@pytest.mark.parametrize("target", ["/f/file", "/f/empty", "/f/none", "/f/", "/f/dir", "/f/list/"])
def test_head_has_the_headers_of_get(site, target):
    site.write("file", "x" * 1000)
    site.write("empty")
    site.write("dir/index.html", "index")
    site.write("list/file")
    with site.serve(autoindex="yes").connect() as connection:
        get = connection.request(target)
        head = connection.request(target, "HEAD")
        assert connection.request("/f/file").status == 200
    for response in (get, head):
        response.headers.pop("date")
    assert (head.status, head.headers, head.body) == (get.status, get.headers, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_files_are_only_read(site, method):
    site.write("file", "x")
    response = site.serve(fallback="file").fetch("/f/file", method, body=b"x")
    assert response.status == 405
    assert response.headers["allow"].startswith("GET, HEAD")


@pytest.mark.parametrize("name, type_", [
    ("a.html", "text/html; charset=utf-8"), ("a.css", "text/css; charset=utf-8"),
    ("a.png", "image/png"), ("a.PNG", "image/png"), ("a.json", "application/json"),
    ("a", "application/octet-stream"), ("a.unheard-of", "application/octet-stream"),
    ("a.foo", "text/x-foo; charset=utf-8"), ("a.tar.bar", "x/bar"), ("b.jpg", "x/jpg"),
])  # fmt: skip
def test_type_goes_by_the_extension(site, name, type_):
    site.write(name)
    server = site.serve(types=["foo text/x-foo; charset=utf-8", "BAR x/bar", "jpg x/jpg"])
    assert server.fetch(f"/f/{name}").headers["content-type"] == type_


def test_cache_control_is_that_of_the_route(site):
    site.write("file", "x")
    server = site.serve(cache_control="public, max-age=60")
    whole = server.fetch("/f/file")
    part = server.fetch("/f/file", headers={"Range": "bytes=0-0"})
    same = server.fetch("/f/file", headers={"If-None-Match": whole.headers["etag"]})
    assert [r.status for r in (whole, part, same)] == [200, 206, 304]
    assert {r.headers["cache-control"] for r in (whole, part, same)} == {"public, max-age=60"}
    assert "cache-control" not in server.fetch("/f/none").headers


def test_names_are_decoded_once(site):
    for name in ("a b", "%41", "ä", "q?x", "a+b", "a;b", "a:b"):
        site.write(name, name)
    server = site.serve()
    for target, name in [("a%20b", "a b"), ("%2541", "%41"), ("%C3%A4", "ä"), ("q%3Fx?y", "q?x"),
                         ("a+b", "a+b"), ("a;b", "a;b"), ("a:b", "a:b")]:  # fmt: skip
        assert server.fetch(f"/f/{target}").text == name


def test_route_of_one_path_serves_the_file_of_that_name(site):
    site.write("favicon.ico", "icon")
    server = site.serve(pattern="/favicon.ico")
    assert server.fetch("/favicon.ico").text == "icon"
    assert server.fetch("/favicon.ico/").status == 404


def test_route_of_the_top_serves_its_index(site):
    site.write("index.html", "index")
    site.write("a", "a")
    server = site.serve(pattern="/{$}")
    assert server.fetch("/").text == "index"
    assert server.fetch("/a").status == 404


def test_route_of_everything_leaves_others_theirs(site):
    site.write("a/b", "b")
    server = site.serve(pattern="/")
    assert server.fetch("/a/b").text == "b"
    assert server.fetch("/a").headers["location"] == "/a/"
    assert server.fetch("/hello").text == "Hello from a zombie.\n"


# Folders


def test_index_stands_for_its_folder(site):
    site.write("index.html", "top")
    site.write("sub/index.html", "sub")
    server = site.serve()
    assert server.fetch("/f/").text == "top"
    assert server.fetch("/f/").headers["content-type"] == "text/html; charset=utf-8"
    assert server.fetch("/f/sub/").text == "sub"
    assert server.fetch("/f/sub/index.html").text == "sub"


def test_first_index_wins(site):
    site.write("one/a.txt", "a")
    site.write("one/b.txt", "b")
    site.write("two/b.txt", "b")
    site.write("three/a.txt/file")
    site.write("three/b.txt", "b")
    site.write("four/index.html", "not looked for")
    server = site.serve(index=["a.txt", "b.txt"])
    assert [server.fetch(f"/f/{n}/").text for n in ("one", "two", "three")] == ["a", "b", "b"]
    assert server.fetch("/f/four/").status == 403


@pytest.mark.parametrize("target, location", [
    ("/f/sub", "/f/sub/"), ("/f/sub?a=b&c", "/f/sub/?a=b&c"), ("/f/s%75b", "/f/s%75b/"),
    ("/f/a%20b", "/f/a%20b/"), ("/f/%0D%0AX:y", "/f/%0D%0AX:y/"),
    ("http://zombie.test/f/sub", "/f/sub/"),
])  # fmt: skip
def test_folder_without_its_slash_is_redirected(site, target, location):
    for name in ("sub", "a b", "\r\nX:y"):
        site.write(f"{name}/index.html")
    response = site.serve().fetch(target)
    assert (response.status, response.headers["location"]) == (301, location)
    assert "x" not in response.headers


def test_no_redirect_leads_to_another_host(site):
    site.write("evil.test/index.html")
    server = site.serve(pattern="/")
    with server.connect() as connection:
        for target in ("//evil.test", "///evil.test", "/%2Fevil.test", "/%5Cevil.test"):
            response = connection.request(target)
            location = response.headers.get("location", "/")
            assert location.startswith("/") and not location.startswith(("//", "/\\")), target


def test_folder_without_index_is_forbidden(site):
    site.write("sub/file")
    server = site.serve()
    assert server.fetch("/f/").status == 403
    assert server.fetch("/f/sub/").status == 403


def test_file_is_no_folder(site):
    site.write("file", "x")
    server = site.serve()
    assert [server.fetch(f"/f/file{rest}").status for rest in ("/", "/x", "/x/")] == [404] * 3


# Single-page applications


def test_fallback_is_for_what_is_not_there(site):
    site.write("app.html", "app")
    site.write("dir/file", "file")
    site.write("dir/.hidden", "hidden")
    server = site.serve(fallback="app.html", cache_control="no-cache")
    for target in ("none", "none/deep/er", "none.js", "", "dir/", "dir/file/", "dir/none/"):
        response = server.fetch(f"/f/{target}")
        assert (response.status, response.text) == (200, "app"), target
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
    etag = server.fetch("/f/none").headers["etag"]
    assert server.fetch("/f/other", headers={"If-None-Match": etag}).status == 304
    assert server.fetch("/f/none", "HEAD").headers["content-length"] == "3"
    assert server.fetch("/f/dir/file").text == "file"
    assert server.fetch("/f/dir").status == 301
    for target in ("dir/.hidden", "%2e%2e%2fx", "a%2fb"):
        assert server.fetch(f"/f/{target}").status == 404, target


def test_fallback_that_is_not_there_is_not_found(site):
    assert site.serve(fallback="app.html").fetch("/f/none").status == 404


# The configuration


@pytest.mark.parametrize("options, message", [
    ('index = "/etc/passwd"', "index: each item is a file below"),
    ('index = { "a", "../b" }', "index: each item is a file below"),
    ('index = "a/"', "index: each item is a file below"),
    ('types = "wasm"', "types: each item is an extension and a media type"),
    ('types = ".x a/b"', "types: each item is an extension and a media type"),
    ('fallback = "/app.html"', "fallback: it is a file below root"),
    ('fallback = "../app.html"', "fallback: it is a file below root"),
    ('cache_control = "a\nb"', "cache_control: it has control characters"),
    ('symlinks = "all"', "'all' is not one of beneath, none"),
    ('root = ""', "root: the value is empty"),
])  # fmt: skip
def test_nonsense_in_the_configuration_is_refused(run, tmp_path, options, message):
    root = "" if options.startswith("root") else f'root = "{tmp_path}"'
    path = tmp_path / "bad.conf"
    path.write_text(f'route "/f/" {{ handler = files {root} {options} }}')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert message in result.stderr


def test_root_is_required(run, tmp_path):
    path = tmp_path / "bad.conf"
    path.write_text('route "/f/" { handler = files }')
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert "root" in result.stderr


# The root


def test_root_may_come_later(site):
    site.root.rmdir()
    server = site.serve()
    server.wait_for_log(f"warning worker 1: files: root {site.root}: No such file or directory")
    assert server.fetch("/f/file").status == 404
    site.write("file", "x")
    eventually(lambda: server.fetch("/f/file").text == "x", "the new folder is served")
    server.wait_for_log(f"info worker 1: files: root {site.root} is there now")


def test_root_may_be_replaced(site):
    site.write("file", "old")
    server = site.serve()
    assert server.fetch("/f/file").text == "old"
    os.rename(site.root, f"{site.root}.old")
    site.write("file", "new")
    eventually(lambda: server.fetch("/f/file").text == "new", "the new folder is served")
    assert "is there now" not in server.log
    os.rename(site.root, f"{site.root}.gone")
    eventually(lambda: server.fetch("/f/file").status == 404, "the folder is missed")
    server.wait_for_log(f"warning worker 1: files: root {site.root}: No such file")


def test_root_may_be_a_link_that_turns(site, tmp_path):
    for name in ("blue", "green"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    site.root.rmdir()
    site.root.symlink_to("blue")
    server = site.serve()
    assert server.fetch("/f/file").text == "blue"
    (tmp_path / "next").symlink_to("green")
    os.rename(tmp_path / "next", site.root)
    eventually(lambda: server.fetch("/f/file").text == "green", "the other folder is served")
