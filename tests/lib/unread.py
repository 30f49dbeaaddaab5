"""Requests that stay in flight: their answers are larger than what nobody reads may hold."""

from lib import process
from lib.client import Connection, render
from lib.wait import eventually

_BODY_BYTES = 65000
_REQUESTS = 300  # far more than the buffers of both sockets take, TCP's at their largest


def write_route(folder):
    """A configuration whose path /big/... has such an answer."""
    path = folder / "big.conf"
    path.write_text(f'route "/big/" {{ handler = text body = "{"x" * _BODY_BYTES}" }}')
    return path


class Unread(Connection):
    """
    A connection whose worker is in the middle of an answer to that target.

    bind: the client's own end of a unix socket
    """

    def __init__(self, address, target, bind=None):
        super().__init__(address, bind)
        self.send(render(target) * _REQUESTS)
        self.receive()

    def wait_until_stuck(self, worker):
        """Wait until that process has written what it can."""
        eventually(lambda: process.sleeps(worker), "the worker waits for its client")
