"""Go's net/http: one process with threads, which nobody replaces."""
import os
import subprocess

from peers import server


class Go(server.Server):
    """Compiled once in a run. A worker is a CPU that it may use."""

    name, tool, package = "go", "go", "golang-go"
    compiled = True
    supervised = False
    built = None

    @classmethod
    def program(cls):
        return cls.built

    @classmethod
    def version(cls):
        return server.first_line("go", "version")

    @classmethod
    def prepare(cls, folder):
        cls.built = str(folder / "go-server")
        settings = {**os.environ, "GO111MODULE": "off"}
        settings.setdefault("GOCACHE", str(folder / "go-cache"))
        subprocess.run(["go", "build", "-o", cls.built, server.PROGRAMS / "server.go"], check=True,
                       env=settings)

    def worker_pids(self):
        return [self.master] * self.workers

    def environment(self):
        return {**os.environ, "GOMAXPROCS": str(self.workers)}

    def command(self):
        return [self.built, str(self.port), str(self.files), server.TYPE, server.BODY]
