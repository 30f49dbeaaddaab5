"""The documents name everything that there is, so that no option is a secret."""

import os
import re
from glob import glob

import pytest

from lib.documents import configurations, read
from lib.server import SRCDIR


def plain(manual):
    """The text of a manual page without the escapes for hyphens and underscores."""
    return manual.replace("\\-", "-").replace("\\_", "_").replace("\\&", "")


def chapter(name):
    """One section of zombie-server(8)."""
    return plain(read("man/zombie-server.8")).partition(f".Sh {name}\n")[2].partition("\n.Sh ")[0]


def sources_of_handlers():
    return [*glob(os.path.join(SRCDIR, "src/http/handlers/*.c")), "src/proxy/handler.c"]


def keys_of_the_tables():
    """section.key of every row in the tables of the source."""
    tables = re.findall(
        r"struct conf_option (\w+)_options\[\] = \{(.*?)END\};", read("src/conf/options.c"), re.DOTALL
    )
    keys = {
        f"{section}.{key}"
        for section, rows in tables
        for key in re.findall(r"\{FIELD\(\w+, (\w+),", rows) + re.findall(r'\.key = "(\w+)"', rows)
    }
    for path in sources_of_handlers():
        found = re.findall(r'\.key = "(\w+)"|\{OPTION\((\w+)\)', read(path))
        keys |= {f"route.{key or option}" for key, option in found}
    return sorted(keys)


def options_of_the_usage(run):
    return sorted(set(re.findall(r"(?<![\w-])(--?[A-Za-z][\w-]*)", run("-h").stdout)))


def handlers():
    found = []
    for path in sources_of_handlers():
        found += re.findall(r'\.conf = \{\.name = "(\w+)"', read(path))
    return sorted(found)


KEYS = keys_of_the_tables()


def test_tables_and_dump_know_the_same_keys(run, tmp_path):
    routes = ("/files.handler=files", "/files.root=.", "/away.handler=redirect", "/away.to=/",
              "/on.handler=proxy", "/on.upstream=a")  # fmt: skip
    options = [word for route in routes for word in ("-o", f"route.{route}")]
    options += ["-o", "upstream.a.server=127.0.0.1:1"]
    text = run("-T", "-l", f"unix:{tmp_path}/socket", *options).stdout
    dumped, section = set(), None
    for line in text.splitlines():
        if match := re.match(r" *(\w+)(?: \".*\")? \{", line):
            section = match[1]
        elif match := re.match(r" +(\w+) = ", line):
            dumped.add(f"{section}.{match[1]}")
    assert sorted(dumped) == KEYS
    assert len(KEYS) > 25


@pytest.mark.parametrize("key", KEYS)
def test_key_is_in_the_shipped_configuration(key):
    section, name = key.split(".")
    in_section = re.search(
        rf"^#? *{section}\b[^\n]*\{{\n(?:(?!^#?\}}).*\n)*?#? +{name} = ",
        read("conf/zombie-server.conf"), re.MULTILINE,
    )  # fmt: skip
    assert in_section, f"conf/zombie-server.conf does not set {name} in {section}"


@pytest.mark.parametrize("key", KEYS)
def test_key_is_in_the_manual(key):
    name = key.split(".")[1]
    manual = plain(read("man/zombie-server.conf.5"))
    assert re.search(rf"^\.It .*\b{name}\b", manual, re.MULTILINE)


@pytest.mark.parametrize("handler", handlers())
def test_handler_is_in_the_manual(handler):
    assert re.search(rf"\b{handler}\b", plain(read("man/zombie-server.conf.5")))


def test_command_line_options_are_in_the_manual(run):
    manual = plain(read("man/zombie-server.8"))
    options = options_of_the_usage(run)
    assert len(options) >= 25
    # In mdoc `Fl c` is -c and `Fl -config` is --config.
    missing = [
        option for option in options
        if not re.search(rf"\bFl {re.escape(option[1:])}(?![\w-])", manual)
    ]  # fmt: skip
    assert not missing


@pytest.mark.parametrize("name", [
    "ZOMBIE_ENV", "ZOMBIE_LISTEN", "ZOMBIE_WORKERS", "ZOMBIE_CONTAINERS", "ZOMBIE_CHAOS", "PORT",
    "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID", "LISTEN_FDS",
    "ZOMBIE_STATE_FD", "REGISTRY_TYPE", "REGISTRY_URL", "REGISTRY_USER", "REGISTRY_PASSWORD",
])  # fmt: skip
def test_environment_variable_is_in_the_manual(name):
    assert re.search(rf"^\.It Ev .*\b{name}\b", chapter("ENVIRONMENT"), re.MULTILINE)


@pytest.mark.parametrize(
    "name", ["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "TTIN", "TTOU", "WINCH"]
)
def test_signal_is_in_the_manual(name):
    to_the_master = chapter("SIGNALS").partition("To a single worker:")[0]
    assert re.search(rf"^\.It Dv .*\b{name}\b", to_the_master, re.MULTILINE)


def reasons_to_kill():
    """What the source gives as killed_for."""
    text = "".join(read(path) for path in sorted(glob(os.path.join(SRCDIR, "src/cluster/*.c"))))
    found = re.findall(r'condemn\(slot, "([^"]+)"\)', text)
    found += re.findall(r'kill_worker\(\w+, "([^"]+)"', text)
    found += re.findall(r'killed_for = [^;"]*"([^"]+)"', text)
    found += re.findall(r'define MASTER_HANGS "([^"]+)"', read("src/cluster/master_state.h"))
    overdue = text.partition("overdue[SLOT_STATES] = {")[2].partition("}")[0]
    found += re.findall(r'"([^"]+)"', overdue)
    return sorted(set(found))


def test_reasons_to_kill_are_in_the_manual():
    log = chapter("LOG")
    reasons = reasons_to_kill()
    assert len(reasons) >= 13
    assert not [reason for reason in reasons if f".Ql {reason} " not in log]


@pytest.mark.parametrize("status", [0, 1, 64, 71, 78])
def test_exit_status_is_in_the_manual(status):
    assert re.search(rf"^\.It {status}$", chapter("EXIT STATUS"), re.MULTILINE)


def test_readme_begins_with_the_two_commands():
    block = re.search(r"^```\w*\n(.*?)^```", read("README.md"), re.MULTILINE | re.DOTALL)[1]
    commands = [line.removeprefix("$ ").split("#")[0].strip() for line in block.splitlines()]
    assert [command for command in commands if command] == ["./bootstrap run", "./bootstrap check"]


def check_configuration(run, folder, text):
    """What -t says of this text as a file. The folder for caches is there."""
    text = text.replace("/var/cache/zombie-server/", f"{folder}/")
    (folder / "my.conf").write_text(text, encoding="utf-8")
    result = run("-c", "my.conf", "-t")
    assert (result.returncode, result.stderr) == (0, "")


def test_sample_of_the_readme_is_valid(run, tmp_path):
    assert configurations("README.md")
    for sample in configurations("README.md"):
        check_configuration(run, tmp_path, sample)


def test_examples_of_the_manual_are_valid(run, tmp_path):
    examples = read("man/zombie-server.conf.5").partition(".Sh EXAMPLES")[2]
    blocks = re.findall(r"^\.Bd -literal.*\n((?:.*\n)*?)\.Ed$", examples, re.MULTILINE)
    assert "instance {" in blocks[0]
    assert len(blocks) >= 3
    for text in blocks:
        check_configuration(run, tmp_path, text.replace("\\e", "\\"))


def test_commented_sections_of_the_shipped_configuration_are_valid(run, tmp_path):
    text = read("conf/zombie-server.conf")
    bare = re.sub(r"^#(?=[a-z}]|    )", "", text, flags=re.MULTILINE)
    assert len(re.findall(r"^route ", bare, re.MULTILINE)) >= 7
    assert len(re.findall(r"^listen ", bare, re.MULTILINE)) == 2
    check_configuration(run, tmp_path, bare)


def paragraphs_of_keys():
    """(section, key) to what the manual says of it; a handler's keys are in its own section."""
    found = {}
    manual = plain(read("man/zombie-server.conf.5"))
    section = re.compile(r"^\.Ss (\w+).*\n((?:(?!\.S[hs] ).*\n)*)", re.MULTILINE)
    item = re.compile(r"^\.It Cm (\w+) No = (.*\n(?:(?!\.It |\.El).*\n)*)", re.MULTILINE)
    for title, text in section.findall(manual):
        for key, said in item.findall(text):
            found[title, key] = said
    return found


def built_in_values(run):
    values, section = {}, None
    titles = (None, "/hello", "127.0.0.1:3000", "a")
    for line in run("-T", "-o", "upstream.a.server=127.0.0.1:3000").stdout.splitlines():
        if match := re.match(r' *(\w+)(?: "(.*)")? \{', line):
            section = match[1] if match[2] in titles else None
        elif section and (match := re.match(r" +(\w+) = (.*)  # built-in", line)):
            values[section, match[1]] = match[2].strip('"')
    return values


def test_manual_has_the_defaults(run):
    manual, wrong = paragraphs_of_keys(), []
    values = built_in_values(run)
    del values["route", "handler"]
    assert len(values) >= 60
    for (section, key), value in values.items():
        title = "text" if (section, key) not in manual else section
        said = " ".join(manual[title, key].rpartition("Default:")[2].split())
        default = re.sub(r"^\.(Cm|Ql) ", "", said)
        if value.startswith("{ "):
            value = " , ".join(re.findall(r'"(\w+)"', value))
        wanted = "empty" if value in ("", "{}") else value.partition("\\x0a")[0]
        if not re.match(rf"{re.escape(wanted)}(?![\w.]\w)", default):
            wrong.append((section, key, value, said))
    assert not wrong


def test_variables_of_the_access_log_are_in_the_manual():
    table = read("src/base/access_piece.c").partition("} variables[] = {")[2].partition("\n};")[0]
    names = re.findall(r'^    \{"(\w+)", ', table, re.MULTILINE)
    chapter = plain(read("man/zombie-server.conf.5")).partition(".Sh ACCESS LOG\n")[2]
    said = re.findall(r"^\.It Va \$(\w+)", chapter.partition("\n.Sh ")[0], re.MULTILINE)
    assert len(names) >= 25
    assert sorted(set(said) - {"http_"}) == sorted(names)


def test_statuses_of_refusals_are_in_the_manual():
    sources = glob(os.path.join(SRCDIR, "src/http/*.c"))
    calls = r"(?:head_refuse\(head|refuse\(chunk|intake_refuse\(connection), (\d{3}),"
    given = {status for path in sources for status in re.findall(calls, read(path))}
    chapter = read("man/zombie-server.conf.5").partition(".Sh REFUSALS AND LIMITS\n")[2]
    said = re.findall(r"^\.It (\d{3})$", chapter.partition("\n.Sh ")[0], re.MULTILINE)
    assert len(given) >= 10
    assert given <= set(said)
