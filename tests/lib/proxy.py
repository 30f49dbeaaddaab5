"""Servers with the handler proxy, and the upstreams behind them."""

import pytest

from lib import raw
from lib.answer import Reader
from lib.client import render
from lib.nginx import Nginx
from lib.upstream import Stage


def upstream_block(servers, balance="round_robin", title="api", **options):
    """
    The section of our configuration.

    servers: pairs of an Upstream and a dict of its attributes, as nginx names them
    """
    lines = [f'upstream "{title}" {{', f"    balance = {balance}"]
    for one, attributes in servers:
        keys = {"fail_timeout": "fail_timeout_ms"}
        text = "  ".join(f"{keys.get(key, key)} = {_ours(key, value)}"
                         for key, value in attributes.items())  # fmt: skip
        lines.append(f'    server "{one.address}" {{ {text} }}')
    lines += [f"    {key} = {value}" for key, value in options.items()]
    return "\n".join([*lines, "}", ""])


def _ours(key, value):
    if key == "fail_timeout":
        return value * 1000
    return {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value


def nginx_block(servers, balance="round_robin"):
    """The same for nginx."""
    lines = ["upstream api {"] + ([] if balance == "round_robin" else [f"    {balance};"])
    for one, attributes in servers:
        words = [key if value is True else f"{key}={value}" for key, value in attributes.items()]
        lines.append(f"    server {' '.join([one.address, *words])};")
    return "\n".join([*lines, "}"])


def route(path="/", upstream="api", **options):
    lines = [f"    {key} = {value}" for key, value in options.items()]
    return "\n".join([f'route "{path}" {{', "    handler = proxy", f'    upstream = "{upstream}"',
                      *lines, "}", ""])  # fmt: skip


class Client:
    """A keep-alive connection with a strict reader."""

    def __init__(self, address, **options):
        self.socket = raw.connect(address, **options)
        self._reader = Reader(self.socket)
        self.read = self._reader.read
        self.head = self._reader.head
        self.take = self._reader.take
        self.is_over = self._reader.is_over

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *pieces):
        for piece in pieces:
            self.socket.sendall(piece)

    def ask(self, target="/", method="GET", headers=None, body=b""):
        self.send(render(target, method, headers, body))
        return self.read(method)

    def close(self):
        self.socket.close()

    def reset(self):
        raw.destroy(self.socket)


def ask(address, target="/", method="GET", headers=None, body=b"", **options):
    """One request on a connection of its own."""
    with Client(address, **options) as client:
        return client.ask(target, method, {"Connection": "close", **(headers or {})}, body)


# Fixtures


@pytest.fixture
def stage():
    with Stage() as made:
        yield made


@pytest.fixture
def behind(stage, start_proxy):
    """behind(script, ...): one upstream with that script, and the server in front of it."""

    def make(script=None, routes="", workers=1, arguments=(), route_options=None, **options):
        upstream = stage.add(script, "a")
        text = upstream_block([(upstream, {})], **options)
        text += routes or route(**(route_options or {}))
        return upstream, start_proxy(text, *arguments, workers=workers)

    return make


@pytest.fixture
def start_nginx(tmp_path):
    """Start nginx in front of that upstream block."""
    running = []

    def start_one(http, server_lines="location / { proxy_pass http://api; }"):
        folder = tmp_path / f"front-{len(running)}"
        folder.mkdir()
        running.append(Nginx(folder, http, server_lines))
        return running[-1]

    yield start_one
    for one in running:
        one.stop()


@pytest.fixture
def start_proxy(start, tmp_path):
    """Start a server with these sections as its configuration."""
    written = []

    def start_one(text, *arguments, **options):
        conf = tmp_path / f"proxy-{len(written)}.conf"
        conf.write_text(text)
        written.append(conf)
        return start("-c", conf, *arguments, **options)

    return start_one
