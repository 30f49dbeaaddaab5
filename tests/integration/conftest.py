"""Fixtures: servers that are gone when their test is over, and whose logs show when it fails."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib import server as servers  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "smoke: fast; run under valgrind and by distcheck as well")
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
