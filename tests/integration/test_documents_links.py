"""Links within the documents lead to a file that is there, and to a heading that is in it."""

import os

import pytest

from lib.documents import anchors, links, manuals, markdown, read
from lib.server import SRCDIR


@pytest.mark.parametrize("document", markdown())
def test_links_lead_somewhere(document):
    lost = []
    for path, anchor in links(document):
        whole = os.path.join(SRCDIR, path)
        if not os.path.exists(whole):
            lost.append(path)
        elif anchor and anchor not in anchors(path):
            lost.append(f"{path}#{anchor}")
    assert not lost


def test_there_are_links():
    assert len([link for name in markdown() for link in links(name)]) >= 50


def test_readme_leads_to_every_document():
    named = {path for path, _ in links("README.md")}
    there = {name for name in markdown() if "/" not in name or name.startswith("doc/")}
    assert there - {"README.md"} <= named
    assert set(manuals()) <= named


@pytest.mark.parametrize("name", [name for name in markdown() if name.startswith("doc/")])
def test_document_is_installed(name):
    assert name in read("Makefile.am")
