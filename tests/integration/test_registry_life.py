"""What outlives a program and a run: the registration, and what is known of other services."""

import json
import signal

import pytest

from lib import process
from lib.client import fetch
from lib.control import of_role, status
from lib.enrolled import KINDS, Eureka, herald_of, instance_of, options, wait_for_state
from lib.fake_etcd import FakeEtcd
from lib.herald import NameServer
from lib.reload import begin, conf  # noqa: F401
from lib.upgrade import GOES_ON
from lib.upstream import Stage
from lib.wait import eventually
from lib.zombiectl import ctl

both = pytest.mark.parametrize("kind", KINDS, ids=[kind.TYPE for kind in KINDS])


@pytest.fixture
def registry(kind):
    with kind() as made:
        yield made


# --- Upgrades -------------------------------------------------------------------------------


def upgrade(server):
    """Until the herald of the old program is gone, and the one of the new program is registered."""
    before = herald_of(server)
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log(GOES_ON)
    eventually(lambda: not process.is_alive(before), "the herald of the old program is gone")

    def registered():
        now = status(server)
        heralds = [one["state"] for one in of_role(now, "herald")]
        return heralds == ["serving"] and now["registry"]["state"] == "registered"

    eventually(registered, "the new program is registered")


def wait_for_heartbeats(registry, n):
    registry.wait_for(registry.HEARTBEAT, len(registry.lines(registry.HEARTBEAT)) + n)


def names_registered(registry):
    bodies = [one.json() for one in registry.asked if one.line.startswith(registry.REGISTER)]
    return {body.get("ID") or body["instance"]["instanceId"] for body in bodies}


@both
def test_an_upgrade_is_no_departure(start, kind, registry):
    server = start(*options(kind, registry.url))
    wait_for_state(registry, server, registry.UP)
    wait_for_heartbeats(registry, 1)
    n_states, n_registered = len(registry.states()), len(registry.lines(registry.REGISTER))
    upgrade(server)
    wait_for_heartbeats(registry, 3)
    assert registry.lines(registry.DEREGISTER) == []
    assert len(registry.lines(registry.REGISTER)) <= n_registered + 1
    assert set(registry.states()[n_states:]) <= {registry.UP}
    assert registry.state_of(server) == registry.UP
    assert names_registered(registry) == {instance_of(server)}
    server.stop()
    assert len(registry.lines(registry.DEREGISTER)) == 1


def test_an_upgrade_keeps_the_key_of_etcd(start):
    with FakeEtcd() as etcd:
        values = {"type": "etcd", "app": "api", "url": etcd.url, "heartbeat_ms": 100}
        server = start(*(f"registry.{key}={value}" for key, value in values.items()))

        def is_up():
            return [member["down"] for member in etcd.members().values()] == [0]

        eventually(is_up, "it is registered as up")
        before = etcd.members()
        eventually(lambda: "/v3/lease/keepalive" in etcd.requests, "its lease is kept alive")
        upgrade(server)
        kept = etcd.requests.count("/v3/lease/keepalive")
        eventually(lambda: etcd.requests.count("/v3/lease/keepalive") > kept + 2, "it is kept on")
        assert etcd.members() == before
        assert not {"/v3/lease/revoke", "/v3/kv/deleterange"} & set(etcd.requests)
        server.stop()
        assert etcd.members() == {}


# --- Name servers ---------------------------------------------------------------------------


@pytest.fixture
def name_servers():
    """Make them; they end with the test."""
    made = []

    def make(**names):
        made.append(NameServer(**names))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.mark.root
def test_the_first_name_server_is_asked_for_each_server(start, name_servers, tmp_path):
    """The next one knows none of them."""
    local = ["127.0.0.1"]
    first, next_ = name_servers(**{"away.test": local, "there.test": local}), name_servers()
    with Eureka() as registry:
        urls = "http://away.test:1", registry.url.replace("127.0.0.1", "there.test")
        server = start(*options(Eureka, *urls), preexec=first.mount(tmp_path, next_.port))
        wait_for_state(registry, server, registry.UP)


@pytest.mark.root
def test_a_silent_name_server_is_followed_by_the_next(start, name_servers, tmp_path):
    first, next_ = name_servers(), name_servers(**{"there.test": ["127.0.0.1"]})
    first.is_mute = True
    with Eureka() as registry:
        urls = "http://away.test:1", registry.url.replace("127.0.0.1", "there.test")
        server = start(*options(Eureka, *urls, timeout_ms=300),
                       preexec=first.mount(tmp_path, next_.port))  # fmt: skip
        wait_for_state(registry, server, registry.UP)
        assert first.questions > 0


# --- The cache file -------------------------------------------------------------------------


@both
def test_the_next_run_knows_what_the_last_one_knew(begin, conf, kind, registry):  # noqa: F811
    cache = conf.path.with_name("cache")
    conf.write(
        f'registry {{ type = {kind.TYPE}  url = "{registry.url}"  register = no\n'
        f'timeout_ms = 20000  refresh_ms = 100  cache_file = "{cache}" }}\n'
        'upstream "api" { from_registry = yes }\n'
        'route "/api/" { handler = proxy  upstream = api }\n'
    )
    with Stage() as stage:
        registry.put("api", "one", port=stage.add(name="one").port)
        server = begin()
        eventually(lambda: fetch(server.address, "/api/").body == b"one", "it is found")
        server.stop()
        assert "api" in json.loads(cache.read_text())["services"]
        registry.go()
        server = begin()
        eventually(lambda: fetch(server.address, "/api/").body == b"one", "it is known")
        answer = json.loads(ctl(server.control_path, "discover", "api", "--json").stdout)
        assert (answer["origin"], len(answer["members"])) == ("cached", 1)
        registry.put("api", "one", port=stage.add(name="other").port)
        registry.come()
        eventually(lambda: fetch(server.address, "/api/").body == b"other", "it is up to date")
