"""Reloads: a configuration that a test rewrites, boots that it holds up, what must follow."""

import contextlib
import ctypes
import os
import platform
import signal

import pytest

from lib import process
from lib.client import Connection
from lib.upgrade import facts, occurrences, settle
from lib.wait import eventually

HALF = "GET /hello HTTP/1.1\r\nHost: zombie.test\r\n"
REST = "\r\n"
HOUR = 3600000

_JSON = {"Accept": "application/json"}
_PATIENT = {"grace_ms": HOUR, "drain_idle_ms": 60000, "boot_timeout_ms": HOUR, "hang_timeout_ms": 0}


class ConfFile:
    """Replaced as editors do it, by rename. Whoever leaves has all the time it wants."""

    def __init__(self, path):
        self.path, self.workers = path, None
        self.write()

    def write(self, rest="", workers=2, listen=("127.0.0.1:0",), **instance):
        """
        listen: addresses, or their sections' content by address
        """
        self.workers = workers
        sections = listen if isinstance(listen, dict) else dict.fromkeys(listen, "")
        options = {"workers": workers, **_PATIENT, **instance}
        lines = [f"{key} = {value}" for key, value in options.items()]
        self.write_text("\n".join([
            "instance {", *lines, "}",
            *(f'listen "{address}" {{ {content} }}' for address, content in sections.items()),
            rest, "",
        ]))  # fmt: skip

    def write_text(self, text):
        replacement = self.path.with_name("new.conf")
        replacement.write_text(text)
        os.rename(replacement, self.path)


@pytest.fixture
def conf(tmp_path):
    return ConfFile(tmp_path / "server.conf")


def with_user(etc, **options):
    """Options of `instance` for a server whose boots `etc` can hold up."""
    pairs = (argument.removeprefix("instance.").split("=") for argument in etc.arguments)
    return {**dict(pairs), **options}


@pytest.fixture
def begin(start, conf):
    """Start a server of which the file says everything."""

    def begin_one(*arguments, wait=True, **options):
        server = start("-c", conf.path, *arguments, workers=None, listen=None, wait=False,
                       **options)  # fmt: skip
        server.n_workers = conf.workers
        if wait:
            server.wait_until_serving()
        return server

    return begin_one


@pytest.fixture
def begin_hanging(begin, conf, etc):
    """Start a server whose boots hang from then on, until they are frozen()."""

    def begin_one(rest="", **options):
        conf.write(rest, **with_user(etc, **options))
        server = begin(preexec=etc.mount)
        etc.make_boots_hang()
        return server

    return begin_one


def identify(connection):
    """The worker that holds the connection."""
    return connection.request("/", headers=_JSON).json["worker"]


@contextlib.contextmanager
def held(server, address=None):
    """A connection with half a request in it, and the worker that has it."""
    with Connection(address or server.address) as connection:
        worker = server.workers[identify(connection)]
        connection.send(HALF)
        connection.holder = worker
        yield connection, worker


def wait_until_told(worker):
    """A worker that leaves may read a request before it reads that it leaves."""
    eventually(lambda: not process.accepts(worker.pid), f"worker {worker.id} does not accept")


def finish(connection):
    """Send the other half of what is held(): the answer is whole, the last of its connection."""
    wait_until_told(connection.holder)
    connection.send(REST)
    response = connection.receive()
    assert (response.status, response.closes) == (200, True)
    assert connection.is_closed()


RELOADED = r"info master: reloaded: generation (\d+) serves after \d+ ms, generation \d+ finishes$"


def wait_until_reloaded(server, n=1):
    """Wait for the n-th reload; returns the generation that serves."""
    return int(server.wait_for_log(RELOADED, n)[1])


def order_reload(server):
    """Reload; the old generation may be there for a while. Returns the generation that serves."""
    done = occurrences(server, RELOADED)
    server.send_signal(signal.SIGHUP)
    return wait_until_reloaded(server, done + 1)


def move_clients(server):
    """As order_reload(), until none of the workers before takes a connection any more."""
    before = server.serving
    order_reload(server)
    for worker in before:
        wait_until_told(worker)


def reload(server, n=None):
    """Reload, and wait until n workers of the new generation, and nobody else, are there."""
    last = max(server.workers)
    generation = order_reload(server)
    server.n_workers = server.n_workers if n is None else n
    settle(server, server.n_workers, last)
    return generation


def reload_in_vain(server, outcome, meanwhile=None):
    """Ask for a reload that comes to this end, and prove that nothing has changed."""
    before = eventually(lambda: facts(server), "the facts before")
    line = rf"^\S+ error master: reload {outcome}, generation \d+ goes on$"
    failures, reloads = occurrences(server, line), occurrences(server, RELOADED)
    server.send_signal(signal.SIGHUP)
    if meanwhile is not None:
        meanwhile()
    server.wait_for_log(line, failures + 1)
    eventually(lambda: facts(server) == before, f"{facts(server)} is again {before}")
    assert occurrences(server, RELOADED) == reloads
    assert server.fetch("/hello").status == 200


def has_open(pid, path):
    """How many descriptors of the process are that file."""
    wanted, n = os.stat(path), 0
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            found = os.stat(f"/proc/{pid}/fd/{fd}")
        except FileNotFoundError:
            continue
        n += (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
    return n


def generations(server):
    """Those that have a worker alive."""
    return {w.generation for w in server.workers.values() if process.is_alive(w.pid)}


@contextlib.contextmanager
def stopped(workers):
    """Workers that do nothing, like those of a machine that is far too busy."""
    pids = [worker.pid for worker in workers]
    for pid in pids:
        process.kill(pid, signal.SIGSTOP)
    eventually(lambda: all(map(process.is_stopped, pids)), "the workers are stopped")
    yield
    for pid in pids:
        process.kill(pid, signal.SIGCONT)


def let_go(etc):
    """End what etc.make_boots_hang() began, also for those that hang."""
    pipe = os.open(etc.groups, os.O_RDWR)
    etc.mend_boots()
    os.close(pipe)  # to whom it hung on, it was an empty file


@contextlib.contextmanager
def frozen(server, etc, *numbers):
    """
    For servers with a user of `etc` whose boots hang: those workers stand still
    in the middle of their boot, all others boot.
    """
    for number in numbers:
        server.wait_for_log(f"worker {number} forked")
    with stopped([server.workers[number] for number in numbers]):
        let_go(etc)
        yield


def kill_all(server):
    for worker in server.serving:
        process.kill(worker.pid)


CAN_MAKE_EXIT = platform.machine() == "x86_64" and "ZOMBIE_WRAPPER" not in os.environ


def make_exit(pid, status):
    """Make a process that sleeps in a system call do exit_group(status) instead, see ptrace(2)."""
    attach, get_registers, set_registers, detach = 16, 12, 13, 17
    rax, rdi, orig_rax, rip, exit_group, syscall_bytes = 10, 14, 15, 16, 231, 2
    registers = (ctypes.c_ulong * 27)()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]

    def trace(request, data=None):
        if libc.ptrace(request, pid, None, data) != 0:
            raise OSError(ctypes.get_errno(), "ptrace")

    eventually(lambda: process.sleeps(pid), "the process sleeps")
    trace(attach)
    os.waitpid(pid, 0)
    trace(get_registers, ctypes.byref(registers))
    registers[rip] -= syscall_bytes
    registers[rax], registers[rdi] = exit_group, status
    registers[orig_rax] = ctypes.c_ulong(-1).value
    trace(set_registers, ctypes.byref(registers))
    trace(detach)
