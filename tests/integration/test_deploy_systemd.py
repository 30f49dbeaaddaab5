"""The units in deploy/systemd/: systemd takes them, and they fit the server."""

import os
import re
from glob import glob

import pytest
from test_deploy import DEPLOY, GRACE_S

from lib.documents import read
from lib.needs import require
from lib.programs import run
from lib.server import BINARY
from lib.wait import DEADLINE

UNITS = sorted(os.path.basename(path) for pattern in ("service", "socket")
               for path in glob(f"{DEPLOY}/systemd/*.{pattern}"))  # fmt: skip
SERVICES = [name for name in UNITS if name.endswith(".service")]
# In tenths: what remains is what a server is for, such as the network.
EXPOSURE = 15


def text_of(unit):
    return read("deploy/systemd", unit)


def setting(unit, key):
    """Its values, one for each line."""
    return re.findall(rf"^{key}=(.*)$", text_of(unit), re.M)


def analyze(*words):
    require("systemd-analyze")
    return run("systemd-analyze", *words, seconds=DEADLINE, check=False)


def verify(folder, texts):
    """What systemd says of these units, with the programs that were built."""
    build = os.path.dirname(BINARY)
    for path in (BINARY, f"{build}/zombiectl/zombiectl", f"{build}/distributor/zombie-distributor"):
        for unit, text in texts.items():
            texts[unit] = text.replace(f"/usr/sbin/{os.path.basename(path)}", path)
    for unit, text in texts.items():
        (folder / unit).write_text(text)
    result = analyze("verify", "--man=no", *(str(folder / unit) for unit in texts))
    said = [line for line in result.stdout.splitlines() if str(folder) in line
            or line.startswith("zombie-")]  # fmt: skip
    return result.returncode, said


def test_units_are_accepted(tmp_path):
    assert verify(tmp_path, {unit: text_of(unit) for unit in UNITS}) == (0, [])


@pytest.mark.parametrize(("right", "wrong"), [
    ("NoNewPrivileges=", "NoNewPrivilege="), ("ProtectSystem=strict", "ProtectSystem=strictly"),
    ("/usr/sbin/zombiectl", "/usr/sbin/zombie-control"),
])  # fmt: skip
def test_units_with_a_typing_error_are_not(tmp_path, right, wrong):
    text = text_of("zombie-server.service")
    assert right in text
    _, said = verify(tmp_path, {"zombie-server.service": text.replace(right, wrong)})
    assert said


@pytest.mark.parametrize("unit", SERVICES)
def test_services_are_confined(unit):
    result = analyze("security", "--offline=yes", f"--threshold={EXPOSURE}", "--no-pager",
                     os.path.join(DEPLOY, "systemd", unit))  # fmt: skip
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("unit", SERVICES)
def test_services_belong_to_users_of_their_own(unit):
    name = unit.removesuffix(".service")
    assert setting(unit, "User") == setting(unit, "Group") == [name]
    # Shared, it would be removed when the first of the two ends.
    assert setting(unit, "RuntimeDirectory") == [name]


def test_zombiectl_is_led_to_the_server():
    control = "ZOMBIE_CONTROL=/run/zombie-server/control.sock"
    assert setting("zombie-server.service", "Environment") == [control]
    assert control.partition("=")[2] in read("man/zombie-server.8")


def test_stopping_may_take_as_long_as_it_takes():
    assert int(setting("zombie-server.service", "TimeoutStopSec")[0]) > GRACE_S
    assert setting("zombie-server.service", "KillMode") == ["mixed"]


def test_the_cache_is_in_the_folder_of_the_unit():
    (folder,) = setting("zombie-server.service", "CacheDirectory")
    assert f"/var/cache/{folder}/" in read("doc/discovery.md")


def test_sockets_are_those_of_the_configuration():
    (address,) = setting("zombie-server.socket", "ListenStream")
    assert f'\nlisten "{address}" {{' in read("conf/zombie-server.conf")


def test_the_distributor_is_found_where_its_unit_makes_room():
    conf = read("deploy/systemd/zombie-distributor.conf")
    assert re.search(r'control = "/run/zombie-distributor/\w+\.sock"', conf)
    assert "listen = \"127.0.0.1:9000\"" in conf


def test_system_calls_that_are_no_ordinary_service_are_named():
    """@system-service of older versions of systemd is without Landlock."""
    source = read("src/host/landlock.c")
    used = set(re.findall(r"SYS_(landlock_\w+)", source))
    assert len(used) == 3
    assert used <= {call for line in setting("zombie-server.service", "SystemCallFilter")
                    for call in line.split()}  # fmt: skip
