"""The guide for the proxy: its configurations run, its tables name what there is."""

import re
import subprocess

import pytest
from test_documents import KEYS, check_configuration

from lib.documents import fences, read
from lib.nginx import PROGRAM
from lib.proxy import ask, stage  # noqa: F401
from lib.upstream import READ, RESET, say, steps
from lib.wait import eventually

GUIDE = "doc/proxy.md"


def blocks(language=""):
    return [text for tag, text in fences(read(GUIDE)) if tag == language]


def chapter(title):
    return re.search(rf"^##+ {title}\n(.*?)(?=^##|\Z)", read(GUIDE), re.M | re.S)[1]


def rows(text):
    """The cells of each line of the tables, without their headings."""
    lines = re.findall(r"^\|(?!.*---)(.*)\|$", text, re.M)
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def test_configurations_are_valid(run, tmp_path):
    assert len(blocks()) == 3
    for text in blocks():
        check_configuration(run, tmp_path, text)


@pytest.mark.skipif(not PROGRAM, reason="there is no nginx")
def test_nginx_reads_its_side(tmp_path):
    (text,) = blocks("nginx")
    conf = tmp_path / "nginx.conf"
    text = text.replace("listen 8080", f"listen unix:{tmp_path}/socket")  # -t binds it
    conf.write_text(f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off;\n"
                    f"{text}}}")  # fmt: skip
    result = subprocess.run([PROGRAM, "-t", "-c", conf, "-p", tmp_path, "-e", "stderr"],
                            capture_output=True, text=True, check=False)  # fmt: skip
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("title", ["From nginx", "From HAProxy"])
def test_tables_name_what_there_is(title):
    known = {key.split(".")[1] for key in KEYS}
    known |= {"round_robin", "least_conn", "ip_hash", "random_two", "yes", "no", "proxy", "route",
              "server", "check", "upstream", "handler", "NAME"}  # fmt: skip
    named = set()
    for cells in rows(chapter(title))[1:]:
        for code in re.findall(r"`([^`]*)`", cells[1]):
            named |= set(re.findall(r"\b[a-z_]+\b", re.sub(r'"[^"]*"', "", code)))
    assert len(named) >= 10
    assert not named - known


@pytest.fixture
def case(start, stage, tmp_path):  # noqa: F811
    """The field case, with upstreams in the place of the containers: they, and the front."""

    def make(*scripts):
        text = blocks()[1]
        text = re.sub(r"/(?:run|var/log)/", f"{tmp_path}/", text)
        made = [stage.add(script, name) for name, script in zip("ab", scripts, strict=True)]
        for address, one in zip(("10.0.0.11:3000", "10.0.0.12:3000"), made, strict=True):
            assert address in text
            text = text.replace(address, one.address)
        (tmp_path / "front.conf").write_text(text.replace("0.0.0.0:8080", "127.0.0.1:0"))
        return made, start("-c", tmp_path / "front.conf", workers=1)

    return make


@pytest.mark.smoke
def test_field_case_serves(case, tmp_path):
    asked = "/orders"

    def dies(exchange):
        if exchange.request.target == asked:
            exchange.reset()
        say(b"a")(exchange)

    (a, b), front = case(dies, say(b"b"))
    assert {ask(front.address, asked).body for _ in range(3)} == {b"b"}
    assert a.requests and b.requests
    log = tmp_path / "zombie-front-access.log"
    eventually(lambda: log.exists() and log.read_text().count("\n") == 3, "three lines")
    assert f"{a.address}, {b.address} 502, 200 " in log.read_text()


def test_line_of_a_failure_is_the_one_of_the_guide(case):
    (sample,) = blocks("text")
    (_, _), front = case(steps(READ, RESET), steps(READ, RESET))
    assert ask(front.address).status == 502
    front.wait_for_log("upstream server failed: ")
    line = next(line for line in front.log.splitlines() if "upstream server failed: " in line)
    fields = re.compile(r" (\w+)=")
    assert fields.findall(line) == fields.findall(sample)
    described = {name for cells in rows(chapter("The line of a failure"))
                 for name in re.findall(r"`(\w+)`", cells[0])}  # fmt: skip
    assert set(fields.findall(sample)) <= described


@pytest.mark.parametrize("document", [GUIDE, "man/zombie-server.8"])
def test_reasons_of_failures_are_in_the_documents(document):
    text = " ".join(read(document).replace(".Ql ", "").split())
    given = set()
    for name in "attempt", "answer", "fail", "send":
        source = read("src/proxy", f"forward_{name}.c")
        calls = r'(?:forward_fail|break_off|proxy_log)\([^;]*?"[^;]*;'
        for call in re.findall(calls, source):
            given |= set(re.findall(r'"([^"]+)"', call))
    assert len(given) >= 10
    assert not [one for one in given if one not in text]
