"""An instance and its services in etcd; tests/registries has the same with a real one."""

import time

import pytest

from lib import process
from lib.control import of_role, status, wait_for_status
from lib.fake_etcd import FakeEtcd
from lib.herald import servers_of
from lib.proxy import route
from lib.reload import begin, conf  # noqa: F401
from lib.wait import eventually

TOKEN_REFUSED = 401, b'{"message":"etcdserver: invalid auth token"}'


def options(etcd, **more):
    given = {"type": "etcd", "app": "api", "url": etcd.url, "heartbeat_ms": 100, **more}
    return [f"registry.{key}={value}" for key, value in given.items()]


@pytest.fixture
def etcd():
    with FakeEtcd() as fake:
        yield fake


def wait_until_registered(etcd, server):
    wanted = {"weight": 1, "max_fails": 2, "fail_timeout": 10, "down": 0,
              "host": "127.0.0.1", "port": server.port}  # fmt: skip
    eventually(lambda: etcd.members() == {f"127.0.0.1:{server.port}": wanted}, f"it has {wanted}")


# --- Registering --------------------------------------------------------------------


@pytest.mark.smoke
def test_key_is_there_until_the_instance_stops(start, etcd):
    server = start(*options(etcd))
    wait_until_registered(etcd, server)
    eventually(lambda: etcd.requests.count("/v3/lease/keepalive") > 2, "its lease is kept alive")
    assert list(etcd.leases.values()) == [90]
    server.stop()
    assert etcd.members() == {} and etcd.leases == {}


def test_lease_that_has_ended_is_granted_anew(start, etcd):
    server = start(*options(etcd))
    wait_until_registered(etcd, server)
    (lease,) = etcd.leases
    etcd.expire(lease)
    server.wait_for_log("does not know this instance any more: its lease is gone")
    wait_until_registered(etcd, server)
    assert lease not in etcd.leases


def test_second_server_is_asked_when_the_first_is_not_there(start, etcd):
    server = start(*options(etcd, url=f"http://127.0.0.1:1,{etcd.url}"))
    wait_until_registered(etcd, server)
    server.wait_for_log("cannot register with etcd at http://127.0.0.1:1: cannot connect")


NONSENSE = {
    "nothing": (200, b"", "makes no sense"),
    "bytes": (200, b"\0\xff" * 1000, "makes no sense"),
    "brackets": (200, b"[" * 100000, "makes no sense"),
    "lease": (200, b'{"ID":"-1"}', "makes no sense"),
    "large": (200, b"x" * (5 << 20), "larger than"),
    "broken": (500, b"", "status 500"),
    "leader": (503, b'{"message":"no leader"}', "no leader"),
}


@pytest.mark.parametrize("name", NONSENSE)
def test_nonsense_costs_a_line(start, etcd, name):
    number, body, why = NONSENSE[name]
    etcd.answer = lambda target: (number, body)
    server = start(*options(etcd))
    server.wait_for_log(f"cannot register with etcd at .*: .*{why}.*; serving goes on")
    assert server.fetch().status == 200
    etcd.answer = None
    wait_until_registered(etcd, server)


@pytest.mark.parametrize("target, why", [
    ("/v3/auth/authenticate", "it answers with status 400"),
    ("/v3/lease/grant", "what it says has a secret in it"),
])  # fmt: skip
def test_secrets_that_are_repeated_are_shown_nowhere(start, etcd, target, why):
    etcd.echo = target
    server = start(*options(etcd, user="joe", password="s3cret"))
    server.wait_for_log(f"etcd at .* refuses this instance: {why}; serving goes on")
    for shown in server.log, str(status(server)):
        assert "s3cret" not in shown and "token-of-joe" not in shown


def test_token_that_is_refused_twice_costs_a_moment(start, etcd):
    """As of a server that switches authentication off and on again meanwhile."""
    refusals = [TOKEN_REFUSED] * 2
    etcd.answer = lambda target: refusals.pop() if "grant" in target and refusals else None
    server = start(*options(etcd, user="joe", password="s3cret"))
    wait_until_registered(etcd, server)
    server.wait_for_log("cannot register with etcd at .*: .*invalid auth token; serving goes on")
    assert refusals == [] and "refuses" not in server.log


# --- Looking up -----------------------------------------------------------------------


@pytest.fixture
def look_up(begin, conf, etcd):  # noqa: F811
    def start_one(more="refresh_ms = 86400000"):
        conf.write(
            f'registry {{ type = etcd  url = {{"{etcd.url}"}}  register = no  {more} }}\n'
            'upstream "api" { from_registry = yes }\n' + route("/")
        )
        return begin()

    return start_one


def wait_for_servers(server, *wanted):
    wait_for_status(server, lambda now: set(servers_of(now)) == set(wanted), f"it has {wanted}")


def put(etcd, name, value="{}"):
    etcd.put(f"/services/api/{name}", value)


def test_services_are_followed(look_up, etcd):
    put(etcd, "10.0.0.1:80")
    server = look_up()
    wait_for_servers(server, "10.0.0.1:80")
    put(etcd, "10.0.0.2:80")
    wait_for_servers(server, "10.0.0.1:80", "10.0.0.2:80")
    etcd.delete("/services/api/10.0.0.1:80")
    wait_for_servers(server, "10.0.0.2:80")
    assert etcd.requests.count("/v3/kv/range") == 1


def test_token_that_is_refused_twice_ends_no_session_of_look_ups(look_up, etcd):
    put(etcd, "10.0.0.1:80")
    refusals = [TOKEN_REFUSED] * 2
    etcd.answer = lambda target: refusals.pop() if "range" in target and refusals else None
    server = look_up('user = "joe"  password = "s3cret"')
    wait_for_servers(server, "10.0.0.1:80")
    assert refusals == [] and etcd.requests.count("/v3/auth/authenticate") == 2


@pytest.mark.parametrize("end", ["cancel_watches", "end_watches"])
def test_watch_that_ends_is_begun_again(look_up, etcd, end):
    put(etcd, "10.0.0.1:80")
    server = look_up()
    wait_for_servers(server, "10.0.0.1:80")
    eventually(lambda: etcd.requests.count("/v3/watch") == 1, "it is watched")
    getattr(etcd, end)()
    eventually(lambda: etcd.requests.count("/v3/watch") == 2, "it is watched again")
    put(etcd, "10.0.0.2:80")
    wait_for_servers(server, "10.0.0.1:80", "10.0.0.2:80")


def test_watch_that_has_missed_something_is_begun_again(look_up, etcd):
    put(etcd, "10.0.0.1:80")
    server = look_up("refresh_ms = 300")
    eventually(lambda: etcd.requests.count("/v3/kv/range") > 2, "all keys are asked for again")
    assert etcd.requests.count("/v3/watch") == 1
    etcd.silent = True
    put(etcd, "10.0.0.2:80")
    wait_for_servers(server, "10.0.0.1:80", "10.0.0.2:80")
    eventually(lambda: etcd.requests.count("/v3/watch") == 2, "it is watched again")


def test_watch_that_babbles_is_left(look_up, etcd):
    put(etcd, "10.0.0.1:80")
    etcd.answer = lambda target: (200, b"babble\n" * 10) if target == "/v3/watch" else None
    server = look_up()
    wait_for_servers(server, "10.0.0.1:80")
    # Each time it is left alone for a while.
    before, started = etcd.requests.count("/v3/watch"), time.monotonic()
    eventually(lambda: etcd.requests.count("/v3/watch") >= before + 2, "it is tried again")
    assert time.monotonic() - started > 1
    (herald,) = of_role(status(server), "herald")
    assert process.is_alive(herald["pid"])
