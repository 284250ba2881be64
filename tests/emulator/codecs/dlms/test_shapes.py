"""Shapes of DLMS values: words, plain values, and what fits."""

import pytest

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import BitString, CompactArray, Data, Tag
from emulator.codecs.dlms.shapes import ShapeError, fits, make, shape_of


@pytest.mark.parametrize(
    ("word", "plain", "octets"),
    [
        ("u16", 258, "120102"),
        ("bool", True, "03ff"),
        ("text", "abc", "0903616263"),
        ("date", "*-12-25", "0905ffff0c19ff"),
        ("time", "07:30:00", "0904071e0000"),
        ("date_time", "2015-01-01T00:00:00", "090c07df0101ff000000008000ff"),
        ("date_time", "now", "090c0000000000000000008000ff"),
        ("date_time", "never", "090cffffffffffffffffff8000ff"),
        ("utc", "2000-01-01T00:01:00", "060000003c"),
        ("unix", "1970-01-01T00:01:00", "060000003c"),
        ("obis", "0-0:10.0.100.255", "090600000a0064ff"),
        ("bits", "11110", "0405f0"),
        ("scaler_unit", [0, 30], "02020f00161e"),
        ("scaler_unit", {"unit": 30, "scaler": 0}, "02020f00161e"),
        ("array(u8)", [1, 2], "010211011102"),
        ("u8[2]", [1, 2], "010211011102"),
        ("u16|date_time", 30, "12001e"),
        ("compact(struct(at:utc,code:u16))", [["2000-01-01T00:00:01", 5]],
         "130202061206000000010005"),
        ("prices", 5, "01010202090010" + "0005"),
        ("prices", [5, 6], "01020202090101100005" + "0202090102100006"),
    ],
)  # fmt: skip
def test_a_plain_value_means_these_octets(word: str, plain: object, octets: str) -> None:
    made = make(shape_of(word), plain)
    assert axdr.encode(made).hex() == octets
    assert fits(shape_of(word), made)


def test_prices_have_the_indexes_of_registers_and_blocks() -> None:
    encoded = axdr.encode(make(shape_of("prices"), list(range(80))))
    indexes = [encoded[at] for at in range(6, len(encoded), 8)]
    assert bytes(indexes[:2]).hex() == "0102"
    assert bytes(indexes[47:50]).hex() == "30a1a2"
    assert (len(indexes), indexes[-1]) == (80, 0xD8)


@pytest.mark.parametrize(
    ("word", "plain", "path"),
    [
        ("u8", 256, "value"),
        ("u8", True, "value"),
        ("bool", 1, "value"),
        ("date", "25 December", "value"),
        ("flags256", [256], "value"),
        ("octets8", "00", "value"),
        ("u8[2]", [1], "value"),
        ("array(u8)", [1, -1], r"value\[1\]"),
        ("scaler_unit", {"scaler": 0}, "value"),
        ("array(struct(a:u8))", [{"a": "x"}], r"value\[0\]\.a"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(word: str, plain: object, path: str) -> None:
    with pytest.raises(ShapeError, match=f"^{path}: "):
        make(shape_of(word), plain)


@pytest.mark.parametrize("word", ["", "u7", "array(u8", "struct(u8)", "u8[x]", "u8)", "a-b"])
def test_what_is_no_word_is_refused(word: str) -> None:
    with pytest.raises(ValueError, match=r"no shape|invalid literal"):
        shape_of(word)


@pytest.mark.parametrize(
    ("word", "data"),
    [
        ("u16", Data(Tag.UINT32, 1)),
        ("octets8", axdr.octets(bytes(7))),
        ("flags256", Data(Tag.BIT_STRING, BitString(255, bytes(32)))),
        ("array(u8)", Data(Tag.STRUCTURE, ())),
        ("scaler_unit", axdr.structure(Data(Tag.INT8, 0))),
        ("u8[2]", Data(Tag.ARRAY, (Data(Tag.UINT8, 1),))),
        ("compact(u8)", Data(Tag.ARRAY, ())),
        ("compact(u8)", Data(Tag.COMPACT_ARRAY, CompactArray(Tag.UINT16, (axdr.uint16(1),)))),
        ("u8|u16", Data(Tag.UINT32, 1)),
    ],
)
def test_a_value_of_another_shape_does_not_fit(word: str, data: Data) -> None:
    assert not fits(shape_of(word), data)
