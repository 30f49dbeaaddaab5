"""Services that were looked up, as those see them who ask from outside: HTTP and zombiectl."""

import json
import re

import pytest

from lib import client
from lib.admin import TOKEN, Site
from lib.control import status
from lib.fake_control import FakeControl
from lib.prometheus import Metrics
from lib.schema import STATUS, TIME, assert_fits
from lib.wait import eventually
from lib.zombiectl import Background, ctl


def member(name, host, port, **others):
    return {"id": name, "host": host, "port": port, "weight": 1, "max_fails": 1,
            "fail_timeout_ms": 10000, "down": False, **others}  # fmt: skip


MEMBERS = [member("a", "10.0.0.1", 80), member("b", "2001:db8::1", 81),
           member("c", "10.0.0.3", 82, down=True)]  # fmt: skip


@pytest.fixture
def begin(start, tmp_path):
    """A server whose registry is away, but for what the cache file has of the service api."""

    def begin_one(*arguments, token=TOKEN):
        cache = tmp_path / "cache"
        cache.write_text(json.dumps({"format": 1, "services": {"api": MEMBERS}}))
        server = start(
            "admin.listen=127.0.0.1:0", f"admin.token={token}", "registry.type=etcd",
            "registry.url=127.0.0.1:1", f"registry.cache_file={cache}", "registry.watch=api,web",
            *arguments,
        )  # fmt: skip
        server.wait_for_log(r"admin \d+ is ready")
        eventually(lambda: status(server)["registry"]["error"], "the registry has not answered")
        return server

    return begin_one


def test_http_lists_and_chooses(begin):
    site = Site(begin())
    listed = site.get("/discovery").json["services"]
    assert [(one["service"], one["origin"], one["count"], one["up"]) for one in listed] == [
        ("api", "cached", 3, 2), ("web", "unknown", 0, 0)
    ]  # fmt: skip
    api = site.get("/discovery/api").json
    assert_fits(api, {"service": {"api"}, "origin": {"cached"}, "version": int, "changed": TIME,
                      "members": [{"id": str, "host": str, "port": int, "weight": int,
                                   "max_fails": int, "fail_timeout_ms": int, "down": bool}]})
    assert api["members"] == MEMBERS
    web = site.fetch("/discovery/web")
    assert (web.status, web.json["origin"], web.json["members"]) == (503, "unknown", [])
    assert int(web.headers["retry-after"]) > 0
    turns = [site.get("/discovery/api?choose=round_robin").json["member"]["id"] for _ in range(4)]
    assert sorted(turns) == ["a", "a", "b", "b"] and turns[:2] == turns[2:]
    sticky = [site.get("/discovery/api?choose=sticky&key=K").json["member"] for _ in range(3)]
    assert sticky[0] in MEMBERS[:2] and sticky[1:] == sticky[:2]
    assert site.fetch("/discovery/api", "HEAD").status == 200


@pytest.mark.parametrize("path, code, text", [
    ("/discovery/nope", 404, "nope is not looked up: "),
    ("/discovery/web?choose=random", 503, "the registry has not said yet who web is"),
    ("/discovery/api?choose=sticky", 400, "sticky needs a key"),
    ("/discovery/api?choose=first", 400, "what can be chosen by is round_robin, random or sticky"),
    ("/discovery/api?who=me", 400, "the query may have choose and key, each once"),
])  # fmt: skip
def test_http_says_what_is_wrong(begin, path, code, text):
    response = Site(begin()).fetch(path)
    assert response.status == code
    assert response.text.startswith(text) and response.text.count("\n") == 1


def test_reading_services_is_for_readers(begin):
    server = begin("admin.listen=0.0.0.0:0")
    address = ("127.0.0.1", int(status(server)["admin"].rpartition(":")[2]))
    for path in "/discovery", "/discovery/api":
        assert client.fetch(address, path).status == 401
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.fetch(address, path, headers=bearer).status == 200


def test_without_a_registry_there_is_nothing(start):
    server = start("admin.listen=127.0.0.1:0")
    server.wait_for_log(r"admin \d+ is ready")
    site = Site(server)
    assert site.get("/discovery").json == {"services": []}
    assert site.fetch("/discovery/api").status == 404
    assert "zombie_registry" not in site.get("/metrics").text
    assert status(server)["registry"] is None
    assert ctl(server.control_path, "discover").stdout == "no services are looked up\n"


def test_zombiectl_prints_who_can_be_asked(begin):
    path = begin().control_path
    heading, *rows = [line.split() for line in ctl(path, "discover").stdout.splitlines()]
    assert heading == "SERVICE ORIGIN UP INSTANCES VERSION CHANGED".split()
    assert [row[:4] for row in rows] == ["api cached 2 3".split(), "web unknown 0 0".split()]
    assert ctl(path, "discover", "api").stdout == "10.0.0.1:80\n[2001:db8::1]:81\n"
    assert json.loads(ctl(path, "--json", "discover", "api").stdout)["members"] == MEMBERS
    chosen = ctl(path, "discover", "api", "--choose", "sticky", "--key", "K").stdout
    assert chosen in ("10.0.0.1:80\n", "[2001:db8::1]:81\n")


@pytest.mark.parametrize("words, code, text", [
    (["nope"], 64, "nope is not looked up: "),
    (["web"], 1, "the registry has not said yet who web is\n"),
    (["web", "--choose", "random"], 1, "the registry has not said yet who web is\n"),
    (["api", "--choose", "sticky"], 64, "sticky needs a key\n"),
    (["--watch"], 64, "options --watch, --choose and --key need the name of a service;"),
    (["api", "--watch", "--choose", "random"], 64, "options --watch and --choose do not go"),
])  # fmt: skip
def test_zombiectl_says_what_is_wrong(begin, words, code, text):
    done = ctl(begin().control_path, "discover", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"zombiectl: {text}")


def test_zombiectl_fails_with_json_too(begin):
    done = ctl(begin().control_path, "discover", "web", "--json")
    assert (done.returncode, json.loads(done.stdout)["origin"]) == (1, "unknown")
    assert done.stderr == "zombiectl: the registry has not said yet who web is\n"


def test_status_of_one_that_only_looks_up(start):
    server = start("registry.type=etcd", "registry.url=127.0.0.1:1", "registry.register=no",
                   "registry.watch=api")  # fmt: skip
    registry = status(server)["registry"]
    assert_fits(registry, STATUS["registry"][0])
    assert registry["state"] == "off"
    assert [registry[key] for key in ("status", "app", "id", "host", "port")] == [None] * 5
    shown = ctl(server.control_path, "status").stdout
    assert re.search(r"^registry etcd \S+: looks up only", shown, re.M)


def test_status_and_metrics_say_how_it_is(begin):
    server = begin()
    registry = status(server)["registry"]
    assert_fits(registry, STATUS["registry"][0])
    assert registry["url"] == "http://127.0.0.1:1"
    assert registry["state"] in ("retrying", "registering")
    assert registry["id"].endswith(f":zombie-server:{server.port}")
    assert re.search(r"^registry etcd http://127\.0\.0\.1:1: \w+ as \S+; .+", ctl(
        server.control_path, "status").stdout, re.M)  # fmt: skip
    metrics = Metrics(Site(server).get("/metrics").text)
    assert metrics.get("zombie_registry_registered") == 0
    assert metrics.get("zombie_registry_members", service="api", state="up") == 2
    assert metrics.get("zombie_registry_origin", service="api", origin="cached") == 1
    assert metrics.get("zombie_registry_failures_total", kind="task") >= 1


class Changing:
    """Answers `discover` with the members that the test wants, each time of another version."""

    def __init__(self, path):
        self.fake = FakeControl(path)
        self._answer = {"version": 0}
        self.become(MEMBERS)
        self.fake.on("discover", lambda request: request.succeed(result=self._answer))

    def become(self, members, origin="current"):
        self._answer = {"service": "api", "origin": origin, "changed": None, "members": members,
                        "version": self._answer["version"] + 1}  # fmt: skip

    def become_of(self, origin):
        """The same members of the same version, from elsewhere."""
        self._answer = {**self._answer, "origin": origin}


@pytest.fixture
def changing(tmp_path):
    made = Changing(tmp_path / "control.sock")
    yield made
    made.fake.vanish()


@pytest.fixture
def watch(changing):
    runs = []

    def watch_one(*options):
        runs.append(Background(changing.fake.path, *options, "discover", "api", "--watch"))
        return runs[-1]

    yield watch_one
    for run in runs:
        run.stop()


def test_watch_prints_each_change(changing, watch):
    run = watch()
    assert [run.line() for _ in range(3)] == ["10.0.0.1:80", "[2001:db8::1]:81", ""]
    asked = len(changing.fake.asked)
    eventually(lambda: len(changing.fake.asked) > asked + 1, "it asks again")
    changing.become(MEMBERS[:1])
    assert [run.line() for _ in range(2)] == ["10.0.0.1:80", ""]
    changing.become([])
    assert run.line() == ""
    changing.become(MEMBERS[1:])
    assert [run.line() for _ in range(2)] == ["[2001:db8::1]:81", ""]


def test_watch_shows_another_origin_where_it_can_be_seen(changing, watch):
    run, listed = watch("--json"), watch()
    assert json.loads(run.line())["origin"] == "current"
    assert [listed.line() for _ in range(3)] == ["10.0.0.1:80", "[2001:db8::1]:81", ""]
    changing.become_of("stale")
    answer = json.loads(run.line())
    assert (answer["origin"], answer["version"], answer["members"]) == ("stale", 1, MEMBERS)
    changing.become(MEMBERS[1:])
    assert json.loads(run.line())["version"] == 2
    assert [listed.line() for _ in range(2)] == ["[2001:db8::1]:81", ""]


def test_watch_waits_for_the_first_answer(changing, watch):
    changing.become([], "unknown")
    run = watch("--json")
    eventually(lambda: len(changing.fake.asked) > 1, "it asks again")
    changing.become(MEMBERS, "stale")
    assert json.loads(run.line())["members"] == MEMBERS


def test_watch_ends_with_the_server(changing, watch):
    run = watch()
    assert run.line() == "10.0.0.1:80"
    changing.fake.vanish()
    code, _, said = run.finish()
    assert code == 3
    assert said.startswith("zombiectl: zombie-server does not run")


def test_watch_is_refused(changing, watch):
    changing.fake.on("discover", lambda request: request.fail("bad-argument", "api is not known"))
    assert watch().finish() == (64, "", "zombiectl: api is not known\n")
