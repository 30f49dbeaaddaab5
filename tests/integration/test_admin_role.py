"""The admin child as a child: it dies, hangs and is replaced, and no worker ever notices."""

import ctypes
import os
import re
import signal
import socket

import pytest

from lib import process
from lib.client import Connection, fetch
from lib.control import Client, admin_of, do, events, find_event, last_event, refusal, slot_of
from lib.control import status, wait_for_event, wait_for_status, wait_until_settled, workers_of
from lib.reload import CAN_MAKE_EXIT, begin, conf, held, let_go, make_exit  # noqa: F401
from lib.server import WITHOUT_LEAKS
from lib.upgrade import program  # noqa: F401
from lib.wait import eventually

ADMIN = "admin.listen=127.0.0.1:0"
HOUR = 3600000
PATIENT = [f"instance.grace_ms={HOUR}", "instance.drain_idle_ms=60000"]


def address_of(server):
    return ("127.0.0.1", int(status(server)["admin"].rpartition(":")[2]))


def probe(address, path="/readyz"):
    return fetch(address, path, headers={"Host": "localhost"})


def worker_ids(server):
    return [x["worker"] for x in workers_of(status(server))]


def wait_for_successor(server, entry):
    return wait_for_status(
        server, lambda s: admin_of(s)["worker"] > entry["worker"]
        and admin_of(s)["state"] == "serving", "the admin child is replaced",
    )  # fmt: skip


def listening_inodes(pid):
    """The listening TCP sockets that the process has."""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    inodes = {row[9] for row in rows if row[3] == "0A"}
    found = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}"))
        except FileNotFoundError:
            continue
        if match and match[1] in inodes:
            found.add(match[1])
    return found


# --- What it is ---------------------------------------------------------------


@pytest.mark.smoke
def test_there_is_none_unless_asked_for(start):
    server = start()
    now = status(server)
    assert now["admin"] is None and admin_of(now) is None
    assert len(process.children_of(server.pid)) == 2


@pytest.mark.smoke
@pytest.mark.valgrind
def test_it_is_a_child_with_a_socket_of_its_own(start):
    server = start(ADMIN)
    now = wait_until_settled(server)
    entry = admin_of(now)
    assert process.status_of(entry["pid"])["PPid"] == str(server.pid)
    assert probe(address_of(server)).status == 200
    own = listening_inodes(entry["pid"])
    assert len(own) == 1
    for worker in workers_of(now):
        theirs = listening_inodes(worker["pid"])
        assert len(theirs) == 1 and not theirs & own


@pytest.mark.root
def test_it_runs_as_the_user_in_the_root_and_behind_landlock(start, tmp_path):
    jail = tmp_path / "jail"
    jail.mkdir()
    server = start(ADMIN, "instance.user=nobody", f"instance.chroot={jail}",
                   "instance.landlock=yes", env=WITHOUT_LEAKS)  # fmt: skip
    entry = admin_of(wait_until_settled(server))
    worker = slot_of(status(server), 1)
    assert process.status_of(entry["pid"])["Uid"].split()[0] != "0"
    for key in "Uid", "Gid", "Groups", "NoNewPrivs", "CapEff", "CapPrm", "Seccomp":
        own, theirs = (process.status_of(x["pid"]).get(key) for x in (entry, worker))
        assert own == theirs, key
    assert os.readlink(f"/proc/{entry['pid']}/root") == str(jail)
    assert probe(address_of(server)).status == 200
    process.kill(entry["pid"])
    wait_for_successor(server, entry)
    assert probe(address_of(server)).status == 200


def test_no_worker_killer_reaches_it(start):
    server = start(ADMIN, "--chaos")
    before = admin_of(wait_until_settled(server))
    address = address_of(server)
    for method in "GET", "POST":
        response = fetch(address, "/workerKiller", method, {"Host": "localhost"})
        assert response.status in (403, 404, 405)
    for _ in range(6):
        server.fetch("/workerKiller?mode=kill")
    wait_until_settled(server)
    assert admin_of(status(server))["worker"] == before["worker"]
    assert {event["role"] for event in events(server) if event["event"] == "chaos"} == {"worker"}


# --- Its deaths ---------------------------------------------------------------


def test_killed_it_is_replaced_and_no_worker_notices(start):
    server = start(ADMIN)
    before = wait_until_settled(server)
    address = address_of(server)
    for _ in range(3):
        entry = admin_of(status(server))
        process.kill(entry["pid"])
        now = wait_for_successor(server, entry)
        assert admin_of(now)["last_death"]["worker"] == entry["worker"]
        assert admin_of(now)["last_death"]["cause"] == "killed by SIGKILL"
        assert address_of(server) == address
        assert probe(address).status == 200
    now = wait_until_settled(server)
    assert [x["worker"] for x in workers_of(now)] == [x["worker"] for x in workers_of(before)]
    assert admin_of(now)["respawns"] == 3


CUT_OFF = "its control connection has ended"


def cut_off(pid):
    """Shut the stream down by which the admin child asks the master; its sockets listen on TCP."""
    libc, sys_pidfd_getfd = ctypes.CDLL(None, use_errno=True), 438
    pidfd = os.pidfd_open(pid)
    for fd in (int(name) for name in os.listdir(f"/proc/{pid}/fd")):
        if os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:"):
            with socket.socket(fileno=libc.syscall(sys_pidfd_getfd, pidfd, fd, 0)) as stolen:
                if (stolen.family, stolen.type) == (socket.AF_UNIX, socket.SOCK_STREAM):
                    stolen.shutdown(socket.SHUT_RDWR)
    os.close(pidfd)


@pytest.mark.root
def test_that_cannot_ask_the_master_is_replaced_by_one_that_can(start):
    server = start(ADMIN)
    entry = admin_of(wait_until_settled(server))
    address = address_of(server)
    assert probe(address, "/status").status == 200
    cut_off(entry["pid"])
    server.wait_for_log(f"info master: admin {entry['worker']} leaves: {CUT_OFF} worker=")
    assert wait_for_event(server, "leaving", CUT_OFF)["worker"] == entry["worker"]
    wait_for_successor(server, entry)
    now = wait_until_settled(server)
    assert address_of(server) == address
    assert probe(address, "/status").json["processes"][-1]["worker"] == admin_of(now)["worker"]
    assert admin_of(now)["last_death"]["cause"] == "exited with status 0"
    assert worker_ids(server) == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT])
def test_that_leaves_of_its_own_accord_is_replaced(start, number):
    server = start(ADMIN)
    entry = admin_of(wait_until_settled(server))
    process.kill(entry["pid"], number)
    wait_for_successor(server, entry)
    wait_for_event(server, "death", "exited with status 0", role="admin")
    assert worker_ids(server) == [1, 2]


def test_hanging_it_is_found_and_replaced(start):
    server = start(ADMIN, "instance.hang_timeout_ms=2000")
    entry = admin_of(wait_until_settled(server))
    process.kill(entry["pid"], signal.SIGSTOP)
    wait_for_successor(server, entry)
    server.wait_for_log(f"admin {entry['worker']} hangs, replacing it")
    server.wait_for_log(f"admin {entry['worker']} died")
    assert worker_ids(server) == [1, 2]
    assert probe(address_of(server)).status == 200
    wait_until_settled(server)


def test_dying_again_and_again_it_waits_longer_and_longer(start):
    """And what it costs is not taken from the workers' budget."""
    server = start(ADMIN, "instance.respawn_per_second=1", "instance.respawn_per_10s=1",
                   "instance.backoff_min_ms=10", "instance.backoff_max_ms=1000")  # fmt: skip
    entry = admin_of(wait_until_settled(server))
    waits = []
    for _ in range(6):
        process.kill(entry["pid"])
        text = wait_for_event(server, "death", role="admin", worker=entry["worker"])["text"]
        waits.append(int(re.search(r"replaced in (\d+) ms", text)[1]))
        entry = admin_of(wait_for_successor(server, entry))
    assert waits == sorted(waits) and waits[-1] > 4 * waits[0], waits
    assert worker_ids(server) == [1, 2]
    process.kill(slot_of(status(server), 1)["pid"])
    wait_for_event(server, "death", "replaced at once", role="worker")
    wait_until_settled(server)
    assert "die too fast" not in server.log
    assert not find_event(events(server), "crash-loop")


@pytest.mark.root
def test_that_cannot_boot_harms_nobody(start_fragile, etc):
    server = start_fragile(ADMIN, "instance.backoff_max_ms=50")
    entry = admin_of(wait_until_settled(server))
    etc.break_boots()
    process.kill(entry["pid"])
    server.wait_for_log(r"admin \d+ died: exited with status .*replaced in \d+ ms", 6)
    now = status(server)
    assert now["state"] == "serving"
    assert admin_of(now)["state"] in ("backoff", "starting")
    assert worker_ids(server) == [1, 2]
    assert "crash loop" not in server.log
    assert server.fetch("/hello").status == 200
    etc.mend_boots()
    wait_until_settled(server)
    process.kill(slot_of(status(server), 1)["pid"])
    wait_for_event(server, "ready", slot=1, worker=status(server)["processes"][0]["worker"])
    wait_until_settled(server)


@pytest.mark.root
def test_while_it_cannot_boot_the_workers_may(start_fragile, etc):
    """A crash loop is what workers do."""
    server = start_fragile(ADMIN, "instance.backoff_max_ms=50", workers=1)
    wait_until_settled(server)
    etc.break_boots()
    process.kill(server.serving[0].pid)
    wait_for_status(server, lambda s: s["state"] == "degraded", "a crash loop")
    response = probe(address_of(server))
    assert response.status == 503 and "degraded" in response.text
    etc.mend_boots()
    wait_until_settled(server)
    assert probe(address_of(server)).status == 200


@pytest.mark.root
@pytest.mark.skipif(not CAN_MAKE_EXIT, reason="knows the registers of x86-64 only")
def test_that_exits_with_78_is_held_until_it_is_restarted(start):
    server = start(ADMIN)
    entry = admin_of(wait_until_settled(server))
    make_exit(entry["pid"], 78)
    wait_for_status(server, lambda s: admin_of(s)["state"] == "held", "it is held")
    assert status(server)["state"] == "serving"
    assert do(server, "restart", slot="admin").text == "1 restarted"
    wait_until_settled(server)


# --- The end ------------------------------------------------------------------


def test_it_says_503_while_the_instance_drains_and_leaves_last(start):
    server = start(ADMIN, "instance.drain_delay_ms=700", *PATIENT[:1])
    wait_until_settled(server)
    address = address_of(server)
    assert probe(address).status == 200
    with Client(server.control_path) as client:
        follow = client.begin("events", follow=True, since=last_event(server))
        with held(server) as (connection, _):
            server.send_signal(signal.SIGTERM)
            response = eventually(lambda: not_ready(address), "it is not ready any more")
            assert "stopping" in response.text
            assert probe(address, "/livez").status == 200
            wait_for_status(server, lambda s: sum(bool(x["pid"]) for x in workers_of(s)) == 1,
                            "one worker has left")  # fmt: skip
            assert probe(address).status == 503
            connection.send("\r\n")
            assert connection.receive().status == 200
        follow.wait_for(lambda o: len([e for e in o.events if e["event"] == "death"]) == 2)
        follow.wait()
    assert server.wait() == 0
    deaths = re.findall(r"info master: (\w+) \d+ died", server.log)
    assert deaths == ["worker", "worker", "admin"]


def not_ready(address):
    response = probe(address)
    return response if response.status == 503 else None


def test_stop_does_not_wait_for_those_who_watch(start):
    server = start(ADMIN, *PATIENT)
    wait_until_settled(server)
    with Connection(address_of(server)) as watcher, Connection(address_of(server)) as half:
        watcher.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert watcher.socket.recv(15) == b"HTTP/1.1 200 OK"
        half.send("GET /readyz HTTP/1.1\r\n")
        do(server, "stop")
        assert server.wait() == 0


@pytest.mark.parametrize("fast", [False, True])
def test_stop_does_not_wait_for_one_that_hangs(start, fast):
    server = start(ADMIN, *PATIENT)
    process.kill(admin_of(wait_until_settled(server))["pid"], signal.SIGSTOP)
    do(server, "stop", fast=fast)
    assert server.wait() == 0


def test_stop_while_it_waits_to_be_born_again(start):
    server = start(ADMIN, "instance.backoff_min_ms=60000", "instance.backoff_max_ms=60000")
    process.kill(admin_of(wait_until_settled(server))["pid"])
    wait_for_status(server, lambda s: admin_of(s)["state"] == "backoff", "it waits")
    do(server, "stop")
    assert server.wait() == 0


def test_its_master_dies_and_so_does_it(start):
    server = start(ADMIN)
    server.expected_status = -signal.SIGKILL
    pid = admin_of(wait_until_settled(server))["pid"]
    process.kill(server.pid)
    eventually(lambda: not process.is_alive(pid), "it is gone, too")


# --- Reload, upgrade, pause, scale --------------------------------------------


def section(listen):
    return f"admin {{ listen = {listen} }}"


def test_reload_switches_it_on_moves_it_and_switches_it_off(begin, conf, tmp_path):
    server = begin()
    conf.write(section("127.0.0.1:0"))
    do(server, "reload")
    now = wait_until_settled(server)
    first = address_of(server)
    assert probe(first).status == 200
    entry = admin_of(now)
    assert entry["generation"] == 2
    do(server, "reload")
    now = wait_until_settled(server)
    assert admin_of(now)["worker"] > entry["worker"]
    assert address_of(server) == first, "the socket is taken over"
    path = tmp_path / "admin"
    conf.write(section(f"unix:{path}"))
    do(server, "reload")
    now = wait_until_settled(server)
    assert now["admin"] == f"unix:{path}"
    assert probe(str(path)).status == 200
    eventually(lambda: is_refused(first), "nobody listens where it was")
    conf.write()
    do(server, "reload")
    now = wait_until_settled(server)
    assert now["admin"] is None and admin_of(now) is None
    eventually(lambda: not path.exists(), "its file is gone")
    refusal(server, "unknown-slot", "restart", slot="admin")


def is_refused(address):
    try:
        Connection(address).close()
        return False
    except ConnectionRefusedError:
        return True


def test_reload_to_an_address_in_use_is_refused(begin, conf):
    conf.write(section("127.0.0.1:0"))
    server = begin()
    entry = admin_of(wait_until_settled(server))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        conf.write(section(address))
        why = f"cannot listen on {address}: Address already in use"
        assert refusal(server, "failed", "reload") == why
    now = wait_until_settled(server)
    assert (now["generation"], admin_of(now)["worker"]) == (1, entry["worker"])
    assert probe(address_of(server)).status == 200


@pytest.mark.parametrize("value, what", [
    ("0.0.0.0:0", "token"), ("nonsense", "admin.listen"), ("127.0.0.1:99999", "admin.listen"),
])  # fmt: skip
def test_reload_to_a_wrong_address_is_refused(begin, conf, value, what):
    conf.write(section("127.0.0.1:0"))
    server = begin()
    wait_until_settled(server)
    conf.write(section(value))
    assert what in refusal(server, "failed", "reload")
    assert probe(address_of(server)).status == 200


@pytest.mark.root
def test_reload_whose_admin_child_dies_has_failed(start_fragile, etc):
    server = start_fragile(ADMIN)
    entry = admin_of(wait_until_settled(server))
    with Client(server.control_path) as client:
        etc.make_boots_hang()
        order = client.begin("reload")
        now = wait_for_status(server, lambda s: len(s["processes"]) == 6, "all candidates boot")
        candidate = next(x for x in now["processes"] if x["candidate"] and x["role"] == "admin")
        process.kill(candidate["pid"])
        order.failed("failed")
    let_go(etc)
    now = wait_until_settled(server)
    assert (now["generation"], admin_of(now)["worker"]) == (1, entry["worker"])
    assert probe(address_of(server)).status == 200


def test_upgrade_replaces_it(start, program):
    server = start(ADMIN, binary=str(program.path))
    entry = admin_of(wait_until_settled(server))
    address = address_of(server)
    program.install()
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("zombie-server goes on after an upgrade")
    now = wait_until_settled(server)
    assert now["upgrades"] == 1
    assert admin_of(now)["worker"] > entry["worker"]
    assert admin_of(now)["generation"] == 2
    assert not process.is_alive(entry["pid"])
    assert address_of(server) == address
    assert probe(address).status == 200
    process.kill(admin_of(now)["pid"])
    wait_for_successor(server, admin_of(now))


def test_after_an_upgrade_without_a_reload_its_successor_asks_the_new_master(
    start, program, conf
):
    """Whoever is left of the old program has no connection to the new one."""
    conf.write(section("127.0.0.1:0"))
    server = start("-c", conf.path, workers=None, listen=None, binary=str(program.path), wait=False)
    server.wait_until_serving(2)
    entry = admin_of(wait_until_settled(server, 2))
    program.wrap(f"if not trial: open({str(conf.path)!r}, 'w').write('nonsense')")
    server.send_signal(signal.SIGUSR2)
    server.wait_for_log("error master: reload refused: .*, generation 1 goes on$")
    server.wait_for_log(f"admin {entry['worker']} leaves: {CUT_OFF} worker=")
    now = wait_until_settled(server, 2)
    assert (now["upgrades"], now["generation"]) == (1, 1)
    assert admin_of(now)["worker"] > entry["worker"]
    assert worker_ids(server) == [1, 2]
    assert probe(address_of(server), "/status").json["upgrades"] == 1


def test_pause_keeps_it(start):
    server = start(ADMIN)
    entry = admin_of(wait_until_settled(server))
    server.send_signal(signal.SIGWINCH)
    wait_for_status(server, lambda s: len(s["processes"]) == 1, "the workers have left")
    response = probe(address_of(server))
    assert response.status == 503 and "paused" in response.text
    process.kill(entry["pid"])
    wait_for_successor(server, entry)
    assert probe(address_of(server), "/livez").status == 200
    do(server, "scale", to=2)
    wait_until_settled(server, 2)
    assert probe(address_of(server)).status == 200


def test_scale_does_not_count_it(start):
    server = start(ADMIN, "instance.max_workers=2", workers=1)
    entry = admin_of(wait_until_settled(server))
    do(server, "scale", to=2)
    now = wait_until_settled(server, 2)
    assert admin_of(now)["worker"] == entry["worker"]
    do(server, "scale", to=1)
    now = wait_until_settled(server, 1)
    assert admin_of(now)["worker"] == entry["worker"]
    assert [x["slot"] for x in now["processes"]] == [1, None]


def test_with_as_many_workers_as_there_may_be_it_has_its_place(start):
    server = start(ADMIN, workers=40)
    entry = admin_of(wait_until_settled(server, 40))
    process.kill(entry["pid"])
    wait_for_successor(server, entry)
