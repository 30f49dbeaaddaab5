"""Upstreams in the configuration, through the real binary: errors with their place, the dump."""

import re

import pytest

A = 'upstream "a" {\n server "127.0.0.1:1" {\n }\n'

FILE_ERRORS = [
    ("no server", '\nupstream "a" {\n}', 2, 'upstream "a": it has no server'),
    ("no title", "upstream {\n}", 1, "section upstream needs a title"),
    ("bad title", 'upstream "a/b" {\n server "h:1" {}\n}', 1, "a title has 1 to 64 letters"),
    ("title too long", f'upstream "{"a" * 65}" {{\n server "h:1" {{}}\n}}', 1,
     "a title has 1 to 64 letters"),
    ("title twice", A + "}\n" + A + "}", 5, 'upstream "a" stands at '),
    ("server outside", 'server "h:1" {\n}', 1, "section server stands in a section upstream"),
    ("misspelt server", A + ' sever "h:1" {}\n}', 4,
     "unknown key 'sever' in section upstream; did you mean 'server'?"),
    ("misspelt key", A + " ballance = ip_hash\n}", 4, "did you mean 'balance'?"),
    ("misspelt key of a server", A + ' server "h:1" {\n  weigth = 1\n }\n}', 5,
     "unknown key 'weigth' in section server; did you mean 'weight'?"),
    ("misspelt key of a check", A + " check {\n  intervall_ms = 1\n }\n}", 5,
     "unknown key 'intervall_ms' in section check; did you mean 'interval_ms'?"),
    ("unknown balance", A + " balance = random\n}", 4,
     "balance: 'random' is not one of round_robin, least_conn, ip_hash, random_two"),
    ("weight", A + ' server "h:1" {\n  weight = 65536\n }\n}', 5,
     'upstream "a": server "h:1": weight: \'65536\' is not a whole number from 1 to 65535'),
    ("server without port", A + ' server "app.example" {}\n}', 4,
     "it is not ADDR:PORT, [IPv6]:PORT, unix:/path or NAME:PORT"),
    ("server with port 0", A + ' server "app.example:0" {}\n}', 4,
     "the port is not a number from 1 to 65535"),
    ("server with half an address", A + ' server "127.1:80" {}\n}', 4, "a number is no host name"),
    ("server twice", A + ' server "127.0.0.1:01" {}\n}', 4, "is the same server"),
    ("name twice", A + ' server "h:1" {}\n server "H:1" {}\n}', 5, "is the same server"),
    ("only backups", 'upstream "a" {\n server "h:1" {\n  backup = yes\n }\n}', 1,
     'upstream "a": all servers are backup, one must not be'),
    ("all down", 'upstream "a" {\n server "h:1" {\n  down = yes\n }\n}', 1,
     'upstream "a": all servers are down, one must not be'),
    ("unknown failure", A + " next_upstream = { error, http_418 }\n}", 4,
     "'http_418' is not one of error, timeout, "),
    ("off and more", A + " next_upstream = { error, off }\n}", 4, "'off' stands alone"),
    ("status", A + " check {\n  status = 200-299\n }\n}", 5, "is not LOW..HIGH or one number"),
    ("path of a check", A + ' check {\n  path = "http://h/"\n }\n}', 5,
     "is not a path that begins with '/'"),
    ("open brace", 'upstream "a" {\n server "h:1" {\n}', 1, "the '{' here is never closed"),
    ("nested too deep", A + ' check {\n  server "h:1" {\n  }\n }\n}', 5,
     "unknown key 'server' in section check"),
]  # fmt: skip


@pytest.mark.parametrize(
    "text, line, what", [row[1:] for row in FILE_ERRORS], ids=[row[0] for row in FILE_ERRORS]
)
def test_wrong_upstream_is_78_with_file_and_line(run, tmp_path, text, line, what):
    path = tmp_path / "zombie.conf"
    path.write_text(text)
    result = run("-t", "-c", path)
    assert (result.returncode, result.stdout) == (78, "")
    assert what in result.stderr
    assert result.stderr.startswith(f"{path}:{line}: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("option, what", [
    ("upstream.b.keepalive=1", '-o: there is no upstream "b"'),
    ("upstream.a.server.h:9.weight=1", '-o: there is no server "h:9" in upstream "a"'),
    ("upstream.a.server=h", '-o: upstream "a": server "h": it is not ADDR:PORT'),
    ("server.h:1.weight=1", "-o: section server stands in a section upstream"),
])  # fmt: skip
def test_wrong_option_is_78_and_names_the_option(run, tmp_path, option, what):
    (tmp_path / "zombie.conf").write_text(A + "}")
    result = run("-t", "-c", "zombie.conf", "-o", option)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(what)


def test_dump_can_be_read_back(run, tmp_path):
    (tmp_path / "zombie.conf").write_text(
        'upstream "api" {\n    server "127.0.0.1:3000" { weight = 5 }\n'
        '    server "unix:/run/app.sock" { backup = yes }\n'
        '    next_upstream = { "error", "http_502" }\n    check { path = "/health" }\n}\n'
    )
    first = run("-T", "-c", "zombie.conf", "-o", "upstream.api.keepalive=8")
    (tmp_path / "dumped.conf").write_text(first.stdout)
    second = run("-T", "-c", "dumped.conf")
    assert (first.returncode, second.returncode, second.stderr) == (0, 0, "")
    assert '        weight = "5"  # zombie.conf:2\n' in first.stdout
    assert '    keepalive = "8"  # -o\n' in first.stdout
    assert '        path = "/health"  # zombie.conf:5\n' in first.stdout
    bare = [re.sub(r"  # .*", "", result.stdout) for result in (first, second)]
    assert bare[0] == bare[1]


def test_overlay_that_names_a_server_replaces_all_of_that_upstream(run, tmp_path):
    (tmp_path / "zombie.conf").write_text(A + ' server "h:1" { weight = 7 }\n}\nupstream "b" {\n'
                                          ' server "h:2" {}\n}')
    (tmp_path / "lab.conf").write_text('upstream "a" { server "h:1" {} server "h:3" {} }')
    text = run("-T", "-c", "zombie.conf", "-e", "lab").stdout
    assert re.findall(r'^    server "(.*)" \{', text, re.MULTILINE) == ["h:1", "h:3", "h:2"]
    assert 'weight = "7"  # zombie.conf:4\n' in text


def test_command_line_alone_makes_an_upstream(run):
    text = run("-T", "-o", "upstream.new.server=127.0.0.1:1,app.example:80").stdout
    assert 'upstream "new" {  # -o\n' in text
    assert re.findall(r'^    server "(.*)" \{  # -o$', text, re.MULTILINE) == [
        "127.0.0.1:1", "app.example:80"
    ]  # fmt: skip
