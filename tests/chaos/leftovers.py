"""What a cluster may not leave behind: descriptors, mappings, processes, files."""

import collections
import glob
import os

from lib import process
from lib.wait import eventually
from witness import descriptors

PATIENCE = 90  # seconds: connections that idle are closed in time
SAMPLES = 10

# The herald keeps up to four connections to its registry (HTTP_POOL_IDLE_MAX), and as
# many as it has calls at a time: after a disturbance its calls may fall together for good.
_CALLS = "descriptor of zombie-herald: socket"
_SPARE_CONNECTIONS = 3


def _mappings(pid):
    """The memfds that the process has mapped, each as often as it has."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as file:
        return [line.split(maxsplit=5)[5].rstrip() for line in file if "/memfd:" in line]


def _of(pid, name):
    yield f"process: {name}"
    yield from (f"descriptor of {name}: {what}" for what in descriptors(pid))
    yield from (f"mapping of {name}: {what}" for what in _mappings(pid))


def files(cluster):
    """Of its folders, of shared memory by name, and those beside its socket."""
    folders = [cluster.folder, cluster.disk, cluster.root]
    names = [f"{folder}/{name}" for folder in folders for name in os.listdir(folder)]
    names += [f"/dev/shm/{name}" for name in os.listdir("/dev/shm") if "zombie" in name]
    return sorted(names + glob.glob(f"{cluster.server.control_path}*"))


def inventory(cluster):
    """Of a cluster that rests: how often it has what."""
    found = collections.Counter(_of(cluster.pid, "master"))
    for pid in process.children_of(cluster.pid):
        found.update(_of(pid, process.status_of(pid).get("Name")))
    found["processes in all"] = len(cluster.server.processes())
    found.update(files(cluster))
    return found


def differences(range_, now):
    """What is there more often than ever before, or less often."""
    least, most = range_
    changed = [what for what in {*most, *now} if not least[what] <= now[what] <= most[what]]
    return [f"{what}: {least[what]} to {most[what]} before, {now[what]} now"
            for what in sorted(changed)]  # fmt: skip


def range_of(cluster):
    """What a cluster that rests has, least and most: connections to a registry come and go."""
    cluster.rest()
    least = most = inventory(cluster)
    for _ in range(SAMPLES):
        cluster.wait_for_heartbeats(1)
        now = inventory(cluster)
        least, most = least & now, most | now
    most[_CALLS] += _SPARE_CONNECTIONS
    return least, most


def _compare(cluster, range_):
    try:
        return differences(range_, inventory(cluster))
    except (FileNotFoundError, ProcessLookupError) as error:
        return [f"a process has just gone: {error}"]


def wait_until_in(cluster, range_):
    """Until nothing is there that was not there before, and nothing is missing."""
    cluster.rest()
    try:
        eventually(lambda: not _compare(cluster, range_), "all is as before", PATIENCE)
    except AssertionError as error:
        raise AssertionError("\n".join([str(error), *_compare(cluster, range_)])) from None
