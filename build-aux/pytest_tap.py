"""Print pytest's results as TAP, so that automake shows and counts every test.

Replaces the dots of the terminal report; tracebacks and the summary stay. With
pytest-xdist it is the controller that prints, each test when it is over.

A run may come in two parts: many tests side by side, then those that must be
alone. --tap-part chooses, --tap-count has the numbers go on.
"""

import os
import pathlib

import pytest

_TERMINAL = 9  # past the test driver, see AM_TESTS_FD_REDIRECT in Makefile.am
_NAME_MAX = 200  # some parameters are whole requests


def pytest_addoption(parser):
    group = parser.getgroup("tap")
    group.addoption("--tap-part", choices=("together", "alone"),
                    help="only tests without or with the mark `alone`")  # fmt: skip
    group.addoption("--tap-count", type=pathlib.Path, metavar="FILE",
                    help="go on from the number in FILE, leave the last there, print no plan")  # fmt: skip


class TapReport:
    def __init__(self, config):
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._file = config.getoption("tap_count")
        self._count = int(self._file.read_text() or 0) if self._file else 0

    def _line(self, verdict, report, directive=""):
        self._count += 1
        test, bracket, parameters = report.nodeid.partition("[")
        name = test.rpartition("/")[2] + bracket + parameters
        if len(name) > _NAME_MAX:
            name = f"{name[:_NAME_MAX]}...{len(name)}"
        name = name.replace("#", "%23")  # which would begin a directive
        self._terminal.write_line(f"{verdict} {self._count} - {name}{directive}")

    def pytest_runtest_logreport(self, report):
        if report.failed:
            when = "" if report.when == "call" else f" ({report.when})"
            self._line("not ok", report, when)
        elif report.skipped:
            expected = hasattr(report, "wasxfail")
            self._line("not ok" if expected else "ok", report, " # TODO" if expected else " # SKIP")
        elif report.when == "call":
            self._line("ok", report)

    def pytest_sessionfinish(self, exitstatus):
        # 0: all passed, 1: some failed. Anything else (no tests, a broken
        # import) is an incomplete run; TAP says that by having no plan.
        if exitstatus not in (0, 1):
            return
        if self._file:
            self._file.write_text(str(self._count))
        else:
            self._terminal.write_line(f"1..{self._count}")

    def pytest_terminal_summary(self, terminalreporter):
        words = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        stats = terminalreporter.stats
        counts = [f"{len(stats[word])} {word}" for word in words if stats.get(word)]
        if not counts and self._file:
            return
        try:
            os.write(_TERMINAL, f"pytest: {', '.join(counts) or 'no tests'}\n".encode())
        except OSError:
            pass  # run by hand: pytest's own summary is on the terminal


@pytest.hookimpl(trylast=True)  # the terminal reporter comes first
def pytest_configure(config):
    if not hasattr(config, "workerinput"):  # of xdist: it tells the controller
        config.pluginmanager.register(TapReport(config), "tap-report")


def pytest_collection_modifyitems(config, items):
    part = config.getoption("tap_part")
    if part is None:
        return
    wanted, others = [], []
    for item in items:
        is_alone = item.get_closest_marker("alone") is not None
        (wanted if is_alone == (part == "alone") else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = wanted


@pytest.hookimpl(hookwrapper=True)
def pytest_report_teststatus():
    """Keep pytest's categories, which the summary counts, but print no letter for them."""
    outcome = yield
    outcome.force_result((outcome.get_result()[0], "", ""))
