"""Scenarios that change the whole: reload, upgrade, logs, scale. Nobody loses anything by them."""

import os
import signal

from lib import control
from scenario import LeftOut, Scenario


class Change(Scenario):
    """By a signal; `outcomes`: what the log says of it, one of them. Refusals need an excuse."""

    number, outcomes = None, ""

    def begin(self):
        self.cluster.server.send_signal(self.number)
        return "told"

    def verdict(self):
        return self.said(self.outcomes)


class Reload(Change):
    number, outcomes = signal.SIGHUP, r"reloaded: |reload (refused|failed): "

    def begin(self):
        self.cluster.write_conf()
        return f"to generation {self.cluster.generation} of the file, {super().begin()}"


class Upgrade(Change):
    number, outcomes = signal.SIGUSR2, r"goes on after an upgrade|upgrade refused: "


class Rotate(Change):
    """The access log is moved, opened again and dropped; or moved back, if it goes on as it was."""

    number = signal.SIGUSR1
    outcomes = r"opened the access log again|the access log goes on into the old file"

    def begin(self):
        self._old = self.cluster.disk / f"access.{self.step.number}"
        try:
            os.rename(self.cluster.access_log, self._old)
        except FileNotFoundError as error:
            raise LeftOut("another rotation is under way") from error
        return super().begin()

    def verdict(self):
        outcome = super().verdict()
        if outcome and outcome.startswith("opened"):
            os.unlink(self._old)
        elif outcome:
            os.rename(self._old, self.cluster.access_log)
        return outcome


class More(Change):
    number, outcomes = signal.SIGTTIN, r"one worker more: |workers are the most"


class Fewer(Change):
    number, outcomes = signal.SIGTTOU, r"one worker fewer: |one worker is the least"


class ScaleTo(Scenario):
    """By the control socket. Whoever wants another number meanwhile has the last word."""

    errors = (r"scale, whose asker is gone, failed: ",)

    def begin(self):
        n = 1 + int(5 * self.step.lot)
        self._errand = self.cluster.send(f"scale to {n}", lambda _: self._order(n))
        return f"{n} workers"

    def _order(self, n):
        try:
            end = control.ask(self.cluster.server, "scale", to=n).end
        except (control.HungUp, OSError) as error:
            return f"hung up on: {error!r}"  # an upgrade does that
        return end["text"] if "text" in end else str(end)

    def verdict(self):
        return None if self._errand.is_alive() else str(self._errand.outcome)


def scale(cluster, step):
    return {"more": More, "fewer": Fewer, "to": ScaleTo}[step.variant](cluster, step)
