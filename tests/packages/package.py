"""The packages as dpkg-buildpackage makes them, and what is in them."""

import contextlib
import os
import re
import shutil
import tempfile

from lib.programs import run
from lib.server import BINARY

BUILD = os.path.dirname(os.path.dirname(BINARY))


def _environment(**more):
    """Ours, without what `make check` tells the makes below it."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("MAKE", "MFLAGS"))}  # fmt: skip
    return {**kept, **more}


def ship(folder):
    """What `make dist` packs, as a tree in that folder."""
    run("make", "-C", BUILD, "distdir", f"distdir={folder}", env=_environment())
    return folder


def build(tree):
    """Build the packages of that tree beside it. Tests of the program have a stage of their own."""
    options = f"nocheck noautodbgsym parallel={os.cpu_count()}"
    run("dpkg-buildpackage", "-us", "-uc", "-b", "-Pnocheck", "--post-clean", cwd=tree,
        env=_environment(DEB_BUILD_OPTIONS=options))  # fmt: skip


def files_below(folder):
    """Every path in there."""
    return {
        os.path.relpath(os.path.join(parent, name), folder)
        for parent, folders, names in os.walk(folder) for name in [*folders, *names]
    }  # fmt: skip


class Package:
    def __init__(self, path):
        self.path = path

    def field(self, name):
        return run("dpkg-deb", "-f", self.path, name).stdout.strip()

    @property
    def needs(self):
        """The names of the packages that it depends on."""
        return set(re.findall(r"(?:^|, )([\w.+-]+)", self.field("Depends")))

    @property
    def paths(self):
        """Its files, each with its rights, as ls has them."""
        lines = run("dpkg-deb", "-c", self.path).stdout.splitlines()
        rows = [line.split(None, 5) for line in lines]
        return {row[5][1:]: row[0] for row in rows if not row[5].endswith("/")}

    @property
    def conffiles(self):
        control = run("dpkg-deb", "--info", self.path, "conffiles").stdout
        return set(control.split())

    @contextlib.contextmanager
    def unpacked(self):
        """Its files in a folder, within the block."""
        with tempfile.TemporaryDirectory() as folder:
            run("dpkg-deb", "-x", self.path, folder)
            yield folder

    def renamed(self, folder, version):
        """The same package, made anew in the folder under another version."""
        tree = os.path.join(folder, "newer")
        run("dpkg-deb", "-R", self.path, tree)
        control = os.path.join(tree, "DEBIAN/control")
        with open(control, encoding="utf-8") as file:
            text = re.sub(r"^Version: .*", f"Version: {version}", file.read(), flags=re.M)
        with open(control, "w", encoding="utf-8") as file:
            file.write(text)
        path = os.path.join(folder, "newer.deb")
        run("dpkg-deb", "-Znone", "-b", tree, path)
        shutil.rmtree(tree)
        return path
