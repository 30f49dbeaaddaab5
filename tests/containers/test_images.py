"""What the images are, and that one container of each lives behind every fence."""

import os
import shutil
import tarfile

import pytest

from engine import SERVER, STATIC
from lib import process
from lib.documents import version
from lib.wait import eventually
from service import CONF, HARDENED, deployed

STATIC_MAX_BYTES = 8_000_000
IMAGES = [SERVER, STATIC]

_COMMAND = ["zombie-server", "-c", CONF]
_HEALTHCHECK = ["zombie-server", "--healthcheck", "http://127.0.0.1:9090/readyz"]


@pytest.fixture
def lonely(request, engine):
    """lonely(IMAGE, option, ...) runs a container in which each port is free; no way leads in."""
    started = request.node.containers = []

    def start(image, *options):
        options = [*HARDENED, "--network=none", *options]
        started.append(engine.run("lonely", image, options=options))
        return started[-1]

    yield start
    for one in started:
        one.remove()


@pytest.mark.parametrize("name", IMAGES)
def test_image_says_how_it_is_run(engine, name):
    image = engine.image(name)
    config = image["Config"]
    assert config["User"] == "10001:10001"
    assert config["Cmd"] == _COMMAND
    assert not config.get("Entrypoint")
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert list(config["ExposedPorts"]) == ["3000/tcp"]
    assert config["Labels"]["org.opencontainers.image.version"] == version()
    assert config["Labels"]["org.opencontainers.image.title"] == "zombie-server"
    assert image["Healthcheck"]["Test"] == ["CMD", *_HEALTHCHECK]


def test_image_of_static_programs_is_small(engine, figure):
    sizes = [engine.image(name)["Size"] for name in IMAGES]
    figure(f"{sizes[1] / 1e6:.2f} MB, and {sizes[0] / 1e6:.0f} MB on Debian")
    assert sizes[1] < STATIC_MAX_BYTES


def test_image_of_static_programs_has_nothing_else(engine, tmp_path):
    archive = tmp_path / "image.tar"
    engine.do("create", "--name=bare", STATIC)
    engine.do("export", "--output", archive, "bare")
    engine.do("rm", "bare")
    with tarfile.open(archive) as file:
        listed = file.getnames()
    programs = [path for path in listed if "/sbin/" in path]
    assert sorted(programs) == ["usr/sbin/zombie-server", "usr/sbin/zombiectl"]
    assert not [path for path in listed if path.startswith(("lib", "bin", "usr/lib/x86"))]


@pytest.mark.parametrize("name", IMAGES)
def test_program_can_do_all_it_can(engine, name):
    text = engine.do("run", "--rm", "--network=none", name, "zombie-server", "--version").stdout
    assert "OpenSSL" in text and "zookeeper" in text


def test_static_program_knows_the_users_of_its_image(engine):
    words = ("run", "--rm", "--network=none", STATIC, "zombie-server", "-t", "-o")
    assert engine.do(*words, "instance.user=zombie").returncode == 0
    other = engine.do(*words, "instance.user=somebody", check=False)
    assert "there is no user 'somebody'" in other.stderr


@pytest.mark.parametrize("name", IMAGES)
def test_container_needs_no_rights(service, name):
    one = service(image=name)
    assert one.identity()["instance"] in one.log
    status = process.status_of(one.pid)
    assert status["NSpid"].split()[-1] == "1"
    assert status["Name"] == "zombie-server"
    assert set(status["Uid"].split()) == set(status["Gid"].split()) == {"10001"}
    assert status["CapEff"] == status["CapPrm"] == status["CapBnd"] == "0" * 16
    assert status["NoNewPrivs"] == "1"
    shown = one.execute("zombiectl", "status").stdout
    assert "serving" in shown and one.identity()["instance"] in shown


@pytest.mark.parametrize("name", IMAGES)
def test_tmpfs_of_docker_is_a_place_for_the_control_socket(service, name):
    """Which begins empty; podman's own copies what the image has there."""
    tmpfs = "--tmpfs=/run:rw,noexec,nosuid,nodev,notmpcopyup,mode=1777"
    one = service(image=name, options=["--read-only-tmpfs=false", tmpfs])
    assert "serving" in one.execute("zombiectl", "status").stdout


@pytest.mark.parametrize("name", IMAGES)
def test_container_without_any_place_to_write_goes_on(service, name):
    one = service(image=name, options=["--read-only-tmpfs=false"])
    one.wait_for_log("control.sock: Read-only file system, going on without")
    assert one.fetch("/hello").status == 200


@pytest.mark.parametrize("name", IMAGES)
def test_health_of_a_container_is_asked_by_its_own_program(lonely, name):
    one = lonely(name)
    eventually(one.is_well, "it is well")
    one.do("kill", "--signal=WINCH")  # a pause: no workers
    eventually(lambda: not one.is_well(), "it is not")
    one.do("kill", "--signal=HUP")
    eventually(one.is_well, "it is again")


def test_file_that_was_broken_makes_no_healthy_container_unhealthy(lonely, tmp_path):
    tmp_path.chmod(0o755)  # it is another user who reads it
    conf = tmp_path / "zombie-server.conf"
    shutil.copy(deployed("docker/zombie-server.conf"), conf)
    one = lonely(SERVER, f"--volume={tmp_path}:{os.path.dirname(CONF)}:ro")
    eventually(one.is_well, "it is well")
    conf.write_text("nonsense")
    assert one.execute(*_COMMAND, "-t", check=False).returncode != 0
    assert one.is_well()
