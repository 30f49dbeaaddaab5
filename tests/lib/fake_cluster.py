"""Workers that exist in the answers of a fake control server only, and a web server beside them."""

import itertools
import socket
import struct
import threading

from lib.fake_control import EVENT, PROCESS, status
from lib.wait import DEADLINE


class FakeCluster:
    """
    Answers `status`, `events` and `kill` of a FakeControl as a server does that
    replaces each worker at once; without `heals`, it replaces nobody. `kills`
    are the arguments of the orders. It has so many workers that hardly a slot is
    killed twice: a client that is slow must hold some of such kills back.
    """

    def __init__(self, control, workers=256, heals=True, url="http://127.0.0.1:1"):
        self.kills = []
        self._heals = heals
        self._workers = {slot: slot for slot in range(1, workers + 1)}
        self._numbers = itertools.count(workers + 1)
        self._sequence = itertools.count(1)
        self._follower = None
        self._members = {"chaos": True, "workers": workers, "listeners": [url]}
        control.on("status", lambda request: request.succeed(result=self.status()))
        control.on("events", self._events)
        control.on("kill", self._kill)

    def status(self):
        processes = [
            {**PROCESS, "slot": slot, "worker": worker, "state": "serving" if worker else "empty"}
            for slot, worker in self._workers.items()
        ]
        return status(*processes, **self._members)

    def _events(self, request):
        if request.arguments.get("follow"):
            self._follower = request
        else:
            request.succeed()

    def _tell(self, event, slot, worker):
        sequence = next(self._sequence)
        self._follower.send(
            event={**EVENT, "seq": sequence, "event": event, "slot": slot, "worker": worker}
        )

    def _kill(self, request):
        slot = request.arguments["slot"]
        self.kills.append(request.arguments)
        self._tell("death", slot, self._workers[slot])
        self._workers[slot] = None
        if self._heals:
            self._workers[slot] = next(self._numbers)
            self._tell("ready", slot, self._workers[slot])
        request.succeed()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


def _reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class FakeWeb:
    """
    Answers each request as choose(number of the request, from 0; its number on
    its connection, from 0; whether the connection shall be kept) says: "ok" or
    one of the ways to lose it. `answers` are those that were chosen.
    """

    _replies = {
        "ok": OK,
        "closed": b"",
        "reset": b"",
        "silent": b"",
        "partial": OK[:-1],
        "status": OK.replace(b"200 OK", b"503 No"),
        "malformed": b"ICY 200 OK\r\n\r\n",
        "missing": OK.replace(b"200 OK", b"404 No"),
    }

    def __init__(self, choose):
        self.answers = []
        self._choose = choose
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        connection.settimeout(DEADLINE)
        with connection:
            try:
                for number in itertools.count():
                    if not self._answer(connection, number):
                        return
            except OSError:
                pass

    def _answer(self, connection, number):
        """One request; false when the connection has ended, or shall."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            data = connection.recv(65536)
            if not data:
                return False
            head += data
        keeps = b"Connection: close" not in head
        with self._lock:
            answer = self._choose(len(self.answers), number, keeps)
            self.answers.append(answer)
        connection.sendall(self._replies[answer])
        if answer == "silent":
            connection.recv(1)  # until the client has lost its patience
        if answer == "reset":
            _reset(connection)
        return keeps and answer in ("ok", "status", "missing")
