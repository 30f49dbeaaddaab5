"""Registering with a Distributor, and finding others there, whatever becomes of it."""

import signal

import pytest

from lib import process
from lib.fake_distributor import END, Distributor, node
from lib.herald import HealthServer
from lib.wait import eventually

# A herald that is ready before the workers registers as STARTING first.
UP = r"herald \d+: (registered with distributor at \S+ as \S+, UP|told \S+ that this instance is UP)"

# "a" is looked up, and stands behind "/"; all else as it is without a file.
FRONT = """
registry {{
    type = distributor
    url = {{ "127.0.0.1:{port}" }}
    app = "front"
    {more}
}}
upstream "a" {{
    from_registry = yes
}}
route "/" {{
    handler = proxy
    upstream = "a"
}}
"""


@pytest.fixture
def behind():
    found = [HealthServer(), HealthServer()]
    yield found
    for server in found:
        server.close()


@pytest.fixture
def distribute():
    made = []

    def make(*arguments, **options):
        made.append(Distributor(*arguments, **options))
        return made[-1]

    yield make
    for distributor in made:
        distributor.close()


@pytest.fixture
def begin(start, tmp_path):
    """Start the front, and wait until it is registered, unless waits=False."""

    def begin_one(distributor, more="", waits=True, options=()):
        path = tmp_path / "front.conf"
        path.write_text(FRONT.format(port=distributor.port, more=more))
        server = start("-c", path, *options)
        if waits:
            distributor.wait_for_nodes(1)
        return server

    return begin_one


def serves(server):
    return server.fetch("/").status == 200


def wait_until_it_serves(server):
    eventually(lambda: serves(server), "a server behind answers")


def herald_of(server):
    (pid,) = [int(pid) for pid in process.children_of(server.pid)
              if process.status_of(pid).get("Name") == "zombie-herald"]  # fmt: skip
    return pid


@pytest.mark.smoke
def test_it_says_who_it_is_when_it_serves(begin, distribute):
    distributor = distribute()
    server = begin(distributor)
    (found,) = distributor.nodes
    assert (found["name"], found["port"], found["host"]) == ("front", server.port, "127.0.0.1")
    assert "GET/healthcheck" in found["urls"]
    server.wait_for_log(UP)
    server.stop()
    assert distributor.wait_for_nodes(0) == []


def test_a_stop_is_told_before_anybody_is_turned_away(begin, distribute):
    distributor = distribute()
    server = begin(distributor, options=["instance.drain_delay_ms=3600000"])
    server.send_signal(signal.SIGTERM)
    distributor.wait_for_nodes(0)
    assert server.fetch("/healthcheck").status == 503
    server.send_signal(signal.SIGTERM)


def test_variables_alone_are_enough(start, distribute):
    distributor = distribute()
    start(env={"REGISTRY_TYPE": "DISTRIBUTOR", "REGISTRY_URL": f"127.0.0.1:{distributor.port}"})
    assert distributor.wait_for_nodes(1)[0]["name"] == "zombie-server"


@pytest.mark.parametrize("answers", [True, False], ids=["answers", "answers-no-get"])
def test_it_finds_who_comes_and_goes(begin, distribute, behind, answers):
    distributor = distribute(answers=answers)
    server = begin(distributor)
    assert server.fetch("/").status == 502
    distributor.others = [node("b", behind[1].port), node("a", behind[0].port)]
    distributor.say()
    wait_until_it_serves(server)
    distributor.others = [node("a", behind[1].port)]
    distributor.say()
    eventually(lambda: serves(server) and behind[1].requests, "the other one is found")
    before = behind[0].requests
    assert serves(server) and behind[0].requests == before


def test_lists_come_in_pieces(begin, distribute, behind):
    name = "caf\u00e9 \U0001f9df"
    distributor = distribute(others=[node(name, 1), node("a", behind[0].port)], piece=1)
    wait_until_it_serves(begin(distributor))
    assert distributor.accepted == 1


def test_lists_are_long(begin, distribute, behind):
    others = [node("b", 1 + i, f"10.0.{i // 250}.{i % 250}") for i in range(2000)]
    distributor = distribute(others=[*others, node("a", behind[0].port)], piece=1460)
    assert len(distributor.message()) > 96 << 10
    wait_until_it_serves(begin(distributor))
    assert distributor.accepted == 1


def test_it_comes_back_after_half_a_list(begin, distribute, behind):
    distributor = distribute(others=[node("a", behind[0].port)])
    server = begin(distributor)
    wait_until_it_serves(server)
    distributor.send_to_all(distributor.message()[:-5])
    distributor.drop()
    eventually(lambda: len(distributor.posts) == 2, "it has registered again")
    distributor.wait_for_nodes(1)
    assert distributor.connections == 1
    server.wait_for_log("cannot .* distributor at .*: it has closed the connection; ")
    assert serves(server)


def test_the_list_is_kept_while_it_is_away(begin, distribute, behind):
    distributor = distribute(others=[node("a", behind[0].port)])
    server = begin(distributor)
    wait_until_it_serves(server)
    distributor.close()
    # At once, and from then on all 3 s, give or take 0.6.
    line = server.wait_for_log(r"Connection refused; serving goes on; trying again in (\d+) ms")
    assert 2400 <= int(line[1]) <= 3600
    assert serves(server)
    restarted = distribute(port=distributor.port, others=[node("a", behind[1].port)])
    restarted.wait_for_nodes(1)
    eventually(lambda: serves(server) and behind[1].requests, "the new list is used")
    assert restarted.accepted == 1
    server.wait_for_log(UP, count=2)


def test_who_serves_nobody_is_not_listed(begin, distribute, behind):
    distributor = distribute(others=[node("a", behind[0].port)])
    server = begin(distributor, "down_delay_ms = 1")
    wait_until_it_serves(server)
    server.send_signal(signal.SIGWINCH)
    distributor.wait_for_nodes(0)
    server.wait_for_log("told distributor that this instance is DOWN")
    eventually(lambda: distributor.connections == 1, "it is connected and not listed")
    server.send_signal(signal.SIGHUP)
    distributor.wait_for_nodes(1)
    assert serves(server)


def test_the_herald_dies_and_another_one_registers(begin, distribute):
    distributor = distribute()
    server = begin(distributor)
    process.kill(herald_of(server))
    eventually(lambda: len(distributor.posts) == 2, "another one has registered")
    distributor.wait_for_nodes(1)


def test_who_is_killed_is_not_listed_any_more(begin, distribute):
    distributor = distribute()
    server = begin(distributor)
    server.expected_status = None
    process.kill(server.pid)
    distributor.wait_for_nodes(0)


@pytest.mark.parametrize("sent, why", [
    (b"hello" + END, "no JSON"),
    (b"\xff\xff", "its message is no UTF-8"),
    (b"[" * 200000 + END, "no JSON"),
    (b" " * (5 << 20), "its message is too long"),
], ids=["no-json", "no-utf-8", "deep", "endless"])  # fmt: skip
def test_what_makes_no_sense_costs_a_warning(begin, distribute, behind, sent, why):
    distributor = distribute(others=[node("a", behind[0].port)])
    server = begin(distributor)
    wait_until_it_serves(server)
    before = len(distributor.posts)
    distributor.send_to_all(sent)
    # Whatever it was about to do.
    server.wait_for_log(f"warning herald .*cannot .* distributor at .*: {why}; ")
    eventually(lambda: len(distributor.posts) > before, "it has registered again")
    assert serves(server)


def test_silence_costs_a_warning(begin, distribute):
    distributor = distribute()
    distributor.is_mute = True
    server = begin(distributor, "timeout_ms = 100", waits=False)
    server.wait_for_log("it did not list the instance in time; serving goes on; ")
    distributor.is_mute = False
    server.wait_for_log(UP)


def test_the_next_one_is_tried(start, distribute):
    away, distributor = distribute(), distribute()
    away.close()
    urls = f"127.0.0.1:{away.port},127.0.0.1:{distributor.port}"
    server = start(env={"REGISTRY_TYPE": "DISTRIBUTOR", "REGISTRY_URL": urls})
    distributor.wait_for_nodes(1)
    server.wait_for_log(UP)


def test_who_does_not_register_looks_up(begin, distribute, behind):
    distributor = distribute(others=[node("a", behind[0].port)])
    server = begin(distributor, "register = no\n refresh_ms = 1000", waits=False)
    wait_until_it_serves(server)
    distributor.others = [node("a", behind[1].port)]
    eventually(lambda: serves(server) and behind[1].requests, "the list is asked for again")
    assert distributor.posts == []
