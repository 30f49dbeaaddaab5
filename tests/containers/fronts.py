"""What stands before two containers: nginx or zombie-server, with the files of deploy/."""

import os
import re

from lib.needs import require
from lib.nginx import PROGRAM, Nginx
from service import Service, deployed

_FIRST, _SECOND = 3000, 3001


def require_nginx():
    if PROGRAM is None:  # which may be in a folder that is not searched
        require("nginx")


def with_ports(text, ports):
    """The text with these in the places of 3000 and 3001."""
    for known, real in zip((_FIRST, _SECOND), ports):
        assert text.count(f":{known}") == 1
        text = text.replace(f"127.0.0.1:{known}", f"127.0.0.1:{real}")
    return text


class NginxFront:
    """The nginx of this machine. It begins to serve when it is made."""

    # A reload closes what is idle: a client that uses such a connection just then asks again.
    reload_closes_idle = True

    def __init__(self, _, folder, ports):
        require_nginx()
        with open(deployed("nginx/conf.d/zombie-server.conf"), encoding="utf-8") as file:
            text = with_ports(file.read(), ports)
        self._upstream = re.search(r"^upstream .*?^\}", text, re.M | re.S)[0]
        # The port is another one here.
        self._block = re.search(r"^server \{\n *listen 3333;\n(.*?)^\}", text, re.M | re.S)[1]
        self._nginx = Nginx(folder, self._upstream, self._block)
        self.address = self._nginx.address

    def serve(self, ports):
        """From now on these are behind it."""
        servers = "".join(f"    server 127.0.0.1:{port};\n" for port in ports)
        text, n = re.subn(r"(    server [^\n]*\n)+", servers, self._upstream)
        assert n == 1
        self._nginx.reload(text, self._block)

    def remove(self):
        self._nginx.stop()


class ZombieFront:
    """A zombie-server in a container of its own."""

    reload_closes_idle = False

    def __init__(self, engine, folder, ports):
        self._place = folder / "front"
        self._place.mkdir()
        self._place.chmod(0o755)
        with open(deployed("docker/front.conf"), encoding="utf-8") as file:
            self._text = with_ports(file.read(), ports)
        self._write(self._text)
        # The folder, not the file: a reload is to see another file of the same name.
        self.service = Service(engine, "front", folder,
                               options=[f"--volume={self._place}:/etc/zombie-server:ro"])  # fmt: skip
        try:
            self.service.wait_until_serving()
        except BaseException:
            self.service.remove()
            raise
        self.address = self.service.address

    def _write(self, text):
        fresh = self._place / "fresh"
        fresh.write_text(text)
        fresh.chmod(0o644)
        os.rename(fresh, self._place / "zombie-server.conf")

    def serve(self, ports):
        """From now on these are behind it."""
        servers = "".join(f'    server "127.0.0.1:{port}" {{\n    }}\n' for port in ports)
        text, n = re.subn(r"(    server .*?^    \}\n)+", servers, self._text, flags=re.M | re.S)
        assert n == 1
        self._write(text)
        generations = self.service.log.count("reloaded: generation")
        self.service.do("kill", "--signal=HUP")
        self.service.wait_for_log("reloaded: generation", generations + 1)

    def remove(self):
        self.service.remove()


FRONTS = {"nginx": NginxFront, "zombie-server": ZombieFront}
