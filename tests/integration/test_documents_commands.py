"""Every command that the documents show is run as it stands there, or is on a list with a reason."""

import re
from glob import glob

import pytest
from test_documents import options_of_the_usage

from lib.documents import COMMANDS, SESSION, SUITES, blocks, commands_in, configurations, examples
from lib.documents import fences, indented, manuals, markdown, read
from lib.needs import require
from lib.sandbox import Sandbox, is_server
from lib.server import SRCDIR
from lib.zombiectl import ctl

# Commands that no test runs as they stand there: how they begin, and why.
NOT_RUN = {
    r"CHAOS_SEED=random ": "an hour: the stage chaos does it for minutes, with seeds that are known",
    r"bench/run +#": "a quarter of an hour: the stage bench does it in one, with --quick",
    r"tests/fuzz/": "it goes on for ever: the stage fuzz does it for seconds",
}

# Commands that build, or take minutes: .ci/run has their words.
IN_CI = r"mkdir build-fuzz |\.\./configure |bench/run --quick "

# Programs that a reader may have and a machine for tests may lack.
FOREIGN = ("curl", "jq", "socat")

# Files that commands name: which block of their document they are. Others are empty.
FILES = {("doc/proxy.md", "front.conf"): 1}

# The instance that documents speak to when they do not start one: with all that they ask for.
GIVEN = """
instance { workers = 2 pidfile = "/run/zombie-server.pid" }
listen "127.0.0.1:3000" { }
admin { listen = "127.0.0.1:9090" }
chaos { enabled = yes }
registry { type = distributor url = { "distributor://127.0.0.1:9000" } app = "api" watch = { "api" } }
upstream "api" {
    server "10.0.0.1:3000" { }
    server "10.0.0.11:3000" { }
    server "10.0.0.12:3000" { }
}
"""
START_GIVEN = ["zombie-distributor -o distributor.listen=127.0.0.1:9000", "zombie-server -c given.conf"]

DOCUMENTS = [*markdown(), *manuals()]


def reason(command):
    """Why no test runs it; None: one does."""
    return next((why for begin, why in NOT_RUN.items() if re.match(begin, command)), None)


def is_run_here(command):
    return not reason(command) and not re.match(IN_CI, command)


BLOCKS = {where: list(filter(is_run_here, commands))
          for where, commands in commands_in("integration").items()}  # fmt: skip


def files_for(document, commands):
    names = {name for command in commands for name in re.findall(r"(?<=-c )[\w-]+\.conf", command)}
    names |= {f"{name}.conf" for command in commands for name in re.findall(r"-e (\w+)", command)}
    texts = configurations(document) if document.endswith(".md") else []
    of_blocks = {name: texts[FILES[document, name]] for name in names if (document, name) in FILES}
    return {**dict.fromkeys(names, ""), **of_blocks, "given.conf": GIVEN}


def foreign(commands):
    return [name for name in FOREIGN
            if any(re.search(rf"(?<![\w./-]){name} ", command) for command in commands)]  # fmt: skip


@pytest.mark.parametrize("document, number", [where for where, found in BLOCKS.items() if found])
def test_commands_run(document, number):
    commands = BLOCKS[document, number]
    require(*foreign(commands))
    with Sandbox(files_for(document, commands)) as sandbox:
        if not any(map(is_server, commands)):
            for command in START_GIVEN:
                sandbox.run(command)
            sandbox.wait_for_service("api")
        for command in commands:
            sandbox.run(command)
        sandbox.check()


def test_there_are_commands():
    given = [command for commands in BLOCKS.values() for command in commands]
    assert len(given) >= 60
    for program in "./bootstrap", "zombie-server", "zombie-distributor", "zombiectl", "curl":
        assert any(command.startswith(program) for command in given)


def test_what_is_not_run_is_there():
    """A row that no command needs any more is gone."""
    everywhere = [command for name in DOCUMENTS for block in blocks(name) for command in block]
    for begin in (*NOT_RUN, *SUITES):
        assert any(re.match(begin, command) for command in everywhere), begin


@pytest.mark.parametrize("suite", sorted(set(SUITES.values())))
def test_other_suites_run_theirs(suite):
    """By the same table: what is in it is taken from there."""
    texts = [read(path) for path in glob(f"tests/{suite}/test_*.py", root_dir=SRCDIR)]
    assert any(f'commands_in("{suite}")' in text for text in texts)


def test_ci_has_the_words_of_the_others():
    words = set(read(".ci", "run").replace("'", " ").split())
    commands = [one for found in commands_in("integration").values() for one in found]
    commands = [command for command in commands if re.match(IN_CI, command)]
    assert len(commands) == 3
    for command in commands:
        assert set(re.sub(r"\s+#.*", "", command).split()) <= words, command


def looks_like_a_command(line):
    programs = r"\./bootstrap|zombie-server|zombie-distributor|zombiectl|bash|make|curl|kill|sudo"
    programs += "|docker|podman|kubectl|systemctl|apt|apt-get|mkdir|chown|install|etcdctl"
    return bool(re.match(rf"(\$ )|([A-Z_]+=\S* +)*(build/src/\S+|{programs})( |$)", line))


@pytest.mark.parametrize("document", markdown())
def test_commands_are_in_blocks_of_commands(document):
    """What stands elsewhere is not found by the test above."""
    text = read(document)
    lines = indented(text)
    for language, block in fences(text):
        if language not in (*COMMANDS, SESSION):
            lines += block.splitlines()
    assert not [line for line in lines if looks_like_a_command(line)]


@pytest.mark.parametrize("manual", manuals())
def test_commands_of_manuals_have_a_prompt(manual):
    found = [line for block in examples(manual) if "$ " not in block for line in block.splitlines()]
    assert not [line for line in found if looks_like_a_command(line)]


def words_of(program):
    """What stands behind the name of the program in the lines of all documents."""
    texts = [text for name in markdown() for text in re.findall(r"`([^`\n]+)`", read(name))]
    return [match[1] for text in texts if (match := re.match(rf"{program} (.*)", text))]


def test_orders_within_sentences_are_known():
    listing = ctl(None, "help").stdout.partition("\nOptions:")[0]
    known = set(re.findall(r"^  ([a-z-]+)", listing, re.M))
    named = {word for words in words_of("zombiectl") for word in re.findall(r"^[a-z][a-z-]*", words)}
    assert len(named) >= 10
    assert not named - known


def test_options_within_sentences_are_known(run):
    named = {word for words in words_of("zombie-server")
             for word in re.findall(r"(?<!\S)--?[A-Za-z][\w-]*", words)}  # fmt: skip
    assert len(named) >= 3
    assert not named - set(options_of_the_usage(run))
