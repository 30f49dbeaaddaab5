"""Upstreams that answer as a script says, byte by byte, and remember what they were sent."""

import contextlib
import select
import socket
import struct
import threading
import time

from lib.wait import DEADLINE, eventually

OK = b"HTTP/1.1 200 OK\r\n"
_AT_ONCE = 1 << 16  # bytes

# linux/netlink.h and linux/sock_diag.h
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _ESTABLISHED = 4, 20, 1, 1


class Gone(Exception):
    """The other side has closed or reset the connection."""


class Request:
    """What came: the bytes of its head as they are, those of its body without their framing."""

    def __init__(self, head, connection, number):
        self.head = head
        self.body = b""
        self.trailers = b""
        self.connection, self.number = connection, number  # both from 1; number: on that connection
        line, *lines = head[:-4].decode("latin-1").split("\r\n")
        self.line = line
        self.method, self.target, self.version = line.split(" ")
        self.fields = [tuple(text.split(": ", 1)) for text in lines]

    def all(self, name):
        """Every value of a field, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name):
        """The value of a field that must be there exactly once."""
        (value,) = self.all(name)
        return value


class Exchange:
    """A request and the connection to answer it on: what a script is called with."""

    def __init__(self, connection, request):
        self.request = request
        self.upstream = connection.upstream
        self.socket = connection.socket
        self._connection = connection

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)

    def body(self):
        """Read the body of the request to its end."""
        request = self.request
        if "chunked" in request.all("transfer-encoding"):
            request.body, request.trailers = self._connection.take_chunks()
        else:
            length = sum(map(int, request.all("content-length")))
            request.body = self._connection.take(length)
        return request.body

    def receive(self):
        """Whatever has come, at least a byte, even if it is no HTTP."""
        return self._connection.take_some()

    def close(self):
        raise _End

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise _End

    def hold(self):
        """Wait until the upstream is released; Gone if the other side does not."""
        self.upstream.count("held", 1)
        try:
            while not self.upstream.gate.wait(0.005):
                self._look()
        finally:
            self.upstream.count("held", -1)

    def until_gone(self):
        """Wait until the other side closes; what it sends before is thrown away."""
        while True:
            self.receive()

    def until_read(self):
        """Wait until the program at the other end of this TCP connection has read all so far."""
        end = time.monotonic() + 1  # who has heard enough reads no more
        while _is_unread(self.socket) and time.monotonic() < end:
            time.sleep(0.0002)

    def _look(self):
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        if poll.poll(0):
            raise Gone


class _End(Exception):
    """The script wants the connection closed."""


def _is_unread(sock):
    """
    Whether the program at the other end of a TCP connection over the loopback
    has bytes to read; sock_diag(7), since /proc/net/tcp is long at times.
    """
    near, far = ((socket.inet_aton(host), port)
                 for host, port in (sock.getsockname(), sock.getpeername()))  # fmt: skip
    who = struct.pack("!HH16s16sIII", far[1], near[1], far[0], near[0], 0, 0xFFFFFFFF, 0xFFFFFFFF)
    ask = struct.pack("=BBBxI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0xFFFFFFFF) + who
    header = struct.pack("=IHHII", 16 + len(ask), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as diag:
        diag.send(header + ask)
        found = diag.recv(65536)
    if struct.unpack_from("=H", found, 4)[0] != _SOCK_DIAG_BY_FAMILY:
        return False  # it is gone
    state, unread = found[17], struct.unpack_from("=I", found, 16 + 4 + 48 + 4)[0]
    return state == _ESTABLISHED and unread > 0


# Steps of scripts that only answer

HOLD, CLOSE, RESET, READ, UNTIL_READ = (
    Exchange.hold, Exchange.close, Exchange.reset, Exchange.body, Exchange.until_read,
)  # fmt: skip


def steps(*todo):
    """A script: bytes are sent, any other step is done."""

    def script(exchange):
        for step in todo:
            if isinstance(step, bytes):
                exchange.send(step)
            else:
                step(exchange)

    return script


def answer(body=b"", status="200 OK", *fields, length=True):
    """The bytes of a whole answer; fields are lines without their ends."""
    lines = [f"HTTP/1.1 {status}", *fields]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1") + body


def say(body=b"", status="200 OK", *fields):
    """A script that reads the request to its end and gives this answer."""
    return steps(READ, answer(body, status, *fields))


class _Connection:
    def __init__(self, upstream, sock, number):
        self.upstream, self.socket, self.number = upstream, sock, number
        self._unread = b""

    def _more(self):
        try:
            data = self.socket.recv(_AT_ONCE)
        except (OSError, ValueError) as error:
            raise Gone from error
        if not data:
            raise Gone
        self._unread += data

    def take(self, size):
        pieces, missing = [self._unread[:size]], size - len(self._unread[:size])
        self._unread = self._unread[size:]
        while missing:
            self._more()
            pieces.append(self._unread[:missing])
            missing, self._unread = missing - len(pieces[-1]), self._unread[missing:]
        return b"".join(pieces)

    def take_some(self):
        if not self._unread:
            self._more()
        data, self._unread = self._unread, b""
        return data

    def take_until(self, end):
        while end not in self._unread:
            self._more()
        return self.take(self._unread.index(end) + len(end))

    def take_chunks(self):
        """The body, and the trailer section with the end of each of its lines."""
        pieces, trailers = [], b""
        while size := int(self.take_until(b"\r\n"), 16):
            pieces.append(self.take(size))
            assert self.take(2) == b"\r\n", "a chunk without its end"
        while (line := self.take_until(b"\r\n")) != b"\r\n":
            trailers += line
        return b"".join(pieces), trailers

    def serve(self):
        number = 0
        while True:
            number += 1
            request = Request(self.take_until(b"\r\n\r\n"), self.number, number)
            self.upstream.note(request)
            self.upstream.script(Exchange(self, request))

    def run(self):
        try:
            self.serve()
        except (Gone, _End, OSError):
            pass
        except Exception as error:  # what came was no HTTP, or the script is wrong
            self.upstream.problems.append(f"{type(error).__name__}: {error}")
        finally:
            self.socket.close()
            self.upstream.count("closed", 1)


class Upstream:
    """
    Listens on the loopback, or at the path of a unix socket, until close().

    script: called with an Exchange for each request, may be exchanged at any time
    journal: a list that the name is appended to for each request
    """

    def __init__(self, script=None, name="", path=None, journal=None):
        self.name = name
        self.script = script or say(name.encode())
        self.requests = []
        self.connections = 0  # accepted so far
        self.closed = 0  # of these
        self.held = 0  # exchanges that wait for release()
        self.problems = []
        self.gate = threading.Event()
        self._journal = [] if journal is None else journal
        self._lock = threading.Lock()
        self._sockets = []
        self._path = path
        self._listener = None
        # It never listens: it keeps the port while nobody does.
        self._keeper = None if path else self._bound(0)
        self.listen()

    @property
    def port(self):
        return self._keeper.getsockname()[1]

    @property
    def address(self):
        """As configurations name it."""
        return f"unix:{self._path}" if self._path else f"127.0.0.1:{self.port}"

    def _bound(self, port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    def listen(self):
        if self._path:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(self._path))
        else:
            self._listener = self._bound(self.port)
        self._listener.listen(1024)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self):
        """Refuse connections from now on, until listen(); those there are stay."""
        if self._listener.fileno() >= 0:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            sock.settimeout(DEADLINE)
            if not self._path:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.connections += 1
                self._sockets = [one for one in self._sockets if one.fileno() >= 0] + [sock]
                connection = _Connection(self, sock, self.connections)
            threading.Thread(target=connection.run, daemon=True).start()

    def note(self, request):
        with self._lock:
            self.requests.append(request)
            self._journal.append(self.name)

    def count(self, what, by):
        with self._lock:
            setattr(self, what, getattr(self, what) + by)

    def release(self):
        """Let all go on that hold, now and later; see hold_again()."""
        self.gate.set()

    def hold_again(self):
        self.gate.clear()

    def wait_until_held(self, n):
        eventually(lambda: self.held == n, f"{n} requests are held at {self.name or self.address}")

    def wait_until_closed(self):
        """Until no connection is left."""
        eventually(lambda: self.closed == self.connections, f"{self.address} has no connections")

    def wait_for_requests(self, n):
        eventually(lambda: len(self.requests) >= n, f"{n} requests at {self.address}")
        return self.requests

    def close(self):
        self.refuse()
        self.release()
        with self._lock:
            for sock in self._sockets:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
        self.wait_until_closed()
        if self._keeper:
            self._keeper.close()


class Stage:
    """Upstreams that belong together: `journal` has their names, one for each request, in order."""

    def __init__(self):
        self.journal = []
        self._all = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, script=None, name="", **options):
        made = Upstream(script, name, journal=self.journal, **options)
        self._all.append(made)
        return made

    def close(self):
        for one in self._all:
            one.close()
        problems = [f"{one.name or one.address}: {p}" for one in self._all for p in one.problems]
        assert not problems, "; ".join(problems[:10])
