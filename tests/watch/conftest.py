"""The fixtures of tests/lib for pytest in this folder, a browser and a server that is watched."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib import browser as browsers  # noqa: E402
from lib.figures import *  # noqa: E402, F401, F403
from lib.fixtures import *  # noqa: E402, F401, F403
from lib.needs import require  # noqa: E402
from watched import Watched  # noqa: E402


@pytest.fixture
def browser(tmp_path):
    require(*browsers.PROGRAMS)
    folder = tmp_path / "browser"
    folder.mkdir()
    with browsers.Browser(folder) as opened:
        yield opened


@pytest.fixture
def watched(start):
    """Start a Watched server."""
    return lambda *arguments, **options: start(*arguments, kind=Watched, **options)
