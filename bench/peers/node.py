"""Node: its cluster module alone, and with Express. The first process hands out connections."""
import json
import os
from pathlib import Path

from peers import server


class Node(server.Server):
    """http and cluster; a worker that exits is replaced, SIGHUP restarts them in turn."""

    name, tool, package = "node", "node", "nodejs"
    script = "http.js"
    killer = True
    modules = server.PROGRAMS / "node_modules"

    def environment(self):
        return {**os.environ, "NODE_ENV": "production", "NODE_PATH": str(self.modules)}

    def command(self):
        return ["node", str(server.PROGRAMS / self.script), str(self.workers), str(self.port),
                str(self.files), server.TYPE, server.BODY]


class Express(Node):
    """The same cluster, with an application such as its guide has it."""

    name = "express"
    script = "express.js"

    @classmethod
    def missing(cls):
        if why := super().missing():
            return why
        if (Path(cls.modules) / "express").is_dir():
            return None
        return (f"there is no express in {cls.modules}"
                f" (npm ci --prefix {server.PROGRAMS}, or --node-modules FOLDER)")

    @classmethod
    def unpackaged_folders(cls):
        return [cls.modules]

    @classmethod
    def version(cls):
        text = (Path(cls.modules) / "express" / "package.json").read_text(encoding="utf-8")
        version = json.loads(text)["version"]
        return f"Express {version} on Node {super().version()}"
