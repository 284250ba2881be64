"""What all service dialogues share: plain APDUs out, plain APDUs in, and one value at the end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from emulator.codecs.dlms.apdu_blocks import BlockFault
from emulator.codecs.dlms.initiate import Conformance
from emulator.core.values import quick
from harness.meter import Silence, Unanswered

T_co = TypeVar("T_co", covariant=True)
_INVOKE_ID: Final = 0x0F


@quick
@dataclass(frozen=True, slots=True)
class Ended(Generic[T_co]):
    """The dialogue is over."""

    value: T_co


class Dialogue(Protocol[T_co]):
    """One service, from its first request to its last answer."""

    def begin(self) -> "bytes | Ended[T_co]":
        """Return the first request, or the end where nothing need be asked."""
        ...

    def take(self, apdu: bytes) -> "bytes | Ended[T_co]":
        """Take the meter's answer; return the next request, or the end.

        Raises:
            MalformedFrameError: The answer is of another service, or does not follow its format.
        """
        ...


@quick
@dataclass(frozen=True, slots=True)
class Terms:
    """What an association allows a service.

    Attributes:
        conformance: Services agreed.
        room_bytes: Longest plain APDU the meter takes; 0 is no limit.
        max_answer_bytes: Longest value we take together from blocks.
        invoke: Gives the invoke-id-and-priority of the next request.
    """

    conformance: Conformance
    room_bytes: int
    max_answer_bytes: int
    invoke: Callable[[], int]

    def fits(self, apdu: bytes) -> bool:
        """Say whether the meter takes an APDU of that length."""
        return self.room_bytes == 0 or len(apdu) <= self.room_bytes

    def allow(self, service: Conformance) -> bool:
        """Say whether a service was agreed upon."""
        return self.conformance._value_ & service._value_ != 0  # flags are slow to reckon with


def is_answer_to(answer: int, asked: int) -> bool:
    """Say whether two invoke-id-and-priority octets name the same invocation (bits 0 to 3)."""
    return (answer ^ asked) & _INVOKE_ID == 0


def broken(detail: str, apdu: bytes) -> Ended[Unanswered]:
    """End a dialogue whose answer does not answer what was asked."""
    return Ended(Unanswered(Silence.BROKEN, detail, apdu))


def wrong_invoke(answer: int, asked: int, apdu: bytes) -> Ended[Unanswered]:
    """End a dialogue whose answer belongs to another invocation."""
    ids = f"{answer & _INVOKE_ID}, {asked & _INVOKE_ID} was asked"
    return broken(f"the answer has invoke id {ids}", apdu)


def aborted(detail: str, apdu: bytes = b"") -> Ended[Unanswered]:
    """End a dialogue whose block transfer cannot go on."""
    return Ended(Unanswered(Silence.ABORTED, detail, apdu))


_FAULTS: Final = {
    BlockFault.WRONG_NUMBER: "a block has not the number that is due",
    BlockFault.EMPTY_BLOCK: "a block has no octets",
    BlockFault.TOO_LONG: "the blocks are longer together than we take",
    BlockFault.NOT_IN_PROGRESS: "a block came after the last",
}


def faulty_block(fault: BlockFault, apdu: bytes) -> Ended[Unanswered]:
    """End a dialogue for a block that cannot be taken."""
    return aborted(f"the block transfer ended: {_FAULTS[fault]}", apdu)
