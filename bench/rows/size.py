"""Size: what a container image must hold to run a server, besides the base system."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import packages
from report.figures import Measure, Metric

TITLE = "Size"
ABOUT = """\
What a container image must hold beyond Debian's essential packages and what those depend on, so
that a server runs: the Debian packages that its program, or the libraries of a program that is of
no package, belong to, with all that they depend on (Installed-Size, nothing that is only
recommended); and what is of no package: zombie-server and the Go program, both stripped, and
node_modules. Whoever packed node says what node depends on. It is a sum, nobody built these
images; tests/containers builds those of zombie-server."""


def libraries(program):
    """The files that the dynamic linker loads for it."""
    run = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return re.findall(r"(?m)(?:^\s+|=> )(/\S+) \(0x", run.stdout)


def stripped_bytes(program):
    """Its size without what is only for debuggers, as it would be installed."""
    if not shutil.which("strip"):
        return os.stat(program).st_size
    with tempfile.NamedTemporaryFile() as copy:
        subprocess.run(["strip", "-o", copy.name, program], check=True)
        return os.stat(copy.name).st_size


def folder_bytes(folder):
    return sum(path.lstat().st_size for path in Path(folder).rglob("*") if path.is_file())


def size(kind, system):
    """A sample of a kind of server."""
    program = kind.program()
    owners = packages.owners([program])
    own_bytes = sum(map(folder_bytes, kind.unpackaged_folders()))
    if not owners:
        own_bytes += stripped_bytes(program)
        owners = packages.owners(libraries(program))
    needed = system.closure(owners) - system.base()
    return {"packages": len(needed), "own": own_bytes / 2**20,
            "all": own_bytes / 2**20 + system.kb(needed) / 2**10}


def main(run):
    if why := packages.missing():
        run.say(f"  n/a: {why}")
        return
    found = Measure("size", "What an image must hold", [
        Metric("packages", "packages"), Metric("own", "of no package, MiB", ",.1f"),
        Metric("all", "all, MiB", ",.1f", "less")], shown="all")
    run.say(found.title)
    system = packages.installed()
    names = [kind.name for kind in run.kinds]
    for kind in run.kinds + [kind for kind in run.proxies if kind.name not in names]:
        with run.attempt(found.title, kind, found):
            run.sample(found, kind, size(kind, system))
    run.add(found)
