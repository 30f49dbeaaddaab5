"""zombiectl events -f and logs -f, when the connection ends: what is new is told, and once."""

import pytest

from lib.control import do
from lib.fake_control import EVENT, FakeControl
from lib.upgrade import upgrade
from lib.zombiectl import Background, ctl


@pytest.fixture
def fake(tmp_path):
    made = FakeControl(tmp_path / "control.sock")
    yield made
    made.vanish()


@pytest.fixture
def begin():
    """Start a run in the background that is gone afterwards."""
    runs = []

    def begin_one(path, *arguments):
        runs.append(Background(path, *arguments))
        return runs[-1]

    yield begin_one
    for run in runs:
        run.stop()


def tell(fake, events):
    """Tell of what is new to the client, and hang up; the last time stay."""
    rounds = []

    def answer(request):
        rounds.append(request.arguments)
        for event in events[: 2 * len(rounds)]:
            if event["seq"] > request.arguments.get("since", 0):
                request.send(event=event)
        if 2 * len(rounds) < len(events):
            request.hang_up()

    fake.on("events", answer)
    return rounds


@pytest.mark.smoke
@pytest.mark.valgrind
def test_events_go_on_after_the_last_one_seen(fake, begin):
    events = [{**EVENT, "seq": n, "text": f"number {n}"} for n in range(5, 9)]
    rounds = tell(fake, events)
    run = begin(fake.path, "events", "-f")
    assert [run.line().rpartition(" ")[2] for _ in events] == ["5", "6", "7", "8"]
    assert rounds == [{"follow": True}, {"follow": True, "since": 6}]


def test_another_instance_counts_anew(fake, begin):
    requests = []

    def answer(request):
        requests.append(request)
        request.send(event={**EVENT, "seq": 9 if len(requests) == 1 else 1})

    fake.on("events", answer)
    run = begin(fake.path, "events", "-f", "--json")
    assert '"seq": 9,' in run.line()
    fake.status["instance"] = "another"
    fake.vanish()
    fake.begin()
    assert '"seq": 1,' in run.line()
    assert "since" not in requests[1].arguments


def test_logs_go_on_after_the_last_one_seen(fake, begin):
    asked = []

    def answer(request):
        asked.append(request.arguments)
        if len(asked) == 2:
            request.send(log={"seq": 12, "worker": 7, "line": "one"})
        if len(asked) < 3:
            request.hang_up()
        else:
            request.send(log={"seq": 13, "worker": 7, "line": "two"})

    fake.on("logs", answer)
    run = begin(fake.path, "logs", "-f", "-n", "3", "--worker", "7")
    assert [run.line(), run.line()] == ["one", "two"]
    first = {"follow": True, "lines": 3, "worker": 7}
    assert asked == [first, first, {**first, "lines": 1000, "since": 12}]


@pytest.mark.parametrize("words", [["events", "-f"], ["logs", "-f"]])
def test_connections_that_do_not_last_are_given_up(fake, words):
    fake.on(words[0], lambda request: request.hang_up())
    done = ctl(fake.path, *words)
    assert done.returncode == 1
    assert "the server has ended the connection before its answer was complete" in done.stderr
    assert len([members for members in fake.asked if members["command"] == words[0]]) == 4


@pytest.mark.parametrize("keep_file", [True, False])
def test_server_that_does_not_come_back(fake, begin, keep_file):
    fake.on("events", lambda request: request.send(event=EVENT))
    run = begin(fake.path, "events", "-f")
    run.line()
    fake.vanish(keep_file=keep_file)
    code, out, err = run.finish()
    assert (code, out) == (3, "")
    assert err.startswith("zombiectl: zombie-server does not run")


def test_refusals_end_it(fake):
    fake.on("version", lambda request: request.fail("not-allowed", "not you"))
    done = ctl(fake.path, "events", "-f")
    assert (done.returncode, done.stderr) == (77, "zombiectl: not you\n")


def test_both_go_on_over_an_upgrade(start, begin):
    server = start()
    events = begin(server.control_path, "events", "-f")
    logs = begin(server.control_path, "logs", "-f", "-n", "1000")
    told = [events.line()]
    lines = [logs.line()]
    upgrade(server)
    do(server, "scale", to=3)
    while "3 workers, 2 before" not in told[-1]:
        told.append(events.line())
    while "3 workers, until the next reload" not in lines[-1]:
        lines.append(logs.line())
    assert sum(" upgrade " in line for line in told) == 1
    assert told == ctl(server.control_path, "events").stdout.splitlines()[: len(told)]
    # Of two processes that write at once either may be first.
    said, logged = ([line for line in text if " master: " in line]
                    for text in (lines, server.log.splitlines()))  # fmt: skip
    assert said == logged[: len(said)]
    server.stop()
    for run in (events, logs):
        code, _, err = run.finish()
        assert (code, err) == (1, "zombiectl: the instance has stopped\n")


def test_logs_since_a_line(start):
    server = start()
    everything = do(server, "logs", lines=1000).logs
    assert [line["seq"] for line in everything] == list(range(1, len(everything) + 1))
    assert do(server, "logs", lines=1000, since=3).logs == everything[3:]
    assert do(server, "logs", lines=1, since=3).logs == everything[-1:]
    assert do(server, "logs", lines=1000, since=len(everything)).logs == []
    # Those of another ring, which had more lines.
    assert do(server, "logs", lines=1000, since=len(everything) + 1).logs == everything
