"""Chromium without a window, driven by chromedriver in the W3C's WebDriver protocol."""

import base64
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess

from lib.wait import DEADLINE, eventually

PROGRAMS = ("chromedriver", "chromium")
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name for a reference to one
_ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-proxy-server", "--force-device-scale-factor=1", "--lang=en",
)  # fmt: skip

TAB = "\ue004"
ENTER = "\ue007"
RIGHT = "\ue014"
DOWN = "\ue015"


class WebDriverError(Exception):
    """A command that chromedriver refuses, or a script that has thrown."""


class Browser(contextlib.AbstractContextManager):
    """
    One tab of a browser that knows nothing of any other, from the beginning of
    the block to its end.

    folder: for its profile and chromedriver's log
    """

    def __init__(self, folder, width=1280, height=800):
        self._folder = str(folder)
        self._size = (width, height)
        self._driver = None
        self._connection = None
        self._session = None

    def __enter__(self):
        self._start_driver()
        try:
            self._start_session()
            self.resize(*self._size)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self._session is not None:
            with contextlib.suppress(OSError, http.client.HTTPException, WebDriverError):
                self._call("DELETE", "")
            self._session = None
        # A session of its own: the browser's processes are in the same group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._driver.pid, signal.SIGKILL)
        self._driver.wait(DEADLINE)

    def _start_driver(self):
        path = os.path.join(self._folder, "chromedriver.log")
        with open(path, "wb") as log:
            self._driver = subprocess.Popen(
                ["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, env={**os.environ, "HOME": self._folder},
            )  # fmt: skip

        def port():
            with open(path, encoding="utf-8", errors="replace") as log:
                return re.search(r"successfully on port (\d+)", log.read())

        found = eventually(port, "chromedriver listens")
        self._connection = http.client.HTTPConnection("127.0.0.1", int(found[1]), timeout=DEADLINE)

    def _start_session(self):
        profile = os.path.join(self._folder, "profile")
        capabilities = {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {
                "binary": shutil.which("chromium"),
                "args": [*_ARGUMENTS, f"--user-data-dir={profile}"],
            },
        }
        self._session = ""
        value = self._request("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})
        self._session = value["sessionId"]

    def _request(self, method, path, body=None):
        data = None if body is None else json.dumps(body)
        self._connection.request(method, path, data, {"Content-Type": "application/json"})
        value = json.loads(self._connection.getresponse().read())["value"]
        if isinstance(value, dict) and "error" in value:
            raise WebDriverError(f"{value['error']}: {value['message']}")
        return value

    def _call(self, method, command, body=None):
        return self._request(method, f"/session/{self._session}{command}", body)

    def devtools(self, command, **parameters):
        """A command of the DevTools protocol, for what WebDriver has none."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})

    # What is shown, and how

    def open(self, url):
        self._call("POST", "/url", {"url": url})

    def reload(self):
        self._call("POST", "/refresh", {})

    def resize(self, width, height):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)  # fmt: skip

    def prefer(self, **features):
        """What the user prefers: color_scheme="dark", reduced_motion="reduce"."""
        media = [{"name": f"prefers-{name.replace('_', '-')}", "value": value}
                 for name, value in features.items()]  # fmt: skip
        self.devtools("Emulation.setEmulatedMedia", features=media)

    def screenshot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self._call("GET", "/screenshot")))

    def console(self):
        """What the page has made the browser complain about since the last call."""
        return [f"{entry['level']} {entry['message']}"
                for entry in self._call("POST", "/se/log", {"type": "browser"})]  # fmt: skip

    # Reading

    def run(self, script, *arguments):
        """What the body of a function returns; its arguments are arguments[0], ..."""
        return self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector):
        """As a reader sees it; "" when there is no such element, or a hidden one."""
        return self.run("const node = document.querySelector(arguments[0]);"
                        "return node && node.checkVisibility() ? node.innerText : '';",
                        selector)  # fmt: skip

    def texts(self, selector):
        """Of all elements that can be seen."""
        return self.run("return [...document.querySelectorAll(arguments[0])]"
                        ".filter(node => node.checkVisibility()).map(node => node.innerText);",
                        selector)  # fmt: skip

    def count(self, selector):
        return self.run("return document.querySelectorAll(arguments[0]).length;", selector)

    def wait_for_text(self, selector, part):
        return eventually(lambda: part in self.text(selector), f"{selector} says {part!r}")

    # Acting

    def _find(self, selector):
        found = self._call("POST", "/element", {"using": "css selector", "value": selector})
        return f"/element/{found[_ELEMENT]}"

    def click(self, selector):
        self._call("POST", f"{self._find(selector)}/click", {})

    def type(self, selector, text):
        self._call("POST", f"{self._find(selector)}/value", {"text": text})

    def press(self, *keys):
        """Keys to whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})  # fmt: skip
