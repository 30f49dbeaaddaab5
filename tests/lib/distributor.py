"""zombie-distributor under test, and nodes that are as raw as sockets are."""

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import termios

from lib import raw
from lib.server import BINARY as SERVER
from lib.server import Server, command, environment
from lib.wait import DEADLINE, eventually

BINARY = os.environ.get("ZOMBIE_DISTRIBUTOR") or os.path.join(
    os.path.dirname(SERVER), "distributor", "zombie-distributor"
)
END = "\u00b6".encode()


def run(*arguments, **options):
    """Run the program to its end."""
    return subprocess.run(
        command(*arguments, binary=BINARY), env=environment(), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=DEADLINE, check=False, **options,
    )  # fmt: skip


class Distributor(Server):
    """Listens on port 0 of the loopback unless told otherwise."""

    def __init__(self, folder, *arguments, listen="127.0.0.1:0", **options):
        control = os.path.join(tempfile.gettempdir(), f"zombie-{os.urandom(4).hex()}.sock")
        self.control = ("-o", f"distributor.control={control}")
        wanted = ["-o", f"distributor.listen={listen}"] if listen else []
        super().__init__(folder, *self.control, *wanted, *arguments, workers=None, listen=None,
                         binary=BINARY, **options)  # fmt: skip
        self.control_path = control

    def wait_until_serving(self, n=None, after=0):
        self.wait_for_log("zombie-distributor listens on")

    @property
    def port(self):
        return int(self.wait_for_log(r"zombie-distributor listens on \S+:(\d+) ")[1])

    @property
    def has_forked(self):
        return "zombie-distributor listens on" in self.log

    def stop(self, number=signal.SIGTERM):
        super().stop(number)
        assert not os.path.exists(self.control_path)

    def status(self):
        result = run("--status", "--json", *self.control)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    def wait_for_status(self, **wanted):
        """Wait until the status has these."""
        eventually(lambda: wanted.items() <= self.status().items(), str(wanted))

    def node(self, *registered, address=None, **options):
        """A node that is connected, and registered if it has a name."""
        made = Node(address or self.address, **options)
        for name in registered:
            made.post(name)
        return made


def message(method, key=0, **members):
    return {"uri": "/distributes", "method": method, "key": key, **members}


def frame(value):
    """A message as a frame, as JavaScript writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + END


def registration(name, port=3000, urls=("GET/goods",), **more):
    return frame(message("POST", params={"port": port, "name": name, "urls": list(urls), **more}))


class Node:
    def __init__(self, address, source=None, source_port=0, family=socket.AF_INET,
                 receive_buffer=None):  # fmt: skip
        self.socket = socket.socket(family)
        self.socket.settimeout(DEADLINE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            # The other side's buffer begins with so many segments.
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        if source:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind((source, source_port))
        self.socket.connect(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = address
        self.unread = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def port(self):
        return self.socket.getsockname()[1]

    # What it sends

    def send(self, data):
        self.socket.sendall(data)

    def send_in_pieces(self, data, *cuts):
        """Each piece is read by the Distributor before the next one is sent."""
        for begin, end in zip((0, *cuts), (*cuts, len(data))):
            self.send(data[begin:end])
            self.wait_until_read()

    def wait_until_read(self):
        """The Distributor has read all that was sent."""
        eventually(lambda: not self.sending(), "nothing is on its way")
        raw.wait_until_read(self.address[1])

    def sending(self):
        """How many bytes have not come to the other side's kernel."""
        return int.from_bytes(fcntl.ioctl(self.socket, termios.TIOCOUTQ, bytes(4)), sys.byteorder)

    def post(self, name, **options):
        self.send(registration(name, **options))

    def get(self, key):
        self.send(frame(message("GET", key)))

    # What it hears

    def receive_frame(self):
        """The bytes of the next frame without its end; None when the connection has ended."""
        seen = 0
        while (end := self.unread.find(END, seen)) < 0:
            seen = max(len(self.unread) - 1, 0)
            data = b""
            with contextlib.suppress(ConnectionResetError):
                data = self.socket.recv(1 << 20)
            if not data:
                assert not self.unread, "half a frame"
                return None
            self.unread += data
        one = bytes(self.unread[:end])
        del self.unread[: end + len(END)]
        return one

    def receive(self):
        """The next message."""
        heard = self.receive_frame()
        assert heard is not None, "the connection has ended"
        return json.loads(heard)

    def list(self):
        """The next list, which must have gone to all."""
        heard = self.receive()
        assert heard == message("GET", params=heard["params"])
        return heard["params"]

    def names(self):
        return [node["name"] for node in self.list()]

    def wait_for(self, *names):
        """Read lists until one has these nodes, in this order; how many there were."""
        count = 1
        while self.names() != list(names):
            count += 1
        return count

    def expect_nothing(self):
        """What comes next is what was asked for now, so nothing has come before."""
        self.get("anything?")
        assert self.receive()["key"] == "anything?"

    def expect_end(self):
        assert self.receive_frame() is None

    # How it goes

    def close(self):
        self.socket.close()

    def reset(self):
        raw.destroy(self.socket)


def refused(distributor, kind):
    """How many were refused so far for that reason."""
    return distributor.status()["counted"]["refused"][kind]


def complaint(distributor, text):
    """Wait for the line about a connection that was closed."""
    distributor.wait_for_log(rf"warning distributor: connection of \S+ closed: {re.escape(text)}")
