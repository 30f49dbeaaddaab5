"""What all servers side by side have in common: the same answers, a start, an end, /proc."""
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import proc
from load import client

PROGRAMS = Path(__file__).resolve().parent / "programs"
BODY = "Hello from a zombie.\n"
TYPE = "text/plain; charset=utf-8"
KB = 1024
FILES = {"1k": KB, "100k": 100 * KB, "10m": 10 * KB * KB, "2m": 2 * KB * KB}
UPLOAD = b'"' + b"z" * (2 * KB * KB - 2) + b'"'
START_S = 60  # under valgrind a start takes long
CHANGE_S = 20
STOP_S = 15
POLL_S = 0.001


def make_files(folder):
    """The files that all of them serve; what is in them is not to be guessed."""
    folder.mkdir()
    for name, size in FILES.items():
        (folder / name).write_bytes(os.urandom(size))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def first_line(*command):
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return (run.stdout + run.stderr).partition("\n")[0].strip()


def wait_until(condition, what, limit_s=CHANGE_S):
    limit = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > limit:
            raise RuntimeError(f"no {what} within {limit_s} s")
        time.sleep(POLL_S)
    return value


class Server:
    """One of them. A subclass says how to start it in command(), and what it can do."""

    name = ""           # in options and tables
    tool = None         # the program it needs, and the Debian package of that
    package = None
    serves_files = True
    uploads = True      # answers POST /upload
    compiled = False    # to machine code
    supervised = True   # somebody replaces a worker that dies
    killer = False      # has /workerKiller
    upgrades = False    # takes SIGUSR2 for an upgrade
    successor = None    # what ends the old master after SIGUSR2 has begotten a new one

    def __init__(self, folder, cores, workers=1, connections=1000):
        self.folder = folder / self.name
        self.files = folder / "files"
        self.cores, self.workers, self.connections = set(cores), workers, connections
        self.port = self.process = self.master = self.start_ms = None
        self.sessions = set()

    @classmethod
    def missing(cls):
        """Why this server cannot take part, or None."""
        if cls.tool is None or shutil.which(cls.tool):
            return None
        return f"there is no {cls.tool} (Debian: {cls.package})"

    @classmethod
    def prepare(cls, folder):
        """What must be done once before the first start, such as to compile it."""

    @classmethod
    def version(cls):
        return first_line(cls.tool, "-v")

    @classmethod
    def program(cls):
        """The executable file."""
        return shutil.which(cls.tool)

    @classmethod
    def unpackaged_folders(cls):
        """What it loads that is of no Debian package, besides its program."""
        return []

    def environment(self):
        return dict(os.environ)

    def command(self):
        raise NotImplementedError

    def start(self, prefix=()):
        """Start it, behind the words of prefix, and wait until it answers and all workers are
        there: that has taken start_ms."""
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        command = [*prefix, *self.command()]
        begin = time.perf_counter()
        with open(self.folder / "log", "wb") as output:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=self.environment(), start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, self.cores))
        self.sessions = {self.process.pid}
        limit = time.monotonic() + START_S
        while not self.serves():
            if self.process.poll() not in (None, 0) or time.monotonic() > limit:
                log = (self.folder / "log").read_text(errors="replace")
                raise RuntimeError(f"no answer: {log[-2000:]}")
            time.sleep(POLL_S)
        self.start_ms = (time.perf_counter() - begin) * 1000

    def find_master(self):
        """The process that all others come from; None as long as there is none."""
        return self.process.pid

    def serves(self):
        self.master = self.find_master()
        return (self.master is not None and len(self.worker_pids()) >= self.workers
                and self.answers())

    def answers(self):
        try:
            return client.ask(self.port, "/hello", limit_s=2)[0] == 200
        except OSError:
            return False

    def pids(self):
        """All its processes, the master first."""
        try:
            return proc.tree(self.master)
        except FileNotFoundError:
            return [self.master]

    def memory_kb(self):
        """Of all its processes; what several share counts once."""
        return sum(map(proc.proportional_kb, self.pids()))

    def worker_pids(self):
        """The processes that serve, the oldest first."""
        return proc.children(self.master)

    def worker(self):
        return self.worker_pids()[-1]

    def changed(self, before):
        """Whether nobody of these is left and all workers are there."""
        now = set(self.worker_pids())
        return len(now) >= self.workers and not now & before

    def reload(self):
        """Replace all workers gently, and wait for it."""
        before = set(self.worker_pids())
        os.kill(self.master, signal.SIGHUP)
        wait_until(lambda: self.changed(before), "new workers")

    def upgrade(self):
        """Run the program anew on the same sockets: a master beside the old one, which then
        leaves."""
        before, old = set(self.worker_pids()), self.master
        os.kill(old, signal.SIGUSR2)
        new = wait_until(lambda: set(proc.children(old)) - before, "new master").pop()
        wait_until(lambda: len(proc.children(new)) >= self.workers, "workers of the new master")
        os.kill(old, self.successor)
        self.master = new
        wait_until(lambda: not any(map(proc.runs, [old, *before])), "end of the old master")

    def stop(self):
        """End it, with all its processes, and wait for it."""
        if self.process is None:
            return
        members = {pid for leader in self.sessions for pid in proc.session(leader)}
        if self.master is not None and proc.runs(self.master):
            os.kill(self.master, signal.SIGTERM)
            limit = time.monotonic() + STOP_S
            while any(map(proc.runs, members)) and time.monotonic() < limit:
                time.sleep(0.005)
        for leader in self.sessions:
            for pid in proc.session(leader):
                proc.kill(pid)
        self.process.wait()
        self.process = self.master = None

    def mistakes(self):
        """What it answers wrongly, in words; none is good."""
        try:
            return self.wrong_answers()
        except OSError as error:
            return [f"{type(error).__name__}: {error}"]

    def wrong_answers(self):
        wanted = {"/hello": BODY.encode()}
        if self.serves_files:
            wanted |= {f"/files/{name}": (self.files / name).read_bytes() for name in FILES}
        found = []
        for path, body in wanted.items():
            status, got = client.ask(self.port, path)
            if (status, got) != (200, body):
                found.append(f"{path}: {status} with {len(got)} bytes, not 200 and {len(body)}")
        if self.uploads:
            status, _ = client.ask(self.port, "/upload", UPLOAD, "application/json")
            if status != 200:
                found.append(f"/upload: {status}")
        return found
