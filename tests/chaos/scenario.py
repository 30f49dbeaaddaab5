"""What a step is while it is carried out; the scenarios are in strikes, changes and wants."""

import re

DEADLINE = 90  # seconds until a step must have had its effect, on a machine that is busy


class LeftOut(Exception):
    """The step cannot be taken now, for this reason, which is none of the server's."""


class Scenario:
    """
    begin() does it, end() undoes what lasts, then verdict() is asked until it
    says what came of it.

    errors: lines of level error that the log may have because of it
    """

    errors = ()

    def __init__(self, cluster, step):
        self.cluster, self.step = cluster, step
        self.mark = len(cluster.journal.lines)  # the log has what it says behind that

    def begin(self):
        """Returns what was done; or LeftOut."""
        raise NotImplementedError

    def end(self):
        """Of what lasts: returns what was done."""
        return "is over"

    def verdict(self):
        """What came of it, or None as long as nobody knows."""
        return "has passed"

    def explains(self, text):
        return any(re.match(pattern, text) for pattern in self.errors)

    def choose_victim(self):
        victims = self.cluster.victims
        if not victims:
            raise LeftOut("nobody serves")
        return self.step.choose(victims)

    def said(self, pattern):
        return self.cluster.said(re.compile(pattern), self.mark)
