"""What tests need and a machine may not have."""

import importlib
import os
import shutil

import pytest

from lib.figures import note

# Where Debian has a program whose package has another name.
_PACKAGES = {
    "chromedriver": "chromium-driver",
    "etcd": "etcd-server",
    "etcdctl": "etcd-client",
    "node": "nodejs",
    "promtool": "prometheus",
}


def _go_without(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    note(f"SKIPPED {reason}")
    pytest.skip(reason)


def require(*programs):
    """Skip, saying so, without these programs; CI has them all or fails."""
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    packages = sorted({_PACKAGES.get(name, name) for name in missing})
    _go_without(f"needs {', '.join(missing)} (Debian: {', '.join(packages)})")


def require_module(name, package):
    """The module, of this package of Debian; without it as require()."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return _go_without(f"needs the module {name} (Debian: {package})")
