"""
An Eureka server, made up: its REST interface in JSON as a real one was measured to speak it.
tests/registries lets a client that we did not write judge it.
"""

import time

from lib.fake_registry import Answer, FakeRegistry

_PREFIXES = (["eureka", "apps"], ["eureka", "v2", "apps"])
_VIP_PREFIXES = (["eureka", "vips"], ["eureka", "v2", "vips"])
_STATUSES = {"STARTING", "UP", "DOWN", "OUT_OF_SERVICE", "UNKNOWN"}
_DATA_CENTERS = {
    "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
    "com.netflix.appinfo.MyDataCenterInfo",
    "com.netflix.appinfo.AmazonInfo",
}


def _without(segments, prefixes):
    """What follows one of the prefixes, or None."""
    for prefix in prefixes:
        if segments[: len(prefix)] == prefix:
            return segments[len(prefix) :]
    return None


def _read_port(instance, key):
    port = instance.get(key)
    if port is None:
        return None
    if not isinstance(port, dict) or not {"$", "@enabled"} <= port.keys():
        raise Answer(400, f"{key} is no object with $ and @enabled")
    return {"$": int(port["$"]), "@enabled": str(port["@enabled"]).lower()}


class Instance:
    def __init__(self, app, given):
        for key in ("hostName", "ipAddr", "dataCenterInfo"):
            if not given.get(key):
                raise Answer(400, f"Missing {key}")
        if str(given.get("app", "")).upper() != app:
            raise Answer(400, f"Mismatched appName, expecting {app}")
        if given["dataCenterInfo"].get("@class") not in _DATA_CENTERS:
            raise Answer(400, "dataCenterInfo.@class is none")
        now_ms = int(time.time() * 1000)
        lease = given.get("leaseInfo", {})
        status = given.get("status", "UP")
        self.app = app
        self.id = given.get("instanceId") or given["hostName"]
        self.status = status if status in _STATUSES else "UNKNOWN"
        self.override = None
        self.stamp = int(given.get("lastDirtyTimestamp", now_ms))
        self.duration = int(lease.get("durationInSecs", 90)) or 90
        self.interval = int(lease.get("renewalIntervalInSecs", 30)) or 30
        self.renewed = time.monotonic()
        self.given = {**given, "app": app, "instanceId": self.id}
        self.given["lastUpdatedTimestamp"] = str(now_ms)
        for key in ("port", "securePort"):
            port = _read_port(given, key)
            if port is not None:
                self.given[key] = port

    @property
    def is_over(self):
        """The lease counts twice: that is how the real one has it."""
        return time.monotonic() - self.renewed > 2 * self.duration

    def show(self):
        return {
            **self.given, "status": self.override or self.status,
            "overriddenStatus": self.override or "UNKNOWN", "lastDirtyTimestamp": str(self.stamp),
            "countryId": 1, "isCoordinatingDiscoveryServer": "false", "actionType": "ADDED",
            "leaseInfo": {"durationInSecs": self.duration, "renewalIntervalInSecs": self.interval},
        }  # fmt: skip


class FakeEureka(FakeRegistry):
    """
    login: (user, password) that everybody needs, or None
    single: whether a list of one instance is written without the list
    """

    def __init__(self, login=None, single=False):
        super().__init__()
        self.login, self.single = login, single
        self._instances = {}  # by (APP, id)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/eureka"

    def instances(self, app):
        """What is shown of each, by id."""
        with self.changed:
            self._expire()
            return {one.id: one.show() for one in self._of(app)}

    def status(self, app):
        """Of the only instance of the app; None: there is none."""
        statuses = [one["status"] for one in self.instances(app).values()]
        assert len(statuses) < 2
        return statuses[0] if statuses else None

    def put(self, app, instance_id, host="127.0.0.1", port=1, **given):
        """Register somebody; also again."""
        instance = {
            "instanceId": instance_id, "hostName": host, "ipAddr": host, "app": app,
            "port": {"$": port, "@enabled": "true"}, "leaseInfo": {"durationInSecs": 86400},
            "dataCenterInfo": {"@class": "com.netflix.appinfo.MyDataCenterInfo", "name": "MyOwn"},
            **given,
        }  # fmt: skip
        with self.changed:
            self._instances[app.upper(), instance_id] = Instance(app.upper(), instance)

    def forget(self, app=None):
        """All, or those of an app."""
        with self.changed:
            self._instances = {key: one for key, one in self._instances.items()
                               if app is not None and one.app != app.upper()}  # fmt: skip

    def _of(self, app):
        return [one for one in self._instances.values() if one.app == app.upper()]

    def _expire(self):
        self._instances = {key: one for key, one in self._instances.items() if not one.is_over}

    # --- Requests ---------------------------------------------------------------------------

    def check(self, asked):
        if self.login is not None and asked.login != self.login:
            raise Answer(401, "who are you?", WWW_Authenticate='Basic realm="eureka"')

    def answer(self, asked):
        with self.changed:
            self._expire()
            vips = _without(asked.segments, _VIP_PREFIXES)
            if vips is not None and asked.method == "GET" and len(vips) == 1:
                return self._show_vip(asked, vips[0])
            rest = _without(asked.segments, _PREFIXES)
            if rest is None:
                return Answer(404)
            if asked.method == "GET":
                return self._show(asked, rest)
            return self._change(asked, rest)

    def _change(self, asked, rest):
        match (asked.method, *rest):
            case ("POST", app):
                return self._register(asked, app.upper())
            case ("PUT", app, instance_id):
                return self._renew(asked, self._find(app, instance_id))
            case ("DELETE", app, instance_id):
                del self._instances[app.upper(), self._find(app, instance_id).id]
                return Answer(200)
            case ("PUT", app, instance_id, "status"):
                self._find(app, instance_id).override = asked.query["value"]
                return Answer(200)
            case ("DELETE", app, instance_id, "status"):
                self._find(app, instance_id).override = None
                return Answer(200)
        return Answer(405)

    def _find(self, app, instance_id):
        found = self._instances.get((app.upper(), instance_id))
        if found is None:
            raise Answer(404)
        return found

    def _register(self, asked, app):
        if "json" not in asked.headers.get("Content-Type", ""):
            return Answer(415)
        body = asked.json()
        if not isinstance(body, dict) or not isinstance(body.get("instance"), dict):
            return Answer(400, "no instance")
        new = Instance(app, body["instance"])
        old = self._instances.get((app, new.id))
        if old is not None and old.stamp > new.stamp:
            old.renewed = new.renewed
            return Answer(204)
        new.override = old.override if old else None
        self._instances[app, new.id] = new
        return Answer(204)

    def _renew(self, asked, instance):
        if int(asked.query.get("lastDirtyTimestamp", instance.stamp)) > instance.stamp:
            return Answer(404)
        instance.renewed = time.monotonic()
        return Answer(200)

    # --- Answers ------------------------------------------------------------------------------

    def _list(self, instances):
        shown = [one.show() for one in instances]
        return shown[0] if self.single and len(shown) == 1 else shown

    def _applications(self, instances):
        apps = sorted({one.app for one in instances})
        return {"applications": {
            "versions__delta": "1", "apps__hashcode": f"UP_{len(instances)}_",
            "application": [{"name": app, "instance": self._list([one for one in instances
                                                                  if one.app == app])}
                            for app in apps],
        }}  # fmt: skip

    def _show(self, asked, rest):
        everybody = list(self._instances.values())
        match rest:
            case [] | ["delta"]:
                return self._as_asked(asked, self._applications(everybody))
            case [app] if self._of(app):
                shown = {"name": app.upper(), "instance": self._list(self._of(app))}
                return self._as_asked(asked, {"application": shown})
            case [app, instance_id]:
                found = self._find(app, instance_id)
                return self._as_asked(asked, {"instance": found.show()})
        return Answer(404)

    def _show_vip(self, asked, vip):
        found = [one for one in self._instances.values() if one.given.get("vipAddress") == vip]
        return self._as_asked(asked, self._applications(found)) if found else Answer(404)

    @staticmethod
    def _as_asked(asked, shown):
        if "application/json" not in asked.headers.get("Accept", ""):
            return Answer(200, "<application/>", Content_Type="application/xml")
        return Answer(200, shown)
