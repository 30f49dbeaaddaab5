"""The documents on watching and steering: their commands run, and their tables are complete."""

import os
import re
import shutil
import subprocess
from glob import glob

import pytest
from test_documents import chapter, plain

from lib import process
from lib.client import fetch
from lib.control import status
from lib.documents import read
from lib.schema import EVENT, KINDS, STATUS
from lib.server import SRCDIR
from lib.upstream import Stage
from lib.wait import eventually
from lib.zombiectl import ctl

OPERATIONS, PROTOCOL, README = "doc/operations.md", "doc/protocol.md", "README.md"


def about(title):
    """What the protocol says under this heading, however deep it is."""
    return re.search(rf"^#+ {title}\n(.*?)(?=^##|\Z)", read(PROTOCOL), re.M | re.S)[1]


def rows(text):
    """The cells of each line of the tables, without their headings."""
    lines = re.findall(r"^\|(?!.*---)(.*)\|$", text, re.M)
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def names(text, column=0):
    return {name for row in rows(text) for name in re.findall(r"`([\w-]+)`", row[column])}


def watched(start, *arguments):
    server = start("--chaos", "admin.listen=127.0.0.1:0", *arguments)
    eventually(lambda: all(one["state"] == "serving" for one in status(server)["processes"]),
               "everybody to serve")  # fmt: skip
    return server


def admin_port(server):
    return int(status(server)["admin"].rpartition(":")[2])


def texts_of_the_sources():
    paths = glob(os.path.join(SRCDIR, "src/**/*.c"), recursive=True)
    text = "".join(read(path) for path in paths) + read("src/cluster/master_state.h")
    text = re.sub(r'"\s+"|" PRI[a-z]\d\d "', "", text).replace('\\"', '"')
    return text + "".join(map(os.strerror, range(1, 130)))


def quoted_lines():
    """What the first column of the symptoms quotes: the pieces between what differs."""
    chapter = re.search(r"^## By symptom\n(.*?)^## ", read(OPERATIONS), re.M | re.S)[1]
    shown = [text for row in rows(chapter) for text in re.findall(r"`([^`]+)`", row[0])]
    lines = [text for text in shown if " " in text and "=" not in text.split()[0]]
    differs = r"unix:|\b[A-Z]+\b|\d+|'|\ba worker\b|\bworker(?= N)|\bthe reload\b| and |[:,;] |^state \w+"
    split = [re.split(differs, text) for text in lines]
    return sorted({piece.strip(" ,;:()") for pieces in split for piece in pieces} - {""})


def test_lines_of_the_log_in_the_symptoms_are_there():
    texts, quoted = texts_of_the_sources(), quoted_lines()
    assert len(quoted) >= 60
    assert not [piece for piece in quoted if piece not in texts]


def test_readme_shows_what_status_shows(start):
    server = watched(start)
    shown = re.search(r"zombiectl status\n(.*?)\n```", read(README), re.S)[1].splitlines()
    printed = ctl(server.control_path, "status").stdout.splitlines()
    heading = next(line for line in printed if line.startswith("SLOT"))
    assert heading.split() == next(line for line in shown if line.startswith("SLOT")).split()
    assert [line.split()[0] for line in shown[:5]] == [line.split()[0] for line in printed[:5]]


def test_metrics_are_in_the_documents(start):
    with Stage() as stage:
        upstream = stage.add()
        server = watched(start, "-o", f"upstream.api.server={upstream.address}",
                         "-o", "route./a.handler=proxy", "-o", "route./a.upstream=api",
                         "registry.type=etcd", "registry.url=127.0.0.1:1",
                         "registry.watch=api")  # fmt: skip
        assert server.fetch("/a").status == 200
        eventually(lambda: status(server)["upstreams"][0]["servers"][0]["latency_ms"],
                   "its latency is known")  # fmt: skip
    address = ("127.0.0.1", admin_port(server))
    text = fetch(address, "/metrics", headers={"Host": "localhost"}).text
    types = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    labels = {}
    for name, found in re.findall(r"^(\w+?)(?:_bucket)?\{(.*)\} ", text, re.M):
        labels.setdefault(name, set()).update(re.findall(r'(\w+)="', found))
    said = {row[0].strip("`"): row for row in rows(about("Metrics"))[1:]}
    assert len(types) >= 20
    assert {name: row[1] for name, row in said.items()} == types
    for name, row in said.items():
        assert set(re.findall(r"\w+", row[2])) == labels.get(name, set()), name
    manual = re.findall(r"^\.It (zombie_\w+) Ta ", read("man/zombie-server.8"), re.M)
    assert sorted(manual) == sorted(types)


def test_members_of_status_are_in_the_protocol():
    said, process = about("STATUS"), STATUS["processes"][0]
    upstream = STATUS["upstreams"][0]
    server = upstream["servers"][0]
    assert names(said) == set(STATUS) | set(process) | set(server)
    assert set(upstream) | upstream["balance"] <= set(re.findall(r"`([a-z_]+)`", said))
    assert server["state"] <= names(said, 2)
    assert STATUS["state"] | set(STATUS["master"]) | set(STATUS["totals"]) <= names(said, 2)
    assert process["state"] <= names(said, 2)
    assert set(STATUS["last_reload"][0]) <= names(said, 2)
    registry = STATUS["registry"][0]
    assert set(registry) | registry["state"] | registry["status"][0] <= names(said, 2)
    assert set(process["request"][0]) | set(process["last_death"][0]) <= names(said, 2)


def test_members_of_events_are_in_the_protocol():
    said = about("EVENT")
    kinds = [name for row in rows(said) for name in re.findall(r"`([\w-]+)`", row[0])]
    kinds = kinds[kinds.index("start") :]
    source = read("src/cluster/journal.c").partition("names[JOURNAL_KINDS]")[2].partition("};")[0]
    assert kinds == re.findall(r'"([\w-]+)"', source)
    assert names(said) == set(EVENT) | KINDS


def commands_of_the_source():
    """{name: (arguments, whom it is for)}"""
    text = "".join(read(path) for path in glob(os.path.join(SRCDIR, "src/cluster/command_*.c")))
    found = re.findall(r'\.name = "([a-z-]+)",\s*\.arguments = "([a-z ]*)",\s*'
                       r"\.clients = COMMAND_FOR_(\w+),", text)  # fmt: skip
    whom = {"ALL": "all", "OPERATORS": "zc"}
    return {name: (set(keys.split()), whom[clients]) for name, keys, clients in found}


def test_commands_are_in_the_protocol():
    said = {}
    for name, keys, whom, _ in rows(about("Commands"))[1:]:
        said[name.strip("`")] = set(re.findall(r"`(\w+)`", keys)), whom
    wanted = commands_of_the_source()
    assert len(wanted) >= 15
    assert said == wanted


def test_security_says_what_the_admin_role_may_ask():
    said = re.search(r"the commands ((?:`[a-z]+`[,a-z\s]*)+)chaos is on", read("SECURITY.md"))[1]
    wanted = commands_of_the_source()
    assert set(re.findall(r"`(\w+)`", said)) == {name for name in wanted if wanted[name][1] == "all"}


def test_those_listen_of_whom_security_says_it(start):
    server = watched(start, "registry.type=etcd", "registry.url=127.0.0.1:1")
    found = {one["role"]: process.accepts(one["pid"]) for one in status(server)["processes"]}
    assert found == {"worker": True, "admin": True, "herald": False}
    table = read("SECURITY.md").partition("## Who may do what\n")[2].partition("\n## ")[0]
    said = {row[0]: "listening socket" in row[2] for row in rows(table)}
    assert {role: said[role] for role in found} == found


def test_security_has_each_role():
    table = read("SECURITY.md").partition("## Who may do what\n")[2].partition("\n## ")[0]
    said = {row[0] for row in rows(table)}
    roles = set(re.findall(r'\[ROLE_\w+\] = "(\w+)"[,}]', read("src/cluster/role.c")))
    assert len(roles) == 3
    assert roles | {"master", "zombiectl", "zombie-distributor"} <= said


def test_errors_are_in_the_protocol():
    source = read("src/control/answer.c")
    errors = set(re.findall(r'"([a-z]+-[a-z]+|refused|failed)"', source))
    assert len(errors) == 8
    assert errors <= names(about("Answers"))
    assert errors - {"unknown-command"} <= names(about("Orders"), 1)


@pytest.mark.parametrize("document", [PROTOCOL, "man/zombie-server.8"])
def test_routes_of_the_admin_role_are_in(document):
    routes = re.findall(r'\{"(?:GET|POST) (/\w*)', read("src/admin/site.c"))
    assert len(routes) == 12
    said = about("The admin site") if document == PROTOCOL else plain(chapter("MONITORING"))
    assert not [path for path in routes if not re.search(rf"(?<![\w/]){path}(?!\w)", said)]


def test_versions_of_the_bytes_are_in_the_protocol():
    message = int(re.search(r"MESSAGE_VERSION (\d+)", read("src/ipc/message.h"))[1])
    layout = int(re.search(r"SCOREBOARD_LAYOUT (\d+)", read("src/ipc/scoreboard.h"))[1])
    state = int(re.search(r"STATE_VERSION +(\d+)", read("src/cluster/state.h"))[1])
    text = read(PROTOCOL)
    frames = re.findall(r"^    5a 53 (\w\w) (\w\w) ", text, re.M)
    types = re.findall(r"^    MESSAGE_\w+ = (\d+),", read("src/ipc/message.h"), re.M)
    assert {version for version, _ in frames} == {f"{message:02x}"}
    assert sorted(int(kind, 16) for _, kind in frames) == [int(kind) for kind in types]
    assert f'{{"version":{state},"layouts":{layout * 1000 + message},' in text
    assert f"| `layouts` | {layout * 1000 + message}: " in text


@pytest.mark.parametrize("variable", [
    "ZOMBIE_CONTROL", "ZOMBIE_ADMIN", "ZOMBIE_ADMIN_TOKEN", "XDG_RUNTIME_DIR",
])  # fmt: skip
def test_variable_is_in_the_manual(variable):
    assert re.search(rf"^\.It Ev .*\b{variable}\b", chapter("ENVIRONMENT"), re.MULTILINE)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool")
def test_rules_for_prometheus_are_valid(tmp_path):
    blocks = re.findall(r"^```yaml\n(.*?)^```", read(OPERATIONS), re.M | re.S)
    scrape = next(block for block in blocks if block.startswith("scrape_configs:"))
    rules = next(block for block in blocks if block.startswith("groups:"))
    token = tmp_path / "token"
    token.write_text("secret", encoding="utf-8")
    (tmp_path / "rules").write_text(rules, encoding="utf-8")
    scrape = re.sub(r"credentials_file: .*", f"credentials_file: {token}", scrape)
    (tmp_path / "scrape").write_text(scrape, encoding="utf-8")
    for words in ["rules", "rules"], ["config", "scrape"]:
        done = subprocess.run(["promtool", "check", words[0], tmp_path / words[1]],
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    used = set(re.findall(r"\bzombie_\w+", rules))
    assert len(used) >= 3
    assert used <= {row[0].strip("`") for row in rows(about("Metrics"))}
