"""
As much of the gateway of etcd as an instance needs, written from etcd's own answers: leases that
end only when a test says so, keys, and watches. tests/registries has the real one.
"""

import base64
import http.server
import json
import queue
import threading

_LEASE_NOT_FOUND = (404, "etcdserver: requested lease not found", 5)


class Refused(Exception):
    """The arguments are the status, the text and the code of gRPC."""


class FakeEtcd:
    """
    Listens on a free port of the loopback.

    answer: if set, asked first with each target: (status, bytes) in place of an answer, or None
    echo: a target that is refused, with a message that is the request's token and body
    """

    def __init__(self, answer=None):
        self.answer = answer
        self.requests = []  # targets
        self.echo = None
        self.silent = False  # watches hear nothing
        self.keys, self.leases, self.revision = {}, {}, 1
        self._watches = []
        self._lock = threading.RLock()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                fake._serve(self)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end_watches()
        self._server.shutdown()
        self._server.server_close()

    # What tests do to it

    def members(self, service="api"):
        folder = f"/services/{service}/"
        with self._lock:
            return {key.removeprefix(folder): json.loads(value)
                    for key, (value, _) in self.keys.items() if key.startswith(folder)}  # fmt: skip

    def put(self, key, value, lease=0):
        with self._lock:
            self.revision += 1
            self.keys[key] = (value, lease)
            self._tell({"kv": self._kv(key)})

    def delete(self, key):
        with self._lock:
            self.revision += 1
            if self.keys.pop(key, None):
                self._tell({"type": "DELETE", "kv": {"key": _encode(key),
                                                     "mod_revision": str(self.revision)}})  # fmt: skip

    def expire(self, lease):
        with self._lock:
            del self.leases[lease]
            for key in [key for key, (_, its) in self.keys.items() if its == lease]:
                self.delete(key)

    def cancel_watches(self):
        """As etcd does when what they ask for is compacted."""
        for watch in list(self._watches):
            watch.put({"header": self._header(), "canceled": True, "compact_revision": "3"})

    def end_watches(self):
        for watch in list(self._watches):
            watch.put(None)

    # What it answers

    def _serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append(handler.path)
        instead = self.answer(handler.path) if self.answer else None
        if instead:
            _reply(handler, *instead)
        elif handler.path == self.echo:
            said = f"{handler.headers['Authorization']} {body.decode()}"
            _reply(handler, 400, json.dumps({"message": said}).encode())
        elif handler.path == "/v3/watch":
            self._watch(handler)
        else:
            try:
                with self._lock:
                    answer = self._tasks[handler.path](self, json.loads(body))
                _reply(handler, 200, json.dumps(answer).encode())
            except Refused as refused:
                status, text, code = refused.args
                error = {"error": text, "message": text, "code": code}
                _reply(handler, status, json.dumps(error).encode())

    def _header(self):
        return {"revision": str(self.revision)}

    def _kv(self, key):
        value, lease = self.keys[key]
        return {"key": _encode(key), "value": _encode(value), "lease": str(lease),
                "mod_revision": str(self.revision)}  # fmt: skip

    def _grant(self, asked):
        lease = len(self.requests) + 1000
        self.leases[lease] = int(asked["TTL"])
        return {"header": self._header(), "ID": str(lease), "TTL": asked["TTL"]}

    def _keep_alive(self, asked):
        result = {"header": self._header(), "ID": asked["ID"]}
        if int(asked["ID"]) in self.leases:
            result["TTL"] = str(self.leases[int(asked["ID"])])
        return {"result": result}

    def _revoke(self, asked):
        if int(asked["ID"]) not in self.leases:
            raise Refused(*_LEASE_NOT_FOUND)
        self.expire(int(asked["ID"]))
        return {"header": self._header()}

    def _put(self, asked):
        if int(asked["lease"]) not in self.leases:
            raise Refused(*_LEASE_NOT_FOUND)
        self.put(_decode(asked["key"]), _decode(asked["value"]), int(asked["lease"]))
        return {"header": self._header()}

    def _txn(self, asked):
        (compared,), (success,) = asked["compare"], asked["success"]
        _, lease = self.keys.get(_decode(compared["key"]), (None, None))
        if lease != int(compared["lease"]):
            return {"header": self._header()}
        self._put(success["request_put"])
        return {"header": self._header(), "succeeded": True}

    def _range(self, asked):
        first = _decode(asked["key"])
        end = _decode(asked["range_end"]) if "range_end" in asked else first + "\0"
        found = [self._kv(key) for key in sorted(self.keys) if first <= key < end]
        answer = {"header": self._header(), "kvs": found, "count": str(len(found))}
        return {key: value for key, value in answer.items() if value not in ([], "0")}

    def _delete_range(self, asked):
        self.delete(_decode(asked["key"]))
        return {"header": self._header()}

    def _authenticate(self, asked):
        return {"header": self._header(), "token": f"token-of-{asked['name']}"}

    _tasks = {
        "/v3/lease/grant": _grant,
        "/v3/lease/keepalive": _keep_alive,
        "/v3/lease/revoke": _revoke,
        "/v3/kv/put": _put,
        "/v3/kv/txn": _txn,
        "/v3/kv/range": _range,
        "/v3/kv/deleterange": _delete_range,
        "/v3/auth/authenticate": _authenticate,
    }

    def _tell(self, event):
        for watch in [] if self.silent else self._watches:
            watch.put({"header": self._header(), "events": [event]})

    def _watch(self, handler):
        watch = queue.SimpleQueue()
        watch.put({"header": self._header(), "created": True})
        self._watches.append(watch)
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while (result := watch.get()) is not None:
                line = json.dumps({"result": result}).encode() + b"\n"
                handler.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
            handler.wfile.write(b"0\r\n\r\n")
        except OSError:
            handler.close_connection = True
        self._watches.remove(watch)


def _encode(text):
    return base64.b64encode(text.encode()).decode()


def _decode(text):
    return base64.b64decode(text, validate=True).decode()


def _reply(handler, status, body):
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
