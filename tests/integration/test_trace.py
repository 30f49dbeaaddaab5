"""W3C Trace Context: a request stays in the trace that it came with."""

import re

import pytest

from lib import raw
from lib.access import access, start_logged  # noqa: F401

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
LOG = {"format": "$traceparent $trace_id $span_id", "buffer_bytes": 0}


@pytest.fixture
def trace(start_logged, access):
    """Send requests with these values of traceparent, None for none; returns what was logged."""
    server = start_logged(log=LOG)

    def trace_all(*values):
        known = len(access.lines)
        with server.connect() as connection:
            for value in values:
                headers = {} if value is None else {"traceparent": value}
                connection.request("/hello", headers=headers)
            lines = access.wait_for(known + len(values))[known:]
        for line in lines:
            traceparent, trace_id, span_id = line.split()
            assert re.fullmatch(r"[0-9a-f]{32}", trace_id) and trace_id != "0" * 32
            assert re.fullmatch(r"[0-9a-f]{16}", span_id) and span_id != "0" * 16
            assert re.fullmatch(rf"00-{trace_id}-{span_id}-0[01]", traceparent)
        return [line.split()[0] for line in lines]

    return trace_all


@pytest.mark.smoke
@pytest.mark.valgrind
@pytest.mark.parametrize("flags", ["00", "01"])
def test_goes_on_from_the_trace_of_the_request(trace, flags):
    (found,) = trace(f"00-{TRACE}-{SPAN}-{flags}")
    assert found.startswith(f"00-{TRACE}-") and found.endswith(f"-{flags}")
    assert SPAN not in found


def test_each_request_has_a_span_of_its_own(trace):
    found = trace(*[f"00-{TRACE}-{SPAN}-01"] * 20)
    assert len(set(found)) == 20
    assert all(TRACE in one for one in found)


def test_begins_a_trace_where_there_is_none(trace):
    found = trace(*[None] * 20)
    assert len({one.split("-")[1] for one in found}) == 20
    assert all(one.endswith("-01") for one in found)


def test_workers_do_not_give_out_the_same_ids(start_logged, access):
    server = start_logged(workers=4, log={"format": "$worker $trace_id", "buffer_bytes": 0})
    for n in range(1, 41):
        server.fetch("/hello")
        access.wait_for(n)
    workers, ids = zip(*map(str.split, access.lines))
    assert len(set(workers)) > 1
    assert len(set(ids)) == 40


INVALID = {
    "short": f"00-{TRACE}-{SPAN}-0",
    "long": f"00-{TRACE}-{SPAN}-01-",
    "upper case": f"00-{TRACE.upper()}-{SPAN}-01",
    "no trace": f"00-{'0' * 32}-{SPAN}-01",
    "no span": f"00-{TRACE}-{'0' * 16}-01",
    "version ff": f"ff-{TRACE}-{SPAN}-01",
    "no digit": f"00-{TRACE[:-1]}g-{SPAN}-01",
    "blanks": f"00-{TRACE} {SPAN} 01",
    "empty": "",
    "words": "hello",
    "quote": f'00-{TRACE}-{SPAN}-01"',
}


@pytest.mark.parametrize("value", INVALID.values(), ids=INVALID)
def test_begins_a_trace_where_it_is_invalid(trace, value):
    (found,) = trace(value)
    assert TRACE not in found.lower() and SPAN not in found
    assert found.endswith("-01")


def test_later_versions_are_understood(trace):
    (found,) = trace(f"01-{TRACE}-{SPAN}-01-what-comes-then")
    assert found.startswith(f"00-{TRACE}-")


def test_unknown_flags_are_not_passed_on(trace):
    assert trace(f"00-{TRACE}-{SPAN}-ff")[0].endswith("-01")
    assert trace(f"00-{TRACE}-{SPAN}-fe")[0].endswith("-00")


def test_refused_requests_have_none(start_logged, access):
    server = start_logged(log=LOG)
    assert raw.refusal(server.address, b"nonsense\r\n\r\n") == 400
    assert access.wait_for(1) == ["- - -"]
