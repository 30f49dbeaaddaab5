"""The fixtures of tests/lib for pytest in this folder."""

import os
import sys

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

from lib.fixtures import *  # noqa: E402, F401, F403
