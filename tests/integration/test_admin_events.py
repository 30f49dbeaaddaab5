"""The stream of the admin site: events as they happen, and the status when it changes."""

import json
import os
import signal

import pytest

from lib.admin import TOKEN, Site
from lib.burden import Burden
from lib.client import Disconnected
from lib.control import Client
from lib.wait import eventually

BACKLOG_MAX = 1 << 20  # of one stream, in bytes

@pytest.fixture
def site(start):
    server = start("admin.listen=127.0.0.1:0", f"admin.token={TOKEN}")
    server.wait_for_log(r"admin \d+ is ready")
    return Site(server)


def catch_up(stream):
    """Read on until everybody has begun; returns the number of that event."""
    for _ in range(3):
        last, _ = stream.until("event", lambda event: event["event"] == "ready")
    return last


def workers(status):
    return {one["worker"] for one in status["processes"] if one["state"] == "serving"}


@pytest.mark.smoke
@pytest.mark.valgrind
def test_a_death_is_seen(site):
    victim = site.server.serving[0]
    with site.stream() as stream:
        assert stream.status == 200
        assert stream.fields["Content-Type"] == "text/event-stream"
        assert stream.fields["Cache-Control"] == "no-store"
        assert stream.fields["X-Accel-Buffering"] == "no"
        stream.until("status", lambda status: victim.id in workers(status))
        os.kill(victim.pid, signal.SIGKILL)
        _, death = stream.until("event", lambda event: event["event"] == "death")
        assert (death["worker"], death["slot"]) == (victim.id, victim.slot)
        _, ready = stream.until("event", lambda event: event["event"] == "ready")
        assert ready["slot"] == victim.slot
        stream.until("status", lambda status: ready["worker"] in workers(status)
                     and victim.id not in workers(status))  # fmt: skip


def test_who_comes_back_misses_nothing(site):
    with site.stream() as stream:
        last = catch_up(stream)
    for worker in site.server.serving:
        os.kill(worker.pid, signal.SIGKILL)
        site.server.wait_until_replaced(worker)
    with site.stream(**{"Last-Event-ID": str(last)}) as stream:
        numbers = []
        while len(numbers) < 6:  # a death, a birth and a READY of two
            name, number, _ = stream.next()
            numbers += [number] if name == "event" else []
    assert numbers == list(range(last + 1, last + 7))


def test_the_admin_childs_successor_knows_what_was(site):
    with site.stream() as stream:
        last = catch_up(stream)
    before = site.pid
    os.kill(before, signal.SIGKILL)
    site.server.wait_for_log(r"admin \d+ is ready", 2)
    with site.stream(**{"Last-Event-ID": str(last)}) as stream:
        number, death = stream.until("event", lambda event: event["event"] == "death")
    assert (number, death["role"], death["pid"]) == (last + 1, "admin", before)


def test_calm_and_traffic_are_told(site):
    """The status comes again when nothing happens, and shows what does."""
    with site.stream() as stream:
        for _ in range(2):
            stream.until("status", lambda status: status["totals"]["requests"] == 0)
        for _ in range(7):
            assert site.server.fetch("/hello").status == 200
        stream.until("status", lambda status: status["totals"]["requests"] == 7)


def test_streams_end_when_the_server_stops(site):
    with site.stream() as stream, site.stream() as other:
        for one in (stream, other):
            one.until("status", lambda status: True)
        site.server.send_signal(signal.SIGTERM)
        for one in (stream, other):
            while one.next():
                pass
        assert site.server.wait() == 0


def test_sixty_four_streams_and_no_more(site):
    streams = [site.stream() for _ in range(64)]
    assert {stream.status for stream in streams} == {200}
    assert site.fetch("/events").status == 503
    for stream in streams:
        stream.close()
    eventually(lambda: site.stream().status == 200, "there is room again")


def make_events(client, stream, n=100):
    """Have so many events told, and read them; returns their bytes."""
    for _ in range(n // 10):
        for order in [client.begin("kill", slot=1, signal="CONT") for _ in range(10)]:
            order.done()
    events = [stream.until("event", lambda event: event["event"] == "order") for _ in range(n)]
    return sum(len(json.dumps(event)) for _, event in events)


def test_who_never_reads_costs_little_and_is_closed(start, tmp_path):
    """Over a unix socket: of TCP, the kernel would take megabytes for who does not read."""
    path = str(tmp_path / "s")
    server = start(f"admin.listen=unix:{path}")
    server.wait_for_log(r"admin \d+ is ready")
    site = Site(server, path)
    before = site.pid
    burden = Burden(before)
    with site.stream() as stream, Client(server.control_path) as client:
        deaf = [site.stream() for _ in range(8)]
        told = 0
        while told < 2 * BACKLOG_MAX:
            told += make_events(client, stream)
            burden.look()
        for one in deaf:
            with pytest.raises(Disconnected):  # behind what had been sent before
                while one.next():
                    pass
        assert make_events(client, stream) > 0
    burden.assert_growth_below((len(deaf) + 2) * 2 * BACKLOG_MAX)  # buffers grow by doubling
    assert site.get("/livez").text == "alive\n"
    assert site.pid == before


def test_who_does_not_read_harms_nobody(site):
    deaf = [site.stream() for _ in range(8)]
    with site.stream() as stream:
        for _ in range(5):
            victim = site.server.serving[0]
            os.kill(victim.pid, signal.SIGKILL)
            stream.until("event", lambda event, who=victim.id: event["event"] == "death"
                         and event["worker"] == who)  # fmt: skip
            site.server.wait_until_replaced(victim)
    for one in deaf:
        one.close()
