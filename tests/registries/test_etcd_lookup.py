"""Looking services up in a real etcd, as a proxy sees them."""

import json

import pytest

from etcd import Relay
from lib.control import wait_for_status
from lib.herald import servers_of
from lib.proxy import route
from lib.reload import begin, conf  # noqa: F401
from lib.wait import eventually
from registered import etcd, name_of, options, wait_until_registered  # noqa: F401

_REGISTRY = """
registry {{
    type = etcd  url = {{"{url}"}}  register = no  heartbeat_ms = 200  {more}
}}
"""


def text(url, more="", balance="round_robin"):
    upstream = f'upstream "api" {{ from_registry = yes  balance = {balance} }}\n'
    return _REGISTRY.format(url=url, more=more) + upstream + route("/")


@pytest.fixture
def look_up(begin, conf):  # noqa: F811
    """Start a proxy whose upstream `api` is what etcd has of it."""

    def start_one(url, *arguments, more="", **options):  # noqa: F811
        conf.write(text(url, more))
        return begin(*arguments, **options)

    return start_one


def wait_for_servers(server, wanted):
    """Until the upstream consists of these addresses."""
    return wait_for_status(server, lambda now: set(servers_of(now)) == set(wanted),
                           f"the upstream has {wanted}")  # fmt: skip


def who_answers(proxy):
    """The instance that a request reaches; None: there is none."""
    answer = proxy.fetch("/", headers={"Accept": "application/json"})
    return answer.json["instance"] if answer.status == 200 else None


def put(etcd, name, **more):  # noqa: F811
    etcd.put(f"/services/api/{name}", more)


def test_requests_reach_who_is_registered(start, look_up, etcd):  # noqa: F811
    proxy = look_up(etcd.url)
    assert who_answers(proxy) is None
    one = start(*options(etcd))
    eventually(lambda: who_answers(proxy) == one.instance, "the one is reached")
    two = start(*options(etcd))
    eventually(lambda: who_answers(proxy) == two.instance, "the other is reached as well")
    one.stop()
    wait_for_servers(proxy, [name_of(two)])
    for _ in range(4):
        assert who_answers(proxy) == two.instance


def test_changes_come_by_the_watch(look_up, etcd):  # noqa: F811
    put(etcd, "10.0.0.1:80")
    proxy = look_up(etcd.url, more="refresh_ms = 86400000")
    wait_for_servers(proxy, ["10.0.0.1:80"])
    put(etcd, "10.0.0.2:80", weight=5)
    put(etcd, "anything", host="10.0.0.3", port=8080)
    now = wait_for_servers(proxy, ["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:8080"])
    assert servers_of(now)["10.0.0.2:80"]["weight"] == 5
    etcd.delete("/services/api/10.0.0.1:80")
    wait_for_servers(proxy, ["10.0.0.2:80", "10.0.0.3:8080"])
    put(etcd, "10.0.0.2:80", down=1)
    wait_for_status(proxy, lambda now: servers_of(now).get("10.0.0.2:80", {}).get("state")
                    not in ("up", "unknown"), "who is down is not asked")  # fmt: skip


def test_what_makes_no_sense_is_left_out(look_up, etcd):  # noqa: F811
    etcd.ctl("put", "/services/api/10.0.0.1:80", "no JSON")
    etcd.ctl("put", "/services/api/10.0.0.2:80", "")
    put(etcd, "10.0.0.3:80", weight="heavy")
    put(etcd, "v2/10.0.0.4:80")
    etcd.put("/services/api2/10.0.0.5:80", {})
    proxy = look_up(etcd.url)
    wait_for_servers(proxy, ["10.0.0.2:80"])


def test_last_servers_stay_while_etcd_is_away(start, look_up, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=60000))
    wait_until_registered(etcd, server)
    proxy = look_up(etcd.url)
    eventually(lambda: who_answers(proxy) == server.instance, "it is reached")
    etcd.kill()
    proxy.wait_for_log("the service api cannot be looked up: .*its last known servers stay")
    assert who_answers(proxy) == server.instance
    etcd.start()
    proxy.wait_for_log("the service api can be looked up again")
    put(etcd, "10.0.0.9:80")
    wait_for_servers(proxy, [name_of(server), "10.0.0.9:80"])


def test_etcd_that_hangs_is_noticed_and_its_changes_afterwards(look_up, etcd):  # noqa: F811
    put(etcd, "10.0.0.1:80")
    proxy = look_up(etcd.url, more="refresh_ms = 200  timeout_ms = 300")
    wait_for_servers(proxy, ["10.0.0.1:80"])
    with etcd.frozen():
        proxy.wait_for_log("the service api cannot be looked up: .*its last known servers stay")
    put(etcd, "10.0.0.2:80")
    wait_for_servers(proxy, ["10.0.0.1:80", "10.0.0.2:80"])


def test_stream_that_dies_without_a_word_is_noticed(look_up, etcd):  # noqa: F811
    put(etcd, "10.0.0.1:80")
    with Relay(etcd.port) as relay:
        proxy = look_up(relay.url, more="refresh_ms = 300  timeout_ms = 1000")
        wait_for_servers(proxy, ["10.0.0.1:80"])
        relay.mute()
        put(etcd, "10.0.0.2:80")
        wait_for_servers(proxy, ["10.0.0.1:80", "10.0.0.2:80"])


def test_history_that_is_compacted_is_no_trouble(look_up, etcd):  # noqa: F811
    put(etcd, "10.0.0.1:80")
    proxy = look_up(etcd.url, more="refresh_ms = 86400000")
    wait_for_servers(proxy, ["10.0.0.1:80"])
    for weight in range(1, 4):
        put(etcd, "10.0.0.1:80", weight=weight)
    revision = etcd.record("/services/api/10.0.0.1:80")["mod_revision"]
    etcd.ctl("compact", str(revision))
    put(etcd, "10.0.0.2:80")
    wait_for_servers(proxy, ["10.0.0.1:80", "10.0.0.2:80"])


def test_user_reads_what_it_may(look_up, etcd):  # noqa: F811
    put(etcd, "10.0.0.1:80")
    etcd.enable_auth()
    proxy = look_up(etcd.url, more='user = joe  password = "secret of joe"')
    wait_for_servers(proxy, ["10.0.0.1:80"])
    # No token outlives this, also not that of the watch.
    etcd.ctl("auth", "disable")
    etcd.ctl("auth", "enable")
    put(etcd, "10.0.0.2:80")
    wait_for_servers(proxy, ["10.0.0.1:80", "10.0.0.2:80"])


def test_user_without_the_right_is_told(look_up, etcd):  # noqa: F811
    etcd.enable_auth(prefix="/elsewhere/")
    proxy = look_up(etcd.url, more='user = joe  password = "secret of joe"')
    proxy.wait_for_log("the service api cannot be looked up: .*permission denied")
    assert "secret" not in proxy.log


def test_other_registries_layout_is_read(look_up, etcd):  # noqa: F811
    """nginx's upsync module writes this."""
    value = json.dumps({"weight": 1, "max_fails": 2, "fail_timeout": 10, "down": 0})
    etcd.ctl("put", "/services/api/10.0.0.1:80", value)
    proxy = look_up(etcd.url)
    wait_for_servers(proxy, ["10.0.0.1:80"])
