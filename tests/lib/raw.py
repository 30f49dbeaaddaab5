"""Bytes on many connections at once, and the proof that the server has read them."""

import contextlib
import select
import socket
import struct

from lib.client import Response
from lib.wait import DEADLINE, eventually


def connect(address, source=None, receive_buffer=None):
    """
    A socket that sends each piece at once.

    source: the client's own address; receive_buffer: bytes, for who reads slowly
    """
    sock = socket.socket()
    sock.settimeout(DEADLINE)
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    if source:
        sock.bind((source, 0))
    sock.connect(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def destroy(sock):
    """Close with a reset: thousands of these shall not wait for their time to end."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@contextlib.contextmanager
def crowd(n, address, **options):
    """So many connections, which are gone at the end."""
    sockets = []
    try:
        for _ in range(n):
            sockets.append(connect(address, **options))
        yield sockets
    finally:
        for sock in sockets:
            destroy(sock)


def wait_until_read(port):
    """
    Wait until the server on that port of the loopback has accepted every
    connection, and has read what has been sent on each.
    """
    wanted = f":{port:04X}"

    def all_read():
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = (line.split() for line in table if wanted in line)
            return not any(
                row[1].endswith(wanted) and int(row[4].split(":")[1], 16) > 0 for row in rows
            )

    eventually(all_read, "the server has read everything")


def until_closed(sock):
    """What comes until the server closes; a reset fails."""
    pieces = []
    while piece := sock.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


def until_gone(sock):
    """What comes until the server closes or resets: it may have given the client up."""
    pieces = []
    with contextlib.suppress(ConnectionError):
        while piece := sock.recv(1 << 20):
            pieces.append(piece)
    return b"".join(pieces)


def has_come(sock, seconds=0):
    """Whether there is something to read, or the end, within that time."""
    return bool(select.select([sock], [], [], seconds)[0])


def nothing_for(seconds):
    """Let time pass: for clients that are slow by profession."""
    select.select([], [], [], seconds)


def ready(sockets):
    """Those that have something to read, or the end."""
    poll = select.poll()
    by_fd = {sock.fileno(): sock for sock in sockets}
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    return [by_fd[fd] for fd, _ in poll.poll(0)]


def split(data, method="GET"):
    """All the answers that these bytes are, the last to such a request; anything else fails."""
    answers = []
    while data:
        head, end, data = data.partition(b"\r\n\r\n")
        assert end, f"no whole head: {head[:200]!r}"
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, reason = status_line.split(" ", 2)
        assert version == "HTTP/1.1", status_line
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        length = int(headers.get("content-length", 0))
        if method == "HEAD" and not data:
            length = 0
        assert len(data) >= length, f"{len(data)} bytes of a body of {length}"
        answers.append(Response(int(status), reason, headers, data[:length]))
        data = data[length:]
    return answers


def ask(address, *pieces, **options):
    """Send the pieces, then return all answers up to the end of the connection."""
    sock = connect(address, **options)
    try:
        for piece in pieces:
            sock.sendall(piece)
        return split(until_closed(sock))
    finally:
        destroy(sock)


def refusal(address, *pieces, **options):
    """The only answer, which must be the last one."""
    answers = ask(address, *pieces, **options)
    assert len(answers) == 1 and answers[0].closes, answers
    return answers[0].status
