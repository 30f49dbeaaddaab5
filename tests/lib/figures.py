"""Lines for the output of the run, such as what tests measure: for a conftest.py to take over."""

import os

import pytest

_TERMINAL = 9  # past the test driver, see AM_TESTS_FD_REDIRECT in Makefile.am
_notes = []


def note(text):
    """Put a line into the output of the run, once."""
    line = f"# {text}\n"
    if line not in _notes:
        _notes.append(line)


@pytest.fixture
def figure(request):
    """figure("what was measured") puts a line into the output of the run, passed or not."""
    return lambda text: note(f"{request.node.name}: {text}")


def pytest_terminal_summary(terminalreporter, config):
    for line in _notes:
        terminalreporter.write(line)
    if config.pluginmanager.hasplugin("tap-report"):
        try:
            os.write(_TERMINAL, "".join(_notes).encode())
        except OSError:
            pass  # run by hand: they are on the terminal already
