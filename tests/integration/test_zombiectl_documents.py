"""The manual and the completions of zombiectl know what the program knows."""

import os
import re
import shlex
import subprocess

import pytest

from lib.fake_control import FakeControl, status, PROCESS
from lib.server import SRCDIR
from lib.zombiectl import BINARY, ctl, environment

BASH = os.path.join(SRCDIR, "completions", "zombiectl.bash")
ZSH = os.path.join(SRCDIR, "completions", "_zombiectl")
MANUAL = os.path.join(SRCDIR, "man", "zombiectl.8")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def commands():
    listing = ctl(None, "help").stdout.partition("\nOptions:")[0]
    return re.findall(r"^  ([a-z-]+)", listing, re.MULTILINE)


def options(*words):
    text = ctl(None, "help", *words).stdout
    if not words:
        text = text.partition("\nOptions:")[2]
    return sorted(set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)))


def complete(*words, env=None):
    """What bash offers for the last of these words."""
    quoted = " ".join(map(shlex.quote, ["zombiectl", *words]))
    script = (
        f". {shlex.quote(BASH)}; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
        '_zombiectl; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", script], env=environment(PATH=path, **(env or {})),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_manual_has_every_command():
    manual = read(MANUAL)
    for name in commands():
        assert re.search(rf"^\.(It )?Cm {re.escape(name)}( |$)", manual, re.MULTILINE), name


@pytest.mark.parametrize(
    "words", [[], ["logs"], ["events"], ["stop"], ["upstream"], ["discover"], ["chaos"]], ids=str
)
def test_options_are_everywhere(words):
    manual, zsh = read(MANUAL), read(ZSH)
    offered = complete(*words, "--")
    assert options(*words)
    for name in options(*words):
        assert re.search(rf"Fl -{name[2:]}\b", manual), name
        assert re.search(rf"{name}\b", zsh), name
        assert name in offered


def test_completions_have_every_command():
    assert complete("") == commands()
    assert re.findall(r"^        '([a-z-]+):", read(ZSH), re.MULTILINE) == commands()


@pytest.mark.parametrize("words, offered", [
    (["st"], ["status", "stop"]),
    (["--json", "st"], ["status", "stop"]),
    (["--colour", "=", "n"], ["never"]),
    (["--colour", "="], ["auto", "always", "never"]),
    (["log-level", ""], ["error", "warning", "info", "debug"]),
    (["kill", "1", "SE"], ["SEGV"]),
    (["scale", "-2", ""], []),
    (["status", ""], []),
    (["chaos", ""], ["run"]),
    (["chaos", "run", "--mode", "h"], ["hang"]),
    (["logs", "-n", ""], []),
])  # fmt: skip
def test_words_that_bash_offers(words, offered):
    assert complete(*words) == offered


def test_slots_that_bash_offers(tmp_path):
    fake = FakeControl(tmp_path / "control.sock")
    request = {"method": "GET", "path": '/"slot": 77', "elapsed_ms": 1}
    fake.status = status(
        {**PROCESS, "slot": 10, "request": request}, {**PROCESS, "slot": 9}, {**PROCESS, "slot": 9}
    )
    assert complete("-s", fake.path, "drain", "") == ["9", "10"]
    assert complete("drain", "", env={"ZOMBIE_CONTROL": fake.path}) == ["9", "10"]
    assert complete("--socket", "=", fake.path, "kill", "") == ["9", "10", "admin", "herald"]
    fake.vanish()
    assert complete("-s", fake.path, "restart", "") == ["admin", "herald"]


def test_upstreams_and_servers_that_bash_offers(tmp_path):
    fake = FakeControl(tmp_path / "control.sock")
    fake.status["upstreams"] = [
        {"title": "api", "servers": [{"name": "10.0.0.1:80"}, {"name": "10.0.0.2:80"},
                                     {"name": "10.0.0.2:80"}, {"name": "$(touch /tmp/no):1"}]},
        {"title": "web", "servers": [{"name": "unix:/run/a"}]},
        {"title": "`reboot`", "servers": []},
    ]  # fmt: skip
    for words, offered in [
        (["upstream", ""], ["drain", "undrain", "api", "web"]),
        (["upstream", "drain", ""], ["api", "web"]),
        (["upstream", "drain", "api", ""], ["10.0.0.1:80", "10.0.0.2:80"]),
        (["upstream", "undrain", "api", "10.0.0.2"], ["10.0.0.2:80"]),
        (["upstream", "drain", "api", "10.0.0.1", ":", "8"], ["80"]),  # as bash splits it
        (["upstream", "drain", "api", "10.0.0.1", ":"], ["80"]),
        (["upstream", "drain", "web", "unix", ":", "/r"], ["/run/a"]),
        (["upstream", "drain", "nope", ""], []),
        (["upstream", "api", ""], []),
        (["upstream", "drain", "api", "x", ""], []),
    ]:
        assert complete("-s", fake.path, *words) == offered, words
    fake.vanish()
    assert complete("-s", fake.path, "upstream", "") == ["drain", "undrain"]


def test_services_that_bash_offers(tmp_path):
    fake = FakeControl(tmp_path / "control.sock")
    found = [{"service": name} for name in ("web", "api", "a b", "$(reboot)")]
    fake.on("discover", lambda request: request.succeed(result={"services": found}))
    assert complete("-s", fake.path, "discover", "") == ["api", "web"]
    assert complete("-s", fake.path, "discover", "api", "--choose", "s") == ["sticky"]
    assert complete("-s", fake.path, "discover", "api", "--key", "") == []
    fake.vanish()
