"""zombiectl chaos against the real server: what the verdict says is what the log says."""

import json
import re

import pytest

from lib.control import status as status_of
from lib.zombiectl import Background, ctl


@pytest.fixture
def run(start):
    """Start a server and run chaos against it: (server, exit status, verdict)."""

    def run_one(*words, options=(), workers=3, **others):
        server = start("--chaos", *options, workers=workers, **others)
        done = ctl(server.control_path, "chaos", "run", "--json", *words)
        assert done.returncode in (0, 1), done
        return server, done.returncode, json.loads(done.stdout)

    return run_one


def deaths(server, pattern):
    return len(re.findall(rf"worker \d+ died: {pattern}", server.log))


def check_figures(server, verdict):
    """Each kill was one, each request was sent, and all are back."""
    kills, requests = verdict["kills"], verdict["requests"]
    assert kills["failed"] == 0 and kills["sent"] == kills["deaths"] > 0
    assert deaths(server, ".* deliberate=yes") == kills["sent"]
    assert requests["sent"] == requests["ok"] + requests["lost"]["total"]
    spread = verdict["full_strength_ms"]
    assert 0 < spread["p50"] <= spread["p99"] <= spread["max"]
    assert 0 < verdict["latency_ms"]["p50"] <= verdict["latency_ms"]["max"]
    now = status_of(server)
    assert sum(process["state"] == "serving" for process in now["processes"]) >= now["workers"]
    # One that is killed may not have counted the answer that it had just sent.
    assert requests["ok"] - kills["sent"] <= now["totals"]["requests"]
    assert now["totals"]["requests"] <= requests["sent"] + requests["retried"]
    assert requests["ok"] > 50


@pytest.mark.parametrize("mode, cause", [("kill", "SIGKILL"), ("segv", "SIGSEGV")])
def test_sudden_deaths(run, mode, cause):
    """Requests that a worker had in hand are lost, but never more than it can have."""
    words = [f"--mode={mode}", "--rate=20", "--for=2s", "--seed=1", "--allow=400"]
    server, status, verdict = run(*words)
    assert (status, verdict["verdict"], verdict["reasons"]) == (0, "PASS", [])
    assert verdict["kills"]["sent"] + verdict["kills"]["held_back"] == 40
    assert deaths(server, f"killed by {cause}") == verdict["kills"]["sent"]
    lost = {way for way, n in verdict["requests"]["lost"].items() if n and way != "total"}
    assert lost <= {"reset", "closed", "partial"}
    check_figures(server, verdict)


def test_workers_that_leave_lose_nothing(run):
    # An idle connection must not run into its end on a machine that is slow for a while.
    server, status, verdict = run(
        "--mode=exit", "--rate=20", "--for=2s", "--seed=1",
        options=["instance.drain_idle_ms=10000", "instance.grace_ms=60000"],
    )  # fmt: skip
    assert (status, verdict["verdict"], verdict["requests"]["lost"]["total"]) == (0, "PASS", 0)
    assert verdict["notes"] == []
    server.wait_for_log(r"worker \d+ died: exited with status 0", verdict["kills"]["sent"])
    assert verdict["kills"]["sent"] == verdict["kills"]["deaths"] > 0


def test_workers_that_hang_are_replaced_after_the_timeout(run):
    server, _, verdict = run(
        "--mode=hang", "--rate=2", "--for=1s", "--seed=1", "--allow=100",
        options=["instance.hang_timeout_ms=2000", "instance.grace_ms=200"],
    )  # fmt: skip
    assert verdict["verdict"] == "PASS"
    assert verdict["full_strength_ms"]["p50"] >= 500  # the last beat was up to a second old
    assert "instance.hang_timeout_ms" in verdict["notes"][0]
    check_figures(server, verdict)
    found = re.findall(r"worker \d+ hangs, replacing it", server.log)
    assert len(found) == verdict["kills"]["sent"]


def test_kills_are_held_back_while_the_other_is_away(run):
    """One of two hangs for longer than the plan lasts, so the other is spared."""
    server, _, verdict = run(
        "--mode=hang", "--rate=20", "--for=500ms", "--seed=1", "--allow=1000",
        options=["instance.hang_timeout_ms=2000", "instance.grace_ms=200"], workers=2,
    )  # fmt: skip
    assert verdict["kills"]["sent"] == 1
    assert verdict["kills"]["held_back"] == 9
    check_figures(server, verdict)


def test_one_worker_may_be_killed_if_nobody_must_serve(run):
    server, status, verdict = run(
        "--mode=kill", "--rate=10", "--for=1s", "--min-serving=0", "--allow=1000", workers=1
    )
    assert status == 0
    check_figures(server, verdict)


def test_load_goes_to_the_unix_socket_of_a_server_without_ports(run, tmp_path):
    server, status, verdict = run(
        "--mode=kill", "--rate=10", "--for=500ms", "--allow=1000",
        listen=f"unix:{tmp_path}/web.sock",
    )  # fmt: skip
    assert status == 0
    check_figures(server, verdict)


def test_upgrade_during_the_run(start):
    """The run goes on with the program that takes over, and all its workers are judged."""
    server = start("--chaos", "instance.drain_idle_ms=10000", "instance.grace_ms=60000", workers=3)
    chaos = Background(server.control_path, "chaos", "run", "--json", "--mode=exit", "--rate=5",
                       "--for=4s", "--seed=1", "--allow=400")  # fmt: skip
    server.wait_for_log("worker .* died: exited with status 0", 2)
    done = ctl(server.control_path, "upgrade")
    assert done.returncode == 0, done
    status, out, err = chaos.finish()
    verdict = json.loads(out)
    assert (status, verdict["verdict"]) == (0, "PASS"), (verdict, err)
    assert "the server was upgraded during the run" in verdict["notes"]
    assert verdict["kills"]["sent"] >= 2


def test_losses_beyond_the_allowed_fail(run):
    """Nothing answers at that port."""
    _, status, verdict = run(
        "--mode=kill", "--rate=10", "--for=500ms", "--url=http://127.0.0.1:1/", "--allow=5"
    )
    assert (status, verdict["verdict"]) == (1, "FAIL")
    assert re.match(r"\d+ requests were lost and 5 may be", verdict["reasons"][0])


@pytest.mark.smoke
def test_server_without_chaos_says_what_to_set(start):
    server = start()
    words = ["chaos", "run", "--mode=kill", "--rate=20", "--for=1s"]
    done = ctl(server.control_path, *words)
    assert (done.returncode, done.stdout) == (77, "")
    assert "--chaos" in done.stderr and "enabled = true" in done.stderr
    assert "seed" not in done.stderr
    assert deaths(server, "") == 0
