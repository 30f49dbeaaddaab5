"""What docker-compose makes of deploy/docker/compose.yaml."""

import contextlib
import json

from engine import Container

_COMPOSE = "docker compose -f deploy/docker/compose.yaml"
_LABEL = "com.docker.compose"


class Project(contextlib.AbstractContextManager):
    """Use as a context: what is up at its end is taken down."""

    def __init__(self, engine, docker):
        self._engine = engine
        self._docker = docker
        self._profiles = ""

    def __exit__(self, *_):
        self.down()

    def _compose(self, words):
        return self._docker.run(f"ZOMBIE_CHAOS=yes {_COMPOSE} {self._profiles} {words}")

    def add_profile(self, name):
        self._profiles += f" --profile {name}"

    def build(self, service):
        self._compose(f"build {service}")

    def up(self, *options):
        self._compose(f"up -d {' '.join(options)}")

    def down(self):
        self._compose("down")

    def do(self, *words, **options):
        """Run podman to its end, in their network."""
        with self._docker.network.inside():
            return self._engine.do(*words, **options)

    def _identifiers(self, label, *options):
        """Of the containers with this label of docker-compose, which are their host names, too."""
        done = self.do("ps", *options, f"--filter=label={_LABEL}.{label}", "--format={{.ID}}")
        return done.stdout.split()

    def containers(self, service):
        """{identifier: Container} of those of a service that run"""
        return {one: Container(self, one) for one in self._identifiers(f"service={service}")}

    def services(self):
        """{service: how many of its containers run}"""
        shown = json.loads(self.do("ps", "--format=json").stdout)
        names = [one["Labels"][f"{_LABEL}.service"] for one in shown]
        return {name: names.count(name) for name in names}

    def leavings(self):
        """What is there although nothing should be."""
        networks = self.do("network", "ls", "--format={{.Name}}").stdout.split()
        return {
            "containers": self._identifiers("project", "--all"),
            "networks": set(networks) - {"podman"},
            "links": self._docker.network.links(),
            "processes": self._docker.strangers(),
        }
