"""deploy/docker/compose.yaml as it stands: built, brought up, used and taken down."""

import os
import subprocess

import pytest

from clients import KINDS, kill_workers
from lib import client
from lib.load import Load
from lib.needs import require
from lib.wait import DEADLINE, eventually
from project import Project
from service import GRACE_S, deployed, identity

yaml = pytest.importorskip("yaml")

# How many containers each of them has here.
SERVICES = {"one": 1, "two": 1, "nginx": 1, "front": 1, "etcd": 1, "member": 3, "finder": 1}

HERE = "127.0.0.1"
# Each of them leads to `one` and `two`, by weight.
BALANCERS = {"nginx": (HERE, 3333), "front": (HERE, 3334)}
FINDER = (HERE, 3335)


@pytest.fixture(scope="module")
def brought_up(engine, docker):
    """All of it, one profile after the other, and nothing is built more often than it must be."""
    with Project(engine, docker) as made:
        made.up("--build")
        made.add_profile("balancer")
        made.up()
        made.add_profile("etcd")
        made.build("etcd")
        made.up("--scale member=3")
        yield made


@pytest.fixture
def project(brought_up, docker):
    """The same, and the test is where its ports are."""
    with docker.network.inside():
        yield brought_up


def hosts_behind(address, n):
    """Who answers n requests: {the identifiers of containers}."""
    return {identity(address)["hostname"] for _ in range(n)}


def wait_for_members(members):
    """
    Until the finder asks these, and no others. They try again and again from before etcd is
    there, in ever longer intervals.
    """

    def found():
        response = client.fetch(FINDER, headers={"Accept": "application/json"})
        return response.status == 200 and hosts_behind(FINDER, 4 * len(members)) == members

    eventually(found, f"who answers are {members}", 3 * DEADLINE)


def test_compose_file_is_valid():
    """And every file that it mounts or builds from is there."""
    require("docker-compose")
    words = ["docker-compose", "-f", deployed("docker/compose.yaml"),
             "--profile", "balancer", "--profile", "etcd", "config"]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, timeout=DEADLINE, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) == set(SERVICES)
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


def test_every_service_runs_and_is_well(project):
    assert project.services() == SERVICES
    for service in "one", "two", "front", "member", "finder":
        for container in project.containers(service).values():
            eventually(container.is_well, f"{service} is healthy")


@pytest.mark.parametrize("balancer", BALANCERS)
def test_two_instances_answer_by_weight(project, balancer):
    (first,), (second,) = project.containers("one"), project.containers("two")
    address = BALANCERS[balancer]
    eventually(lambda: hosts_behind(address, 6) == {first, second}, "both are asked")
    seen = [identity(address)["hostname"] for _ in range(30)]
    assert (seen.count(first), seen.count(second)) == (20, 10)


@pytest.mark.parametrize("balancer", BALANCERS)
def test_killing_workers_through_the_balancer_fails_no_request(project, figure, balancer):
    pair = [*project.containers("one").values(), *project.containers("two").values()]
    kill_workers(BALANCERS[balancer], pair, figure)


def test_members_are_found_by_etcd_and_come_and_go_unnoticed(project, figure):
    members = project.containers("member")
    first = min(members)
    wait_for_members(set(members))
    with Load(FINDER, KINDS) as load:
        load.wait_for_answers(200)
        members[first].stop(GRACE_S)
        load.wait_for_answers(200)
        wait_for_members(set(members) - {first})
        project.up("--scale member=4")
        more = set(project.containers("member"))
        wait_for_members(more)
        load.wait_for_answers(200)
    figure(f"three members, then two, then four: {load.total}")
    load.assert_flawless()
    assert len(more) == 4 and set(members) < more


def test_nothing_is_left_when_it_is_down(project, docker):
    project.down()
    eventually(lambda: not docker.strangers(), "every process has ended")
    assert not any(project.leavings().values()), project.leavings()
