"""A Distributor that does what a test says, and remembers what nodes have told it."""

import json
import socket
import threading

from lib.wait import eventually

END = "\u00b6".encode()


def node(name, port, host="127.0.0.1"):
    return {"port": port, "name": name, "urls": [], "host": host}


class Distributor:
    """
    others: what the list has besides those that are registered; say() after a change
    answers: whether it answers GET, or, as programs in the field, POST alone
    piece: how many bytes it writes at a time; None: all
    """

    def __init__(self, port=0, others=(), answers=True, piece=None):
        self.others, self.answers, self.piece = list(others), answers, piece
        self.posts, self.accepted = [], 0
        self.is_mute = False
        self._nodes = {}  # by connection, in order of registration
        self._connections = []
        self._lock = threading.RLock()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def nodes(self):
        with self._lock:
            return list(self._nodes.values())

    @property
    def connections(self):
        """How many there are now."""
        with self._lock:
            return len(self._connections)

    def wait_for_nodes(self, n):
        eventually(lambda: len(self.nodes) == n, f"{n} nodes are registered")
        return self.nodes

    def message(self, key=0):
        params = [*self.others, *self.nodes]
        text = json.dumps({"uri": "/distributes", "method": "GET", "key": key, "params": params})
        return text.encode() + END

    def say(self):
        """Tell the list to all who are registered."""
        with self._lock:
            for connection in list(self._nodes):
                self.send(connection, self.message())

    def send(self, connection, data):
        if self.is_mute:
            return
        step = self.piece or len(data)
        try:
            for at in range(0, len(data), step):
                connection.sendall(data[at : at + step])
        except OSError:
            pass  # it has left, as its reader will notice

    def send_to_all(self, data):
        """Raw bytes, whatever they are."""
        with self._lock:
            for connection in self._connections:
                self.send(connection, data)

    def drop(self):
        """End all connections."""
        with self._lock:
            for connection in self._connections:
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        """End; the port is free for another one."""
        if self._listener.fileno() < 0:
            return
        # close() alone would not wake accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.drop()
        eventually(lambda: self.connections == 0, "all readers have ended")

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self.accepted += 1
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        rest = b""
        try:
            while data := connection.recv(65536):
                *frames, rest = (rest + data).split(END)
                for frame in filter(None, frames):
                    self._take(connection, json.loads(frame))
        except OSError:
            pass  # a reset is an end as well
        with self._lock:
            self._connections.remove(connection)
            is_node = self._nodes.pop(connection, None)
            connection.close()
            if is_node:
                self.say()

    def _take(self, connection, message):
        assert message["uri"] == "/distributes"
        with self._lock:
            if message["method"] == "POST":
                self.posts.append(message["params"])
                self._nodes[connection] = {
                    **message["params"], "host": connection.getpeername()[0]
                }  # fmt: skip
                self.say()
            elif self.answers:
                assert message["method"] == "GET"
                self.send(connection, self.message(message["key"]))
