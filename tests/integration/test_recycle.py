"""Workers that have served long enough: replaced one by one, and no client notices."""

import os
import re
import resource
import signal
import threading

import pytest

from lib import process
from lib.client import render
from lib.nobody import become_nobody, limit_processes, public  # noqa: F401
from lib.reload import wait_until_told
from lib.wait import eventually

JSON = {"Accept": "application/json"}
HOUR = 3600000
MIB = 1 << 20


def rss(pid):
    return int(process.status_of(pid)["VmRSS"].split()[0]) * 1024


def recycled(server):
    """The workers that were to be recycled, in that order."""
    return [int(n) for n in re.findall(r"worker (\d+) is to be recycled", server.log)]


def assert_in_order(server, *patterns):
    places = [re.search(pattern, server.log, re.M).start() for pattern in patterns]
    assert places == sorted(places), patterns


def least_serving(server):
    """How many served when there were fewest, from the first moment that all did."""
    serving, least = set(), None
    for record in server.records:
        match = re.match(r"worker (\d+) (is ready|leaves|died)", record.text)
        if record.role != "master" or not match:
            continue
        if match[2] == "is ready":
            serving.add(match[1])
        else:
            serving.discard(match[1])
        if len(serving) >= server.n_workers or least is not None:
            least = min(len(serving), least or len(serving))
    return least


def most_at_once(server):
    """How many workers were on their way out for being recycled, when there were most."""
    going, most = set(), 0
    for record in server.records:
        match = re.match(r"worker (\d+) (is to be recycled|died)", record.text)
        if not match:
            continue
        if match[2] == "died":
            going.discard(match[1])
        else:
            going.add(match[1])
        most = max(most, len(going))
    return most


class Regular:
    """A client whose requests all go to one worker, which counts them."""

    def __init__(self, server, slot):
        self.connection = server.connect()
        while (answer := self.ask())["slot"] != slot:
            self.connection.close()
            self.connection = server.connect()
        self.worker, self.requests = answer["worker"], answer["requests"]

    def ask(self):
        return self.connection.request("/", headers=JSON).json

    def ask_until(self, requests):
        while self.requests < requests:
            self.requests = self.ask()["requests"]
        assert self.requests == requests


@pytest.fixture
def crowd():
    """Clients that never stop asking; what went wrong is in `problems`."""

    class Crowd:
        def __init__(self):
            self.problems = []
            self.answers = 0
            self.over = threading.Event()
            self.threads = []

        def start(self, server):
            for ask in (self._ask_anew, self._ask_on):
                self.threads.append(threading.Thread(target=self._loop, args=(ask, server)))
                self.threads[-1].start()

        def _loop(self, ask, server):
            while not self.over.is_set():
                try:
                    ask(server)
                except Exception as error:  # whatever it is, a client would see it
                    self.problems.append(repr(error))

        def _count(self, response):
            self.answers += 1
            if response.status != 200:
                self.problems.append(response.status)
            return response

        def _ask_anew(self, server):
            self._count(server.fetch("/hello"))

        def _ask_on(self, server):
            with server.connect() as connection:
                while not self._count(connection.request("/hello")).closes:
                    if self.over.is_set():
                        return

        def stop(self):
            self.over.set()
            for thread in self.threads:
                thread.join()

    made = Crowd()
    yield made
    made.stop()


# max_requests


@pytest.mark.valgrind
def test_limit_of_requests_counts_by_slot(start, manager):
    server = start("instance.max_requests=10", workers=2, env=manager.variables(100))
    for slot, limit in ((1, 10), (2, 12)):  # half a limit lies between the first and one past N
        regular = Regular(server, slot)
        assert regular.worker == slot
        regular.ask_until(limit - 1)
        manager.watch(server.pid)
        assert slot not in recycled(server)
        regular.ask_until(limit)
        server.wait_for_log(f"worker {slot} is to be recycled: max_requests reached worker={slot}$")
        successor = server.wait_until_replaced(server.workers[slot])
        regular.connection.close()
        server.wait_for_log(
            f"worker {slot} died: exited with status 0 .*requests={limit} .*deliberate=yes "
            'next="replaced already"$'
        )
        assert_in_order(
            server, f"worker {slot} is to be recycled", f"worker {successor.id} forked",
            f"worker {successor.id} is ready", f"worker {slot} leaves: its successor serves",
            f"worker {slot} died",
        )  # fmt: skip
    assert recycled(server) == [1, 2]
    assert least_serving(server) == 2


def test_no_client_notices(start, manager, crowd):
    server = start("instance.max_requests=50", workers=3, env=manager.variables(20))
    crowd.start(server)
    server.wait_for_log(r"worker \d+ died: exited with status 0 .*replaced already", 9)
    crowd.stop()
    assert not crowd.problems
    assert crowd.answers > 9 * 50
    assert most_at_once(server) == 1
    assert least_serving(server) == 3
    assert "killing worker" not in server.log


def test_one_at_a_time_however_many_are_due(start, manager):
    server = start("instance.max_requests=1", workers=4, env=manager.variables(20))
    regulars = [Regular(server, slot) for slot in (1, 2, 3, 4)]
    server.wait_for_log(r"worker \d+ leaves: its successor serves", 4)
    for regular in regulars:
        regular.connection.close()
    server.wait_for_log(r"worker \d+ died", 4)
    assert most_at_once(server) == 1
    assert least_serving(server) == 4


def test_slow_request_of_who_leaves_is_answered(start, manager):
    server = start("instance.max_requests=1", f"instance.grace_ms={HOUR}", workers=1,
                   env=manager.variables(20))  # fmt: skip
    with server.connect() as connection:
        connection.request("/hello")
        connection.send("GET /hello HTTP/1.1\r\n")
        server.wait_for_log("worker 1 leaves: its successor serves")
        manager.watch(server.pid)
        assert server.identity()["worker"] == 2
        wait_until_told(server.workers[1])
        connection.send("Host: zombie.test\r\n\r\n")
        response = connection.receive()
        assert (response.status, response.closes) == (200, True)
    server.wait_for_log("worker 1 died: exited with status 0")


def test_slow_request_holds_the_token(start, manager):
    server = start("instance.max_requests=1", f"instance.grace_ms={HOUR}", workers=2,
                   env=manager.variables(20))  # fmt: skip
    with server.connect() as slow:
        slow.request("/hello")
        slow.send("GET /hello HTTP/1.1\r\n")
        server.wait_for_log("worker . leaves: its successor serves")
        for slot in (1, 2):  # both are due now
            Regular(server, slot).connection.close()
        manager.watch(server.pid, 10)
        assert len(recycled(server)) == 1
    server.wait_for_log("worker . died", 2)
    assert most_at_once(server) == 1


def test_no_limit_is_the_default(start, manager):
    server = start(workers=1, env=manager.variables(20))
    with server.connect() as connection:
        for _ in range(200):
            assert connection.request("/hello").status == 200
    manager.watch(server.pid)
    assert not recycled(server)


def test_every_slot_has_its_turn_though_the_first_is_always_due(start, manager):
    server = start("instance.max_requests=1", workers=3, env=manager.variables(20))

    def all_have_gone():
        for _ in range(6):
            server.fetch("/hello")
        gone = re.findall(r"worker (\d+) is to be recycled", server.log)
        return {server.workers[int(number)].slot for number in gone} == {1, 2, 3}

    eventually(all_have_gone, "each slot has been recycled")


# max_age_ms, max_memory


def test_age_is_a_reason(start, manager):
    server = start("instance.max_age_ms=1000", workers=2, env=manager.variables(50))
    for number in (1, 2):
        server.wait_for_log(f"worker {number} is to be recycled: max_age reached worker=")
        uptime = server.wait_for_log(f"worker {number} died: .* uptime_ms=(\\d+)")[1]
        assert int(uptime) >= 1000
    server.wait_for_log("worker [34] is to be recycled: max_age reached worker=")
    assert most_at_once(server) == 1
    assert least_serving(server) == 2


def test_age_under_the_limit_is_none(start, manager):
    server = start(f"instance.max_age_ms={HOUR}", workers=2, env=manager.variables(20))
    manager.watch(server.pid, 20)
    assert not recycled(server)


def test_memory_is_a_reason_and_the_requests_that_took_it_are_answered(start):
    n, size = 20, 3 * MIB // 2
    growth = n * size // 2
    usual = rss(start(workers=1).serving[0].pid)
    server = start(
        f"instance.max_memory={usual + growth}", f"http.max_header_bytes={MIB}",
        f"http.max_body_bytes={2 * MIB}", f"instance.grace_ms={HOUR}", workers=1,
    )  # fmt: skip
    connections = [server.connect() for _ in range(n)]
    for connection in connections:
        connection.send(render("/hello", "POST", body=bytes(size))[:-1])
    eventually(lambda: rss(server.workers[1].pid) > usual + growth, "the worker has grown")
    server.wait_for_log("worker 1 is to be recycled: max_memory exceeded worker=")
    server.wait_for_log("worker 1 leaves: its successor serves")
    wait_until_told(server.workers[1])
    for connection in connections:
        with connection:
            connection.send(b"\0")
            assert connection.receive().closes
    uptime = server.wait_for_log(r"worker 1 died: exited with status 0 .* uptime_ms=(\d+)")[1]
    assert int(uptime) >= 10000  # a successor would not be smaller than who is that young
    assert recycled(server) == [1]
    assert least_serving(server) == 1


# What comes in between


@pytest.mark.root
def test_fork_that_fails_postpones_and_the_old_one_goes_on(start, public, manager):
    os.chmod(manager.address, 0o777)
    os.chmod(os.path.dirname(manager.address), 0o755)
    server = start("instance.max_requests=5", "instance.backoff_min_ms=1", workers=2,
                   env=manager.variables(20), binary=public, preexec=become_nobody)  # fmt: skip
    before, _ = resource.getrlimit(resource.RLIMIT_NPROC)  # the server has it from us
    limit_processes(server.pid, 1)
    regular = Regular(server, 1)
    regular.ask_until(5)
    server.wait_for_log(
        r"warning master: cannot start a successor for slot 1: Resource temporarily unavailable, "
        r"trying again in \d+ ms$", 3,
    )  # fmt: skip
    pauses = [int(n) for n in re.findall(r"trying again in (\d+) ms", server.log)]
    assert pauses[:3] == [1, 2, 4]
    assert regular.ask()["worker"] == 1
    assert process.children_of(server.pid) == [worker.pid for worker in server.serving]
    limit_processes(server.pid, before if before >= 0 else "unlimited")
    server.wait_for_log("worker 1 leaves: its successor serves")
    regular.connection.close()
    assert server.wait_until_replaced(server.workers[1]).id == 3
    assert least_serving(server) == 2
    assert "cannot start a worker" not in server.log


@pytest.mark.root
def test_successor_that_fails_postpones_and_the_old_one_goes_on(start_fragile, etc, manager):
    server = start_fragile("instance.max_requests=5", workers=2, env=manager.variables(20))
    etc.break_boots()
    with server.connect() as connection:
        worker = connection.request("/", headers=JSON).json["worker"]
        for _ in range(9):
            assert connection.request("/hello").status == 200
        server.wait_for_log(
            r"worker \d+ died: exited with status 71 .*recycling is tried again in \d+ ms", 4
        )
        answer = connection.request("/", headers=JSON)
        assert (answer.json["worker"], answer.closes) == (worker, False)
        pauses = [int(n) for n in re.findall(r"tried again in (\d+) ms", server.log)]
        assert pauses[:4] == [1, 2, 4, 8]
        assert least_serving(server) == 2
        assert "crash loop" not in server.log
        etc.mend_boots()
        server.wait_for_log(f"worker {worker} leaves: its successor serves")
    server.wait_until_replaced(server.workers[worker])
    assert least_serving(server) == 2


@pytest.fixture
def boots(start_fragile, etc, manager):
    """A server whose worker in slot 1 is to be recycled, while the boot of its successor hangs."""

    def start_one(*arguments):
        server = start_fragile("instance.max_requests=5", *arguments, workers=2,
                               env=manager.variables(20))  # fmt: skip
        etc.make_boots_hang()
        regular = Regular(server, 1)
        regular.ask_until(5)
        server.wait_for_log("worker 3 forked .*slot=1 ")
        regular.connection.close()
        return server

    return start_one


@pytest.mark.root
def test_successor_that_hangs_is_killed_in_time(boots, etc):
    server = boots("instance.boot_timeout_ms=1000")
    server.wait_for_log("killing worker 3: not ready in time")
    server.wait_for_log("worker 3 died: .*recycling is tried again in")
    etc.mend_boots()
    server.wait_for_log("worker 1 leaves: its successor serves")
    server.wait_until_serving(2)
    assert least_serving(server) == 2


@pytest.mark.root
def test_holder_that_dies_while_its_successor_boots_is_replaced_by_one(boots, etc, manager):
    server = boots("instance.boot_timeout_ms=1000")
    process.kill(server.workers[1].pid)
    server.wait_for_log("worker 1 died: killed by SIGKILL")
    assert server.identity()["worker"] == 2
    server.wait_for_log("killing worker 3: not ready in time")
    etc.mend_boots()
    assert server.wait_until_replaced(server.workers[1]).slot == 1
    manager.watch(server.pid, 20)
    assert sorted(worker.slot for worker in server.serving) == [1, 2]
    assert server.workers[2] in server.serving
    eventually(lambda: len(process.children_of(server.pid)) == 2, "there are two workers")


@pytest.mark.root
def test_reload_takes_the_place_of_recycling(boots, etc):
    server = boots("instance.grace_ms=200", "instance.boot_timeout_ms=60000")
    etc.mend_boots()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("worker 3 leaves: a reload begins")
    server.wait_for_log("reloaded: generation 2 serves")
    server.wait_until_serving(2, after=3)
    server.wait_for_log("worker [123] died", 3)
    assert least_serving(server) == 2
    # And the next generation has a token of its own.
    last = max(server.workers)
    Regular(server, 1).ask_until(5)
    server.wait_for_log(r"worker \d+ is to be recycled", 2)
    server.wait_until_serving(1, after=last)


@pytest.mark.root
def test_stop_does_not_wait_for_a_successor_that_boots(boots):
    server = boots("instance.grace_ms=200", "instance.boot_timeout_ms=60000")
    server.stop()
    assert server.records[-1].text.startswith("stopped")


def test_reloads_and_recycling_together_lose_no_request(start, manager, crowd):
    server = start("instance.max_requests=30", workers=2, env=manager.variables(20))
    crowd.start(server)
    for number in range(2, 6):
        server.wait_for_log("is to be recycled", 2 * number)
        server.send_signal(signal.SIGHUP)
        server.wait_for_log(f"reloaded: generation {number} serves")
    crowd.stop()
    assert not crowd.problems
    assert least_serving(server) == 2
    assert "killing worker" not in server.log
