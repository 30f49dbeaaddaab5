"""What calls itself a ZooKeeper server and is none, or means no good: it costs a warning."""

import contextlib
import os
import socket
import struct
import threading

import pytest

from lib.server import run as run_program

WELCOME = struct.pack(">iiiq", 37, 0, 4000, 7) + struct.pack(">i", 16) + bytes(17)
HUGE = 0x40000000
CANNOT = r"warning herald \d+: cannot register with zookeeper at \S+: {}; serving goes on"


def frame(body):
    return struct.pack(">i", len(body)) + body


def header(xid, error=0):
    return struct.pack(">iqi", xid, 0, error)


def string(data):
    return struct.pack(">i", len(data)) + data


class Fake:
    """
    Greets each client and answers each request with what reply(xid) has.

    greeting: sent at once in place of that; None: nothing is ever said
    """

    def __init__(self, reply=None, greeting=WELCOME, one_by_one=False, address="127.0.0.1"):
        self._reply, self._greeting, self._one_by_one = reply, greeting, one_by_one
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, 0), family=family)
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._links = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                link, _ = self._listener.accept()
                self._links.append(link)
                threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _send(self, link, data):
        for i in range(len(data) if self._one_by_one else 0):
            link.sendall(data[i : i + 1])
            self._over.wait(0.2)
        if not self._one_by_one:
            link.sendall(data)

    def _read(self, link):
        """One frame, or None."""
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack(">i", data[:4])[0]:
            more = link.recv(4096)
            if not more:
                return None
            data += more
        return data[4:]

    def _serve(self, link):
        with contextlib.suppress(OSError):
            if self._greeting is None:
                self._over.wait()
                return
            self._read(link)
            self._send(link, self._greeting)
            while self._reply and (request := self._read(link)):
                self._send(link, self._reply(struct.unpack(">i", request[:4])[0]))
            self._over.wait()

    def close(self):
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for link in self._links:
            link.close()


@pytest.fixture
def fake():
    """fake(...): one that is gone when the test is over."""
    made = []

    def make(*arguments, **options):
        made.append(Fake(*arguments, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def start_one(start):
    """Start a server that registers at this port."""
    if "\nzookeeper " not in run_program("--version").stdout:
        pytest.skip("built without ZooKeeper")

    def start_it(port, host="127.0.0.1", **more):
        settings = {"type": "zookeeper", "url": f"{host}:{port}", "timeout_ms": 1000, **more}
        words = [w for key, value in settings.items() for w in ("-o", f"registry.{key}={value}")]
        return start(*words, workers=1)

    return start_it


def expect_nothing_but(server, said):
    server.wait_for_log(CANNOT.format(said))
    assert server.fetch("/").status == 200
    assert " died: " not in server.log


@pytest.mark.smoke
def test_nobody_is_there(start_one):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    expect_nothing_but(start_one(port), "cannot connect")


def test_name_that_does_not_exist(start):
    # Of a domain that is none, which /etc/hosts has not, either.
    server = start("-o", "registry.type=zookeeper", "-o", "registry.url=zookeeper.invalid",
                   "-o", "registry.timeout_ms=1000", workers=1)  # fmt: skip
    expect_nothing_but(server, "(the host was not found|no connection in time)")


GREETINGS = {
    "silence": (None, "no connection in time"),
    "http": (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "an answer makes no sense"),
    "zeroes": (bytes(4096), "an answer makes no sense"),
    "no session": (struct.pack(">iiiq", 37, 0, 0, 0) + bytes(21), "an answer makes no sense"),
    "no time": (struct.pack(">iiiq", 37, 0, -1, 7) + bytes(21), "an answer makes no sense"),
    "a part": (WELCOME[:30], "no connection in time"),
    "more than that": (WELCOME + b"\xff" * 4096, "an answer makes no sense"),
    "huge": (WELCOME + struct.pack(">i", HUGE) + bytes(4096), "an answer is too long"),
    "unasked": (WELCOME + frame(header(5)), "an answer makes no sense"),
    "login unasked": (WELCOME + frame(header(-4)), "an answer makes no sense"),
    "event without a path": (WELCOME + frame(header(-1) + struct.pack(">iii", 3, 3, -1)),
                             "an answer makes no sense"),
}  # fmt: skip


@pytest.mark.parametrize("greeting, said", GREETINGS.values(), ids=GREETINGS.keys())
def test_greeting(start_one, fake, greeting, said):
    # What was not asked for may come before or after the first request, which changes nothing.
    expect_nothing_but(start_one(fake(greeting=greeting).port), said)


REPLIES = {
    "nothing": (lambda xid: b"", "no answer in time"),
    "short": (lambda xid: frame(header(xid)), "an answer makes no sense"),
    "null": (lambda xid: frame(header(xid) + struct.pack(">i", -1)), "an answer makes no sense"),
    "longer than it is": (lambda xid: frame(header(xid) + struct.pack(">i", 99) + b"/a"),
                          "an answer makes no sense"),
    "huge": (lambda xid: struct.pack(">i", HUGE) + header(xid), "an answer is too long"),
    "negative": (lambda xid: struct.pack(">i", -1) + header(xid), "an answer makes no sense"),
    "a part": (lambda xid: struct.pack(">i", 99) + header(xid), "no answer in time"),
    "unknown error": (lambda xid: frame(header(xid, -4711)), "unknown error"),
    "another number": (lambda xid: frame(header(xid + 1) + string(b"/a")),
                       "the connection is lost again and again"),
}  # fmt: skip


@pytest.mark.parametrize("reply, said", REPLIES.values(), ids=REPLIES.keys())
def test_reply(start_one, fake, reply, said):
    expect_nothing_but(start_one(fake(reply).port), said)


@pytest.mark.skipif(not os.path.exists("/proc/net/if_inet6"), reason="no IPv6 here")
def test_address_of_ipv6(start_one, fake):
    port = fake(lambda xid: frame(header(xid)), address="::1").port
    expect_nothing_but(start_one(port, host="[::1]"), "an answer makes no sense")


def test_one_byte_after_another(start_one, fake):
    server = start_one(fake(lambda xid: frame(header(xid) + bytes(999)), one_by_one=True).port)
    expect_nothing_but(server, "no (connection|answer) in time")


def test_list_of_members_makes_no_sense(start_one, fake):
    def reply(xid):
        return frame(header(xid) + struct.pack(">i", 0x7FFFFFFF) + string(b"10.0.0.1:80"))

    server = start_one(fake(reply).port, register="no", watch="api")
    server.wait_for_log(r"an answer makes no sense")
    assert server.fetch("/").status == 200
    assert " died: " not in server.log
