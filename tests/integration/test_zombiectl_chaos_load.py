"""zombiectl chaos against a control server and a web server that do what each test wants."""

import json
import re
import signal
import subprocess
from collections import Counter

import pytest

from lib.fake_cluster import FakeCluster, FakeWeb
from lib.fake_control import FakeControl
from lib.wait import DEADLINE, eventually
from lib.zombiectl import Terminal, command, ctl, environment

# Half a second of load says little when others take the processor.
pytestmark = pytest.mark.alone

FIGURES = ["--rate=20", "--for=500ms", "--seed=1"]
RUN = ["chaos", "run", "--mode=kill", *FIGURES]


@pytest.fixture
def fake(tmp_path):
    made = FakeControl(tmp_path / "control.sock")
    yield made
    made.vanish()


@pytest.fixture
def serve():
    """Start web servers that are gone afterwards."""
    webs = []

    def start(choose=lambda *_: "ok"):
        webs.append(FakeWeb(choose))
        return webs[-1]

    yield start
    for web in webs:
        web.close()


def run(fake, *arguments, words=RUN):
    """The exit status and the verdict."""
    done = ctl(fake.path, *words, "--json", *arguments)
    assert done.returncode in (0, 1), done
    return done.returncode, json.loads(done.stdout)


# --- What is asked for --------------------------------------------------------


@pytest.mark.parametrize("words", [
    [], ["walk"], ["run"], [*RUN[1:], "--rate=0"], [*RUN[1:], "--for=30"], [*RUN[1:], "--mode=x"],
    [*RUN[1:], "--seed=x"], [*RUN[1:], "--allow=-1"], [*RUN[1:], "--connections=0"],
    [*RUN[1:], "--min-serving"], [*RUN[1:], "--speed=1"], [*RUN[1:], "more"],
    [*RUN[1:], "--url=ftp://x/"], [*RUN[1:], "--url=http://127.0.0.1:0/"],
    ["run", "--rate=1", "--for=1s"],
])  # fmt: skip
def test_bad_words_are_refused_before_anything_is_asked(fake, words):
    done = ctl(fake.path, "chaos", *words)
    assert (done.returncode, done.stdout) == (64, "")
    assert re.match("zombiectl: .+", done.stderr)
    assert fake.asked == []


def test_nobody_listens(fake):
    fake.vanish()
    assert ctl(fake.path, *RUN).returncode == 3


def test_chaos_must_be_on(fake):
    done = ctl(fake.path, *RUN)
    assert (done.returncode, done.stdout) == (77, "")
    assert "chaos is off" in done.stderr and "--chaos" in done.stderr
    assert [members["command"] for members in fake.asked] == ["status"]


def test_every_kill_would_be_held_back(fake):
    FakeCluster(fake, workers=2)
    done = ctl(fake.path, *RUN, "--min-serving=2")
    assert (done.returncode, done.stdout) == (64, "")
    assert "too few workers" in done.stderr


def test_server_without_a_listener_needs_a_url(fake, serve):
    FakeCluster(fake)._members["listeners"] = []
    done = ctl(fake.path, *RUN)
    assert done.returncode == 1 and "--url" in done.stderr
    assert run(fake, f"--url={serve().url}/x?y")[0] == 0


# --- Kills --------------------------------------------------------------------


@pytest.mark.parametrize("mode, number", [
    ("kill", "KILL"), ("segv", "SEGV"), ("hang", "STOP"), ("exit", "TERM"),
])  # fmt: skip
def test_kills_are_chaos_with_the_signal_of_the_mode(fake, serve, mode, number):
    cluster = FakeCluster(fake, url=serve().url)
    status, verdict = run(fake, words=["chaos", "run", f"--mode={mode}", *FIGURES])
    assert (status, verdict["verdict"], verdict["mode"]) == (0, "PASS", mode)
    assert {(kill["signal"], kill["chaos"]) for kill in cluster.kills} == {(number, True)}
    kills = verdict["kills"]
    assert kills == {"sent": len(cluster.kills), "held_back": 0, "failed": 0, "deaths": 10}
    assert len(cluster.kills) == 10
    assert bool(verdict["notes"]) == (mode == "hang")


def test_same_seed_kills_in_the_same_slots(fake, serve):
    """With these seeds no slot comes twice: none is held back because it is empty just then."""
    cluster = FakeCluster(fake, url=serve().url)
    plans = []
    for seed in (5, 5, 6):
        cluster.kills.clear()
        assert run(fake, f"--seed={seed}")[1]["seed"] == seed
        plans.append([kill["slot"] for kill in cluster.kills])
    assert len(plans[0]) == len(set(plans[0])) == 10
    assert plans[0] == plans[1] != plans[2]


def test_seed_is_made_up_and_printed(fake, serve):
    FakeCluster(fake, url=serve().url)
    words = ["chaos", "run", "--mode=kill", "--rate=20", "--for=200ms"]
    done = [ctl(fake.path, *words) for _ in range(2)]
    seeds = [re.search(r"^seed (\d+)$", one.stderr, re.M)[1] for one in done]
    assert seeds[0] != seeds[1]
    assert f", seed {seeds[0]}\n" in done[0].stdout


def test_failed_kills_are_no_kills(fake, serve):
    FakeCluster(fake, url=serve().url)
    fake.on("kill", lambda request: request.fail("refused", "not now"))
    status, verdict = run(fake)
    assert status == 1
    assert verdict["kills"] == {"sent": 0, "held_back": 0, "failed": 10, "deaths": 0}
    assert verdict["reasons"] == ["no worker was killed, so nothing is proven"]
    assert verdict["notes"] == ["10 kills failed, the first because: not now"]
    assert verdict["full_strength_ms"] == {"p50": None, "p99": None, "max": None}


def test_server_that_goes_away_fails(fake, serve):
    FakeCluster(fake, url=serve().url)
    fake.on("kill", lambda request: request.hang_up())
    status, verdict = run(fake)
    assert status == 1
    assert "the server has closed the control connection" in verdict["reasons"]


def test_server_that_is_upgraded_goes_on(fake, serve):
    cluster = FakeCluster(fake, url=serve().url)

    def upgrade(request):
        cluster._kill(request)
        if len(cluster.kills) == 3:
            cluster._members["upgrades"] = 1
            request.hang_up()

    fake.on("kill", upgrade)
    status, verdict = run(fake, words=["chaos", "run", "--mode=exit", *FIGURES])
    assert (status, verdict["reasons"]) == (0, [])
    assert verdict["notes"] == ["the server was upgraded during the run"]
    assert verdict["kills"]["sent"] == verdict["kills"]["deaths"] == len(cluster.kills) > 3
    assert verdict["kills"]["sent"] + verdict["kills"]["held_back"] == 10


@pytest.mark.parametrize("members", [
    {"instance": "another"}, {"instance": "another", "upgrades": 1}, {},
])  # fmt: skip
def test_another_server_is_not_the_same(fake, serve, members):
    cluster = FakeCluster(fake, url=serve().url)

    def replace(request):
        cluster._members.update(members)
        request.hang_up()

    fake.on("kill", replace)
    status, verdict = run(fake)
    assert status == 1
    assert "the server has closed the control connection" in verdict["reasons"]


def interruptible(fake, *arguments):
    return subprocess.Popen(
        command(fake.path, *arguments), env=environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_kills_are_held_back_while_too_few_serve(fake, serve):
    """Nobody is replaced: one of three is killed, and then the last that may."""
    cluster = FakeCluster(fake, workers=3, heals=False, url=serve().url)
    process = interruptible(fake, *RUN, "--json", "--for=300ms", "--rate=100")
    fake.wait_until_asked("status", 3)  # the one that begins what comes after the kills
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=DEADLINE)
    verdict = json.loads(out)
    assert process.returncode == 1
    assert len({kill["slot"] for kill in cluster.kills}) == len(cluster.kills) == 2
    assert verdict["kills"] == {"sent": 2, "held_back": 28, "failed": 0, "deaths": 2}
    assert verdict["reasons"] == ["1 of 3 workers serve at the end"]
    assert any(note.startswith("interrupted after") for note in verdict["notes"])


def test_interrupt_ends_with_the_verdict_so_far(fake, serve):
    cluster = FakeCluster(fake, url=serve().url)
    process = interruptible(fake, *RUN, "--json", "--for=1h")
    fake.wait_until_asked("kill", 5)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=DEADLINE)
    verdict = json.loads(out)
    assert (process.returncode, verdict["verdict"], verdict["reasons"]) == (0, "PASS", [])
    assert verdict["kills"]["sent"] == len(cluster.kills) >= 5
    assert verdict["took_ms"] < 60000


def test_progress_stays_on_a_line_of_the_terminal(fake, serve):
    FakeCluster(fake, workers=3, url=serve().url)
    terminal = Terminal(fake.path, *RUN, "--for=1h")
    try:
        terminal.wait_for(r"\d+ s of 3600 s: \d+ kills, \d+ held back; \d+ requests, 0 lost")
        terminal.wait_for(r"\r\x1b\[K[1-9]\d* s of 3600 s: ")
        terminal.type("\x03")
        assert terminal.finish() == 0
        assert re.search(r"\r\x1b\[Kchaos .*verdict +PASS", terminal.text, re.S)
    finally:
        terminal.close()


# --- Requests -----------------------------------------------------------------


def losses(verdict):
    """The ways in which requests were lost, with their numbers."""
    ways = dict(verdict["requests"]["lost"])
    assert ways.pop("total") == sum(ways.values())
    return {way: n for way, n in ways.items() if n}


@pytest.mark.parametrize("way", ["closed", "reset", "partial", "status", "malformed"])
@pytest.mark.parametrize("kept", [False, True])
def test_every_lost_request_is_counted_in_its_kind(fake, serve, way, kept):
    """On a kept connection, the first request, which no client sends twice."""
    web = serve(lambda i, number, keeps: way if keeps == kept and number == 0 and i % 3 else "ok")
    FakeCluster(fake, url=web.url)
    status, verdict = run(fake)
    chosen = Counter(web.answers)
    assert chosen[way] > 0 and chosen["ok"] > 0
    assert losses(verdict) == {way: chosen[way]}
    requests = verdict["requests"]
    assert (requests["ok"], requests["retried"]) == (chosen["ok"], 0)
    assert requests["sent"] == len(web.answers) == requests["ok"] + chosen[way]
    assert status == 1
    lost = "1 request was" if chosen[way] == 1 else f"{chosen[way]} requests were"
    assert verdict["reasons"] == [f"{lost} lost and 0 may be"]


@pytest.mark.parametrize("way", ["closed", "reset"])
def test_request_on_a_kept_connection_is_sent_again(fake, serve, way):
    web = serve(lambda i, number, keeps: way if number == 2 else "ok")
    FakeCluster(fake, url=web.url)
    status, verdict = run(fake)
    chosen = Counter(web.answers)
    requests = verdict["requests"]
    assert chosen[way] > 0
    assert (status, losses(verdict), requests["retried"]) == (0, {}, chosen[way])
    assert requests["sent"] == requests["ok"] == chosen["ok"]


def test_request_is_sent_again_but_once(fake, serve):
    """Four clients keep their connections; from the 50th request on they get no answer."""
    web = serve(lambda i, number, keeps: "closed" if keeps and i >= 50 else "ok")
    FakeCluster(fake, url=web.url)
    _, verdict = run(fake, "--allow=1000000")
    requests = verdict["requests"]
    assert requests["retried"] == 4
    assert losses(verdict) == {"closed": Counter(web.answers)["closed"] - 4}


@pytest.mark.parametrize("way", ["partial", "malformed"])
def test_request_is_not_sent_again_once_its_answer_has_begun(fake, serve, way):
    web = serve(lambda i, number, keeps: way if number == 2 else "ok")
    FakeCluster(fake, url=web.url)
    _, verdict = run(fake)
    assert verdict["requests"]["retried"] == 0
    assert losses(verdict) == {way: Counter(web.answers)[way]}


def test_client_does_not_wait_for_ever(fake, serve):
    web = serve(lambda i, *_: "silent" if i < 3 else "ok")
    FakeCluster(fake, url=web.url)
    _, verdict = run(fake)
    assert losses(verdict) == {"timeout": 3}


def test_nobody_answers(fake):
    FakeCluster(fake, url="http://127.0.0.1:1")
    status, verdict = run(fake, "--allow=1000000")
    assert status == 1
    assert list(losses(verdict)) == ["refused"]
    assert verdict["requests"]["lost"]["refused"] == verdict["requests"]["sent"] > 0
    assert verdict["reasons"] == ["no request was answered"]
    assert verdict["latency_ms"] == {"p50": None, "p99": None, "max": None}


def test_allowed_losses_pass(fake, serve):
    web = serve(lambda i, *_: "status" if i in (10, 20, 30) else "ok")
    FakeCluster(fake, url=web.url)
    assert run(fake, "--allow=3")[0] == 0
    web.answers.clear()
    status, verdict = run(fake, "--allow=2")
    assert (status, verdict["verdict"]) == (1, "FAIL")
    assert verdict["reasons"] == ["3 requests were lost and 2 may be"]


def test_url_that_is_missing_is_noted(fake, serve):
    web = serve(lambda *_: "missing")
    FakeCluster(fake, url=web.url)
    status, verdict = run(fake)
    assert status == 0
    assert verdict["notes"] == [f"{len(web.answers)} answers had a status 4xx: is the URL right?"]


def test_table_has_the_same_figures(fake, serve):
    web = serve(lambda i, *_: "status" if i == 10 else "ok")
    FakeCluster(fake, url=web.url)
    done = ctl(fake.path, *RUN)
    assert done.returncode == 1
    lines = dict(re.findall(r"^(\w[\w ]*?) {2,}(.*)$", done.stdout, re.M))
    assert lines["chaos"].startswith("kill, 20 kills a second for 0.5 s, seed 1")
    assert lines["kills"] == "10 sent, 0 held back, 0 failed, 10 deaths"
    sent = len(web.answers)
    assert lines["requests"] == f"{sent} sent, {sent - 1} ok, 0 retried"
    assert lines["lost"] == "1 (0 allowed)"
    assert (lines["verdict"], lines["because"]) == ("FAIL", "1 request was lost and 0 may be")
    eventually(lambda: "1 status" in done.stdout, "the kind of the loss")


def test_connections_are_as_many_as_wanted(fake, serve):
    """All are asked at once, and nobody is answered: as many requests as clients."""
    web = serve(lambda i, *_: "silent")
    FakeCluster(fake, url=web.url)
    _, verdict = run(fake, "--connections=3", "--for=100ms")
    assert losses(verdict) == {"timeout": 3}
    assert len(web.answers) == 3
