"""Every command that the documents show is run as it stands there, or is on a list with a reason."""

import re

import pytest
from test_documents import options_of_the_usage

from lib.documents import COMMANDS, SESSION, blocks, configurations, examples, fences, indented
from lib.documents import manuals, markdown, read
from lib.needs import require
from lib.sandbox import Sandbox, is_server
from lib.zombiectl import ctl

# Commands that no test runs as they stand there: how they begin, and why.
NOT_RUN = {
    r"([A-Z_]+=\S+ )?(docker|podman|buildah) ": "no container engine here: tests/containers has one",
    r"curl http://localhost:3333/": "it speaks to the containers of deploy/docker",
    r"nginx ": "it is not installed as these documents have it: tests/containers runs it",
    r"kubectl |nomad ": "there is no cluster of machines here",
    r"systemctl |journalctl ": "systemd is not process 1 here",
    r"(sudo )?(apt|apt-get|dpkg|dpkg-buildpackage|npm|cp deploy/\S+) ": "they change the machine",
    r"etcdctl |zkCli\.sh ": "the registry is not here: tests/registries has one",
    r"(sudo )?(chown|useradd|adduser) ": "it needs root, and a user that is not there",
    r"([A-Z_]+=.* )?make -C build |bash \.ci/run|mkdir build|tests/\w+/run|bench/": "it builds or tests all of this",
    r"\.\./configure |tests/fuzz/": "it builds with another compiler: the stage fuzz of .ci/run does",
    r"sysctl ": "it changes the kernel's settings",
}

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
BLOCKS = [pytest.param(name, number, id=f"{name}-{number}")
          for name in DOCUMENTS for number in range(len(blocks(name)))]  # fmt: skip


def reason(command):
    """Why nobody runs it; None: it is run."""
    return next((why for begin, why in NOT_RUN.items() if re.match(begin, command)), None)


def files_for(document, commands):
    names = {name for command in commands for name in re.findall(r"(?<=-c )[\w-]+\.conf", command)}
    names |= {f"{name}.conf" for command in commands for name in re.findall(r"-e (\w+)", command)}
    texts = configurations(document) if document.endswith(".md") else []
    of_blocks = {name: texts[FILES[document, name]] for name in names if (document, name) in FILES}
    return {**dict.fromkeys(names, ""), **of_blocks, "given.conf": GIVEN}


def foreign(commands):
    return [name for name in FOREIGN
            if any(re.search(rf"(?<![\w./-]){name} ", command) for command in commands)]  # fmt: skip


@pytest.mark.parametrize("document, number", BLOCKS)
def test_commands_run(document, number):
    commands = [command for command in blocks(document)[number] if not reason(command)]
    require(*foreign(commands))
    if not commands:
        return
    with Sandbox(files_for(document, commands)) as sandbox:
        if not any(map(is_server, commands)):
            for command in START_GIVEN:
                sandbox.run(command)
            sandbox.wait_for_service("api")
        for command in commands:
            sandbox.run(command)
        sandbox.check()


def test_there_are_commands():
    given = [command for name in DOCUMENTS for block in blocks(name) for command in block]
    assert len([command for command in given if not reason(command)]) >= 60
    for program in "./bootstrap", "zombie-server", "zombie-distributor", "zombiectl", "curl":
        assert any(command.startswith(program) for command in given)


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
