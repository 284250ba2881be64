"""Block transfer: long values cut into numbered blocks, and put together again."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult, DataBlock
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.core.errors import IllegalEventError

#: Octets of an APDU before the length of a block's octets: GET response; SET or ACTION request
#: or response without descriptors.
GET_HEAD_BYTES: Final = 9
BLOCK_HEAD_BYTES: Final = 8
_FIRST: Final = 1
_LENGTH_BYTES: Final = 3
_SENDER: Final = frozenset({"octets", "at", "number", "in_progress"})
_COLLECTOR: Final = frozenset({"octets", "due", "in_progress"})
_MAX_NUMBER: Final = (1 << 32) - 1


class BlockFault(enum.StrEnum):
    """Why a block transfer ends without its value."""

    WRONG_NUMBER = "wrong_number"
    EMPTY_BLOCK = "empty_block"
    TOO_LONG = "too_long"
    NOT_IN_PROGRESS = "not_in_progress"


#: The result with which a server ends a transfer of each service.
GET_RESULTS: Final = {
    BlockFault.WRONG_NUMBER: DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
    BlockFault.EMPTY_BLOCK: DataAccessResult.LONG_GET_ABORTED,
    BlockFault.TOO_LONG: DataAccessResult.LONG_GET_ABORTED,
    BlockFault.NOT_IN_PROGRESS: DataAccessResult.NO_LONG_GET_IN_PROGRESS,
}
SET_RESULTS: Final = {
    BlockFault.WRONG_NUMBER: DataAccessResult.DATA_BLOCK_NUMBER_INVALID,
    BlockFault.EMPTY_BLOCK: DataAccessResult.LONG_SET_ABORTED,
    BlockFault.TOO_LONG: DataAccessResult.LONG_SET_ABORTED,
    BlockFault.NOT_IN_PROGRESS: DataAccessResult.NO_LONG_SET_IN_PROGRESS,
}
ACTION_RESULTS: Final = {
    BlockFault.WRONG_NUMBER: ActionResult.LONG_ACTION_ABORTED,
    BlockFault.EMPTY_BLOCK: ActionResult.LONG_ACTION_ABORTED,
    BlockFault.TOO_LONG: ActionResult.LONG_ACTION_ABORTED,
    BlockFault.NOT_IN_PROGRESS: ActionResult.NO_LONG_ACTION_IN_PROGRESS,
}


def room_bytes(max_pdu_bytes: int, head_bytes: int) -> int:
    """Return how many octets a block may hold so that its APDU is not too long.

    Args:
        max_pdu_bytes: Longest APDU the receiver takes; 0 is no limit.
        head_bytes: Octets of the APDU before the block's length; see ``GET_HEAD_BYTES``, and add
            descriptors and what ciphering adds.

    Returns:
        At most 65,535; 0 or less when nothing fits.
    """
    if max_pdu_bytes == 0:
        return MAX_LENGTH
    left = max_pdu_bytes - head_bytes
    if left <= 0x80:
        return left - 1
    return left - 2 if left < 0x102 else min(max(left - _LENGTH_BYTES, 0xFF), MAX_LENGTH)


class BlockSender:
    """Deals a value out in blocks; each asks that the one before be acknowledged.

    Attributes:
        number: Number of the last block given; 0 before the first.
        in_progress: A block is still to come.
    """

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0
        self.number = 0
        self.in_progress = True

    def first(self, room: int) -> DataBlock:
        """Give block 1, of at most ``room`` octets.

        Raises:
            IllegalEventError: It was given already.
            ValueError: ``room`` is less than 1.
        """
        if self.number:
            raise IllegalEventError(f"first block asked again after block {self.number}")
        return self._cut(room)

    def next(self, acknowledged: int, room: int) -> DataBlock | BlockFault:
        """Give the block after ``acknowledged``, of at most ``room`` octets, or say why not.

        A fault ends the transfer.

        Raises:
            ValueError: ``room`` is less than 1.
        """
        if not self.in_progress or not self.number:
            return BlockFault.NOT_IN_PROGRESS
        if acknowledged != self.number:
            self.in_progress = False
            return BlockFault.WRONG_NUMBER
        return self._cut(room)

    def dump(self) -> State:
        """Return the value and where the dealing stands, as JSON-able data."""
        return {
            "octets": self._octets.hex(),
            "at": self._at,
            "number": self.number,
            "in_progress": self.in_progress,
        }

    @classmethod
    def loaded(cls, state: Json, path: str = "block_sender") -> "BlockSender":
        """Return the sender that was dumped.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits.
        """
        dumped = Dumped(state, path, _SENDER)
        sender = cls(dumped.octets("octets"))
        sender._at = dumped.number("at", 0, len(sender._octets))
        sender.number = dumped.number("number", 0, _MAX_NUMBER)
        sender.in_progress = dumped.flag("in_progress")
        return sender

    def _cut(self, room: int) -> DataBlock:
        if room < 1:
            raise ValueError("no octet of the value fits the longest APDU allowed")
        piece = self._octets[self._at : self._at + room]
        self._at += len(piece)
        self.number += 1
        self.in_progress = self._at < len(self._octets)
        return DataBlock(not self.in_progress, self.number, piece)


@dataclass(frozen=True, slots=True)
class Awaiting:
    """Block ``number`` was taken; acknowledge it and the next will come."""

    number: int


@dataclass(frozen=True, slots=True)
class Complete:
    """Block ``number`` was the last; ``octets`` are those of all blocks."""

    number: int
    octets: bytes


class BlockCollector:
    """Puts blocks together: numbers from 1 without a gap, to a limit of octets.

    A block without octets is refused unless it is the last, so the number of blocks is bounded by
    the limit too.

    Attributes:
        limit_bytes: Most octets the value may have.
        in_progress: A block is still awaited.
    """

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.in_progress = True
        self._octets = bytearray()
        self._due = _FIRST

    def take(self, block: DataBlock) -> Awaiting | Complete | BlockFault:
        """Take one block; a fault ends the transfer and drops what was gathered."""
        if not self.in_progress:
            return BlockFault.NOT_IN_PROGRESS
        fault = self._fault(block)
        if fault is not None:
            self.in_progress = False
            self._octets.clear()
            return fault
        self._octets += block.octets
        self._due += 1
        if not block.last:
            return Awaiting(block.number)
        self.in_progress = False
        gathered = bytes(self._octets)
        self._octets.clear()
        return Complete(block.number, gathered)

    def dump(self) -> State:
        """Return what was gathered and which block is due, as JSON-able data."""
        return {
            "octets": self._octets.hex(),
            "due": self._due,
            "in_progress": self.in_progress,
        }

    def load(self, state: Json, path: str = "block_collector") -> None:
        """Take over a ``dump`` of a collector with the same limit.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits; nothing is taken.
        """
        dumped = Dumped(state, path, _COLLECTOR)
        due, in_progress = dumped.number("due", _FIRST, _MAX_NUMBER + 1), dumped.flag("in_progress")
        self._octets = bytearray(dumped.octets("octets", self.limit_bytes))
        self._due, self.in_progress = due, in_progress

    def _fault(self, block: DataBlock) -> BlockFault | None:
        if block.number != self._due:
            return BlockFault.WRONG_NUMBER
        if not block.octets and not block.last:
            return BlockFault.EMPTY_BLOCK
        if len(self._octets) + len(block.octets) > self.limit_bytes:
            return BlockFault.TOO_LONG
        return None
