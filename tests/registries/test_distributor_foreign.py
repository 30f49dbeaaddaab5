"""Ours and theirs: the server at a foreign Distributor, foreign nodes at zombie-distributor."""

import os
import signal

import pytest

import peers
from lib.needs import require
from lib.wait import eventually

# A herald that is ready before the workers registers as STARTING first.
UP = r"herald \d+: (registered with distributor at \S+ as \S+, UP|told \S+ that this instance is UP)"


@pytest.fixture(autouse=True)
def node_js():
    require("node")


@pytest.fixture
def run_peer():
    made = []

    def run_one(make, *arguments, **options):
        made.append(make(*arguments, **options))
        return made[-1]

    yield run_one
    for peer in made:
        peer.stop()


@pytest.fixture
def begin(start):
    """Start the server as `front`, which looks up `api`, at this Distributor."""

    def begin_one(port, **options):
        words = {"app": "front", "watch": "api", **options}.items()
        return start(*[word for key, value in words for word in ("-o", f"registry.{key}={value}")],
                     env={"REGISTRY_TYPE": "DISTRIBUTOR", "REGISTRY_URL": f"127.0.0.1:{port}"})  # fmt: skip

    return begin_one


@pytest.mark.parametrize("greets", [False, True])
def test_they_find_us_and_we_find_them(run_peer, begin, greets):
    distributor = run_peer(peers.distributor, greets=greets)
    api = run_peer(peers.node, distributor.port, "api", 3001, "GET/goods")
    api.wait_for_names("api")
    server = begin(distributor.port)
    _, ours = api.wait_for_names("api", "front")
    assert (ours["port"], ours["host"]) == (server.port, "127.0.0.1")
    assert "GET/healthcheck" in ours["urls"]
    server.wait_for_log(r"the service api has 1 server: 127\.0\.0\.1:3001$")
    run_peer(peers.node, distributor.port, "api", 3002)
    server.wait_for_log(r"the service api has 2 servers: ")
    server.stop()
    api.wait_for_names("api", "api")


def test_they_are_told_when_we_are_killed(run_peer, begin):
    distributor = run_peer(peers.distributor)
    api = run_peer(peers.node, distributor.port, "api", 3001)
    api.wait_for_names("api")
    server = begin(distributor.port)
    api.wait_for_names("api", "front")
    server.expected_status = None
    server.process.kill()
    api.wait_for_names("api")


def test_all_come_back_when_it_is_restarted(run_peer, begin):
    distributor = run_peer(peers.distributor)
    port = distributor.port
    api = run_peer(peers.node, port, "api", 3001)
    api.wait_for_names("api")
    server = begin(port)
    api.wait_for_names("api", "front")
    server.wait_for_log(r"the service api has 1 server: ")
    distributor.stop()
    server.wait_for_log("cannot register with distributor at .* trying again in [1-9]")
    again = run_peer(peers.distributor, port=port)
    eventually(lambda: again.names is not None and sorted(again.names) == ["api", "front"],
               "both are registered again")  # fmt: skip
    assert "the service api has 0 servers" not in server.log


def test_it_is_none_the_worse_for_our_questions(run_peer, begin):
    """It answers no GET, and stays who we are registered with."""
    distributor = run_peer(peers.distributor)
    server = begin(distributor.port)
    distributor.wait_for_names("front")
    for n in range(1, 4):
        run_peer(peers.node, distributor.port, "api", 3000 + n)
        server.wait_for_log(rf"the service api has {n} server")
    assert distributor.process.poll() is None
    assert "cannot register" not in server.log


# --- At zombie-distributor -----------------------------------------------------------------


def test_their_nodes_meet_at_ours(run_peer):
    ours = run_peer(peers.Ours)
    api = run_peer(peers.node, ours.port, "api", 3001, "GET/goods", "POST/goods")
    assert api.wait_for_names("api") == [
        {"port": 3001, "name": "api", "urls": ["GET/goods", "POST/goods"], "host": "127.0.0.1"}
    ]
    shop = run_peer(peers.node, ours.port, "caf\u00e9 \U0001f9df", 3002)
    api.wait_for_names("api", "caf\u00e9 \U0001f9df")
    shop.wait_for_names("api", "caf\u00e9 \U0001f9df")
    api.stop()
    shop.wait_for_names("caf\u00e9 \U0001f9df")
    assert shop.process.poll() is None


def test_who_breaks_the_frame_harms_nobody(run_peer):
    ours = run_peer(peers.Ours)
    api = run_peer(peers.node, ours.port, "api", 3001)
    api.wait_for_names("api")
    bad = run_peer(peers.node, ours.port, "\u00b6", 3002)
    eventually(lambda: len(ours.log) > 1, "the log speaks of it")
    run_peer(peers.node, ours.port, "shop", 3003)
    api.wait_for_names("api", "shop")
    assert bad.lists == []


def test_we_and_they_meet_at_ours(run_peer, begin):
    ours = run_peer(peers.Ours)
    api = run_peer(peers.node, ours.port, "api", 3001)
    api.wait_for_names("api")
    server = begin(ours.port)
    _, front = api.wait_for_names("api", "front")
    assert (front["port"], front["host"]) == (server.port, "127.0.0.1")
    server.wait_for_log(r"the service api has 1 server: 127\.0\.0\.1:3001$")
    server.stop()
    api.wait_for_names("api")


def test_all_come_back_to_ours(run_peer, begin):
    ours = run_peer(peers.Ours)
    port = ours.port
    api = run_peer(peers.node, port, "api", 3001)
    api.wait_for_names("api")
    server = begin(port)
    api.wait_for_names("api", "front")
    server.wait_for_log(r"the service api has 1 server: ")
    ours.stop()
    told = len(api.lists)
    run_peer(peers.Ours, port)

    def is_whole():
        return len(api.lists) > told and sorted(api.names) == ["api", "front"]

    eventually(is_whole, "both are registered again")
    assert "the service api has 0 servers" not in server.log


def test_one_that_stands_still_is_noticed(run_peer, begin):
    """Its machine goes on to say that the connection lives."""
    ours = run_peer(peers.Ours)
    server = begin(ours.port, refresh_ms=100, timeout_ms=1000)
    server.wait_for_log(UP)
    os.kill(ours.process.pid, signal.SIGSTOP)
    server.wait_for_log("cannot .* distributor at .*: it did not answer in time; ")
    os.kill(ours.process.pid, signal.SIGCONT)
    server.wait_for_log(UP, count=2)
