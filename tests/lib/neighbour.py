"""A client that behaves well while others do not."""

import threading

from lib.client import Disconnected
from lib.wait import DEADLINE

_PAUSE_S = 0.01


class Neighbour:
    """A well-behaved client that asks all the time, once more when the block is left."""

    def __init__(self, server):
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self._problem = "it has not come to an end"

    def _ask(self):
        is_over = False
        try:
            with self._server.connect() as kept:
                while not is_over:
                    is_over = self._over.wait(_PAUSE_S)
                    for response in kept.request("/hello"), self._server.fetch("/hello"):
                        assert response.status == 200, response
            self._problem = None
        except (AssertionError, OSError, Disconnected) as problem:
            self._problem = repr(problem)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join(DEADLINE)
        assert self._problem is None, f"a good client was let down: {self._problem}"
