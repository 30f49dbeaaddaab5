"""Servers of a user without rights, whose number of processes a test can limit."""

import os
import pwd
import shutil
import subprocess
import tempfile

import pytest

from lib.server import BINARY


def open_to_all(folder):
    """Let everybody list the folder and those that pytest has put it in: two, or three of xdist."""
    for path in (folder, *folder.parents[:3]):
        if str(path) == tempfile.gettempdir():
            break
        path.chmod(path.stat().st_mode | 0o055)


@pytest.fixture
def public(tmp_path_factory):
    """A copy of the program that anybody may run."""
    folder = tmp_path_factory.mktemp("public")
    open_to_all(folder)
    return shutil.copy(BINARY, folder)


def become_nobody():
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def limit_processes(pid, soft):
    """
    As the user of the process: root may not, without CAP_SYS_RESOURCE. The
    limit counts all that the user has, so 1 is too few whatever else there is.
    """
    subprocess.run(["prlimit", "--pid", str(pid), f"--nproc={soft}:"], check=True,
                   preexec_fn=become_nobody)  # fmt: skip
