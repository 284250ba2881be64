"""Long requests: parameters cut into blocks that fit the meter's longest APDU."""

from collections.abc import Callable
from typing import Final

from emulator.codecs.dlms.apdu_blocks import BlockFault, BlockSender, room_bytes
from emulator.codecs.dlms.apdu_parts import DataBlock

_NO_OCTETS: Final = DataBlock(False, 1, b"")
_LENGTH_BYTES: Final = 1

Frame = Callable[[DataBlock], bytes]


class LongRequest:
    """One request in blocks: the first names attribute or method, the others only carry on.

    Attributes:
        last_number: Number of the block sent last.
        all_sent: The last block has been sent.
    """

    def __init__(self, octets: bytes, room: int, first: Frame, further: Frame) -> None:
        """Make a request.

        Args:
            octets: What is sent in blocks.
            room: Longest plain APDU, 0 for no limit.
            first: Block -> the first APDU.
            further: Block -> any other APDU.
        """
        self._sender = BlockSender(octets)
        self._first, self._further = first, further
        self._first_room = _room(room, first)
        self._room = _room(room, further)

    @property
    def is_possible(self) -> bool:
        """Whether at least one octet of the value fits each APDU."""
        return self._first_room > 0 and self._room > 0

    @property
    def last_number(self) -> int:
        """Number of the block sent last; 0 before the first."""
        return self._sender.number

    @property
    def all_sent(self) -> bool:
        """Whether the last block has been sent."""
        return not self._sender.in_progress

    def begin(self) -> bytes:
        """Return the first APDU."""
        return self._first(self._sender.first(self._first_room))

    def go_on(self, acknowledged: int) -> bytes | BlockFault:
        """Return the APDU after the acknowledged block, or why there is none."""
        block = self._sender.next(acknowledged, self._room)
        return block if isinstance(block, BlockFault) else self._further(block)


def _room(room: int, frame: Frame) -> int:
    head = len(frame(_NO_OCTETS)) - _LENGTH_BYTES
    return room_bytes(room, head)
