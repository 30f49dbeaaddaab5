"""The cluster under chaos: a server with all its roles, what it needs, and what is known of it."""

import contextlib
import os
import signal
import threading
import time
import types

from ledger import Ledger
from lib import enrolled, process
from lib.client import Disconnected, fetch
from lib.load import Kind, Load, Loss, WrongAnswer, reason_of
from lib.wait import eventually
from small_disk import mounted
from witness import Journal

MIB = 1 << 20
BIG_BYTES = 8 * MIB
BODY = b"z" * 16384
PATIENCE = 60  # seconds for an answer: a machine that does other things as well is no failure

LOAD = [
    Kind("GET keep-alive", "/hello", pause_ms=10, asks_who=True),
    Kind("GET keep-alive with pauses", "/hello", pause_ms=200, clients=8, asks_who=True),
    Kind("GET new connection", "/hello", pause_ms=20, keep_alive=False),
    Kind("GET proxied", "/behind", pause_ms=20, asks_who=True),
    Kind("POST keep-alive", "/sink", "POST", BODY, pause_ms=20, asks_who=True),
    Kind("POST new connection", "/sink", "POST", BODY, pause_ms=20, keep_alive=False),
]

_REGISTRIES = {"consul": enrolled.Consul, "eureka": enrolled.Eureka}


class Errand(threading.Thread):
    """
    A client of its own, in the background. deed(errand) returns what came of
    it; what it loses is in `loss`.

    worker: that has its connection, if known
    """

    def __init__(self, name, deed):
        super().__init__(name=name, daemon=True)
        self.deed, self.outcome, self.loss = deed, None, None
        self.worker, self.step = None, ""
        self.began = time.time()
        self.start()

    def run(self):
        try:
            self.outcome = self.deed(self)
        except (OSError, Disconnected, WrongAnswer, ValueError, AssertionError) as error:
            self.loss = Loss(self.name, reason_of(error, self.step), self.began, time.time(),
                             self.worker, repr(error))  # fmt: skip


class Cluster:
    """
    Starts in the folder with what the plan has; `stack` ends all but the server.
    A disk that may be filled takes root.
    """

    def __init__(self, start, folder, plan, stack):
        self.folder = folder
        self.n_workers = plan.workers
        self.generation = 0
        self.ledger = Ledger()
        self.losses = []  # of errands
        self.errands = []
        self.has_disk = self._make_disk(stack)
        self.registry = stack.enter_context(_REGISTRIES[plan.registry]())
        (folder / "behind.conf").write_text('route "/behind" { handler = text body = "behind" }')
        self.behind = start("-c", folder / "behind.conf", workers=1)
        self.registry.put("api", "behind", port=self.behind.port)
        self.root = folder / "root"
        self.root.mkdir(mode=0o755)
        with open(self.root / "big", "wb") as file:
            file.truncate(BIG_BYTES)
        self.conf = folder / "cluster.conf"
        self.write_conf()
        self.server = start("-c", self.conf, workers=None, wait=False)
        self.server.n_workers = plan.workers
        self.server.wait_until_serving()
        self.pid, self.instance = self.server.pid, self.server.instance
        self.address = self.server.address
        self.journal = Journal(self.server)
        self._n_deaths = 0

    def _make_disk(self, stack):
        self.disk = self.folder / "disk"
        self.access_log, self.cache = self.disk / "access", self.disk / "cache"
        try:
            stack.enter_context(mounted(self.disk, "16m"))
        except OSError:
            return False
        return True

    def write_conf(self):
        """The next generation of it; the path /generation tells which one serves."""
        self.generation += 1
        kind = self.registry
        fresh = self.conf.with_name("fresh")
        fresh.write_text(f"""
            instance {{ workers = {self.n_workers}  hang_timeout_ms = 3000  grace_ms = 30000
                        backoff_max_ms = 1000  max_memory = 48M }}
            listen "127.0.0.1:0" {{ }}
            http {{ min_rate = 0  header_ms = 60000  max_connections = 1000 }}
            admin {{ listen = "127.0.0.1:0" }}
            chaos {{ enabled = yes }}
            access_log {{ target = "{self.access_log}"  flush_ms = 100
                          format = "$status $request_uri" }}
            registry {{ type = {kind.TYPE}  url = "{kind.url}"  heartbeat_ms = 200
                        ttl_ms = 60000  timeout_ms = 1000  refresh_ms = 200
                        cache_file = "{self.cache}" }}
            upstream "api" {{ from_registry = yes }}
            route "/behind" {{ handler = proxy  upstream = api }}
            route "/sink" {{ handler = not_found  max_body = 64M }}
            route "/big" {{ handler = files  root = "{self.root}" }}
            route "/generation" {{ handler = text  body = "{self.generation}" }}
        """)
        os.rename(fresh, self.conf)

    # --- What is known of it ----------------------------------------------------------------

    def look(self):
        """Take in what the log has, and what errands have brought home. The master must live."""
        assert not self.server.has_ended, f"the master has ended: {self.server.process.returncode}"
        self.journal.read()
        for when, worker, _ in self.journal.deaths[self._n_deaths :]:
            self.ledger.note_death(worker, when)
        self._n_deaths = len(self.journal.deaths)
        over = [one for one in self.errands if not one.is_alive()]
        self.errands = [one for one in self.errands if one.is_alive()]
        self.losses += [one.loss for one in over if one.loss]

    @property
    def victims(self):
        self.look()
        return self.journal.serving

    def said(self, pattern, since):
        """The text of the first such line of the log after so many lines, or None."""
        return next((text for _, _, text in self.journal.lines[since:] if pattern.search(text)),
                    None)  # fmt: skip

    def death_of(self, worker):
        return next((text for _, number, text in self.journal.deaths if number == worker), None)

    def role_pid(self, role):
        """Of the child of that role; None: there is none, or there are two."""
        found = [pid for pid in process.children_of(self.pid)
                 if process.status_of(pid).get("Name") == f"zombie-{role}"]  # fmt: skip
        return found[0] if len(found) == 1 else None

    @property
    def is_registered(self):
        address = types.SimpleNamespace(port=self.address[1])
        return self.registry.state_of(address) == self.registry.UP

    # --- What is done to it -----------------------------------------------------------------

    def send(self, name, deed):
        """A client on an errand."""
        self.errands.append(Errand(name, deed))
        return self.errands[-1]

    @contextlib.contextmanager
    def under_load(self):
        self.registry.go()  # or the process of the load would listen there, too
        with Load(self.address, LOAD, PATIENCE) as load:
            self.registry.come()
            yield load

    def fetch(self, target):
        return fetch(self.address, target)

    def settle(self):
        """
        The strength that the file says, by the generation that it says: TTIN or
        another reload that waited may come after the first one, so thrice.
        """
        for _ in range(3):
            self.write_conf()
            since = self.server.log.count("reloaded: ")
            self.server.send_signal(signal.SIGHUP)
            eventually(lambda since=since: self.server.log.count("reloaded: ") > since,
                       "a last reload succeeds", PATIENCE)  # fmt: skip
        self.wait_for_strength()
        assert self.fetch("/generation").text == str(self.generation)

    def wait_for_strength(self):
        """All workers serve, both roles are there, and nobody else."""

        def is_whole():
            self.look()
            names = sorted(process.status_of(pid).get("Name", "?")
                           for pid in process.children_of(self.pid))  # fmt: skip
            wanted = ["zombie-admin", "zombie-herald", *["zombie-worker"] * self.n_workers]
            return names == wanted and len(self.journal.serving) == self.n_workers

        eventually(is_whole, f"{self.n_workers} workers, admin and herald are there", PATIENCE)
        eventually(lambda: self.is_registered, "it is registered", PATIENCE)

    @property
    def n_heartbeats(self):
        """That the registry has seen."""
        return len(self.registry.lines(self.registry.HEARTBEAT))

    def wait_for_heartbeats(self, n):
        """So many more."""
        wanted = self.n_heartbeats + n
        eventually(lambda: self.n_heartbeats >= wanted, "the herald's heart beats", PATIENCE)

    def rest(self):
        """Until the herald has done all that it does at first."""
        self.wait_for_heartbeats(3)
        eventually(self.cache.exists, "the cache file is there", PATIENCE)

    def upgrade(self):
        since = self.server.log.count("goes on after an upgrade")
        self.server.send_signal(signal.SIGUSR2)
        self.server.wait_for_log("goes on after an upgrade", since + 1)
        self.wait_for_strength()


@contextlib.contextmanager
def running(start, folder, plan):
    with contextlib.ExitStack() as stack:
        yield Cluster(start, folder, plan, stack)
