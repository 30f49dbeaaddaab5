"""bench/run: what it makes of samples, and that it runs. How fast anything is, is not tested."""

import asyncio
import itertools
import json
import math
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(os.environ["ZOMBIE_SRCDIR"]) / "bench"
RUN_S = 120  # a limit, not an expectation

sys.path.insert(0, str(BENCH))

from load.steady import FAIR_MS, Account, Steady  # noqa: E402
from report import figures, page, tables  # noqa: E402
from report.figures import Measure, Metric, Spread  # noqa: E402

RATE = Metric("rate", "req/s", ",.0f", "more")
COST = Metric("cost", "us", ",.1f", "less")
KINDS = Metric("kinds", "how", None)


def measure(samples, **more):
    return Measure("key", "A title", [RATE, COST, KINDS], samples, **more)


@pytest.mark.parametrize("ours, theirs, better, expected", [
    (200, 100, "more", 2),
    (50, 100, "more", 0.5),
    (50, 100, "less", 2),
    (100, 50, "less", 0.5),
    (0, 0, "less", 1),
    (0, 3, "less", math.inf),
    (3, 0, "less", 0),
    (3, 0, "more", math.inf),
    (0, 3, "more", 0),
])
def test_a_ratio_above_one_is_better(ours, theirs, better, expected):
    assert figures.ratio(ours, theirs, better) == expected


@pytest.mark.parametrize("median, low, high, rounds, expected", [
    (1.50, 1.20, 1.80, 5, "ahead"),
    (1.50, 0.99, 1.80, 5, "level"),
    (1.01, 1.005, 1.02, 5, "level"),
    (0.80, 0.70, 0.90, 5, "behind"),
    (0.80, 0.70, 1.01, 5, "level"),
    (0.99, 0.98, 0.995, 5, "level"),
    (1.05, 1.04, 1.06, 2, "level"),
    (1.20, 1.20, 1.20, 1, "ahead"),
    (0.95, 0.95, 0.95, 1, "level"),
    (0.80, 0.80, 0.80, 1, "behind"),
    (math.inf, math.inf, math.inf, 2, "ahead"),
    (0.0, 0.0, 0.0, 2, "behind"),
])
def test_the_verdict_needs_the_whole_spread(median, low, high, rounds, expected):
    assert figures.verdict(Spread(median, low, high, rounds)) == expected


def test_the_spread_of_few_is_all_of_them():
    assert figures.spread([3, 1, 2]) == (2, 1, 3, 3)


def test_the_spread_of_many_is_their_middle_half():
    assert figures.spread([100, *range(1, 11), 0]) == (5.5, 3, 8, 12)


def test_a_median_may_be_infinite():
    assert figures.middle([math.inf, math.inf, 1]) == math.inf
    assert figures.middle([math.inf, math.inf]) == math.inf
    assert figures.middle([1, math.inf]) == 1


def test_ratios_are_formed_within_a_round():
    found = measure({"us": [{"rate": 10}, {"rate": 1000}, {"rate": 10}],
                     "them": [{"rate": 5}, {"rate": 500}, {"rate": 5}]})
    assert figures.ratios(found, RATE, "them", "us") == (2, 2, 2, 3)


def test_a_round_that_one_lacks_is_left_out():
    found = measure({"us": [{"rate": 10}, {"rate": 30}], "them": [{}, {"rate": 10}]})
    assert figures.ratios(found, RATE, "them", "us") == (3, 3, 3, 1)
    assert figures.ratios(found, COST, "them", "us") is None


def test_counts_are_summed_up():
    samples = [{"kinds": {"reset": 2}}, {"kinds": {"reset": 1, "closed": 4}}]
    assert figures.median(samples, KINDS) == {"reset": 3, "closed": 4}
    assert figures.median([], KINDS) is None


@pytest.mark.parametrize("values, share, expected", [
    ([], 99, 0),
    ([5], 99, 5),
    (list(range(1, 101)), 50, 50),
    (list(range(1, 101)), 99, 99),
    (list(range(1, 101)), 100, 100),
])
def test_percentile(values, share, expected):
    assert figures.percentile(values, share) == expected


SAMPLES = {"us": [{"rate": 50, "cost": 2.0, "kinds": {}}],
           "them": [{"rate": 100, "cost": 3.0, "kinds": {"reset": 7}}]}


def test_a_table_says_who_is_ahead_and_who_is_missing():
    text = tables.of(measure(SAMPLES, absent={"others": "there is no such program"}), "us")
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert lines[0] == ["server", "req/s", "us", "how", "ours to it: req/s", "ours to it: us"]
    assert lines[2] == ["us", "50", "2.0", "-", "", ""]
    assert lines[3] == ["them", "100", "3.0", "7 reset", "0.50 behind", "1.50 ahead"]
    assert text.endswith("\n\nothers: n/a, there is no such program.")


def test_what_we_are_behind_in_is_listed():
    assert tables.behind([measure(SAMPLES)], "us") == "- A title, req/s, beside them: 0.50 behind"
    assert tables.behind([measure({"us": SAMPLES["us"]})], "us").startswith("In nothing")


def test_the_overview_has_a_column_for_each_other_server():
    text = tables.overview([measure(SAMPLES, shown="cost"), measure(SAMPLES)], "us")
    assert [line.replace(" ", "") for line in text.splitlines()[::2]] == [
        "||by|them|", "|Atitle|us|1.50ahead|"]


def test_results_can_be_read_again():
    before = measure(SAMPLES, shown="cost", section="row")
    data = {"date": "today", "measures": [figures.as_data(before)]}
    after = json.loads(page.as_json(data))
    assert after["date"] == "today"
    assert figures.from_data(after["measures"][0]) == before


def an_answer(status, body):
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


ANSWERS = {None: an_answer(200, "yes"), "wrong": an_answer(200, "no"), "5xx": an_answer(503, ""),
           "closed": an_answer(200, "yes")[:-1], "timeout": b""}


async def ask_a_bad_server():
    """A load on a server that answers by turns as ANSWERS has it."""
    turns = itertools.cycle(ANSWERS.items())

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        kind, data = next(turns)
        writer.write(data)
        if kind == "timeout":
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Steady(port, "/", 100, b"yes", kept=False) as account:
        while account.sent < 2 * len(ANSWERS):
            await asyncio.sleep(0.01)
    return account


def test_every_request_is_accounted_for():
    account = asyncio.run(ask_a_bad_server())
    assert account.answered >= 1
    assert account.sent == account.answered + account.lost_in_all()
    assert set(account.lost) >= set(ANSWERS) - {None}


def test_nobody_there_is_refused():
    async def ask(port):
        async with Steady(port, "/", 100, kept=False) as account:
            while account.sent < 2:
                await asyncio.sleep(0.01)
        return account

    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        account = asyncio.run(ask(deaf.getsockname()[1]))
    assert dict(account.lost) == {"refused": account.sent}


def test_who_was_too_slow_to_ask_blames_nobody():
    account = Account()
    account.lost.update(closed=2, late=1)
    assert account.faults({"late"}) == {"closed": 2}
    account.lag_ms = FAIR_MS + 1
    assert account.faults({"late"}) == {}


def bench(*arguments):
    return subprocess.run([sys.executable, BENCH / "run", *arguments], timeout=RUN_S,
                          capture_output=True, text=True, check=False)


def test_help_names_rows_and_peers():
    run = bench("--help")
    assert run.returncode == 0
    for word in ("--quick", "--only", "throughput", "storms", "nginx", "gunicorn"):
        assert word in run.stdout


@pytest.mark.parametrize("wrong", [
    ["--only", "nothing"], ["--peers", "nobody"], ["--rounds", "0"], ["--server", "/nowhere"]])
def test_wrong_usage_is_refused(wrong):
    run = bench("--quick", *wrong)
    assert run.returncode == 2
    assert wrong[1] in run.stderr or "at least one round" in run.stderr


def test_one_row_alone(tmp_path):
    """Whoever of the peers is there: the page has our figures."""
    run = bench("--quick", "--only", "memory", "--peers", "nginx", "--results", tmp_path,
                "--server", os.environ["ZOMBIE_SERVER"])
    assert run.returncode == 0, run.stdout + run.stderr
    text = (tmp_path / "README.md").read_text()
    assert "## Start and memory" in text
    assert "| zombie-server " in text
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["wrong"] == []
    keys = {one["key"] for one in results["measures"]}
    assert keys == {"memory", "idle"}
