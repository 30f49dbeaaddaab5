"""The fixtures of tests/lib for pytest in this folder, and the figures that tests measure."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib.fixtures import *  # noqa: E402, F401, F403

_TERMINAL = 9  # past the test driver, see AM_TESTS_FD_REDIRECT in Makefile.am
_figures = []


@pytest.fixture
def figure(request):
    """figure("what was measured") puts a line into the output of the run, passed or not."""
    return lambda text: _figures.append(f"# {request.node.name}: {text}\n")


def pytest_terminal_summary(terminalreporter, config):
    for line in _figures:
        terminalreporter.write(line)
    if config.pluginmanager.hasplugin("tap-report"):
        try:
            os.write(_TERMINAL, "".join(_figures).encode())
        except OSError:
            pass  # run by hand: they are on the terminal already


@pytest.fixture
def conf(tmp_path):
    """A configuration file with a path that takes POST; conf(more) writes it anew."""

    class Configuration:
        path = tmp_path / "chaos.conf"

        def write(self, more=""):
            fresh = tmp_path / "chaos.new"
            fresh.write_text(f'route "/sink" {{ handler = not_found }}\n{more}\n')
            os.rename(fresh, self.path)

    made = Configuration()
    made.write()
    return made
