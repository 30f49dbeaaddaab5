#!/usr/bin/env python3
"""Instructions in user space for each request, counted by callgrind: steadier than any time.

    bench/instructions.py [--requests N] [--server PATH]

zombie-server beside nginx: only of servers whose worker is a native program. The figure is the
difference of two runs, so that start and end drop out.
"""
import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from load import client
from peers import server
from peers.nginx import Nginx
from peers.zombie import Zombie
from rows.throughput import LOADS
from running import raise_limit

WARM_UP = 200


def send(port, load, count):
    """That many requests, one after the other; the number of bad answers."""
    bad, connection = 0, None
    for _ in range(count):
        connection = connection or client.connect(port)
        connection.sendall(client.head(load.path, load.close))
        bad += client.answer(connection)[0] != 200
        if load.close:
            connection.close()
            connection = None
    if connection:
        connection.close()
    return bad


def instructions(one, load, count):
    """What the worker executes until its end if so many requests come."""
    for old in one.folder.glob("callgrind.*"):
        old.unlink()
    one.start(("valgrind", "--quiet", "--tool=callgrind", "--trace-children=yes",
               f"--callgrind-out-file={one.folder}/callgrind.%p"))
    try:
        worker = one.worker()
        if bad := send(one.port, load, count):
            raise RuntimeError(f"{one.name}: {bad} of {count} requests failed")
    finally:
        one.stop()
    text = (one.folder / f"callgrind.{worker}").read_text(encoding="ascii", errors="replace")
    return int(re.search(r"(?m)^(?:totals|summary): (\d+)", text)[1])


def measure(one, load, count):
    few = instructions(one, load, WARM_UP)
    return (instructions(one, load, WARM_UP + count) - few) / count


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--server", default="build/src/zombie-server", metavar="PATH")
    options = parser.parse_args()
    if not shutil.which("valgrind"):
        sys.exit("there is no valgrind (Debian: valgrind)")
    Zombie.executable = os.path.abspath(options.server)
    raise_limit()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        server.make_files(folder / "files")
        kinds = [kind for kind in (Zombie, Nginx) if not kind.missing()]
        for load in [load for load in LOADS if load.workers == 1]:
            print(f"\n{load.title}: instructions in user space for a request", flush=True)
            for kind in kinds:
                one = kind(folder, os.sched_getaffinity(0))
                print(f"  {one.name:14}{measure(one, load, options.requests):10,.0f}", flush=True)


if __name__ == "__main__":
    main()
