"""
podman with a store of its own: nothing of the machine is used but its kernel, and
nothing stays. Containers are on the network of the host, which needs no bridge; those
that docker-compose starts are not, see docker.py.
"""

import contextlib
import json
import os
import resource
import shutil
import subprocess
import tempfile
import time

from lib import process
from lib.debian import sources
from lib.documents import version
from lib.server import SRCDIR
from lib.wait import DEADLINE, eventually

BASE = "docker.io/library/debian:bookworm-slim"
SERVER = f"localhost/zombie-server:{version()}"
STATIC = f"{SERVER}-scratch"

DOCKERFILE = os.path.join(SRCDIR, "deploy/docker/Dockerfile")
_PLACES = ("root", "runroot", "tmpdir")
# Where podman keeps the names of containers and the sizes of layers, whatever it is told.
_FIXED_PLACES = ("/run/containers", "/var/lib/containers")
# Where it has the programs that make networks: Debian, and others.
_HELPERS = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman")
_SLOW = 600  # seconds for what downloads or compiles

# As the image has it from its makers: without documents, and apt keeps nothing.
_SLIM = [
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale", "man")),
    *(f'--aptopt=Dir::Cache::{name} ""' for name in ("pkgcache", "srcpkgcache")),
    '--aptopt=DPkg::Post-Invoke {"rm -f /var/cache/apt/archives/*.deb";}',
]

_CONF = """
[containers]
default_ulimits = ["nofile={files}:{files}", "nproc={processes}:{processes}"]
[engine]
events_logger = "none"
lock_type = "file"
[network]
network_backend = "{backend}"
"""


class Unable(Exception):
    """What keeps this machine from running containers."""


def has_helper(name):
    return any(os.path.exists(os.path.join(folder, name)) for folder in _HELPERS)


def _last_line(done):
    """What a program that has failed says of it."""
    return (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]


def _limit(number, most):
    """What may be asked for without CAP_SYS_RESOURCE."""
    hard = resource.getrlimit(number)[1]
    return most if hard == resource.RLIM_INFINITY else min(hard, most)


def _mirror():
    """Where this machine has its packages from, if that is the Debian of the image."""
    for path in sources():
        with open(path, encoding="utf-8") as file:
            if "bookworm" in file.read():
                return [path]
    return []


class Engine(contextlib.AbstractContextManager):
    """What podman runs, from the beginning of the block to its end."""

    def __init__(self):
        # The runroot may have 50 characters, and images have a gigabyte.
        self.folder = tempfile.mkdtemp(prefix="zc-", dir="/var/tmp")
        self._parent = f"zombie-test-{os.getpid()}"
        self._driver = "overlay"
        conf = os.path.join(self.folder, "containers.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(_CONF.format(files=_limit(resource.RLIMIT_NOFILE, 4096),
                                    processes=_limit(resource.RLIMIT_NPROC, 4096),
                                    # The older one goes without helpers.
                                    backend="netavark" if has_helper("netavark") else "cni"))  # fmt: skip
        foreign = ("CONTAINER", "STORAGE_")
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)}
        # Timers of systemd are not for what is gone in a minute.
        self.environment |= {"CONTAINERS_CONF": conf, "DISABLE_HC_SYSTEMD": "true",
                             "TMPDIR": self.folder}  # fmt: skip
        for number, place in enumerate(_FIXED_PLACES):
            own = os.path.join(self.folder, f"fixed-{number}")
            os.mkdir(own)
            os.makedirs(place, exist_ok=True)
            process.mount_over(own, place)

    def __exit__(self, *_):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.do("rm", "--force", "--all", "--time=0", check=False)
        mounts = os.path.join(self.folder, "root", self._driver)
        subprocess.run(["umount", "--quiet", "--lazy", mounts], check=False, capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._remove_cgroups()

    def _remove_cgroups(self):
        """Those of ours, and podman's usual one if it is empty."""
        for folder, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if {self._parent, "libpod_parent"} & set(folder.split("/")):
                with contextlib.suppress(OSError):
                    os.rmdir(folder)

    def words(self, *arguments):
        places = [f"--{name}={self.folder}/{name}" for name in _PLACES]
        return ["podman", *places, f"--storage-driver={self._driver}", "--runtime=runc",
                f"--network-config-dir={self.folder}/net", "--cgroup-manager=cgroupfs",
                *map(str, arguments)]  # fmt: skip

    def do(self, *arguments, seconds=2 * DEADLINE, check=True, **options):
        """Run podman to its end."""
        # In the folder that goes: what watches a container leaves a file `oom` where it began.
        done = subprocess.run(self.words(*arguments), env=self.environment, cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, check=False, **options)  # fmt: skip
        if check and done.returncode != 0:
            raise AssertionError(f"podman {' '.join(map(str, arguments))}: "
                                 f"{done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")  # fmt: skip
        return done

    # Images

    def make_base(self):
        """Debian as small as that image, from the packages of a mirror; or Unable."""
        archive = os.path.join(self.folder, "base.tar")
        words = ["mmdebstrap", "--quiet", "--variant=minbase", *_SLIM, "bookworm", archive]
        made = subprocess.run([*words, *_mirror()], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=_SLOW, check=False)  # fmt: skip
        if made.returncode != 0:
            raise Unable(f"mmdebstrap: {_last_line(made)}")
        tried = self.do("import", archive, BASE, check=False)
        if tried.returncode != 0:  # an overlay on an overlay, for one
            for name in _PLACES:  # the first try has noted its driver there
                shutil.rmtree(os.path.join(self.folder, name), ignore_errors=True)
            self._driver = "vfs"
            tried = self.do("import", archive, BASE, check=False)
        if tried.returncode != 0:
            raise Unable(_last_line(tried))
        os.unlink(archive)

    def prove(self):
        """Run a container, or say what is in the way."""
        tried = self.do("run", "--rm", "--network=host", f"--cgroup-parent=/{self._parent}", BASE,
                        "true", check=False)  # fmt: skip
        if tried.returncode != 0:
            raise Unable(_last_line(tried))

    def build(self, name, *options, file=DOCKERFILE, context=SRCDIR):
        self.do("build", "--format=docker", "--network=host", "-f", file, "-t", name,
                *options, context, seconds=_SLOW)  # fmt: skip

    def image(self, name):
        (found,) = json.loads(self.do("image", "inspect", name).stdout)
        return found

    def controllers(self):
        """What cgroups can limit here."""
        return set(json.loads(self.do("info", "--format=json").stdout)["host"]["cgroupControllers"])

    # Containers

    def run(self, name, image, *command, options=()):
        """On the network of the host, unless the options say otherwise."""
        if not any(one.startswith("--network=") for one in options):
            options = ["--network=host", *options]
        self.do("run", "--detach", "--name", name, f"--cgroup-parent=/{self._parent}", *options,
                image, *command)  # fmt: skip
        return Container(self, name)


class Container:
    """
    One that was started; `name` for podman.

    engine: has do() for that
    """

    def __init__(self, engine, name):
        self._engine = engine
        self.name = name

    def do(self, command, *arguments, **options):
        return self._engine.do(command, *arguments, self.name, **options)

    @property
    def log(self):
        done = self.do("logs", check=False)
        return done.stdout + done.stderr

    @property
    def state(self):
        (found,) = json.loads(self.do("inspect").stdout)
        return found["State"]

    @property
    def pid(self):
        """Of its process 1, as we see it."""
        return self.state["Pid"]

    def is_well(self):
        """Whether its health check, asked now, says so."""
        return self.do("healthcheck", "run", check=False).returncode == 0

    def execute(self, *words, **options):
        return self._engine.do("exec", self.name, *words, **options)

    def wait_for_log(self, text, count=1):
        eventually(lambda: self.log.count(text) >= count,
                   f"{text!r}, {count} times, in the log of {self.name}")  # fmt: skip

    def stop(self, grace_s):
        """Returns in how many seconds it has ended by itself."""
        begin = time.monotonic()
        self.do("stop", f"--time={grace_s}")
        return time.monotonic() - begin

    def remove(self):
        self.do("rm", "--force", "--time=0", check=False)
