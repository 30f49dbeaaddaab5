"""Listening sockets: addresses, unix sockets and their files, fairness between workers."""

import os
import socket
import stat
from collections import Counter

import pytest

from lib.client import Connection, fetch


def leave_stale_socket(path):
    """What a process that was killed leaves behind: a file that nobody listens on."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))


@pytest.mark.smoke
@pytest.mark.valgrind
def test_port_in_use_is_named(start, run):
    port = start().port
    result = run("-l", f"127.0.0.1:{port}", "-w", 1)
    assert result.returncode == 71
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in result.stderr
    assert "forked" not in result.stderr


def test_ipv6(start):
    server = start(listen="[::1]:0")
    server.wait_for_log(r"listening on http://\[::1\]:\d+$")
    assert fetch(("::1", server.port), "/hello").status == 200


def test_several_listeners_serve_alike(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start("-l", "127.0.0.1:0", "-l", "[::1]:0", "-l", f"unix:{path}")
    first, second, third = server.ports
    for address in (("127.0.0.1", first), ("127.0.0.1", second), ("::1", third), path):
        assert fetch(address, "/hello").status == 200
    server.wait_for_log("is ready .*listeners=4")


def test_one_bad_listener_of_several_stops_the_start(start, run, tmp_path):
    port, path = start().port, tmp_path / "socket"
    result = run("-l", f"unix:{path}", "-l", f"127.0.0.1:{port}", "-w", 1)
    assert result.returncode == 71
    assert not path.exists()


@pytest.mark.parametrize("mode", ["0600", "0660", "0777"])
def test_unix_socket_has_the_mode(start, tmp_path, mode):
    path = tmp_path / "socket"
    server = start(f"listen.unix:{path}.mode={mode}", listen=f"unix:{path}", workers=1)
    assert stat.S_IMODE(os.stat(path).st_mode) == int(mode, 8)
    server.wait_for_log(f"listening on unix:{path}$")


def test_unix_socket_is_unlinked_at_the_stop(start, tmp_path):
    path = tmp_path / "socket"
    server = start(listen=f"unix:{path}")
    assert fetch(str(path), "/hello").status == 200
    server.stop()
    assert not path.exists()


def test_stale_unix_socket_is_replaced(start, tmp_path):
    path = tmp_path / "socket"
    leave_stale_socket(path)
    start(listen=f"unix:{path}")
    assert fetch(str(path), "/hello").status == 200


def test_live_unix_socket_is_not_taken(start, run, tmp_path):
    path = tmp_path / "socket"
    start(listen=f"unix:{path}")
    result = run("-l", f"unix:{path}", "-w", 1)
    assert result.returncode == 71
    assert f"cannot listen on unix:{path}: Address already in use" in result.stderr
    assert fetch(str(path), "/hello").status == 200


def test_file_that_is_no_socket_is_left_alone(run, tmp_path):
    path = tmp_path / "socket"
    path.write_text("precious")
    assert run("-l", f"unix:{path}", "-w", 1).returncode == 71
    assert path.read_text() == "precious"


def test_unix_socket_of_a_successor_is_not_unlinked(start, tmp_path):
    path = tmp_path / "socket"
    first = start(listen=f"unix:{path}")
    os.unlink(path)
    start(listen=f"unix:{path}")
    first.stop()
    assert path.exists()
    assert fetch(str(path), "/hello").status == 200


def test_unix_socket_in_a_missing_folder_is_an_error(run, tmp_path):
    result = run("-l", f"unix:{tmp_path}/none/socket", "-w", 1)
    assert result.returncode == 71
    assert "No such file or directory" in result.stderr


def test_address_of_another_machine_is_an_error(run):
    result = run("-l", "192.0.2.1:0", "-w", 1)
    assert result.returncode == 71
    assert "cannot listen on 192.0.2.1:0: Cannot assign requested address" in result.stderr


def test_port_is_free_after_the_stop(start):
    first = start()
    port = first.port
    with Connection(first.address) as connection:
        connection.request("/hello")  # so that the server's side closes first: TIME_WAIT
        first.stop()
    assert start(listen=f"127.0.0.1:{port}").port == port


def test_sequential_connections_are_shared_out_fairly(start):
    server = start(workers=4)
    shares = Counter(server.identity()["worker"] for _ in range(400))
    assert set(shares) == {1, 2, 3, 4}
    assert max(shares.values()) <= 1.5 * min(shares.values())
