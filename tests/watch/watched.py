"""A server under test with its admin child."""

from lib import client
from lib.server import Server

TOKEN = "known-to-the-tests-only"


class Watched(Server):
    """
    Its admin child listens on a free port of the loopback, where all may read; with
    admin_host="0.0.0.0" reading needs the token, too.
    """

    def __init__(self, folder, *arguments, admin_host="127.0.0.1", admin_port=0, **options):
        own = [f"admin.listen={admin_host}:{admin_port}", f"admin.token={TOKEN}"]
        super().__init__(folder, *own, *arguments, **options)

    @property
    def admin_port(self):
        return int(self.wait_for_log(r"the admin role listens on http://\S+:(\d+)$")[1])

    @property
    def url(self):
        """Of the live page."""
        return f"http://127.0.0.1:{self.admin_port}/"

    @property
    def admin_pid(self):
        """Of the admin child that serves, or None."""
        try:
            processes = self.ask("/status").json["processes"]
        except (OSError, client.Disconnected):
            return None  # it died just then
        found = [each["pid"] for each in processes
                 if each["role"] == "admin" and each["state"] == "serving"]  # fmt: skip
        return found[0] if found else None

    def ask(self, target):
        """GET of the admin child."""
        host = {"Host": f"127.0.0.1:{self.admin_port}"}
        return client.fetch(("127.0.0.1", self.admin_port), target, headers=host)
