"""Registries that are spoken to over HTTP, Eureka and Consul: from registering to good-bye."""

import pytest

from lib import fake_registry, process
from lib.client import fetch
from lib.control import status
from lib.enrolled import (
    APP, KINDS, Consul, Eureka, herald_of, instance_of, options, peak_bytes, spread, wait_for_state,
)  # fmt: skip
from lib.reload import begin, conf  # noqa: F401
from lib.upstream import Stage
from lib.wait import eventually

SECRET = "open-sesame-17"
MEBIBYTE = 1 << 20
NAMES = [kind.TYPE for kind in KINDS]
both = pytest.mark.parametrize("kind", KINDS, ids=NAMES)


@pytest.fixture
def registry(kind):
    with kind() as made:
        yield made


@pytest.fixture
def stage():
    with Stage() as made:
        yield made


def assert_serves(server):
    assert server.fetch("/hello").status == 200


# --- Registering --------------------------------------------------------------------------


@pytest.mark.smoke
@both
def test_it_registers_is_up_and_leaves(start, kind, registry):
    server = start(*options(kind, registry.url))
    server.wait_for_log(
        rf"registered with {kind.TYPE} at {registry.url} as {instance_of(server)}, "
    )
    wait_for_state(registry, server, registry.UP)
    assert registry.states() in ([registry.STARTING, registry.UP], [registry.UP])
    registry.wait_for(registry.HEARTBEAT, 3)
    server.stop()
    assert registry.states()[-1] == registry.DOWN
    last_change = registry.lines()[-1]
    assert last_change.startswith(registry.DEREGISTER)
    assert registry.state_of(server) is None
    server.wait_for_log(f"deregistered from {kind.TYPE}")


@both
def test_the_name_can_be_anything(start, kind, registry):
    name = "a b%c?d#e&f+g"
    server = start(*options(kind, registry.url, app="x y", instance_id=name))

    def is_there():
        return name in registry.instances("X Y") if kind is Eureka else registry.service(name)

    eventually(is_there, "it is registered")
    server.wait_for_log(f"registered with {kind.TYPE}")
    server.stop()
    assert not is_there()


@both
def test_an_absent_registry_delays_nothing(start, kind, registry):
    registry.go()
    server = start(*options(kind, registry.url))
    server.wait_for_log(rf"cannot register with {kind.TYPE} at {registry.url}: .*; "
                        r"serving goes on; trying again in \d+ ms")  # fmt: skip
    assert_serves(server)
    registry.come()
    wait_for_state(registry, server, registry.UP)


@both
def test_a_registry_that_goes_stops_nothing(start, kind, registry):
    server = start(*options(kind, registry.url))
    wait_for_state(registry, server, registry.UP)
    registry.go()
    server.wait_for_log(rf"cannot register with {kind.TYPE} at {registry.url}")
    assert_serves(server)
    server.stop()


@both
def test_who_is_forgotten_registers_again(start, kind, registry):
    server = start(*options(kind, registry.url))
    server.wait_for_log(f"registered with {kind.TYPE}")
    registry.forget()
    server.wait_for_log(rf"{kind.TYPE} at {registry.url} does not know this instance any more")
    wait_for_state(registry, server, registry.UP)


def test_an_old_consul_says_forgotten_with_500(start):
    with Consul(is_old=True) as registry:
        server = start(*options(Consul, registry.url))
        server.wait_for_log("registered with consul")
        registry.forget()
        server.wait_for_log("does not know this instance any more")
        wait_for_state(registry, server, "passing")


@both
def test_another_server_stands_in(start, kind, registry):
    with kind() as other:
        registry.go()
        server = start(*options(kind, registry.url, other.url))
        wait_for_state(other, server, registry.UP)
        server.wait_for_log(rf"cannot register with {kind.TYPE} at {registry.url}: "
                            rf".* trying {other.url}")  # fmt: skip
        registry.come()
        other.go()
        wait_for_state(registry, server, registry.UP)


@both
def test_the_registry_comes_back_after_500(start, kind, registry):
    registry.misbehaves = fake_registry.say(503)
    server = start(*options(kind, registry.url))
    server.wait_for_log("it answered with status 503")
    registry.misbehaves = None
    wait_for_state(registry, server, registry.UP)


@both
def test_what_is_refused_is_not_repeated_at_once(start, kind, registry):
    registry.misbehaves = fake_registry.say(400)
    server = start(*options(kind, registry.url))
    server.wait_for_log(rf"{kind.TYPE} at {registry.url} refuses this instance: "
                        "it answered with status 400; .* look at the section registry")  # fmt: skip
    assert_serves(server)
    assert len(registry.lines(registry.REGISTER)) == 1


# --- Who we are -----------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["options", "url", "environment"])
@both
def test_the_secret_reaches_the_registry_and_nobody_else(start, kind, place):
    with kind(secret=SECRET) as registry:
        url = registry.url_with(SECRET) if place == "url" else registry.url
        more = spread(*registry.login_options(SECRET)) if place == "options" else []
        env = {"REGISTRY_USER": "hermes", "REGISTRY_PASSWORD": SECRET}
        server = start("-o", "log.level=debug", *options(kind, url, watch="api"), *more,
                       env=env if place == "environment" else {})  # fmt: skip
        wait_for_state(registry, server, registry.UP)
        registry.wait_for(registry.LOOK_UP)
        registry.misbehaves = fake_registry.say(500)
        server.wait_for_log("it answered with status 500")
        server.stop()
        assert SECRET not in server.log


@pytest.mark.parametrize("secret", [None, "wrong"])
@both
def test_without_the_right_one_it_serves_all_the_same(start, kind, secret):
    with kind(secret=SECRET) as registry:
        more = spread(*registry.login_options(secret)) if secret else []
        server = start(*options(kind, registry.url, watch="api"), *more)
        server.wait_for_log(rf"{kind.TYPE} at {registry.url} refuses this instance: it answered "
                            rf"with status {registry.REFUSAL}; serving goes on")  # fmt: skip
        assert_serves(server)
        assert len(registry.lines(registry.REGISTER)) == 1
        server.wait_for_log(rf"the service api cannot be looked up: it answered with status "
                            rf"{registry.REFUSAL}")  # fmt: skip


# --- Registries that mean no good -------------------------------------------------------------

WIDE = b"[" + b"{}," * (MEBIBYTE - 10) + b"{}]"
HOSTILE = {
    "garbage": fake_registry.garbage,
    "huge": fake_registry.huge,
    "head": fake_registry.endless_head,
    "nothing": fake_registry.nothing,
    "drip": fake_registry.drip,
    "wide": fake_registry.say(200, WIDE, "application/json"),
    "html": fake_registry.say(200, b"<html>"),
}


@pytest.mark.parametrize("way", HOSTILE)
@both
def test_a_hostile_registry_costs_a_warning(start, kind, registry, way):
    server = start(*options(kind, registry.url, watch="api", timeout_ms=1000))
    wait_for_state(registry, server, registry.UP)
    herald = herald_of(server)
    before = peak_bytes(herald)
    registry.misbehaves = HOSTILE[way]
    # Which of them is the first ends the session.
    server.wait_for_log(rf"(cannot register with {kind.TYPE} at {registry.url}|"
                        r"the service api cannot be looked up): ")  # fmt: skip
    assert_serves(server)
    assert herald_of(server) == herald
    assert peak_bytes(herald) - before < 192 * MEBIBYTE  # which sanitizers take nearly
    assert registry.n_huge_bytes < 64 * MEBIBYTE
    registry.misbehaves = None
    registry.put("api", "one", port=1234)
    server.wait_for_log("the service api has 1 server: 127.0.0.1:1234")
    wait_for_state(registry, server, registry.UP)


# --- Looking others up -------------------------------------------------------------------------

PROXY = """
upstream "api" { from_registry = yes }
route "/api/" { handler = proxy  upstream = api }
"""


def registry_section(kind, url, **more):
    values = {"type": kind.TYPE, "url": f'"{url}"', "register": "no", "refresh_ms": 100, **more}
    return "\n".join(["registry {", *(f"{key} = {value}" for key, value in values.items()), "}"])


def names_served(server, n=12):
    return {fetch(server.address, "/api/").body for _ in range(n)}


@both
def test_requests_go_to_whom_the_registry_names(begin, conf, kind, registry, stage):  # noqa: F811
    one, other = (stage.add(name=name) for name in ("one", "other"))
    registry.put("api", "a", port=one.port)
    conf.write(registry_section(kind, registry.url) + PROXY)
    server = begin()
    eventually(lambda: names_served(server) == {b"one"}, "requests go to one")
    registry.put("api", "b", port=other.port)
    eventually(lambda: names_served(server) == {b"one", b"other"}, "requests go to both")
    registry.go()
    server.wait_for_log("the service api cannot be looked up")
    assert names_served(server) == {b"one", b"other"}
    registry.forget()
    registry.put("api", "b", port=other.port)
    registry.come()
    eventually(lambda: names_served(server) == {b"other"}, "requests go to the other")
    assert not registry.lines(registry.REGISTER)


def weights(server):
    return sorted(member["weight"] for member in status(server)["upstreams"][0]["servers"])


def test_eureka_finds_only_who_is_up_and_how_to_balance_them(begin, conf, stage):  # noqa: F811
    with Eureka(single=True) as registry:
        registry.put("api", "down", port=1, status="DOWN")
        registry.put("api", "up", port=2, metadata={"weight": "7"})
        registry.put("api", "starting", port=3, status="STARTING")
        conf.write(registry_section(Eureka, registry.url) + PROXY)
        server = begin()
        eventually(lambda: weights(server) == [7], "one is found")
        registry.put("api", "down", port=1, status="UP", metadata={"weight": "5"})
        eventually(lambda: weights(server) == [5, 7], "two are found")
        assert registry.wait_for("GET ").headers["Accept"] == "application/json"


def test_consul_tells_of_changes_by_itself(begin, conf):  # noqa: F811
    with Consul() as registry:
        registry.put("api", "a", port=1, Weights={"Passing": 3, "Warning": 1})
        conf.write(registry_section(Consul, registry.url, refresh_ms=3600000) + PROXY)
        server = begin()
        eventually(lambda: weights(server) == [3], "one is found")
        held = registry.wait_for("GET /v1/health/service/api?passing=1&index=")
        assert held.query["wait"] == "600000ms"
        registry.put("api", "b", port=2)
        eventually(lambda: weights(server) == [1, 3], "two are found")
        registry.go_back()
        registry.put("api", "c", port=3)
        eventually(lambda: weights(server) == [1, 1, 3], "three are found")
        anew = "GET /v1/health/service/api?passing=1"
        eventually(lambda: registry.lines().count(anew) == 2, "it has begun anew")


# --- What is told --------------------------------------------------------------------------------


def test_eureka_is_told_all_it_needs(start):
    with Eureka() as registry:
        server = start(*options(Eureka, registry.url, weight=3, metadata="zone=a, rack=b=c"))
        wait_for_state(registry, server, "UP")
        shown = registry.instances(APP)[instance_of(server)]
        assert shown["app"] == "ZOMBIE-SERVER" and shown["vipAddress"] == APP
        assert shown["hostName"] == shown["ipAddr"] == "127.0.0.1"
        assert shown["port"] == {"$": server.port, "@enabled": "true"}
        assert shown["securePort"]["@enabled"] == "false"
        assert shown["leaseInfo"] == {"renewalIntervalInSecs": 1, "durationInSecs": 60}
        assert shown["metadata"] == {"zone": "a", "rack": "b=c", "weight": "3", "max_fails": "2",
                                     "fail_timeout": "10"}  # fmt: skip
        url = f"http://127.0.0.1:{server.port}"
        assert shown["homePageUrl"] == url + "/"
        assert shown["healthCheckUrl"] == url + "/healthcheck"
        stamps = [int(one.json()["instance"]["lastDirtyTimestamp"]) for one in registry.asked
                  if one.method == "POST"]  # fmt: skip
        assert stamps == sorted(set(stamps))
        assert not [line for line in registry.lines("PUT ") if "/status" in line]


@pytest.mark.parametrize("path", ["/eureka", "/eureka/", "/eureka/apps", "/eureka/apps/",
                                  "/eureka/v2", "/eureka/v2/apps/"])  # fmt: skip
def test_eureka_may_be_at_any_of_its_paths(start, path):
    with Eureka() as registry:
        server = start(*options(Eureka, f"http://127.0.0.1:{registry.port}{path}"))
        wait_for_state(registry, server, "UP")


def test_what_is_no_eureka_is_said_to_be_none(start):
    with Eureka() as registry:
        server = start(*options(Eureka, f"http://127.0.0.1:{registry.port}/else"))
        server.wait_for_log("refuses this instance: there is no Eureka at this path")


def crash(server):
    """All of it at once: whoever is left would say good-bye."""
    server.expected_status = None
    for pid in server.processes():
        process.kill(pid)


def test_eureka_shows_a_crash_until_the_lease_is_over(start):
    with Eureka() as registry:
        server = start(*options(Eureka, registry.url, ttl_ms=1000))
        wait_for_state(registry, server, "UP")
        crash(server)
        eventually(lambda: registry.state_of(server) is None, "the lease is over")


def test_consul_is_told_all_it_needs(start):
    with Consul() as registry:
        server = start(*options(Consul, registry.url, weight=3, metadata="zone=a"))
        wait_for_state(registry, server, "passing")
        service = registry.service(instance_of(server))
        assert (service["Service"], service["Address"]) == (APP, "127.0.0.1")
        assert service["Port"] == server.port
        assert service["Weights"] == {"Passing": 3, "Warning": 1}
        assert service["Meta"] == {"zone": "a", "weight": "3", "max_fails": "2",
                                   "fail_timeout": "10"}  # fmt: skip
        check = registry.wait_for(registry.REGISTER).json()["Check"]
        assert check["TTL"] == "60000ms" and check["DeregisterCriticalServiceAfter"] == "600000ms"


def test_consul_hears_the_heart(start):
    with Consul() as registry:
        server = start(*options(Consul, registry.url, ttl_ms=1000))
        wait_for_state(registry, server, "passing")
        registry.wait_for(registry.HEARTBEAT, 15)
        assert registry.status(instance_of(server)) == "passing"
        crash(server)
        wait_for_state(registry, server, "critical")
