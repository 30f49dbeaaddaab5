"""The field case: two containers behind a balancer, which lose their workers and each other."""

import concurrent.futures
import os
import subprocess

import pytest

from fronts import FRONTS, require_nginx
from lib import client, nginx
from lib.load import Kind, Load
from lib.needs import require
from lib.programs import run
from lib.wait import DEADLINE, eventually
from service import GRACE_S, deployed, identity

yaml = pytest.importorskip("yaml")

N_KILLS = 500
KINDS = [Kind("GET keep-alive", "/hello"), Kind("GET new connection", "/hello", keep_alive=False)]


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


def test_compose_file_is_valid():
    """And every file that it mounts or builds from is there."""
    require("docker-compose")
    words = ["docker-compose", "-f", deployed("docker/compose.yaml"),
             "--profile", "balancer", "--profile", "etcd", "config"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == {"one", "two", "nginx", "front", "etcd", "member", "finder"}
    for service in services.values():
        for volume in service.get("volumes", []):
            assert os.path.exists(volume.split(":")[0])
        if "build" in service:
            build = service["build"]
            assert os.path.exists(os.path.join(build["context"], build["dockerfile"]))
    with open(deployed("docker/front.conf"), encoding="utf-8") as file:
        front = file.read()
    for name in ("one", "two"):
        (published,) = services[name]["ports"]
        address = published.rpartition(":")[0]
        assert f'server "{address}" {{' in front


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
    front = begin_front(kind, pair)

    def kill(_):
        return client.fetch(front.address, "/workerKiller").status

    with Load(front.address, KINDS) as load:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(kill, range(N_KILLS)))
        load.wait_for_answers(100)
    assert set(answers) == {200}
    deaths = [one.log.count(" died: exited with status 0") for one in pair]
    figure(f"{N_KILLS} calls killed {deaths} workers; beside them {load.total}")
    # By weight; and calls may meet a worker that is about to go already.
    assert all(n > N_KILLS / 50 for n in deaths)
    load.assert_flawless()


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


def test_third_container_takes_over_while_the_first_is_replaced(service, pair, begin_front, figure):
    one, two = pair
    front = begin_front("zombie-server", pair)
    before = {one.identity()["instance"], two.identity()["instance"]}
    with Load(front.address, KINDS) as load:
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
        seen = {identity(front.address)["instance"] for _ in range(6)}
    figure(f"replaced by way of a third one: {load.total}")
    load.assert_flawless()
    assert seen == {next_one.identity()["instance"], two.identity()["instance"]} != before
