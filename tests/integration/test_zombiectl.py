"""zombiectl against a server of its protocol that says what each test wants."""

import json
import os
import re
import socket
import subprocess

import pytest

from lib.fake_control import ADMIN, DEATH, EVENT, PROCESS, FakeControl, status
from lib.nobody import become_nobody
from lib.wait import eventually
from lib.zombiectl import BINARY, Background, ctl, environment

pytestmark = pytest.mark.smoke

ESCAPES = "/\x1b[2J\x1b]0;owned\x07/\u009b31m/\u202e/\x7f"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]")


@pytest.fixture
def fake(tmp_path):
    made = FakeControl(tmp_path / "control.sock")
    yield made
    made.vanish()


@pytest.fixture
def begin(fake):
    """Start a run in the background that is gone afterwards."""
    runs = []

    def begin_one(*arguments):
        runs.append(Background(fake.path, *arguments))
        return runs[-1]

    yield begin_one
    for run in runs:
        run.stop()


def succeed(text):
    return lambda request: request.succeed(text)


# --- What is shown ------------------------------------------------------------


@pytest.mark.valgrind
@pytest.mark.parametrize("words", [[], ["status"]])
def test_status_is_the_default(fake, words):
    done = ctl(fake.path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "zombie-server 0.1.0 on zombie.test, pid 4711: serving, up 3d4h"
    assert lines[1] == f"instance {fake.status['instance']}; 2 of 2 workers serve"
    assert "generation 2, upgrades 0; 2 deaths, 2 respawns, 3 retired; master" in done.stdout
    assert "requests 12.3k, 15.2 a second; connections 3, 999 accepted" in done.stdout
    assert lines[4].endswith("3000, unix:/run/web.sock; admin at http://127.0.0.1:9090")
    heading, *rows = [line.split() for line in lines[lines.index("") + 1 :]]
    assert heading == ("SLOT WORKER PID STATE UPTIME RESPAWNS REQS REQ/S CONN CPU% PSS "
                       "LAST DEATH REQUEST").split()  # fmt: skip
    figures = "5s 2 12.3k 15.0 3 1.5 2.0M"
    assert rows[0] == f"1 5 4712 serving {figures} killed by SIGKILL, 7s ago".split()
    assert rows[1] == f"2 2 4713 serving {figures} -".split()
    assert rows[2][:4] == ["-", "admin", "4710", "serving"]


def test_status_as_json_is_what_the_server_said(fake):
    fake.status["processes"][0]["request"] = {"method": "GET", "path": ESCAPES, "elapsed_ms": 3}
    done = ctl(fake.path, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == fake.status
    assert done.stdout.count("\n") == 1
    assert not CONTROLS.search(done.stdout)


def test_status_shows_who_comes_and_goes(fake):
    fake.status = status(
        {**PROCESS, "worker": 1},
        {**PROCESS, "worker": 9, "state": "starting", "candidate": True, "uptime_ms": None},
        {**PROCESS, "worker": 3, "state": "draining", "leaving": True, "last_death": DEATH},
        {**PROCESS, "slot": 2, "worker": None, "pid": None, "state": "backoff"},
        {**ADMIN, "state": "starting"},
        state="degraded",
    )
    done = ctl(fake.path)
    for line in [
        r"pid 4711: degraded, up",
        r"; 1 of 2 workers serve$",
        r"^ +1 +1 +4712  serving ",
        r"^ +1 +9 +4712  starting, next +- ",
        r"^ +1 +3 +4712  draining, old ",
        r"^ +2 +- +-  backoff ",
        r"^ +- +admin +4710  starting ",
    ]:
        assert re.search(line, done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("members", [
    {"state": ESCAPES}, {"hostname": ESCAPES}, {"version": ESCAPES}, {"instance": ESCAPES},
    {"listeners": [ESCAPES]}, {"admin": ESCAPES},
])  # fmt: skip
def test_escape_sequences_reach_no_terminal(fake, members):
    fake.status = status(**members)
    done = ctl(fake.path, "--colour=never")
    assert done.returncode == 0
    assert "\\x1b[2J" in done.stdout
    assert not CONTROLS.search(done.stdout)


@pytest.mark.valgrind
def test_escape_sequences_in_processes(fake):
    process = fake.status["processes"][0]
    process["request"] = {"method": ESCAPES, "path": ESCAPES, "elapsed_ms": 3}
    process["last_death"] = {**DEATH, "cause": ESCAPES}
    process["state"] = process["role"] = ESCAPES
    done = ctl(fake.path)
    assert done.stdout.count("\\x1b[2J") >= 3  # not all of it may have had room
    assert not CONTROLS.search(done.stdout)


def test_escape_sequences_in_texts(fake):
    def piece(**members):
        return lambda request: request.send(**members) and request.succeed()

    def fail(request):
        request.progress(1, 2, ESCAPES)
        request.fail("failed", ESCAPES)

    fake.on("ping", succeed(ESCAPES))
    fake.on("reload", fail)
    fake.on("config", lambda request: request.succeed(result={"text": f"a\n\tb {ESCAPES}\n"}))
    fake.on("logs", piece(log={"line": ESCAPES}))
    fake.on("events", piece(event={**EVENT, "text": ESCAPES}))
    for word in ["ping", "reload", "config", "logs", "events"]:
        done = ctl(fake.path, word)
        assert "\\x1b[2J" in done.stdout + done.stderr, word
        assert not CONTROLS.search(done.stdout + done.stderr), word
    assert ctl(fake.path, "config").stdout.startswith("a\n\tb ")


def test_escape_sequences_in_words_of_the_user(fake):
    done = ctl(fake.path, "\x1b[2J")
    assert done.returncode == 64
    assert not CONTROLS.search(done.stderr)


def test_ping_version_config(fake):
    fake.on("ping", succeed("pong"))
    fake.on("version", lambda request: request.succeed(
        result={"version": "9.8.7", "pid": 4711, "instance": "6f1f"}))  # fmt: skip
    fake.on("config", lambda request: request.succeed(result={"text": "log {\n}\n"}))
    assert ctl(fake.path, "ping").stdout == "pong\n"
    assert json.loads(ctl(fake.path, "ping", "--json").stdout) == {"ok": True, "text": "pong"}
    assert re.fullmatch(
        r"zombiectl \d+\.\d+\.\d+\nzombie-server 9\.8\.7, pid 4711, instance 6f1f\n",
        ctl(fake.path, "version").stdout,
    )
    assert json.loads(ctl(fake.path, "version", "--json").stdout)["version"] == "9.8.7"
    assert ctl(fake.path, "config").stdout == "log {\n}\n"
    assert json.loads(ctl(fake.path, "config", "--json").stdout) == {"text": "log {\n}\n"}


def test_events_end_or_go_on(fake, begin):
    def answer(request):
        request.send(event=EVENT)
        if not request.arguments["follow"]:
            request.succeed()

    fake.on("events", answer)
    done = ctl(fake.path, "events")
    assert done.returncode == 0
    assert re.fullmatch(
        r"2026-11-21T10:00:00\.123Z  death +worker 3, slot 1, pid 77 +"
        r"killed by SIGKILL, replaced at once\n", done.stdout,
    )  # fmt: skip
    run = begin("events", "-f", "--json")
    assert json.loads(run.line()) == EVENT


@pytest.mark.valgrind
def test_logs_say_which_and_how_many(fake, begin):
    def answer(request):
        for n in range(2):
            request.send(log={"worker": 7, "line": f"line {n}"})
        if not request.arguments["follow"]:
            request.succeed()

    fake.on("logs", answer)
    assert ctl(fake.path, "logs").stdout == "line 0\nline 1\n"
    assert fake.arguments_of("logs") == {"follow": False, "lines": 50}
    assert ctl(fake.path, "logs", "-n", 0, "--worker", 7).returncode == 0
    assert fake.arguments_of("logs") == {"follow": False, "lines": 0, "worker": 7}
    run = begin("logs", "-f")
    assert [run.line(), run.line()] == ["line 0", "line 1"]


def test_nobody_reads_what_is_followed(fake, begin):
    """As in "zombiectl logs -f | head -1": the next line that cannot be written ends it."""
    requests = []

    def answer(request):
        requests.append(request)
        request.send(log={"worker": None, "line": "one"})

    fake.on("logs", answer)
    run = begin("logs", "-f")
    assert run.line() == "one"
    run.close_output()
    eventually(lambda: not requests[0].send(log={"worker": None, "line": "two"}), "the end")
    code, _, err = run.finish()
    assert (code, err) == (1, "")


def test_output_that_cannot_be_written_is_told(fake):
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([BINARY, "-s", fake.path], stdout=full, stderr=subprocess.PIPE,
                              env=environment(), text=True, check=False)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "zombiectl: cannot write: No space left on device\n"


# --- What is ordered ----------------------------------------------------------

ORDERS = [
    (["reload"], {}),
    (["restart"], {}),
    (["restart", "2"], {"slot": 2}),
    (["restart", "admin"], {"slot": "admin"}),
    (["scale", "4"], {"to": 4}),
    (["scale", "+2"], {"by": 2}),
    (["scale", "-2"], {"by": -2}),
    (["scale", "--", "-2"], {"by": -2}),
    (["drain", "1"], {"slot": 1}),
    (["kill", "1"], {"slot": 1, "signal": "KILL"}),
    (["kill", "admin", "sigterm"], {"slot": "admin", "signal": "TERM"}),
    (["kill", "1", "9"], {"slot": 1, "signal": "KILL"}),
    (["stop"], {"fast": False}),
    (["stop", "--fast"], {"fast": True}),
    (["reopen-logs"], {}),
    (["log-level", "debug"], {"level": "debug"}),
]


@pytest.mark.parametrize("words, arguments", ORDERS, ids=lambda value: "-".join(value))
def test_orders(fake, words, arguments):
    def answer(request):
        request.progress(0, 2, "0 of 2 done")
        request.send(progress={"done": 1, "total": 2})
        request.succeed("that is done")
        if request.command == "stop":
            request.hang_up()

    fake.on(words[0], answer)
    done = ctl(fake.path, *words)
    assert (done.returncode, done.stdout) == (0, "that is done\n")
    assert done.stderr == "0 of 2 done\n1 of 2\n"
    assert fake.arguments_of(words[0]) == arguments


@pytest.mark.valgrind
def test_order_as_json(fake):
    fake.on("reload", succeed("generation 3 serves"))
    done = ctl(fake.path, "reload", "--json")
    assert json.loads(done.stdout) == {"ok": True, "text": "generation 3 serves"}
    fake.on("reload", lambda request: request.fail("refused", "an upgrade goes on"))
    done = ctl(fake.path, "reload", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout) == {
        "ok": False, "error": "refused", "text": "an upgrade goes on",
    }  # fmt: skip


def test_stop_waits_until_the_server_is_gone(fake, begin):
    held = []

    def answer(request):
        request.succeed("stopped")
        held.append(request)

    fake.on("stop", answer)
    run = begin("stop")
    eventually(lambda: held, "the order")
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(0.3)
    held[0].hang_up()
    assert run.finish() == (0, "stopped\n", "")


def test_upgrade_asks_the_new_program(fake):
    states = iter(["reloading", "reloading", "serving"])

    def answer(request):
        request.progress(0, 1, "the trial runs")
        fake.status["upgrades"] = 1
        fake.status["state"] = next(states)
        fake.status["version"] = "0.2.0"
        fake.on("status", again)
        request.hang_up()

    def again(request):
        request.succeed(result=fake.status)
        fake.status["state"] = next(states, "serving")

    fake.on("upgrade", answer)
    done = ctl(fake.path, "upgrade")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "version 0.2.0 has taken over and is serving, generation 2\n"
    assert done.stderr.splitlines() == ["the trial runs", "the new program takes over"]


def test_upgrade_is_refused(fake):
    fake.on("upgrade", lambda request: request.fail("failed", "the trial has failed: status 78"))
    done = ctl(fake.path, "upgrade")
    assert (done.returncode, done.stderr) == (1, "zombiectl: the trial has failed: status 78\n")


def test_upgrade_that_nobody_survives(fake):
    fake.on("upgrade", lambda request: fake.vanish(keep_file=False))
    done = ctl(fake.path, "upgrade")
    assert done.returncode == 1
    assert "the server has gone while it was upgraded" in done.stderr


# --- What goes wrong ----------------------------------------------------------


@pytest.mark.parametrize("error, code", [
    ("bad-request", 64), ("unknown-command", 64), ("bad-argument", 64), ("unknown-slot", 64),
    ("not-allowed", 77), ("refused", 1), ("failed", 1), ("too-many", 1), ("news-to-us", 1),
])  # fmt: skip
def test_errors_of_the_server(fake, error, code):
    fake.on("restart", lambda request: request.fail(error, "there is no slot 9"))
    done = ctl(fake.path, "restart", "9")
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr == "zombiectl: there is no slot 9\n"


@pytest.mark.parametrize("words, text", [
    (["stauts"], "unknown command 'stauts'; did you mean 'status'?"),
    (["help", "stauts"], "unknown command 'stauts'; did you mean 'status'?"),
    (["nginx"], "unknown command 'nginx'; see zombiectl help"),
    (["scale"], "'scale' needs N|+N|-N; see zombiectl help scale"),
    (["scale", "many"], "'many' is no number of workers: N, +N for more or -N for fewer"),
    (["drain", "admin"], "'admin' is no slot: 1 to 1024"),
    (["kill", "0"], "'0' is no slot: 1 to 1024, admin or herald"),
    (["kill", "1", "DOOM"], "'DOOM' is no signal: a name as KILL or SIGKILL, or a number"),
    (["log-level", "loud"], "'loud' is no level: error, warning, info or debug"),
    (["status", "-f"], "option --follow is not for 'status'; see zombiectl help status"),
    (["--quick"], "unknown option '--quick'; see zombiectl help"),
    (["top"], "top needs a terminal that understands escape sequences; use status"),
    (["top", "--json"], "top draws for people; use status --json"),
])  # fmt: skip
def test_wrong_use_asks_nobody(fake, words, text):
    done = ctl(fake.path, *words)
    assert (done.returncode, done.stdout, done.stderr) == (64, "", f"zombiectl: {text}\n")
    assert not fake.asked


def test_no_socket(tmp_path):
    path = str(tmp_path / "none.sock")
    for run in (ctl(path, "ping"), ctl(None, "ping", env={"ZOMBIE_CONTROL": path})):
        assert run.returncode == 3
        assert run.stderr == (
            "zombiectl: zombie-server does not run, or its control socket is elsewhere: "
            f"there is no {path}; use -s or ZOMBIE_CONTROL\n"
        )


def test_option_before_environment(fake, tmp_path):
    fake.on("ping", succeed("pong"))
    assert ctl(None, "ping", env={"ZOMBIE_CONTROL": fake.path}).returncode == 0
    other = {"ZOMBIE_CONTROL": str(tmp_path / "none.sock")}
    assert ctl(fake.path, "ping", env=other).returncode == 0


@pytest.mark.parametrize("kept", [True, False])
def test_socket_of_a_dead_server(fake, kept):
    fake.vanish(keep_file=kept)
    done = ctl(fake.path, "reload")
    assert done.returncode == 3
    assert ("belongs to a process that is gone" in done.stderr) == kept


def test_what_is_no_socket(tmp_path):
    (tmp_path / "file").write_text("")
    done = ctl(tmp_path / "file", "ping")
    assert (done.returncode, done.stderr) == (64, f"zombiectl: {tmp_path}/file is no socket\n")
    done = ctl("/" + "x" * 200, "ping")
    assert done.returncode == 64
    assert "the path of a socket may have 107 bytes at most" in done.stderr


@pytest.mark.root
def test_not_allowed_by_the_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private")
    fake = FakeControl(folder / "control.sock")
    folder.chmod(0o700)
    binary = os.open(BINARY, os.O_PATH)
    done = subprocess.run(
        [f"/proc/self/fd/{binary}", "-s", fake.path, "ping"], env=environment(), text=True,
        stderr=subprocess.PIPE, pass_fds=[binary], preexec_fn=become_nobody, check=False,
    )  # fmt: skip
    os.close(binary)
    fake.vanish()
    assert done.returncode == 77
    assert done.stderr == f"zombiectl: not allowed to use {fake.path}: Permission denied\n"


def test_turned_away_at_once(tmp_path):
    """A server that wants nothing from this user says so without being asked, and closes."""
    path = str(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        run = Background(path, "ping")
        connection, _ = listener.accept()
        connection.sendall(b'{"id":null,"ok":false,"error":"not-allowed","text":"not you"}\n')
        connection.close()
        assert run.finish() == (77, "", "zombiectl: not you\n")


@pytest.mark.parametrize("words", [[], ["ping"], ["reload"], ["logs"], ["restart", "1"]])
def test_server_vanishes_in_the_middle(fake, words):
    def answer(request):
        request.progress(1, 8, "1 of 8 workers replaced")
        request.hang_up()

    fake.on(words[0] if words else "status", answer)
    done = ctl(fake.path, *words)
    assert done.returncode == 1
    assert "the server has ended the connection before its answer was complete" in done.stderr


@pytest.mark.valgrind
@pytest.mark.parametrize("line", [
    b"garbage\n", b"[]\n", b'{"id":1,"ok":tru\n', b"\x00\n", b"\xff\n", b'{"id":1}' * 9,
])  # fmt: skip
def test_garbage_for_an_answer(tmp_path, line):
    path = str(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        run = Background(path, "status")
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            code, out, _ = run.finish()
        assert (code, out) == (1, "")


# --- Help ---------------------------------------------------------------------

COMMANDS = ("status top events logs reload upgrade restart scale drain upstream discover "
            "kill stop reopen-logs log-level config chaos ping version help").split()  # fmt: skip


def test_help_names_every_command():
    done = ctl(None, "help")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ctl(None, "-h").stdout
    assert re.findall(r"^  ([a-z-]+)", done.stdout, re.MULTILINE)[: len(COMMANDS)] == COMMANDS
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_help_for_one_command(name):
    done = ctl(None, "help", name)
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: zombiectl {name}")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert ctl(None, name, "-h").stdout == done.stdout


def test_own_version_needs_no_server():
    for word in ("-V", "--version"):
        assert re.fullmatch(r"zombiectl \d+\.\d+\.\d+\n", ctl(None, word).stdout)
