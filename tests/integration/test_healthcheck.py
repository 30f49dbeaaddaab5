"""--healthcheck: one line and an exit status, within five seconds."""

import os
import signal
import time

import pytest

from lib.admin import Site
from lib.ports import free_port
from lib.server import run as run_server


def check(*arguments):
    began = time.monotonic()
    result = run_server(*arguments)
    assert time.monotonic() - began < 8
    assert (result.stdout + result.stderr).count("\n") == 1
    return result


def url(server, path="/healthcheck"):
    return "http://127.0.0.1:%d%s" % (server.port, path)


@pytest.mark.smoke
@pytest.mark.valgrind
@pytest.mark.parametrize("words", [
    lambda url: ["--healthcheck", url], lambda url: [f"--healthcheck={url}"],
    lambda url: ["-w", "1", "--healthcheck", url, "-l", "127.0.0.1:1"],
])  # fmt: skip
def test_a_server_that_is_well(start, words):
    address = url(start())
    result = check(*words(address))
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{address}: 200 OK")


@pytest.mark.parametrize("path,text", [
    ("/nothing", "404 Not Found: nothing is routed here"),
    ("/bad", "500 Internal Server Error"),
    ("/moved", "301 Moved Permanently"),
])  # fmt: skip
def test_anything_but_success_is_a_failure(start, path, text):
    server = start("-o", "route./bad.handler=text", "-o", "route./bad.status=500",
                   "-o", "route./moved.handler=redirect", "-o", "route./moved.to=/hello",
                   "-o", "route./moved.status=301")  # fmt: skip
    result = check("--healthcheck", url(server, path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{url(server, path)}: {text}")


def test_localhost_is_asked_in_both_families(start):
    server = start(listen="[::1]:0")
    result = check("--healthcheck", f"http://localhost:{server.port}/hello")
    assert result.returncode == 0


def test_nobody_is_there():
    result = check("--healthcheck", f"http://127.0.0.1:{free_port()}/")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.endswith(": Connection refused\n")


def test_who_does_not_answer_is_not_waited_for(start):
    server = start(workers=1)
    os.kill(server.serving[0].pid, signal.SIGSTOP)
    began = time.monotonic()
    result = check("--healthcheck", url(server))
    assert time.monotonic() - began >= 4.9
    assert result.returncode == 1
    assert result.stderr.endswith(": no answer within 5000 ms\n")


@pytest.mark.parametrize("admin", [True, False])
def test_the_configuration_says_where(start, admin):
    """By loopback where it listens on all addresses, and by a name that is answered."""
    ports = free_port(), free_port()
    words = ["-l", f"0.0.0.0:{ports[0]}", "http.hosts=a.example"]
    if admin:
        words += [f"admin.listen=127.0.0.1:{ports[1]}", "admin.hosts=b.example"]
    server = start(*words, listen=None)
    if admin:
        server.wait_for_log(r"admin \d+ is ready")
    result = check(*words, "--healthcheck")
    wanted = f"{ports[1]}/readyz" if admin else f"{ports[0]}/healthcheck"
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"http://127.0.0.1:{wanted}: 200 OK: ")


def test_unix_sockets_can_be_asked(start, tmp_path):
    words = ["-l", f"unix:{tmp_path}/s"]
    server = start(*words, listen=None)
    assert check(*words, "--healthcheck").returncode == 0
    assert check("--healthcheck", f"unix:{tmp_path}/s:/hello").returncode == 0
    assert check("--healthcheck", f"unix:{tmp_path}/s:/nothing").returncode == 1
    server.stop()
    assert check(*words, "--healthcheck").returncode == 1


def test_readiness_has_a_reason(start):
    server = start("admin.listen=127.0.0.1:0")
    site = Site(server)
    server.send_signal(signal.SIGWINCH)
    site.until("/readyz", 503)
    result = check("--healthcheck", "http://127.0.0.1:%d/readyz" % site.address[1])
    assert result.returncode == 1
    assert result.stderr.endswith(
        ": 503 Service Unavailable: no worker serves, the instance is paused\n"
    )


@pytest.mark.parametrize("words,text", [
    (["--healthcheck", "https://127.0.0.1/"], "neither with http:// nor with unix:"),
    (["--healthcheck", "http://example.com/"], ""),
    (["--healthcheck", "http://127.0.0.1:99999/"], ""),
    (["--healthcheck", "-l", "127.0.0.1:0"], "leaves the port to the system"),
    (["--healthcheck="], "needs a value"),
    (["--healthcheck", "http://127.0.0.1/", "more"], "unexpected argument 'more'"),
])  # fmt: skip
def test_what_cannot_be_asked_is_a_mistake(words, text):
    result = check(*words)
    assert (result.returncode, result.stdout) == (64, "")
    assert text in result.stderr
