"""The fixtures of tests/lib for pytest in this folder, and the figures that tests measure."""

import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib.figures import *  # noqa: E402, F401, F403
from lib.fixtures import *  # noqa: E402, F401, F403


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
