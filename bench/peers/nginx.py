"""nginx, as a server, as a proxy and as what is behind the proxies."""
import os
import signal
import string

from peers import server

# What zombie-server sets as a proxy.
FIELDS = """proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header Forwarded "for=$remote_addr;proto=$scheme;host=$http_host";
            proxy_set_header Via "1.1 nginx";"""


class Nginx(server.Server):
    """return 200 for text, sendfile for files; an upload is read and discarded.

    It closes idle connections when less than a sixteenth of its own are free, and upgrades only
    as a daemon.
    """

    name, tool, package = "nginx", "nginx", "nginx-light"
    compiled = True
    template = "nginx.conf"
    upgrades = True
    successor = signal.SIGQUIT

    def values(self):
        return {"connections": self.connections * 5 // 4, "type": server.TYPE,
                "body": server.BODY, "files": self.files}

    def find_master(self):
        try:
            pid = int((self.folder / "nginx.pid").read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return None
        self.sessions.add(pid)
        return pid

    def command(self):
        (self.folder / "nginx.pid").unlink(missing_ok=True)
        template = string.Template((server.PROGRAMS / self.template).read_text(encoding="ascii"))
        values = self.values()
        path = self.folder / "nginx.conf"
        path.write_text(template.substitute(
            values, user="user root;" if os.geteuid() == 0 else "", workers=self.workers,
            folder=self.folder, descriptors=values["connections"] + 100, port=self.port),
            encoding="ascii")
        return [self.program(), "-e", str(self.folder / "nginx.log"), "-c", str(path)]


class Upstream(Nginx):
    """What the proxies stand in front of."""

    name = "upstream"


class NginxProxy(Nginx):
    """With the header fields that zombie-server sets, too."""

    template = "nginx_proxy.conf"
    uploads = False
    behind = None
    pool = 64

    def values(self):
        return {"connections": self.connections * 2, "behind": self.behind.port,
                "pool": self.pool, "fields": FIELDS}
