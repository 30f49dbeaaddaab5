"""How connections are shared out among the workers, and how many of those it wakes."""

import re
import selectors
import signal
import socket
from collections import Counter

import pytest

from lib import process
from lib.client import render
from lib.wait import eventually

REQUEST = render("/", headers={"Accept": "application/json", "Connection": "close"})

# What a connection takes at most, with some to spare: it is accepted, and its request may
# come a little later. A socket that wakes all four workers takes more than four.
SWITCHES = 2.3


def switches(server):
    """How often the workers have waited for something so far."""
    return sum(int(process.status_of(worker.pid)["voluntary_ctxt_switches"])
               for worker in server.serving)  # fmt: skip


def in_sequence(server):
    return Counter(server.identity()["worker"] for _ in range(400))


def connect(address, selector):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(address)
    selector.register(client, selectors.EVENT_WRITE, [])


def in_parallel(server):
    """Sixty-four at any time."""
    found, selector = Counter(), selectors.DefaultSelector()
    n, n_max = 64, 4000
    for _ in range(n):
        connect(server.address, selector)
    while selector.get_map():
        for key, _ in selector.select():
            if key.events == selectors.EVENT_WRITE:
                key.fileobj.sendall(REQUEST)
                selector.modify(key.fileobj, selectors.EVENT_READ, key.data)
            elif data := key.fileobj.recv(65536):
                key.data.append(data)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                found[int(re.search(rb'"worker":(\d+)', b"".join(key.data))[1])] += 1
                if n < n_max:
                    connect(server.address, selector)
                    n += 1
    return found


def measure(server, come):
    """The largest share by the smallest, and switches for each connection."""
    before, found = switches(server), come(server)
    assert set(found) == {1, 2, 3, 4}
    return (max(found.values()) / min(found.values()),
            (switches(server) - before) / sum(found.values()))  # fmt: skip


def four(start):
    return start(workers=4)


def one_and_three(start):
    """The first one was alone, and had to think of nobody."""
    server = start(workers=1)
    assert set(in_sequence(server)) == {1}
    for _ in range(3):
        server.send_signal(signal.SIGTTIN)
        server.n_workers += 1
        eventually(lambda: len(server.serving) == server.n_workers, "one worker more serves")
    return server


@pytest.mark.alone
@pytest.mark.parametrize("have", [four, one_and_three])
@pytest.mark.parametrize("come", [in_sequence, in_parallel])
def test_one_socket_is_shared_fairly_and_wakes_one_worker(start, have, come):
    """The best of a few, since others use the machine as well; without care none would do."""
    found, server = [], have(start)
    while not (found and min(found)[0] <= 1.3 and min(count for _, count in found) <= SWITCHES):
        assert len(found) < 10, found
        found.append(measure(server, come))


@pytest.mark.parametrize("come", [in_sequence, in_parallel])
def test_every_worker_has_a_share_of_the_connections(start, come):
    """The kernel decides by a hash of the addresses: nothing more can be promised."""
    measure(start("listen.127.0.0.1:0.accept=reuseport", workers=4), come)
