"""The live page by itself, before an admin child that is made up."""

import re

import pytest

import page
from lib.browser import DOWN, ENTER, RIGHT, TAB
from lib.fake_admin import BOUNDS, PAGE, TOKEN, FakeAdmin, read_page
from lib.wait import eventually

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"


@pytest.fixture
def fake():
    with FakeAdmin() as made:
        yield made


@pytest.fixture
def shown(browser, fake):
    page.show(browser, fake.url, 4)
    return browser


def tile(slot):
    return f'[data-slot="{slot}"]'


def test_file_is_small_and_needs_nothing_else():
    text = read_page()
    assert len(text.encode()) < 46_000, PAGE
    assert re.findall(r"(?:src|href)=\"(?!data:|#|status\")[^\"]*\"", text) == []
    assert re.findall(r"\s(?:style|on[a-z]+)=[\"']", text) == []
    assert re.findall(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text) == []


def test_instance_and_slots_are_shown(shown):
    assert "1eb2e374-9795-42eb-af8b-80a0a3466921" in shown.text("#instance")
    assert shown.text("#version") == "0.1.0"
    assert shown.texts(".tile .name .state") == ["serving"] * 5
    assert "worker 3" in shown.text(tile(3))
    assert "4003" in shown.text(tile(3))
    assert page.complaints(shown) == []


def test_dead_worker_is_shown_before_its_successor(shown, fake):
    page.watch(shown, 2)
    born = fake.die(2, "killed by SIGSEGV")
    shown.wait_for_text(tile(2), f"worker {born}")
    died, *_, risen = page.seen(shown)
    assert (died["state"], died["worker"]) == ("died", 2)
    assert "killed by SIGSEGV" in "".join(each["text"] for each in page.seen(shown))
    assert (risen["state"], risen["worker"]) == ("serving", born)
    shown.wait_for_text("#announcer", "Slot 2: worker 2 killed by SIGSEGV")


def test_death_that_no_event_told_is_noticed(shown, fake):
    page.watch(shown, 1)
    death = {"worker": 1, "cause": "left", "kind": "left", "ago_ms": 0}
    fake.status["processes"][0].update(worker=9, last_death=death)
    fake.publish()
    shown.wait_for_text(tile(1), "worker 9")
    assert page.seen(shown)[0]["state"] == "died"


def test_worker_that_made_way_has_not_died(shown, fake):
    page.watch(shown, 1)
    fake.status["processes"][0]["worker"] = 9
    fake.publish()
    shown.wait_for_text(tile(1), "worker 9")
    assert {each["state"] for each in page.seen(shown)} == {"serving"}


def test_planned_end_is_shown_without_an_alarm(shown, fake):
    page.watch(shown, 2)
    whom = {"worker": 2, "slot": 2, "pid": 4002}
    fake.tell("leaving", "a reload", **whom)
    fake.tell("death", "exited with status 0, replaced already", **whom)
    fake.status["processes"][1].update(worker=9, pid=4009)
    fake.status["totals"].update(deaths=7, retired=4)
    fake.publish()
    shown.wait_for_text(tile(2), "worker 9")
    died, *_, risen = page.seen(shown)
    assert (died["state"], died["worker"]) == ("left", 2)
    assert (risen["state"], risen["worker"]) == ("serving", 9)
    fake.die(3)  # the next announcement is about this one alone
    shown.wait_for_text("#announcer", "Slot 3: worker 3 killed by SIGKILL")
    assert shown.count("#events .death:not(.planned)") == 1
    shown.wait_for_text("#facts", "Deaths\n4\nrespawns: 1")


def server_of(name, state, **more):
    return {"name": name, "address": name, "state": state, "backup": False, "weight": 1,
            "connections": 0, "fails": 0, "requests": 0, "failures": 0, "latency_ms": None,
            "error_ago_ms": None, **more}  # fmt: skip


def test_upstreams_are_shown_when_there_are_any(shown, fake):
    assert shown.text("#upstreams") == ""
    states = ["up", "down", "drained", "unhealthy", "ejected", "failed", "busy", "resolving"]
    servers = [server_of(f"10.0.0.{i}:80", state) for i, state in enumerate(states)]
    servers[0].update(requests=1234, connections=2, latency_ms=1.25, backup=True)
    servers[7].update(name="app.test:80", address=None)
    fake.status["upstreams"] = [{"title": HOSTILE, "balance": "ip_hash", "servers": servers}]
    fake.publish()
    shown.wait_for_text("#upstreams", "1 of 8 servers up")
    rows = shown.texts("#servers li")
    for row, server in zip(rows, servers):
        assert server["name"] in row and server["state"] in row
    assert "2 conns, 1,234 requests, 0 failures, 1.3 ms" in rows[0]
    assert HOSTILE in shown.text("#servers h3") and "ip_hash" in shown.text("#servers h3")
    shapes = shown.run("return [...document.querySelectorAll('#servers .shape')]"
                       ".map(node => getComputedStyle(node).clipPath + node.parentNode"
                       ".querySelector('.state').textContent);")  # fmt: skip
    assert len(set(shapes)) == len(states)
    servers[2]["state"] = "up"
    fake.publish()
    shown.wait_for_text("#upstreams", "2 of 8 servers up")
    shown.resize(360, 740)
    assert not page.is_wider_than_shown(shown)
    fake.status["upstreams"] = []
    fake.publish()
    eventually(lambda: shown.text("#upstreams") == "", "they are gone")
    assert page.complaints(shown) == []


def test_each_state_has_a_word_and_a_shape(shown, fake):
    states = ["empty", "starting", "serving", "draining", "killed", "backoff", "held"]
    like = fake.status["processes"][0]
    fake.status["processes"] = [
        {**like, "slot": slot, "state": state} for slot, state in enumerate(states, 1)]  # fmt: skip
    fake.status["workers"] = len(states)
    fake.publish()
    eventually(lambda: shown.texts("#tiles .state") == states, "each state has its word")
    shapes = shown.run("return [...document.querySelectorAll('#tiles .shape')]"
                       ".map(node => getComputedStyle(node).clipPath);")  # fmt: skip
    assert len(set(shapes)) == len(states)


def test_request_is_shown_when_it_is_slow(shown, fake):
    request = {"method": "GET", "path": "/slow", "client": "10.1.2.3:4", "elapsed_ms": 0}
    fake.status["processes"][0]["request"] = {**request, "elapsed_ms": 2500}
    fake.status["processes"][1]["request"] = request
    fake.publish()
    shown.wait_for_text(tile(1), "GET /slow for 10.1.2.3:4, ")
    assert "/slow" not in shown.text(tile(2))


def test_text_of_the_server_is_never_markup(shown, fake):
    process = fake.status["processes"][0]
    process["request"] = {
        "method": "GET", "path": HOSTILE, "client": HOSTILE, "elapsed_ms": 5000}  # fmt: skip
    process["last_death"] = {"worker": 9, "cause": HOSTILE, "kind": "exit", "ago_ms": 1}
    fake.status["hostname"] = fake.status["state"] = HOSTILE
    fake.tell(HOSTILE, HOSTILE)
    fake.publish()
    shown.wait_for_text("#events", HOSTILE)
    shown.wait_for_text(tile(1), HOSTILE)
    assert shown.count("img, main script, #events img") == 0
    assert shown.run("return document.title") != "owned"
    assert page.complaints(shown) == []


def test_events_are_newest_first_and_at_most_200(shown, fake):
    for number in range(300):
        fake.tell("death" if number % 100 == 0 else "ready", f"number {number}")
    fake.publish()
    shown.wait_for_text("#events li:first-child", "number 299")
    assert shown.count("#events li") == 200
    shown.click("#filter")
    assert [text.split()[-1] for text in shown.texts("#events li")] == ["200", "100"]


def test_storm_of_deaths_is_one_announcement(shown, fake):
    for slot in (1, 2, 3, 4):
        fake.die(slot)
    shown.wait_for_text("#announcer", "4 workers have died")


def test_latency_is_that_of_the_last_two_seconds(shown, fake):
    assert shown.text("#p50") == "-"
    fake.latencies[0] = 10**9  # before the first reading
    eventually(lambda: fake.n_readings >= 1, "the page reads the metrics")
    readings = fake.n_readings
    eventually(lambda: fake.n_readings > readings, "the page reads them again")
    fake.latencies[BOUNDS.index(0.005)] += 90
    fake.latencies[BOUNDS.index(0.5)] += 10
    shown.wait_for_text("#p50", "3.2 ms")
    assert (shown.text("#p95"), shown.text("#p99")) == ("300 ms", "460 ms")
    eventually(lambda: shown.text("#p99") == "-", "no traffic, no latency")


def test_stream_goes_on_where_it_was(shown, fake):
    fake.tell("ready", "the first")
    fake.publish()
    shown.wait_for_text("#events", "the first")
    fake.cut()
    eventually(lambda: fake.asked_since == [0, 1], "the page is back and knows what it has")
    assert shown.text("#banner") == ""


def test_events_of_another_instance_begin_anew(shown, fake):
    fake.tell("ready", "of the old one")
    fake.publish()
    shown.wait_for_text("#events", "of the old one")
    fake.status["instance"] = "00000000-0000-4000-8000-000000000000"
    fake.events.clear()
    fake.tell("start", "of the new one")
    fake.publish()
    shown.wait_for_text("#events", "of the new one")
    assert fake.asked_since == [0, 0]
    assert "of the old one" not in shown.text("#events")


def test_reading_may_need_the_token(browser):
    with FakeAdmin(must_have_token=True) as fake:
        browser.open(fake.url)
        browser.wait_for_text("#token-dialog", "Token")
        assert browser.text("#problem") == "wrong token"
        browser.type("#token", TOKEN + ENTER)
        eventually(lambda: browser.count("#tiles > li") == 4, "tiles are shown")
        assert browser.text("#token-dialog") == browser.text("#banner") == ""


def test_buttons_give_orders(shown, fake):
    assert shown.texts(".order") == []
    page.unlock(shown, TOKEN)
    shown.wait_for_text("#lock", "Lock")
    shown.click("#more")
    shown.wait_for_text("#answer", "scale is done")
    shown.click(f'{tile(2)} [aria-label="Restart Slot 2"]')
    shown.wait_for_text(tile(2), "restart is done")
    shown.click('[aria-label="Kill Slot 3"]')
    shown.press(ENTER)  # the first one is Cancel
    assert shown.text("#confirm") == ""
    shown.click('[aria-label="Kill Slot 3"]')
    shown.click("#confirm-yes")
    shown.wait_for_text(tile(3), "kill is done")
    assert fake.orders == [("/scale", {"by": 1}), ("/restart", {"slot": 2}),
                           ("/kill", {"slot": 3, "signal": "KILL"})]  # fmt: skip


def test_no_kill_button_without_chaos(shown, fake):
    page.unlock(shown, TOKEN)
    eventually(lambda: len(shown.texts(".kill")) == 4, "kill buttons are shown")
    fake.status["chaos"] = False
    fake.publish()
    eventually(lambda: shown.texts(".kill") == [], "and are gone")


def test_thousand_slots_are_usable(browser):
    with FakeAdmin(1024) as fake:
        page.show(browser, fake.url, 1024)
        assert browser.run("return [...document.querySelectorAll('#tiles .name')]"
                           ".filter(node => node.tabIndex === 0).length;") == 1  # fmt: skip
        browser.run("document.querySelector('#tiles .name').focus();")
        browser.press(RIGHT, RIGHT, DOWN, ENTER)
        opened = browser.run("return Number(document.activeElement.parentNode.dataset.slot);")
        assert opened > 4
        browser.wait_for_text(tile(opened), f"pid\n{4000 + opened}")
        page.watch(browser, 1000)
        born = fake.die(1000)
        eventually(lambda: page.seen(browser)[-1:] and page.seen(browser)[-1]["worker"] == born,
                   "a death among them is shown")  # fmt: skip
        browser.resize(360, 740)
        assert not page.is_wider_than_shown(browser)


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_nothing_needs_to_be_scrolled_sideways(shown, fake, width):
    fake.status["totals"]["requests"] = 10**15
    fake.status["hostname"] = "a-host-name-that-is-as-long-as-they-come." * 3
    fake.publish()
    shown.wait_for_text("#facts", "1,000,000,000,000,000")
    page.unlock(shown, TOKEN)
    shown.resize(width, 740)
    assert not page.is_wider_than_shown(shown)


def test_who_wants_no_motion_gets_none(shown, fake):
    shown.prefer(reduced_motion="reduce")
    page.watch(shown, 1)
    fake.die(1)
    shown.run("window.moved = 0; addEventListener('animationstart', () => window.moved++);")
    fake.die(2)
    eventually(lambda: len(page.seen(shown)) > 1, "a death is shown")
    assert shown.run("return window.moved;") == 0


def test_tab_reaches_all_buttons(shown):
    page.unlock(shown, TOKEN)
    eventually(lambda: len(shown.texts(".kill")) == 4, "kill buttons are shown")
    page.reached_by_tab(shown, TAB)
    assert page.not_visited(shown) == []
