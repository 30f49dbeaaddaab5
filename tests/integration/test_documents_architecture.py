"""The description of the inner works names files, functions and folders that are there."""

import os
import re
from glob import glob

from lib.documents import read
from lib.server import SRCDIR

TEXT = read("doc/architecture.md")
FILES = [os.path.relpath(path, SRCDIR) for path in glob(f"{SRCDIR}/src/**/*.*", recursive=True)]
FILES += [os.path.relpath(path, SRCDIR) for path in glob(f"{SRCDIR}/tests/unit/*.c")]


def holders(name):
    """The files of that name, or of that path from `src/` on or further down."""
    return [path for path in FILES if f"/{path}".endswith(f"/{name}")]


def test_files_are_there():
    named = set(re.findall(r"(?<![\w*])(?!_)[\w/]+\.[ch]\b", TEXT))
    assert len(named) >= 150
    assert not [name for name in named if not holders(name)]


def test_functions_are_in_their_files():
    named = set(re.findall(r"`(\w+)\(\)`, `([\w/]+\.c)`", TEXT))
    assert len(named) >= 15
    for function, name in named:
        assert any(re.search(rf"\b{function}\(", read(path)) for path in holders(name)), function


def test_functions_are_there():
    sources = "".join(read(path) for path in FILES if path.endswith((".c", ".h")))
    named = set(re.findall(r"`(\w+)\(\)`", TEXT))
    assert len(named) >= 40
    assert not [name for name in named if not re.search(rf"\b{name}\(", sources)]


def test_folders_of_the_sources_are_there():
    folders = {os.path.relpath(path, SRCDIR) + "/" for path in glob(f"{SRCDIR}/src/**/", recursive=True)}
    assert folders - {"src/"} <= set(re.findall(r"`(src/[\w/]+/)`", TEXT))


def test_layers_are_those_that_are_checked():
    layers = re.search(r"layers='(.*)'", read("build-aux/check-layers"))[1].split()
    said = re.search(r"^Folders depend downwards only: ([\w,\s]+)\.", TEXT, re.M)[1]
    assert re.split(r",\s+", said) == layers
