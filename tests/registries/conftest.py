"""The fixtures of tests/lib for pytest in this folder, and registries to start."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from foreign import install  # noqa: E402
from lib.figures import *  # noqa: E402, F401, F403
from lib.fixtures import *  # noqa: E402, F401, F403


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """An environment in which node finds the clients that others wrote."""
    return install(tmp_path_factory.mktemp("packages"))
