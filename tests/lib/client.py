"""HTTP over raw sockets: what is sent is exactly what a test says."""

import json
import socket
from dataclasses import dataclass

from lib.wait import DEADLINE


class Disconnected(Exception):
    """The server closed the connection before its answer was whole."""


@dataclass
class Response:
    status: int
    reason: str
    headers: dict  # by lower-case name
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def closes(self):
        return self.headers.get("connection", "").lower() == "close"


class Connection:
    """One connection to ("host", port) or to the path of a unix socket, from the path `bind`."""

    def __init__(self, address, bind=None):
        if isinstance(address, (str, bytes)):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(DEADLINE)
            if bind:
                self.socket.bind(bind)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=DEADLINE)
        self._unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Disconnected(f"after {self._unread[:200]!r}")
        self._unread += data

    def _take(self, size):
        while len(self._unread) < size:
            self._more()
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def _take_head(self):
        while b"\r\n\r\n" not in self._unread:
            self._more()
        return self._take(self._unread.index(b"\r\n\r\n") + 4).decode("latin-1")

    def receive(self, method="GET"):
        """Read one response, as the one to a request of that method."""
        status_line, *lines = self._take_head().rstrip("\r\n").split("\r\n")
        _, status, reason = (status_line + " ").split(" ", 2)
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        bodiless = method == "HEAD" or int(status) in (204, 304)
        body = b"" if bodiless else self._take(int(headers.get("content-length", 0)))
        return Response(int(status), reason.strip(), headers, body)

    def request(self, target="/", method="GET", headers=None, body=b""):
        self.send(render(target, method, headers, body))
        return self.receive(method)

    def is_closed(self):
        """Whether the server has nothing more to say; waits until that is certain."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return True
        self._unread += data
        return not data


def render(target="/", method="GET", headers=None, body=b""):
    """The bytes of a request; a target may be bytes that are no text."""
    if isinstance(target, str):
        target = target.encode()
    fields = {"Host": "zombie.test", **(headers or {})}
    if body:
        fields["Content-Length"] = len(body)
    lines = [f"{name}: {value}\r\n".encode() for name, value in fields.items()]
    return b"".join([method.encode(), b" ", target, b" HTTP/1.1\r\n", *lines, b"\r\n", body])


def fetch(address, target="/", method="GET", headers=None, body=b""):
    """One request on a connection of its own."""
    with Connection(address) as connection:
        return connection.request(target, method, {"Connection": "close", **(headers or {})}, body)
