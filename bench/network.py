"""A network of our own, loopback alone: with more ports, and without the traffic of others.

From one address to one port of another there can be as many connections as there are ports, and
past half of them connect(2) looks long for a free one: the load would be the limit.
"""
import contextlib
import ctypes
import fcntl
import os
import socket
import struct
from pathlib import Path

CLONE_NEWNET = 0x40000000       # unshare(2)
SIOCSIFFLAGS, UP = 0x8914, 0x1  # netdevice(7)
PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def unshare():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def isolate():
    """For this process and all that it starts from now on. Why it is not, or None."""
    try:
        unshare()
    except OSError as error:
        return str(error)
    with socket.socket() as anyone:
        fcntl.ioctl(anyone, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", UP))
    with contextlib.suppress(OSError):  # where /proc/sys is read-only
        PORTS.write_text("1024 65535", encoding="ascii")
    return None


def connections():
    """How many can be made to a port before that becomes slow."""
    first, last = map(int, PORTS.read_text(encoding="ascii").split())
    return (last - first + 1) // 2
