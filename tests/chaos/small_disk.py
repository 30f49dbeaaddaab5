"""A file system that can be filled."""

import contextlib
import subprocess

import pytest


@contextlib.contextmanager
def mounted(folder, size):
    """A tmpfs of that size at the folder; what it had is left there. OSError: not permitted."""
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        raise OSError(f"cannot mount a tmpfs: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        files = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        subprocess.run(["umount", "-l", folder], check=True)
        for path, content in files.items():  # a report of a failure wants to show them
            path.write_bytes(content)


def fill(path):
    """Take what room is left, to the last byte."""
    with open(path, "wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(b"x" * size) == size:
                    continue
            except OSError:
                continue


@pytest.fixture
def small_disk(tmp_path):
    """64 KB of it."""
    try:
        with mounted(tmp_path / "disk", "64k") as folder:
            yield folder
    except OSError as error:
        pytest.skip(str(error))
