"""A real etcd: one server in a folder of its own, and etcdctl as the foreign client."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import threading

from lib import process
from lib.ports import free_port
from lib.wait import DEADLINE, eventually

PROGRAMS = ("etcd", "etcdctl")
ROOT = "root:known-to-the-tests-only"

# An election of one needs no time, and with it the shortest lease becomes one second.
_HASTE = ("--heartbeat-interval=50", "--election-timeout=500")


class Etcd(contextlib.AbstractContextManager):
    """
    One that runs from the beginning of the block to its end, with stops in between.

    authority: with one it speaks TLS, with a certificate that this one has signed
    """

    def __init__(self, folder, authority=None):
        self._data = folder / "etcd"
        self._log = folder / "etcd.log"
        self._authority = authority
        self._certificate = authority.sign("etcd") if authority else None
        self._scheme = "https" if authority else "http"
        self._process = None
        self.port = self._peer_port = None
        self.user = None  # whom etcdctl logs in as

    def __enter__(self):
        for _ in range(5):
            self.port, self._peer_port = free_port(), free_port()
            self._launch()
            if self._is_up_or_ended():
                return self
        raise AssertionError(f"etcd does not start: {self._log.read_text()}")

    def __exit__(self, *_):
        self.kill()

    @property
    def url(self):
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    # Life and death

    def _launch(self):
        peer = f"http://127.0.0.1:{self._peer_port}"
        words = ["etcd", "--data-dir", self._data, *_HASTE,
                 "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                 "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                 "--initial-cluster", f"default={peer}"]  # fmt: skip
        if self._certificate:
            words += ["--cert-file", self._certificate[0], "--key-file", self._certificate[1]]
        env = {k: v for k, v in os.environ.items() if not k.startswith("ETCD")}
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, env=env)  # fmt: skip

    def _is_up_or_ended(self):
        """Whether it serves; False: it has ended, as somebody else has its port."""

        def settled():
            return self._process.poll() is not None or self._is_healthy()

        eventually(settled, "etcd serves or ends")
        return self._process.poll() is None

    def _is_healthy(self):
        try:
            self.ctl("get", "nothing", "--command-timeout=1s")
            return True
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False

    def start(self):
        """Start it again, with what it had."""
        self._launch()
        assert self._is_up_or_ended(), f"etcd does not start: {self._log.read_text()}"

    def kill(self):
        if self._process is None:
            return
        process.kill(self.pid)
        self._process.wait(DEADLINE)

    def wipe(self):
        """What it has on its disk is gone."""
        shutil.rmtree(self._data)

    @contextlib.contextmanager
    def frozen(self):
        """Connections to it stay, and nothing comes."""
        process.kill(self.pid, signal.SIGSTOP)
        eventually(lambda: process.is_stopped(self.pid), "etcd is stopped")
        try:
            yield
        finally:
            process.kill(self.pid, signal.SIGCONT)

    # What it has, as its own client sees it

    def ctl(self, *arguments):
        words = ["etcdctl", "--endpoints", self.url]
        words += ["--cacert", self._authority.file] if self._authority else []
        words += ["--user", self.user] if self.user else []
        env = {k: v for k, v in os.environ.items() if not k.startswith("ETCD")}
        done = subprocess.run([*words, *arguments], env={**env, "ETCDCTL_API": "3"},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=DEADLINE, check=True)  # fmt: skip
        return done.stdout

    def put(self, key, value):
        self.ctl("put", key, json.dumps(value))

    def delete(self, key):
        self.ctl("del", key)

    def members(self, service="api", prefix="/services"):
        """Its members by their name, as objects."""
        folder = f"{prefix}/{service}/"
        lines = self.ctl("get", "--prefix", folder).splitlines()
        return {key.removeprefix(folder): json.loads(value)
                for key, value in zip(lines[::2], lines[1::2])}  # fmt: skip

    def leases(self):
        return self.ctl("lease", "list").splitlines()[1:]

    def record(self, key):
        """What etcd knows of a key, with create_revision and lease; None: there is none."""
        found = json.loads(self.ctl("get", key, "--write-out=json")).get("kvs")
        return found[0] if found else None

    def revoke(self, lease):
        self.ctl("lease", "revoke", format(lease, "x"))

    def require_login(self):
        """From now on everybody has to log in; ctl() does so as root."""
        self.ctl("user", "add", ROOT)
        self.ctl("user", "grant-role", "root", "root")
        self.ctl("auth", "enable")
        self.user = ROOT

    def enable_auth(self, user="joe", password="secret of joe", prefix="/services/"):
        """The same; this user may write below the prefix."""
        self.ctl("role", "add", "writer")
        self.ctl("role", "grant-permission", "writer", "--prefix=true", "readwrite", prefix)
        self.ctl("user", "add", f"{user}:{password}")
        self.ctl("user", "grant-role", user, "writer")
        self.require_login()


class Relay(contextlib.AbstractContextManager):
    """Stands between a client and a port of the loopback."""

    def __init__(self, port):
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.connections = 0
        self._mute = 0  # connections up to this one pass nothing on
        self._sockets = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for one in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def mute(self):
        """Connections that are there stay, and nothing goes through them any more."""
        self._mute = self.connections

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                self.connections += 1
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(*pair, self.connections),
                                     daemon=True).start()  # fmt: skip

    def _pass_on(self, source, target, number):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if number > self._mute:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)
