"""Programs of others, run to their end."""

import os
import signal
import subprocess

_PATIENCE = 900  # seconds, for what downloads or compiles


def run(*words, seconds=_PATIENCE, check=True, **options):
    """
    Run a program to its end; its output is one text. With check a failure fails the
    test. One that is late ends with all that it has started.
    """
    words = [str(word) for word in words]
    # Whatever the machine speaks: perl complains about a language that is not installed.
    options.setdefault("env", {**os.environ, "LC_ALL": "C.UTF-8"})
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, start_new_session=True, **options,
    ) as process:  # fmt: skip
        try:
            output, _ = process.communicate(timeout=seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0 or not check, f"{words}: {output[-8000:]}"
    return subprocess.CompletedProcess(words, process.returncode, output)
