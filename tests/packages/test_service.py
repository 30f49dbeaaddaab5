"""The packages in a machine that runs: what the service manager makes of their units."""

import json
import os
import re
import shutil

import pytest

from lib.client import fetch
from lib.documents import blocks, readmes
from lib.load import Load, kinds
from lib.server import SRCDIR
from lib.wait import eventually

from test_package import BOTH, CONF, SERVER

pytestmark = pytest.mark.root

HERE = ("127.0.0.1", 3000)
UNIT, SOCKET = "zombie-server.service", "zombie-server.socket"
DEFAULTS = "/etc/default/zombie-server"
LOG = "/var/log/zombie-server/server.log"
DROP_INS = "/etc/systemd/system/zombie-server.service.d"


def hello(machine):
    with machine.network():
        return fetch(HERE, "/hello").status == 200


def status(machine):
    return json.loads(machine.run("zombiectl", "status", "--json").stdout)


@pytest.fixture
def configured(machine):
    """Change the configuration, which is put back, and the service with it."""
    before = machine.read(CONF)
    yield lambda text: machine.write(CONF, text)
    machine.write(CONF, before)
    if os.path.exists(machine.path(DEFAULTS)):
        os.unlink(machine.path(DEFAULTS))
    machine.run("systemctl", "restart", UNIT)


def test_fresh_system_listens_on_the_loopback_alone(machine):
    assert machine.shows(UNIT, "ActiveState") == "active"
    assert machine.shows("zombie-distributor.service", "ActiveState") == "inactive"
    assert machine.listeners == {"127.0.0.1:3000"}
    assert hello(machine)
    assert machine.run("stat", "-c", "%U", "/run/zombie-server").stdout == "zombie-server\n"


def test_reload_of_the_unit_has_a_verdict(machine, configured):
    machine.run("systemctl", "reload", UNIT)
    assert status(machine)["generation"] == 2
    configured("nonsense\n")
    assert machine.run("systemctl", "reload", UNIT, check=False).returncode != 0
    assert status(machine)["generation"] == 2
    assert machine.shows(UNIT, "StatusText").startswith("Reload refused: ")
    assert hello(machine)


def test_upgrade_of_the_package_loses_no_request(machine, packages, place):
    newer = packages[SERVER].renamed(place, packages[SERVER].field("Version") + "+next")
    before = status(machine)
    with machine.network():
        load = Load(HERE, of=kinds()[:3])
        with load:
            load.wait_for_answers(50)
            machine.unpack(newer)
            load.wait_for_answers(50)
    load.assert_flawless()
    after = status(machine)
    assert (after["pid"], after["instance"]) == (before["pid"], before["instance"])
    assert after["upgrades"] == before["upgrades"] + 1
    assert machine.shows(UNIT, "NRestarts") == "0"


@pytest.fixture
def drop_in(machine, configured):
    """Change the unit, and start it with a configuration; both are put back."""

    def restart(text, configuration=None):
        os.mkdir(machine.path(DROP_INS))
        machine.write(f"{DROP_INS}/changed.conf", f"[Service]\n{text}\n")
        machine.run("systemctl", "daemon-reload")
        if configuration is not None:
            configured(configuration)
        machine.run("systemctl", "restart", UNIT)

    yield restart
    shutil.rmtree(machine.path(DROP_INS))
    machine.run("systemctl", "daemon-reload")


def restarted_by_upgrade(machine, package):
    """Upgrade to it; what that said, if the service was restarted."""
    before = machine.shows(UNIT, "MainPID")
    said = machine.unpack(package.path).stdout
    assert machine.shows(UNIT, "MainPID") not in (before, "0"), said
    assert hello(machine)
    return said


def test_upgrade_of_the_package_restarts_what_it_cannot_reach(machine, packages, drop_in):
    """Its control socket is elsewhere: the old version must not go on unnoticed."""
    drop_in(r"""Environment="ZOMBIE_NOTE=it's 'two' \"words\", $5, `now`, a \\ and 7 %%" """
            "ZOMBIE_CONTROL=/run/elsewhere/control.sock\n"
            "RuntimeDirectory=\nRuntimeDirectory=elsewhere")  # fmt: skip
    machine.run("rm", "-rf", "/run/zombie-server")  # it would be gone after the next boot
    restarted_by_upgrade(machine, packages[SERVER])


def test_upgrade_of_the_package_reads_the_configuration_as_the_service_does(machine, packages,
                                                                            drop_in):  # fmt: skip
    """Only one more group of its own may read it."""
    machine.run("chgrp", "adm", CONF)
    machine.run("chmod", "640", CONF)
    try:
        drop_in("SupplementaryGroups=adm\nEnvironment=ZOMBIE_CONTROL=/run/zombie-server/other.sock")
        restarted_by_upgrade(machine, packages[SERVER])
    finally:
        machine.run("chmod", "644", CONF)
        machine.run("chgrp", "root", CONF)


def test_upgrade_of_the_package_restarts_what_cannot_be_taken_over(machine, packages, drop_in):
    """There is no room for the trial of the new version beside the old one and its worker."""
    drop_in("LimitNPROC=2", "instance { workers = 1 }\n")
    said = restarted_by_upgrade(machine, packages[SERVER])
    assert "cannot begin a trial: Resource temporarily unavailable" in said
    assert status(machine)["upgrades"] == 0


def upgrade_in_vain(machine, package):
    """Upgrade to it; neither that nor a restart may have happened."""
    before = status(machine)
    assert "the old version goes on" in machine.unpack(package.path).stdout
    after = status(machine)
    assert (after["pid"], after["upgrades"]) == (before["pid"], before["upgrades"])
    assert hello(machine)


def test_upgrade_with_a_wrong_configuration_leaves_the_old_version_alone(machine, packages,
                                                                        configured):  # fmt: skip
    configured("nonsense\n")
    upgrade_in_vain(machine, packages[SERVER])
    words = ["journalctl", "-u", "zombie-server-check"]
    eventually(lambda: "nonsense" in machine.run(*words).stdout, "the journal says why")


def test_upgrade_judges_the_configuration_that_the_service_will_have(machine, packages, drop_in):
    """The name of an overlay comes from /etc/default, and the overlay is wrong."""
    drop_in("LimitNPROC=2", "instance { workers = 1 }\n")
    machine.write(DEFAULTS, "ZOMBIE_ENV=shop\n")
    overlay = os.path.join(os.path.dirname(CONF), "shop.conf")
    machine.write(overlay, "nonsense\n")
    try:
        upgrade_in_vain(machine, packages[SERVER])
    finally:
        os.unlink(machine.path(overlay))


def test_unit_leaves_room_for_all_that_the_server_does(machine, configured):
    """Log file and its rotation, admin role, herald, Landlock, affinity, upgrade."""
    machine.write(DEFAULTS, "ZOMBIE_ADMIN=127.0.0.1:9090\n")
    configured(
        "instance { landlock = yes cpu_affinity = auto core_dumps = yes }\n"
        f'log {{ target = "{LOG}" }}\n'
        'upstream "self" { server "127.0.0.1:3000" {} check { path = "/hello" } }\n'
        'route "/self" { handler = proxy upstream = "self" }\n'
        'route "/self/" { handler = proxy upstream = "self" strip_prefix = yes }\n'
    )
    machine.run("systemctl", "restart", UNIT)
    machine.run("zombie-server", "--healthcheck", "http://127.0.0.1:9090/readyz")
    machine.run("zombiectl", "upgrade")
    with machine.network():
        assert fetch(HERE, "/self/hello").status == 200
    roles = {child["role"] for child in status(machine)["processes"]}
    assert roles == {"worker", "admin", "herald"}
    machine.run("logrotate", "--force", "/etc/logrotate.d/zombie-server")
    first = machine.read(f"{LOG}.1")
    eventually(lambda: os.path.exists(machine.path(LOG)), "the log begins anew")
    machine.run("zombiectl", "reload")
    assert " reloaded" in machine.read(LOG)
    unexpected = [line for line in first.splitlines()
                  if " error " in line or (" warning " in line and "no landlock" not in line
                                           and "max_connections" not in line)]  # fmt: skip
    assert not unexpected


def loosening(words):
    """The settings in the row of deploy/systemd/README.md that begins so, as a drop-in."""
    with open(os.path.join(SRCDIR, "deploy/systemd/README.md"), encoding="utf-8") as file:
        (row,) = [line for line in file if line.startswith(f"| {words}")]
    return "\n".join(re.findall(r"`(\w+=[^`]+)`", row))


def test_port_below_1024_takes_one_capability(machine, drop_in):
    drop_in(loosening("ports below 1024"), 'listen "127.0.0.1:80" {\n}\n')
    assert machine.listeners == {"127.0.0.1:80"}
    machine.run("zombiectl", "upgrade")


def test_workers_may_have_another_user_and_root_folder(machine, drop_in):
    drop_in(loosening("`instance.user`"),
            'instance { user = "zombie-server" chroot = "/srv" }\n')  # fmt: skip
    machine.run("zombiectl", "upgrade")
    worker = status(machine)["processes"][0]["pid"]
    assert machine.run("readlink", f"/proc/{worker}/root").stdout == "/srv\n"
    assert "\nUid:\t0" not in machine.run("cat", f"/proc/{worker}/status").stdout
    assert hello(machine)
    machine.run("zombiectl", "kill", "1", check=False)
    eventually(lambda: status(machine)["processes"][0]["state"] == "serving", "a successor serves")


def test_killed_master_is_back(machine):
    before = machine.shows(UNIT, "MainPID")
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", UNIT)
    eventually(lambda: machine.shows(UNIT, "MainPID") not in (before, "0")
               and machine.shows(UNIT, "ActiveState") == "active", "it is started again")  # fmt: skip
    assert hello(machine)


def test_wrong_configuration_is_not_tried_again_and_again(machine, configured):
    configured("nonsense\n")
    assert machine.run("systemctl", "restart", UNIT, check=False).returncode != 0
    assert machine.shows(UNIT, "ActiveState") == "failed"
    assert machine.shows(UNIT, "ExecMainStatus") == "78"


def test_socket_unit_starts_the_service_for_the_first_client(machine):
    machine.run("systemctl", "stop", UNIT)
    assert machine.listeners == set()
    machine.run("systemctl", "start", SOCKET)
    assert machine.shows(UNIT, "ActiveState") == "inactive"
    assert hello(machine)
    assert machine.listeners == {"127.0.0.1:3000"}
    machine.run("zombiectl", "upgrade")
    assert hello(machine)
    machine.run("systemctl", "stop", SOCKET, UNIT)
    machine.run("systemctl", "start", UNIT)


def test_distributor_runs_once_it_is_enabled(machine):
    unit = "zombie-distributor.service"
    machine.run("systemctl", "enable", "--now", unit)
    assert machine.listeners == {"127.0.0.1:3000", "127.0.0.1:9000"}
    machine.run("systemctl", "reload", unit)
    words = ["zombie-distributor", "--status", "-c", "/etc/zombie-server/zombie-distributor.conf"]
    assert "nodes        0 of 10000" in machine.run(*words).stdout
    machine.run("systemctl", "disable", "--now", unit)
    assert machine.listeners == {"127.0.0.1:3000"}


@pytest.mark.parametrize("readme", readmes())
def test_commands_of_the_readme_run(machine, readme):
    for command in blocks(readme)[0]:
        machine.run("sh", "-ec", command)
    assert hello(machine)
    machine.run("systemctl", "disable", "--now", SOCKET, "zombie-distributor.service")
    machine.run("systemctl", "start", UNIT)


def test_purging_stops_what_runs(machine):
    machine.run("systemctl", "start", SOCKET, check=False)
    machine.run("systemctl", "start", "zombie-distributor.service")
    machine.run("dpkg", "--purge", *BOTH)
    assert machine.listeners == set()
    for folder in ("run", "var/log", "var/lib", "var/cache", "etc"):
        assert not os.path.exists(machine.path(f"/{folder}/zombie-server"))
