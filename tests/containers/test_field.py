"""The field case: two containers behind a balancer, which lose their workers and each other."""

import pytest

from clients import KINDS, kill_workers
from fronts import FRONTS, require_nginx
from lib import nginx
from lib.load import Load
from lib.programs import run
from lib.wait import DEADLINE, eventually
from service import GRACE_S, deployed, identity


@pytest.fixture
def pair(service):
    """Two containers, as deploy/docker/compose.yaml has them."""
    return [service(conf=deployed("docker/api.conf"), name=name, ZOMBIE_CHAOS="yes")
            for name in ("one", "two")]  # fmt: skip


@pytest.fixture
def begin_front(request, engine, tmp_path):
    started = []

    def begin(kind, pair):
        front = FRONTS[kind](engine, tmp_path, [one.port for one in pair])
        started.append(front)
        return front

    yield begin
    for front in started:
        front.remove()


@pytest.mark.parametrize("balance", ["", "least_conn", "ip_hash"])
def test_nginx_takes_the_file(tmp_path, balance):
    """As it stands there, and with what it names beside it."""
    require_nginx()
    with open(deployed("nginx/conf.d/zombie-server.conf"), encoding="utf-8") as file:
        text = file.read()
    assert text.count(f"#{balance};") == bool(balance)
    (tmp_path / "included").write_text(text.replace(f"#{balance};", f"{balance};"))
    conf = tmp_path / "nginx.conf"
    conf.write_text(f"pid {tmp_path}/pid;\nevents {{ }}\nhttp {{ include {tmp_path}/included; }}\n")
    said = run(nginx.PROGRAM, "-t", "-e", tmp_path / "error", "-c", conf, seconds=DEADLINE)
    assert "[warn]" not in said.stdout


@pytest.mark.parametrize("kind", FRONTS)
def test_requests_alternate_by_weight(pair, begin_front, kind):
    front = begin_front(kind, pair)
    first, second = [one.identity()["instance"] for one in pair]
    # The checks of a front may let a server in a little later than the other.
    eventually(lambda: {identity(front.address)["instance"] for _ in range(6)} == {first, second},
               "both are asked")  # fmt: skip
    seen = [identity(front.address)["instance"] for _ in range(30)]
    assert seen.count(first) == 20 and seen.count(second) == 10
    names = ["A" if one == first else "B" for one in seen]
    assert names[:27] == names[3:], "".join(names)


@pytest.mark.parametrize("kind", FRONTS)
def test_killing_workers_through_the_balancer_fails_no_request(pair, begin_front, figure, kind):
    kill_workers(begin_front(kind, pair).address, pair, figure)


@pytest.mark.parametrize("kind", FRONTS)
def test_stop_of_a_container_under_load_loses_nothing(pair, begin_front, figure, kind):
    front = begin_front(kind, pair)
    one, two = pair
    with Load(front.address, KINDS) as load:
        load.wait_for_answers(200)
        seconds = one.stop(GRACE_S)
        load.wait_for_answers(200)
        assert identity(front.address)["instance"] == two.identity()["instance"]
    figure(f"stopped in {seconds:.1f} s; {load.total}")
    load.assert_flawless()
    assert one.state["ExitCode"] == 0
    assert seconds < GRACE_S


@pytest.mark.parametrize("kind", FRONTS)
def test_third_container_takes_over_while_the_first_is_replaced(
    service, pair, begin_front, figure, kind
):
    one, two = pair
    front = begin_front(kind, pair)
    before = {one.identity()["instance"], two.identity()["instance"]}
    kinds = [k for k in KINDS if not (k.keep_alive and front.reload_closes_idle)]
    with Load(front.address, kinds) as load:
        load.wait_for_answers(100)
        three = service(conf=deployed("docker/api.conf"), name="three")
        front.serve([three.port, two.port])
        load.wait_for_answers(100)
        assert one.stop(GRACE_S) < GRACE_S
        one.remove()
        next_one = service(conf=deployed("docker/api.conf"), name="next", port=one.port)
        front.serve([next_one.port, two.port])
        load.wait_for_answers(100)
        assert three.stop(GRACE_S) < GRACE_S
        load.wait_for_answers(100)
        seen = {identity(front.address)["instance"] for _ in range(30)}
    figure(f"replaced by way of a third one: {load.total}")
    load.assert_flawless()
    assert seen == {next_one.identity()["instance"], two.identity()["instance"]} != before
