"""A worker that is made to grow."""

from lib.client import Connection


def grow_until_killed(address, limit_bytes):
    """Send a worker a body that never ends; returns how much of it was taken."""
    sent = 0
    chunk = b"4000\r\n" + b"m" * 0x4000 + b"\r\n"
    with Connection(address) as connection:
        connection.send("POST /sink HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            while sent < limit_bytes:
                connection.send(chunk)
                sent += len(chunk)
        except (BrokenPipeError, ConnectionResetError):
            return sent
    raise AssertionError(f"{sent} bytes were taken and nobody died")
