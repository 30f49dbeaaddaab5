"""HAProxy as a proxy: one process, a thread where others have a worker."""
import string

from peers import server


class HAProxy(server.Server):
    """With the header fields that zombie-server sets, too."""

    name, tool, package = "haproxy", "haproxy", "haproxy"
    compiled = True
    uploads = False
    supervised = False
    behind = None
    pool = 64

    def worker_pids(self):
        return [self.master]

    def command(self):
        template = string.Template(
            (server.PROGRAMS / "haproxy.cfg").read_text(encoding="ascii"))
        path = self.folder / "haproxy.cfg"
        path.write_text(template.substitute(
            connections=self.connections, workers=self.workers, port=self.port,
            behind=self.behind.port, pool=self.pool), encoding="ascii")
        return ["haproxy", "-db", "-q", "-f", str(path)]
