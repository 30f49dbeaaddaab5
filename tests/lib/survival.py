"""Changes that leave a server as strong as before, for tests of what must survive them."""

import signal

from lib import process
from lib.wait import eventually


def upgrade(server, generation):
    """Replace the program by itself; its workers are then of that generation."""
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("zombie-server goes on after an upgrade instance=")
    server.wait_for_log(f"reloaded: generation {generation} serves")
    wait_until_settled(server)


def reload(server, generation):
    server.send_signal(signal.SIGHUP)
    server.wait_for_log(f"reloaded: generation {generation} serves")
    wait_until_settled(server)


def wait_until_settled(server):
    """Until those that left are gone, so that the next change need not wait."""
    eventually(lambda: len(workers_of(server)) == server.n_workers, "nobody leaves")


def workers_of(server):
    """Its children that are workers, those that wait to be reaped included."""
    children = process.children_of(server.pid)
    return [pid for pid in children if process.status_of(pid).get("Name") == "zombie-worker"]


def start_logging(start, path, *arguments, **options):
    """Start a server that logs to that file."""
    server = start(f"log.target={path}", *arguments, wait=False, **options)
    eventually(path.exists, "there is a log")
    server.log_path = str(path)
    server.wait_until_serving()
    return server
