"""Commands of the documents that speak to real registries, or to that of npm, as they stand there."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess

import pytest
from registered import etcd, key_of, name_of, options, wait_until_registered  # noqa: F401
from zookeeper import Registry, ZooKeeper

from lib.documents import commands_in, printed
from lib.needs import require
from lib.server import SRCDIR
from lib.wait import eventually

COMMANDS = commands_in("registries")
SECRET = "typed in by a reader"
PATIENCE = "120"  # seconds, for what downloads
ZKCLI = "/usr/share/zookeeper/bin/zkCli.sh"


def of(program):
    """The blocks that begin with a command of that program."""
    return [where for where, commands in COMMANDS.items() if commands[0].startswith(program)]


def test_every_block_is_of_one_of_these():
    assert len(COMMANDS) == sum(map(len, map(of, ("etcdctl get", "etcdctl role", "zkCli.sh", "npm"))))


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody has the other end any more
        return b""


def type_in(command, folder=None, **variables):
    """At a terminal, and the secret wherever a password is asked for; returns what is shown."""
    terminal, inside = pty.openpty()
    words = ["timeout", PATIENCE, "bash", "-c", command]
    with subprocess.Popen(words, stdin=inside, stdout=inside, stderr=inside, cwd=folder,
                          start_new_session=True, env={**os.environ, **variables}) as shell:  # fmt: skip
        os.close(inside)
        shown = b""
        while more := _read(terminal):
            shown += more
            if re.search(rb"assword [^\n]*: $", shown):
                os.write(terminal, f"{SECRET}\n".encode())
    os.close(terminal)
    text = shown.decode().replace("\r\n", "\n")
    assert shell.returncode == 0, f"{command}: {text}"
    return text


def ask_etcd(etcd, command):  # noqa: F811
    """With the server where etcdctl looks for it if no words say otherwise."""
    return type_in(command, ETCDCTL_API="3", ETCDCTL_ENDPOINTS=etcd.url)


def shown_in(document, number):
    """The host and port that the session is about, and the lines that it shows."""
    lines = printed(document, number)
    value = json.loads(lines[-1])
    return {"advertise_host": value["host"], "advertise_port": value["port"]}, lines


@pytest.mark.parametrize("document, number", of("etcdctl get"))
def test_etcd_shows_what_the_document_shows(start, etcd, document, number):  # noqa: F811
    address, lines = shown_in(document, number)
    start(*options(etcd, **address))
    (command,) = COMMANDS[document, number]
    eventually(lambda: ask_etcd(etcd, command).splitlines() == lines, f"etcd shows {lines}")


def test_users_of_etcd_may_do_what_the_document_says(start, etcd):  # noqa: F811
    for block in of("etcdctl role"):
        for command in COMMANDS[block]:
            ask_etcd(etcd, command)
    etcd.require_login()
    server = start(*options(etcd, user="api", password=SECRET))
    wait_until_registered(etcd, server)
    etcd.user = f"front:{SECRET}"
    assert list(etcd.members()) == [name_of(server)]
    with pytest.raises(subprocess.CalledProcessError):
        etcd.put(key_of(server), {})


@pytest.fixture
def zookeeper(tmp_path):
    require(ZKCLI)
    server = ZooKeeper(tmp_path / "zookeeper")
    yield server
    server.stop()


@pytest.mark.parametrize("document, number", of("zkCli.sh"))
def test_zookeeper_shows_what_the_document_shows(start, zookeeper, document, number):
    """It is on another machine there, at the usual port."""
    address, lines = shown_in(document, number)
    (command,) = COMMANDS[document, number]
    root = re.search(r" get (/\w+)/services/", command)[1]
    start(*zookeeper.options(root, app="api", **address))
    with contextlib.closing(Registry(zookeeper, root)) as registry:
        registry.wait_for("api", down=0)
    here = re.sub(r"(?<=-server )\S+", f"127.0.0.1:{zookeeper.port}", command)
    text = type_in(here, PATH=f"{os.environ['PATH']}:{os.path.dirname(ZKCLI)}")
    assert set(lines) <= set(text.splitlines())


@pytest.mark.parametrize("document, number", of("npm"))
def test_npm_finds_what_the_document_asks_for(tmp_path, document, number):
    require("node", "npm")
    for command in COMMANDS[document, number]:
        folder = re.search(r"--prefix (\S+)", command)[1]
        shutil.copytree(os.path.join(SRCDIR, folder), tmp_path / folder,
                        ignore=shutil.ignore_patterns("node_modules"))  # fmt: skip
        type_in(command, folder=tmp_path)
        assert os.listdir(tmp_path / folder / "node_modules")
