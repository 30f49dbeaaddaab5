"""What the control socket's objects look like, and a check that they do."""

import re

NUMBER = (int, float)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

STATUS = {
    "version": re.compile(r"\d+\.\d+\.\d+\S*"), "instance": UUID, "pid": int, "hostname": str,
    "state": {"starting", "serving", "reloading", "degraded", "paused", "stopping"},
    "started": TIME, "uptime_ms": int, "generation": int, "upgrades": int,
    "last_reload": ({"ok": bool, "text": str, "time": TIME, "generation": int}, None),
    "workers": int,
    "max_workers": int, "chaos": bool, "listeners": [str], "admin": (str, None),
    "master": {"cpu_percent": (*NUMBER, None), "pss_bytes": (int, None), "rss_bytes": (int, None)},
    "totals": {
        "requests": int, "requests_per_second": NUMBER, "connections": int, "accepted": int,
        "received_bytes": int, "sent_bytes": int, "respawns": int, "deaths": int, "retired": int,
    },
    "upstreams": [{
        "title": str, "balance": {"round_robin", "least_conn", "ip_hash", "random_two"},
        "servers": [{
            "name": str, "address": (str, None),
            "state": {"up", "down", "drained", "unhealthy", "ejected", "failed", "busy",
                      "resolving"},
            "backup": bool, "weight": int, "connections": int, "fails": int, "requests": int,
            "failures": int, "latency_ms": (*NUMBER, None), "error_ago_ms": (int, None),
        }],
    }],
    "registry": ({
        "type": {"eureka", "consul", "etcd", "zookeeper", "distributor"}, "url": (str, None),
        "state": {"off", "registering", "registered", "retrying", "leaving", "deregistered"},
        "status": ({"STARTING", "UP", "DOWN"}, None), "app": (str, None), "id": (str, None),
        "host": (str, None), "port": (int, None), "error": (str, None), "heard": (TIME, None),
        "retry_in_ms": (int, None),
    }, None),
    "processes": [{
        "role": {"worker", "admin", "herald"}, "slot": (int, None), "worker": (int, None),
        "pid": (int, None),
        "state": {"empty", "starting", "serving", "draining", "killed", "backoff", "held"},
        "candidate": bool, "leaving": bool, "generation": int, "uptime_ms": (int, None),
        "respawns": int, "requests": int, "requests_per_second": NUMBER, "connections": int,
        "cpu_percent": (*NUMBER, None), "pss_bytes": (int, None),
        "heartbeat_age_ms": (int, None),
        "request": ({"method": str, "path": str, "client": str, "elapsed_ms": int}, None),
        "last_death": (
            {"worker": int, "cause": str, "kind": str, "ago_ms": int}, None,
        ),
    }],
}  # fmt: skip
KINDS = {"start", "upgrade", "birth", "ready", "leaving", "death", "poison", "chaos", "reload",
         "reloaded", "reload-failed", "upgrade-failed", "scale", "pause", "crash-loop",
         "recovered", "order", "stop", "upstream"}  # fmt: skip
EVENT = {"seq": int, "time": TIME, "event": KINDS, "worker": (int, None), "slot": (int, None),
         "role": ({"worker", "admin", "herald"}, None), "pid": (int, None), "generation": int,
         "text": str}  # fmt: skip


def fits(value, schema):
    """Whether the value has exactly what the schema says: no member more, no number below 0."""
    if isinstance(schema, dict):
        return (isinstance(value, dict) and set(value) == set(schema)
                and all(fits(value[key], schema[key]) for key in schema))  # fmt: skip
    if isinstance(schema, list):
        return isinstance(value, list) and all(fits(item, schema[0]) for item in value)
    if isinstance(schema, tuple):
        return any(fits(value, one) for one in schema)
    if isinstance(schema, set):
        return value in schema
    if isinstance(schema, re.Pattern):
        return isinstance(value, str) and schema.fullmatch(value) is not None
    if schema is None:
        return value is None
    if schema in NUMBER:
        return isinstance(value, schema) and not isinstance(value, bool) and value >= 0
    return isinstance(value, schema)


def assert_fits(value, schema, name="status"):
    """fits(), and when it does not, where."""
    if fits(value, schema):
        return
    if isinstance(schema, dict) and isinstance(value, dict) and set(schema) == set(value):
        for key, one in schema.items():
            assert_fits(value[key], one, f"{name}.{key}")
    if isinstance(schema, list) and isinstance(value, list):
        for i, item in enumerate(value):
            assert_fits(item, schema[0], f"{name}[{i}]")
    raise AssertionError(f"{name} is {value!r}, not {schema}")
