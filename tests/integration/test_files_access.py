"""Static files: what nobody gets, whatever they try."""

import ctypes
import errno
import os
import resource
import socket
import struct

import pytest

from lib.client import Disconnected
from lib.nobody import open_to_all
from lib.server import WITHOUT_LEAKS
from lib.www import site  # noqa: F401


@pytest.fixture
def guarded(site, tmp_path):
    """A site with a secret beside its root; every answer must be without it."""
    site.write("public.txt", "public")
    site.write("sub/file.txt", "file")
    (tmp_path / "secret.txt").write_text("SECRET")
    return site


@pytest.mark.parametrize("target", [
    "/f/../secret.txt", "/f/sub/../../secret.txt", "/f/./../secret.txt", "/f//../secret.txt",
    "/f/%2e%2e/secret.txt", "/f/.%2e/secret.txt", "/f/%2E%2E/secret.txt", "/f/..%2fsecret.txt",
    "/f/%2e%2e%2fsecret.txt", "/f/sub/%2e%2e/%2e%2e/secret.txt", "/f/sub/..%2f..%2fsecret.txt",
    "/f/..%5csecret.txt", "/f/..\\secret.txt", "/f/%252e%252e/secret.txt",
    "/f/%c0%ae%c0%ae/secret.txt", "/f/....//secret.txt", "/f/..;/secret.txt", "/f/..%00/secret.txt",
    "/f/%2fetc/passwd", "/f//etc/passwd", "/f/%2Fetc%2Fpasswd", "/f/sub%2ffile.txt",
    "/f/public.txt%00", "/f/public.txt%00.html", "/f/%00", "/../secret.txt", "/f/..", "/f/%2e%2e",
    "/f/sub/..", "/f/.", "/f/./", "/f/%2e/public.txt", "http://zombie.test/f/../secret.txt",
    "/f/../f/../secret.txt", "/f/public.txt/../../secret.txt", "/f/proc/self/root/etc/passwd",
])  # fmt: skip
@pytest.mark.parametrize("options", [{}, {"dot_files": "yes", "autoindex": "yes"}], ids=str)
def test_no_path_leads_out(guarded, target, options):
    server = guarded.serve(**options)
    allowed = {301, 307, 308, 400, 403, 404}
    for _ in range(3):  # redirects clean a path, and what is left is asked for as well
        with server.connect() as connection:
            try:
                response = connection.request(target)
            except Disconnected:
                return
        assert response.status in allowed, response
        assert b"SECRET" not in response.body and b"root:" not in response.body
        target = response.headers.get("location", target)
        assert target.startswith(("/", "http:")) and not target.startswith("//")
        if "location" in response.headers:
            allowed.add(200)


@pytest.mark.parametrize("name, target, beneath, none", [
    ("in", "public.txt", "public", None),
    ("in-deep", "sub/file.txt", "file", None),
    ("sub/up", "../public.txt", "public", None),
    ("chain", "in-chain", "public", None),
    ("folder/file.txt", None, "file", None),
    ("out", "../secret.txt", None, None),
    ("out-and-in", "../www/public.txt", None, None),
    ("chain-out", "out-chain", None, None),
    ("out-folder/secret.txt", None, None, None),
    ("absolute", "/etc/passwd", None, None),
    ("absolute-in", "ROOT/public.txt", None, None),
    ("magic/etc/passwd", None, None, None),
    ("descriptor", "/proc/self/fd/0", None, None),
    ("loop", "loop", None, None),
    ("broken", "none", None, None),
])  # fmt: skip
@pytest.mark.parametrize("mode", ["beneath", "none"])
def test_links_stay_within_the_root(guarded, name, target, beneath, none, mode):
    root = guarded.root
    (root / "in-chain").symlink_to("public.txt")
    (root / "out-chain").symlink_to("../secret.txt")
    (root / "folder").symlink_to("sub")
    (root / "out-folder").symlink_to("..")
    (root / "magic").symlink_to("/proc/self/root")
    if target:
        (root / name).symlink_to(target.replace("ROOT", str(root)))
    response = guarded.serve(symlinks=mode).fetch(f"/f/{name}")
    expected = beneath if mode == "beneath" else none
    assert (response.status, response.text if expected else None) == (
        (200, expected) if expected else (404, None))  # fmt: skip


def forbid_openat2():
    """For this process and its children, as a container's seccomp filter may (seccomp(2))."""
    load, jump_if_equal, ret = 0x20, 0x15, 0x06  # of the system call's number
    fail, allow, number = 0x00050000 | errno.EPERM, 0x7FFF0000, 437
    steps = [(load, 0, 0, 0), (jump_if_equal, 0, 1, number), (ret, 0, 0, fail), (ret, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None)
    set_no_new_privs, set_seccomp, mode_filter = 38, 22, 2
    assert libc.prctl(set_no_new_privs, 1, 0, 0, 0) == 0
    assert libc.prctl(set_seccomp, mode_filter, ctypes.create_string_buffer(header), 0, 0) == 0


def test_without_openat2_no_link_is_followed(guarded):
    (guarded.root / "in").symlink_to("public.txt")
    (guarded.root / "in-folder").symlink_to("sub")
    (guarded.root / "out").symlink_to("../secret.txt")
    guarded.write("sub/index.html", "index")
    server = guarded.serve(autoindex="yes", preexec=forbid_openat2)
    server.wait_for_log("warning worker 1: files: openat2 is not available here")
    assert server.fetch("/f/public.txt").text == "public"
    assert server.fetch("/f/sub/file.txt").text == "file"
    assert server.fetch("/f/sub").headers["location"] == "/f/sub/"
    assert server.fetch("/f/sub/").text == "index"
    for name in ("in", "in-folder", "in-folder/", "in-folder/file.txt", "out", "sub/none",
                 "public.txt/", "public.txt/x"):  # fmt: skip
        assert server.fetch(f"/f/{name}").status == 404, name
    names = {entry["name"] for entry in server.fetch(
        "/f/", headers={"Accept": "application/json"}).json}  # fmt: skip
    assert names == {"public.txt", "sub"}


def test_links_that_lead_out_are_not_listed(guarded):
    (guarded.root / "in").symlink_to("public.txt")
    (guarded.root / "out").symlink_to("../secret.txt")
    names = {entry["name"] for entry in guarded.serve(autoindex="yes").fetch(
        "/f/", headers={"Accept": "application/json"}).json}  # fmt: skip
    assert names == {"in", "public.txt", "sub"}


@pytest.mark.parametrize("name", [".env", ".git/config", "sub/.hidden", "..odd", "..."])
def test_dot_files_are_there_only_if_asked_for(site, name):
    site.write(name, "dots")
    assert site.serve().fetch(f"/f/{name}").status == 404
    assert site.serve(dot_files="yes").fetch(f"/f/{name}").text == "dots"


def test_what_is_no_file_hangs_nobody(site):
    os.mkfifo(site.root / "fifo")
    (site.root / "null").symlink_to("/dev/null")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(site.root / "socket"))
        os.mkdir(site.root / "index.html")
        server = site.serve()
        for name in ("fifo", "socket", "null", "fifo/"):
            assert server.fetch(f"/f/{name}").status == 404, name
        assert server.fetch("/f/").status == 403
    assert server.identity()["worker"] == 1


@pytest.mark.root
def test_devices_are_not_served(site):
    os.mknod(site.root / "zero", 0o20666, os.makedev(1, 5))
    assert site.serve().fetch("/f/zero").status == 404


@pytest.mark.root
def test_what_may_not_be_read_is_forbidden(site, tmp_path):
    open_to_all(tmp_path)
    site.write("open", "open")
    os.chmod(site.write("closed", "closed"), 0)
    site.write("sub/file", "file")
    site.write("index/index.html", "index")
    os.chmod(site.root / "sub", 0)
    os.chmod(site.root / "index/index.html", 0)
    server = site.serve("instance.user=nobody", autoindex="yes", fallback="open")
    assert server.fetch("/f/open").status == 200
    for name in ("closed", "sub/file", "sub/", "index/", "index/index.html"):
        assert server.fetch(f"/f/{name}").status == 403, name


@pytest.mark.root
def test_root_is_looked_for_within_the_chroot(site, tmp_path, monkeypatch):
    open_to_all(tmp_path)
    monkeypatch.setenv("ASAN_OPTIONS", WITHOUT_LEAKS["ASAN_OPTIONS"])
    site.write("file", "x")
    server = site.serve(f"instance.chroot={tmp_path}", "instance.user=nobody", root="/www")
    assert server.fetch("/f/file").text == "x"


def test_files_are_served_under_landlock(site):
    site.write("file", "x")
    assert site.serve("instance.landlock=yes").fetch("/f/file").text == "x"


@pytest.mark.parametrize(
    "target", ["x" * 255, "x" * 256, "x/" * 3000 + "x", "x" * 6000],
    ids=["255", "256", "3000 folders", "6000"],
)
def test_long_names_are_not_found(site, target):
    assert site.serve().fetch(f"/f/{target}").status == 404


def test_no_descriptor_left_is_said_and_over_when_it_is(site):
    site.write("file", "x")
    server = site.serve()
    worker = server.serving[0]
    with server.connect() as connection:
        assert connection.request("/f/file").status == 200
        limits = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (3, limits[1]))
        for _ in range(20):
            assert connection.request("/f/file").status == 503
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, limits)
        assert connection.request("/f/file").text == "x"
    server.wait_for_log("warning worker 1: files: cannot open a file: Too many open files")
    assert server.log.count("cannot open a file") < 10


def test_descriptors_are_given_back(site):
    site.write("file", "x" * 100)
    site.write("dir/file", "x")
    site.write("file.gz", "zip")
    server = site.serve(autoindex="yes", precompressed="yes")
    requests = [
        ("/f/file", {}), ("/f/file", {"Accept-Encoding": "gzip"}), ("/f/none", {}), ("/f/dir", {}),
        ("/f/dir/", {}), ("/f/file", {"Range": "bytes=0-1,5-6"}), ("/f/file/", {}),
        ("/f/file", {"Range": "bytes=200-"}), ("/f/file", {"If-None-Match": "*"}),
        ("/f/file", {"If-Match": '"x"'}),
    ]  # fmt: skip
    with server.connect() as connection:

        def all_of_them():
            for method in ("GET", "HEAD"):
                for target, headers in requests:
                    connection.request(target, method, headers)
            return len(os.listdir(f"/proc/{server.serving[0].pid}/fd"))

        assert all_of_them() == all_of_them()
