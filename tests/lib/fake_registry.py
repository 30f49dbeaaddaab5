"""What fake registries have in common: an HTTP server that can be away, and can misbehave."""

import base64
import contextlib
import http.server
import json
import socket
import threading
import urllib.parse

from lib.wait import DEADLINE, eventually


class Answer(Exception):
    """Ends the handling of a request: status, body (text or what becomes JSON), header fields."""

    def __init__(self, status, body="", **fields):
        super().__init__(status)
        self.status, self.body = status, body
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}


class Asked:
    """A request, for the registry to answer."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, query = target.partition("?")
        self.segments = [urllib.parse.unquote(part) for part in path.split("/") if part]
        self.query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))

    @property
    def line(self):
        return f"{self.method} {self.target}"

    @property
    def login(self):
        """(user, password) of Basic authentication, or None."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return None
        return tuple(base64.b64decode(value).decode().split(":", 1))

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Answer(400, f"not JSON: {error}") from error


# --- Ways to misbehave: called with a Handler in place of an answer -----------------------------


def say(status, body=b"x", kind="text/plain"):
    """Always the same status and body."""

    def misbehave(handler):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return misbehave


def garbage(handler):
    """No HTTP."""
    handler.wfile.write(bytes(range(256)) * 64)
    handler.close_connection = True


def huge(handler):
    """A gigabyte, as fast as it is taken."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(1 << 30))
    handler.end_headers()
    block = b"[" * (1 << 16)
    for _ in range((1 << 30) // len(block)):
        handler.wfile.write(block)
        handler.fake.n_huge_bytes += len(block)


def endless_head(handler):
    """Header fields without an end."""
    handler.send_response(200)
    while True:
        handler.wfile.write(b"X-Field: " + b"x" * 1000 + b"\r\n")


def nothing(handler):
    """The request is taken, and that is all."""
    handler.fake.wait_until_closed(handler.connection)


def drip(handler):
    """One byte a second."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"[" * 1000
    for byte in answer:
        handler.wfile.write(bytes([byte]))
        if handler.fake.wait_until_closed(handler.connection, 1):
            return


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = DEADLINE
    fake = None  # of a subclass

    def log_message(self, *_):
        pass

    def handle(self):
        with contextlib.suppress(OSError):
            super().handle()

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = Asked(self.command, self.path, self.headers, body)
        self.fake.note(asked)
        if self.fake.misbehaves:
            self.fake.misbehaves(self)
            return
        try:
            self.fake.check(asked)
            raise self.fake.answer(asked)
        except Answer as answer:
            self._send(answer)

    do_GET = do_PUT = do_POST = do_DELETE = _serve

    def _send(self, answer):
        body, fields = answer.body, {"Content-Type": "text/plain", **answer.fields}
        if not isinstance(body, str):
            body, fields["Content-Type"] = json.dumps(body), "application/json"
        body = body.encode()
        self.send_response(answer.status)
        for name, value in fields.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if answer.status != 204:
            self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, *arguments):
        self.connections = set()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        raise  # to the log of the test


class FakeRegistry:
    """
    Listens on a port of its own from the beginning of the block to its end.

    misbehaves: what is done instead of an answer, one of the above; None: it answers
    asked: all requests so far
    """

    def __init__(self):
        self.misbehaves = None
        self.asked = []
        self.n_huge_bytes = 0
        self.changed = threading.Condition()  # guards what the registry knows
        # It never listens: it keeps the port while the registry is away.
        self._keeper = socket.socket()
        self._keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._keeper.bind(("127.0.0.1", 0))
        self.port = self._keeper.getsockname()[1]
        self._server = self._thread = None
        self.is_away = True

    def __enter__(self):
        self.come()
        return self

    def __exit__(self, *_):
        self.go()
        self._keeper.close()

    def come(self):
        """Listen, until go()."""
        self.is_away = False
        handler = type("_Handler", (Handler,), {"fake": self})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def go(self):
        """Refuse and end connections, and keep what is registered; nothing if it is away."""
        if self.is_away:
            return
        self.is_away = True
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        with self.changed:
            self.changed.notify_all()
        for connection in list(self._server.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def note(self, asked):
        with self.changed:
            self.asked.append(asked)

    def lines(self, start=""):
        """ "METHOD TARGET" of all requests so far that begin so."""
        with self.changed:
            return [one.line for one in self.asked if one.line.startswith(start)]

    def wait_for(self, start, n=1):
        """Until n requests have begun so; returns the last of them."""

        def found():
            with self.changed:
                return [one for one in self.asked if one.line.startswith(start)][n - 1 :]

        return eventually(found, f"{n} requests {start}")[-1]

    def wait_until_closed(self, connection, seconds=DEADLINE):
        """Until the other side is gone, or the registry; False: neither, in that time."""
        connection.settimeout(seconds)
        try:
            while connection.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def check(self, asked):
        """Raise an Answer to refuse somebody."""

    def answer(self, asked):
        """The Answer to a request."""
        raise NotImplementedError
