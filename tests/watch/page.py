"""What the tests of the live page have in common: looking at it, and unlocking it."""

from lib.browser import ENTER
from lib.wait import eventually

# What happens to the tile of a slot, with the time of each change in ms since 1970.
_WATCH = """
const tile = document.querySelector(`[data-slot="${arguments[0]}"]`);
const seen = window.seen = [];
const look = () => seen.push({
  ms: performance.timeOrigin + performance.now(), state: tile.dataset.state,
  worker: Number(tile.querySelector(".who span:last-child").textContent), text: tile.innerText,
});
new MutationObserver(look).observe(
    tile, {attributes: true, childList: true, characterData: true, subtree: true});
"""


def show(browser, url, tiles):
    """Open the page and wait until it shows so many slots."""
    browser.open(url)
    eventually(lambda: browser.count("#tiles > li") == tiles, f"{tiles} tiles are shown")


def watch(browser, slot):
    """Note from now on what changes in the slot's tile; for seen()."""
    browser.run(_WATCH, slot)


def seen(browser):
    return browser.run("return window.seen;")


def unlock(browser, token):
    browser.click("#lock")
    browser.type("#token", token + ENTER)


def is_wider_than_shown(browser):
    """Whether one would have to scroll sideways to see all of the page."""
    return browser.run("const page = document.documentElement;"
                       "return page.scrollWidth > page.clientWidth;")  # fmt: skip


def complaints(browser):
    """What the browser complains about, but for refusals that a test has asked for."""
    return [line for line in browser.console() if "Failed to load resource" not in line]


def reached_by_tab(browser, tab):
    """The elements that Tab visits, one after the other, from the top to the end of the page."""
    browser.run("window.visited = []; document.activeElement.blur();"
                "addEventListener('focusin', event => visited.push(event.target));")  # fmt: skip
    for _ in range(browser.count("button, input, [tabindex], a") + 2):
        browser.press(tab)


def not_visited(browser):
    """The buttons that can be seen and that reached_by_tab() has not visited."""
    return browser.run("return [...document.querySelectorAll('button')]"
                       ".filter(node => node.checkVisibility() && !visited.includes(node))"
                       ".map(node => node.ariaLabel || node.innerText);")  # fmt: skip
