"""A container with zombie-server in it, as deploy/docker/compose.yaml runs it."""

import contextlib
import os
import re

from engine import SERVER, Container
from lib import client
from lib.ports import free_port
from lib.server import SRCDIR
from lib.wait import eventually

# More than grace_ms, which is 8 s.
GRACE_S = 15

HARDENED = ("--read-only", "--cap-drop=all", "--security-opt=no-new-privileges")

CONF = "/etc/zombie-server/zombie-server.conf"


def deployed(path):
    """A file of deploy/."""
    return os.path.join(SRCDIR, "deploy", path)


class Service(Container):
    """
    It listens on a port of its own, of the loopback.

    conf: a file in the place of the image's; port: None: a free one
    """

    def __init__(self, engine, name, folder, *command, image=SERVER, conf=None, options=(),
                 port=None, **variables):  # fmt: skip
        super().__init__(engine, name)
        self.folder = folder
        self.port = port or free_port()
        self.address = ("127.0.0.1", self.port)
        variables = {"ZOMBIE_LISTEN": f"127.0.0.1:{self.port}",
                     "ZOMBIE_ADMIN": f"127.0.0.1:{free_port()}", **variables}  # fmt: skip
        given = [f"--env={key}={value}" for key, value in variables.items() if value is not None]
        mounted = [f"--volume={conf}:{CONF}:ro"] if conf else []
        more = ["zombie-server", "-c", CONF, *command] if command else []
        engine.run(name, image, *more, options=[*HARDENED, *given, *mounted, *options])

    def fetch(self, target="/", method="GET", headers=None, body=b""):
        return client.fetch(self.address, target, method, headers, body)

    def identity(self):
        return identity(self.address)

    def wait_until_serving(self):
        def serves():
            with contextlib.suppress(OSError, client.Disconnected):
                return self.fetch("/healthcheck").status == 200

        eventually(serves, f"{self.name} serves")

    def workers(self):
        """How many there are to be, by what the log says of the CPUs."""
        (n,) = re.findall(r"cpus \d+ \(.*\).* = (\d+) worker", self.log)
        return int(n)


def identity(address):
    """Who answers there."""
    response = client.fetch(address, headers={"Accept": "application/json"})
    assert response.status == 200
    return response.json
