"""What a worker costs: memory and CPU, as /proc shows them."""

import os
import time

from lib.server import BINARY

_TICKS = os.sysconf("SC_CLK_TCK")


def _has_sanitizer():
    with open(BINARY, "rb") as file:
        return b"__asan_init" in file.read()


# The address sanitizer keeps what was freed for a while.
_QUARANTINE = 512 << 20 if _has_sanitizer() else 0


def memory(pid):
    """Bytes that are in memory because of this process: its share of what is shared, too."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        lines = dict(line.split(":", 1) for line in file if ":" in line)
    return int(lines["Pss"].split()[0]) * 1024


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class Burden:
    """From now on: the largest growth of a process, and its share of one CPU."""

    def __init__(self, pid):
        self._pid = pid
        self._memory = memory(pid)
        self._cpu = cpu_seconds(pid)
        self._start = time.monotonic()
        self.growth = 0  # bytes

    def look(self):
        """Take the present size into account."""
        self.growth = max(self.growth, memory(self._pid) - self._memory)

    def assert_growth_below(self, limit):
        """In bytes; looks once more before."""
        self.look()
        assert self.growth < limit + _QUARANTINE, f"{self.growth} bytes instead of {limit}"

    @property
    def seconds(self):
        return time.monotonic() - self._start

    @property
    def cpu_share(self):
        """CPU time for wall time, 1: all of one CPU."""
        return (cpu_seconds(self._pid) - self._cpu) / self.seconds
