"""Where a fresh Debian comes from."""

import os

_LISTS = (*(f"/etc/apt/sources.list.d/{name}.sources" for name in ("debian", "ubuntu")),
          "/etc/apt/sources.list")  # fmt: skip


def sources():
    """Where this machine has its packages from: those of the distribution, not of others."""
    return [path for path in _LISTS if os.path.exists(path) and os.path.getsize(path) > 0]
