"""Waiting for conditions: the only way in which these tests spend time."""

import os
import threading
import time

# Generous, since it is only ever used up by a test that fails.
DEADLINE = 120 if os.environ.get("ZOMBIE_WRAPPER") else 30

_never = threading.Event()


def eventually(predicate, what, seconds=DEADLINE):
    """Return the first true value of predicate(); fail when there is none in time."""
    end = time.monotonic() + seconds
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        _never.wait(0.005)
