"""Servers of a user without rights, whose number of processes a test can limit."""

import os
import pwd
import shutil
import subprocess

import pytest

from lib.server import BINARY


@pytest.fixture
def public(tmp_path_factory):
    """A copy of the program that anybody may run."""
    folder = tmp_path_factory.mktemp("public")
    for parent in [folder, *folder.parents[:2]]:
        parent.chmod(0o755)
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
