"""Debian's nginx, one worker, with a configuration of its own on the loopback."""

import os
import shutil
import socket
import subprocess

from lib.wait import DEADLINE, eventually

PROGRAM = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")

_TEMPLATE = """
{user}
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 2048; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""


class Nginx:
    """
    Runs until stop().

    http, server: lines for these blocks; it listens on a free port
    """

    def __init__(self, folder, http="", server=""):
        self.folder = folder / "nginx"
        self.folder.mkdir()
        # A socket that it inherits as from a predecessor: nobody else can take the port.
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = self._listener.getsockname()
        self._conf = self.folder / "nginx.conf"
        self._write(http, server)
        fd = self._listener.fileno()
        with open(self.folder / "output", "wb") as output:
            self._process = subprocess.Popen(
                self._words(),
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, pass_fds=[fd],
                env={**os.environ, "NGINX": f"{fd};"}, start_new_session=True,
            )  # fmt: skip
        eventually(self._serves, f"nginx serves: {self.log}")

    def _write(self, http, server):
        user = "user root;" if os.geteuid() == 0 else ""
        self._conf.write_text(_TEMPLATE.format(user=user, folder=self.folder, http=http,
                                               server=server, port=self.address[1]))  # fmt: skip

    def _words(self, *more):
        return [PROGRAM, "-e", str(self.folder / "error.log"), "-c", str(self._conf), *more]

    def reload(self, http="", server=""):
        """Returns when the worker is gone that knows the old lines."""
        gone = self.log.count(" exited with code ")
        self._write(http, server)
        subprocess.run(self._words("-s", "reload"), check=True, timeout=DEADLINE)
        eventually(lambda: self.log.count(" exited with code ") > gone, "nginx has reloaded")

    @property
    def log(self):
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _serves(self):
        assert self._process.poll() is None, f"nginx does not start: {self.log}"
        return "start worker process " in self.log

    def stop(self):
        """At once: what it still does is broken off."""
        self._process.terminate()
        try:
            self._process.wait(DEADLINE)
        finally:
            self._process.kill()
            self._process.wait()
            self._listener.close()
