"""Processes as /proc shows them."""

import contextlib
import ctypes
import errno
import os
import signal
import socket

_libc = ctypes.CDLL(None, use_errno=True)
_SYS_PIDFD_GETFD = 438


def status_of(pid):
    """The fields of /proc/PID/status by name; empty when there is no such process."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def is_alive(pid):
    """Whether the process runs; one that only waits to be reaped does not."""
    return status_of(pid).get("State", "Z")[0] not in "ZX"


def is_stopped(pid):
    return status_of(pid).get("State", "?")[0] == "T"


def sleeps(pid):
    return status_of(pid).get("State", "?")[0] == "S"


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def children_of(parent):
    """All children, those that wait to be reaped included."""
    return [pid for pid in all_pids() if status_of(pid).get("PPid") == str(parent)]


def with_variable(name, value):
    """The processes that were started with NAME=VALUE in their environment, or forked off such."""
    entry = f"{name}={value}".encode()
    found = []
    for pid in all_pids():
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if entry in file.read().split(b"\0"):
                    found.append(pid)
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _sockets(pid):
    """Duplicates of the sockets that it has, one at a time, in the order of its descriptors."""
    pidfd = os.pidfd_open(pid)
    try:
        for fd in sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd")):
            try:
                is_socket = os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
            except FileNotFoundError:
                continue
            stolen = _libc.syscall(_SYS_PIDFD_GETFD, pidfd, fd, 0) if is_socket else -1
            if stolen >= 0:
                yield socket.socket(fileno=stolen)
            elif is_socket and ctypes.get_errno() != errno.EBADF:
                raise OSError(ctypes.get_errno(), "pidfd_getfd")
    finally:
        os.close(pidfd)


def steal_socket(pid, kind):
    """A duplicate of the process's first socket of that kind (SOCK_SEQPACKET, ...)."""
    for found in _sockets(pid):
        if found.type == kind:
            return found
        found.close()
    raise AssertionError(f"process {pid} has no such socket")


def accepts(pid):
    """Whether it has a socket that listens; one that is gone has none."""
    try:
        for found in _sockets(pid):
            with found:
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    return True
    except ProcessLookupError:
        pass
    return False


def _check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def mount_over(source, target):
    """In a mount namespace of our own, let source stand in for the folder target."""
    clone_newns, ms_bind, ms_rec, ms_private = 0x20000, 0x1000, 0x4000, 0x40000
    _check(_libc.unshare(clone_newns), "unshare")
    _check(_libc.mount(b"none", b"/", None, ms_rec | ms_private, None), "mount private")
    _check(_libc.mount(os.fsencode(source), os.fsencode(target), None, ms_bind, None), "mount bind")


@contextlib.contextmanager
def network_of(pid):
    """Within the block this thread, and what it starts, is in the network of that process."""
    clone_newnet = 0x40000000
    with open("/proc/thread-self/ns/net", "rb") as own, open(f"/proc/{pid}/ns/net", "rb") as other:
        _check(_libc.setns(other.fileno(), clone_newnet), "setns")
        try:
            yield
        finally:
            _check(_libc.setns(own.fileno(), clone_newnet), "setns back")
