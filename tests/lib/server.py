"""A zombie-server under test, from its start to the proof that nothing is left of it."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import tempfile
import uuid

from lib import client, log, process
from lib.wait import DEADLINE, eventually

BINARY = os.environ["ZOMBIE_SERVER"]
SRCDIR = os.environ["ZOMBIE_SRCDIR"]

# For servers without /proc, such as workers with another root: LeakSanitizer waits there for ever.
WITHOUT_LEAKS = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

_MARK = "TEST_SERVER_ID"  # in the environment of every process that a server starts
_REPORTS = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer")


def command(*arguments, binary=BINARY):
    """The command line; section.key=value becomes an -o of its own."""
    words = shlex.split(os.environ.get("ZOMBIE_WRAPPER", "")) + [binary]
    for argument in map(str, arguments):
        is_option = re.match(r"(instance|listen|log|http|control|admin|chaos|registry|distributor|route)\..*=", argument)
        words += ["-o", argument] if is_option and words[-1] != "-o" else [argument]
    return words


def environment(**variables):
    """Ours without what would configure the server, plus these."""
    foreign = ("ZOMBIE_", "REGISTRY_")
    ours = {k: v for k, v in os.environ.items() if not k.startswith(foreign) and k != "PORT"}
    return {**ours, **variables}


def run(*arguments, cwd=None, env=None):
    """Run the program to its end: for what answers at once or fails."""
    return subprocess.run(
        command(*arguments), cwd=cwd, env=environment(**(env or {})), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=DEADLINE, check=False,
    )  # fmt: skip


class Server:
    """
    Listens on port 0 of the loopback unless the arguments say where; the log is
    a file in its folder.

    expected_status: what it must exit with; None: anything
    """

    def __init__(self, folder, *arguments, workers=2, listen="127.0.0.1:0", prefix=(), env=None,
                 preexec=None, pass_fds=(), binary=BINARY):  # fmt: skip
        name = uuid.uuid4().hex[:8]
        self.log_path = os.path.join(folder, f"log-{name}")
        # Not in the folder, whose path may be longer than a unix socket's may be.
        self.control_path = os.path.join(tempfile.gettempdir(), f"zombie-{name}.sock")
        self.n_workers = workers
        self.expected_status = 0
        self._mark = str(uuid.uuid4())
        listeners = ["-l", listen] if listen else []
        strength = ["-w", workers] if workers is not None else []  # None: as configured
        self._launch(
            [*prefix, *command(*strength, *listeners, *arguments, binary=binary)], cwd=folder,
            env=environment(**{_MARK: self._mark, "ZOMBIE_CONTROL": self.control_path, **(env or {})}),
            preexec_fn=preexec, pass_fds=pass_fds,
        )  # fmt: skip

    def _launch(self, words, **options):
        with open(self.log_path, "ab") as log_file:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log_file, stderr=log_file,
                start_new_session=True, **options,
            )  # fmt: skip

    # What it says

    @property
    def log(self):
        with open(self.log_path, encoding="utf-8", errors="backslashreplace") as file:
            return file.read()

    @property
    def records(self):
        return log.records(self.log)

    def wait_for_log(self, pattern, count=1):
        """Wait until the pattern has been logged so many times; returns the last match."""
        regex = re.compile(pattern, re.MULTILINE)

        def found():
            matches = list(regex.finditer(self.log))
            return matches[count - 1 :]

        return eventually(found, f"/{pattern}/ in the log, {count} times")[-1]

    @property
    def instance(self):
        return self.wait_for_log(r"zombie-server starts instance=(\S+)")[1]

    # Where it listens

    @property
    def ports(self):
        return [int(port) for port in re.findall(r"listening on http://\S+:(\d+)$", self.log, re.M)]

    @property
    def port(self):
        self.wait_for_log(r"listening on http://\S+:\d+$")
        return self.ports[0]

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    # Who it consists of

    @property
    def pid(self):
        """Of the master."""
        return self.process.pid

    @property
    def workers(self):
        """All workers so far, by id."""
        return log.workers(self.log)

    @property
    def serving(self):
        """The workers that serve now, as far as the log has it."""
        return [w for w in self.workers.values()
                if w.is_ready and not w.is_leaving and not w.is_dead]  # fmt: skip

    def wait_until_serving(self, n=None, after=0):
        """Wait until n workers serve whose ids are larger than `after`."""
        wanted = self.n_workers if n is None else n

        def enough():
            found = [worker for worker in self.serving if worker.id > after]
            return found if len(found) >= wanted else None

        return eventually(enough, f"{wanted} workers after {after} serve")

    def wait_until_replaced(self, worker):
        """Wait for the worker that holds the slot after this one."""

        def successor():
            found = [w for w in self.serving if w.slot == worker.slot and w.id > worker.id]
            return found[0] if found else None

        return eventually(successor, f"worker {worker.id} is replaced")

    # Talking to it

    def connect(self):
        return client.Connection(self.address)

    def fetch(self, target="/", method="GET", headers=None, body=b""):
        return client.fetch(self.address, target, method, headers, body)

    def identity(self):
        return self.fetch("/", headers={"Accept": "application/json"}).json

    # How it ends

    @property
    def has_forked(self):
        """Whether the master is far enough to know what a signal means."""
        return " forked" in self.log or process.children_of(self.process.pid)

    @property
    def has_ended(self):
        return self.process.poll() is not None

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self):
        """The exit status, once it has ended by itself."""
        return self.process.wait(DEADLINE)

    def stop(self, number=signal.SIGTERM):
        """Stop it as an operator would; its exit status must be the expected one."""
        eventually(lambda: self.has_forked or self.has_ended, "the master has workers or has ended")
        if not self.has_ended:
            self.send_signal(number)
        status = self.wait()
        wanted = self.expected_status
        assert wanted in (None, status), f"exit status {status}, not {wanted}"

    def processes(self):
        return process.with_variable(_MARK, self._mark)

    def clean_up(self):
        """Stop it if it runs; whatever happens, leave no process. Returns what was wrong."""
        problems = []
        try:
            # Only to those: to others it would spoil LeakSanitizer's stop at their end.
            for pid in filter(process.is_stopped, self.processes()):
                process.kill(pid, signal.SIGCONT)
            self.stop()
            eventually(lambda: not self.processes(), "no process of the server is left")
        except (AssertionError, subprocess.TimeoutExpired) as error:
            problems.append(str(error))
        for pid in self.processes():
            process.kill(pid)
        pathlib.Path(self.control_path).unlink(missing_ok=True)  # of one that was killed
        if _REPORTS.search(self.log):
            problems.append("a sanitizer reports something in the log")
        return problems


class Daemon(Server):
    """One that goes to background; `result` is what its caller saw, up to the end of its output."""

    def __init__(self, folder, *arguments, **options):
        self.result = None
        super().__init__(folder, "-d", *arguments, **options)

    @property
    def pid(self):
        return int(self.wait_for_log(r"zombie-server starts .*pid=(\d+)")[1])

    def _launch(self, words, **options):
        self.result = subprocess.run(
            [*words, *command(f"log.target={self.log_path}")[-2:]], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=DEADLINE, check=False, **options,
        )  # fmt: skip

    @property
    def log(self):
        return super().log if os.path.exists(self.log_path) else ""

    def stop(self, number=signal.SIGTERM):
        for pid in [self.pid] if self.processes() else []:
            process.kill(pid, number)
        eventually(lambda: not self.processes(), "the daemon ends")
