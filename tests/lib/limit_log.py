"""What the log says of limits that clients run into."""

from dataclasses import dataclass
from datetime import datetime

from lib import log


@dataclass
class Hit:
    seconds: float  # when
    number: int  # the counter at that time
    client: str  # None: the line names nobody


def hits(text, limit):
    """Each line of a log that is about this limit."""
    found = []
    for line in text.splitlines():
        match = log.LINE.fullmatch(line)
        fields = log.records(line)[0].fields if match else {}
        if fields.get("limit") == limit:
            when = datetime.fromisoformat(match["time"].replace("Z", "+00:00")).timestamp()
            found.append(Hit(when, int(fields["hits"]), fields.get("client")))
    return found


def told(text, limit):
    """The counter of the last line about this limit."""
    return max((hit.number for hit in hits(text, limit)), default=0)


def assert_told_once_a_second(lines, least):
    """The lines are at least a second apart, and the counter goes from 1 to so many or more."""
    numbers = [hit.number for hit in lines]
    assert numbers[0] == 1 and numbers[-1] >= least and numbers == sorted(set(numbers)), numbers
    pairs = zip(lines, lines[1:])
    assert all(later.seconds - sooner.seconds > 0.98 for sooner, later in pairs), lines
