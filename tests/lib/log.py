"""The server's log in pieces."""

import re
from dataclasses import dataclass

LINE = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\S*) (?P<level>error|warning|info|debug) "
    r"(?P<role>master|worker|admin)(?: (?P<id>\d+))?: (?P<rest>.*)"
)
_FIELD = re.compile(r' (\w+)=("(?:[^"\\]|\\.)*"|\S*)')


@dataclass
class Record:
    level: str
    role: str
    id: str  # of the child that speaks, or None
    text: str  # message and fields as they stand
    fields: dict


def records(log):
    """The lines of a log in text format; others, such as a sanitizer's, are left out."""
    found = []
    for line in log.splitlines():
        match = LINE.fullmatch(line)
        if match:
            rest = match["rest"]
            fields = {key: value.strip('"') for key, value in _FIELD.findall(rest)}
            found.append(Record(match["level"], match["role"], match["id"], rest, fields))
    return found


@dataclass
class Worker:
    id: int
    slot: int
    pid: int
    generation: int = 1
    is_ready: bool = False
    is_leaving: bool = False
    is_dead: bool = False


def workers(log):
    """Every worker there ever was, by its id, as the master tells it."""
    table = {}
    for record in records(log):
        match = re.match(r"worker (\d+) (forked|is ready|leaves|died)", record.text)
        if record.role != "master" or not match:
            continue
        number, event = int(match[1]), match[2]
        if event == "forked":
            fields = (int(record.fields[key]) for key in ("slot", "pid", "generation"))
            table[number] = Worker(number, *fields)
        elif number not in table:
            continue  # it was forked while another file was the log
        elif event == "is ready":
            table[number].is_ready = True
        elif event == "leaves":
            table[number].is_leaving = True
        else:
            table[number].is_dead = True
    return table
