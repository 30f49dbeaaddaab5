"""Services that are looked up in a real ZooKeeper."""

import itertools
import json

import pytest
from kazoo.security import make_digest_acl
from zookeeper import Registry, ZooKeeper

from lib.wait import eventually

_roots = itertools.count(1)


@pytest.fixture(scope="module")
def zookeeper(tmp_path_factory):
    server = ZooKeeper(tmp_path_factory.mktemp("zookeeper") / "server")
    yield server
    server.stop()


@pytest.fixture
def registry(zookeeper):
    seen = Registry(zookeeper, f"/tests/test-{next(_roots)}")
    yield seen
    seen.close()


@pytest.fixture
def looker(start, registry):
    """It registers nothing, looks for one service, and would not look twice without a reason."""
    settings = {"register": "no", "watch": "api", "refresh_ms": 3600000}
    return start(*registry.options(**settings), workers=1)


class Service:
    """Members that another client puts there."""

    def __init__(self, registry, name="api"):
        self.client, self.path = registry.client, f"{registry.services}/{name}"

    def add(self, name, value=b"", **options):
        data = json.dumps(value).encode() if isinstance(value, dict) else value
        self.client.create(f"{self.path}/{name}", data, makepath=True, **options)

    def change(self, name, **value):
        self.client.set(f"{self.path}/{name}", json.dumps(value).encode())

    def remove(self, name):
        self.client.delete(f"{self.path}/{name}")


def test_members_come_and_go(looker, registry):
    api = Service(registry)
    looker.wait_for_log(r"the service api has 0 servers")
    api.add("10.0.0.1:80", ephemeral=True)
    looker.wait_for_log(r"the service api has 1 server: 10\.0\.0\.1:80$")
    api.add("10.0.0.2:80", {"weight": 3})
    looker.wait_for_log(r"the service api has 2 servers: 10\.0\.0\.1:80, 10\.0\.0\.2:80$")
    api.remove("10.0.0.1:80")
    looker.wait_for_log(r"the service api has 1 server: 10\.0\.0\.2:80$")


def test_service_goes_and_comes_again(looker, registry):
    api = Service(registry)
    api.add("10.0.0.1:80")
    looker.wait_for_log(r"the service api has 1 server")
    registry.client.delete(api.path, recursive=True)
    api.add("10.0.0.2:80")
    looker.wait_for_log(r"the service api has 1 server: 10\.0\.0\.2:80$")


def test_bad_members_are_left_out(looker, registry):
    api = Service(registry)
    for name, value in {"nonsense": b"", "10.0.0.1:0": b"{}", "10.0.0.2:80": b"{", "a:1": b"\xff",
                        "b:1": {"weight": 0}, "c:1": {"host": "a b"}}.items():  # fmt: skip
        api.add(name, value)
    api.add("10.0.0.3:80", {"host": "h", "port": 81, "else": [1]})
    looker.wait_for_log(r"the service api has 1 server: \S+$")


def test_more_members_than_are_taken(looker, registry):
    api = Service(registry)
    registry.client.ensure_path(api.path)
    for i in range(300):
        registry.client.create_async(f"{api.path}/10.0.{i // 250}.{i % 250}:80")
    looker.wait_for_log(r"the service api has 256 servers")


def test_members_without_rights_are_left_out(looker, registry):
    api = Service(registry)
    api.add("10.0.0.2:80")
    api.add("10.0.0.1:80", acl=[make_digest_acl("else", "x", all=True)])
    api.change("10.0.0.2:80", weight=2)
    looker.wait_for_log(r"the service api has 1 server: 10\.0\.0\.2:80$")


@pytest.fixture
def front(start, tmp_path, registry):
    """Passes all requests on to the servers of the service."""
    conf = tmp_path / "front.conf"
    conf.write_text(
        'upstream "api" { from_registry = yes }\n'
        'route "/" { handler = proxy upstream = "api" }\n'
    )
    return start("-c", conf, *registry.options(register="no"), workers=1)


def test_upstream_is_found(front, start, registry):
    servers = [start(*registry.options(app="api"), workers=1) for _ in range(2)]

    def answer(*wanted):
        answers = [front.fetch("/", headers={"Accept": "application/json"}) for _ in range(4)]
        found = {answer.json["instance"] for answer in answers if answer.status == 200}
        return found == {server.instance for server in wanted}

    eventually(lambda: answer(*servers), "both answer")
    servers[0].stop()
    eventually(lambda: answer(servers[1]), "the other one answers alone")
