"""The Events cluster: what a log is asked for, and what it publishes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.zcl import events
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.events import GetEventLog, LoggedEvent, PublishEventLog
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

OCTET, WORD, LONG = st.integers(0, 0xFF), st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
ENTRY = st.builds(LoggedEvent, OCTET, WORD, LONG, st.binary(max_size=20))


def test_a_request_is_laid_out_as_tshark_reads_it() -> None:
    asked = GetEventLog(0, 6, 0x8F43, 0x01020304, 0xFFFFFFFF, 5, 0x0102)
    octets = events.encode(asked, 0x21)
    assert octets.hex() == "11210006438f04030201ffffffff050201"


def test_an_answer_is_laid_out_as_tshark_reads_it() -> None:
    told = PublishEventLog(3, 0, 1, (LoggedEvent(6, 0x8F43, 0x01020304, b"\x2a"),))
    octets = events.encode(told, 0x21)
    assert octets.hex() == "192101030000011006438f04030201012a"


@settings(max_examples=examples(50))
@given(st.builds(PublishEventLog, WORD, OCTET, OCTET, st.lists(ENTRY, max_size=15).map(tuple)))
def test_what_was_written_is_read(told: PublishEventLog) -> None:
    assert events.decode(zcl_frame.decode(events.encode(told, 1))) == told


@settings(max_examples=examples(50))
@given(
    st.builds(GetEventLog, st.integers(0, 15), st.integers(0, 15), WORD, LONG, LONG, OCTET, WORD)
)
def test_a_request_that_was_written_is_read(asked: GetEventLog) -> None:
    assert events.decode(zcl_frame.decode(events.encode(asked, 1))) == asked


def test_a_request_that_ends_early_is_refused() -> None:
    octets = events.encode(GetEventLog(0, 0, 0, 0, 0, 0, 0), 1)
    with pytest.raises(MalformedFrameError):
        events.decode(zcl_frame.decode(octets[:-1]))
