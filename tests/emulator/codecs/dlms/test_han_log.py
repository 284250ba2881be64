"""A SMETS1 hub's device log and the joining of displays as DLMS data: round trips, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.han_log import (
    TYPE_NUMBERS,
    Join,
    LogRow,
    Word,
    decode_entry,
    decode_join,
    decode_log,
    encode_entry,
    encode_join,
    encode_log,
)
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

EUI = Eui64.parse("02-53-04-00-00-00-00-31")
EUIS = st.binary(min_size=8, max_size=8).map(Eui64)
ROWS = st.builds(
    LogRow, EUIS, st.sampled_from(sorted(TYPE_NUMBERS)), st.booleans(), st.binary(max_size=8)
)
JOINS = st.builds(
    Join, st.sampled_from(list(Word)), EUIS, st.integers(0, 0xFFFF), st.binary(max_size=8)
)


@given(st.lists(ROWS, max_size=6))
def test_a_log_survives_the_wire(rows: list[LogRow]) -> None:
    assert decode_log(axdr.decode(axdr.encode(encode_log(rows)))) == tuple(rows)


@given(JOINS)
def test_a_message_about_joining_survives_the_wire(join: Join) -> None:
    assert decode_join(encode_join(join)) == join


@pytest.mark.parametrize("kind", sorted(TYPE_NUMBERS))
def test_an_entry_survives_the_wire(kind: str) -> None:
    assert decode_entry(encode_entry(EUI, kind)) == (EUI, kind)


@given(JOINS, st.data())
def test_no_damage_to_a_message_about_joining_does_more_than_refuse_it(
    join: Join, data: st.DataObject
) -> None:
    octets = bytearray(encode_join(join))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        decode_join(bytes(octets))
    except MalformedFrameError:
        return


@pytest.mark.parametrize(
    "data",
    [
        NULL,
        Data(Tag.ARRAY, (axdr.structure(axdr.octets(bytes(8))),)),
        Data(
            Tag.ARRAY,
            (
                axdr.structure(
                    axdr.octets(bytes(7)),
                    Data(Tag.UINT8, 1),
                    Data(Tag.BOOLEAN, 1),
                    axdr.octets(b""),
                ),
            ),
        ),
        Data(
            Tag.ARRAY,
            (
                axdr.structure(
                    axdr.octets(bytes(8)),
                    Data(Tag.UINT8, 200),
                    Data(Tag.BOOLEAN, 1),
                    axdr.octets(b""),
                ),
            ),
        ),
    ],
)
def test_what_is_no_log_is_refused(data: Data) -> None:
    with pytest.raises(MalformedFrameError):
        decode_log(data)


@pytest.mark.parametrize(
    "octets", [b"", b"\x0f", b"\xc4\x01", encode_join(Join(Word.HELLO, EUI))[:-1]]
)
def test_what_is_no_message_about_joining_is_refused(octets: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        decode_join(octets)
