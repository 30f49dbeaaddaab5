"""The flight recorder: which request a worker died in, and which one keeps killing them."""

import signal
import tempfile

import pytest

from lib import process
from lib.unread import Unread, write_route

POISON = "poison request"


@pytest.fixture
def victims(start, tmp_path):
    """A server of one worker, with answers large enough to die in."""
    route = write_route(tmp_path)

    def start_one(*arguments, **options):
        return start("-c", route, "instance.backoff_min_ms=1", *arguments, workers=1, **options)

    return start_one


def die_in(server, target, address=None, number=signal.SIGKILL, bind=None):
    """Kill the worker in the middle of its answer; returns the client's own address."""
    worker = server.serving[0]
    with Unread(address or server.address, target, bind) as connection:
        connection.wait_until_stuck(worker.pid)
        process.kill(worker.pid, number)
        server.wait_until_replaced(worker)
        server.wait_for_log(f"worker {worker.id} died")
        return connection.socket.getsockname()


def poison(server):
    return [record for record in server.records if record.text.startswith(POISON)]


@pytest.mark.smoke
@pytest.mark.valgrind
def test_third_death_in_a_request_makes_it_poison(victims):
    server = victims()
    die_in(server, "/big/poison")
    die_in(server, "/big/poison")
    assert not poison(server)
    host, port = die_in(server, "/big/poison")
    server.wait_for_log(
        "error master: poison request: workers keep dying in it method=GET path=/big/poison "
        f"client={host}:{port} deaths=3$"
    )
    assert len(poison(server)) == 1


def test_each_further_death_says_so_again(victims):
    server = victims()
    for _ in range(5):
        die_in(server, "/big/poison")
    assert [record.fields["deaths"] for record in poison(server)] == ["3", "4", "5"]


def test_line_of_the_death_comes_first(victims):
    server = victims()
    for _ in range(3):
        die_in(server, "/big/poison")
    texts = [record.text for record in server.records]
    at = next(i for i, text in enumerate(texts) if text.startswith(POISON))
    assert texts[at - 1].startswith("worker 3 died: killed by SIGKILL ")


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGXCPU])
def test_any_signal_may_be_the_cause(victims, number):
    server = victims(env={"ASAN_OPTIONS": "handle_segv=0:handle_abort=0"})
    for _ in range(3):
        die_in(server, "/big/poison", number=number)
    assert [record.fields["deaths"] for record in poison(server)] == ["3"]


def test_query_does_not_matter(victims):
    server = victims()
    for target in ("/big/poison?a=1", "/big/poison", "/big/poison?b=2"):
        die_in(server, target)
    assert [record.fields["deaths"] for record in poison(server)] == ["3"]
    assert poison(server)[0].fields["path"] == "/big/poison?b=2"


def test_paths_are_counted_apart(victims):
    server = victims()
    for target in ("/big/a", "/big/b", "/big/a", "/big/b", "/big/a/", "/big/A", "/big/b%61"):
        die_in(server, target)
    assert not poison(server)
    die_in(server, "/big/b")
    assert [record.fields["path"] for record in poison(server)] == ["/big/b"]


def test_deaths_without_a_request_do_not_count(victims):
    server = victims()
    die_in(server, "/big/poison")
    die_in(server, "/big/poison")
    for _ in range(3):
        worker = server.serving[0]
        process.kill(worker.pid)
        server.wait_until_replaced(worker)
        died = server.wait_for_log(f"worker {worker.id} died: .*$")[0]
        assert "path=" not in died
    assert not poison(server)
    die_in(server, "/big/poison")
    assert [record.fields["deaths"] for record in poison(server)] == ["3"]


def test_deaths_that_were_meant_do_not_count(victims):
    server = victims("instance.grace_ms=3600000")
    for _ in range(4):
        worker = server.serving[0]
        with Unread(server.address, "/big/meant") as connection:
            connection.wait_until_stuck(worker.pid)
            process.kill(worker.pid, signal.SIGTERM)
            server.wait_for_log(f"worker {worker.id} leaves: it got a signal")
            process.kill(worker.pid)
            server.wait_for_log(
                f"worker {worker.id} died: killed by SIGKILL .*path=/big/meant .*deliberate=yes"
            )
        server.wait_until_replaced(worker)
    assert not poison(server)


def test_record_survives_a_reload_and_an_upgrade(victims):
    server = victims()
    die_in(server, "/big/poison")
    for number, generation in ((signal.SIGHUP, 2), (signal.SIGUSR2, 3)):
        server.send_signal(number)
        server.wait_for_log(f"reloaded: generation {generation} serves")
        server.wait_until_serving(1, after=max(server.workers) - 1)
        server.wait_for_log("worker . leaves: a newer generation serves", generation - 1)
        server.wait_for_log("worker . died: exited with status 0", generation - 1)
        die_in(server, "/big/poison")
    assert [record.fields["deaths"] for record in poison(server)] == ["3"]


def path_of(size):
    return "/big/" + "".join(chr(ord("a") + i % 26) for i in range(size - len("/big/")))


@pytest.mark.parametrize("size", [127, 128, 129, 1000])
def test_path_is_shown_up_to_128_bytes(victims, size):
    server = victims()
    target = path_of(size)
    for _ in range(3):
        die_in(server, target)
    shown = target[:128]
    server.wait_for_log(f"worker 1 died: .* path={shown} client=")
    assert poison(server)[0].fields["path"] == shown


# Who asked


def test_client_is_named_over_ipv6(victims):
    server = victims(listen="[::1]:0")
    _, port, *_ = die_in(server, "/big/six", ("::1", server.port))
    line = server.wait_for_log(r"worker 1 died: .* path=/big/six client=(\S+)")
    assert line[1] == f"[::1]:{port}"


@pytest.mark.parametrize("own", ["", "client"], ids=["nameless", "bound"])
def test_client_is_named_over_a_unix_socket(victims, own):
    with tempfile.TemporaryDirectory() as folder:  # a short name: 55 bytes are shown
        path, name = f"{folder}/socket", f"{folder}/{own}" if own else ""
        server = victims(listen=f"unix:{path}")
        die_in(server, "/big/unix", path, bind=name)
        line = server.wait_for_log(r"worker 1 died: .* path=/big/unix client=(\S+) elapsed_ms=")
        assert line[1] == f"unix:{name}"
        server.stop()
