"""
A Consul agent, made up: those parts of its HTTP interface, version 1, that services register by
and are looked up by. tests/registries lets clients that we did not write judge it.
"""

import re
import time

from lib.fake_registry import Answer, FakeRegistry
from lib.wait import DEADLINE

_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600}
_REAP_MIN = 60  # seconds
_MAX_WAIT = 600
_STATUSES = {"pass": "passing", "warn": "warning", "fail": "critical"}


def duration(text):
    """Seconds of Go's "1m30s"."""
    parts = re.findall(r"([0-9.]+)(ns|us|ms|s|m|h)", text or "")
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise Answer(400, f"time: invalid duration {text!r}")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def _any_case(given):
    """As Go reads JSON, and with or without "_" as Consul does."""
    return {key.lower().replace("_", ""): value for key, value in (given or {}).items()}


class Check:
    def __init__(self, check_id, given, service):
        self.id, self.service = check_id, service
        self.ttl = duration(given["ttl"]) if given.get("ttl") else None
        reap = given.get("deregistercriticalserviceafter")
        self.reap = max(duration(reap), _REAP_MIN) if reap else None
        self.output = ""
        self.status = given.get("status") or "critical"
        if self.ttl is not None and self.ttl <= 0:
            raise Answer(400, "TTL must be > 0")
        if self.status not in _STATUSES.values():
            raise Answer(400, "Bad check status")
        self.told = self.critical_since = time.monotonic()

    def tell(self, status, output):
        """Whether that is a change."""
        self.told = time.monotonic()
        if self.status != "critical":
            self.critical_since = self.told
        changed = (self.status, self.output) != (status, output)
        self.status, self.output = status, output
        return changed

    def show(self, node):
        return {
            "Node": node, "CheckID": self.id, "Name": f"Service '{self.service['Service']}' check",
            "Status": self.status, "Notes": "", "Output": self.output, "Type": "ttl",
            "ServiceID": self.service["ID"], "ServiceName": self.service["Service"],
            "ServiceTags": self.service["Tags"],
        }  # fmt: skip


def _read_service(given):
    if not given.get("name"):
        raise Answer(400, "Missing service name")
    for key, value in (given.get("meta") or {}).items():
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,128}", key) or len(value) > 512:
            raise Answer(400, f"Invalid Service Meta: {key}")
    weights = {"passing": 1, "warning": 1, **_any_case(given.get("weights"))}
    if weights["passing"] < 1 or weights["warning"] < 0:
        raise Answer(400, "Invalid Weights")
    return {
        "ID": given.get("id") or given["name"], "Service": given["name"],
        "Tags": given.get("tags") or [], "Meta": given.get("meta") or {},
        "Port": int(given.get("port") or 0), "Address": given.get("address") or "",
        "Weights": {"Passing": weights["passing"], "Warning": weights["warning"]},
        "EnableTagOverride": False,
    }  # fmt: skip


class FakeConsul(FakeRegistry):
    """
    token: that everybody needs, or None
    is_old: whether it is as versions before 1.0, which took changes by GET and had no status 404
    """

    NODE = "fake"
    ADDRESS = "127.0.0.1"

    def __init__(self, token=None, is_old=False):
        super().__init__()
        self.token, self.is_old = token, is_old
        self.index = 10
        self._services, self._checks = {}, {}  # by id

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def service(self, service_id):
        """As the agent shows it, or None."""
        with self.changed:
            self._expire()
            return self._services.get(service_id)

    def status(self, service_id):
        """Of the check of the service, or None."""
        with self.changed:
            self._expire()
            check = self._checks.get(f"service:{service_id}")
            return check and check.status

    def put(self, name, service_id, host="127.0.0.1", port=1, **given):
        """Register somebody who is passing for long; also again."""
        check = {"TTL": "24h", "Status": "passing"}
        with self.changed:
            self._register({"Name": name, "ID": service_id, "Address": host, "Port": port,
                            "Check": check, **given})  # fmt: skip

    def forget(self):
        with self.changed:
            self._services, self._checks = {}, {}
            self._note()

    def go_back(self):
        """Begin with small indices again, as a cluster that was restored."""
        with self.changed:
            self.index = 1
            self._note()

    def _note(self):
        self.index += 1
        self.changed.notify_all()

    def _expire(self):
        now = time.monotonic()
        for check in list(self._checks.values()):
            is_silent = check.ttl is not None and now - check.told > check.ttl
            if is_silent and check.status != "critical":
                check.tell("critical", "TTL expired")
                self._note()
            if check.reap is not None and check.status == "critical":
                if now - check.critical_since > check.reap:
                    self._deregister(check.service["ID"])

    # --- Requests ---------------------------------------------------------------------------

    def check(self, asked):
        token = asked.headers.get("X-Consul-Token") or asked.query.get("token")
        if self.token is not None and token != self.token:
            raise Answer(403, "ACL not found" if token else "Permission denied")

    def answer(self, asked):
        with self.changed:
            self._expire()
            is_change = asked.segments[:2] == ["v1", "agent"] and len(asked.segments) > 3
            match ("PUT" if self.is_old and is_change else asked.method, *asked.segments):
                case ("PUT", "v1", "agent", *rest):
                    return self._change(asked, rest)
                case ("GET", "v1", "agent", "services"):
                    return Answer(200, self._services)
                case ("GET", "v1", "agent", "checks"):
                    checks = self._checks.values()
                    return Answer(200, {one.id: one.show(self.NODE) for one in checks})
                case ("GET", "v1", "catalog", "services"):
                    return self._read(asked, self._names)
                case ("GET", "v1", "catalog", "service", name):
                    return self._read(asked, lambda: self._catalogue(name))
                case ("GET", "v1", "health", "service", name):
                    return self._read(asked, lambda: self._health(name, "passing" in asked.query))
                case ("GET", "v1", "status", "leader"):
                    return Answer(200, '"127.0.0.1:8300"')
            return Answer(404)

    def _change(self, asked, rest):
        match rest:
            case ["service", "register"]:
                self._register(asked.json())
            case ["service", "deregister", service_id]:
                if service_id not in self._services and not self.is_old:
                    return Answer(404, f'Unknown service ID "{service_id}"')
                self._deregister(service_id)
            case ["check", "update", check_id]:
                body = _any_case(asked.json())
                self._tell(check_id, body.get("status"), body.get("output", ""))
            case ["check", verb, check_id] if verb in _STATUSES:
                self._tell(check_id, _STATUSES[verb], asked.query.get("note", ""))
            case _:
                return Answer(404)
        return Answer(200)

    def _tell(self, check_id, status, output):
        check = self._checks.get(check_id)
        if check is None and self.is_old:
            raise Answer(500, f'CheckID "{check_id}" does not have associated TTL')
        if check is None:
            raise Answer(404, f'Unknown check ID "{check_id}". Ensure that the check ID is passed, '
                              "not the check name.")  # fmt: skip
        if status not in _STATUSES.values():
            raise Answer(400, f"Invalid check status: {status!r}")
        if check.tell(status, output):
            self._note()

    def _register(self, given):
        given = _any_case(given)
        service = _read_service(given)
        checks = given.get("checks") or ([given["check"]] if given.get("check") else [])
        made = {}
        for number, check in enumerate(map(_any_case, checks), 1):
            suffix = f":{number}" if len(checks) > 1 else ""
            check_id = check.get("checkid") or f"service:{service['ID']}{suffix}"
            made[check_id] = Check(check_id, check, service)
            if check_id in self._checks:  # what is known of its state stays
                made[check_id].tell(self._checks[check_id].status, self._checks[check_id].output)
        self._services[service["ID"]] = service
        self._checks.update(made)
        self._note()

    def _deregister(self, service_id):
        self._services.pop(service_id, None)
        self._checks = {key: one for key, one in self._checks.items()
                        if one.service["ID"] != service_id}  # fmt: skip
        self._note()

    # --- Answers ------------------------------------------------------------------------------

    def _read(self, asked, look):
        """What look() finds, at once or when there is something newer than what is known."""
        known = int(asked.query.get("index", 0))
        wait = min(duration(asked.query["wait"]) if asked.query.get("wait") else 300, _MAX_WAIT)
        end = time.monotonic() + min(wait, DEADLINE)
        while 0 < known and known == self.index and time.monotonic() < end and not self.is_away:
            self.changed.wait(0.02)
            self._expire()
        return Answer(200, look(), X_Consul_Index=str(self.index), X_Consul_KnownLeader="true")

    def _names(self):
        names = {"consul": []}
        for service in self._services.values():
            name = service["Service"]
            names[name] = sorted({*names.get(name, []), *service["Tags"]})
        return names

    def _of(self, name):
        return [one for one in self._services.values() if one["Service"] == name]

    def _catalogue(self, name):
        return [
            {"Node": self.NODE, "Address": self.ADDRESS, "ServiceID": one["ID"],
             "ServiceName": name, "ServiceAddress": one["Address"], "ServicePort": one["Port"],
             "ServiceTags": one["Tags"], "ServiceMeta": one["Meta"],
             "ServiceWeights": one["Weights"]}
            for one in self._of(name)
        ]  # fmt: skip

    def _health(self, name, passing):
        found = []
        for service in self._of(name):
            checks = [one for one in self._checks.values() if one.service["ID"] == service["ID"]]
            if passing and any(one.status != "passing" for one in checks):
                continue
            found.append({
                "Node": {"Node": self.NODE, "Address": self.ADDRESS, "Datacenter": "dc1"},
                "Service": service, "Checks": [one.show(self.NODE) for one in checks],
            })  # fmt: skip
        return found
