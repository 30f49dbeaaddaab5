"""zombie-server, as a server and as a proxy."""
import json
import signal

from peers import server


class Zombie(server.Server):
    """Ourselves. `executable` is set by who measures."""

    name = "zombie-server"
    compiled = True
    executable = "build/src/zombie-server"
    killer = True
    upgrades = True

    @classmethod
    def missing(cls):
        return None

    @classmethod
    def program(cls):
        return cls.executable

    @classmethod
    def version(cls):
        return server.first_line(cls.executable, "-V")

    def routes(self):
        files = [f'route "/files/" {{ handler = files  root = "{self.files}" }}']
        return [f'route "/hello" {{ handler = text  body = {json.dumps(server.BODY)}'
                f"  content_type = '{server.TYPE}' }}",
                'route "/upload" { handler = json }', *(files if self.serves_files else [])]

    def command(self):
        path = self.folder / "zombie-server.conf"
        text = [
            f"instance {{ workers = {self.workers}",
            "    hang_timeout_ms = 60000  boot_timeout_ms = 60000 }",
            f'listen "127.0.0.1:{self.port}" {{ }}',
            "log { level = warning }",
            "chaos { enabled = yes }",
            f"http {{ max_connections = {self.connections}  max_body_bytes = 4194304",
            "    keepalive_requests = 0  keepalive_ms = 600000  keepalive_total_ms = 0",
            "    max_connections_per_client = 0 }",
            *self.routes()]
        path.write_text("\n".join(text) + "\n", encoding="ascii")
        return [self.executable, "-c", str(path)]

    def upgrade(self):
        """The process stays the same, the program and the workers are new."""
        before = set(self.worker_pids())
        self.process.send_signal(signal.SIGUSR2)
        server.wait_until(lambda: self.changed(before), "new workers")


class ZombieProxy(Zombie):
    """The same in front of another server, `behind`, with a pool of connections to it."""

    uploads = False
    behind = None
    pool = 64

    def routes(self):
        return [f'upstream "behind" {{ server "127.0.0.1:{self.behind.port}" {{ }}'
                f"  keepalive = {self.pool}  keepalive_requests = 0 }}",
                # /hello of its own accord is an answer of ours.
                *(f'route "{pattern}" {{ handler = proxy  upstream = "behind" }}'
                  for pattern in ("/", "/hello"))]
