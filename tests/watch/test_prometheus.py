"""What Prometheus makes of /metrics: its own checker, and a real server that scrapes."""

import contextlib
import http.client
import json
import re
import signal
import subprocess
import urllib.parse

import pytest

from lib import process
from lib.load import Kind, Load
from lib.needs import require
from lib.wait import DEADLINE, eventually
from watched import TOKEN

_CONFIGURATION = """
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: zombie
    authorization:
      credentials: {token}
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""


class Prometheus(contextlib.AbstractContextManager):
    """One that scrapes that server once a second, from the beginning of the block to its end."""

    def __init__(self, folder, port):
        self._folder = folder
        self._log = folder / "prometheus.log"
        self._port = None
        self._process = None
        configuration = _CONFIGURATION.format(token=TOKEN, port=port)
        (folder / "prometheus.yml").write_text(configuration)

    def __enter__(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                ["prometheus", f"--config.file={self._folder}/prometheus.yml",
                 f"--storage.tsdb.path={self._folder}/data", "--web.listen-address=127.0.0.1:0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            self._port = eventually(self._find_port, "prometheus listens")
            eventually(lambda: self._get("/-/ready")[0] == 200, "prometheus is ready")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(DEADLINE)

    def _find_port(self):
        """It does not say on which port it listens when it may choose."""
        for row in _listeners():
            if row["pid"] == self._process.pid:
                return row["port"]
        return None

    def _get(self, target):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)
        with contextlib.closing(connection):
            connection.request("GET", target)
            response = connection.getresponse()
            return response.status, response.read()

    def _ask(self, expression):
        _, body = self._get("/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
        answer = json.loads(body)
        assert answer["status"] == "success", answer
        return answer["data"]["result"]

    def query(self, expression):
        """The samples that a query has for an answer, as (labels, value)."""
        return [(each["metric"], float(each["value"][1])) for each in self._ask(expression)]

    def histories(self, selector):
        """All that was scraped of each of these series, as (labels, values)."""
        return [(each["metric"], [float(value) for _, value in each["values"]])
                for each in self._ask(f"{selector}[1h]")]  # fmt: skip

    def value(self, expression):
        """The one value that a query has for an answer; None: it has none."""
        samples = self.query(expression)
        return samples[0][1] if samples else None

    def wait_for(self, expression):
        """Wait until the query has an answer, which a comparison has only when it is true."""
        return eventually(lambda: self.query(expression), expression)


def _listeners():
    """Who listens on TCP, as ss(8) tells it."""
    found = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
    for line in found.splitlines():
        match = re.search(r":(\d+)\s+\S+\s+users:\(\(.*?pid=(\d+)", line)
        if match:
            yield {"port": int(match[1]), "pid": int(match[2])}


@pytest.fixture
def prometheus(tmp_path):
    require("prometheus")
    return lambda server: Prometheus(tmp_path, server.admin_port)


def check(server):
    """What promtool has to say about the metrics."""
    metrics = server.ask("/metrics")
    assert metrics.status == 200
    assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")
    return subprocess.run(["promtool", "check", "metrics"], input=metrics.body,
                          capture_output=True, check=False)  # fmt: skip


def test_promtool_has_nothing_to_say(watched):
    require("promtool")
    server = watched("-o", "upstream.api.server=127.0.0.1:9", "registry.type=etcd",
                     "registry.url=127.0.0.1:1", "registry.watch=orders")  # fmt: skip
    eventually(lambda: b'{service="orders"' in server.ask("/metrics").body, "it is looked up")
    for _ in range(2):  # without a single request, and after some and a death
        result = check(server)
        assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
        for target in ("/hello", "/nowhere"):
            server.fetch(target)
        worker = server.serving[0]
        process.kill(worker.pid)
        server.wait_until_replaced(worker)
    result = check(server)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_prometheus_scrapes_with_the_token(watched, prometheus):
    server = watched(admin_host="0.0.0.0")
    with prometheus(server) as watcher, Load(server.address, [Kind("GET", "/hello")]) as load:
        watcher.wait_for('up{job="zombie"} == 1')
        before = watcher.wait_for("sum(zombie_http_requests_total) > 0")[0][1]
        load.wait_for_answers(1000)
        watcher.wait_for(f"sum(zombie_http_requests_total) >= {before + 1000}")
        watcher.wait_for("rate(zombie_http_request_duration_seconds_count[5s]) > 0")
        rates = "sum by (le) (rate(zombie_http_request_duration_seconds_bucket[5s]))"
        watcher.wait_for(f"histogram_quantile(0.99, {rates}) > 0")


def test_counters_survive_deaths_and_a_reload(watched, prometheus):
    server = watched()
    with prometheus(server) as watcher, Load(server.address, [Kind("GET", "/hello")]) as load:
        watcher.wait_for("sum(zombie_http_requests_total) > 0")
        for _ in range(3):
            load.wait_for_answers(500)
            worker = server.serving[0]
            process.kill(worker.pid)
            server.wait_until_replaced(worker)
        watcher.wait_for('sum(zombie_worker_deaths_total{reason="signal"}) == 3')
        watcher.wait_for('sum(zombie_worker_respawns_total{reason="signal"}) == 3')
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("reloaded: generation 2 serves")
        load.wait_for_answers(500)
        before = watcher.value("sum(zombie_http_requests_total)")
        watcher.wait_for(f"sum(zombie_http_requests_total) >= {before + 500}")
        counters = watcher.histories('{__name__=~"zombie_.*_(total|count|sum|bucket)"}')
        assert len(counters) > 50
        assert [(labels, values) for labels, values in counters if values != sorted(values)] == []
        assert watcher.value('min_over_time(up{job="zombie"}[5m])') == 1


def test_prometheus_with_a_wrong_token_gets_nothing(watched, prometheus):
    server = watched("admin.token=another-one-that-is-long-enough", admin_host="0.0.0.0")
    with prometheus(server) as watcher:
        watcher.wait_for('up{job="zombie"} == 0')
        assert watcher.query("zombie_http_requests_total") == []
    assert "a request with a wrong admin token is refused" in server.log
