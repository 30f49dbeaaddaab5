"""The Distributor as its nodes see it: every stimulus that has killed one before."""

import socket

import pytest

from lib.distributor import END, Distributor, complaint, frame, message, refused, registration


@pytest.fixture
def distributor(start):
    return start(kind=Distributor)


@pytest.fixture
def witness(distributor):
    """A node that is there already and must not notice what is wrong with others."""
    with distributor.node("witness") as node:
        assert node.names() == ["witness"]
        yield node


# What nodes say and hear


@pytest.mark.smoke
def test_whole_registration_tells_all(distributor):
    with distributor.node() as first, distributor.node() as second:
        first.post("goods", port=3000, urls=["POST/goods", "GET/goods"])
        goods = {"port": 3000, "name": "goods", "urls": ["POST/goods", "GET/goods"],
                 "host": "127.0.0.1"}  # fmt: skip
        assert first.list() == [goods]
        second.post("members", port=3001, urls=[])
        members = {"port": 3001, "name": "members", "urls": [], "host": "127.0.0.1"}
        assert first.list() == second.list() == [goods, members]


@pytest.mark.smoke
def test_two_registrations_in_one_segment(distributor, witness):
    with distributor.node() as node:
        node.send(registration("old", port=1) + registration("new", port=2))
        node.wait_for("witness", "new")
        witness.wait_for("witness", "new")
        assert refused(distributor, "garbage") == 0


def test_update_keeps_the_place(distributor, witness):
    with distributor.node("a") as a, distributor.node() as b:
        a.wait_for("witness", "a")
        b.post("b")
        a.wait_for("witness", "a", "b")
        a.post("aa")
        b.wait_for("witness", "aa", "b")
        witness.wait_for("witness", "aa", "b")


def test_changes_of_one_turn_are_one_broadcast(distributor, witness):
    before = distributor.status()["counted"]["broadcasts"]
    with distributor.node() as node:
        node.send(b"".join(registration(f"n{number}") for number in range(50)))
        assert node.wait_for("witness", "n49") == 1
        assert witness.wait_for("witness", "n49") == 1
    assert distributor.status()["counted"]["broadcasts"] - before in (1, 2)  # its end is one, too


def test_same_registration_again_is_answered_and_disturbs_nobody(distributor, witness):
    with distributor.node("a") as node:
        node.wait_for("witness", "a")
        witness.wait_for("witness", "a")
        node.post("a")
        assert node.names() == ["witness", "a"]
        witness.expect_nothing()


NAME = "\uac00\U0001f9df\u00fc"  # 3, 4 and 2 bytes
WHOLE = registration(NAME)
INSIDE = WHOLE.index(NAME.encode())


@pytest.mark.parametrize("cut", [1, 40, INSIDE + 1, INSIDE + 2, INSIDE + 4, INSIDE + 6, INSIDE + 8,
                                 len(WHOLE) - 2, len(WHOLE) - 1])  # fmt: skip
def test_registration_in_two_segments_and_another_after_it(distributor, witness, cut):
    with distributor.node() as node:
        node.send_in_pieces(WHOLE, cut)
        node.wait_for("witness", NAME)
        node.send_in_pieces(registration("again"), cut)
        node.wait_for("witness", "again")
        witness.wait_for("witness", "again")


def test_registration_byte_by_byte(distributor):
    with distributor.node() as node:
        node.send_in_pieces(WHOLE, 1, 2, *range(INSIDE, INSIDE + 10), *range(len(WHOLE) - 4, len(WHOLE)))
        assert node.names() == [NAME]


def test_empty_frames_are_skipped(distributor, witness):
    with distributor.node() as node:
        node.send(END + registration("a") + END + END)
        node.wait_for("witness", "a")
        node.expect_nothing()


@pytest.mark.smoke
@pytest.mark.parametrize("key", [0, 7, -1, "text", None, 1.5, "\u00b6"])
def test_question_is_answered_with_its_key(distributor, witness, key):
    with distributor.node() as asker:
        asker.send(frame(message("GET", key)).replace("\u00b6".encode() + b'"', b'\\u00b6"'))
        answer = asker.receive()
        assert answer["key"] == key and [n["name"] for n in answer["params"]] == ["witness"]
    witness.expect_nothing()


def test_many_questions_are_answered_in_order(distributor, witness):
    with distributor.node() as asker:
        asker.send(b"".join(frame(message("GET", key)) for key in range(500)))
        assert [asker.receive()["key"] for _ in range(500)] == list(range(500))


def test_question_before_anybody_has_come(distributor):
    with distributor.node() as asker:
        asker.get(1)
        assert asker.receive() == message("GET", 1, params=[])


def test_question_behind_a_registration_knows_of_it(distributor):
    with distributor.node() as node:
        node.send(registration("a") + frame(message("GET", 5)))
        answers = [node.receive(), node.receive()]
        assert sorted(answer["key"] for answer in answers) == [0, 5]
        assert all([n["name"] for n in answer["params"]] == ["a"] for answer in answers)


def test_who_never_registers_is_no_news(distributor, witness):
    with distributor.node():
        distributor.wait_for_status(open_connections=2)
        witness.expect_nothing()
    distributor.wait_for_status(open_connections=1)
    witness.expect_nothing()


@pytest.mark.smoke
@pytest.mark.parametrize("how", ["close", "reset"])
def test_departure_is_exactly_one_broadcast(distributor, witness, how):
    node = distributor.node("a")
    node.wait_for("witness", "a")
    witness.wait_for("witness", "a")
    getattr(node, how)()
    assert witness.names() == ["witness"]
    witness.expect_nothing()


def test_half_a_frame_then_the_same_port_again(distributor, witness):
    own = "127.0.0.77"  # nobody else takes a port of it meanwhile
    node = distributor.node(source=own)
    port = node.port
    node.send(registration("a")[:30])
    distributor.wait_for_status(open_connections=2)
    node.reset()
    distributor.wait_for_status(open_connections=1)
    with distributor.node(source=own, source_port=port) as again:
        again.post("b")
        again.wait_for("witness", "b")


def test_unknown_uri_or_method_is_passed_over(distributor, witness):
    with distributor.node() as node:
        node.send(frame({"uri": "/goods", "method": "GET"}) + frame(message("DELETE")))
        node.expect_nothing()


# What is echoed


def test_host_is_where_it_comes_from(distributor):
    with distributor.node(source="127.0.0.3") as node:
        node.post("a", host="10.9.8.7")
        assert [one["host"] for one in node.list()] == ["127.0.0.3"]


def test_other_members_are_echoed(distributor):
    with distributor.node() as node:
        more = {"zone": {"rack": [1, None, True, "\u00fc"]}, "weight": 3}
        node.post("a", port="3000", **more)
        assert node.list() == [{"port": "3000", "name": "a", "urls": ["GET/goods"],
                                "host": "127.0.0.1", **more}]  # fmt: skip


def test_end_of_frames_within_a_text_is_escaped(distributor):
    with distributor.node() as node:
        node.send(frame(message("POST", params={"port": 1, "name": "NAME", "urls": []}))
                  .replace(b"NAME", b"\\u00b6x\\u00b6"))  # fmt: skip
        heard = node.receive_frame()
        assert b'"name":"\\u00b6x\\u00b6"' in heard
        node.expect_nothing()


@pytest.mark.parametrize(("listen", "family", "address", "host"), [
    ("[::1]:0", socket.AF_INET6, "::1", "::1"),
    ("[::]:0", socket.AF_INET6, "::1", "::1"),
    ("[::]:0", socket.AF_INET, "127.0.0.1", "127.0.0.1"),
])  # fmt: skip
def test_ipv6(start, listen, family, address, host):
    distributor = start(kind=Distributor, listen=listen)
    with distributor.node("a", address=(address, distributor.port), family=family) as node:
        assert [one["host"] for one in node.list()] == [host]


# What no node may send


GARBAGE = {
    "hello": (b"hello" + END, "no JSON"),
    "null": (b"null" + END, "no JSON object"),
    "number": (b"5" + END, "no JSON object"),
    "no-message": (b"{}" + END, "no message: no uri or no method"),
    "no-params": (frame(message("POST")), "no params"),
    "params-text": (frame(message("POST", params="text")), "params are no object"),
    "params-list": (frame(message("POST", params=[])), "params are no object"),
    "no-port": (frame(message("POST", params={"name": "a"})),
                "the port is no number from 1 to 65535"),
    "port-0": (registration("a", port=0), "the port is no number from 1 to 65535"),
    "name-number": (registration(5), "the name is no text"),
    "urls": (frame(message("POST", params={"port": 1, "name": "a", "urls": 5})),
             "urls is no list of texts"),
    "tower": (registration("a", x=[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]), "params nest too deeply"),
    "end-in-text": (registration("a\u00b6b"), "no JSON"),
    "half": (b'{"uri":"/distributes"' + END, "no JSON"),
    "latin-1": (registration("NAME").replace(b"NAME", b"\xfc"), "a message is no UTF-8"),
    "overlong": (b"\xc0\xb6" + END, "a message is no UTF-8"),
    "surrogate": (registration("NAME").replace(b"NAME", b"\xed\xa0\x80"), "a message is no UTF-8"),
    "stray-end": (b"a\xb6", "a message is no UTF-8"),
    "nul": (registration("NAME").replace(b"NAME", b"a\0b"), "no JSON"),
    "http": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + END, "no JSON"),
}  # fmt: skip


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_costs_its_sender_only(distributor, witness, what):
    sent, why = GARBAGE[what]
    with distributor.node() as node:
        node.send(sent)
        node.expect_end()
    complaint(distributor, why)
    witness.expect_nothing()
    assert refused(distributor, "garbage") == 1


def test_garbage_of_a_registered_node_is_its_departure(distributor, witness):
    with distributor.node("a") as node:
        node.wait_for("witness", "a")
        witness.wait_for("witness", "a")
        node.send(b"hello" + END)
        node.expect_end()
    assert witness.names() == ["witness"]


def test_message_without_an_end_is_capped(distributor, witness):
    with distributor.node() as node:
        try:
            node.send(b"x" * (1 << 20))
        except ConnectionError:
            pass
        node.expect_end()
    complaint(distributor, "a message is too long")
    witness.expect_nothing()


@pytest.mark.parametrize(("spare", "fits"), [(0, True), (1, False)])
def test_longest_message(start, spare, fits):
    distributor = start("distributor.max_frame_bytes=2K", kind=Distributor)
    rest = 2048 - len(registration("")) + len(END)
    with distributor.node() as node:
        node.post("n" * (rest + spare))
        if fits:
            assert node.names() == ["n" * rest]
        else:
            node.expect_end()
