"""A fresh Debian in a folder: to look at, to install into, and to boot."""

import contextlib
import os
import shutil
import signal
import subprocess

from lib import process
from lib.debian import sources
from lib.needs import go_without
from lib.programs import run
from lib.wait import eventually

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_STOP_SECONDS = 30


def _release():
    with open("/etc/os-release", encoding="utf-8") as file:
        return dict(line.rstrip().split("=", 1) for line in file if "=" in line)["VERSION_CODENAME"]


def obstacle():
    """Why there can be no system here, or None."""
    if os.geteuid() != 0:
        return "needs to be root"
    if run("unshare", "-mn", "true", check=False).returncode != 0:
        return "needs the right to mount and to make networks (CAP_SYS_ADMIN)"
    return None


def make(folder):
    """The smallest Debian that has apt and boots, and logrotate."""
    run("mmdebstrap", "--mode=root", "--variant=apt", "--skip=cleanup/apt/lists",
        "--include=systemd,systemd-sysv,logrotate", _release(), folder, *sources())  # fmt: skip


class System:
    def __init__(self, folder):
        self.folder = folder
        self.prefix = ["chroot", folder]  # or the way into the machine that runs there

    def path(self, path):
        return self.folder + path

    def run(self, *words, **options):
        environment = {"PATH": _PATH, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        return run(*self.prefix, *words, env=environment, **options)

    def install(self, *packages):
        """By name, from the network."""
        self.run("apt-get", "install", "-qy", "--no-install-recommends", *packages)

    def unpack(self, *paths):
        """Packages from outside, by dpkg alone."""
        inside = [shutil.copy(path, self.path("/srv")) for path in paths]
        names = [f"/srv/{os.path.basename(path)}" for path in inside]
        try:
            return self.run("dpkg", "-i", *names)
        finally:
            for path in inside:
                os.unlink(path)

    def read(self, path):
        with open(self.path(path), encoding="utf-8") as file:
            return file.read()

    def write(self, path, text):
        with open(self.path(path), "w", encoding="utf-8") as file:
            file.write(text)


class _Cgroups:
    """A control group for what boots, so that none of its own stay behind."""

    def __init__(self):
        with open("/proc/self/cgroup", encoding="ascii") as file:
            own = {line.split(":")[1]: line.rstrip().split(":", 2)[2] for line in file}
        places = {"name=systemd": ["/sys/fs/cgroup/systemd"],
                  "": ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"]}  # fmt: skip
        self.folders = []
        for name, mounts in places.items():
            for mount in mounts:
                parent = mount + own.get(name, "")
                if name in own and os.path.exists(f"{parent}/cgroup.procs"):
                    self.folders.append(f"{parent.rstrip('/')}/zombie-packages-{os.getpid()}")
                    break

    def make(self):
        for folder in self.folders:
            os.mkdir(folder)

    def enter(self):
        for folder in self.folders:
            with open(f"{folder}/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(os.getpid()))

    def remove(self):
        for folder in self.folders:
            for parent, _, _ in os.walk(folder, topdown=False):
                with contextlib.suppress(OSError):
                    os.rmdir(parent)


def listeners_beside(pid):
    """Every TCP address that somebody listens on in the network of this process."""
    lines = run("nsenter", "-t", pid, "-n", "ss", "-Hltn").stdout.splitlines()
    return {line.split()[3] for line in lines}


class Machine(System):
    """That system, booted, with a network of its own in which there is nobody else."""

    def __init__(self, folder, log_path):
        super().__init__(folder)
        self.init = None
        self._cgroups = _Cgroups()
        self._log_path = log_path
        try:
            self._cgroups.make()
        except OSError as error:
            self._cgroups.remove()
            go_without(f"no fresh system: control groups: {error.strerror}")
        with open(log_path, "wb") as log:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
                 "--console=pipe", "-D", folder, "-b"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=self._cgroups.enter,
            )  # fmt: skip
        try:
            self.init = eventually(self._find_init, "the machine has a process 1")
            self.prefix = ["nsenter", "-t", str(self.init), "-a"]
            eventually(self._is_up, "the machine is up", seconds=90)
        except AssertionError:
            waits = self.init and self.run("systemctl", "list-jobs", check=False).stdout
            self.stop()
            if waits and "zombie-" in waits:  # that is not the machine's fault
                raise
            with open(log_path, encoding="utf-8", errors="replace") as log:
                go_without(f"no fresh system: {log.read()[-500:]}")

    def _find_init(self):
        assert self._nspawn.poll() is None, "systemd-nspawn has ended"
        names = {process.status_of(child).get("Name"): child
                 for child in process.children_of(self._nspawn.pid)}  # fmt: skip
        return names.get("systemd")

    def _is_up(self):
        assert self._nspawn.poll() is None, "the machine has ended"
        state = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return state in ("running", "degraded")

    def stop(self):
        # Nothing on it is worth an orderly end.
        if self.init is not None and self._nspawn.poll() is None:
            os.kill(self.init, signal.SIGKILL)
        try:
            self._nspawn.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._cgroups.remove()

    def network(self):
        """Within the block this process is in the network of the machine."""
        return process.network_of(self.init)

    @property
    def listeners(self):
        """Every TCP address that somebody listens on there."""
        return listeners_beside(self.init)

    def shows(self, unit, name):
        return self.run("systemctl", "show", "-P", name, unit).stdout.strip()
