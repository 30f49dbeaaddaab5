"""The herald child: it checks servers, resolves names, dies and is replaced, and loses nothing."""

import signal

import pytest

from lib import process
from lib.control import ask, do, events, of_role, status, wait_for_event, wait_for_status
from lib.reload import begin, conf, order_reload, reload_in_vain  # noqa: F401
from lib.upgrade import GOES_ON, program  # noqa: F401
from lib.herald import HealthServer, NameServer, servers_of, states, wait_for_states
from lib.wait import eventually

CHECK = 'check { path = "/health"  interval_ms = 100  timeout_ms = 10000  rise = 2  fall = 2 }'
HERALD = r"herald (\d+) is ready"


def upstream(*servers, check=CHECK, title="api"):
    lines = [f'server "{server}" {{ }}' for server in servers]
    return "\n".join([f'upstream "{title}" {{', *lines, check, "}"])


def herald_of(server):
    found = of_role(status(server), "herald")
    return found[0] if found else None


def wait_for_successor(server, before):
    def succeeded(now):
        found = of_role(now, "herald")
        return (len(found) == 1 and found[0]["worker"] > before["worker"]
                and found[0]["state"] == "serving")  # fmt: skip

    return of_role(wait_for_status(server, succeeded, "another herald serves"), "herald")[0]


@pytest.fixture
def healthy():
    servers = [HealthServer(), HealthServer()]
    yield servers
    for server in servers:
        server.close()


@pytest.fixture
def names():
    server = NameServer(**{"app.test": ["127.0.0.1"]})
    yield server
    server.close()


# --- What it is -------------------------------------------------------------------


@pytest.mark.smoke
@pytest.mark.parametrize("text", ["", upstream("127.0.0.1:1", check="")])
def test_there_is_none_without_work(begin, conf, text):  # noqa: F811
    conf.write(text)
    server = begin()
    assert herald_of(server) is None
    assert len(process.children_of(server.pid)) == 2
    assert "there is no herald child: there is no registry, and no upstream has" in ask(server, "restart", slot="herald").text


@pytest.mark.smoke
@pytest.mark.valgrind
def test_it_is_a_child_that_listens_on_nothing(begin, conf, healthy):  # noqa: F811
    conf.write(upstream(healthy[0].title))
    server = begin()
    server.wait_for_log(HERALD)
    entry = herald_of(server)
    assert process.status_of(entry["pid"])["PPid"] == str(server.pid)
    assert process.status_of(entry["pid"])["Name"] == "zombie-herald"
    assert entry["slot"] is None and entry["requests"] == 0
    server.wait_for_log(HERALD + r" .* listeners=0 ")
    wait_for_event(server, "ready", role="herald")
    eventually(lambda: healthy[0].requests > 1, "it checks")
    head = healthy[0].heads[0]
    assert head.startswith(f"GET /health HTTP/1.1\r\nHost: {healthy[0].title}\r\n".encode())


def test_it_comes_and_goes_with_a_reload(begin, conf, healthy):  # noqa: F811
    server = begin()
    assert status(server)["upstreams"] == [] and herald_of(server) is None
    conf.write(upstream(healthy[0].title))
    order_reload(server)
    assert states(server) == {healthy[0].title: "up"}
    assert herald_of(server)["state"] == "serving"
    conf.write()
    order_reload(server)
    wait_for_status(server, lambda now: not of_role(now, "herald"), "it is gone")
    assert status(server)["upstreams"] == []


# --- Checks -----------------------------------------------------------------------


@pytest.mark.valgrind
def test_servers_fall_ill_and_recover(begin, conf, healthy):  # noqa: F811
    one, other = healthy
    conf.write(upstream(one.title, other.title))
    server = begin()
    wait_for_states(server, {one.title: "up", other.title: "up"})
    one.status = 503
    wait_for_states(server, {one.title: "unhealthy", other.title: "up"})
    server.wait_for_log(r"a server is unhealthy: 2 checks in a row failed \(the last one: "
                        rf"status 503\) upstream=api server={one.title} address={one.title}$")
    one.status = 204
    wait_for_states(server, {one.title: "up", other.title: "up"})
    server.wait_for_log(r"a server is healthy again: 2 checks in a row passed")
    one.close()
    wait_for_states(server, {one.title: "unhealthy", other.title: "up"})


def test_a_silent_server_is_ill(begin, conf, healthy):  # noqa: F811
    healthy[0].status = None
    conf.write(upstream(healthy[0].title, check=CHECK.replace("10000", "50")))
    server = begin()
    wait_for_states(server, {healthy[0].title: "unhealthy"})
    server.wait_for_log(r"the last one: no answer in time")


# --- Its deaths -------------------------------------------------------------------


def test_killed_it_is_replaced_and_checks_go_on(begin, conf, healthy):  # noqa: F811
    one, other = healthy
    one.status = 500
    conf.write(upstream(one.title, other.title))
    server = begin()
    wait_for_states(server, {one.title: "unhealthy", other.title: "up"})
    workers = [x["worker"] for x in of_role(status(server), "worker")]
    for _ in range(3):
        entry = herald_of(server)
        process.kill(entry["pid"])
        successor = wait_for_successor(server, entry)
        assert successor["last_death"]["cause"] == "killed by SIGKILL"
        # What was known is still known before the first check of the next one.
        assert states(server) == {one.title: "unhealthy", other.title: "up"}
        before = other.requests
        eventually(lambda n=before: other.requests > n + 1, "checks go on")
    one.status = 200
    wait_for_states(server, {one.title: "up", other.title: "up"})
    assert [x["worker"] for x in of_role(status(server), "worker")] == workers


def test_orders_reach_it(begin, conf, healthy):  # noqa: F811
    conf.write(upstream(healthy[0].title))
    server = begin()
    server.wait_for_log(HERALD)
    entry = herald_of(server)
    do(server, "restart", slot="herald")
    entry = wait_for_successor(server, entry)
    do(server, "kill", slot="herald")
    wait_for_successor(server, entry)
    assert {x["role"] for x in events(server) if x["event"] == "death"} == {"herald"}
    server.stop()


def test_it_stays_to_the_end_of_a_stop(begin, conf, healthy):  # noqa: F811
    conf.write(upstream(healthy[0].title), drain_delay_ms=60000)
    server = begin()
    server.wait_for_log(HERALD)
    server.send_signal(signal.SIGTERM)
    server.wait_for_log("stopping: the workers finish")
    before = healthy[0].requests
    eventually(lambda: healthy[0].requests > before + 1, "checks go on")
    server.send_signal(signal.SIGINT)
    server.wait_for_log("stopped$")


# --- Changes of the configuration -------------------------------------------------


def test_a_reload_keeps_the_state_of_those_who_stay(begin, conf, healthy):  # noqa: F811
    one, other = healthy
    one.status = 500
    slow = CHECK.replace("interval_ms = 100", "interval_ms = 3600000")
    conf.write(upstream(one.title))
    server = begin()
    wait_for_states(server, {one.title: "unhealthy"})
    conf.write(upstream(other.title, one.title, check=slow))
    order_reload(server)
    assert list(states(server).items()) == [(other.title, "up"), (one.title, "unhealthy")]
    conf.write(upstream(other.title, check=slow))
    order_reload(server)
    assert states(server) == {other.title: "up"}


@pytest.mark.root
def test_a_reload_that_fails_changes_nothing(begin, conf, etc, healthy):  # noqa: F811
    one, other = healthy
    one.status = 500
    user = {"user": "worker", "backoff_min_ms": 1}
    conf.write(upstream(one.title), **user)
    server = begin(preexec=etc.mount)
    wait_for_states(server, {one.title: "unhealthy"})
    before = status(server)["upstreams"]
    conf.write(upstream(other.title) + upstream(one.title, title="more"),
               **{**user, "boot_timeout_ms": 300})  # fmt: skip
    etc.make_boots_hang()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("info master: reloading: ")
    assert status(server)["upstreams"] == before
    server.wait_for_log("error master: reload failed: ")
    assert status(server)["upstreams"] == before
    etc.groups.unlink()
    etc.mend_boots()
    conf.write('upstream "api" { }', **user)
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("error master: reload refused: ")
    assert status(server)["upstreams"] == before
    conf.write(upstream(other.title), **user)
    order_reload(server)
    wait_for_states(server, {other.title: "up"})


def test_an_upgrade_keeps_the_state(begin, conf, program, healthy):  # noqa: F811
    one, other = healthy
    one.status = 500
    slow = CHECK.replace("interval_ms = 100", "interval_ms = 3600000")
    conf.write(upstream(one.title, other.title))
    server = begin(binary=str(program.path))
    wait_for_states(server, {one.title: "unhealthy", other.title: "up"})
    entry = herald_of(server)
    conf.write(upstream(one.title, other.title, check=slow))
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log(GOES_ON)
    eventually(lambda: f"herald {entry['worker']} died" in server.log, "the old herald is gone")
    assert states(server) == {one.title: "unhealthy", other.title: "up"}
    assert servers_of(status(server))[other.title]["weight"] == 1


# --- Names ------------------------------------------------------------------------


@pytest.mark.valgrind
@pytest.mark.root
def test_names_are_resolved_again_and_again(begin, conf, names, tmp_path):  # noqa: F811
    conf.write(upstream("app.test:81", "localhost:82", check=""))
    server = begin(preexec=names.mount(tmp_path))
    server.wait_for_log(HERALD)
    local = {"127.0.0.1:82": "up"}
    wait_for_states(server, {"127.0.0.1:81": "up", **local})
    names.names["app.test"] = ["127.0.0.3", "127.0.0.2", "::1"]
    wait_for_states(
        server, {"127.0.0.2:81": "up", "127.0.0.3:81": "up", "[::1]:81": "up", **local}
    )
    assert {x["name"] for x in servers_of(status(server)).values()} == {
        "app.test:81", "localhost:82"}  # fmt: skip
    server.wait_for_log(r"the name app.test stands for 127.0.0.2, 127.0.0.3, \[::1\]$")


@pytest.mark.root
def test_last_known_addresses_stay(begin, conf, names, tmp_path):  # noqa: F811
    conf.write(upstream("app.test:81", "late.test:83", check=""))
    server = begin(preexec=names.mount(tmp_path))
    wait_for_states(server, {"127.0.0.1:81": "up", "late.test:83": "resolving"})
    names.names = {"late.test": ["127.0.0.4"]}
    server.wait_for_log("app.test cannot be looked up: it has no address, its last known addresses")
    wait_for_states(server, {"127.0.0.1:81": "up", "127.0.0.4:83": "up"})
    entry = herald_of(server)
    process.kill(entry["pid"])
    wait_for_successor(server, entry)
    assert states(server) == {"127.0.0.1:81": "up", "127.0.0.4:83": "up"}
    names.names["app.test"] = ["127.0.0.1"]
    server.wait_for_log("the name app.test can be looked up again|the name app.test stands", 3)


@pytest.mark.root
def test_a_new_generation_serves_with_addresses(begin, conf, names, tmp_path):  # noqa: F811
    server = begin(preexec=names.mount(tmp_path))
    conf.write(upstream("app.test:81", check=""))
    order_reload(server)
    assert states(server) == {"127.0.0.1:81": "up"}


@pytest.mark.root
def test_resolved_servers_are_checked(begin, conf, names, healthy, tmp_path):  # noqa: F811
    port = healthy[0].port
    conf.write(upstream(f"app.test:{port}"))
    server = begin(preexec=names.mount(tmp_path))
    eventually(lambda: healthy[0].requests > 0, "it is checked")
    assert f"Host: app.test:{port}\r\n".encode() in healthy[0].heads[0]
    names.names["app.test"] = ["127.0.0.1", "127.0.0.9"]
    wait_for_states(server, {f"127.0.0.1:{port}": "up", f"127.0.0.9:{port}": "unhealthy"})
