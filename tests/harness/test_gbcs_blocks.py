"""Messages in blocks (GBT): out of files, and out of what a link carried."""

from pathlib import Path

import pytest

from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.gbt import GbtBlock, GbtSettings
from emulator.core.errors import MalformedFrameError
from harness.gbcs_blocks import messages_of, whole_messages
from harness.gbcs_files import NotAMessageError, read_file, read_messages
from tests.vectors.gbcs import generate

MADE = [octets for name, octets in generate.made(generate.new_store()) if "PRE" not in name]
LONG, OTHER = sorted(MADE, key=len)[-2:]


def blocks_of(message: bytes) -> list[GbtBlock]:
    header = envelope.decode(message).header
    return list(gbt.segment(message, header, GbtSettings(block_bytes=50)))


def frames(blocks: list[GbtBlock]) -> list[bytes]:
    return [gbt.encode(block) for block in blocks]


def test_a_file_of_blocks_holds_the_message_they_carry(tmp_path: Path) -> None:
    path = tmp_path / "blocks.hex"
    path.write_text("\n".join(frame.hex() for frame in frames(blocks_of(LONG))))
    [found] = read_file(path)
    assert found.octets == LONG
    assert found.source == str(path)


def test_a_file_of_the_blocks_of_two_messages_holds_both() -> None:
    mixed = frames(blocks_of(LONG)[:1] + blocks_of(OTHER) + blocks_of(LONG)[1:])
    found = read_messages(b"".join(mixed).hex().encode(), "-")
    assert [one.octets for one in found] == [LONG, OTHER]
    assert [one.source for one in found] == ["-#1", "-#2"]


def test_a_file_without_one_of_the_blocks_is_refused_with_its_number() -> None:
    text = b"".join(frames(blocks_of(LONG)[:1] + blocks_of(LONG)[2:])).hex().encode()
    with pytest.raises(NotAMessageError, match="block missing: 2"):
        read_messages(text, "-")
    with pytest.raises(NotAMessageError, match="block of 62 octets"):
        read_messages(frames(blocks_of(LONG))[0].hex().encode()[:-2], "-")


def test_on_a_link_whole_messages_and_blocks_come_out_in_the_order_they_were_whole() -> None:
    one, *rest = frames(blocks_of(LONG))
    ack = GbtBlock(
        blocks_of(LONG)[0].cra, 1, blocks_of(LONG)[0].target, blocks_of(LONG)[0].originator, 1, 0
    )
    carried = [one, OTHER, gbt.encode(ack), one, *rest, OTHER]
    assert whole_messages(carried) == [OTHER, LONG, OTHER]


def test_on_a_link_blocks_that_make_no_message_stay_as_they_came() -> None:
    one, *_, last = frames(blocks_of(LONG))
    damaged = gbt.FIRST_OCTETS + b"\x07"
    assert whole_messages([one, OTHER, last, damaged]) == [OTHER, damaged, one, last]


def test_acknowledgements_alone_are_no_message() -> None:
    first = blocks_of(LONG)[0]
    ack = GbtBlock(first.cra, 1, first.target, first.originator, 1, 0, 1)
    with pytest.raises(MalformedFrameError, match="acknowledgements alone"):
        messages_of([ack])
