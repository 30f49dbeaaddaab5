"""gunicorn, Python's pre-fork server, with threads in its workers: only so it keeps connections."""
import os
import shutil
import signal

from peers import server


class Gunicorn(server.Server):
    name, tool, package = "gunicorn", "gunicorn", "gunicorn"
    upgrades = True
    successor = signal.SIGTERM

    @classmethod
    def program(cls):
        """Debian's, if it is there: another one may come first in the path."""
        debian = "/usr/bin/gunicorn"
        return debian if os.access(debian, os.X_OK) else shutil.which(cls.tool)

    @classmethod
    def missing(cls):
        return None if cls.program() else f"there is no {cls.tool} (Debian: {cls.package})"

    @classmethod
    def version(cls):
        return server.first_line(cls.program(), "--version")

    def environment(self):
        return {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "BENCH_FILES": str(self.files),
                "BENCH_TYPE": server.TYPE, "BENCH_BODY": server.BODY}

    def command(self):
        return [self.program(), "--chdir", str(server.PROGRAMS), "--worker-tmp-dir", "/dev/shm",
                "-b", f"127.0.0.1:{self.port}", "-w", str(self.workers), "-k", "gthread",
                "--threads", "4", "--worker-connections", str(self.connections),
                "--keep-alive", "600", "--backlog", "4096", "--graceful-timeout", "5",
                "--log-level", "warning", "app:application"]
