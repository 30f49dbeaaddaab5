"""
What a registry sees of a reload: nothing, when what is registered stays the same; a good-bye, when
nothing or something else is; and no trace of a generation that was given up.
"""

import pytest

from lib.enrolled import KINDS, Consul, wait_for_state
from lib.reload import (  # noqa: F401
    begin, begin_hanging, conf, frozen, order_reload, reload_in_vain, with_user,
)  # fmt: skip
from lib.wait import eventually

both = pytest.mark.parametrize("kind", KINDS, ids=[kind.TYPE for kind in KINDS])


@pytest.fixture
def registry(kind):
    with kind() as made:
        yield made


def section(registry, *urls, **more):
    values = {"heartbeat_ms": 100, "ttl_ms": 60000, "refresh_ms": 100, **more}
    keys = "".join(f"{key} = {value}\n" for key, value in values.items())
    listed = ", ".join(f'"{url}"' for url in urls or [registry.url])
    return f"registry {{\ntype = {registry.TYPE}\nurl = {{ {listed} }}\n{keys}}}\n"


def goodbyes(registry):
    return registry.lines(registry.DEREGISTER)


@both
def test_another_url_of_the_same_registry_changes_nothing(begin, conf, kind, registry):  # noqa: F811
    conf.write(section(registry))
    server = begin()
    wait_for_state(registry, server, registry.UP)
    before = len(registry.states())
    conf.write(section(registry, registry.url, "http://127.0.0.1:1"))
    order_reload(server)
    registry.wait_for(registry.HEARTBEAT, len(registry.lines(registry.HEARTBEAT)) + 5)
    assert registry.state_of(server) == registry.UP
    assert goodbyes(registry) == [] and registry.DOWN not in registry.states()[before:]


@both
def test_without_a_registry_it_says_goodbye(begin, conf, kind, registry):  # noqa: F811
    conf.write(section(registry))
    server = begin()
    wait_for_state(registry, server, registry.UP)
    conf.write("")
    order_reload(server)
    eventually(lambda: registry.state_of(server) is None, "it is deregistered")


def test_another_name_says_goodbye_to_the_one_before(begin, conf):  # noqa: F811
    with Consul() as registry:
        conf.write(section(registry, app="before", instance_id="one"))
        server = begin()
        eventually(lambda: registry.status("one") == registry.UP, "it is registered")
        conf.write(section(registry, app="after", instance_id="two"))
        order_reload(server)
        eventually(lambda: registry.status("two") == registry.UP, "it is registered anew")
        eventually(lambda: registry.status("one") is None, "the one before is gone")


@pytest.mark.root
def test_a_generation_that_is_given_up_was_never_there(begin_hanging, conf, etc):  # noqa: F811
    with Consul() as registry:
        server = begin_hanging(section(registry, instance_id="one"))
        eventually(lambda: registry.status("one") == registry.UP, "it is registered")
        last = max(server.workers)  # the next one is the herald

        def hold_up():
            with frozen(server, etc, last + 2):
                server.wait_for_log("herald .* is ready .*generation=2")
                server.wait_for_log("error master: reload failed")

        conf.write(section(registry, instance_id="two"), **with_user(etc, boot_timeout_ms=2000))
        reload_in_vain(server, "failed: .*new generation.*", meanwhile=hold_up)
        registry.wait_for(registry.HEARTBEAT, len(registry.lines(registry.HEARTBEAT)) + 3)
        assert "two" not in "".join(registry.lines())
        assert registry.status("one") == registry.UP
        assert goodbyes(registry) == []
