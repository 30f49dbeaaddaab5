"""What stands behind an upstream: servers that can fall ill, and a name server that changes."""

import os
import socket
import struct
import threading

from lib import process
from lib.control import status, wait_for_status

_TYPES = {1: socket.AF_INET, 28: socket.AF_INET6}
_NO_SUCH_NAME = 3


class HealthServer:
    """Answers each GET with `status`, and counts them; None: it takes the request and is silent."""

    def __init__(self, address="127.0.0.1", answer=200):
        self.status, self.requests, self.heads = answer, 0, []
        self._listener = socket.create_server((address, 0))
        self.port = self._listener.getsockname()[1]
        self.title = f"{address}:{self.port}"
        self._silent = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            head = b""
            while b"\r\n\r\n" not in head and (data := client.recv(4096)):
                head += data
            self.heads.append(head)
            self.requests += 1
            if self.status is None:
                self._silent.append(client)
                continue
            client.sendall(f"HTTP/1.1 {self.status} x\r\nContent-Length: 0\r\n\r\n".encode())
            client.close()

    def close(self):
        if self._listener.fileno() < 0:
            return
        # close() alone would not wake accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for client in self._silent:
            client.close()


class NameServer:
    """
    Answers questions by UDP on the loopback, unless it is mute.

    names: lists of addresses by name; others do not exist
    """

    def __init__(self, ttl=1, **names):
        self.ttl, self.names, self.questions = ttl, names, 0
        self.is_mute = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._ended = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            question, client = self._socket.recvfrom(512)
            if self._ended:
                return
            self.questions += 1
            if not self.is_mute:
                self._socket.sendto(self._answer(question), client)

    def _answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode().lower())
            at += 1 + question[at]
        family = _TYPES.get(struct.unpack_from("!H", question, at + 1)[0])
        addresses = self.names.get(".".join(labels))
        found = [socket.inet_pton(family, text) for text in addresses or []
                 if (":" in text) == (family == socket.AF_INET6)]  # fmt: skip
        records = b"".join(
            struct.pack("!HHHIH", 0xC00C, 1 if len(one) == 4 else 28, 1, self.ttl, len(one)) + one
            for one in found
        )
        flags = 0x8180 | (_NO_SUCH_NAME if addresses is None else 0)
        header = question[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0)
        return header + question[12 : at + 5] + records

    def mount(self, folder, *ports):
        """
        Returns what makes a new process see an /etc in which this is the name server, and
        those at the ports follow it.
        """
        etc = folder / "etc-of-names"
        etc.mkdir()
        (etc / "resolv.conf").write_text(
            "".join(f"nameserver 127.0.0.1:{port}\n" for port in (self.port, *ports))
        )
        (etc / "hosts").write_text("127.0.0.1 localhost\n")
        if os.path.exists("/etc/ld.so.cache"):
            (etc / "ld.so.cache").write_bytes(open("/etc/ld.so.cache", "rb").read())
        return lambda: process.mount_over(etc, "/etc")

    def close(self):
        self._ended = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as waker:
            waker.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


def servers_of(status_, title="api"):
    """The servers of an upstream by their address, or by their name while they have none."""
    upstream = next(one for one in status_["upstreams"] if one["title"] == title)
    return {one["address"] or one["name"]: one for one in upstream["servers"]}


def states(server, title="api"):
    return {key: one["state"] for key, one in servers_of(status(server), title).items()}


def wait_for_states(server, wanted, title="api"):
    return wait_for_status(
        server,
        lambda now: {k: x["state"] for k, x in servers_of(now, title).items()} == wanted,
        f"the servers of {title} are {wanted}",
    )
