"""The tool that others attack their servers with finds the service available throughout."""

import os
import re
import shutil
import subprocess

import pytest

from lib.neighbour import Neighbour
from lib.wait import DEADLINE

TOOL = shutil.which("slowhttptest")
CONNECTIONS, A_SECOND, SECONDS = 300, 30, 10
LIMITS = "http.header_ms=2000", "http.body_ms=2000", "http.send_ms=2000"
LARGE = 8 << 20  # more than the kernel takes for a client that reads nothing
MODES = {
    "-H": ["-i", "1", "-u", "http://{}:{}/hello"],
    "-B": ["-i", "1", "-t", "POST", "-u", "http://{}:{}/json"],
    "-X": ["-n", "1", "-w", "10", "-y", "20", "-z", "5", "-k", "3", "-u", "http://{}:{}/large"],
}

pytestmark = pytest.mark.skipif(
    not TOOL and not os.environ.get("CI"), reason="there is no slowhttptest"
)


class Attack:
    """One run of the tool, with its findings second by second in a file."""

    def __init__(self, mode, address, folder):
        self._prefix = folder / f"slow{mode}"
        options = [option.format(*address) for option in MODES[mode]]
        self._process = subprocess.Popen(
            [TOOL, mode, "-c", str(CONNECTIONS), "-r", str(A_SECOND), "-l", str(SECONDS), "-p", "3",
             "-g", "-o", str(self._prefix), *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def wait(self):
        self.output, _ = self._process.communicate(timeout=SECONDS + DEADLINE)
        self.output = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", self.output)
        return self._process.returncode

    @property
    def available(self):
        """What it has said of the service, each time."""
        return re.findall(r"service available: +(\w+)", self.output)

    @property
    def seconds(self):
        """Rows of its table: (second, connections it has open, whether there is service: not 0)."""
        rows = self._prefix.with_suffix(".csv").read_text().splitlines()[1:]
        columns = [row.split(",") for row in rows]
        return [(int(row[0]), int(row[3]), int(row[4])) for row in columns]

    def end(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def attack(tmp_path):
    running = []

    def start_one(mode, address):
        running.append(Attack(mode, address, tmp_path))
        return running[-1]

    yield start_one
    for one in running:
        one.end()


@pytest.fixture
def conf(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (root / "large").write_bytes(bytes(LARGE))
    (root / "large").chmod(0o644)
    path = tmp_path / "routes.conf"
    path.write_text(
        f'route "/large" {{ handler = files  root = "{root}" }}\n'
        'route "/json" { handler = json }\n'
    )
    return path


def test_service_is_available_throughout(start, conf, attack):
    server = start("-c", conf, *LIMITS, workers=1)
    with Neighbour(server):
        attacks = {mode: attack(mode, server.address) for mode in MODES}
        for mode, one in attacks.items():
            assert one.wait() == 0, one.output
            assert set(one.available) == {"YES"}, f"{mode}: {one.output}"
            assert all(good > 0 for _, _, good in one.seconds), f"{mode}: {one.seconds}"
            assert one.seconds[-1][0] >= SECONDS - 2, one.seconds
            assert max(opened for _, opened, _ in one.seconds) >= A_SECOND
    for limit in "header_ms", "body_ms", "send_ms":
        server.wait_for_log(f"limit={limit} hits=")
