"""Where a control socket is, and what those are told who connect there."""

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile

import pytest

HEARD = r"zombiectl is heard on unix:(\S+)$"


@pytest.fixture
def folder():
    """One whose path is short, and open to all."""
    path = tempfile.mkdtemp(prefix="zs-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path)


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)


_ASK = """
import json, socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(30)
try:
    s.connect(sys.argv[1])
    try:
        s.sendall(b'{"id":1,"command":"ping"}\\n')
    except OSError:
        pass
    print(s.makefile().readline())
except OSError as error:
    print(json.dumps({"error": type(error).__name__}))
"""


def ask_as(path, uid, gid, groups=()):
    """What this user is told who pings: "pong", the error of an answer, or an exception's name."""

    def become():
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)

    done = subprocess.run([sys.executable, "-c", _ASK, path], preexec_fn=become, cwd="/",
                          capture_output=True, text=True, check=True, timeout=60)  # fmt: skip
    answer = json.loads(done.stdout)
    return answer.get("error") or answer["text"]
