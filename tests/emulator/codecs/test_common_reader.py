import pytest

from emulator.codecs.common import MAX_LENGTH, Reader, encode_length
from emulator.core.errors import MalformedFrameError


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, MAX_LENGTH])
def test_a_length_is_written_in_its_shortest_form_and_read_back(length: int) -> None:
    octets = encode_length(length)
    reader = Reader("test", octets)
    assert reader.length() == length
    reader.finish()
    assert len(octets) == (1 if length < 128 else 2 if length < 256 else 3)


@pytest.mark.parametrize("length", [-1, MAX_LENGTH + 1])
def test_a_length_no_message_can_have_is_our_own_fault(length: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode_length(length)


def test_a_reader_stops_at_its_own_end_and_names_the_octet() -> None:
    reader = Reader("test", b"\1\2\3\4", 1, 3)
    assert reader.u8() == 2
    with pytest.raises(MalformedFrameError, match="2 octets wanted, 1 left") as caught:
        reader.take(2)
    assert caught.value.offset == 2
    assert reader.u8() == 3
    with pytest.raises(MalformedFrameError, match="0 left"):
        reader.u8()


def test_what_is_not_expected_is_refused_where_it_stands() -> None:
    with pytest.raises(MalformedFrameError, match="3 octets wanted, 2 left"):
        Reader("test", b"\1\2").expect(b"\1\2\xff", "tag")
    with pytest.raises(MalformedFrameError, match="tag must be 0203") as caught:
        Reader("test", b"\1\2").expect(b"\2\3", "tag")
    assert caught.value.offset == 0
