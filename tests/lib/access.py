"""Servers that keep an access log, and what stands in it."""

import os
import re

import pytest

from lib.wait import eventually

COMMON = re.compile(
    r"(?P<remote_addr>\S+) - (?P<remote_user>\S+) "
    r"\[(?P<time_local>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\] "
    r'"(?P<request>[^"]*)" (?P<status>\d{3}) (?P<body_bytes_sent>\d+)'
)
COMBINED = re.compile(COMMON.pattern + r' "(?P<referer>[^"]*)" "(?P<user_agent>[^"]*)"')

HOUR = 3600000
MINUTE = 60000  # the longest flush_ms: no test waits for it


class AccessLog:
    """A file that a server appends to, and those that it was moved to."""

    def __init__(self, path):
        self.path = str(path)
        self.moved = []

    def arguments(self, **options):
        """The words of a command line for a log with these options."""
        pairs = {"target": self.path, **options}
        settings = [f"access_log.{key}={value}" for key, value in pairs.items()]
        return [word for setting in settings for word in ("-o", setting)]

    def section(self, **options):
        """The same for a configuration file."""
        pairs = {"target": self.path, **options}
        return "".join(["access_log {", *(f" {key} = '{pairs[key]}'" for key in pairs), " }\n"])

    @property
    def text(self):
        """All of it; what is in a file must be whole lines."""
        pieces = []
        for path in [*self.moved, self.path]:
            if os.path.isfile(path):
                with open(path, encoding="utf-8") as file:
                    pieces.append(file.read())
        return "".join(pieces)

    @property
    def lines(self):
        return self.text.splitlines()

    def wait_for(self, n):
        """Wait until there are n lines, which must be all."""
        eventually(lambda: len(self.lines) >= n, f"{n} lines in {self.path}")
        lines = self.lines
        assert len(lines) == n, lines
        return lines

    def has(self, pattern):
        return any(re.search(pattern, line) for line in self.lines)

    def move(self):
        """As logrotate does."""
        self.moved.append(f"{self.path}.{len(self.moved) + 1}")
        os.rename(self.path, self.moved[-1])


@pytest.fixture
def access(tmp_path):
    return AccessLog(tmp_path / "access.log")


@pytest.fixture
def start_logged(start, access, tmp_path):
    """Start a server with that log, and these lines of a configuration file."""

    def start_one(*arguments, conf="", workers=1, log=None, **options):
        (tmp_path / "access.conf").write_text(conf)
        return start("-c", tmp_path / "access.conf", *access.arguments(**(log or {})), *arguments,
                     workers=workers, **options)  # fmt: skip

    return start_one
