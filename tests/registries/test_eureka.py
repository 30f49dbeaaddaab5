"""The fake Eureka, and what we register there, as eureka-js-client has it."""

import pytest

from foreign import Foreign
from lib.enrolled import APP, Eureka, instance_of, options, wait_for_state
from lib.reload import begin, conf  # noqa: F401
from lib.upstream import Upstream
from lib.wait import eventually

FRONT = """
registry {{ type = eureka  url = "{url}"  register = no  refresh_ms = 100 }}
upstream "api" {{ from_registry = yes }}
route "/api/" {{ handler = proxy  upstream = api }}
"""


@pytest.fixture(params=[False, True], ids=["list", "single"])
def registry(request):
    with Eureka(single=request.param) as made:
        yield made


@pytest.fixture
def client(packages, registry):
    with Foreign("eureka.js", packages, registry.port) as made:
        yield made


def instance(number, **more):
    return {
        "app": "api", "instanceId": f"js:{number}", "hostName": "localhost", "ipAddr": "127.0.0.1",
        "port": {"$": number, "@enabled": True}, "vipAddress": "api",
        "dataCenterInfo": {
            "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn",
        },
        **more,
    }  # fmt: skip


def test_the_client_takes_the_fake_for_one(client, registry):
    assert client.do("start", instance(80)) == "started"
    assert registry.instances("api")["js:80"]["status"] == "UP"
    eventually(lambda: client.do("heartbeats") > 1, "its heart beats")
    (found,) = client.do("find", "api")
    assert (found["ipAddr"], found["port"]["$"]) == ("127.0.0.1", 80)
    registry.forget()
    eventually(lambda: registry.status("api") == "UP", "it registers again")
    assert client.do("stop") == "stopped"
    assert registry.instances("api") == {}


def test_the_client_is_refused_as_by_a_real_one(client, registry):
    given = instance(80)
    del given["hostName"]
    assert "400" in client.do("start", given)
    assert "400" in client.do("start", instance(80, dataCenterInfo={"name": "MyOwn"}))
    assert "400" in client.do("start", instance(80, port=80))
    assert registry.instances("api") == {}


def test_the_client_sees_what_we_register(start, client, registry):
    server = start(*options(Eureka, registry.url, metadata="zone=a"))
    wait_for_state(registry, server, "UP")
    client.do("start")
    (found,) = client.do("find", APP)
    assert found == client.do("vip", APP)[0]
    assert found["instanceId"] == instance_of(server)
    assert found["port"] == {"$": server.port, "@enabled": "true"}
    assert found["metadata"]["zone"] == "a" and found["metadata"]["weight"] == "1"
    assert found["leaseInfo"]["durationInSecs"] == 60
    server.stop()
    assert client.do("find", APP) == []


def test_we_find_what_the_client_registers(begin, conf, client, registry):  # noqa: F811
    upstream = Upstream(name="js")
    try:
        conf.write(FRONT.format(url=registry.url))
        server = begin()
        client.do("start", instance(upstream.port, metadata={"weight": "3"}))
        eventually(lambda: server.fetch("/api/").body == b"js", "it is found")
        client.do("stop")
        server.wait_for_log("the service api has no server any more")
    finally:
        upstream.close()
