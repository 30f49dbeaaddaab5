"""What the tests here need and a machine may not have."""

import os
import shutil

import pytest

from lib.figures import note


def require(*programs):
    """Skip, saying so, without these programs; CI has them all or fails."""
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)} (Debian: chromium, chromium-driver, prometheus)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    note(f"SKIPPED {reason}")
    pytest.skip(reason)
