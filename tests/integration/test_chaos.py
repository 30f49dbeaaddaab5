"""GET /workerKiller: every way to die on request, and who may ask for it."""

import re
import signal
import threading
from collections import Counter

import pytest

from lib import process
from lib.client import Connection, Disconnected, fetch

PATH = "/workerKiller"
TOKEN = "a-token-of-23-bytes-yes"


def uses(server):
    """How often the master has logged that somebody asked."""
    return len(re.findall(r"chaos: worker \d+ is asked to die", server.log))


@pytest.mark.smoke
def test_chaos_is_off_by_default(start):
    server = start()
    assert server.fetch(PATH).status == 404
    assert uses(server) == 0


@pytest.mark.smoke
@pytest.mark.valgrind
def test_answer_names_the_worker_that_dies(start):
    server = start("--chaos")
    response = server.fetch(PATH)
    worker = server.workers[response.json["worker"]]
    assert response.status == 200
    assert response.json == {
        "worker": worker.id, "slot": worker.slot, "pid": worker.pid, "mode": "exit", "after_ms": 0,
    }  # fmt: skip
    server.wait_until_replaced(worker)
    server.wait_for_log(f"worker {worker.id} died: exited with status 0 .*deliberate=yes")


def test_post_kills_too(start):
    server = start("--chaos")
    worker = server.fetch(PATH, "POST").json["worker"]
    server.wait_until_replaced(server.workers[worker])


@pytest.mark.parametrize("mode, number", [("kill", "KILL"), ("segv", "SEGV"), ("abort", "ABRT")])
def test_mode_is_the_signal_that_the_worker_dies_of(start, mode, number):
    server = start("--chaos")
    response = server.fetch(f"{PATH}?mode={mode}")
    assert response.json["mode"] == mode
    worker = server.workers[response.json["worker"]]
    server.wait_for_log(rf"worker {worker.id} died: killed by SIG{number}.* deliberate=yes")
    server.wait_until_replaced(worker)


def test_mode_hang_stops_the_worker_and_nobody_else(start):
    server = start("--chaos", "instance.hang_timeout_ms=0", "instance.grace_ms=200", workers=2)
    worker = server.workers[server.fetch(f"{PATH}?mode=hang").json["worker"]]
    server.wait_for_log(f"chaos: worker {worker.id} is asked to die .*mode=hang")
    assert server.identity()["worker"] != worker.id
    assert process.is_alive(worker.pid)  # nobody looks for workers that hang
    process.kill(worker.pid)
    server.wait_until_replaced(worker)
    assert server.fetch("/hello").status == 200


def test_worker_that_was_asked_to_hang_dies_deliberately(start):
    server = start("--chaos", "instance.hang_timeout_ms=2000", workers=2)
    worker = server.workers[server.fetch(f"{PATH}?mode=hang").json["worker"]]
    server.wait_for_log(
        rf"error master: worker {worker.id} hangs, replacing it worker={worker.id} .*signal=SIGABRT$"
    )
    server.wait_until_replaced(worker)
    server.wait_for_log(
        rf'worker {worker.id} died: killed by SIGABRT.* killed_for="it hangs" .*deliberate=yes'
    )


def test_after_ms_puts_the_death_off(start):
    server = start("--chaos", workers=1)
    assert server.fetch(f"{PATH}?after_ms=200").json["after_ms"] == 200
    assert server.identity()["worker"] == 1
    server.wait_for_log("asked to die .*after_ms=200 ")
    server.wait_until_replaced(server.workers[1])
    uptime = server.wait_for_log(r"worker 1 died: .* uptime_ms=(\d+)")[1]
    assert int(uptime) >= 200


def test_answer_of_a_worker_that_dies_closes_the_connection(start):
    server = start("--chaos", workers=1)
    with server.connect() as connection:
        assert connection.request(PATH).closes
        assert connection.is_closed()


@pytest.mark.parametrize("query", ["mode=die", "mode=", "mode=exit%20", "mode=" + "x" * 100])
def test_unknown_mode_is_refused_with_the_known_ones(start, query):
    server = start("--chaos")
    response = server.fetch(f"{PATH}?{query}")
    assert response.status == 400
    assert "exit, kill, segv, abort, hang" in response.text
    assert uses(server) == 0


@pytest.mark.parametrize("value", ["-1", "3600001", "1e3", "", "99999999999999999999"])
def test_bad_after_ms_is_refused(start, value):
    server = start("--chaos")
    response = server.fetch(f"{PATH}?after_ms={value}")
    assert response.status == 400
    assert "from 0 to 3600000" in response.text
    assert uses(server) == 0


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_kill_nobody(start, method):
    server = start("--chaos")
    response = server.fetch(PATH, method)
    assert (response.status, response.headers["allow"]) == (405, "GET, OPTIONS, POST")
    assert uses(server) == 0


def test_listed_network_may_kill(start):
    server = start("--chaos", "chaos.networks=10.0.0.0/8, 127.0.0.0/8")
    assert server.fetch(PATH).status == 200


def test_other_networks_may_not(start):
    server = start("--chaos", "chaos.networks=10.0.0.0/8")
    response = server.fetch(PATH)
    assert (response.status, uses(server)) == (403, 0)


def test_unix_clients_are_a_network_of_their_own(start, tmp_path):
    path = str(tmp_path / "socket")
    server = start("--chaos", "chaos.networks=unix", "-l", f"unix:{path}")
    assert server.fetch(PATH).status == 403
    assert fetch(path, PATH).status == 200
    server.wait_for_log("asked to die .*client=unix")


def test_token_opens(start):
    server = start("--chaos", f"chaos.token={TOKEN}")
    assert server.fetch(PATH, headers={"Authorization": f"Bearer {TOKEN}"}).status == 200


@pytest.mark.parametrize(
    "value", [None, "", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x"]
)
def test_wrong_token_is_challenged(start, value):
    server = start("--chaos", f"chaos.token={TOKEN}")
    response = server.fetch(PATH, headers={} if value is None else {"Authorization": value})
    assert response.status == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert TOKEN not in server.log + response.text
    assert uses(server) == 0


def test_listed_network_needs_no_token(start):
    server = start("--chaos", f"chaos.token={TOKEN}", "chaos.networks=127.0.0.1")
    assert server.fetch(PATH).status == 200


def test_every_use_is_logged_with_mode_and_client(start):
    server = start("--chaos")
    with server.connect() as connection:
        client = connection.socket.getsockname()
        connection.request(f"{PATH}?mode=kill")
    server.wait_for_log(
        r"warning master: chaos: worker \d+ is asked to die .*mode=kill after_ms=0 "
        rf"client=127\.0\.0\.1:{client[1]}$"
    )


class Load(threading.Thread):
    """Requests one after the other; `failures` must stay empty."""

    def __init__(self, address, keeps_alive):
        super().__init__()
        self.address, self.keeps_alive = address, keeps_alive
        self.enough = threading.Event()
        self.answers, self.failures = Counter(), []

    def _requests_of_one_connection(self):
        with Connection(self.address) as connection:
            while not self.enough.is_set():
                headers = {} if self.keeps_alive else {"Connection": "close"}
                response = connection.request("/hello", headers=headers)
                self.answers[response.status] += 1
                if response.closes or not self.keeps_alive:
                    return

    def run(self):
        while not self.enough.is_set():
            try:
                self._requests_of_one_connection()
            except (OSError, Disconnected) as error:
                self.failures.append(repr(error))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.enough.set()
        self.join()


def test_no_request_fails_while_workers_are_killed_two_hundred_times(start):
    # An idle connection must not run into its end on a machine that is slow for a while.
    server = start(
        "--chaos", "instance.drain_idle_ms=10000", "instance.grace_ms=60000", workers=2
    )
    with Load(server.address, True) as steady, Load(server.address, False) as fresh:
        killed = [server.fetch(PATH).json["worker"] for _ in range(200)]
        server.wait_for_log("is asked to die", 200)
    loads = (steady, fresh)
    assert [load.failures for load in loads] == [[], []]
    assert all(set(load.answers) == {200} for load in loads)
    assert all(sum(load.answers.values()) > 100 for load in loads)
    server.wait_until_serving(2)
    assert not {worker.id for worker in server.serving} & set(killed)
    assert uses(server) == 200
    server.stop(signal.SIGTERM)
    assert len(re.findall(r"died: exited with status 0", server.log)) == len(server.workers)


def test_keep_alive_request_to_a_leaving_worker_is_its_last(start):
    server = start("--chaos", "instance.drain_idle_ms=60000", "instance.grace_ms=60000", workers=1)
    with server.connect() as connection:
        assert not connection.request("/hello").closes
        server.fetch(PATH)
        server.wait_for_log("worker 1 leaves: chaos asked for it")
        while not (last := connection.request("/healthcheck")).closes:
            continue  # it has said that it leaves, and is about to
        # One of many goes, the instance stays: no load balancer shall take it for gone.
        assert (last.status, last.json["status"]) == (200, "serving")
        assert connection.is_closed()
    server.wait_for_log("worker 1 died: exited with status 0")


def test_leaving_worker_has_a_deadline_too(start):
    server = start("--chaos", "instance.grace_ms=200", workers=1)
    with server.connect() as connection:
        connection.request("/hello")
        connection.send("GET /hello HTTP/1.1\r\n")
        server.fetch(PATH)
        server.wait_until_replaced(server.workers[1])
        server.wait_for_log("killing worker 1: not finished in time .*connections_cut=1$")
        assert connection.is_closed()
    server.wait_for_log('worker 1 died: killed by SIGKILL .*deliberate=yes next="replaced already"')
