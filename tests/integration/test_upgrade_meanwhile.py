"""Upgrades while clients, workers, operators and the configuration do not stand still."""

import os
import signal
import threading

import pytest

from lib import process
from lib.client import Connection, Disconnected, fetch, render
from lib.reload import wait_until_told
from lib.upgrade import GOES_ON, STATE_FD, settle, upgrade
from lib.upgrade import begin, gate, program  # noqa: F401
from lib.wait import eventually

HOUR = 3600000


class Load:
    """Clients that never pause; whatever goes wrong is in `failures`."""

    def __init__(self, address):
        self.address, self.failures, self.answers = address, [], 0
        self._stop = threading.Event()
        body = b"x" * 16384
        jobs = [("GET", b""), ("POST", body)]
        self._threads = [
            threading.Thread(target=self._run, args=(task, *job))
            for task in (self._keep_alive, self._connect_anew) for job in jobs
        ]  # fmt: skip

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, task, *job):
        try:
            while not self._stop.is_set():
                task(*job)
        except (OSError, AssertionError, Disconnected) as error:
            self.failures.append(f"{task.__name__} {job[0]}: {error!r}")

    def _check(self, response, method):
        assert response.status == {"GET": 200, "POST": 405}[method]
        self.answers += 1

    def _keep_alive(self, method, body):
        with Connection(self.address) as connection:
            closes = False
            while not closes and not self._stop.is_set():
                response = connection.request("/hello", method, body=body)
                self._check(response, method)
                closes = response.closes

    def _connect_anew(self, method, body):
        self._check(fetch(self.address, "/hello", method, body=body), method)

    def wait_for_answers(self):
        """Until clients have been served for a while by whoever serves now."""
        wanted = self.answers + 100
        eventually(lambda: self.answers >= wanted or self.failures, "the clients are served")


def test_no_client_notices(begin, program):
    server = begin()
    with Load(server.address) as load:
        for _ in range(3):
            load.wait_for_answers()
            program.install()
            upgrade(server)
        load.wait_for_answers()
    assert load.failures == []


ON_TRIAL, IN_PLACE = "if trial: ", "if not trial: "


def test_worker_that_dies_during_the_trial_is_replaced(begin, program, gate):
    server = begin()
    worker = server.serving[0]

    def kill_one():
        gate.wait()
        process.kill(worker.pid)
        server.wait_until_replaced(worker)
        gate.open()

    program.wrap(ON_TRIAL + gate.code)
    upgrade(server, meanwhile=kill_one)
    assert server.log.index(f"worker {worker.id} died") < server.log.index(GOES_ON)


def test_worker_that_dies_while_the_program_is_executed_is_reaped_by_it(begin, program, gate):
    server = begin()
    worker = server.serving[0]

    def kill_one():
        gate.wait()
        process.kill(worker.pid)
        eventually(lambda: not process.is_alive(worker.pid), "the worker is dead")
        gate.open()

    program.wrap(IN_PLACE + gate.code)
    upgrade(server, meanwhile=kill_one)
    assert server.log.index(f"worker {worker.id} died") > server.log.index(GOES_ON)
    server.wait_for_log(f"worker {worker.id} died: killed by SIGKILL .*signal=SIGKILL .*deliberate=no")


def test_all_workers_die_while_the_program_is_executed(begin, program, gate):
    server = begin()

    def kill_all():
        gate.wait()
        for worker in server.serving:
            process.kill(worker.pid)
        gate.open()

    program.wrap(IN_PLACE + gate.code)
    upgrade(server, meanwhile=kill_all)
    assert server.fetch("/hello").status == 200


def test_worker_whose_channel_is_gone_is_no_danger_to_the_new_program(begin, program):
    server = begin()
    program.wrap(
        f"fd = int(os.environ['{STATE_FD}'])\nstate = json.loads(os.pread(fd, 1 << 20, 0))\n"
        "channel, state['workers'][0]['channel_fd'] = state['workers'][0]['channel_fd'], -1\n"
        "os.close(channel)\nos.ftruncate(fd, 0)\nos.pwrite(fd, json.dumps(state).encode(), 0)"
    )
    upgrade(server)
    server.wait_for_log("worker 1 died: ")
    assert server.fetch("/hello").status == 200


def test_upgrade_waits_for_a_reload(begin, program):
    server = begin(f"instance.grace_ms={HOUR}")
    with server.connect() as connection:
        assert connection.request("/hello").status == 200
        connection.send("GET /hello HTTP/1.1\r\n")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("reloaded: generation 2")
        server.send_signal(signal.SIGUSR2)
        server.wait_for_log("the upgrade waits until what is under way has finished")
        assert "upgrading:" not in server.log
        connection.send("Host: zombie.test\r\n\r\n")
        assert connection.receive().status == 200
    server.wait_for_log(GOES_ON)
    settle(server, 2, after=4)


def test_reload_waits_for_an_upgrade(begin, program, gate):
    def reload():
        gate.wait()
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("the reload waits until what is under way has finished")
        assert "reloading:" not in server.log
        gate.open()

    server = begin()
    program.wrap(ON_TRIAL + gate.code)
    upgrade(server, meanwhile=reload)


def test_reload_follows_an_upgrade_that_is_refused(begin, program, gate):
    server = begin()
    program.wrap(f"{gate.code}; sys.exit('no such moon')")
    server.send_signal(signal.SIGUSR2)
    gate.wait()
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("the reload waits")
    gate.open()
    server.wait_for_log("upgrade refused: no such moon")
    server.wait_for_log("reloaded: generation 2")
    settle(server, 2, after=2)


@pytest.mark.parametrize("number, result", [
    (signal.SIGTTIN, "one worker more: 3"), (signal.SIGWINCH, "pausing: all workers leave"),
    (signal.SIGUSR2, "upgrading: trying"),
], ids=["TTIN", "WINCH", "USR2"])  # fmt: skip
@pytest.mark.parametrize("when", [ON_TRIAL, IN_PLACE], ids=["on trial", "in place"])
def test_orders_during_an_upgrade_are_carried_out(begin, program, gate, when, number, result):
    server = begin()
    program.wrap(when + gate.code)
    server.send_signal(signal.SIGUSR2)
    gate.wait()
    server.send_signal(number)
    if when == ON_TRIAL:
        server.wait_for_log("waits until what is under way has finished")
    gate.open()
    server.wait_for_log(GOES_ON)
    eventually(lambda: result in server.log.partition(GOES_ON)[2], f"{result} is logged")


@pytest.mark.parametrize("when", [ON_TRIAL, IN_PLACE], ids=["on trial", "in place"])
def test_stop_during_an_upgrade_leaves_nobody(begin, program, gate, when):
    server = begin()
    program.wrap(when + gate.code)
    server.send_signal(signal.SIGUSR2)
    gate.wait()
    server.send_signal(signal.SIGTERM)
    if when == IN_PLACE:
        gate.open()
    assert server.wait() == 0
    eventually(lambda: not server.processes(), "no process of the server is left")
    assert server.records[-1].text.startswith("stopped")


@pytest.fixture
def half_posted():
    """A connection to a worker that has half of a request, and that worker."""

    class HalfPosted(Connection):
        def __init__(self, server):
            super().__init__(server.address)
            answer = self.request("/", headers={"Accept": "application/json"})
            self.worker = server.workers[answer.json["worker"]]
            self.request_bytes = render("/hello", "POST", body=b"x" * 16384)
            self.send(self.request_bytes[:-8192])

        def finish(self):
            wait_until_told(self.worker)
            self.send(self.request_bytes[-8192:])
            return self.receive()

    return HalfPosted


def test_request_that_was_half_sent_is_answered_after_the_upgrade(begin, program, half_posted):
    server = begin(f"instance.grace_ms={HOUR}")
    with half_posted(server) as connection:
        server.send_signal(signal.SIGUSR2)
        server.wait_for_log("reloaded: generation 2")
        server.wait_for_log(f"worker {connection.worker.id} leaves: a newer generation serves")
        response = connection.finish()
        assert (response.status, response.closes) == (405, True)
    server.wait_for_log(f"worker {connection.worker.id} died: exited with status 0 ")
    settle(server, 2, after=2)


def test_worker_that_leaves_already_finishes_under_the_new_program(begin, program, half_posted):
    server = begin(f"instance.grace_ms={HOUR}")
    with half_posted(server) as connection:
        process.kill(connection.worker.pid, signal.SIGTERM)
        server.wait_until_replaced(connection.worker)
        server.send_signal(signal.SIGUSR2)
        server.wait_for_log("reloaded: generation 2")
        response = connection.finish()
        assert (response.status, response.closes) == (405, True)
    server.wait_for_log(f"worker {connection.worker.id} died: exited with status 0 .*generation=1 ")
    settle(server, 2, after=3)


def test_deadline_of_a_worker_that_leaves_is_kept(begin, program, half_posted):
    server = begin("instance.grace_ms=2000")
    with half_posted(server) as connection:
        process.kill(connection.worker.pid, signal.SIGTERM)
        server.wait_until_replaced(connection.worker)
        upgrade(server)
        server.wait_for_log(f"killing worker {connection.worker.id}: not finished in time")
        assert connection.is_closed()


# Together with a new configuration


def test_configuration_may_change_at_the_same_time(start, program, tmp_path):
    config = tmp_path / "conf"
    kept, dropped, added = (tmp_path / name for name in ("kept", "dropped", "added"))

    def configure(n, *paths):
        listeners = "".join(f'listen "unix:{path}" {{ }}\n' for path in paths)
        config.write_text(f"instance {{ workers = {n} }}\n{listeners}")

    configure(2, kept, dropped)
    server = start("-c", config, binary=str(program.path), listen=None, workers=None, wait=False)
    server.wait_until_serving(2)
    inode = os.stat(kept).st_ino
    configure(3, added, kept)
    upgrade(server, 3)
    assert os.stat(kept).st_ino == inode
    assert not dropped.exists()
    for path in (kept, added):
        assert fetch(str(path), "/hello").status == 200


def test_log_that_was_removed_is_made_again(begin, program, tmp_path):
    path = tmp_path / "own.log"
    server = begin(f"log.target={path}", wait=False)
    eventually(lambda: path.exists() and path.read_text().count("is ready") == 2, "two are ready")
    path.unlink()
    server.send_signal(signal.SIGUSR2)
    eventually(lambda: path.exists() and "reloaded: generation" in path.read_text(), "it goes on")
    eventually(lambda: len(process.children_of(server.pid)) == 2, "two workers are left")
    assert GOES_ON in path.read_text()
    server.stop()


# What the new program still knows


def test_death_that_was_asked_for_is_deliberate_after_the_upgrade(begin, program, gate):
    server = begin("--chaos")
    answer = server.fetch("/workerKiller?mode=kill&after_ms=1000")
    victim = server.workers[answer.json["worker"]]
    server.wait_for_log(f"chaos: worker {victim.id} is asked to die")

    def let_it_die():
        gate.wait()
        eventually(lambda: not process.is_alive(victim.pid), "the worker is dead")
        gate.open()

    program.wrap(IN_PLACE + gate.code)
    upgrade(server, meanwhile=let_it_die)
    server.wait_for_log(f"worker {victim.id} died: killed by SIGKILL .*deliberate=yes")


def test_last_words_to_the_old_program_are_heard_by_the_new_one(begin, program, gate):
    server = begin("--chaos")
    victims = []

    def ask_one_to_die():
        gate.wait()
        victims.append(server.workers[server.fetch("/workerKiller?mode=kill").json["worker"]])
        eventually(lambda: not process.is_alive(victims[0].pid), "the worker is dead")
        gate.open()

    program.wrap(IN_PLACE + gate.code)
    upgrade(server, meanwhile=ask_one_to_die)
    server.wait_for_log(f"chaos: worker {victims[0].id} is asked to die")
    server.wait_for_log(f"worker {victims[0].id} died: killed by SIGKILL .*deliberate=yes")


def test_poison_request_is_found_across_an_upgrade(start, program, tmp_path):
    path, config = tmp_path / "socket", tmp_path / "conf"
    config.write_text(f'route "/poison" {{ handler = text body = "{"x" * 65000}" }}')
    server = start("-c", config, binary=str(program.path), listen=f"unix:{path}", workers=1)

    def die_of_it():
        worker = server.serving[0]
        with Connection(str(path)) as connection:
            # More than the socket's buffers hold: a worker that sleeps has one in flight.
            connection.send(render("/poison") * 20)
            connection.receive()
            eventually(lambda: process.sleeps(worker.pid), "the worker waits for its client")
            process.kill(worker.pid)
            server.wait_until_replaced(worker)

    die_of_it()
    die_of_it()
    upgrade(server)
    assert "poison request" not in server.log
    die_of_it()
    server.wait_for_log("poison request: .* method=GET path=/poison .*deaths=3$")
