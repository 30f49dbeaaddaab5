"""Print pytest's results as TAP, so that automake shows and counts every test.

Replaces the dots of the terminal report; tracebacks and the summary stay.
"""

import os

import pytest

_TERMINAL = 9  # past the test driver, see AM_TESTS_FD_REDIRECT in Makefile.am


class TapReport:
    def __init__(self, config):
        self._terminal = config.pluginmanager.get_plugin("terminalreporter")
        self._count = 0

    def _line(self, verdict, report, directive=""):
        self._count += 1
        # '#' would begin a directive.
        name = report.nodeid.rpartition("/")[2].replace("#", "%23")
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
        if exitstatus in (0, 1):
            self._terminal.write_line(f"1..{self._count}")

    def pytest_terminal_summary(self, terminalreporter):
        words = ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        stats = terminalreporter.stats
        counts = [f"{len(stats[word])} {word}" for word in words if stats.get(word)]
        try:
            os.write(_TERMINAL, f"pytest: {', '.join(counts) or 'no tests'}\n".encode())
        except OSError:
            pass  # run by hand: pytest's own summary is on the terminal


@pytest.hookimpl(trylast=True)  # the terminal reporter comes first
def pytest_configure(config):
    config.pluginmanager.register(TapReport(config), "tap-report")


@pytest.hookimpl(hookwrapper=True)
def pytest_report_teststatus():
    """Keep pytest's categories, which the summary counts, but print no letter for them."""
    outcome = yield
    outcome.force_result((outcome.get_result()[0], "", ""))
