"""The configuration through the real binary: what holds, where it came from, and every refusal."""

import os
import re
import subprocess

import pytest

from lib.server import SRCDIR, command

VARIABLES = ("ZOMBIE_LISTEN", "ZOMBIE_WORKERS", "ZOMBIE_CONTAINERS", "ZOMBIE_CHAOS")


@pytest.fixture
def write(tmp_path):
    """Write a configuration file; returns its path."""

    def write_one(text, name="zombie.conf"):
        path = tmp_path / name
        path.write_text(text)
        return str(path)

    return write_one


@pytest.fixture
def dump(run):
    """The effective configuration: lines of `section.key` to (value, origin)."""

    def dump_one(*arguments, **options):
        result = run("-T", *arguments, **options)
        assert (result.returncode, result.stderr) == (0, "")
        return parse_dump(result.stdout)

    return dump_one


def parse_dump(text):
    values, sections = {}, []
    for line in text.splitlines():
        if match := re.fullmatch(r'( *)(\w+)(?: "(.*)")? \{(?:  # (.*))?', line):
            sections[len(match[1]) // 4:] = [".".join(filter(None, match.groups()[1:3]))]
            values[".".join(sections)] = (None, match[4])
        elif match := re.fullmatch(r" +(\w+) = (.*)  # (.*)", line):
            values[".".join([*sections, match[1]])] = (match[2].strip('"'), match[3])
    return values


# What is printed


@pytest.mark.smoke
@pytest.mark.valgrind
def test_valid_configuration_passes_the_check(run, write):
    result = run("-t", "-c", write('instance { workers = 3 }'))
    assert result.returncode == 0
    assert result.stdout == "zombie-server: the configuration is valid\n"


def test_check_needs_no_file(run):
    assert run("-t").returncode == 0


def test_check_starts_nothing(run):
    result = run("-t", "-l", "127.0.0.1:0")
    assert "listening" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", ["zombie-server", "development", "production"])
def test_shipped_configurations_are_valid(run, name):
    folder = os.path.join(SRCDIR, "conf")
    environment = [] if name == "zombie-server" else ["-e", name]
    result = run("-t", "-c", f"{folder}/zombie-server.conf", *environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_shipped_configuration_is_the_built_in_one(dump):
    shipped = dump("-c", os.path.join(SRCDIR, "conf/zombie-server.conf"))
    built_in = dump()
    assert {key: value for key, (value, _) in shipped.items()} == {
        key: value for key, (value, _) in built_in.items()
    }


def test_dump_can_be_read_back(run, write, tmp_path):
    path = write(
        'instance { workers = 3 user = "root" hang_signal = sigsegv max_memory = 2097152k }\n'
        'listen "unix:/tmp/a b" { mode = 0600 backlog = 5 }\nlisten "[::1]:0" {}\n'
        'log { target = "sub/log" format = json }\n'
        'chaos { networks = { "10.0.0.0/8", unix } }\n'
        'route "/x" { handler = text body = "a\\"b\\\\c\\n\\x01${NONE:-d}\\${e}" }\n'
    )
    first = run("-T", "-c", path)
    (tmp_path / "dumped.conf").write_text(first.stdout)
    second = run("-T", "-c", str(tmp_path / "dumped.conf"))
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    before, after = parse_dump(first.stdout), parse_dump(second.stdout)
    assert {key: value for key, (value, _) in before.items()} == {
        key: value for key, (value, _) in after.items()
    }


def test_sizes_and_signals_are_dumped_in_one_form(dump):
    values = dump("-o", "instance.max_memory=4194304k", "-o", "instance.hang_signal=sigsegv")
    assert values["instance.max_memory"] == ("4G", "-o")
    assert values["instance.hang_signal"] == ("SEGV", "-o")


def test_too_little_memory_is_told_from_what_this_process_takes(run):
    said = run("-t", "-o", "instance.max_memory=1").stderr
    need = int(re.search(r"less than an empty worker takes \((\d+) bytes\)", said)[1])
    assert said.startswith("-o: instance.max_memory (1 bytes) ")
    assert need > 1024 * 1024
    assert run("-t", "-o", f"instance.max_memory={2 * need}").returncode == 0


def test_dump_keeps_secrets(run):
    result = run("-T", "-o", "chaos.token=sixteen-bytes-at-least")
    assert "sixteen" not in result.stdout
    assert re.search(r'token = "\*+"', result.stdout)


def test_dump_to_a_full_disk_fails():
    with open("/dev/full", "w", encoding="utf-8") as full:
        assert subprocess.run(command("-T"), stdout=full, check=False).returncode == 71


def test_version_names_the_libraries(run):
    result = run("-V")
    assert result.returncode == 0
    assert re.fullmatch(
        r"zombie-server \d+\.\d+\.\d+\S*\nlibevent \S+\nlibconfuse .*\njansson \S+\n"
        r"(OpenSSL .*\n)?(mimalloc \d+\n)?(zookeeper \S+\n)?",
        result.stdout,
    )


def test_help_shows_the_usage(run):
    result = run("-h")
    assert result.returncode == 0
    assert result.stdout.startswith("usage: zombie-server ")


# Wrong usage


@pytest.mark.parametrize("arguments, what", [
    (["-x"], "unknown option '-x'; see zombie-server -h"),
    (["--wrong"], "unknown option '--wrong'; see zombie-server -h"),
    (["-C"], "unknown option '-C'; see zombie-server -h"),
    (["-c"], "option -c needs a value"),
    (["--config"], "option --config needs a value"),
    (["-c", ""], "option -c needs a value"),
    (["-c", "a", "-c", "b"], "option -c is given twice"),
    (["-e", "a", "-e", "b"], "option -e is given twice"),
    (["--chaos=yes"], "option --chaos takes no value"),
    (["start"], "unexpected argument 'start'; see zombie-server -h"),
    (["-t", "--", "-T"], "unexpected argument '-T'; see zombie-server -h"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_wrong_usage_is_64(run, arguments, what):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (64, "")
    assert result.stderr == f"{what}\n"


# Wrong files: text, line of the error, what is said


FILE_ERRORS = [
    ("unknown section", "\ninstanc {\n}", 2, "unknown section 'instanc'; did you mean 'instance'?"),
    ("unknown key", "instance {\n  worker = 2\n}", 2,
     "unknown key 'worker' in section instance; did you mean 'workers'?"),
    ("unknown key, nothing near", "log {\n  elephant = 2\n}", 2,
     "unknown key 'elephant' in section log"),
    ("key outside", "workers = 2\n", 1, "unknown section 'workers'"),
    ("key twice", "instance {\n workers = 2\n workers = 3\n}", 3, "instance.workers stands at"),
    ("number too large", "instance {\n workers = 1025\n}", 2,
     "instance.workers: '1025' is not 'auto' or a whole number from 1 to 1024"),
    ("number too small", "instance {\n containers = 0\n}", 2,
     "instance.containers: '0' is not a whole number from 1 to 4096"),
    ("word for a number", "instance {\n grace_ms = soon\n}", 2, "'soon' is not a whole number"),
    ("fraction", "instance {\n grace_ms = 1.5\n}", 2, "'1.5' is not a whole number"),
    ("overflow", "instance {\n grace_ms = 99999999999999999999\n}", 2, "is not a whole number"),
    ("word for a switch", "chaos {\n enabled = maybe\n}", 2, "'maybe' is not yes or no"),
    ("unknown choice", "log {\n level = loud\n}", 2,
     "log.level: 'loud' is not one of error, warning, info, debug"),
    ("not octal", 'listen "unix:/s" {\n mode = 0888\n}', 2, "'0888' is not an octal number"),
    ("empty path", 'log {\n target = ""\n}', 2, "log.target: the value is empty"),
    ("short secret", 'chaos {\n token = "short"\n}', 2,
     "chaos.token: the value has 5 bytes, it must have 16 to 256"),
    ("bad network", 'chaos {\n networks = { "10.0.0.0/33" }\n}', 2, "'10.0.0.0/33': "),
    ("no such user", "instance {\n user = nobody-of-that-name\n}", 2,
     "instance.user: there is no user 'nobody-of-that-name'"),
    ("no such group", "instance {\n group = nobody-of-that-name\n}", 2,
     "instance.group: there is no group 'nobody-of-that-name'"),
    ("back-off upside down", "instance {\n backoff_min_ms = 500\n backoff_max_ms = 100\n}", 3,
     "instance.backoff_max_ms (100) is less than backoff_min_ms (500)"),
    ("negative duration", "instance {\n hang_timeout_ms = -5\n}", 2,
     "instance.hang_timeout_ms: '-5' is not a whole number from 0 to 3600000"),
    ("duration with exponent", "instance {\n\n max_age_ms = 1e9\n}", 3,
     "instance.max_age_ms: '1e9' is not a whole number from 0 to 2147483647"),
    ("duration with unit", "instance {\n hang_timeout_ms = 10s\n}", 2, "'10s' is not a whole"),
    ("absurd duration", "instance {\n max_age_ms = 99999999999\n}", 2,
     "'99999999999' is not a whole number from 0 to 2147483647"),
    ("absurd number of requests", "instance {\n max_requests = 99999999999\n}", 2,
     "instance.max_requests: '99999999999' is not a whole number from 0 to 1000000000"),
    ("duration under two heartbeats", "instance {\n hang_timeout_ms = 1999\n}", 2,
     "instance.hang_timeout_ms (1999) must be 0 or 2000 to 3600000"),
    ("unknown signal", "instance {\n hang_signal = FOO\n}", 2,
     "instance.hang_signal: 'FOO' is not a signal such as ABRT or 6"),
    ("unknown signal number", "instance {\n hang_signal = 99\n}", 2, "'99' is not a signal"),
    ("signal 0", "instance {\n hang_signal = 0\n}", 2, "'0' is not a signal"),
    ("negative signal", "instance {\n hang_signal = -1\n}", 2, "'-1' is not a signal"),
    ("no signal", 'instance {\n hang_signal = ""\n}', 2, "'' is not a signal"),
    ("signal that workers ignore", "instance {\n hang_signal = HUP\n}", 2,
     "instance.hang_signal: the signal 'HUP' does not end a worker that hangs"),
    ("age too small", "instance {\n max_age_ms = 999\n}", 2,
     "instance.max_age_ms (999) must be 0 or at least 1000"),
    ("signal that does not end", "instance {\n hang_signal = SIGSTOP\n}", 2,
     "instance.hang_signal: the signal 'SIGSTOP' does not end a worker that hangs"),
    ("not a size", "instance {\n max_memory = 1.5G\n}", 2,
     "instance.max_memory: '1.5G' is not a size from 0 to 1024G, in bytes or with K, M or G"),
    ("absurd size", "instance {\n max_memory = 99999999999G\n}", 2, "is not a size from 0"),
    ("size too small", "instance {\n workers = 1\n max_memory = 1M\n}", 3,
     "instance.max_memory (1048576 bytes) is less than an empty worker takes ("),
    ("no such folder", "\ninstance {\n chroot = nowhere\n}", 3,
     "nowhere: No such file or directory"),
    ("file for a folder", "instance {\n chroot = zombie.conf\n}", 2,
     "zombie.conf: Not a directory"),
    ("bad address", '\nlisten "127.0.0.1" {}', 2, 'listen "127.0.0.1": '),
    ("bad port", 'listen "127.0.0.1:65536" {}', 1, 'listen "127.0.0.1:65536": '),
    ("host name", 'listen "localhost:80" {}', 1, 'listen "localhost:80": '),
    ("relative unix socket", 'listen "unix:socket" {}', 1, 'listen "unix:socket": '),
    ("one address twice", 'listen "127.0.0.1:80" {}\nlisten "127.0.0.1:080" {}', 2,
     '"127.0.0.1:80" at '),
    ("one title twice", 'listen "127.0.0.1:80" {}\n\nlisten "127.0.0.1:80" {}', 3, "stands at"),
    ("mode of a port", 'listen "127.0.0.1:80" {\n mode = 0600\n}', 2,
     "mode is for unix sockets only"),
    ("untitled listener", "listen {\n}", 1, "section listen needs a title"),
    ("route without handler", 'route "/x" {\n}', 1, 'route "/x": handler is missing'),
    ("unknown handler", 'route "/x" {\n handler = magic\n}', 2, "there is no handler 'magic'"),
    ("foreign key", 'route "/x" {\n handler = health\n body = "x"\n}', 3,
     "body is not an option of handler health"),
    ("bad pattern", 'route "x" {\n handler = health\n}', 1, "there is no path, which begins with '/'"),
    ("open brace", "\ninstance {\n workers = 2\n", 2, "the '{' here is never closed"),
    ("brace too many", "instance {\n}\n}", 3, "this '}' closes nothing"),
    ("open string", 'log {\n target = "x\n}\n', 2, "never closed"),
    ("open comment", "\n/* never\n", 2, "the comment that starts here is never closed"),
    ("no equals sign", "instance {\n workers 2\n}", 2, "after workers there must be '='"),
    ("plus equals", "chaos {\n networks += { unix }\n}", 2, "'+=' is not known"),
    ("open variable", 'log {\n target = "${HOME"\n}', 2, "needs a '}' on the same line"),
    ("included file missing", '\ninclude("none.conf")\n', None, "none.conf: No such file"),
    ("includes itself", '\ninclude("zombie.conf")\n', 2, "include each other more than 8 deep"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text, line, what", [row[1:] for row in FILE_ERRORS], ids=[row[0] for row in FILE_ERRORS]
)
def test_wrong_file_is_78_with_file_and_line(run, write, tmp_path, text, line, what):
    path = write(text)
    result = run("-t", "-c", path)
    assert (result.returncode, result.stdout) == (78, "")
    assert what in result.stderr
    assert result.stderr.startswith(f"{path}:{line}: " if line else f"{tmp_path}/")
    assert result.stderr.count("\n") == 1


@pytest.mark.smoke
@pytest.mark.valgrind
def test_wrong_configuration_starts_nothing(run, write):
    path = write("instance {\n workers = many\n}")
    result = run("-c", path, "-l", "127.0.0.1:0")
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}:2: instance.workers: 'many' is not")
    assert "starts" not in result.stderr


def test_missing_file_is_78(run):
    result = run("-t", "-c", "none.conf")
    assert result.returncode == 78
    assert result.stderr == "none.conf: No such file or directory\n"


@pytest.mark.parametrize("make, what", [
    (lambda path: path.mkdir(), "Is a directory"),
    (lambda path: os.mkfifo(path), "not a regular file"),
    (lambda path: path.write_bytes(b"log\0"), "has NUL bytes: not a text file"),
    (lambda path: path.write_bytes(b"#" * (8 << 20)), "larger than"),
], ids=["folder", "pipe", "binary", "huge"])  # fmt: skip
def test_what_is_no_configuration_file_is_78(run, tmp_path, make, what):
    path = tmp_path / "zombie.conf"
    make(path)
    result = run("-t", "-c", path)
    assert result.returncode == 78
    assert result.stderr.startswith(f"{path}: {what}")


@pytest.mark.parametrize("path", ["/dev/null/log", "/no/such/folder/log"])
def test_log_that_cannot_be_opened_is_71(run, path):
    result = run("-l", "127.0.0.1:0", "-o", f"log.target={path}")
    assert result.returncode == 71
    assert f"cannot log to {path}: " in result.stderr


# Wrong values from elsewhere say where


@pytest.mark.parametrize("arguments, what", [
    (["-w", "0"], "-w: instance.workers: '0' is not 'auto' or a whole number from 1 to 1024"),
    (["--workers", "x"], "--workers: instance.workers: 'x' is not"),
    (["-n", "-1"], "-n: instance.containers: '-1' is not a whole number from 1 to 4096"),
    (["-l", "nowhere"], '-l: listen "nowhere": '),
    (["-l", "127.0.0.1:1", "-l", "127.0.0.1:1"], "is the same address"),
    (["-o", "workers=2"], "-o: 'workers=2' is not SECTION.KEY=VALUE"),
    (["-o", "instance.workers"], "-o: 'instance.workers' is not SECTION.KEY=VALUE"),
    (["-o", "nothing.workers=2"], "-o: unknown section 'nothing'"),
    (["-o", "instance.nothing=2"], "-o: unknown key 'nothing' in section instance"),
    (["-o", "listen.backlog=2"], "-o: section listen needs a title"),
    (["-o", "log.x.level=info"], "-o: section log has no titles"),
    (["-o", "listen.127.0.0.1:9.backlog=2"], '-o: there is no listener "127.0.0.1:9"'),
    (["-e", "x"], "-e x: needs -c FILE"),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_wrong_option_value_is_78_and_names_the_option(run, arguments, what):
    result = run("-t", *arguments)
    assert (result.returncode, result.stdout) == (78, "")
    assert what in result.stderr


@pytest.mark.parametrize("name, value, what", [
    ("ZOMBIE_WORKERS", "none", "ZOMBIE_WORKERS: instance.workers: 'none' is not"),
    ("ZOMBIE_CONTAINERS", "0", "ZOMBIE_CONTAINERS: instance.containers: '0' is not"),
    ("ZOMBIE_CHAOS", "perhaps", "ZOMBIE_CHAOS: chaos.enabled: 'perhaps' is not yes or no"),
    ("ZOMBIE_LISTEN", "nowhere", 'ZOMBIE_LISTEN: listen "nowhere": '),
    ("ZOMBIE_LISTEN", " , ", "ZOMBIE_LISTEN: there is no address in"),
    ("PORT", "65536", "PORT: '65536' is not a port from 0 to 65535"),
    ("ZOMBIE_ENV", "x", "ZOMBIE_ENV=x: needs -c FILE"),
])  # fmt: skip
def test_wrong_variable_is_78_and_names_the_variable(run, name, value, what):
    result = run("-t", env={name: value})
    assert result.returncode == 78
    assert what in result.stderr


# What wins


def test_environment_holds_only_what_differs(dump, write):
    base = write("instance { workers = 3 containers = 2 }\nlog { level = error }")
    overlay = write("instance {\n workers = 5\n}", "staging.conf")
    values = dump("-c", base, "-e", "staging")
    assert values["instance.workers"] == ("5", f"{overlay}:2")
    assert values["instance.containers"] == ("2", f"{base}:1")
    assert values["log.level"] == ("error", f"{base}:2")
    assert values["log.format"] == ("text", "built-in")


def test_environment_can_come_from_a_variable(dump, write):
    base = write("")
    write("instance { workers = 5 }", "staging.conf")
    assert dump("-c", base, env={"ZOMBIE_ENV": "staging"})["instance.workers"][0] == "5"


def test_option_chooses_another_environment_than_the_variable(dump, write):
    base = write("")
    write("instance { workers = 5 }", "a.conf")
    write("instance { workers = 6 }", "b.conf")
    values = dump("-c", base, "-e", "b", env={"ZOMBIE_ENV": "a"})
    assert values["instance.workers"][0] == "6"


def test_error_in_an_environment_names_its_line(run, write):
    base, overlay = write(""), write("\n\nlog { level = x }", "bad.conf")
    result = run("-t", "-c", base, "-e", "bad")
    assert result.returncode == 78
    assert result.stderr.startswith(f"{overlay}:3: log.level: ")


@pytest.mark.parametrize("name", ["../x", "a/b", "a.b", "좀비"])
def test_environment_is_a_name_and_no_path(run, write, name):
    result = run("-t", "-c", write(""), "-e", name)
    assert result.returncode == 78
    assert f"-e {name}: a name has only letters, digits, '_' and '-'" in result.stderr


def test_missing_environment_is_78(run, write, tmp_path):
    result = run("-t", "-c", write(""), "-e", "none")
    assert result.returncode == 78
    assert f"{tmp_path}/none.conf: No such file or directory" in result.stderr


def test_later_sources_win(dump, write):
    base = write("instance { workers = 1 }")
    overlay = write("instance { workers = 2 }", "over.conf")
    variable = {"ZOMBIE_WORKERS": "3"}
    assert dump()["instance.workers"] == ("auto", "built-in")
    assert dump("-c", base)["instance.workers"] == ("1", f"{base}:1")
    assert dump("-c", base, "-e", "over")["instance.workers"] == ("2", f"{overlay}:1")
    assert dump("-c", base, "-e", "over", env=variable)["instance.workers"] == (
        "3", "ZOMBIE_WORKERS")  # fmt: skip
    assert dump("-c", base, "-w", "4", env=variable)["instance.workers"] == ("4", "-w")
    assert dump("-w", "4", "-o", "instance.workers=5")["instance.workers"] == ("5", "-o")


def test_empty_variables_say_nothing(dump):
    values = dump(env={name: "" for name in (*VARIABLES, "PORT", "ZOMBIE_ENV")})
    assert values == dump()


def test_variables_set_what_their_names_say(dump):
    values = dump(env={
        "ZOMBIE_LISTEN": "127.0.0.1:1, unix:/run/x", "ZOMBIE_WORKERS": "7",
        "ZOMBIE_CONTAINERS": "3", "ZOMBIE_CHAOS": "yes", "PORT": "8",
    })  # fmt: skip
    assert values["instance.workers"] == ("7", "ZOMBIE_WORKERS")
    assert values["instance.containers"] == ("3", "ZOMBIE_CONTAINERS")
    assert values["chaos.enabled"] == ("yes", "ZOMBIE_CHAOS")
    assert values["listen.127.0.0.1:8"] == (None, "PORT")
    assert values["listen.unix:/run/x"] == (None, "ZOMBIE_LISTEN")
    assert "listen.127.0.0.1:3000" not in values


def test_source_that_names_a_listener_replaces_all_before(dump, write):
    base = write('listen "127.0.0.1:1" {}\nlisten "127.0.0.1:2" {}')
    values = dump("-c", base, "-l", "127.0.0.1:3")
    assert [key for key in values if re.match(r"listen\S+:\d$", key)] == ["listen.127.0.0.1:3"]


def test_listener_of_the_same_address_keeps_its_values(dump, write):
    base = write('listen "127.0.0.1:1" { backlog = 7 }')
    assert dump("-c", base, "-l", "127.0.0.1:1")["listen.127.0.0.1:1.backlog"][0] == "7"


def test_variables_in_a_file_are_expanded(dump, write):
    base = write('log { target = "/tmp/${WHO}-${MISSING:-x}" }')
    assert dump("-c", base, env={"WHO": "me"})["log.target"][0] == "/tmp/me-x"


def test_relative_paths_start_at_their_file(dump, write, tmp_path):
    (tmp_path / "sub").mkdir()
    write("log { target = here }", "sub/part.conf")
    base = write('include("sub/part.conf")\ninstance { pidfile = pid }')
    values = dump("-c", base)
    assert values["log.target"][0] == f"{tmp_path}/sub/here"
    assert values["instance.pidfile"][0] == f"{tmp_path}/pid"


@pytest.mark.smoke
def test_port_variable_starts_the_server_there(start):
    server = start(listen=None, env={"PORT": "0", "ZOMBIE_CHAOS": "yes"}, workers=1)
    assert server.fetch("/workerKiller").status == 200
