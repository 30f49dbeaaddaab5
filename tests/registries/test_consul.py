"""The fake Consul, and what we register there, as two clients have it: npm's and Debian's."""

import pytest

from foreign import Foreign
from lib.enrolled import APP, Consul, instance_of, options, wait_for_state
from lib.needs import require_module
from lib.reload import begin, conf  # noqa: F401
from lib.upstream import Upstream
from lib.wait import eventually

FRONT = """
registry {{ type = consul  url = "{url}"  register = no }}
upstream "api" {{ from_registry = yes }}
route "/api/" {{ handler = proxy  upstream = api }}
"""


@pytest.fixture
def registry():
    with Consul() as made:
        yield made


@pytest.fixture
def client(packages, registry):
    with Foreign("consul.js", packages, registry.port) as made:
        yield made


@pytest.fixture
def old():
    with Consul(is_old=True) as made:
        yield made


@pytest.fixture
def python(old):
    """Debian's is from before Consul 1.0."""
    consul = require_module("consul", "python3-consul")
    return consul.Consul(host="127.0.0.1", port=old.port)


def ids(entries):
    return sorted(entry["Service"]["ID"] for entry in entries)


# --- npm's ----------------------------------------------------------------------------------


def test_the_client_of_npm_takes_the_fake_for_one(client, registry):
    service = {"name": "api", "id": "js", "address": "127.0.0.1", "port": 80, "tags": ["v1"],
               "meta": {"zone": "a"},
               "check": {"ttl": "1h", "deregistercriticalserviceafter": "2h"}}  # fmt: skip
    client.do("watch", "api")
    eventually(lambda: client.do("seen") == [[]], "it sees nobody")
    assert client.do("register", service) is None
    assert registry.status("js") == "critical" and client.do("health", "api") == []
    assert client.do("pass", "js") is None
    (found,) = client.do("health", "api")
    assert found["Service"]["Meta"] == {"zone": "a"} and found["Service"]["Port"] == 80
    assert found["Checks"][0]["Output"] == "well"
    eventually(lambda: client.do("seen")[-1] == ["js"], "its blocking query ends")
    assert set(client.do("services")) == {"js"}
    assert client.do("checks")["service:js"]["Status"] == "passing"
    assert client.do("catalog", "api")[0]["ServicePort"] == 80
    assert client.do("names") == {"consul": [], "api": ["v1"]}
    for word, status in (("warn", "warning"), ("fail", "critical")):
        assert client.do(word, "js") is None
        assert registry.status("js") == status
    eventually(lambda: client.do("seen")[-1] == [], "it sees nobody again")
    assert client.do("deregister", "js") is None
    assert client.do("services") == {}
    assert client.do("pass", "js")["error"] == "Error: not found"


def test_the_client_of_npm_sees_what_we_register(start, client, registry):
    server = start(*options(Consul, registry.url, weight=3, metadata="zone=a"))
    wait_for_state(registry, server, "passing")
    (found,) = client.do("health", APP)
    assert found["Service"]["ID"] == instance_of(server)
    assert found["Service"]["Port"] == server.port
    assert found["Service"]["Weights"]["Passing"] == 3 and found["Service"]["Meta"]["zone"] == "a"
    # It comes with the first heartbeat.
    eventually(lambda: client.do("health", APP)[0]["Checks"][0]["Output"] == "UP", "it says UP")
    server.stop()
    assert client.do("health", APP) == [] and client.do("services") == {}


def test_we_find_what_the_client_of_npm_registers(begin, conf, client, registry):  # noqa: F811
    upstream = Upstream(name="js")
    try:
        conf.write(FRONT.format(url=registry.url))
        server = begin()
        client.do("register", {"name": "api", "id": "js", "address": "127.0.0.1",
                               "port": upstream.port, "check": {"ttl": "1h"}})  # fmt: skip
        client.do("pass", "js")
        eventually(lambda: server.fetch("/api/").body == b"js", "it is found")
        client.do("fail", "js")
        server.wait_for_log("the service api has no server any more")
    finally:
        upstream.close()


# --- Debian's ---------------------------------------------------------------------------------


def test_the_client_of_debian_takes_the_fake_for_one(python, old):
    assert python.status.leader() == "127.0.0.1:8300"
    assert python.agent.service.register("api", service_id="py", address="127.0.0.1", port=80,
                                         tags=["v1"], check={"ttl": "1h"})  # fmt: skip
    index, found = python.health.service("api", passing=True)
    assert found == [] and int(index) == old.index
    assert python.agent.check.ttl_pass("service:py", notes="well")
    after, found = python.health.service("api", passing=True, index=index, wait="20s")
    assert ids(found) == ["py"] and int(after) > int(index)
    assert python.agent.services()["py"]["Port"] == 80
    assert python.agent.checks()["service:py"]["Output"] == "well"
    assert python.catalog.services()[1] == {"consul": [], "api": ["v1"]}
    assert python.catalog.service("api")[1][0]["ServiceAddress"] == "127.0.0.1"
    assert python.agent.check.ttl_fail("service:py")
    assert old.status("py") == "critical"
    assert python.agent.service.deregister("py")
    assert python.agent.services() == {}


def test_the_client_of_debian_is_refused_without_its_token():
    consul = require_module("consul", "python3-consul")
    with Consul(secret="open-sesame") as registry:
        for token in (None, "wrong"):
            stranger = consul.Consul(host="127.0.0.1", port=registry.port, token=token)
            with pytest.raises(consul.ACLPermissionDenied):
                stranger.health.service("api")
        friend = consul.Consul(host="127.0.0.1", port=registry.port, token="open-sesame")
        assert friend.health.service("api")[1] == []


def test_the_client_of_debian_sees_what_we_register(start, python, old):
    server = start(*options(Consul, old.url, app="über"))
    eventually(lambda: ids(python.health.service("über", passing=True)[1]), "it is passing")
    (found,) = python.health.service("über", passing=True)[1]
    assert found["Service"]["ID"] == f"127.0.0.1:über:{server.port}"
    assert found["Service"]["Port"] == server.port
    server.stop()
    assert python.health.service("über")[1] == [] and python.agent.services() == {}


def test_we_find_what_the_client_of_debian_registers(begin, conf, python, old):  # noqa: F811
    upstream = Upstream(name="py")
    try:
        conf.write(FRONT.format(url=old.url))
        server = begin()
        python.agent.service.register("api", service_id="py", port=upstream.port,
                                      check={"ttl": "1h"})  # fmt: skip
        python.agent.check.ttl_pass("service:py")
        eventually(lambda: server.fetch("/api/").body == b"py", "it is found at its node's address")
        python.agent.service.deregister("py")
        server.wait_for_log("the service api has no server any more")
    finally:
        upstream.close()
