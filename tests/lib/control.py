"""The control socket of a server, by a client that believes nothing: each line is checked."""

import json
import re
import socket
import struct

from lib.wait import DEADLINE, eventually

ERRORS = {"bad-request", "unknown-command", "bad-argument", "unknown-slot", "not-allowed",
          "refused", "failed", "too-many"}  # fmt: skip

_END = {"ok", "text", "result"}
_FAILURE = {"ok", "error", "text"}


class HungUp(Exception):
    """The server has closed the connection."""


class Rejected(Exception):
    """What was sent is no request; the text says why."""


def _unique(pairs):
    keys = [key for key, _ in pairs]
    assert len(keys) == len(set(keys)), f"a key comes twice: {keys}"
    return dict(pairs)


def _refuse_constant(name):
    raise AssertionError(f"{name} is no JSON")


def parse(line):
    """One line of an answer: strict JSON in strict UTF-8."""
    text = line.decode("utf-8")
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    assert isinstance(value, dict), text
    return value


class Order:
    """A request and what was answered so far."""

    def __init__(self, client, number):
        self._client = client
        self.id = number
        self.progress = []  # (done, total, text)
        self.events = []
        self.logs = []
        self.end = None

    def take(self, line):
        """One line of the answer, without its id."""
        assert self.end is None, f"after the end: {line}"
        if "progress" in line:
            assert set(line) == {"progress", "text"}, line
            assert set(line["progress"]) == {"done", "total"}, line
            done, total = line["progress"]["done"], line["progress"]["total"]
            assert 0 <= done <= total, line
            self.progress.append((done, total, line["text"]))
        elif "event" in line:
            assert set(line) == {"event"}, line
            self.events.append(line["event"])
        elif "log" in line:
            assert set(line) == {"log"} and set(line["log"]) == {"seq", "worker", "line"}, line
            self.logs.append(line["log"])
        else:
            self._take_end(line)

    def _take_end(self, line):
        assert line.get("ok") in (True, False), line
        if line["ok"]:
            assert set(line) <= _END, line
        else:
            assert set(line) == _FAILURE and line["error"] in ERRORS and line["text"], line
        self.end = line

    def wait(self):
        """Until the answer is complete."""
        while self.end is None:
            self._client.receive()
        return self

    def wait_for(self, predicate):
        """Until predicate(order) is true; returns its value. The order goes on."""
        while not (value := predicate(self)):
            assert self.end is None, f"it has ended: {self.end}"
            self._client.receive()
        return value

    def wait_for_progress(self):
        return self.wait_for(lambda order: order.progress)

    def wait_for_event(self, kind, text="", **members):
        """The first event of that kind with a text like this."""
        return self.wait_for(lambda order: find_event(order.events, kind, text, **members))

    def wait_for_line(self, pattern):
        """The first line of the log that matches."""
        return self.wait_for(
            lambda order: next((x for x in order.logs if re.search(pattern, x["line"])), None)
        )

    @property
    def lines(self):
        return [entry["line"] for entry in self.logs]

    @property
    def error(self):
        return self.end.get("error")

    @property
    def text(self):
        return self.end.get("text")

    @property
    def result(self):
        return self.end.get("result")

    def done(self):
        """Wait for the end, which must be a good one."""
        self.wait()
        assert self.end["ok"], self.end
        return self

    def failed(self, error):
        """Wait for the end, which must be this error; returns its text."""
        self.wait()
        assert not self.end["ok"] and self.error == error, self.end
        return self.text


def find_event(events, kind, text="", **members):
    for event in events:
        if (event["event"] == kind and re.search(text, event["text"])
                and all(event[key] == value for key, value in members.items())):  # fmt: skip
            return event
    return None


class Client:
    """One connection to the socket, for any number of orders at once."""

    def __init__(self, path, seconds=DEADLINE):
        self.socket = socket.socket(socket.AF_UNIX)
        # A timeout would make connect(2) fail at once where it has to wait for its turn.
        limit = struct.pack("ll", seconds, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        try:
            self.socket.connect(str(path))
            self.socket.settimeout(seconds)
        except OSError:
            self.socket.close()
            raise
        self._unread = b""
        self._last = 0
        self._orders = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def begin(self, command, **arguments):
        """Ask, without waiting for an answer; an argument None is left out."""
        self._last += 1
        given = {key: value for key, value in arguments.items() if value is not None}
        self.send(json.dumps({"id": self._last, "command": command, **given}) + "\n")
        self._orders[self._last] = Order(self, self._last)
        return self._orders[self._last]

    def ask(self, command, **arguments):
        """Ask and wait for the end, whatever it is."""
        return self.begin(command, **arguments).wait()

    def expect(self, number):
        """An order that was sent as bytes."""
        self._orders[number] = Order(self, number)
        return self._orders[number]

    def read_line(self):
        """The next line as it is."""
        while b"\n" not in self._unread:
            try:
                data = self.socket.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                data = b""
            if not data:
                raise HungUp(f"after {self._unread[:200]!r}")
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line + b"\n"

    def receive(self):
        """Read one line and give it to its order."""
        line = parse(self.read_line())
        assert "id" in line, line
        number = line.pop("id")
        if number is None:
            assert set(line) == _FAILURE and line["error"] in ERRORS, line
            raise Rejected(line["error"], line["text"])
        self._orders[number].take(line)

    def is_closed(self):
        """Wait until the server has closed the connection; true if it said nothing more."""
        try:
            self.read_line()
        except HungUp:
            return self._unread == b""
        return False


def ask(server, command, /, **arguments):
    """One order on a connection of its own; a server or a path. Whatever the end is."""
    with Client(path_of(server)) as client:
        return client.ask(command, **arguments)


def path_of(server):
    return getattr(server, "control_path", server)


def do(server, command, /, **arguments):
    """The same, which must succeed."""
    return ask(server, command, **arguments).done()


def refusal(server, error, command, /, **arguments):
    """The same, which must fail so; returns the text."""
    return ask(server, command, **arguments).failed(error)


def status(server):
    return do(server, "status").result


def of_role(status_, role):
    return [process for process in status_["processes"] if process["role"] == role]


def workers_of(status_):
    return of_role(status_, "worker")


def slot_of(status_, slot):
    """The holder of the slot: it comes first."""
    return next(process for process in status_["processes"] if process["slot"] == slot)


def admin_of(status_):
    """The admin child, or None."""
    found = of_role(status_, "admin")
    return found[0] if found else None


def events(server, since=0):
    return do(server, "events", since=since).events


def last_event(server):
    """The sequence of the newest event, 0 without any."""
    return max((event["seq"] for event in events(server)), default=0)


def wait_for_event(server, kind, text="", since=0, **members):
    return eventually(lambda: find_event(events(server, since), kind, text, **members),
                      f"an event {kind} with {text!r} {members}")  # fmt: skip


def wait_until_heard(server):
    """Until zombiectl may come: the socket is there a moment before anybody listens."""

    def comes():
        try:
            with Client(path_of(server)):
                return True
        except OSError:
            return False

    eventually(comes, "the control socket is heard")


def wait_for_status(server, predicate, what):
    """Poll the status until predicate(status); returns that status."""

    def matching():
        now = status(server)
        return now if predicate(now) else None

    return eventually(matching, what)


def wait_until_settled(server, n=None):
    """Until n workers serve, the admin child too if there is one, and nobody boots or leaves."""

    def is_settled(now):
        wanted = now["workers"] if n is None else n
        quiet = all(x["state"] == "serving" and not x["candidate"] and not x["leaving"]
                    for x in now["processes"])  # fmt: skip
        has_admin = (now["admin"] is not None) == (admin_of(now) is not None)
        return quiet and has_admin and len(workers_of(now)) == now["workers"] == wanted

    return wait_for_status(server, is_settled, f"{n} workers serve and nobody else is there")


def assert_progress(order, total):
    """It only rises, and its last step is the end."""
    steps = [done for done, _, _ in order.progress]
    assert steps == sorted(set(steps)), order.progress
    assert {of for _, of, _ in order.progress} == {total}, order.progress
    assert steps[-1] == total, order.progress


def wait_for_upgrade(server, n=1):
    """Until the n-th new program answers. Who is connected when it is executed is hung up on."""

    def upgraded():
        try:
            return status(server)["upgrades"] >= n
        except HungUp:
            return False

    eventually(upgraded, "the new program answers")
