"""A strict reader of answers: it knows whether one is whole, and where it ends."""

import re
from dataclasses import dataclass, field

from lib.wait import DEADLINE

_STATUS = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[\t ]*([\t\x20-\x7e\x80-\xff]*?)[\t ]*")


class Broken(Exception):
    """The connection ended before the answer was whole; `answer`: as far as it came, or None."""

    def __init__(self, answer):
        super().__init__(f"broken after {answer}")
        self.answer = answer


@dataclass
class Answer:
    status: int
    reason: str
    fields: list  # (name, value)
    interim: list = field(default_factory=list)  # those of 1xx before it
    body: bytes = b""
    trailers: list = field(default_factory=list)
    framing: str = "none"  # length, chunked, until close

    def all(self, name):
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def one(self, name):
        (value,) = self.all(name)
        return value

    @property
    def closes(self):
        return "close" in [value.lower() for value in self.all("connection")]

    def __str__(self):
        return f"{self.status} {self.reason}, {self.framing}, {len(self.body)} bytes"


class Reader:
    """
    Reads answers from a socket, one by one. Bytes that are no answer fail.

    piece: how many bytes to ask for at a time
    """

    def __init__(self, sock, piece=65536):
        self.socket = sock
        self.unread = b""
        self._piece = piece
        sock.settimeout(DEADLINE)

    def _more(self):
        """Whether something came; not at the end."""
        try:
            data = self.socket.recv(self._piece)
        except ConnectionError:
            data = b""
        self.unread += data
        return bool(data)

    def _until(self, end, answer=None):
        while end not in self.unread:
            if not self._more():
                raise Broken(answer)
        taken, _, self.unread = self.unread.partition(end)
        return taken

    def _take(self, size, answer):
        """So many more bytes of the body."""
        pieces = [answer.body]
        try:
            while size:
                if not self.unread and not self._more():
                    raise Broken(answer)
                pieces.append(self.unread[:size])
                self.unread = self.unread[size:]
                size -= len(pieces[-1])
        finally:
            answer.body = b"".join(pieces)

    @staticmethod
    def _fields(lines):
        found = [_FIELD.fullmatch(line) for line in lines]
        assert all(found), f"not a field in {lines[:20]}"
        return [(match[1].decode(), match[2].decode("latin-1")) for match in found]

    def head(self):
        """The next head, of a 1xx perhaps."""
        line, *lines = self._until(b"\r\n\r\n").split(b"\r\n")
        match = _STATUS.fullmatch(line)
        assert match, f"no status line: {line[:200]}"
        return Answer(int(match[1]), match[2].decode("latin-1"), self._fields(lines))

    def read(self, method="GET"):
        """The next answer, to a request of that method; Broken if it is not whole."""
        interim = []
        answer = self.head()
        while answer.status < 200 and answer.status != 101:
            interim.append(answer)
            answer = self.head()
        answer.interim = interim
        lengths, codings = answer.all("content-length"), answer.all("transfer-encoding")
        assert len(lengths) + len(codings) <= 1, f"framed twice: {answer.fields}"
        if method == "HEAD" or answer.status in (101, 204, 304):
            return answer
        if codings:
            assert codings == ["chunked"], codings
            answer.framing = "chunked"
            self._chunks(answer)
        elif lengths:
            assert lengths[0].isdigit(), lengths
            answer.framing = "length"
            self._take(int(lengths[0]), answer)
        else:
            answer.framing = "until close"
            assert answer.closes, "an answer until the end that does not say close"
            while self.unread or self._more():
                answer.body, self.unread = answer.body + self.unread, b""
        return answer

    def _chunks(self, answer):
        while True:
            line = self._until(b"\r\n", answer)
            assert re.fullmatch(rb"[0-9A-Fa-f]{1,16}", line), f"no size of a chunk: {line[:100]}"
            size = int(line, 16)
            if size == 0:
                break
            self._take(size, answer)
            assert self._until(b"\r\n", answer) == b"", "a chunk without its end"
        lines = []
        while line := self._until(b"\r\n", answer):
            lines.append(line)
        answer.trailers = self._fields(lines)

    def take(self, size):
        """So many bytes that are no part of an answer: of another protocol."""
        while len(self.unread) < size:
            assert self._more(), f"the end after {self.unread[:100]!r}"
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def is_over(self):
        """Whether the server ends the connection without another byte; waits for what comes."""
        return not self.unread and not self._more()
