"""What happened when: the steps, and what the log said to them."""

import time


class Timeline:
    def __init__(self):
        self.began = time.time()
        self._entries = []  # (time since the epoch, text)

    @property
    def now(self):
        """Seconds since the beginning."""
        return time.time() - self.began

    def note(self, text, when=None):
        self._entries.append((time.time() if when is None else when, text))

    def render(self, lines=(), losses=()):
        """
        One line each, in order.

        lines: (time, level, text) of the log, losses: of the load
        """
        told = [(when, f"    {level}: {text}") for when, level, text in lines
                if level in ("error", "warning")]  # fmt: skip
        lost = [(loss.ended, f"    LOST {loss}") for loss in losses]
        entries = sorted([*self._entries, *told, *lost], key=lambda entry: entry[0])
        return "\n".join(f"{when - self.began:9.3f} {text}" for when, text in entries)
