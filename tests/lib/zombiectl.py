"""Running zombiectl: to its end, in the background, and on a terminal of its own."""

import fcntl
import os
import pty
import re
import select
import shlex
import struct
import subprocess
import termios
import time

from lib.wait import DEADLINE, eventually

BINARY = os.environ.get("ZOMBIECTL") or os.path.join(
    os.path.dirname(os.environ["ZOMBIE_SERVER"]), "zombiectl", "zombiectl"
)


def environment(**variables):
    """Ours without what zombiectl looks at, plus these."""
    looked_at = ("ZOMBIE_CONTROL", "NO_COLOR", "XDG_RUNTIME_DIR", "COLUMNS", "LINES")
    ours = {k: v for k, v in os.environ.items() if k not in looked_at}
    return {**ours, "TERM": "xterm", **variables}


def command(path, *arguments):
    """The command line; path None: without -s."""
    wrapper = shlex.split(os.environ.get("ZOMBIE_WRAPPER", ""))
    return [*wrapper, BINARY, *(["-s", path] if path else []), *map(str, arguments)]


def ctl(path, *arguments, env=None, **options):
    """Run it to its end."""
    return subprocess.run(
        command(path, *arguments), env=environment(**(env or {})), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=DEADLINE, check=False, **options,
    )  # fmt: skip


class Background:
    """A run that goes on, with pipes for its output."""

    def __init__(self, path, *arguments):
        self._process = subprocess.Popen(
            command(path, *arguments), env=environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._unread = b""

    def line(self):
        """The next line of standard output, without its end."""
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self._process.stdout], [], [], DEADLINE)
            assert ready, "nothing was printed"
            data = os.read(self._process.stdout.fileno(), 65536)
            assert data, "nothing more was printed"
            self._unread += data
        line, _, self._unread = self._unread.partition(b"\n")
        return line.decode()

    def close_output(self):
        self._process.stdout.close()
        self._process.stdout = None

    def wait(self, seconds):
        self._process.wait(seconds)

    def finish(self):
        """Wait for its end: (exit status, rest of standard output, standard error)."""
        out, err = self._process.communicate(timeout=DEADLINE)
        return self._process.returncode, (self._unread + (out or b"")).decode(), err.decode()

    def stop(self):
        self._process.kill()
        self._process.communicate()


class Terminal:
    """
    A run on a pseudo-terminal, which is its controlling one and has the streams
    of to_terminal. `text` is all that was written to it.
    """

    def __init__(self, path, *arguments, columns=100, rows=30, env=None, to_terminal=(0, 1, 2)):
        self._master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(self._master)
        streams = {0: subprocess.DEVNULL, 1: subprocess.DEVNULL, 2: subprocess.DEVNULL}
        streams.update({number: slave for number in to_terminal})
        self._process = subprocess.Popen(
            command(path, *arguments), env=environment(**(env or {})), start_new_session=True,
            stdin=streams[0], stdout=streams[1], stderr=streams[2],
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
        )  # fmt: skip
        os.close(slave)
        self.text = ""

    @property
    def pid(self):
        return self._process.pid

    def resize(self, columns, rows):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def signal(self, number):
        self._process.send_signal(number)

    def type(self, keys):
        os.write(self._master, keys.encode())

    def read(self, seconds=0.0):
        """Take in what was written, waiting at most so long for the first; false at the end."""
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.text += data.decode("utf-8", "replace")
        return bool(data)

    def wait_for(self, pattern, since=0):
        """Wait until the text from that place on has a match."""

        def found():
            self.read()
            return re.search(pattern, self.text[since:])

        try:
            return eventually(found, f"{pattern!r} on the terminal")
        except AssertionError as error:
            raise AssertionError(f"{error}; there is {self.text[since:]!r}") from None

    def finish(self):
        """Read on until it has ended; the exit status."""
        end = time.monotonic() + DEADLINE
        while self._process.poll() is None and time.monotonic() < end:
            self.read(0.01)
        while self.read() and select.select([self._master], [], [], 0)[0]:
            pass
        return self._process.wait(timeout=DEADLINE)

    def modes(self):
        return termios.tcgetattr(self._master)

    def close(self):
        self._process.kill()
        self._process.wait()
        os.close(self._master)


_SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


def shown(text, rows):
    """The lines that a terminal without wrapping shows: of CUP home, EL, ED, SGR and newlines."""
    screen, row, column, at = [""] * rows, 0, 0, 0
    while at < len(text):
        match = _SEQUENCE.match(text, at)
        if match:
            at = match.end()
            if match[2] == "H":
                row = column = 0
            elif match[2] == "K":
                screen[row] = screen[row][:column]
            elif match[2] == "J":
                screen[row:] = [screen[row][:column]] + [""] * (rows - row - 1)
            else:
                assert match[2] in "mhl", f"unexpected sequence {match[0]!r}"
        elif text[at] == "\r":
            column, at = 0, at + 1
        elif text[at] == "\n":
            row, at = row + 1, at + 1
            assert row < rows, "the screen was scrolled"
        else:
            assert text[at] >= " ", f"unexpected character {text[at]!r}"
            screen[row] = screen[row][:column].ljust(column) + text[at] + screen[row][column + 1 :]
            column, at = column + 1, at + 1
    return screen
