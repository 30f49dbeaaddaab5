"""The admin site of a server, as its clients see it."""

import json
import re

from lib import client
from lib.wait import eventually

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class Site:
    """That of a running server; at `address`, or where the log says."""

    def __init__(self, server, address=None):
        self.server = server
        self._address = address

    @property
    def address(self):
        if self._address:
            return self._address
        pattern = r"the admin role listens on http://\S+:(\d+)$"
        return ("127.0.0.1", int(self.server.wait_for_log(pattern)[1]))

    def fetch(self, target, method="GET", headers=None, body=b""):
        return client.fetch(self.address, target, method, {"Host": "localhost", **(headers or {})},
                            body)  # fmt: skip

    def get(self, target, headers=None):
        response = self.fetch(target, headers=headers)
        assert response.status == 200, (target, response)
        return response

    def status(self):
        return self.get("/status").json

    def order(self, command, arguments=None, headers=None):
        """Give an order with the token; returns the response."""
        body = b"" if arguments is None else json.dumps(arguments).encode()
        return self.fetch(f"/{command}", "POST", {**BEARER, "Content-Length": str(len(body)),
                                                  **(headers or {})}, body)  # fmt: skip

    def until(self, target, status, text=""):
        """Ask until it answers so; returns the response."""

        def answer():
            response = self.fetch(target)
            return response if response.status == status and text in response.text else None

        return eventually(answer, f"{target} answers {status} {text}")

    def stream(self, **headers):
        return Stream(self.address, headers)

    @property
    def pid(self):
        return self.process["pid"]

    @property
    def process(self):
        """What the status says of the admin child, not of one that leaves or is to follow."""
        return [one for one in self.status()["processes"] if one["role"] == "admin"][0]


class Stream(client.Connection):
    """GET /events, taken apart into events."""

    def __init__(self, address, headers):
        super().__init__(address)
        self._text = ""
        self.send(client.render("/events", headers={"Host": "localhost", **headers}))
        head = self._take_head()
        self.status = int(head.split(" ")[1])
        self.fields = dict(re.findall(r"^([^:\r\n]+): (.*?)\r$", head, re.MULTILINE))

    def _take_chunk(self):
        while b"\r\n" not in self._unread:
            self._more()
        size = int(self._take(self._unread.index(b"\r\n") + 2), 16)
        data = self._take(size + 2)
        assert data.endswith(b"\r\n")
        return data[:-2].decode()

    def next(self):
        """The next event as (name, id, value of data); None at the end."""
        while "\n\n" not in self._text:
            chunk = self._take_chunk()
            if not chunk:
                return None
            self._text += chunk
        block, _, self._text = self._text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" not in fields:
            return self.next()  # a comment, or the time to wait
        number = int(fields["id"]) if "id" in fields else None
        return fields["event"], number, json.loads(fields["data"])

    def until(self, name, is_wanted):
        """Read on to the first event of that name that is wanted; returns its id and data."""
        while True:
            event = self.next()
            assert event, "the stream has ended"
            if event[0] == name and is_wanted(event[2]):
                return event[1:]
