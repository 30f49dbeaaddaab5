"""Installed in a fresh system that does not run: nothing but files, and all of them go again."""

import os
import re
import subprocess

import pytest

from lib.wait import eventually

from package import files_below
from system import listeners_beside
from test_package import BOTH, CONF, DISTRIBUTOR, SERVER

pytestmark = pytest.mark.root

# What dpkg, adduser and the service manager keep of what was there once.
_MEMORY = re.compile(r"var/(lib/dpkg|lib/systemd|log|cache|lib/apt)(/|$)|srv/|run/|etc/\w+-$")
_ENABLED = "/etc/systemd/system/multi-user.target.wants/zombie-server.service"


def belongings(system):
    return {path for path in files_below(system.folder) if not _MEMORY.match(path)}


def network(pid):
    """The one that it is in."""
    return os.readlink(f"/proc/{pid}/ns/net")


@pytest.fixture(scope="module")
def installed(fresh, packages):
    """With both packages, which are purged afterwards."""
    fresh.before = belongings(fresh)
    fresh.unpack(packages[SERVER].path, packages[DISTRIBUTOR].path)
    yield fresh
    fresh.run("dpkg", "--purge", *BOTH)


def test_configuration_is_accepted(installed):
    result = installed.run("zombie-server", "-c", CONF, "-T")
    assert 'listen "127.0.0.1:3000" {' in result.stdout
    assert '    listen = "off"' in result.stdout
    installed.run("zombie-distributor", "-c", "/etc/zombie-server/zombie-distributor.conf", "-t")


def test_only_the_server_is_enabled(installed):
    for unit, state in (("zombie-server.service", "enabled"), ("zombie-server.socket", "disabled"),
                        ("zombie-distributor.service", "disabled")):  # fmt: skip
        said = installed.run("systemctl", "is-enabled", unit, check=False)
        assert said.stdout.strip() == state


def test_accounts_are_locked(installed):
    for name in BOTH:
        _, _, number, _, _, home, shell = installed.run("getent", "passwd", name).stdout.split(":")
        assert (home, shell.strip()) == ("/nonexistent", "/usr/sbin/nologin")
        assert 100 <= int(number) < 1000


def test_logrotate_accepts_its_file(installed):
    said = installed.run("logrotate", "-d", "/etc/logrotate.d/zombie-server")
    assert "/var/log/zombie-server/*.log" in said.stdout
    assert "error" not in said.stdout


def test_nothing_but_the_loopback_is_listened_on(installed):
    """By hand, as the user of the unit, in a network without anybody else."""
    words = ["unshare", "-n", "--", *installed.prefix, "runuser", "-u", SERVER, "--",
             "zombie-server", "-c", CONF, "-o", "control.socket=off"]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        try:
            eventually(lambda: network(server.pid) != network("self"), "it is alone")
            eventually(lambda: listeners_beside(server.pid), "somebody listens")
            assert listeners_beside(server.pid) == {"127.0.0.1:3000"}
        finally:
            server.terminate()
            assert b"is ready" in server.communicate()[0]


def test_removing_leaves_the_configuration_alone(installed, packages):
    installed.run("dpkg", "--remove", *BOTH)
    left = {f"/{path}" for path in belongings(installed) - installed.before
            if not os.path.isdir(f"{installed.folder}/{path}")}  # fmt: skip
    assert left == packages[SERVER].conffiles | packages[DISTRIBUTOR].conffiles | {_ENABLED}


def test_purging_leaves_nothing(installed):
    for folder in ("cache", "lib", "log"):
        os.makedirs(installed.path(f"/var/{folder}/zombie-server"))
    installed.run("dpkg", "--purge", *BOTH)
    assert belongings(installed) == installed.before
    for folder in ("cache", "lib", "log"):
        assert not os.path.exists(installed.path(f"/var/{folder}/zombie-server"))
