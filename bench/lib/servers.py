"""The servers side by side: each with one worker, on one core, with the same answers."""
import json
import os
import re
import shutil
import signal
import socket
import string
import subprocess
import time
from pathlib import Path

from lib import client, proc

PEERS = Path(__file__).resolve().parent.parent / "peers"
BODY = "Hello from a zombie.\n"
TYPE = "text/plain; charset=utf-8"
KB = 1024
FILES = {"1k": KB, "100k": 100 * KB, "10m": 10 * KB * KB, "2m": 2 * KB * KB}
UPLOAD = b'"' + b"z" * (2 * KB * KB - 2) + b'"'
START_S = 60  # under valgrind a start takes long
STOP_S = 15


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


class Server:
    """One of them. Subclasses say how to start it in command(), and its tool if it needs one."""

    name = ""
    tool = None
    package = None

    def __init__(self, folder, core, connections):
        self.folder = folder / self.name
        self.files = folder / "files"
        self.core, self.connections = core, connections
        self.port, self.process, self.pids = None, None, []
        self.lacks = {}  # path: why this server cannot answer there

    @classmethod
    def missing(cls):
        """Why this server cannot take part, or None."""
        if cls.tool is None or shutil.which(cls.tool):
            return None
        return f"{cls.name}: skipped, there is no {cls.tool} (Debian: {cls.package})"

    def version(self):
        return first_line(self.tool, "-v")

    def environment(self):
        return dict(os.environ)

    def command(self):
        raise NotImplementedError

    def start(self, prefix=()):
        """Start it, behind the words of prefix, and wait until it answers."""
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        log = self.folder / "log"
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [*prefix, *self.command()], stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, env=self.environment(), start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, {self.core}))
        limit = time.monotonic() + START_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"no answer: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)
        self.pids = proc.tree(self.process.pid)

    def answers(self):
        try:
            return client.ask(self.port, "/hello")[0] == 200
        except OSError:
            return False

    def worker(self):
        """The process that serves."""
        return self.pids[-1]

    def stop(self):
        """End it, with all its processes, and wait for it."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.pids = proc.tree(self.process.pid)
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.pids[1:]:
            try:
                if os.getsid(pid) == self.process.pid:
                    os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process = None

    def mistakes(self):
        """What it answers wrongly, in words; none is good. Known lacks do not count."""
        try:
            return self.wrong_answers()
        except OSError as error:
            return [f"{type(error).__name__}: {error}"]

    def wrong_answers(self):
        wanted = {"/hello": BODY.encode()}
        wanted |= {f"/files/{name}": (self.files / name).read_bytes() for name in FILES}
        found = []
        for path, body in wanted.items():
            if path not in self.lacks:
                status, got = client.ask(self.port, path)
                if (status, got) != (200, body):
                    found.append(f"{path}: {status} with {len(got)} bytes, not 200 and {len(body)}")
        if "/upload" not in self.lacks:
            status, _ = client.ask(self.port, "/upload", UPLOAD, "application/json")
            if status != 200:
                found.append(f"/upload: {status}")
        return found


class Zombie(Server):
    """Ourselves. What this build has no handler for goes to lacks."""

    name = "zombie"
    program = "build/src/zombie-server"

    # Tried one by one: a build may lack the handler, or not have the limit.
    OPTIONAL = {
        "/files/": 'route "/files/" {{ handler = files  root = "{files}" }}',
        "/upload": 'route "/upload" {{ handler = json }}',
    }
    UNLIMITED = ("http.keepalive_requests=0", "http.keepalive_total_ms=0",
                 "http.max_connections_per_client=0")

    def version(self):
        return first_line(self.program, "-V")

    def write(self, name, routes):
        text = [
            "instance { workers = 1  hang_timeout_ms = 0  boot_timeout_ms = 60000 }",
            f'listen "127.0.0.1:{self.port}" {{}}',
            "log { level = warning }",
            f"http {{ max_connections = {self.connections}  max_body_bytes = 4194304 }}",
            f'route "/hello" {{ handler = text  body = {json.dumps(BODY)}'
            f"  content_type = '{TYPE}' }}"]
        path = self.folder / name
        path.write_text("\n".join(text + routes) + "\n", encoding="ascii")
        return str(path)

    def refusal(self, routes, *options):
        """Why this program refuses routes or options, or None."""
        run = subprocess.run([self.program, "-t", "-c", self.write("trial.conf", routes), *options],
                             capture_output=True, text=True, check=False)
        lines = run.stderr.strip().splitlines()
        return (lines or ["refused"])[0] if run.returncode else None

    def command(self):
        routes = []
        for pattern, route in self.OPTIONAL.items():
            route = route.format(files=self.files)
            if (why := self.refusal([route])) is None:
                routes.append(route)
                continue
            why = re.sub(r"^.*trial\.conf:\d+: ", "", why)
            names = [f"/files/{name}" for name in FILES] if pattern == "/files/" else [pattern]
            self.lacks |= dict.fromkeys(names, why)
        options = [f"-o{option}" for option in self.UNLIMITED
                   if self.refusal([], f"-o{option}") is None]
        return [self.program, "-c", self.write("bench.conf", routes), *options]


class Nginx(Server):
    """nginx: return 200 for text, sendfile for files; an upload is read and discarded.

    It closes idle connections when less than a sixteenth of its own are free.
    """

    name, tool, package = "nginx", "nginx", "nginx-light"

    def command(self):
        template = string.Template((PEERS / "nginx.conf").read_text(encoding="ascii"))
        conf = self.folder / "nginx.conf"
        connections = self.connections * 5 // 4
        conf.write_text(template.substitute(
            user="user root;" if os.geteuid() == 0 else "", folder=self.folder, files=self.files,
            descriptors=connections + 100, connections=connections,
            port=self.port, type=TYPE, body=BODY), encoding="ascii")
        return ["nginx", "-e", str(self.folder / "nginx.log"), "-c", str(conf)]


class Node(Server):
    """node: http and cluster, whose first process hands out the connections."""

    name, tool, package = "node", "node", "nodejs"

    def command(self):
        return ["node", str(PEERS / "node.js"), str(self.port), str(self.files), TYPE, BODY]

    def answers(self):
        return super().answers() and len(proc.tree(self.process.pid)) > 1


class Go(Server):
    """Go's net/http, compiled on the spot."""

    name, tool, package = "go", "go", "golang-go"

    def version(self):
        return first_line("go", "version")

    def environment(self):
        return {**os.environ, "GOMAXPROCS": "1", "GO111MODULE": "off",
                "GOCACHE": str(self.folder / "cache")}

    def command(self):
        program = self.folder / "server"
        if not program.exists():
            subprocess.run(["go", "build", "-o", program, PEERS / "server.go"], check=True,
                           env=self.environment())
        return [str(program), str(self.port), str(self.files), TYPE, BODY]


KINDS = {kind.name: kind for kind in (Zombie, Nginx, Node, Go)}
