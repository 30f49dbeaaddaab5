"""The live page of a real server, in a real browser."""

import os
import re
import signal
import time

import pytest

import page
from lib import process
from lib.browser import ENTER, TAB
from lib.load import Kind, Load
from lib.wait import eventually
from watched import TOKEN

TRIES = 3  # a machine may be too busy for a second once, or twice


@pytest.fixture
def shown(browser, watched):
    """The page of a server with two workers and chaos on, as (browser, server)."""
    server = watched("--chaos")
    page.show(browser, server.url, 2)
    return browser, server


def tile(worker):
    return f'[data-slot="{worker.slot}"]'


def test_page_shows_what_there_is(shown):
    browser, server = shown
    assert browser.text("#instance") == server.instance
    eventually(lambda: browser.texts("#tiles .state") == ["serving"] * 2, "both are said to serve")
    for worker in server.serving:
        assert f"worker {worker.id}" in browser.text(tile(worker))
        assert str(worker.pid) in browser.text(tile(worker))
    assert browser.count("#others > li") == 1
    browser.wait_for_text("#events", "ready")
    assert page.complaints(browser) == []


def measure_death(browser, server):
    """Kill a worker; returns after how many ms the page showed the death, and the successor."""
    worker = server.serving[0]
    page.watch(browser, worker.slot)
    begin_ms = 1000 * time.time()
    process.kill(worker.pid)
    successor = server.wait_until_replaced(worker)
    browser.wait_for_text(tile(worker), f"worker {successor.id}")
    browser.wait_for_text(tile(worker), "serving")
    seen = page.seen(browser)
    died = [each for each in seen if each["state"] == "died" and "SIGKILL" in each["text"]]
    risen = [each for each in seen if each["worker"] == successor.id]
    assert died and died[0]["worker"] == worker.id
    return died[0]["ms"] - begin_ms, risen[0]["ms"] - begin_ms


def test_death_and_successor_are_shown_within_a_second(shown, figure):
    browser, server = shown
    for _ in range(TRIES):
        died_ms, risen_ms = measure_death(browser, server)
        figure(f"death shown after {died_ms:.0f} ms, new worker id after {risen_ms:.0f} ms")
        if risen_ms <= 1000:
            break
    assert 0 < died_ms <= risen_ms <= 1000
    browser.wait_for_text("#announcer", "killed by SIGKILL")
    assert "killed by SIGKILL" in "".join(browser.texts("#events .death"))
    assert page.complaints(browser) == []


def test_reload_is_no_alarm(shown):
    browser, server = shown
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("reloaded: generation 2 serves")
    eventually(lambda: browser.count("#events .death") == 3, "the old ones are gone")
    browser.wait_for_text("#facts", "Generation\n2")
    eventually(lambda: browser.texts("#tiles .state") == ["serving"] * 2, "the new ones serve")
    assert browser.count("#events .death:not(.planned)") == 0
    assert "Deaths\n0" in browser.text("#facts")
    assert browser.run("return document.getElementById('announcer').textContent;") == ""


def starts(browser):
    """How many events tell of a start of the instance."""
    return browser.count("#events .start")


def test_admin_child_may_die_as_well(shown):
    browser, server = shown
    dead = server.admin_pid
    process.kill(dead)
    eventually(lambda: server.admin_pid not in (None, dead), "there is another one")
    browser.click("#others .name")
    eventually(lambda: str(server.admin_pid) in browser.text("#others li"), "the page shows it")
    browser.wait_for_text("#others li", "killed by SIGKILL")
    eventually(lambda: browser.text("#banner") == "", "the page is connected")
    assert starts(browser) == 1  # it has asked only for what was new


def test_connection_is_lost_and_comes_back(browser, watched):
    server = watched()
    page.show(browser, server.url, 2)
    port, old = server.admin_port, server.instance
    server.stop()
    browser.wait_for_text("#banner", "Connection lost")
    eventually(lambda: re.search(r"for ([2-9]|\d\d) s", browser.text("#banner")),
               "for how long is said")  # fmt: skip
    server = watched(admin_port=port)
    eventually(lambda: browser.text("#banner") == "", "the page is connected")
    browser.wait_for_text("#instance", server.instance)
    assert server.instance != old
    eventually(lambda: starts(browser) == 1, "only events of this instance are shown")


def test_rates_and_latency_are_shown(shown):
    browser, server = shown
    assert browser.text("#p99") == "-"
    with Load(server.address, [Kind("GET", "/hello")]):
        eventually(lambda: " ms" in browser.text("#p99"), "the latency is shown")
        eventually(lambda: float(browser.text("#rate-text").split()[0].replace(",", "")) > 0,
                   "so are requests per second")  # fmt: skip
    eventually(lambda: browser.text("#p99") == "-", "and without traffic there is no latency")


def test_wrong_token_says_so(shown):
    browser, _ = shown
    page.unlock(browser, "not the right one")
    browser.wait_for_text("#token-error", "not the token")
    assert browser.texts(".order") == []
    browser.click("#token-cancel")
    assert browser.texts(".order") == []


def test_no_token_no_orders(browser, watched):
    server = watched("admin.token=")
    page.show(browser, server.url, 2)
    page.unlock(browser, TOKEN)
    browser.wait_for_text("#token-error", "there is no admin.token")
    assert browser.texts(".order") == []


def test_beyond_the_loopback_reading_needs_the_token(browser, watched):
    server = watched(admin_host="0.0.0.0")
    browser.open(server.url)
    browser.wait_for_text("#token-dialog", "Token")
    assert browser.count("#tiles > li") == 0
    browser.type("#token", TOKEN + ENTER)
    eventually(lambda: browser.count("#tiles > li") == 2, "the slots are shown")
    assert page.complaints(browser) == []


def test_buttons_need_the_token_and_work(shown):
    browser, server = shown
    assert browser.texts(".order") == []
    page.unlock(browser, TOKEN)
    eventually(lambda: len(browser.texts(".kill")) == 2, "there are buttons")

    browser.click("#more")
    eventually(lambda: browser.count("#tiles > li") == 3, "there is a third slot")
    server.wait_until_serving(3)
    browser.click("#fewer")
    eventually(lambda: browser.count("#tiles > li") == 2, "there is none any more")

    [victim] = [worker for worker in server.serving if worker.slot == 1]
    browser.click('[aria-label="Kill Slot 1"]')
    browser.click("#confirm-yes")
    successor = server.wait_until_replaced(victim)
    browser.wait_for_text(tile(victim), f"worker {successor.id}")

    browser.click('[aria-label="Restart Slot 1"]')
    successor = server.wait_until_replaced(successor)
    browser.wait_for_text(tile(victim), f"worker {successor.id}")

    newest = max(server.workers)
    browser.click("#restart-all")
    browser.click("#confirm-yes")
    server.wait_until_serving(2, after=newest)
    browser.wait_for_text("#answer", "2")
    assert page.complaints(browser) == []


def test_token_is_kept_in_the_tab_until_it_is_locked(shown):
    browser, _ = shown
    page.unlock(browser, TOKEN)
    browser.wait_for_text("#restart-all", "Restart all")
    browser.reload()
    browser.wait_for_text("#restart-all", "Restart all")
    browser.click("#lock")
    browser.reload()
    eventually(lambda: browser.count("#tiles > li") == 2, "the page is there")
    assert browser.texts(".order") == []


def test_no_chaos_no_kill_button(browser, watched):
    page.show(browser, watched().url, 2)
    page.unlock(browser, TOKEN)
    browser.wait_for_text("#restart-all", "Restart all")
    assert browser.texts(".kill") == []


def test_tab_reaches_all_buttons(shown):
    browser, _ = shown
    page.unlock(browser, TOKEN)
    eventually(lambda: len(browser.texts(".kill")) == 2, "there are buttons")
    page.reached_by_tab(browser, TAB)
    assert page.not_visited(browser) == []


def test_phone_shows_all_without_scrolling_sideways(shown):
    browser, _ = shown
    page.unlock(browser, TOKEN)
    browser.resize(360, 740)
    eventually(lambda: len(browser.texts(".kill")) == 2, "there are buttons")
    assert not page.is_wider_than_shown(browser)


def background(browser):
    return browser.run("return getComputedStyle(document.body).backgroundColor;")


def test_light_and_dark(shown):
    browser, _ = shown
    browser.prefer(color_scheme="light")
    light = background(browser)
    browser.prefer(color_scheme="dark")
    dark = background(browser)
    assert light != dark
    browser.click("#theme")
    assert (browser.text("#theme"), background(browser)) == ("Theme: light", light)
    browser.reload()
    browser.wait_for_text("#theme", "Theme: light")
    assert background(browser) == light
    browser.click("#theme")
    assert (browser.text("#theme"), background(browser)) == ("Theme: dark", dark)
    assert page.complaints(browser) == []


@pytest.mark.skipif("ZOMBIE_SCREENSHOT" not in os.environ,
                    reason="the picture of the README: set ZOMBIE_SCREENSHOT to its path")  # fmt: skip
def test_screenshot(browser, watched):
    server = watched("--chaos", workers=4)
    browser.prefer(color_scheme="light")
    page.show(browser, server.url, 4)
    kinds = [Kind("short", "/hello", keep_alive=False, clients=3, pause_ms=6),
             Kind("long", "/healthcheck", keep_alive=False, clients=2, pause_ms=9)]  # fmt: skip
    with Load(server.address, kinds) as load:
        for i in range(8):
            load.wait_for_answers(5000)
            process.kill(server.serving[3 * i % 4].pid)
            server.wait_until_serving()
        load.wait_for_answers(3000)
        victim = server.serving[1]
        process.kill(victim.pid)
        browser.wait_for_text(tile(victim), "died")
        browser.screenshot(os.environ["ZOMBIE_SCREENSHOT"])
