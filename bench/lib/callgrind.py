"""Instructions in user space for each request: steadier than any time."""
import re

from lib import client
from lib.servers import Nginx, Zombie

KINDS = (Zombie, Nginx)
ROWS = ("text", "close", "1k", "100k")
WARM_UP = 200


def send(port, path, count, close):
    """That many requests, one after the other; the number of bad answers."""
    bad, connection = 0, None
    for _ in range(count):
        connection = connection or client.connect(port)
        connection.sendall(client.head(path, close))
        bad += client.answer(connection)[0] != 200
        if close:
            connection.close()
            connection = None
    if connection:
        connection.close()
    return bad


def instructions(server, row, count):
    """What the worker executes until its end if so many requests come; None if it cannot."""
    for old in server.folder.glob("callgrind.*"):
        old.unlink()
    server.start(("valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
                  f"--callgrind-out-file={server.folder}/callgrind.%p"))
    try:
        worker = server.worker()
        if row.path in server.lacks:
            return None
        if bad := send(server.port, row.path, count, row.close):
            raise RuntimeError(f"{server.name}: {bad} of {count} requests failed")
    finally:
        server.stop()
    text = (server.folder / f"callgrind.{worker}").read_text(encoding="ascii", errors="replace")
    return int(re.search(r"(?m)^(?:totals|summary): (\d+)", text)[1])


def measure(server, row, count):
    """Instructions for a request, None if the server cannot answer there.

    That is the difference of two runs, so that start and end drop out.
    """
    few = instructions(server, row, WARM_UP)
    if few is None:
        return None
    return (instructions(server, row, WARM_UP + count) - few) / count
