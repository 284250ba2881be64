import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.common import MAX_DEPTH
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import ArrayType, BitString, CompactArray, Data, StructureType, Tag
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

INTEGERS = {
    Tag.BOOLEAN: (0, 255),
    Tag.INT32: (-(1 << 31), (1 << 31) - 1),
    Tag.UINT32: (0, (1 << 32) - 1),
    Tag.BCD: (-128, 127),
    Tag.INT8: (-128, 127),
    Tag.INT16: (-(1 << 15), (1 << 15) - 1),
    Tag.UINT8: (0, 255),
    Tag.UINT16: (0, 65_535),
    Tag.INT64: (-(1 << 63), (1 << 63) - 1),
    Tag.UINT64: (0, (1 << 64) - 1),
    Tag.ENUM: (0, 255),
    Tag.DELTA_INT8: (-128, 127),
    Tag.DELTA_INT16: (-(1 << 15), (1 << 15) - 1),
    Tag.DELTA_INT32: (-(1 << 31), (1 << 31) - 1),
    Tag.DELTA_UINT8: (0, 255),
    Tag.DELTA_UINT16: (0, 65_535),
    Tag.DELTA_UINT32: (0, (1 << 32) - 1),
}
FIXED = {Tag.FLOAT32: 4, Tag.FLOAT64: 8, Tag.DATE_TIME: 12, Tag.DATE: 5, Tag.TIME: 4}
STRINGS = (Tag.OCTETS, Tag.VISIBLE, Tag.UTF8)


def _of_tag(tag: Tag) -> st.SearchStrategy[Data]:
    if tag in INTEGERS:
        return st.integers(*INTEGERS[tag]).map(lambda value: Data(tag, value))
    if tag in FIXED:
        return st.binary(min_size=FIXED[tag], max_size=FIXED[tag]).map(lambda v: Data(tag, v))
    return st.binary(max_size=200).map(lambda value: Data(tag, value))


BITS = st.integers(0, 200).flatmap(
    lambda count: st.binary(min_size=(count + 7) // 8, max_size=(count + 7) // 8).map(
        lambda octets: Data(Tag.BIT_STRING, BitString(count, octets))
    )
)
COMPACT = st.sampled_from([*INTEGERS, *STRINGS]).flatmap(
    lambda tag: st.lists(st.tuples(_of_tag(tag), _of_tag(Tag.UINT8)), max_size=4).map(
        lambda rows: Data(
            Tag.COMPACT_ARRAY,
            CompactArray(
                StructureType((ArrayType(1, tag), Tag.UINT8)),
                tuple(axdr.structure(Data(Tag.ARRAY, (a,)), b) for a, b in rows),
            ),
        )
    )
)
SIMPLE = st.one_of(
    st.just(axdr.NULL), BITS, COMPACT, *[_of_tag(t) for t in [*INTEGERS, *FIXED, *STRINGS]]
)
DATA = st.recursive(
    SIMPLE,
    lambda inner: st.tuples(st.sampled_from([Tag.ARRAY, Tag.STRUCTURE]), st.lists(inner)).map(
        lambda pair: Data(pair[0], tuple(pair[1]))
    ),
    max_leaves=10,
)

#: Written by hand from the Blue Book's types.
VECTORS = {
    "00": axdr.NULL,
    "03ff": Data(Tag.BOOLEAN, 255),
    "0405a8": Data(Tag.BIT_STRING, BitString(5, b"\xa8")),
    "05fffffffe": Data(Tag.INT32, -2),
    "0600000001": Data(Tag.UINT32, 1),
    "090401020304": axdr.octets(b"\1\2\3\4"),
    "0a024f4b": Data(Tag.VISIBLE, b"OK"),
    "0fff": Data(Tag.INT8, -1),
    "10fffe": Data(Tag.INT16, -2),
    "12ffff": axdr.uint16(65_535),
    "1602": Data(Tag.ENUM, 2),
    "0202 1100 0101 0900": axdr.structure(Data(Tag.UINT8, 0), Data(Tag.ARRAY, (axdr.octets(b""),))),
    "13 0202 12 09 07 0001 01aa 0002 00": Data(
        Tag.COMPACT_ARRAY,
        CompactArray(
            StructureType((Tag.UINT16, Tag.OCTETS)),
            (
                axdr.structure(axdr.uint16(1), axdr.octets(b"\xaa")),
                axdr.structure(axdr.uint16(2), axdr.octets(b"")),
            ),
        ),
    ),
    "1cff": Data(Tag.DELTA_INT8, -1),
    "1dfffe": Data(Tag.DELTA_INT16, -2),
    "1efffffffe": Data(Tag.DELTA_INT32, -2),
    "1fff": Data(Tag.DELTA_UINT8, 255),
    "20ffff": Data(Tag.DELTA_UINT16, 65_535),
    "21ffffffff": Data(Tag.DELTA_UINT32, (1 << 32) - 1),
    "ff": Data(Tag.DONT_CARE, None),
    "13 0202 11 00 02 0102": Data(
        Tag.COMPACT_ARRAY,
        CompactArray(
            StructureType((Tag.UINT8, Tag.NULL)),
            tuple(axdr.structure(Data(Tag.UINT8, value), axdr.NULL) for value in (1, 2)),
        ),
    ),
    "13 01 0002 11 04 01020304": Data(
        Tag.COMPACT_ARRAY,
        CompactArray(
            ArrayType(2, Tag.UINT8),
            tuple(
                Data(Tag.ARRAY, (Data(Tag.UINT8, a), Data(Tag.UINT8, b)))
                for a, b in ((1, 2), (3, 4))
            ),
        ),
    ),
}


@pytest.mark.parametrize(("octets", "value"), list(VECTORS.items()))
def test_every_type_is_written_as_the_blue_book_says(octets: str, value: Data) -> None:
    assert axdr.decode(bytes.fromhex(octets)) == value
    assert axdr.encode(value) == bytes.fromhex(octets)


@pytest.mark.parametrize(
    ("size", "length"),
    [(0, "00"), (127, "7f"), (128, "8180"), (143, "818f"), (255, "81ff"), (256, "820100")],
)
def test_lengths_take_their_shortest_form(size: int, length: str) -> None:
    for tag in (Tag.OCTETS, Tag.VISIBLE, Tag.UTF8):
        octets = bytes((tag,)) + bytes.fromhex(length) + bytes(size)
        assert axdr.decode(octets) == Data(tag, bytes(size))
        assert axdr.encode(Data(tag, bytes(size))) == octets
    rows = bytes((Tag.ARRAY,)) + bytes.fromhex(length) + bytes(size)
    assert axdr.decode(rows) == Data(Tag.ARRAY, (axdr.NULL,) * size)


@settings(max_examples=examples(200), deadline=None)
@given(value=DATA)
def test_any_value_survives_both_ways(value: Data) -> None:
    assert axdr.decode(axdr.encode(value)) == value


@settings(max_examples=examples(100), deadline=None)
@given(value=DATA, tail=st.binary(min_size=1, max_size=3), data=st.data())
def test_no_truncation_and_no_extension_decodes(
    value: Data, tail: bytes, data: st.DataObject
) -> None:
    octets = axdr.encode(value)
    cut = data.draw(st.integers(0, len(octets) - 1))
    for damaged in (octets[:cut], octets + tail):
        with pytest.raises(MalformedFrameError):
            axdr.decode(damaged)


@settings(max_examples=examples(300), deadline=None)
@given(data=st.binary(max_size=40))
def test_what_decodes_is_written_identically_and_all_else_is_refused(data: bytes) -> None:
    try:
        value = axdr.decode(data)
    except MalformedFrameError:
        return
    assert axdr.encode(value) == data


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "wanted"),
        ("07", "unknown data type"),
        ("22", "unknown data type"),
        ("09 8105 0000000000", "shortest"),
        ("09 820005 0000000000", "shortest"),
        ("09 83000001 00", "length octet 83"),
        ("0202 00", "wanted"),
        ("13 00 01 00", "takes no octets"),
        ("13 0200 01 00", "takes no octets"),
        ("13 01 0000 11 01 00", "takes no octets"),
        ("13 01 ffff 00 01 00", "takes no octets"),
        ("13 0202 00 ff 01 00", "takes no octets"),
        ("13 0202 11 01 ffff 00 01 00", "takes no octets"),
        ("13 01 0002 0200 01 00", "takes no octets"),
        ("13 11 05 00", "compact array of 5 octets"),
        ("13 12 03 000000", "wanted"),
        ("13 13 11 00", "no compact array"),
        ("1300", "wanted"),
    ],
)
def test_damaged_data_are_refused_with_their_own_reason(octets: str, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why) as caught:
        axdr.decode(bytes.fromhex(octets))
    assert caught.value.layer == "dlms.axdr"
    assert caught.value.offset >= 0


def test_data_nested_too_deep_are_refused_and_not_a_crash() -> None:
    value = axdr.NULL
    for _ in range(MAX_DEPTH):
        value = axdr.structure(value)
    assert axdr.decode(axdr.encode(value)) == value
    with pytest.raises(MalformedFrameError, match="deep"):
        axdr.decode(b"\x02\x01" * 10_000)
    with pytest.raises(MalformedFrameError, match="deep"):
        axdr.decode(b"\x13" + b"\x02\x01" * 10_000)


@pytest.mark.parametrize(
    "value",
    [
        Data(Tag.UINT8, 256),
        Data(Tag.INT8, -129),
        Data(Tag.UINT8, b"\0"),
        Data(Tag.OCTETS, 1),
        Data(Tag.NULL, 0),
        Data(Tag.DONT_CARE, b""),
        Data(Tag.DELTA_UINT8, -1),
        Data(Tag.COMPACT_ARRAY, CompactArray(ArrayType(65_536, Tag.UINT8), ())),
        Data(Tag.STRUCTURE, None),
        Data(Tag.DATE_TIME, bytes(11)),
        Data(Tag.BIT_STRING, BitString(9, b"\0")),
        Data(Tag.COMPACT_ARRAY, CompactArray(Tag.UINT8, (axdr.uint16(1),))),
        Data(Tag.COMPACT_ARRAY, CompactArray(StructureType((Tag.UINT8,)), (axdr.structure(),))),
        axdr.octets(bytes(65_536)),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_our_own_fault(value: Data) -> None:
    with pytest.raises(ValueError, match=r"."):
        axdr.encode(value)
