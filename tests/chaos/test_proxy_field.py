"""
The field case with our parts only: one server passes requests on, two answer
them, and their workers are killed. No GET fails; no POST is sent twice.
"""

import collections
import re
import threading
import time
import uuid

from lib import process
from lib.client import Connection, Disconnected, render
from lib.load import Kind, Load
from lib.proxy import route, stage, start_proxy, upstream_block  # noqa: F401
from lib.upstream import answer
from witness import Journal


KILLS_PER_SECOND = 20
SECONDS = 15
WORKERS = 4  # of each server behind
POSTERS = 2
BEHIND = 'route "/hello" { handler = text  body = "here" }\nroute "/sink" { handler = not_found }\n'
GETS = [
    Kind("GET keep-alive", "/hello"),
    Kind("GET keep-alive with pauses", "/hello", pause_ms=200, clients=8),
    Kind("GET new connection", "/hello", keep_alive=False),
]
_ID = re.compile(rb"POST /sink\?id=([0-9a-f]{32}) ")


class Tap:
    """What the proxy sends goes through this to a server behind; it counts the ids that come."""

    def __init__(self, stage, server):
        self.address = server.address
        self.upstream = stage.add(self.script)
        self.seen = collections.Counter()
        self._lock = threading.Lock()

    def script(self, exchange):
        """One request there, on a connection of its own, and its answer back."""
        request = exchange.request
        with self._lock:
            self.seen.update(_ID.findall(request.head))
        with Connection(self.address) as behind:
            try:
                behind.send(request.head + exchange.body())
                response = behind.receive()
            except (Disconnected, OSError):
                exchange.reset()
        exchange.send(answer(response.body, f"{response.status} {response.reason}"))


class Posters:
    """Clients that post, each time with an id of its own, and take any answer."""

    def __init__(self, address):
        self.address = address
        self.sent, self.statuses = [], collections.Counter()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(POSTERS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _run(self):
        connection = None
        while not self._is_over.wait(0.002):
            number = uuid.uuid4().hex
            self.sent.append(number.encode())
            connection = connection or Connection(self.address)
            connection.send(render(f"/sink?id={number}", "POST", {}, b"z" * 2000))
            try:
                response = connection.receive()
                self.statuses[response.status] += 1
            except Disconnected:
                self.statuses["broken"] += 1
                response = None
            if response is None or response.closes:
                connection.close()
                connection = None
        if connection:
            connection.close()


def kill_workers(servers):
    """Of the servers in turn, the oldest that serves; returns how many."""
    journals = [Journal(server) for server in servers]
    killed = [set() for _ in servers]
    begin = time.monotonic()
    for i in range(KILLS_PER_SECOND * SECONDS):
        time.sleep(max(0, begin + i / KILLS_PER_SECOND - time.monotonic()))
        if time.monotonic() > begin + SECONDS:
            break
        which = i % len(servers)
        journals[which].read()
        victims = [w for w in journals[which].serving if w.id not in killed[which]]
        if len(victims) > 1:
            killed[which].add(victims[0].id)
            process.kill(victims[0].pid)
    return sum(map(len, killed))


def test_workers_die_behind_the_proxy(start, stage, start_proxy, tmp_path, figure):
    (tmp_path / "behind.conf").write_text(BEHIND)
    servers = [start("-c", tmp_path / "behind.conf", workers=WORKERS) for _ in range(2)]
    taps = [Tap(stage, server) for server in servers]
    peers = [(_Named(server), {"max_fails": 0}) for server in servers]
    tapped = [(tap.upstream, {"max_fails": 0}) for tap in taps]
    front = start_proxy(
        upstream_block(peers, title="plain")
        + upstream_block(tapped, title="tapped")
        + route("/hello", "plain") + route("/sink", "tapped"),
        workers=2,
    )  # fmt: skip
    with Load(front.address, GETS) as load, Posters(front.address) as posters:
        load.wait_for_answers(200)
        n_killed = kill_workers(servers)
        load.wait_for_answers(200)
    seen = sum((tap.seen for tap in taps), collections.Counter())
    figure(f"{n_killed} workers killed in {SECONDS} s: GET {load.total}; "
           f"{len(posters.sent)} POSTs, answered {dict(posters.statuses)}")  # fmt: skip
    load.assert_flawless()
    assert n_killed > KILLS_PER_SECOND * SECONDS / 3
    twice = [number for number, n in seen.items() if n > 1]
    assert twice == [], f"{len(twice)} POSTs were sent again"
    assert set(seen) <= set(posters.sent)
    assert posters.statuses[404] > len(posters.sent) / 2  # the sink's answer to whoever got there
    assert set(posters.statuses) <= {404, 502}
    assert not any(worker.is_dead for worker in front.workers.values())


class _Named:
    """An upstream that is a server."""

    def __init__(self, server):
        self.address = f"127.0.0.1:{server.port}"
