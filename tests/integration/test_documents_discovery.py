"""The guide for discovery: its configurations are valid, what it quotes is there."""

import re
from glob import glob

import pytest
from test_documents import KEYS, chapter, check_configuration

from lib.documents import configurations, read
from lib.server import SRCDIR

GUIDE = "doc/discovery.md"


def sources():
    paths = [*glob(f"{SRCDIR}/src/discovery/*.c"), *glob(f"{SRCDIR}/src/herald/*.c")]
    # Texts that go over several lines are one.
    return re.sub(r'"\s*"', "", "".join(read(path) for path in paths))


def quoted():
    """What the last column of the table of failures says that the log says."""
    (chapter,) = re.findall(r"^## While the registry is away\n(.*?)^##", read(GUIDE), re.M | re.S)
    lines = [line.rstrip(" |").rpartition(" | ")[2] for line in chapter.splitlines()
             if line.startswith("| ") and "---" not in line]  # fmt: skip
    texts = [text for line in lines for text in re.findall(r"`([^`]+)`", line)]
    texts = [re.sub(r"trying .*|for 10000 ms", "", text).replace(" api ", " %s ") for text in texts]
    return sorted({piece.strip(" ;:") for text in texts for piece in text.split("...")} - {""})


def complaints():
    """The first constant piece of some length of each warning and error about registries."""
    paths = [*glob(f"{SRCDIR}/src/discovery/*.c"), *glob(f"{SRCDIR}/src/herald/[fh]*.c")]
    text = "".join(read(path) for path in paths)
    text = re.sub(r'" PRId64 "|"\s+"', "", text)
    formats = re.findall(r'log_(?:warning|error)\(\s*"((?:[^"\\]|\\.)*)"', text)
    split = [re.split(r"%\w*|[:;,]|\\.", one) for one in formats]
    found = [[piece.strip() for piece in pieces if len(piece) > 10] for pieces in split]
    return [pieces[0] for pieces in found if pieces]


def test_configurations_are_valid(run, tmp_path):
    assert len(configurations(GUIDE)) >= 3
    for text in configurations(GUIDE):
        check_configuration(run, tmp_path, text)


def test_keys_are_there():
    known = {key.split(".")[1] for key in KEYS}
    metrics = set(re.findall(r"`(zombie_\w+)`", read(GUIDE)))
    named = set(re.findall(r"`([a-z]+_[a-z_]+)( = [^`]*)?`", read(GUIDE)))
    others = {"round_robin"}
    assert {key for key, _ in named} - known - metrics - others == set()
    assert metrics and all(metric in read("doc/protocol.md") for metric in metrics)


@pytest.mark.parametrize("text", quoted())
def test_line_of_the_log_is_there(text):
    assert text in sources()


def test_manual_explains_each_complaint():
    said = chapter("DIAGNOSTICS")
    assert len(complaints()) >= 12
    assert not [piece for piece in complaints() if piece not in said]


@pytest.mark.parametrize("document", ["README.md", GUIDE])
def test_recipe_without_a_file_can_be_found_by_others(run, document):
    found = re.findall(r"^REGISTRY_TYPE=(\w+) REGISTRY_URL=(\S+) \\\n +zombie-server (.*)$",
                       read(document), re.M)  # fmt: skip
    (kind, url, words), = found
    result = run(*words.split(), "-T", env={"REGISTRY_TYPE": kind, "REGISTRY_URL": url})
    assert result.returncode == 0
    assert 'app = "api"  # -o' in result.stdout
    assert re.findall(r'^listen "(.*)" {', result.stdout, re.M) == ["0.0.0.0:3000"]
