"""
What the documents tell to type as root, word for word, in a machine without our
packages: the programs were put there by hand, and the sources are there. The last of
these tests: they leave a machine that is no good for the others.
"""

import os
import shutil

import pytest

from lib.client import fetch
from lib.documents import commands_in
from lib.server import SRCDIR

from test_package import BOTH, CONF, SERVER

pytestmark = pytest.mark.root

COMMANDS = commands_in("packages")
SOURCES = "/srv/sources"

# What the documents take for granted.
PREPARED = (
    ("mkdir", "-p", "/var/cache/zombie-server"),
    ("adduser", "--system", "zombie"),
    ("systemctl", "start", "nginx"),
)


@pytest.fixture(scope="module")
def by_hand(machine, packages):
    machine.run("dpkg", "--purge", *BOTH)
    machine.run("deluser", "--system", SERVER)
    machine.run("rm", "-rf", os.path.dirname(CONF))
    with packages[SERVER].unpacked() as tree:
        for name in SERVER, "zombiectl":
            shutil.copy(f"{tree}/usr/sbin/{name}", machine.path("/usr/sbin"))
        shutil.copytree(f"{tree}{os.path.dirname(CONF)}", machine.path(os.path.dirname(CONF)))
    shutil.copytree(os.path.join(SRCDIR, "deploy"), machine.path(f"{SOURCES}/deploy"))
    # What is to be installed is looked up, and its dependencies with it, but not fetched.
    machine.write("/etc/apt/apt.conf.d/simulate", 'APT::Get::Simulate "yes";\n')
    for words in PREPARED:
        machine.run(*words)
    return machine


@pytest.mark.parametrize("document, number", COMMANDS)
def test_commands_run(by_hand, document, number):
    for command in COMMANDS[document, number]:
        by_hand.run("sh", "-ec", f"cd {SOURCES}\n{command}")


def test_service_and_nginx_run_thereafter(by_hand):
    assert by_hand.shows("zombie-server.service", "ActiveState") == "active"
    assert by_hand.shows("zombie-server.socket", "ActiveState") == "active"
    with by_hand.network():
        for port in 3000, 3333:
            assert fetch(("127.0.0.1", port), "/hello").status == 200
