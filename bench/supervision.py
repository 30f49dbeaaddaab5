#!/usr/bin/env python3
"""What it costs to change a running cluster, and to keep watch over it.

    bench/supervision.py [path of zombie-server]

Reloads, upgrades, replacements, a storm of kills; the CPU and the memory of the
master. Starts its own servers on loopback with two workers and prints one line
a measurement. Figures of one machine and one moment: compare runs, not machines.
"""
import os
import re
import select
import signal
import time

from lifecycle import WORKERS, Load, Server, fresh, proportional_set_size, spread

TICKS = os.sysconf("SC_CLK_TCK")
IDLE_SECONDS = 10
STORM_SECONDS = 10
KILLS_PER_SECOND = 50


def wait_until(condition, what):
    limit = time.monotonic() + 20
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(what)
        select.select([], [], [], 0.0002)


def settle(server):
    """Wait until those who left are gone and the others serve."""
    wait_until(lambda: len(server.workers()) == WORKERS
               and server.count(" is ready ") == server.count(" forked "), "full strength")


def timed(server, number, text):
    """Milliseconds from a signal to the master until the log has one more line with that text."""
    settle(server)
    lines = server.count(text)
    begin = time.perf_counter()
    server.process.send_signal(number)
    wait_until(lambda: server.count(text) > lines, text)
    return (time.perf_counter() - begin) * 1000


def upgrade(server):
    """Milliseconds until the workers of the new program serve."""
    elapsed = timed(server, signal.SIGUSR2, "reloaded: ")
    fresh(server.port)
    return elapsed


def replacement(server):
    """Milliseconds from kill -9 of a worker until its successor is READY."""
    settle(server)
    ready = server.count(" is ready ")
    begin = time.perf_counter()
    os.kill(server.workers()[0], signal.SIGKILL)
    wait_until(lambda: server.count(" is ready ") > ready, "a successor")
    return (time.perf_counter() - begin) * 1000


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        words = stat.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def run_ns(pid):
    """Time on a CPU in nanoseconds: for what is too little to be seen in ticks."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as stat:
        return int(stat.read().split()[0])


def idle(server):
    settle(server)
    before = run_ns(server.process.pid)
    time.sleep(IDLE_SECONDS)
    return (run_ns(server.process.pid) - before) / 1e6


def ready_pids(server):
    """The workers that serve, the oldest first, as the log has it."""
    pids = {}
    for line in list(server.lines):
        if match := re.search(r"worker (\d+) is ready .*pid=(\d+)", line):
            pids[match[1]] = int(match[2])
        elif match := re.search(r"worker (\d+) died", line):
            pids.pop(match[1], None)
    return list(pids.values())


def storm(server):
    """Kill the oldest worker that serves, fifty times a second: (kills, ms to heal, CPU in %)."""
    settle(server)
    server.lines.clear()  # the log of a storm is long, and read anew for each kill
    known = server.workers()
    begin, cpu, kills, last, victim = time.perf_counter(), cpu_seconds(server.process.pid), 0, 0, 0
    end = begin + STORM_SECONDS
    while kills < KILLS_PER_SECOND * STORM_SECONDS and time.perf_counter() < end:
        select.select([], [], [], max(0, begin + kills / KILLS_PER_SECOND - time.perf_counter()))
        alive = [pid for pid in known + ready_pids(server) if pid in server.workers()]
        if alive and alive[0] != victim:
            victim, last = alive[0], time.perf_counter()
            os.kill(victim, signal.SIGKILL)
            kills += 1
        del server.lines[:-40]
    cpu = 100 * (cpu_seconds(server.process.pid) - cpu) / STORM_SECONDS
    wait_until(lambda: victim not in server.workers()
               and len(set(ready_pids(server)) & set(server.workers())) == WORKERS, "strength")
    return kills, (time.perf_counter() - last) * 1000, cpu


def storm_under_load(server):
    loads = [Load(server.port, keep_alive=i % 2 == 0) for i in range(2)]
    for load in loads:
        load.start()
    result = storm(server)
    for load in loads:
        load.running = False
        load.join()
    return *result, sum(load.answered for load in loads), sum(len(load.failed) for load in loads)


def main():
    server = Server()
    server.await_ready(WORKERS)
    pids = [server.process.pid, *server.workers()]
    each = [proportional_set_size([pid]) for pid in pids]
    print(f"PSS of the master {each[0]} kB, of its workers {each[1:]} kB, sum {sum(each)} kB")
    print(f"CPU of the idle master: {idle(server):.2f} ms in {IDLE_SECONDS} s")
    print("HUP to reloaded:",
          spread([timed(server, signal.SIGHUP, "reloaded: ") for _ in range(20)]))
    print("USR2 to serving again:", spread([upgrade(server) for _ in range(10)]))
    print("kill -9 of a worker to its successor READY:",
          spread([replacement(server) for _ in range(50)]))
    kills, healed, cpu, answered, failed = storm_under_load(server)
    print(f"{kills} kills in {STORM_SECONDS} s under load: full strength {healed:.1f} ms after the "
          f"last, master at {cpu:.1f} % of a core, {answered} requests answered, {failed} cut off")
    print("exit status:", server.stop())


if __name__ == "__main__":
    main()
