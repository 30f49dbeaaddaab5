"""A service manager's end of sd_notify(3): what servers say of themselves, and who says it."""

import socket
import struct
from dataclasses import dataclass

from lib.wait import DEADLINE

_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: struct ucred of unix(7)


@dataclass
class Message:
    pid: int  # of the sender, as the kernel has it
    fields: dict


class Manager:
    """Listens on a path, or on an abstract name when `address` begins with "@"."""

    def __init__(self, address):
        self.address = str(address)
        self.messages = []  # all so far
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.socket.settimeout(DEADLINE)
        self.socket.bind(self.address.replace("@", "\0", 1))

    def close(self):
        self.socket.close()

    def variables(self, watchdog_ms=None):
        """The environment of a server that is to speak to it."""
        watchdog = {"WATCHDOG_USEC": str(watchdog_ms * 1000)} if watchdog_ms else {}
        return {"NOTIFY_SOCKET": self.address, **watchdog}

    def receive(self):
        text, ancillary, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
        pid, _, _ = _CREDENTIALS.unpack(ancillary[0][2])
        fields = dict(line.split("=", 1) for line in text.decode().splitlines())
        self.messages.append(Message(pid, fields))
        return self.messages[-1]

    def wait_for(self, key, value="1", pid=None):
        """The next message that says so, of that process."""
        while True:
            message = self.receive()
            if message.fields.get(key) == value and pid in (None, message.pid):
                return message

    def forget(self):
        """Take what has been sent so far, so that what is received next is newer."""
        self.socket.setblocking(False)
        try:
            while True:
                self.receive()
        except BlockingIOError:
            self.socket.settimeout(DEADLINE)

    def watch(self, pid, patrols=5):
        """Wait until that master has looked after its workers so many times more."""
        self.forget()
        for _ in range(patrols):
            self.wait_for("WATCHDOG", pid=pid)

    def of(self, pid):
        """What that process has said so far."""
        return [message.fields for message in self.messages if message.pid == pid]
