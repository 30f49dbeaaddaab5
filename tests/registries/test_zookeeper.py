"""Registration with a real ZooKeeper that is well, as another client sees it."""

import itertools
import re
import signal

import pytest
from kazoo.security import make_acl, make_digest_acl
from zookeeper import Gaps, Registry, ZooKeeper

from lib import process
from lib.wait import eventually
from lib.zombiectl import ctl

HERALD = r"herald (\d+) forked .*pid=(\d+)"
OURS = [make_digest_acl("shop", "s3cret", all=True), make_acl("world", "anyone", read=True)]
ANYBODY = [make_acl("world", "anyone", all=True)]

_roots = itertools.count(1)


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory):
    server = ZooKeeper(tmp_path_factory.mktemp("zookeeper") / "server")
    yield server
    server.stop()


@pytest.fixture
def registry(zookeeper):
    """Below a path of its own, which is not there yet."""
    seen = Registry(zookeeper, f"/tests/test-{next(_roots)}")
    yield seen
    seen.close()


@pytest.fixture
def start_one(start, registry):
    """Start a server that registers, and wait until the registry shows it, unless wait=False."""

    def start_it(wait=True, **settings):
        server = start(*registry.options(**settings), workers=1)
        if wait:
            registry.wait_for(down=0, port=server.port)
        return server

    return start_it


def herald_of(server):
    return int(list(re.finditer(HERALD, server.log))[-1][2])


def test_is_seen_by_another_client(start_one, registry):
    server = start_one(weight=3, metadata="zone=a")
    value, stat = registry.node()
    name = f"127.0.0.1:{server.port}"
    assert value == {"name": name, "weight": 3, "max_fails": 2, "fail_timeout": 10, "down": 0,
                     "host": "127.0.0.1", "port": server.port, "metadata": {"zone": "a"}}  # fmt: skip
    assert stat.ephemeralOwner != 0
    assert registry.client.exists(registry.services).ephemeralOwner == 0


def test_server_has_a_name(start_one, registry, zookeeper):
    """It may stand for addresses where nobody listens, too."""
    start_one(url=f"zookeeper://localhost:{zookeeper.port}{registry.root}")


@pytest.mark.root
def test_says_when_nobody_serves(start_fragile, etc, registry):
    server = start_fragile(*registry.options(), workers=1)
    registry.wait_for(down=0, port=server.port)
    etc.make_boots_hang()
    process.kill(server.serving[0].pid, signal.SIGKILL)
    registry.wait_for(down=1, port=server.port)
    etc.mend_boots()
    process.kill(list(server.workers.values())[-1].pid, signal.SIGKILL)
    registry.wait_for(down=0, port=server.port)


def test_stop_takes_the_node_away_at_once(start_one, registry, zookeeper):
    before = zookeeper.sessions()
    server = start_one(ttl_ms=30000)
    server.stop()
    assert registry.names() == []
    # Nor is there a session left that would have to expire.
    assert zookeeper.sessions() <= before
    server.wait_for_log(r"deregistered from zookeeper$")


def test_death_of_the_herald_leaves_no_gap(start_one, registry, zookeeper):
    server = start_one(ttl_ms=5000)
    _, stat = registry.node()
    with Gaps(registry) as gaps:
        process.kill(herald_of(server), signal.SIGKILL)
        value, successor = registry.wait_for_successor(stat)
        # The end of the first session must not take the node of the second.
        eventually(lambda: hex(stat.ephemeralOwner) not in zookeeper.sessions(), "it expires")
        assert registry.node()[1].ephemeralOwner == successor.ephemeralOwner
    assert value["port"] == server.port
    assert gaps.longest == 0, gaps.n_asked


def test_death_of_all_processes(start_one, registry):
    server = start_one()
    server.expected_status = -signal.SIGKILL
    for pid in server.processes():
        process.kill(pid, signal.SIGKILL)
    eventually(lambda: registry.names() == [], "the node is gone with its session")


def test_reload_leaves_no_gap(start_one, registry):
    server = start_one(heartbeat_ms=30000, ttl_ms=60000)
    _, stat = registry.node()
    with Gaps(registry) as gaps:
        assert ctl(server.control_path, "reload").returncode == 0
        registry.wait_for_successor(stat)
        eventually(lambda: len(re.findall(HERALD, server.log)) == 2, "another herald")
    assert gaps.longest == 0, gaps.n_asked
    registry.wait_for(down=0, port=server.port)


def test_node_that_somebody_deletes(start_one, registry):
    server = start_one()
    registry.client.delete(registry.path(server))
    server.wait_for_log(r"zookeeper at \S+ does not know this instance any more: no node")
    registry.wait_for(down=0, port=server.port)


def test_node_of_somebody_else_is_taken_over(start, registry, zookeeper):
    port = zookeeper.port  # any: it is advertised only
    registry.client.create(f"{registry.services}/shop/h:{port}", b"{}", makepath=True)
    start(*registry.options(advertise_host="h", advertise_port=port), workers=1)
    _, stat = registry.wait_for(down=0, host="h", port=port)
    assert stat.ephemeralOwner != 0


# --- Rights


def test_login(start_one, registry):
    server = start_one(user="shop", password="s3cret")
    registry.client.add_auth("digest", "shop:s3cret")
    acls, _ = registry.client.get_acls(registry.path(server))
    assert sorted(acls) == sorted(OURS)
    assert "s3cret" not in server.log


def test_login_is_refused(start_one, registry):
    registry.client.ensure_path(registry.services, acl=ANYBODY)
    registry.client.create(f"{registry.services}/shop", acl=OURS)
    server = start_one(wait=False, user="shop", password="wr0ng")
    server.wait_for_log(
        r"error herald \d+: zookeeper at \S+ refuses this instance: not authenticated"
    )
    assert "wr0ng" not in server.log
    assert registry.names() == [] and server.fetch("/").status == 200


def test_no_more_rights_are_needed_than_below_the_service(start_one, registry):
    registry.client.ensure_path(registry.services, acl=ANYBODY)
    registry.client.create(f"{registry.services}/shop", acl=OURS)
    registry.client.set_acls(registry.services, [make_acl("world", "anyone", read=True)])
    start_one(user="shop", password="s3cret")
