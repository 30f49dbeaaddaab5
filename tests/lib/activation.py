"""Socket activation: start a program with listening sockets, as sd_listen_fds(3) describes."""

import json
import sys

# Numbers from 3 on may be in use by what is to be moved there: so out of the way first.
_LAUNCHER = """
import fcntl, json, os, sys
fds, variables = map(json.loads, sys.argv[1:3])
high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in fds]
for number, fd in enumerate(high, 3):
    os.dup2(fd, number)
    os.close(fd)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds)))
os.environ.update(variables)
os.execvp(sys.argv[3], sys.argv[3:])
"""


def activated_by(*files, **variables):
    """Options of Server that pass it these files from descriptor 3 on; variables override."""
    fds = [file.fileno() for file in files]
    prefix = [sys.executable, "-c", _LAUNCHER, json.dumps(fds), json.dumps(variables)]
    return {"prefix": prefix, "pass_fds": fds}
