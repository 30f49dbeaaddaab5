"""Servers that register with a fake registry and look others up there."""

import itertools

from lib import process
from lib.control import of_role, status
from lib.fake_consul import FakeConsul
from lib.fake_eureka import FakeEureka
from lib.wait import eventually

APP = "zombie-server"  # unless the configuration says otherwise


class Eureka(FakeEureka):
    TYPE = "eureka"
    REGISTER, HEARTBEAT = "POST /eureka/apps/ZOMBIE-SERVER", "PUT /eureka/apps/ZOMBIE-SERVER/"
    DEREGISTER = "DELETE /eureka/apps/ZOMBIE-SERVER/"
    LOOK_UP = "GET /eureka/apps/"
    UP, DOWN, STARTING = "UP", "DOWN", "STARTING"
    REFUSAL = 401

    def __init__(self, secret=None, **options):
        super().__init__(login=secret and ("hermes", secret), **options)

    def state_of(self, server):
        found = self.instances(APP).get(instance_of(server))
        return found and found["status"]

    def states(self):
        """That it was told, one after the other."""
        with self.changed:
            return [one.json()["instance"]["status"] for one in self.asked if one.method == "POST"]

    def login_options(self, secret):
        return ["registry.user=hermes", f"registry.password={secret}"]

    def url_with(self, secret):
        return self.url.replace("//", f"//hermes:{secret}@")


class Consul(FakeConsul):
    TYPE = "consul"
    REGISTER, HEARTBEAT = "PUT /v1/agent/service/register", "PUT /v1/agent/check/"
    DEREGISTER = "PUT /v1/agent/service/deregister/"
    LOOK_UP = "GET /v1/health/service/"
    UP, DOWN, STARTING = "passing", "critical", "critical"
    REFUSAL = 403

    def __init__(self, secret=None, **options):
        super().__init__(token=secret, **options)

    def state_of(self, server):
        return self.status(instance_of(server))

    def states(self):
        words = {"pass": "passing", "fail": "critical"}
        told = [line.split("/")[4] for line in self.lines("PUT /v1/agent/check/")]
        return [words[word] for word, _ in itertools.groupby(told)]  # heartbeats are the same

    def login_options(self, secret):
        return [f"registry.password={secret}"]

    def url_with(self, secret):
        return self.url.replace("//", f"//hermes:{secret}@")


KINDS = (Eureka, Consul)


def options(kind, *urls, **more):
    """Arguments of a server that registers; quick enough for a test."""
    values = {"type": kind.TYPE, "url": ",".join(urls), "heartbeat_ms": 100, "ttl_ms": 60000,
              "timeout_ms": 20000, "refresh_ms": 100, **more}  # fmt: skip
    return [word for key, value in values.items() for word in ("-o", f"registry.{key}={value}")]


def spread(*values):
    return [word for value in values for word in ("-o", value)]


def instance_of(server):
    return f"127.0.0.1:{APP}:{server.port}"


def wait_for_state(registry, server, state):
    eventually(lambda: registry.state_of(server) == state, f"it is registered as {state}")


def herald_of(server):
    def found():
        heralds = of_role(status(server), "herald")
        return heralds and heralds[0]["pid"]

    return eventually(found, "there is a herald")


def peak_bytes(pid):
    """The most memory that the process ever had."""
    return int(process.status_of(pid)["VmHWM"].split()[0]) * 1024
