"""zombiectl on a terminal: colours, progress in place, and top."""

import re
import signal
import threading

import pytest

from lib.fake_control import FakeControl, PROCESS, status
from lib.zombiectl import Terminal, ctl, shown

pytestmark = pytest.mark.smoke

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME = "\x1b[H"


@pytest.fixture
def fake(tmp_path):
    made = FakeControl(tmp_path / "control.sock")
    yield made
    made.vanish()


@pytest.fixture
def terminal(fake):
    """Run on a terminal of its own; the run is gone afterwards."""
    runs = []

    def start(*arguments, **options):
        runs.append(Terminal(fake.path, *arguments, **options))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def has_colour(text):
    return "\x1b[32mserving\x1b[0m" in text


@pytest.mark.parametrize("words, env, colour", [
    ([], {}, True),
    ([], {"NO_COLOR": ""}, True),
    ([], {"NO_COLOR": "1"}, False),
    ([], {"TERM": "dumb"}, False),
    (["--colour=always"], {"NO_COLOR": "1"}, True),
    (["--color=never"], {}, False),
    (["--colour", "auto"], {}, True),
])  # fmt: skip
def test_colours_on_a_terminal(terminal, words, env, colour):
    run = terminal(*words, env=env)
    assert run.finish() == 0
    assert "serving" in run.text
    assert has_colour(run.text) == colour
    assert ("\x1b" in run.text) == colour


def test_colours_in_a_pipe(fake):
    assert not has_colour(ctl(fake.path).stdout)
    assert has_colour(ctl(fake.path, "--colour=always").stdout)


def test_json_has_no_colours(terminal):
    run = terminal("--json")
    assert run.finish() == 0
    assert "\x1b" not in run.text


@pytest.mark.parametrize("columns", [40, 80, 100, 200])
def test_table_is_cut_to_the_terminal(terminal, columns):
    run = terminal("--colour=never", columns=columns)
    assert run.finish() == 0
    table = run.text.split("\r\n\r\n")[1]
    widths = [len(line) for line in table.splitlines()]
    assert len(widths) == 4
    assert max(widths) <= columns
    assert ("killed by SIGKILL, 7s ago" in table) == (columns >= 100)
    assert ("SIGKILL 7s" in table) == (columns == 80)


@pytest.mark.parametrize("words", [["status"], ["top"]])
def test_eighty_columns_are_enough(fake, terminal, words):
    """What matters at night is whole, though perhaps on a line of its own."""
    fake.status["chaos"] = True
    fake.status["totals"].update(deaths=12345, respawns=12000, retired=99)
    fake.status["processes"][0]["request"] = {
        "method": "GET", "path": "/orders/4711/items", "elapsed_ms": 192000,
    }  # fmt: skip
    run = terminal(*words, "--colour=never", columns=80, rows=24)
    if words == ["top"]:
        run.wait_for("REQUEST")
        run.type("q")
    assert run.finish() == 0
    lines = latest(run, 24) if words == ["top"] else run.text.splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for part in ["; chaos is on", ", sent 10.0M", " SIGKILL 7s", "12.2k deaths", "99 retired",
                 "\n     REQUEST 3m12s GET /orders/4711/items"]:  # fmt: skip
        assert part in text


def test_progress_stays_on_one_line(fake, terminal):
    def answer(request):
        for n in range(3):
            request.progress(n, 3, f"{n} of 3 workers replaced")
        request.succeed("generation 3 serves")

    fake.on("reload", answer)
    run = terminal("reload")
    assert run.finish() == 0
    assert run.text == (
        "0 of 3 workers replaced\r\x1b[K1 of 3 workers replaced\r\x1b[K"
        "2 of 3 workers replaced\r\x1b[Kgeneration 3 serves\r\n"
    )


def test_progress_is_cut_and_gives_way_to_an_error(fake, terminal):
    def answer(request):
        request.progress(0, 1, "x" * 100)
        request.fail("failed", "no worker became READY")

    fake.on("reload", answer)
    run = terminal("reload", columns=40)
    assert run.finish() == 1
    assert run.text == "x" * 39 + "\r\x1b[Kzombiectl: no worker became READY\r\n"


def test_progress_without_escapes_where_there_are_none(fake, terminal):
    fake.on("reload", lambda request: request.progress(1, 2, "1 of 2") and request.succeed("done"))
    run = terminal("reload", env={"TERM": "dumb"})
    assert run.finish() == 0
    assert run.text == "1 of 2\r\ndone\r\n"


# --- top ----------------------------------------------------------------------


def screens(run):
    """What was drawn, a text for each time."""
    return run.text.partition(ENTER)[2].split(HOME)[1:]


def latest(run, rows):
    """The lines that the terminal shows after the last drawing that is complete."""
    return shown(HOME + screens(run)[-1], rows)


def test_top_draws_again_and_quits(fake, terminal):
    run = terminal("top")
    run.wait_for(r"12\.3k")
    assert run.text.startswith(ENTER)
    fake.status["totals"]["requests"] = 98765
    since = len(run.text)
    run.wait_for(r"requests 98\.7k", since)
    run.type("q")
    assert run.finish() == 0
    assert run.text.endswith(LEAVE)
    assert run.text.count(ENTER) == run.text.count(LEAVE) == 1
    assert run.modes() == run.before
    last = latest(run, 30)
    assert re.match(r"zombiectl top, \d\d:\d\d:\d\d, q quits$", re.sub(r"\s+$", "", last[0]))
    assert "pid 4711: serving, up 3d4h" in last[1]
    assert sum("serving" in line for line in last[2:]) == 3


def test_top_asks_once_a_second(fake, terminal):
    run = terminal("top")
    run.wait_for("serving")
    fake.wait_until_asked("status", 3)
    run.type("q")
    assert run.finish() == 0
    assert len(screens(run)) < 12  # two for each second, a few at the start


@pytest.mark.parametrize("key", ["q", "Q", "\x03"])
def test_top_is_quit_by_keys(terminal, key):
    run = terminal("top")
    run.wait_for("serving")
    run.type("abc \x1b[A" + key)
    assert run.finish() == 0
    assert run.text.endswith(LEAVE)
    assert run.modes() == run.before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_top_is_quit_by_signals(terminal, number):
    run = terminal("top")
    run.wait_for("serving")
    run.signal(number)
    assert run.finish() == 0
    assert run.text.endswith(LEAVE)
    assert run.modes() == run.before


@pytest.mark.parametrize("columns, rows, lines_of_head", [
    (60, 10, 12), (20, 4, 31), (300, 60, 7), (1, 1, 7), (80, 2, 10),
])  # fmt: skip
def test_top_follows_the_size(fake, terminal, columns, rows, lines_of_head):
    fake.status = status(*({**PROCESS, "slot": n} for n in range(1, 13)))
    run = terminal("top", "--colour=never", columns=100, rows=30)
    run.wait_for("serving")
    since = len(run.text)
    run.resize(columns, rows)
    run.wait_for(re.escape(HOME), since)
    run.read(0.2)
    run.type("q")
    assert run.finish() == 0
    lines = latest(run, rows)
    assert max(map(len, lines)) <= columns
    hidden = lines_of_head + 13 - (rows - 1)  # of the title, the head and the table
    expected = f"... {hidden} more"[:columns] if rows < 20 else ""
    assert lines[-1] == expected


def test_top_waits_for_a_lost_server(fake, terminal):
    run = terminal("top")
    run.wait_for("serving")
    fake.vanish()
    run.wait_for("the server has gone, nobody listens on its socket; trying again")
    fake.vanish(keep_file=False)
    run.wait_for("the server has gone, and so has its socket; trying again")
    fake.status["generation"] = 77
    fake.begin()
    since = len(run.text)
    run.wait_for("generation 77", since)
    run.type("q")
    assert run.finish() == 0
    assert "gone" not in "".join(latest(run, 30))
    assert run.text.endswith(LEAVE)


def test_top_quits_while_the_server_is_lost(fake, terminal):
    run = terminal("top")
    run.wait_for("serving")
    fake.vanish()
    run.wait_for("trying again")
    run.type("q")
    assert run.finish() == 0
    assert run.text.endswith(LEAVE)
    assert run.modes() == run.before


def test_top_says_that_the_server_is_silent(fake, terminal):
    run = terminal("top")
    run.wait_for("serving")
    silence = threading.Event()
    fake.on("status", lambda request: silence.wait())
    run.wait_for("the server does not answer, waiting")
    silence.set()
    run.type("q")
    assert run.finish() == 0


def test_top_that_is_not_allowed(fake, terminal):
    fake.on("status", lambda request: request.fail("not-allowed", "not you"))
    run = terminal("top")
    assert run.finish() == 77
    assert run.text.endswith(LEAVE + "zombiectl: not you\r\n")
    assert run.modes() == run.before


def test_top_without_a_server(fake, terminal):
    fake.vanish()
    run = terminal("top")
    assert run.finish() == 3
    assert "\x1b" not in run.text


@pytest.mark.parametrize("options", [
    {"to_terminal": (1, 2)}, {"to_terminal": (0, 2)}, {"env": {"TERM": "dumb"}},
])  # fmt: skip
def test_top_needs_a_terminal(terminal, options):
    run = terminal("top", **options)
    assert run.finish() == 64
    assert run.text == (
        "zombiectl: top needs a terminal that understands escape sequences; use status\r\n"
    )


def test_top_survives_escape_sequences(fake, terminal):
    fake.status["processes"][0]["request"] = {
        "method": "GET", "path": "/\x1b[2J\x9b1m\n\n\n", "elapsed_ms": 3,
    }  # fmt: skip
    run = terminal("top", columns=200)
    run.wait_for(re.escape("GET /\\x1b[2J\\xc2\\x9b1m\\n\\n\\n"))
    run.type("q")
    assert run.finish() == 0
    assert "\x1b[2J" not in run.text
    latest(run, 30)  # which knows all that is drawn, or fails


def test_top_after_a_stop(terminal):
    """SIGSTOP cannot be seen coming; what the shell did to the terminal meanwhile is undone."""
    run = terminal("top")
    run.wait_for("serving")
    run.signal(signal.SIGSTOP)
    run.signal(signal.SIGCONT)
    run.wait_for(re.escape(ENTER), len(ENTER))
    run.type("q")
    assert run.finish() == 0
    assert run.text.endswith(LEAVE)
    assert run.modes() == run.before
