"""A ZooKeeper server of its own for a test, with short sessions, and a client that is not ours."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import threading
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NoNodeError

from lib.ports import free_port
from lib.wait import eventually

_JARS = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"

# A session lasts for two of these at least.
TICK_MS = 200

# What a server under test asks for, so that a few seconds show what becomes of it.
TTL_MS = 3000


class ZooKeeper:
    """A server in a folder, which may stop and start again."""

    def __init__(self, folder):
        self.folder = folder
        self.port = free_port()
        self.process = None
        folder.mkdir()
        (folder / "zoo.cfg").write_text(
            f"tickTime={TICK_MS}\ndataDir={folder}/data\nclientPort={self.port}\n"
            "clientPortAddress=127.0.0.1\nadmin.enableServer=false\nmaxSessionTimeout=60000\n"
            "4lw.commands.whitelist=ruok,dump\n"
        )
        self.start()

    @property
    def url(self):
        return f"zookeeper://127.0.0.1:{self.port}"

    def options(self, root="", **more):
        """What makes a server register here, below a root of its own."""
        settings = {"type": "zookeeper", "url": self.url + root, "app": "shop", "ttl_ms": TTL_MS,
                    "heartbeat_ms": 500, "timeout_ms": 1000, "down_delay_ms": 0, **more}  # fmt: skip
        return [word for key, value in settings.items() for word in ("-o", f"registry.{key}={value}")]

    @property
    def log(self):
        return (self.folder / "log").read_text()

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["java", "-Xms16m", "-Xmx96m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                 "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", _JARS,
                 "org.apache.zookeeper.server.ZooKeeperServerMain", self.folder / "zoo.cfg"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        eventually(self._is_well, "ZooKeeper says imok")

    def ask(self, word):
        """One of its commands of four letters."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as link:
            link.sendall(word.encode())
            return b"".join(iter(lambda: link.recv(65536), b"")).decode()

    def _is_well(self):
        assert self.process.poll() is None, self.log
        with contextlib.suppress(OSError):
            return self.ask("ruok") == "imok"

    def sessions(self):
        """The numbers of those that are open."""
        listed = self.ask("dump").partition("ephemeral nodes")[0]
        return {line.strip() for line in listed.splitlines() if line.strip().startswith("0x")}

    def stop(self):
        self.process.kill()
        self.process.wait()

    @contextlib.contextmanager
    def held(self):
        """Stopped in the middle of all it does, and heard of again afterwards."""
        os.kill(self.process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process.pid, signal.SIGCONT)


class Registry:
    """What the foreign client sees below /services."""

    def __init__(self, zookeeper, root=""):
        self.zookeeper, self.root, self.services = zookeeper, root, f"{root}/services"
        self.client = KazooClient(f"127.0.0.1:{zookeeper.port}", timeout=20)
        self.client.start(timeout=30)

    def options(self, **more):
        return self.zookeeper.options(self.root, **more)

    def path(self, server):
        return f"{self.services}/shop/127.0.0.1:{server.port}"

    def names(self, app="shop"):
        try:
            return sorted(self.client.get_children(f"{self.services}/{app}"))
        except NoNodeError:
            return []

    def node(self, app="shop"):
        """Value and ZooKeeper's record of the only one, or None."""
        for name in self.names(app):
            with contextlib.suppress(NoNodeError):
                value, stat = self.client.get(f"{self.services}/{app}/{name}")
                return {"name": name, **json.loads(value)}, stat
        return None

    def wait_for(self, app="shop", seconds=30, **members):
        """Wait for the only node to have these; returns its value and record."""

        def found():
            node = self.node(app)
            return node if node and members.items() <= node[0].items() else None

        return eventually(found, f"a node of {app} with {members}", seconds)

    def wait_for_successor(self, stat, app="shop"):
        """The same node, of another session."""
        return eventually(
            lambda: (node := self.node(app)) and node[1].ephemeralOwner != stat.ephemeralOwner and node,
            "a node of another session",
        )  # fmt: skip

    def close(self):
        self.client.stop()
        self.client.close()


class Gaps:
    """Asks all the time whether there is a node; `longest` in seconds, with how long asking takes."""

    def __init__(self, registry, app="shop"):
        self.longest, self.n_asked = 0.0, 0
        self._registry, self._app = registry, app
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        last = time.monotonic()
        while not self._over.is_set():
            began = time.monotonic()
            if self._registry.names(self._app):
                last = time.monotonic()
            self.n_asked += 1
            # What counts is from the last answer with it to the question behind that.
            self.longest = max(self.longest, began - last)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()
