"""A server that is registered with a real ZooKeeper, which dies, hangs and forgets."""

import os
import signal

import pytest
from zookeeper import Registry, ZooKeeper

from lib.wait import eventually

REGISTERED = r"herald \d+: registered with zookeeper at (\S+) as \S+, (UP|STARTING)$"
ATTEMPT = "(register with|send a heartbeat to|report the status to)"
RETRYING = rf"warning herald \d+: cannot {ATTEMPT} zookeeper at \S+: "


@pytest.fixture
def zookeeper(tmp_path):
    server = ZooKeeper(tmp_path / "zookeeper")
    yield server
    server.stop()


@pytest.fixture
def registry(zookeeper):
    seen = Registry(zookeeper)
    yield seen
    seen.close()


@pytest.fixture
def server(start, zookeeper, registry):
    """It is registered."""
    one = start(*zookeeper.options(deregister_timeout_ms=500), workers=1)
    registry.wait_for(down=0, port=one.port)
    return one


def test_restart(server, zookeeper, registry):
    zookeeper.stop()
    server.wait_for_log(RETRYING + r"\S.*; serving goes on")
    assert server.fetch("/").status == 200
    zookeeper.start()
    server.wait_for_log(REGISTERED, 2)
    registry.wait_for(down=0, port=server.port)


def test_all_is_lost(server, zookeeper):
    zookeeper.stop()
    os.rename(zookeeper.folder / "data", zookeeper.folder / "lost")
    zookeeper.start()
    seen = Registry(zookeeper)
    try:
        seen.wait_for(down=0, port=server.port)
    finally:
        seen.close()


def test_session_expires(server, registry):
    _, stat = registry.node()
    herald = int(server.wait_for_log(r"herald \d+ forked .*pid=(\d+)")[1])
    os.kill(herald, signal.SIGSTOP)
    try:
        eventually(lambda: registry.names() == [], "the session has expired")
    finally:
        os.kill(herald, signal.SIGCONT)
    server.wait_for_log(
        r"zookeeper at \S+ does not know this instance any more: the session has expired"
    )
    registry.wait_for_successor(stat)


def test_hangs(server, zookeeper, registry):
    _, first = registry.node()
    with zookeeper.held():
        server.wait_for_log(RETRYING + "no answer in time")
        assert server.fetch("/").status == 200
        server.wait_for_log(RETRYING + "no connection in time")
    server.wait_for_log(REGISTERED, 2)
    registry.wait_for(down=0, port=server.port)
    _, second = registry.wait_for_successor(first)
    # The session from before expires, and takes nothing along.
    eventually(lambda: hex(first.ephemeralOwner) not in zookeeper.sessions(), "it expires")
    assert registry.node()[1].czxid == second.czxid


def test_stop_while_it_hangs(server, zookeeper):
    with zookeeper.held():
        server.stop()
        assert "deregistered from" not in server.log
