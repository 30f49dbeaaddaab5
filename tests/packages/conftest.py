"""The packages, and a fresh system to install them in: made once, gone at the end."""

import glob
import os
import shutil
import sys
import threading

import pytest

sys.path.insert(0, os.path.join(os.environ["ZOMBIE_SRCDIR"], "tests"))

import package  # noqa: E402
import system  # noqa: E402
from lib.figures import *  # noqa: E402, F401, F403
from lib.fixtures import *  # noqa: E402, F401, F403
from lib.needs import go_without, require  # noqa: E402


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder that does not outlive the run."""
    require("dpkg-buildpackage", "dh", "lintian", "mmdebstrap", "systemd-nspawn")
    folder = tmp_path_factory.mktemp("packages")
    yield str(folder)
    shutil.rmtree(folder)


class _Work(threading.Thread):
    """Work beside that of the others; its failure is that of who waits for it."""

    def __init__(self, function, *arguments):
        super().__init__(daemon=True)
        self._call = function, arguments
        self._error = None
        self.start()

    def run(self):
        function, arguments = self._call
        try:
            function(*arguments)
        except BaseException as error:  # pylint: disable=broad-except
            self._error = error

    def wait(self):
        self.join()
        if self._error is not None:
            raise self._error


@pytest.fixture(scope="session")
def bare_system(place):
    """The way to a folder with a fresh system that is being made meanwhile."""
    folder = os.path.join(place, "system")
    work = _Work(system.make, folder) if system.obstacle() is None else None
    yield folder, work
    if work is not None:
        work.join()


@pytest.fixture(scope="session")
def tree(place, bare_system):  # the latter begins here
    return package.ship(os.path.join(place, "zombie-server"))


@pytest.fixture(scope="session")
def litter(tree):
    """Build them; what has come into the tree or is gone from it, although it was cleaned."""
    shipped = package.files_below(tree)
    package.build(tree)
    return package.files_below(tree) ^ shipped


@pytest.fixture(scope="session")
def packages(place, litter):
    """By name."""
    return {os.path.basename(path).partition("_")[0]: package.Package(path)
            for path in glob.glob(f"{place}/*.deb")}  # fmt: skip


@pytest.fixture(scope="session")
def fresh(bare_system, packages):
    """A system that has what the packages need, and not them."""
    folder, work = bare_system
    if work is None:
        go_without(f"no fresh system: {system.obstacle()}")
    work.wait()
    made = system.System(folder)
    made.install(*sorted(packages["zombie-server"].needs | packages["zombie-distributor"].needs),
                 "nginx-light")  # which the documents tell to steer
    made.run("systemctl", "disable", "nginx")
    return made


@pytest.fixture(scope="session")
def machine(fresh, packages, place):
    """The system with both packages in it, booted."""
    fresh.unpack(packages["zombie-server"].path, packages["zombie-distributor"].path)
    booted = system.Machine(fresh.folder, os.path.join(place, "boot.log"))
    yield booted
    booted.stop()
