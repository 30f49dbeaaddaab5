"""Registries in the configuration, through the real binary: variables alone, errors, secrets."""

import re

import pytest

SECRET = "s3cret"
VARIABLES = {
    "REGISTRY_TYPE": "NETFLIX_EUREKA",
    "REGISTRY_URL": f"http://one:{SECRET}%40@eureka-1:8761/eureka/apps/,http://[::1]/eureka",
    "REGISTRY_USER": "two",
    "REGISTRY_PASSWORD": SECRET,
}


def registry_of(text):
    """What the section has: key to (value, origin)."""
    section = text.partition("\nregistry {\n")[2].partition("\n}\n")[0]
    return {key: tail for key, *tail in re.findall(r"^    (\w+) = (.*)  # (.*)$", section, re.M)}


def test_variables_alone_are_enough(run):
    result = run("-T", env=VARIABLES)
    assert (result.returncode, result.stderr) == (0, "")
    assert SECRET not in result.stdout
    registry = registry_of(result.stdout)
    assert registry["type"] == ['"eureka"', "REGISTRY_TYPE"]
    assert registry["url"] == [
        '{ "http://********@eureka-1:8761/eureka/apps/", "http://[::1]/eureka" }', "REGISTRY_URL"
    ]  # fmt: skip
    assert registry["user"] == ['"two"', "REGISTRY_USER"]
    assert registry["password"] == ['"********"', "REGISTRY_PASSWORD"]


def test_variables_win_over_a_file(run, tmp_path):
    (tmp_path / "zombie.conf").write_text(
        f'registry {{ type = etcd url = "http://a:{SECRET}@b" password_file = "gone" ttl_ms = 50000 }}'
    )
    registry = registry_of(run("-T", "-c", "zombie.conf", env=VARIABLES).stdout)
    assert registry["type"] == ['"eureka"', "REGISTRY_TYPE"]
    assert registry["ttl_ms"] == ['"50000"', "zombie.conf:1"]


def test_dump_can_be_read_back(run, tmp_path):
    first = run("-T", env=VARIABLES).stdout
    (tmp_path / "dumped.conf").write_text(first)
    second = run("-T", "-c", "dumped.conf")
    assert second.stderr == ""
    assert {key: value for key, (value, _) in registry_of(first).items()} == {
        key: value for key, (value, _) in registry_of(second.stdout).items()
    }


@pytest.mark.parametrize("variables, said", [
    ({"REGISTRY_TYPE": "CARRIER_PIGEON"}, "REGISTRY_TYPE: 'CARRIER_PIGEON' is not one of "),
    ({"REGISTRY_TYPE": "consul"}, "REGISTRY_TYPE: registry.type: consul needs the URL of a server"),
    ({"REGISTRY_URL": "h"}, "REGISTRY_URL: registry.url: of which kind is the registry?"),
    ({"REGISTRY_TYPE": "etcd", "REGISTRY_URL": f"http://u:{SECRET}/@h"},
     "REGISTRY_URL: registry.url: 'http://********@h': '@', '/', '?' and '#' in a user name"),
    ({"REGISTRY_TYPE": "etcd", "REGISTRY_URL": f"u:{SECRET}@h:99999"},
     "REGISTRY_URL: registry.url: '********@h:99999': the port is not a number"),
    ({"REGISTRY_TYPE": "etcd", "REGISTRY_URL": "h", "REGISTRY_PASSWORD": SECRET},
     "REGISTRY_PASSWORD: registry.user: etcd wants a user name"),
])  # fmt: skip
def test_wrong_variable_is_78_and_keeps_the_secret(run, variables, said):
    result = run("-t", env=variables)
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.startswith(said)
    assert SECRET not in result.stderr


@pytest.mark.parametrize("url", [
    "http://u:S3C,RET@h", "u:S3C,RET@h", "http://u:12,RET@h", "u:12,RET@h", "http://u:12,34,RET@h",
    "http://u:S3C/1,RET@h", "http://:S3C,RET@h", "http://u:S3C", "http://u:S3C/RET",
])  # fmt: skip
@pytest.mark.parametrize("way", ["variable", "argument"])
def test_comma_in_a_password_shows_nothing_of_it(run, url, way):
    if way == "variable":
        result = run("-T", env={"REGISTRY_TYPE": "etcd", "REGISTRY_URL": url})
    else:
        result = run("-T", "registry.type=etcd", f"registry.url={url}")
    assert (result.returncode, result.stdout) == (78, "")
    if "," in url:
        assert "registry.url: a comma in a password is written %2C" in result.stderr
    for part in "S3C", "RET", "12", "34":
        assert part not in result.stderr


def test_comma_that_is_encoded_is_part_of_the_password(run):
    url = "u:S3C%2CRET@h,u:p@i,http://j"
    result = run("-T", env={"REGISTRY_TYPE": "etcd", "REGISTRY_URL": url})
    assert (result.returncode, result.stderr) == (0, "")
    assert registry_of(result.stdout)["url"][0] == '{ "********@h", "********@i", "http://j" }'


def test_password_is_read_from_its_file(run, tmp_path):
    (tmp_path / "zombie.conf").write_text(
        "registry { type = etcd url = h user = u\n password_file = word }"
    )
    result = run("-t", "-c", tmp_path / "zombie.conf")
    assert result.returncode == 78
    assert result.stderr == (
        f"{tmp_path}/zombie.conf:2: registry.password_file: {tmp_path}/word: "
        "No such file or directory\n"
    )
    (tmp_path / "word").write_text(SECRET + "\n")
    result = run("-T", "-c", tmp_path / "zombie.conf")
    assert result.returncode == 0
    assert registry_of(result.stdout)["password"][0] == '"********"'
    assert SECRET not in result.stdout


def test_upstream_of_a_registry_needs_no_server(run, tmp_path):
    (tmp_path / "zombie.conf").write_text(
        'upstream "api" {\n from_registry = yes }\nroute "/" { handler = proxy upstream = api }'
    )
    result = run("-t", "-c", "zombie.conf")
    assert result.stderr.startswith(
        'zombie.conf:2: upstream "api": from_registry needs a registry: set registry.type'
    )
    result = run("-t", "-c", "zombie.conf", env={"REGISTRY_TYPE": "etcd", "REGISTRY_URL": "h"})
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("kind, url, said", [
    ("zookeeper", "h", "registry.type: this program was built without "),
    ("etcd", "https://h", "registry.url: https://h:2379: this program was built "),
])  # fmt: skip
def test_what_the_program_was_built_without_is_said(run, kind, url, said):
    result = run("-t", env={"REGISTRY_TYPE": kind, "REGISTRY_URL": url})
    if result.returncode == 0:
        pytest.skip("it was built with that")
    assert (result.returncode, result.stdout) == (78, "")
    assert result.stderr.partition(": ")[2].startswith(said)


@pytest.mark.parametrize("key", ["ca_file", "cert_file"])
def test_certificates_that_are_none_are_refused(run, tmp_path, key):
    if "OpenSSL" not in run("-V").stdout:
        pytest.skip("the program was built without OpenSSL")
    (tmp_path / "junk.pem").write_text("no certificate\n")
    (tmp_path / "zombie.conf").write_text(
        f'registry {{\ntype = etcd\nurl = "https://etcd"\n{key} = "junk.pem"\n}}\n'
    )
    result = run("-t", "-c", "zombie.conf")
    assert result.returncode == 78
    assert re.search(r"zombie\.conf:4: .*junk\.pem", result.stderr), result.stderr


def test_cache_needs_its_folder(run, tmp_path):
    text = 'registry {{\ntype = etcd\nurl = "etcd"\ncache_file = "{}"\n}}\n'
    (tmp_path / "zombie.conf").write_text(text.format("cache/registry.json"))
    result = run("-t", "-c", tmp_path / "zombie.conf")
    assert result.returncode == 78
    assert result.stderr == (
        f"{tmp_path}/zombie.conf:4: registry.cache_file: its folder {tmp_path}/cache: "
        "No such file or directory; make it, for instance.user to write to\n"
    )
    (tmp_path / "cache").mkdir()
    assert run("-t", "-c", tmp_path / "zombie.conf").returncode == 0


@pytest.mark.parametrize("kind, url, option, said", [
    ("distributor", "h", "advertise_host=10.0.0.1", "a distributor cannot be told a host, "),
    ("distributor", "h", "instance_id=one", "a distributor cannot be told an id: "),
    ("etcd", "http://h", "ca_file=zombie.pem", "it is for https, and no URL of registry.url has "),
    ("consul", "h", "cert_file=zombie.pem", "it is for https, and no URL of registry.url has "),
    ("zookeeper", "a/x,b/y", "url=a/x,b/y", "zookeeper://a:2181/x and zookeeper://b:2181/y: all "
     "servers of an ensemble have the same path: write it after each"),
])  # fmt: skip
def test_what_cannot_hold_is_refused(run, tmp_path, kind, url, option, said):
    if kind == "zookeeper" and "ZooKeeper" not in run("-V").stdout:
        pytest.skip("the program was built without ZooKeeper")
    (tmp_path / "zombie.pem").write_text("not looked at\n")
    result = run("-t", "-o", f"registry.{option}",
                 env={"REGISTRY_TYPE": kind, "REGISTRY_URL": url})  # fmt: skip
    assert (result.returncode, result.stdout) == (78, "")
    assert f"registry.{option.partition('=')[0]}: {said}" in result.stderr
