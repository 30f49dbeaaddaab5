"""One version: that of configure.ac, wherever else it stands."""

import os
import re
from glob import glob

import pytest

from lib.documents import read, version
from lib.server import SRCDIR

VERSION = version()


@pytest.mark.smoke
def test_program_says_it(run):
    assert run("-V").stdout.splitlines()[0] == f"zombie-server {VERSION}"


def test_news_begin_with_it():
    assert re.search(r"^## (\S+)", read("NEWS.md"), re.M)[1] == VERSION


def test_package_has_it():
    """Debian may add something of its own, behind a hyphen."""
    found = re.match(r"zombie-server \(([^-)]+)(-[^)]+)?\) \w+; urgency=", read("debian/changelog"))
    assert found[1] == VERSION


def test_images_have_it():
    paths = [*glob(f"{SRCDIR}/deploy/**", recursive=True), *glob(f"{SRCDIR}/doc/*.md"),
             f"{SRCDIR}/README.md"]  # fmt: skip
    tags = []
    for path in filter(os.path.isfile, paths):
        with open(path, encoding="utf-8", errors="replace") as file:
            tags += re.findall(r"\bzombie-server:(\d[\w.-]*)", file.read())
    assert len(tags) >= 5
    assert set(tags) == {VERSION, f"{VERSION}-scratch"}
