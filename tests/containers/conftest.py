"""The fixtures of tests/lib for pytest in this folder, the images, and containers of them."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib.figures import *  # noqa: E402, F401, F403
from lib.fixtures import *  # noqa: E402, F401, F403
from lib.needs import go_without  # noqa: E402
from docker import Docker, obstacle  # noqa: E402
from engine import SERVER, STATIC, Engine, Unable  # noqa: E402
from network import Network  # noqa: E402
from service import Service, deployed  # noqa: E402


@pytest.fixture(scope="session")
def engine():
    """podman, with both images in its store."""
    with Engine() as made:
        try:
            made.make_base()
            made.prove()
        except Unable as why:
            go_without(f"podman cannot run containers here: {why}")
        made.build(SERVER)
        made.build(STATIC, "--target=scratch")
        yield made


@pytest.fixture(scope="session")
def docker(engine):
    """A Docker in a network of its own, with the images that compose.yaml names."""
    file = os.path.join(os.path.dirname(__file__), "nginx.Dockerfile")
    engine.build("docker.io/library/nginx:stable", file=file)
    # docker-compose builds it again, of what is in the store then: it has no way to packages.
    folder = deployed("docker")
    engine.build("etcd:bookworm", file=f"{folder}/etcd.Dockerfile", context=folder)
    with Network() as network:
        if why := obstacle(engine, network):
            go_without(f"containers cannot have a network of their own here: {why}")
        with Docker(engine, network) as made:
            yield made


@pytest.fixture
def limits(engine):
    """limits("cpu"): skip, saying so, where cgroups cannot limit that."""

    def need(*controllers):
        missing = set(controllers) - engine.controllers()
        if missing:
            go_without(f"no cgroup controller for {', '.join(sorted(missing))} here")

    return need


@pytest.fixture
def service(request, engine, tmp_path):
    """service(...) starts a Service and waits until it serves; it is gone after the test."""
    started = request.node.containers = []

    def start(*command, **options):
        name = f"{options.pop('name', 'z')}{len(started)}"
        one = Service(engine, name, tmp_path, *command, **options)
        started.append(one)
        one.wait_until_serving()
        return one

    yield start
    for one in started:
        one.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for one in getattr(item, "containers", []):
            report.sections.append((one.name, one.log[-8000:]))
