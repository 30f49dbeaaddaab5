"""
A folder in which commands of the documents run as they stand there: with the programs
where the documents have them, and with folders and ports of its own.
"""

import os
import pathlib
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import uuid

from lib import process
from lib.control import HungUp, status
from lib.distributor import BINARY as DISTRIBUTOR
from lib.ports import free_port
from lib.server import BINARY as SERVER
from lib.server import SRCDIR, environment
from lib.wait import DEADLINE, eventually
from lib.zombiectl import BINARY as ZOMBIECTL
from lib.zombiectl import ctl

_MARK = "TEST_SANDBOX_ID"
_ADDRESS = re.compile(r"(?:(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}|\blocalhost|\[::1?\]):(\d{2,5})\b")
_PATH = re.compile(r"""(?<![\w.}/])(?=/(?:etc/zombie-server|run|srv|usr/local|var)/)""")
_HERE = ("0.0.0.0", "127.0.0.1", "localhost")

# What comes to an end by itself although it is called by the name of a server.
_BRIEF = r"(?:^|\s)(?:-[tTVh]|--healthcheck|--status|--version|--help)(?:\s|$)"
_SERVER = r"(?:[A-Z_]+=\S*[\s\\]+)*(?:\S*/)?(?:zombie-server|zombie-distributor|bootstrap run)(?:\s|$)"
# What goes on until somebody has seen enough.
_ENDLESS = r"^\S*zombiectl top|^\S*zombiectl .* -f(?:\s|$)|--watch\b"

# Both programs are found at the folder's ports and sockets unless the words say otherwise.
_WRAPPERS = {
    "zombie-server": (SERVER, """
case " $* " in
*" -l "* | *" -c "* | *" --listen "*) ;;
*) export ZOMBIE_LISTEN="${ZOMBIE_LISTEN:-$SANDBOX_LISTEN}" ;;
esac"""),
    "zombiectl/zombiectl": (ZOMBIECTL, ""),
    "distributor/zombie-distributor": (
        DISTRIBUTOR, '\nset -- "$@" -o "distributor.control=$SANDBOX_DISTRIBUTOR"'),
}  # fmt: skip

# A tree in which everything is built and installed already.
_STUBS = {
    "make": "exit 0",
    "dpkg-query": "printf installed",
    "apt-get": "exit 1",
    "sudo": 'exec "$@"',
}


def is_server(command):
    return bool(re.match(_SERVER, command)) and not re.search(_BRIEF, command)


def is_endless(command):
    return bool(re.search(_ENDLESS, command))


class Sandbox:
    """
    Use as a context: what was started in it is gone behind it.

    files: {name: text} that lie in the folder, with addresses and paths as in documents
    """

    def __init__(self, files):
        # Paths of unix sockets are short.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zs-"))
        self._ports = {}
        self._servers = []
        self._mark = str(uuid.uuid4())
        self._control = self.folder / "control.sock"
        self._make_tree()
        for name, text in files.items():
            self._write(name, self.translate(text))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._stop()
        finally:
            for pid in self._processes():
                process.kill(pid)
            for server in self._servers:
                server.wait(DEADLINE)
            shutil.rmtree(self.folder)

    def _processes(self):
        return process.with_variable(_MARK, self._mark)

    def _stop(self):
        """At once, but orderly: LeakSanitizer bears no SIGKILL while it looks."""
        for server in self._servers:
            if server.poll() is None:
                server.send_signal(signal.SIGINT)
        eventually(lambda: not self._processes(), "no process is left")
        self.check()

    def _write(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def _make_tree(self):
        for name in "run/zombie-server", "srv/web/run", "usr/local/sbin", "var/log", "var/cache":
            (self.folder / name).mkdir(parents=True)
        for name, (binary, more) in _WRAPPERS.items():
            run = f"{os.environ.get('ZOMBIE_WRAPPER', '')} {shlex.quote(binary)}"
            self._write(f"build/src/{name}", f'#!/bin/sh{more}\nexec {run} "$@"\n', 0o755)
            self._write(f"bin/{os.path.basename(name)}", f'#!/bin/sh{more}\nexec {run} "$@"\n', 0o755)
        for name, text in _STUBS.items():
            self._write(f"bin/{name}", f"#!/bin/sh\n{text}\n", 0o755)
        for name in "zombie-server.conf", "production.conf", "development.conf":
            text = pathlib.Path(SRCDIR, "conf", name).read_text(encoding="utf-8")
            self._write(f"etc/zombie-server/{name}", self.translate(text))
        for name in "srv/web/run", "run/zombie-server":
            (self.folder / name / "control.sock").symlink_to(self._control)
        self._write(".curlrc", "fail\nsilent\nshow-error\nmax-time = 20\n")
        self._make_checkout()

    def _make_checkout(self):
        """What ./bootstrap needs to find that nothing is to be done."""
        text = pathlib.Path(SRCDIR, "bootstrap").read_text(encoding="utf-8")
        self._write("bootstrap", self.translate(text), 0o755)
        (self.folder / "man").symlink_to(os.path.join(SRCDIR, "man"))
        for name in "build-aux/count-tests", "Makefile.in", "configure", "build/Makefile":
            source = pathlib.Path(SRCDIR, name)
            text = source.read_text(encoding="utf-8") if name.startswith("build-aux") else ""
            self._write(name, text or "CMOCKA_LIBS = yes\nPYTHON3 = yes\n", 0o755)
        for name in "m4", "src", "tests", "build/tests":
            (self.folder / name).mkdir(exist_ok=True)
        for name in "configure.ac", "Makefile.am":
            self._write(name, "")
        os.utime(self.folder / "configure.ac", (0, 0))
        os.utime(self.folder / "Makefile.am", (0, 0))

    def port(self, host, number):
        """The port of ours that stands for one of the documents."""
        key = ("127.0.0.1" if host in _HERE else host, number)
        if key not in self._ports:
            self._ports[key] = free_port()
        return self._ports[key]

    def translate(self, text):
        """The text with addresses on the loopback, and with paths within the folder."""

        def here(match):
            host = match[0].rpartition(":")[0]
            return f"127.0.0.1:{self.port(host, match[1])}"

        return _PATH.sub(str(self.folder), _ADDRESS.sub(here, text))

    def _environment(self):
        return environment(**{
            _MARK: self._mark,
            "HOME": str(self.folder),
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
            "TERM": "xterm",
            "SANDBOX_LISTEN": f"127.0.0.1:{self.port('127.0.0.1', '3000')}",
            "SANDBOX_DISTRIBUTOR": str(self.folder / "distributor.sock"),
            "ZOMBIE_CONTROL": str(self._control),
            "ZOMBIE_ADMIN_TOKEN": "a-token-for-this-sandbox",
        })  # fmt: skip

    def _open(self, command, **options):
        return subprocess.Popen(["bash", "-c", self.translate(command)], cwd=self.folder,
                                env=self._environment(), start_new_session=True, **options)  # fmt: skip

    def run(self, command):
        """As a reader would: servers until they serve, the rest to its end; fails if that does."""
        if is_server(command):
            self._serve(command)
        elif is_endless(command):
            self._watch(command)
        else:
            self._finish(command)

    def wait_for_service(self, name):
        """Until the registry has an instance of it that may be asked."""
        eventually(lambda: ctl(self._control, "discover", name).stdout, f"{name} is found")

    def check(self):
        """No server has ended other than well."""
        ended = [server.poll() for server in self._servers]
        assert not any(ended), f"exit statuses {ended}"

    def _finish(self, command):
        running = self._open(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)  # fmt: skip
        try:
            output, _ = running.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            output, _ = running.communicate()
            raise AssertionError(f"{command}: goes on for ever: {output}") from None
        assert running.returncode == 0, f"{command}: status {running.returncode}: {output}"

    def _watch(self, command):
        """Something is to be seen, and ^C ends it."""
        master, slave = pty.openpty()
        with self._open(command, stdin=slave, stdout=slave, stderr=slave) as running:
            os.close(slave)
            try:
                ready, _, _ = select.select([master], [], [], DEADLINE)
                output = os.read(master, 4096) if ready else b""
                os.killpg(running.pid, signal.SIGINT)
                status = running.wait(DEADLINE)
            finally:
                running.kill()
                os.close(master)
        assert output and status in (0, 130, -signal.SIGINT), f"{command}: {status}: {output}"

    def _serve(self, command):
        name = self.folder / f"output-{len(self._servers)}"
        # In the background it would be nobody's child, and its end would go unseen.
        command = re.sub(r"\s*&\s*$", "", command)
        with open(name, "wb") as output:
            server = self._open(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self._servers.append(server)
        serves = self._distributes if "zombie-distributor" in command else self._answers
        eventually(lambda: server.poll() is not None or serves(), f"{command} serves")
        said = name.read_text(encoding="utf-8")
        assert server.poll() is None, f"{command}: status {server.poll()}: {said}"

    def _distributes(self):
        return (self.folder / "distributor.sock").exists()

    def _answers(self):
        try:
            processes = status(self._control)["processes"]
        except (OSError, HungUp):
            return False
        return bool(processes) and all(one["state"] == "serving" for one in processes)
