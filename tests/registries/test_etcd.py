"""Registering with a real etcd: what it has, from the start to every kind of end."""

import os
import signal
import time

import pytest

from lib import certificates, process
from lib.control import of_role, wait_for_status
from lib.needs import require
from lib.reload import begin, conf  # noqa: F401
from lib.wait import eventually
from etcd import Etcd
from registered import (  # noqa: F401
    etcd,
    key_of,
    kill_herald,
    options,
    payload,
    wait_until_gone,
    wait_until_registered,
)

# --- As it should be ----------------------------------------------------------------


def test_instance_is_a_key_on_a_lease_until_it_stops(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=60000, weight=3, fail_timeout_ms=1500,
                            metadata="zone=a"))  # fmt: skip
    record = wait_until_registered(etcd, server, weight=3, fail_timeout=1.5,
                                   metadata={"zone": "a"})  # fmt: skip
    assert len(etcd.leases()) == 1
    assert etcd.leases()[0] == format(record["lease"], "016x")
    server.stop()
    assert etcd.members() == {}
    assert etcd.leases() == []


def test_prefix_and_what_others_reach_it_by_are_configured(start, etcd):  # noqa: F811
    server = start(*options(etcd, prefix="/a/b", app="shop", advertise_host="2001:db8::5",
                            advertise_port=443))  # fmt: skip
    wanted = payload(server, host="2001:db8::5", port=443)
    eventually(lambda: etcd.members("shop", "/a/b") == {"[2001:db8::5]:443": wanted},
               "it is registered as configured")  # fmt: skip


def test_lease_is_kept_for_longer_than_its_time(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=1000))
    record = wait_until_registered(etcd, server)
    end = time.monotonic() + 3
    eventually(lambda: time.monotonic() > end, "three times the lease")
    assert etcd.record(key_of(server)) == record


def test_reload_keeps_the_key(begin, conf, etcd):  # noqa: F811
    conf.write(f'registry {{ type = etcd  app = api  url = {{"{etcd.url}"}} }}')
    server = begin()
    before = wait_until_registered(etcd, server)
    conf.write(f'registry {{ type = etcd  app = api  url = {{"{etcd.url}"}}  weight = 5 }}')
    server.send_signal(signal.SIGHUP)
    after = wait_until_registered(etcd, server, weight=5)
    wait_for_status(server, lambda now: len(of_role(now, "herald")) == 1, "the first herald leaves")
    again = etcd.record(key_of(server))
    # A key that was gone in between would have been created anew.
    assert before["create_revision"] == after["create_revision"] == again["create_revision"]


def test_other_generation_under_the_same_key_keeps_it(begin, conf, etcd):  # noqa: F811
    text = 'registry {{ type = etcd  app = api  url = {{"{}"}}  instance_id = {}  heartbeat_ms = 60000 }}'
    conf.write(text.format(etcd.url, "one"))
    server = begin()
    before = wait_until_registered(etcd, server)
    conf.write(text.format(etcd.url, "two"))
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("registered with etcd at .* as two, UP")
    wait_for_status(server, lambda now: len(of_role(now, "herald")) == 1, "the first herald leaves")
    after = wait_until_registered(etcd, server)
    assert before["create_revision"] == after["create_revision"]


# --- What dies -----------------------------------------------------------------------


def test_herald_that_is_killed_has_an_heir(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=2000))
    before = wait_until_registered(etcd, server)
    kill_herald(server)
    server.wait_for_log("registered with etcd", count=2)
    # The lease of the dead one ends, and takes nothing along.
    lease = format(before["lease"], "x")
    eventually(lambda: lease not in etcd.leases(), "the first lease ends")
    after = wait_until_registered(etcd, server)
    assert after["create_revision"] == before["create_revision"]


def test_server_that_is_killed_is_gone_with_its_lease(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=2000))
    server.expected_status = -signal.SIGKILL
    wait_until_registered(etcd, server)
    for pid in server.processes():
        process.kill(pid)
    wait_until_gone(etcd)
    assert etcd.leases() == []


def test_etcd_that_comes_back_with_its_data_has_the_key(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=60000))
    before = wait_until_registered(etcd, server)
    etcd.kill()
    server.wait_for_log("cannot register with etcd at .*: cannot connect .*; serving goes on")
    assert server.fetch().status == 200
    etcd.start()
    server.wait_for_log("registered with etcd", count=2)
    after = wait_until_registered(etcd, server)
    assert after["create_revision"] == before["create_revision"]


def test_etcd_that_comes_back_empty_hears_it_again(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=60000))
    wait_until_registered(etcd, server)
    etcd.kill()
    etcd.wipe()
    etcd.start()
    wait_until_registered(etcd, server)


def test_etcd_that_hangs_costs_no_request(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=1000, timeout_ms=300))
    wait_until_registered(etcd, server)
    with etcd.frozen():
        server.wait_for_log("cannot .* etcd at .* within 300 ms; serving goes on")
        assert server.fetch().status == 200
    wait_until_registered(etcd, server)
    server.wait_for_log("registered with etcd", count=2)


def test_start_goes_on_without_etcd(start, etcd):  # noqa: F811
    etcd.kill()
    server = start(*options(etcd))
    server.wait_for_log("cannot register with etcd at .*: cannot connect")
    assert server.fetch().status == 200
    etcd.start()
    wait_until_registered(etcd, server)


# --- What others take away --------------------------------------------------------------


def test_lease_that_somebody_revokes_is_granted_anew(start, etcd):  # noqa: F811
    server = start(*options(etcd))
    record = wait_until_registered(etcd, server)
    etcd.revoke(record["lease"])
    server.wait_for_log("etcd at .* does not know this instance any more: its lease is gone")
    assert wait_until_registered(etcd, server)["lease"] != record["lease"]


def test_key_that_somebody_deletes_is_put_again(start, etcd):  # noqa: F811
    server = start(*options(etcd))
    record = wait_until_registered(etcd, server)
    etcd.delete(key_of(server))
    server.wait_for_log("etcd at .* does not know this instance any more: its key is gone")
    assert wait_until_registered(etcd, server)["lease"] == record["lease"]


# --- The end ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["dead", "hanging"])
def test_stop_does_not_wait_for_etcd(start, etcd, state):  # noqa: F811
    server = start(*options(etcd, timeout_ms=600000, deregister_timeout_ms=300,
                            heartbeat_ms=60000))  # fmt: skip
    wait_until_registered(etcd, server)
    if state == "dead":
        etcd.kill()
        server.stop()
        server.wait_for_log("cannot deregister from etcd at .*: cannot connect")
        return
    with etcd.frozen():
        server.stop()  # in less time than timeout_ms
    server.wait_for_log("etcd at .* has not answered within 300 ms, leaving without")


# --- Who may ------------------------------------------------------------------------------


def test_user_logs_in_and_again_when_etcd_forgets_it(start, etcd):  # noqa: F811
    etcd.enable_auth()
    server = start(*options(etcd, user="joe"), env={"REGISTRY_PASSWORD": "secret of joe"})
    wait_until_registered(etcd, server)
    # No token outlives this.
    etcd.ctl("auth", "disable")
    etcd.ctl("auth", "enable")
    etcd.delete(key_of(server))
    wait_until_registered(etcd, server)
    assert "refuses" not in server.log and "secret" not in server.log
    server.stop()
    assert etcd.members() == {}


def test_user_is_ahead_of_authentication(start, etcd):  # noqa: F811
    server = start(*options(etcd, user="joe", password="secret of joe"))
    wait_until_registered(etcd, server)
    etcd.enable_auth()
    etcd.delete(key_of(server))
    wait_until_registered(etcd, server)


@pytest.mark.parametrize("user, why", [
    ("joe", "authentication failed"),
    ("nobody", "authentication failed"),
    ("", "user name is empty"),
])  # fmt: skip
def test_wrong_user_is_refused_and_the_log_says_so(start, etcd, user, why):  # noqa: F811
    etcd.enable_auth()
    server = start(*options(etcd, user=user, password="not that" if user else ""))
    server.wait_for_log(f"error herald .*: etcd at .* refuses this instance: .*{why}; .*"
                        "look at registry.user")  # fmt: skip
    assert "not that" not in server.log
    assert server.fetch().status == 200


def test_user_without_the_right_is_refused(start, etcd):  # noqa: F811
    etcd.enable_auth(prefix="/elsewhere/")
    server = start(*options(etcd, user="joe", password="secret of joe"))
    server.wait_for_log("refuses this instance: .*permission denied")


# --- TLS -------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path, run):
    require(certificates.PROGRAM)
    if "OpenSSL" not in run("--version").stdout:
        pytest.skip("the program was built without OpenSSL")
    return certificates.Authority(tmp_path)


@pytest.fixture
def safe_etcd(tmp_path, authority):
    with Etcd(tmp_path, authority) as running:
        yield running


def test_tls_with_an_authority_that_is_trusted(start, safe_etcd, authority):
    server = start(*options(safe_etcd, ca_file=authority.file))
    wait_until_registered(safe_etcd, server)
    server.stop()
    assert safe_etcd.members() == {}


def test_tls_with_an_authority_that_is_not(start, safe_etcd, tmp_path):
    stranger = certificates.Authority(tmp_path, "stranger")
    server = start(*options(safe_etcd, ca_file=stranger.file))
    server.wait_for_log("cannot register with etcd at https://.*: .*certificate.*; serving goes on")
    assert server.fetch().status == 200
    assert safe_etcd.members() == {}


# --- A heavy hand --------------------------------------------------------------------------


def test_everybody_dies_again_and_again_and_one_key_stays(start, etcd):  # noqa: F811
    server = start(*options(etcd, ttl_ms=3000))
    before = wait_until_registered(etcd, server)
    for _ in range(3):
        kill_herald(server)
        for worker in list(server.serving):
            process.kill(worker.pid)
            server.wait_until_replaced(worker)
    server.wait_until_serving()
    after = wait_until_registered(etcd, server)
    assert after["create_revision"] == before["create_revision"]
    assert os.path.exists(f"/proc/{server.pid}")
