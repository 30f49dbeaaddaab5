"""A server of the control protocol that says what a test wants: one JSON object a line."""

import copy
import json
import os
import socket
import threading

from lib.wait import eventually

STATUS = {
    "version": "0.1.0",
    "instance": "6f1f2c1e-7a34-4f0e-9a35-3f7b8a0e5d11",
    "pid": 4711,
    "hostname": "zombie.test",
    "state": "serving",
    "started": "2026-11-21T10:00:00.123Z",
    "uptime_ms": 273600000,
    "generation": 2,
    "upgrades": 0,
    "last_reload": None,
    "workers": 2,
    "max_workers": 256,
    "chaos": False,
    "listeners": ["http://127.0.0.1:3000", "unix:/run/web.sock"],
    "admin": "http://127.0.0.1:9090",
    "master": {"cpu_percent": 0.1, "pss_bytes": 3145728, "rss_bytes": 5242880},
    "totals": {
        "requests": 12345, "requests_per_second": 15.25, "connections": 3, "accepted": 999,
        "received_bytes": 1048576, "sent_bytes": 10485760, "respawns": 2, "deaths": 5,
        "retired": 3,
    },
    "registry": None,
    "processes": [],
}  # fmt: skip

PROCESS = {
    "role": "worker", "slot": 1, "worker": 5, "pid": 4712, "state": "serving", "candidate": False,
    "leaving": False, "generation": 2, "uptime_ms": 5000, "respawns": 2, "requests": 12300,
    "requests_per_second": 15.0, "connections": 3, "cpu_percent": 1.5, "pss_bytes": 2097152,
    "heartbeat_age_ms": 12, "request": None, "last_death": None,
}  # fmt: skip

ADMIN = {**PROCESS, "role": "admin", "slot": None, "worker": 3, "pid": 4710, "respawns": 0}
DEATH = {"worker": 4, "cause": "killed by SIGKILL", "kind": "signal", "ago_ms": 7000}

EVENT = {
    "seq": 12, "time": "2026-11-21T10:00:00.123Z", "event": "death", "worker": 3, "slot": 1,
    "role": "worker", "pid": 77, "generation": 1, "text": "killed by SIGKILL, replaced at once",
}  # fmt: skip


def status(*processes, **members):
    """A STATUS with these members and processes: without any, two workers and the admin child."""
    made = copy.deepcopy({**STATUS, **members})
    made["processes"] = copy.deepcopy(list(processes)) or [
        {**PROCESS, "last_death": DEATH},
        {**PROCESS, "slot": 2, "worker": 2, "pid": 4713},
        dict(ADMIN),
    ]
    return made


class Request:
    """What a client has asked, and the ways to answer it."""

    def __init__(self, connection, line):
        self._connection = connection
        self.members = json.loads(line)
        self.command = self.members["command"]
        self.arguments = {k: v for k, v in self.members.items() if k not in ("id", "command")}

    def send(self, **members):
        """A line of the answer; true while the client is there to hear it."""
        line = json.dumps({"id": self.members["id"], **members}) + "\n"
        try:
            self._connection.sendall(line.encode("utf-8", "surrogateescape"))
            return True
        except OSError:
            return False

    def progress(self, done, total, text):
        return self.send(progress={"done": done, "total": total}, text=text)

    def succeed(self, text=None, result=None):
        members = {"text": text, "result": result}
        return self.send(ok=True, **{k: v for k, v in members.items() if v is not None})

    def fail(self, error, text):
        return self.send(ok=False, error=error, text=text)

    def hang_up(self):
        """End the connection without an answer."""
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client was faster


class FakeControl:
    """
    Listens on the path. on(command, answer) says what to do with a Request, in
    a thread of its connection; "status" and "version" are answered from self.status, and what is
    not known with an error. All that was asked is in self.asked.
    """

    def __init__(self, path):
        self.path = str(path)
        self.status = status()
        self.asked = []
        self._answers = {
            "status": lambda request: request.succeed(result=self.status),
            "version": lambda request: request.succeed(
                result={key: self.status[key] for key in ("version", "pid", "instance")}),
        }  # fmt: skip
        self._connections = []
        self._listener = None
        self.begin()

    def on(self, command, answer):
        self._answers[command] = answer

    def begin(self):
        if os.path.exists(self.path):
            os.unlink(self.path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    self._answer(Request(connection, line))
            except OSError:
                pass

    def _answer(self, request):
        self.asked.append(request.members)
        answer = self._answers.get(request.command)
        if answer:
            answer(request)
        else:
            request.fail("unknown-command", f"there is no command {request.command}")

    def arguments_of(self, command):
        """Those of the last request of that command."""
        found = [members for members in self.asked if members["command"] == command]
        return {k: v for k, v in found[-1].items() if k not in ("id", "command")}

    def wait_until_asked(self, command, times=1):
        def count():
            return sum(members["command"] == command for members in list(self.asked))

        eventually(lambda: count() >= times, f"{times} times {command}")

    def vanish(self, keep_file=True):
        """As a process that is killed, or (keep_file=False) that has cleaned up."""
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self._connections.clear()
        if not keep_file and os.path.exists(self.path):
            os.unlink(self.path)
