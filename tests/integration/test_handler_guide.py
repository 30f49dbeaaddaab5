"""The example of doc/handlers.md is a handler that compiles."""

import os
import re
import shutil
import subprocess

import pytest

from lib.server import SRCDIR


@pytest.fixture
def example(tmp_path):
    with open(os.path.join(SRCDIR, "doc/handlers.md"), encoding="utf-8") as file:
        blocks = re.findall(r"^```c\n(.*?)^```$", file.read(), re.DOTALL | re.MULTILINE)
    path = tmp_path / "greet.c"
    path.write_text(blocks[0])
    return path


@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler")
def test_example_compiles(example):
    """The build folder is where config.h is."""
    build = os.path.dirname(os.path.dirname(os.environ["ZOMBIE_SERVER"]))
    command = ["cc", "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror",
               f"-I{build}", f"-I{SRCDIR}/src", str(example)]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
