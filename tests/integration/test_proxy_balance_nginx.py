"""The same upstream block in nginx and in ours: the same server is chosen, request by request."""

import functools
import os
import random
import time

import pytest

from lib import raw
from lib.nginx import PROGRAM
from lib.proxy import (  # noqa: F401
    Client,
    ask,
    nginx_block,
    route,
    stage,
    start_nginx,
    start_proxy,
    upstream_block,
)
from lib.upstream import HOLD, READ, RESET, Stage, answer, say, steps
from lib.wait import eventually

STEPS = 60
FAIL_TIMEOUT = 1  # seconds
WINDOW = 0.9  # a phase that takes longer may have seen the timeout end
TRIES = 5

pytestmark = pytest.mark.skipif(
    not PROGRAM and not os.environ.get("CI"), reason="there is no nginx"
)
EITHER = pytest.mark.parametrize("workers", [1, 3])


class Side:
    """A proxy with upstreams of its own, a, b, c ..."""

    def __init__(self, start, attributes, balance):
        self.stage = Stage()
        self.servers = [(self.stage.add(name=name), values)
                        for name, values in zip("abcdefgh", attributes)]  # fmt: skip
        self.upstreams = {one.name: one for one, _ in self.servers}
        self.address = start(self.servers, balance).address

    def tried(self, n=1, **options):
        """The upstreams that so many more requests reach, one after the other; "-" for a 502."""
        del self.stage.journal[:]
        for _ in range(n):
            status = ask(self.address, **options).status
            assert status in (200, 502)
            if status == 502:
                self.stage.journal.append("-")
        return "".join(self.stage.journal)

    def hold(self, n=1):
        """So many requests that stay in flight: their upstreams, and the clients to close."""
        clients = []
        before = len(self.stage.journal)
        for i in range(n):
            clients.append(Client(self.address))
            clients[-1].send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
            self.wait_until_held(i + 1)
        return "".join(self.stage.journal[before:]), clients

    def wait_until_held(self, n):
        eventually(lambda: sum(one.held for one in self.upstreams.values()) == n, "it is held")


@pytest.fixture
def sides(start_nginx, start_proxy):
    """Make both for servers with these attributes: nginx and ours."""
    made = []

    def ours(workers, servers, balance):
        return start_proxy(upstream_block(servers, balance, keepalive=0) + route(), workers=workers)

    def nginx(servers, balance):
        return start_nginx(nginx_block(servers, balance))

    def make(*attributes, balance="round_robin", workers=1):
        for start in (nginx, functools.partial(ours, workers)):
            made.append(Side(start, attributes, balance))
        return made[-2:]

    yield make
    for side in made:
        side.stage.close()


def same(sides, act):
    """Do it to nginx and to ours: the results must be equal; returns them."""
    wanted, found = [act(side) for side in sides]
    assert found == wanted
    return wanted


@EITHER
@pytest.mark.parametrize("weights", [(5, 1, 1), (3, 2, 1), (1, 1, 1, 1), (7,)], ids=str)
def test_weighted_round_robin(sides, weights, workers):
    both = sides(*({"weight": weight} for weight in weights), workers=workers)
    tried = same(both, lambda side: side.tried(STEPS))
    assert len(tried) == STEPS
    assert tried.count("a") >= STEPS * weights[0] // sum(weights)


def in_phases(make, phases):
    """
    Play phases (act, pause), a pause in seconds, on both sides in step; again
    with new ones if a phase takes too long to be sure of the time it fell into.
    """
    for _ in range(TRIES):
        both = make()
        results = [], []
        slowest = 0
        for act, pause in phases:
            for side, result in zip(both, results):
                begin = time.monotonic()
                result.append(act(side))
                slowest = max(slowest, time.monotonic() - begin)
            raw.nothing_for(pause)
        if slowest < WINDOW:
            assert results[1] == results[0]
            return results[0]
    raise AssertionError(f"a phase takes {slowest:.1f} s: this machine is too busy for the test")


def fail(*names, how=RESET):
    """From now on these break off, and the others answer."""

    def act(side):
        for name, one in side.upstreams.items():
            one.script = steps(READ, how) if name in names else say(name.encode())

    return act


def all_of(*acts):
    """One phase of several acts; the result of the last."""
    return lambda side: [act(side) for act in acts][-1]


def requests(n):
    return lambda side: side.tried(n)


LATER = FAIL_TIMEOUT + 1.1  # whole seconds are counted: then the timeout has passed for sure


@EITHER
@pytest.mark.parametrize("max_fails", [1, 3])
def test_failing_and_returning_server(sides, max_fails, workers):
    attributes = {"max_fails": max_fails, "fail_timeout": FAIL_TIMEOUT}
    make = functools.partial(sides, {"weight": 5, **attributes}, attributes, attributes,
                             workers=workers)  # fmt: skip
    first, down, probed, back, on = in_phases(make, [
        (requests(10), 0),
        (all_of(fail("a"), requests(30)), LATER),
        (requests(20), LATER),  # one try in this window, which fails
        (all_of(fail(), requests(25)), 0),  # one try, which is good
        (requests(25), 0),
    ])  # fmt: skip
    assert first.startswith("aabacaa")
    assert down.count("a") == max_fails
    assert 1 <= probed.count("a") <= max_fails
    assert back.count("a") > 5 and on.count("a") > 10


def test_refused_connections_count_as_failures(sides):
    def refuse(side):
        side.upstreams["a"].refuse()

    def listen(side):
        side.upstreams["a"].listen()

    attributes = {"fail_timeout": FAIL_TIMEOUT}
    make = functools.partial(sides, {"weight": 2, **attributes}, attributes)
    gone, back = in_phases(make, [
        (all_of(requests(5), refuse, requests(10)), LATER),
        (all_of(listen, requests(20)), 0),
    ])  # fmt: skip
    assert gone == "b" * 10
    assert back.count("a") > 8


def test_all_servers_fail_and_return(sides):
    attributes = {"fail_timeout": FAIL_TIMEOUT}
    make = functools.partial(sides, attributes, attributes, attributes)
    down, back = in_phases(make, [
        (all_of(fail("a", "b", "c"), requests(5)), LATER),
        (all_of(fail(), requests(30)), 0),
    ])  # fmt: skip
    assert down == "abc-----"
    assert "-" not in back and {back.count(name) for name in "abc"} <= {9, 10, 11}


@EITHER
def test_max_fails_0_never_takes_a_server_out(sides, workers):
    both = sides({"max_fails": 0}, {}, workers=workers)
    tried = same(both, all_of(fail("a"), requests(20)))
    assert tried.count("a") == 10 and tried.count("b") == 20


@EITHER
def test_single_server_is_never_taken_out(sides, workers):
    both = sides({"max_fails": 1, "fail_timeout": 60}, workers=workers)
    assert same(both, all_of(fail("a"), requests(5))) == "a-" * 5
    assert same(both, all_of(fail(), requests(5))) == "aaaaa"


@EITHER
def test_down_server_is_left_out(sides, workers):
    both = sides({"weight": 2}, {"down": True}, {}, workers=workers)
    assert set(same(both, requests(STEPS))) == {"a", "c"}


@EITHER
def test_backup_servers_are_for_when_no_other_is_left(sides, workers):
    failing = {"fail_timeout": 60}
    both = sides(failing, {**failing, "weight": 2}, {"backup": True, "weight": 2},
                 {"backup": True}, workers=workers)  # fmt: skip
    assert set(same(both, requests(12))) == {"a", "b"}
    tried = same(both, all_of(fail("a", "b"), requests(20)))
    assert tried.count("a") == tried.count("b") == 1
    assert tried.count("c") > tried.count("d") > 5


@EITHER
def test_max_conns_sends_the_rest_elsewhere(sides, workers):
    both = sides({"max_conns": 2}, {"max_conns": 1}, {"backup": True, "max_conns": 1},
                 workers=workers)  # fmt: skip

    def act(side):
        for one in side.upstreams.values():
            one.script = steps(READ, HOLD, answer(b"held"))
        held, clients = side.hold(4)
        refused = side.tried(3)
        for one in side.upstreams.values():
            one.release()
        assert [client.read().body for client in clients] == [b"held"] * 4
        for client in clients:
            client.close()
        return held, refused

    held, refused = same(both, act)
    assert sorted(held) == ["a", "a", "b", "c"] and held[-1] == "c"
    assert refused == "---"


@pytest.mark.parametrize("weights", [(1, 1, 1), (3, 2, 1)], ids=str)
def test_least_conn_with_held_connections(sides, weights):
    both = sides(*({"weight": weight} for weight in weights), balance="least_conn")

    def hold_all(side):
        for one in side.upstreams.values():
            one.script = steps(READ, HOLD, answer(b"held"))
        side.before, side.clients = side.hold(18)
        return side.before

    def go_on(side):
        """One by one those at `a` end, and new ones come."""
        there = side.upstreams["a"]
        n = there.held
        there.release()
        side.wait_until_held(18 - n)
        there.hold_again()
        for name, client in zip(side.before, side.clients):
            if name == "a":
                assert client.read().body == b"held"
        later = []
        for i in range(n + 3):
            side.clients.append(Client(side.address))
            side.clients[-1].send(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
            side.wait_until_held(18 - n + i + 1)
            later.append(side.stage.journal[-1])
        return later

    held = same(both, hold_all)
    assert [held.count(name) for name in "abc"] == [18 * w // sum(weights) for w in weights]
    assert same(both, go_on)[:3] == ["a", "a", "a"]
    for side in both:
        for client in side.clients:
            client.close()


def addresses(n):
    """Different in the octets that ip_hash looks at; the same in each run."""
    dice = random.Random(6)
    return [f"127.{dice.randrange(256)}.{dice.randrange(256)}.{1 + i % 250}" for i in range(n)]


@EITHER
@pytest.mark.parametrize("weights", [(1, 1, 1), (3, 2, 1)], ids=str)
def test_ip_hash_over_200_clients(sides, weights, workers):
    both = sides(*({"weight": w, "fail_timeout": 60} for w in weights), balance="ip_hash",
                 workers=workers)  # fmt: skip

    def of_all(side):
        return [side.tried(source=source) for source in addresses(200)]

    chosen = same(both, of_all)
    assert all(chosen.count(name) > 15 for name in "abc")
    assert same(both, of_all) == chosen
    without = same(both, all_of(fail("a"), of_all))
    assert "a" not in without[-100:]
    assert [name for name in without if name == "c"] != []


def test_ip_hash_leaves_out_who_is_down(sides):
    both = sides({}, {"down": True}, {"weight": 2}, balance="ip_hash")
    chosen = same(both, lambda side: [side.tried(source=source) for source in addresses(200)])
    assert set(chosen) == {"a", "c"}
