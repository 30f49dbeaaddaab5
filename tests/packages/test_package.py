"""The packages themselves: whole, tidy, and named as everything else."""

import os
import re
from glob import glob

from lib.programs import run
from lib.server import SRCDIR

BOTH = SERVER, DISTRIBUTOR = "zombie-server", "zombie-distributor"
CONF = "/etc/zombie-server/zombie-server.conf"


def names(pattern):
    return {os.path.basename(path) for path in glob(os.path.join(SRCDIR, pattern))}


def test_lintian_has_nothing_to_say(packages, place):
    (changes,) = glob(f"{place}/*.changes")
    said = run("lintian", "--allow-root", "--fail-on", "error,warning", changes, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_the_tree_is_as_it_was(litter):
    assert litter <= {"debian/files"}


def test_there_are_two_packages(packages):
    assert set(packages) == set(BOTH)
    for name in packages:
        assert packages[name].field("Version") == packages[SERVER].field("Version")
        assert packages[name].needs > {"adduser", "libc6"}


def test_programs_are_there(packages):
    programs = {path: rights for name in BOTH
                for path, rights in packages[name].paths.items() if "bin/" in path}  # fmt: skip
    assert programs == {f"/usr/sbin/{name}": "-rwxr-xr-x" for name in (*BOTH, "zombiectl")}


def test_every_manual_is_there(packages):
    packed = {path for name in BOTH for path in packages[name].paths if "/man/" in path}
    assert packed == {f"/usr/share/man/man{name[-1]}/{name}.gz" for name in names("man/*.[58]")}


def test_every_unit_is_there(packages):
    packed = {os.path.basename(path) for name in BOTH for path in packages[name].paths
              if path.startswith("/lib/systemd/system/")}  # fmt: skip
    assert packed == names("deploy/systemd/*.service") | names("deploy/systemd/*.socket")


def test_completions_are_there(packages):
    assert {
        "/usr/share/bash-completion/completions/zombiectl.bash",
        "/usr/share/zsh/vendor-completions/_zombiectl",
    } <= set(packages[SERVER].paths)


def test_documents_are_there(packages):
    folder = f"/usr/share/doc/{SERVER}/"
    packed = {re.sub(r"\.gz$", "", path.removeprefix(folder)) for path in packages[SERVER].paths
              if path.startswith(folder)}  # fmt: skip
    assert names("doc/*") | {"README.md", "NEWS.md", "SECURITY.md", "systemd.md", "README.Debian",
                             "copyright"} <= packed  # fmt: skip


def test_configuration_is_the_administrators(packages):
    assert packages[SERVER].conffiles == {CONF, "/etc/logrotate.d/zombie-server"}
    assert packages[DISTRIBUTOR].conffiles == {"/etc/zombie-server/zombie-distributor.conf"}
    for name in BOTH:
        below_etc = {path for path in packages[name].paths if path.startswith("/etc/")}
        assert below_etc == packages[name].conffiles
