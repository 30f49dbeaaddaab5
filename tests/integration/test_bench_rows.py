"""bench/run: how many connections its rows make, at which rates they ask, which packages count."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(os.environ["ZOMBIE_SRCDIR"]) / "bench"

sys.path.insert(0, str(BENCH))

import packages  # noqa: E402
import running  # noqa: E402
from peers.go import Go  # noqa: E402
from peers.nginx import Nginx  # noqa: E402
from peers.node import Node  # noqa: E402
from peers.zombie import Zombie  # noqa: E402
from rows import latency, memory  # noqa: E402
from rows.throughput import Load  # noqa: E402

@pytest.mark.parametrize("descriptors, ports, expected", [
    (20000, 32256, 19900), (20000, 14116, 14116), (1048576, 32256, 32256)])
def test_connections_are_as_many_as_descriptors_and_ports_leave(descriptors, ports, expected):
    assert running.most_connections(descriptors, ports) == expected


def test_a_network_of_its_own_has_more_ports_and_only_loopback():
    run = subprocess.run(
        [sys.executable, "-c", "import network, socket; print(network.isolate() or '');"
         "print(network.connections(), [name for _, name in socket.if_nameindex()])"],
        env={**os.environ, "PYTHONPATH": str(BENCH)}, capture_output=True, text=True, check=True)
    why, _, found = run.stdout.partition("\n")
    if why:
        pytest.skip(f"no network of its own: {why}")
    assert found == "32256 ['lo']\n"


# Root alone might raise a limit again.
HELD_DOWN = ("setpriv", "--bounding-set", "-sys_resource") if os.geteuid() == 0 else ()


@pytest.mark.parametrize("serves_files, gone", [(False, False), (True, True)])
def test_without_files_a_connection_takes_one_descriptor(tmp_path, monkeypatch, serves_files, gone):
    """That is how bench/run gets as many connections to all servers."""
    monkeypatch.setattr(Zombie, "executable", os.environ["ZOMBIE_SERVER"])
    server = Zombie(tmp_path, os.sched_getaffinity(0), connections=150)
    server.serves_files = serves_files
    connections = []
    try:
        server.start((*HELD_DOWN, "prlimit", "--nofile=200:200"))
        memory.open_idle(server.port, 150, connections)
        assert bool(memory.closed(connections)) == gone
    finally:
        for connection in connections:
            connection.close()
        server.stop()


class Wrk:
    """Stands for it: asked at a pace, it is as fast as it should be."""

    def __init__(self):
        self.rates = {}

    def load(self, server, _path, connections, seconds, _core, _close, pace_ms):
        rate = 1000 * connections / pace_ms
        self.rates.setdefault(server.name, []).append(rate)
        return {"requests": rate * seconds, "us": 1e6 * seconds, "p50": 1, "p99": 2, "failed": 0,
                "timeout": 0}


def latencies(monkeypatch, tmp_path, speeds):
    """At which rates servers of these speeds are asked, and their samples."""
    wrk = Wrk()
    monkeypatch.setattr(latency, "wrk", wrk)
    servers = [kind(tmp_path, [0]) for kind in speeds]
    paces = latency.rates(servers, {kind.name: [{"rate": rate}, {"rate": 1}]
                                    for kind, rate in speeds.items()})
    samples = {one.name: latency.sample(Load("key", "title", "/"), one, paces, 1, 0)
               for one in servers}
    return wrk.rates, samples


def test_latencies_of_slow_servers_are_at_half_of_what_they_can(monkeypatch, tmp_path):
    rates, samples = latencies(monkeypatch, tmp_path, {Zombie: 50000, Go: 10000, Node: 2000})
    assert rates == {"zombie-server": [1000, 7000], "go": [1000, 7000], "node": [1000]}
    assert samples["node"] == {"failed": 0, "late": 0,
                               "easy_at": 1000, "easy_p50": 1, "easy_p99": 2}
    assert samples["go"] == {**samples["node"], "brisk_at": 7000, "brisk_p50": 1, "brisk_p99": 2}


def test_latencies_among_the_fast_are_at_one_rate_that_wrk_can(monkeypatch, tmp_path):
    rates, _ = latencies(monkeypatch, tmp_path, {Zombie: 50000, Nginx: 40000})
    assert rates == {"zombie-server": [latency.AT_MOST], "nginx": [latency.AT_MOST]}


PACKAGES = """\
ii \tbase\t1000\tyes\t\t, libbase (>= 1)
ii \tlibbase\t500\tno\t\t
ii \tprogram\t10\tno\t\tmissing | other:any (>= 2), libprogram (= 1), libbase
ii \tlibprogram\t20\tno\t\t, program
ii \tprovider\t40\tno\tother (= 2), another\t
rc \tmissing\t80\tno\t\t, gone
ii \tunneeded\t160\tno\t\t, program
"""


def test_what_a_package_needs_beside_the_base_system():
    system = packages.Installed(PACKAGES)
    needed = system.closure({"program"}) - system.base()
    assert needed == {"program", "libprogram", "provider"}
    assert system.kb(needed) == 70
