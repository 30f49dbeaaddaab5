"""What tests need and a machine may not have."""

import importlib
import os
import shutil

import pytest

from lib.figures import note

# Where Debian has a program whose package has another name.
_PACKAGES = {
    "/usr/share/zookeeper/bin/zkCli.sh": "zookeeper",
    "chromedriver": "chromium-driver",
    "dh": "debhelper",
    "dpkg-buildpackage": "dpkg-dev",
    "etcd": "etcd-server",
    "etcdctl": "etcd-client",
    "node": "nodejs",
    "promtool": "prometheus",
    "systemd-analyze": "systemd",
    "systemd-nspawn": "systemd-container",
}


def go_without(reason):
    """Skip, and say so in the output of the run: the machine cannot have it."""
    note(f"SKIPPED {reason}")
    pytest.skip(reason)


def _lack(reason):
    """The machine could have it: CI does."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    go_without(reason)


def require(*programs):
    """Skip, saying so, without these programs; CI has them all or fails."""
    missing = [name for name in programs if shutil.which(name) is None]
    if not missing:
        return
    packages = sorted({_PACKAGES.get(name, name) for name in missing})
    _lack(f"needs {', '.join(missing)} (Debian: {', '.join(packages)})")


def require_module(name, package):
    """The module, of this package of Debian; without it as require()."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return _lack(f"needs the module {name} (Debian: {package})")
