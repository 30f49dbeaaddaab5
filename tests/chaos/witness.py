"""What a witness of a running server sees: in /proc, and in its log as it grows."""

import contextlib
import datetime
import os
import re
import resource

from lib import log, process
from lib.wait import eventually

_TICKS = os.sysconf("SC_CLK_TCK")


def children(pid):
    """In the order of their birth, those that wait to be reaped included."""
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def zombies(pid):
    """The children that have ended and were not reaped."""
    return [child for child in children(pid)
            if process.status_of(child).get("State", "?")[0] == "Z"]  # fmt: skip


def cpu_seconds(pid):
    """Of its own, without its children."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS


def descriptors(pid):
    """What each open descriptor is, sorted, without the numbers of sockets and the like."""
    found = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            found.append(re.sub(r":\[\d+\]", "", os.readlink(f"/proc/{pid}/fd/{fd}")))
    return sorted(found)


def resident_kb(pid):
    return int(process.status_of(pid)["RssAnon"].split()[0])


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"(?m)^Pss:\s+(\d+) kB", file.read())[1])


def limit(pid, which, soft):
    """Change a soft limit of a running process; returns the one before."""
    before, hard = resource.prlimit(pid, which)
    resource.prlimit(pid, which, (soft, hard))
    return before


def leave_no_descriptor(pid):
    """Lower the limit so that no number below it is free; returns the limit before."""
    taken = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    lowest = next(fd for fd in range(len(taken) + 1) if fd not in taken)
    return limit(pid, resource.RLIMIT_NOFILE, lowest)


class Journal:
    """The log of a server, read once however often it is asked."""

    def __init__(self, server):
        self._path = server.log_path
        self._offset = 0
        self._workers = {}  # by id
        self.ready = []  # (time in seconds since the epoch, worker id), in the order of the log
        self.deaths = []  # the same with the text of the line
        self.generation = 1  # the last one forked for
        self.complaints = []  # lines of level error
        self.lines = []  # (time, level, text) of all, whoever says it
        self.read()

    def read(self):
        """Take in what is new; returns it as pairs of time and text."""
        with open(self._path, "rb") as file:
            file.seek(self._offset)
            new = file.read()
        new = new[: new.rfind(b"\n") + 1]
        self._offset += len(new)
        lines = []
        for line in new.decode(errors="backslashreplace").splitlines():
            match = log.LINE.fullmatch(line)
            if match:
                stamp = datetime.datetime.fromisoformat(match["time"].replace("Z", "+00:00"))
                lines.append((stamp.timestamp(), match["rest"]))
                self.lines.append((stamp.timestamp(), match["level"], match["rest"]))
                self._take(stamp.timestamp(), match)
        return lines

    def _take(self, when, line):
        if line["level"] == "error":
            self.complaints.append(line["rest"])
        event = re.match(r"worker (\d+) (forked|is ready|leaves|hangs|died)", line["rest"])
        if line["role"] != "master" or not event:
            return
        number = int(event[1])
        if event[2] == "forked":
            fields = dict(re.findall(r" (\w+)=(\d+)", line["rest"]))
            self._workers[number] = log.Worker(number, int(fields["slot"]), int(fields["pid"]))
            self.generation = int(fields["generation"])
        elif event[2] == "is ready":
            self._workers[number].is_ready = True
            self.ready.append((when, number))
        elif event[2] == "died":
            self._workers[number].is_dead = True
            self.deaths.append((when, number, line["rest"]))
        else:
            self._workers[number].is_leaving = True

    @property
    def forked(self):
        """The ids of all workers there ever were, as far as read."""
        return sorted(self._workers)

    @property
    def serving(self):
        """The workers that serve, as far as read; the oldest first."""
        return [worker for worker in self._workers.values()
                if worker.is_ready and not worker.is_leaving and not worker.is_dead]  # fmt: skip

    def wait_for_strength(self, n):
        """Wait until n workers serve and no other process is left; returns them."""

        def is_whole():
            self.read()
            alive = [worker.pid for worker in self._workers.values() if not worker.is_dead]
            serving = self.serving
            return serving if sorted(alive) == sorted(w.pid for w in serving) else []

        return eventually(lambda: len(is_whole()) == n and self.serving, f"exactly {n} serve")


class Scales:
    """Weighs a master before and after: descriptors, memory, CPU."""

    def __init__(self, server):
        self.pid = server.pid
        self.descriptors = descriptors(self.pid)
        self.resident_kb, self.pss_kb = resident_kb(self.pid), pss_kb(self.pid)
        self.cpu = cpu_seconds(self.pid)

    def cpu_percent(self, seconds):
        """Of one core, since the beginning, which was so long ago."""
        return 100 * (cpu_seconds(self.pid) - self.cpu) / seconds

    def assert_nothing_leaked(self, memory_kb=1024):
        """Returns what to say about it."""
        now = descriptors(self.pid)
        assert now == self.descriptors, f"descriptors: {self.descriptors} before, {now} after"
        resident, pss = resident_kb(self.pid), pss_kb(self.pid)
        assert resident - self.resident_kb <= memory_kb, f"{self.resident_kb} -> {resident} kB"
        assert zombies(self.pid) == []
        return (f"{len(now)} descriptors as before, RSS {self.resident_kb} -> {resident} kB, "
                f"PSS {self.pss_kb} -> {pss} kB, no zombies")  # fmt: skip
