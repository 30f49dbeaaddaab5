"""The HTTP side of an admin child, made up: for what no real server is brought to in a test."""

import base64
import hashlib
import http.server
import json
import os
import re
import threading
import time

from lib.server import SRCDIR

PAGE = os.path.join(SRCDIR, "src", "admin", "page.html")
TOKEN = "sixteen-or-more-bytes"
BOUNDS = (0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)  # seconds


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def policy(page):
    """The Content-Security-Policy that lets the page's own style and script in, nothing else."""

    def hashed(tag):
        text = re.search(f"<{tag}>(.*)</{tag}>", page, re.S)[1].encode()
        return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"

    return (f"default-src 'none'; style-src {hashed('style')}; script-src {hashed('script')}; "
            "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'")  # fmt: skip


def utc(seconds):
    """A time as the server writes it."""
    fraction = int(seconds % 1 * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{fraction:03}Z"


def _process(role, slot, worker):
    return {
        "role": role, "slot": slot, "worker": worker, "pid": 4000 + worker, "state": "serving",
        "candidate": False, "leaving": False, "generation": 1, "uptime_ms": 90000, "respawns": 0,
        "requests": 0, "requests_per_second": 0.0, "connections": 0, "cpu_percent": 0.0,
        "pss_bytes": 3 << 20, "heartbeat_age_ms": 12, "request": None, "last_death": None,
    }  # fmt: skip


def _status(n_slots):
    return {
        "version": "0.1.0", "instance": "1eb2e374-9795-42eb-af8b-80a0a3466921", "pid": 4000,
        "hostname": "crypt", "state": "serving", "started": utc(time.time() - 90),
        "uptime_ms": 90000, "generation": 1, "upgrades": 0, "last_reload": None, "workers": n_slots,
        "max_workers": 1024, "chaos": True, "listeners": ["http://127.0.0.1:3000"],
        "admin": "http://127.0.0.1:9090",
        "master": {"cpu_percent": 0.1, "pss_bytes": 2 << 20, "rss_bytes": 4 << 20},
        "totals": {"requests": 0, "requests_per_second": 0.0, "connections": 0, "accepted": 0,
                   "received_bytes": 0, "sent_bytes": 0, "respawns": 0, "deaths": 0, "retired": 0},
        "upstreams": [],
        "processes": [*(_process("worker", slot, slot) for slot in range(1, n_slots + 1)),
                      _process("admin", None, n_slots + 1)],
    }  # fmt: skip


class FakeAdmin:
    """
    Serves from the beginning of the block to its end. `status` is what it says,
    for a test to change and then publish(); `orders` what it was told, as (path, body).

    must_have_token: to read, too
    """

    def __init__(self, n_slots=4, must_have_token=False):
        self.status = _status(n_slots)
        self.must_have_token = must_have_token
        self.events = []
        self.orders = []
        self.latencies = [0] * (len(BOUNDS) + 1)  # how many, by bucket
        self.asked_since = []  # the Last-Event-ID of each stream
        self.n_readings = 0  # of the metrics
        self._changed = threading.Condition()
        self._version = 0
        self._has_ended = False
        self._n_cuts = 0
        self._next_worker = n_slots + 2
        outer = self

        class Handler(_Handler):
            fake = outer

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def publish(self):
        """Send the status to all streams."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def tell(self, event, text, **more):
        """Record an event; publish() sends it."""
        self.events.append({
            "seq": len(self.events) + 1, "time": utc(time.time()), "event": event, "worker": None,
            "slot": None, "role": "worker", "pid": None, "generation": 1, "text": text, **more,
        })  # fmt: skip

    def die(self, slot, text="killed by SIGKILL"):
        """The worker of the slot has died and another one serves."""
        process = self.status["processes"][slot - 1]
        dead, born = process["worker"], self._next_worker
        self._next_worker += 1
        whom = {"slot": slot, "pid": process["pid"]}
        self.tell("death", f"{text}, replaced at once", worker=dead, **whom)
        process.update(worker=born, pid=4000 + born, uptime_ms=3, respawns=process["respawns"] + 1,
                       last_death={"worker": dead, "cause": text, "kind": "signal", "ago_ms": 3})
        whom["pid"] = process["pid"]
        self.tell("birth", "in place of one that died", worker=born, **whom)
        self.tell("ready", "after 1 ms", worker=born, **whom)
        self.status["totals"]["deaths"] += 1
        self.status["totals"]["respawns"] += 1
        self.publish()
        return born

    def cut(self):
        """End all streams."""
        with self._changed:
            self._n_cuts += 1
            self._changed.notify_all()

    @property
    def n_cuts(self):
        return self._n_cuts

    def next_messages(self, version, seq, n_cuts):
        """Wait for a change, 2 s at most: (version, status, events after seq), None at the end."""

        def is_over():
            return self._has_ended or self._n_cuts > n_cuts

        with self._changed:
            self._changed.wait_for(lambda: is_over() or self._version > version, 2)
            if is_over():
                return None
            return self._version, self.status, [e for e in self.events if e["seq"] > seq]


class _Handler(http.server.BaseHTTPRequestHandler):
    fake = None

    def log_message(self, *_):
        pass

    def _answer(self, status, body, kind="application/json", **headers):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def _is_refused(self):
        if self.headers["Authorization"] == f"Bearer {TOKEN}":
            return False
        error = {"ok": False, "error": "not-allowed", "text": "wrong token"}
        self._answer(401, error, WWW_Authenticate="Bearer")
        return True

    def do_GET(self):  # noqa: N802
        page = read_page()
        if self.path == "/":
            self._answer(200, page, "text/html", Content_Security_Policy=policy(page))
        elif self.fake.must_have_token and self._is_refused():
            return
        elif self.path == "/events":
            self._stream()
        elif self.path == "/metrics":
            self._answer(200, self._metrics(), "text/plain; version=0.0.4")
        else:
            self._answer(404, {"ok": False, "text": "no such path"})

    def _metrics(self):
        self.fake.n_readings += 1
        lines, total = [], 0
        for bound, n in zip((*BOUNDS, "+Inf"), self.fake.latencies):
            total += n
            lines.append(f'zombie_http_request_duration_seconds_bucket{{le="{bound}"}} {total}\n')
        return "".join(lines)

    def _stream(self):
        seq = int(self.headers["Last-Event-ID"] or 0)
        self.fake.asked_since.append(seq)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        version, n_cuts = -1, self.fake.n_cuts
        while (found := self.fake.next_messages(version, seq, n_cuts)) is not None:
            version, status, events = found
            try:
                for event in events:
                    seq = event["seq"]
                    self._send("event", event, f"id: {seq}\n")
                self._send("status", status)
            except OSError:
                return

    def _send(self, kind, data, more=""):
        self.wfile.write(f"event: {kind}\n{more}data: {json.dumps(data)}\n\n: beat\n".encode())

    def do_POST(self):  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._is_refused():
            return
        if not body and self.path == "/scale":
            self._answer(400, {"ok": False, "error": "bad-argument", "text": "to or by is missing"})
            return
        self.fake.orders.append((self.path, body))
        if self.path == "/kill":
            self.fake.die(body["slot"])
        self._answer(200, {"ok": True, "text": f"{self.path[1:]} is done"})
