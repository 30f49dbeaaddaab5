"""What /metrics counts, in a text that is checked line by line, and that nothing makes it fall."""

import os
import signal
import time

import pytest

from lib import process
from lib.admin import TOKEN, Site
from lib.client import Connection
from lib.prometheus import CONTENT_TYPE, Metrics
from lib.wait import eventually

ROUTES = [
    "-o", "route./sink.handler=text", "-o", "route./sink.max_body=100",
    "-o", "route./gone.handler=text", "-o", "route./gone.status=410",
]  # fmt: skip


@pytest.fixture
def site(start):
    server = start("admin.listen=127.0.0.1:0", f"admin.token={TOKEN}", "--chaos", *ROUTES)
    server.wait_for_log(r"admin \d+ is ready")
    return Site(server)


def scrape(site):
    response = site.get("/metrics")
    assert response.headers["content-type"] == CONTENT_TYPE
    return Metrics(response.text)


def scrape_until(site, name, value, **labels):
    """Workers write when an answer is out, which may be after its client has it."""

    def counted():
        metrics = scrape(site)
        return metrics if metrics.get(name, **labels) == value else None

    return eventually(counted, f"{name} {labels} is {value}")


@pytest.mark.smoke
@pytest.mark.valgrind
def test_every_family_is_there(site):
    metrics = scrape(site)
    assert {name: family.type for name, family in metrics.families.items()} == {
        "zombie_build_info": "gauge",
        "zombie_start_time_seconds": "gauge",
        "zombie_generation": "gauge",
        "zombie_upgrades_total": "counter",
        "zombie_condition": "gauge",
        "zombie_master_beat_age_seconds": "gauge",
        "zombie_workers": "gauge",
        "zombie_workers_serving": "gauge",
        "zombie_worker_forks_total": "counter",
        "zombie_worker_respawns_total": "counter",
        "zombie_worker_deaths_total": "counter",
        "zombie_worker_recovery_seconds": "histogram",
        "zombie_worker_heartbeat_age_seconds": "gauge",
        "zombie_poison_requests_total": "counter",
        "zombie_reloads_total": "counter",
        "zombie_http_requests_total": "counter",
        "zombie_http_request_duration_seconds": "histogram",
        "zombie_http_received_bytes_total": "counter",
        "zombie_http_sent_bytes_total": "counter",
        "zombie_http_connections": "gauge",
        "zombie_http_connections_accepted_total": "counter",
        "zombie_http_limit_hits_total": "counter",
    }


def test_the_instance_is_described(site):
    metrics = scrape(site)
    assert abs(metrics.get("zombie_start_time_seconds") - time.time()) < 600
    assert metrics.get("zombie_generation") == 1
    assert metrics.get("zombie_workers") == metrics.get("zombie_workers_serving") == 2
    assert metrics.get("zombie_condition", condition="serving") == 1
    assert metrics.total("zombie_condition") == 1
    assert metrics.get("zombie_master_beat_age_seconds") < 5
    assert metrics.labels("zombie_worker_heartbeat_age_seconds", "slot") == {"1", "2"}
    assert metrics.labels("zombie_build_info", "version") == {site.status()["version"]}


def test_requests_are_counted(site):
    server = site.server
    with Connection(server.address) as connection:
        for _ in range(5):
            assert connection.request("/hello").status == 200
        assert connection.request("/hello", "HEAD").status == 200
        assert connection.request("/gone", "DELETE").status == 410
        assert connection.request("/sink", "POST", body=b"x" * 50).status == 200
        metrics = scrape_until(site, "zombie_http_requests_total", 1, code="2xx", method="POST")
        assert metrics.get("zombie_http_connections") == 1
    metrics = scrape_until(site, "zombie_http_connections", 0)
    assert metrics.get("zombie_http_requests_total", code="2xx", method="GET") == 5
    assert metrics.get("zombie_http_requests_total", code="2xx", method="HEAD") == 1
    assert metrics.get("zombie_http_requests_total", code="4xx", method="DELETE") == 1
    assert metrics.total("zombie_http_requests_total") == 8
    assert metrics.get("zombie_http_request_duration_seconds_count") == 8
    assert metrics.get("zombie_http_connections_accepted_total") == 1
    assert metrics.get("zombie_http_received_bytes_total") > 8 * 30 + 50
    assert metrics.get("zombie_http_sent_bytes_total") > 8 * 50


def test_those_who_watch_are_not_counted(site):
    for _ in range(5):
        site.status()
        scrape(site)
    metrics = scrape(site)
    assert metrics.total("zombie_http_requests_total") == 0
    assert metrics.get("zombie_http_connections_accepted_total") == 0
    assert metrics.get("zombie_http_connections") == 0


def test_limits_are_counted(site):
    assert site.server.fetch("/sink", "POST", body=b"x" * 101).status == 413
    scrape_until(site, "zombie_http_limit_hits_total", 1, limit="max_body")
    scrape_until(site, "zombie_http_requests_total", 1, code="4xx", method="POST")


def test_deaths_are_counted_by_reason(site):
    server = site.server
    victim = server.serving[0]
    os.kill(victim.pid, signal.SIGKILL)
    successor = server.wait_until_replaced(victim)
    server.fetch("/workerKiller?mode=segv")
    eventually(lambda: len([w for w in server.workers.values() if w.is_dead]) == 2, "another dies")
    os.kill(successor.pid, 0)
    metrics = scrape_until(site, "zombie_worker_recovery_seconds_count", 2)
    assert metrics.get("zombie_worker_deaths_total", reason="signal") == 1
    assert metrics.get("zombie_worker_deaths_total", reason="chaos") == 1
    assert metrics.total("zombie_worker_deaths_total") == 2
    assert metrics.get("zombie_worker_respawns_total", reason="signal") == 1
    assert metrics.get("zombie_worker_respawns_total", reason="chaos") == 1
    assert metrics.total("zombie_worker_respawns_total") == 2
    assert site.status()["totals"]["respawns"] == 2
    assert metrics.get("zombie_worker_forks_total") >= 4
    assert metrics.get("zombie_worker_recovery_seconds_sum") < 60


def test_counters_survive_everything(site):
    """A death, a reload, a reload that fails, an upgrade, the admin child's own death."""
    server = site.server
    for _ in range(20):
        assert server.fetch("/hello").status == 200
    before = scrape_until(site, "zombie_http_requests_total", 20, code="2xx", method="GET")

    def assert_nothing_falls():
        nonlocal before
        after = scrape(site)
        assert after.falls_since(before) == []
        before = after

    for worker in server.serving:
        os.kill(worker.pid, signal.SIGKILL)
        server.wait_until_replaced(worker)
        assert_nothing_falls()
    server.send_signal(signal.SIGHUP)
    scrape_until(site, "zombie_reloads_total", 1, result="success")
    assert_nothing_falls()
    assert before.get("zombie_generation") == 2
    process.kill(site.pid)
    server.wait_for_log(r"admin \d+ is ready", 3)
    assert_nothing_falls()
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("zombie-server goes on after an upgrade")
    after = eventually(lambda: _upgraded(site), "the upgraded instance counts")
    assert after.falls_since(before) == []
    assert after.get("zombie_http_requests_total", code="2xx", method="GET") == 20


def _upgraded(site):
    """The admin child is replaced meanwhile, and so may be silent for a moment."""
    try:
        metrics = scrape(site)
    except (ConnectionError, AssertionError, OSError):
        return None
    return metrics if metrics.get("zombie_upgrades_total") == 1 else None


def test_a_slot_that_is_gone_has_no_heartbeat(site):
    assert site.order("scale", {"to": 1}).status == 200
    metrics = scrape_until(site, "zombie_workers_serving", 1)
    assert metrics.get("zombie_workers") == 1
    heartbeat = "zombie_worker_heartbeat_age_seconds"
    eventually(lambda: scrape(site).labels(heartbeat, "slot") == {"1"}, "only slot 1 has one")
