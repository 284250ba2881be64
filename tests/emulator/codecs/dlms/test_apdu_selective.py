import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr, selective
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import CaptureObject, EntrySelection, RangeSelection
from emulator.core.errors import MalformedFrameError
from tests.sampling import examples

CLOCK = CaptureObject(8, bytes.fromhex("0000010000ff"), 2)
ENERGY = CaptureObject(3, bytes.fromhex("0100010800ff"), 2, 1)
FIRST, LAST = axdr.octets(bytes(12)), axdr.octets(bytes([255] * 12))
RANGE = RangeSelection(CLOCK, FIRST, LAST, (CLOCK, ENERGY))
#: Written by hand from the layout of the two descriptors.
RANGE_OCTETS = bytes.fromhex(
    "0204"
    "0204 120008 09060000010000ff 0f02 120000"
    "090c 000000000000000000000000 090c ffffffffffffffffffffffff"
    "0102"
    "0204 120008 09060000010000ff 0f02 120000"
    "0204 120003 09060100010800ff 0f02 120001"
)
ENTRY_OCTETS = bytes.fromhex("0204 0600000001 0600000030 120001 120000")


def test_a_range_with_columns_is_written_and_read() -> None:
    selection = selective.selection_of(RANGE)
    assert (selection.selector, axdr.encode(selection.parameters)) == (1, RANGE_OCTETS)
    assert selective.read_selection(selection) == RANGE


def test_an_entry_selection_is_written_and_read() -> None:
    selection = selective.selection_of(EntrySelection(1, 48))
    assert (selection.selector, axdr.encode(selection.parameters)) == (2, ENTRY_OCTETS)
    assert selective.read_selection(selection) == EntrySelection(1, 48, 1, 0)


COLUMNS = st.builds(
    CaptureObject,
    st.integers(0, 65535),
    st.binary(min_size=6, max_size=6),
    st.integers(-128, 127),
    st.integers(0, 65535),
)


@given(
    st.one_of(
        st.builds(
            lambda column, a, b, columns: RangeSelection(
                column, Data(Tag.UINT32, a), Data(Tag.UINT32, b), tuple(columns)
            ),
            COLUMNS,
            st.integers(0, (1 << 32) - 1),
            st.integers(0, (1 << 32) - 1),
            st.lists(COLUMNS, max_size=4),
        ),
        st.builds(
            EntrySelection,
            st.integers(0, (1 << 32) - 1),
            st.integers(0, (1 << 32) - 1),
            st.integers(0, 65535),
            st.integers(0, 65535),
        ),
    )
)
@settings(derandomize=True, max_examples=examples(100), deadline=None)
def test_any_selection_comes_back(choice: RangeSelection | EntrySelection) -> None:
    selection = selective.selection_of(choice)
    parameters = axdr.decode(axdr.encode(selection.parameters))
    assert selective.read_selection(Selection(selection.selector, parameters)) == choice


CLOCK_DATA = selective.capture_object(CLOCK)
NO_COLUMNS = Data(Tag.ARRAY, ())


@pytest.mark.parametrize(
    ("selector", "parameters", "why"),
    [
        (3, NULL, "neither 1 nor 2"),
        (1, NULL, "STRUCTURE is due"),
        (2, NULL, "STRUCTURE is due"),
        (1, axdr.structure(CLOCK_DATA, FIRST, LAST), "four elements"),
        (1, axdr.structure(CLOCK_DATA, FIRST, NULL, NO_COLUMNS), "one type"),
        (1, axdr.structure(NULL, FIRST, LAST, NO_COLUMNS), "STRUCTURE is due"),
        (1, axdr.structure(CLOCK_DATA, FIRST, LAST, NULL), "ARRAY is due"),
        (1, axdr.structure(axdr.structure(NULL), FIRST, LAST, NO_COLUMNS), "capture object is"),
        (2, axdr.structure(*[axdr.uint16(1)] * 4), "double-long-unsigned"),
    ],
)
def test_parameters_of_another_shape_are_refused(selector: int, parameters: Data, why: str) -> None:
    with pytest.raises(MalformedFrameError, match=why):
        selective.read_selection(Selection(selector, parameters))


def test_a_short_logical_name_is_refused() -> None:
    column = selective.capture_object(CaptureObject(1, b"\0\1", 2))
    with pytest.raises(MalformedFrameError, match="six octets"):
        selective.read_capture_object(column)
