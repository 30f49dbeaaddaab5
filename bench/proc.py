"""What /proc tells of a server: its processes, their time on a CPU, their memory."""
import os
import re
import resource
import signal


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def children(pid):
    """Those it has forked that are not reaped yet; none if it is gone itself."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += map(int, read(f"/proc/{pid}/task/{task}/children").split())
    except (FileNotFoundError, ProcessLookupError):
        pass
    return found


def stat(pid):
    """State, parent, group, session and so on, as in proc(5) from the third field on."""
    return read(f"/proc/{pid}/stat").rpartition(")")[2].split()


def runs(pid):
    """Whether there is this process, and more than its exit status is left."""
    try:
        return stat(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def session(leader):
    """All processes of the session that this one has begun, whoever their parents are."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if stat(name)[3] == str(leader):
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def tree(pid):
    """A process and all that descend from it, the oldest first."""
    pids = [pid]
    for one in pids:
        pids += children(one)
    return pids


def run_ns(pids):
    """Time that all threads of these processes were on a CPU, in nanoseconds."""
    total = 0
    for pid in pids:
        try:
            total += sum(int(read(f"/proc/{pid}/task/{task}/schedstat").split()[0])
                         for task in os.listdir(f"/proc/{pid}/task"))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return total


def busy_us(cores):
    """Time that these CPUs were not idle, or taken away from this virtual machine, so far."""
    total = 0
    for core in cores:
        ticks = list(map(int, re.search(rf"(?m)^cpu{core} (.*)", read("/proc/stat"))[1].split()))
        total += sum(ticks[:3] + ticks[5:8])
    return total * 1e6 / os.sysconf("SC_CLK_TCK")


def waited_for_us():
    """CPU time of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1e6


def kilobytes(pid, file, key):
    """A line such as "VmHWM: 1234 kB" of a file in /proc/PID."""
    return int(re.search(rf"(?m)^{key}:\s+(\d+) kB", read(f"/proc/{pid}/{file}"))[1])


def proportional_kb(pid):
    return kilobytes(pid, "smaps_rollup", "Pss")


def resident_kb(pid):
    return kilobytes(pid, "status", "VmRSS")


def peak_kb(pid):
    return kilobytes(pid, "status", "VmHWM")


def reset_peak(pid):
    with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def cpu_model():
    found = re.search(r"(?m)^model name\s*:\s*(.*)", read("/proc/cpuinfo"))
    return found[1] if found else "unknown"
