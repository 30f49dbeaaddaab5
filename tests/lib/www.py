"""A folder of files and a server that serves it below /f/."""

import os

import pytest

from lib.client import Connection, Disconnected, render


def quoted(value):
    """A value as a configuration file has it; a list for a list."""
    if isinstance(value, (list, tuple)):
        return "{ " + ", ".join(quoted(item) for item in value) + " }"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Site:
    """The folder `root` and what the last serve() has started."""

    def __init__(self, start, folder):
        self._start = start
        self._folder = folder
        self.root = folder / "www"
        self.root.mkdir()

    def write(self, name, content=b"", mtime=None):
        """Write a file below the root, folders included; mtime in seconds."""
        path = os.path.join(os.fsencode(self.root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        if mtime is not None:
            os.utime(path, (mtime, mtime))
        return path

    def sparse(self, name, size):
        """A file with a mark each MiB and nothing in between."""
        path = self.root / name
        with open(path, "wb") as file:
            for offset in range(0, size, 1 << 20):
                file.seek(offset)
                file.write(b"<%d>" % offset)
            file.truncate(size)
        return path

    def serve(self, *arguments, pattern="/f/", workers=1, preexec=None, **options):
        """Start a server with that route; options are those of the handler."""
        options = {"handler": "files", "root": self.root, **options}
        lines = [f"  {key} = {quoted(value)}\n" for key, value in options.items()]
        path = self._folder / "files.conf"
        path.write_text(f'route "{pattern}" {{\n{"".join(lines)}}}\n')
        return self._start("-c", path, *arguments, workers=workers, preexec=preexec)


@pytest.fixture
def site(start, tmp_path):
    return Site(start, tmp_path)


class Download(Connection):
    """The answer to a GET, of which `response` is the head and the body is yet to be read."""

    def __init__(self, address, target, headers=None, request=None):
        super().__init__(address)
        self.send(request or render(target, headers=headers))
        self.response = self.receive("HEAD")
        self.left = int(self.response.headers["content-length"])

    def read(self, size):
        """So many bytes; Connection's way is slow with millions of them."""
        data = bytearray(self._unread[:size])
        self._unread = self._unread[size:]
        while len(data) < size:
            more = self.socket.recv(min(size - len(data), 1 << 20))
            if not more:
                raise Disconnected(f"{self.left - len(data)} bytes before the end")
            data += more
        self.left -= size
        return bytes(data)

    def read_rest(self):
        return self.read(self.left)

    def breaks_off(self):
        """Whether the connection ends before the answer does."""
        try:
            self.read_rest()
        except (Disconnected, ConnectionResetError):
            return True
        return False
