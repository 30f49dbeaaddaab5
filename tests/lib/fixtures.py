"""Fixtures: servers that are gone when their test is over, and whose logs show when it fails."""

import os
import signal

import pytest

from lib import server as servers
from lib.etc import Etc
from lib.manager import Manager


def pytest_configure(config):
    # Who starts this in the background of a shell has them ignored, and programs inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    config.addinivalue_line("markers", "smoke: fast; run by distcheck as well")
    config.addinivalue_line("markers", "alone: bears no other test beside it")
    config.addinivalue_line("markers", "valgrind: run under it as well, a few of each area")
    config.addinivalue_line("markers", "root: needs to be root")


def pytest_runtest_setup(item):
    if item.get_closest_marker("root") and os.geteuid() != 0:
        pytest.skip("needs to be root")


def shortened(log):
    """Beginning and end of a log that would hide everything else."""
    lines = log.splitlines()
    if len(lines) > 200:
        lines[50:-150] = [f"... {len(lines) - 200} lines ..."]
    return "\n".join(lines)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in getattr(item, "servers", []):
            report.sections.append((os.path.basename(server.log_path), shortened(server.log)))


@pytest.fixture
def start(request, tmp_path):
    """Start a server and wait until all its workers serve, unless wait=False."""
    request.node.servers = []

    def start_one(*arguments, wait=True, kind=servers.Server, **options):
        server = kind(tmp_path, *arguments, **options)
        request.node.servers.append(server)
        if wait:
            server.wait_until_serving()
        return server

    yield start_one
    problems = [problem for server in request.node.servers for problem in server.clean_up()]
    assert not problems, "; ".join(problems)


@pytest.fixture
def run(tmp_path):
    """Run the program in a temporary folder until it ends."""

    def run_once(*arguments, **options):
        return servers.run(*arguments, cwd=tmp_path, **options)

    return run_once


@pytest.fixture
def manager(tmp_path):
    """A service manager that servers may report to."""
    made = Manager(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def etc(tmp_path):
    """A stand-in for /etc, for start_fragile."""
    return Etc(tmp_path)


@pytest.fixture
def start_fragile(start, etc):
    """Start a server whose boots `etc` can break."""

    def start_one(*arguments, **options):
        return start(*etc.arguments, *arguments, preexec=etc.mount, **options)

    return start_one
