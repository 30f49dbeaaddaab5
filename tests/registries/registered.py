"""A server that registers with etcd, and what etcd then has to have."""

import pytest

from etcd import PROGRAMS, Etcd
from lib import process
from lib.control import of_role, status, wait_for_status
from lib.needs import require
from lib.wait import eventually

_BRIEF = {"type": "etcd", "app": "api", "heartbeat_ms": 200, "timeout_ms": 5000}


def options(etcd, **more):
    return [f"registry.{key}={value}" for key, value in {**_BRIEF, "url": etcd.url, **more}.items()]


def name_of(server):
    return f"127.0.0.1:{server.port}"


def key_of(server):
    return f"/services/api/{name_of(server)}"


def payload(server, **more):
    return {"weight": 1, "max_fails": 2, "fail_timeout": 10, "down": 0, "host": "127.0.0.1",
            "port": server.port, **more}  # fmt: skip


def wait_until_registered(etcd, server, **more):
    wanted = {name_of(server): payload(server, **more)}
    eventually(lambda: etcd.members() == wanted, f"etcd has {wanted}")
    return etcd.record(key_of(server))


def wait_until_gone(etcd):
    eventually(lambda: not etcd.members(), "etcd has no member")


def herald_of(server):
    (herald,) = of_role(status(server), "herald")
    return herald


def kill_herald(server):
    """Returns when another one serves."""
    before = herald_of(server)
    process.kill(before["pid"])

    def succeeded(now):
        found = of_role(now, "herald")
        return found and found[0]["worker"] > before["worker"] and found[0]["state"] == "serving"

    wait_for_status(server, succeeded, "another herald serves")


@pytest.fixture
def etcd(tmp_path):
    require(*PROGRAMS)
    with Etcd(tmp_path) as running:
        yield running
