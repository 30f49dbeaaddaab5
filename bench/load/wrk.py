"""wrk, the load generator: as fast as it goes, or at a given pace."""
import json
import math
import os
import shutil
import signal
import subprocess
from pathlib import Path

SCRIPT = Path(__file__).with_suffix(".lua")


def missing():
    return None if shutil.which("wrk") else "there is no wrk (Debian: wrk)"


def load(server, path, connections, seconds, core, close=False, pace_ms=None):
    """Load on one server from one core; a dict of the members in wrk.lua, and of "failed":
    requests without an answer of 2xx or 3xx, those that took too long aside. With pace_ms each
    connection waits between two requests, that long on average."""
    command = ["wrk", "-t", "1", "-c", str(connections), "-d", str(math.ceil(seconds)),
               "--timeout", "10", "-s", str(SCRIPT)]
    if close:
        command += ["-H", "Connection: close"]
    environment = dict(os.environ)
    if pace_ms:
        environment["PACE_MS"] = str(pace_ms)
    with subprocess.Popen([*command, f"http://127.0.0.1:{server.port}{path}"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=environment, start_new_session=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, {core})) as process:
        try:
            output, _ = process.communicate(timeout=seconds + 30)
        except BaseException:
            process.send_signal(signal.SIGKILL)
            raise
    found = [line for line in output.splitlines() if line.startswith("json ")]
    if process.returncode or not found:
        raise RuntimeError(f"wrk: {output}")
    result = json.loads(found[0].removeprefix("json "))
    result["failed"] = sum(result[kind] for kind in ("connect", "read", "write", "status"))
    return result
