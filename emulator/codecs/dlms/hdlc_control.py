"""HDLC control octets: what a frame is for, and its numbers (modulo 8)."""

import enum
from dataclasses import dataclass
from typing import Final

from emulator.core.errors import MalformedFrameError

#: The poll bit of a command, the final bit of a response.
POLL_FINAL: Final = 0x10
#: Sequence numbers run from 0 to 7.
MODULUS: Final = 8


class Kind(enum.Enum):
    """The frames DLMS uses, and whatever else a control octet may say."""

    I = "I"  # noqa: E741 - the standard's own name of the information frame
    RR = "RR"
    RNR = "RNR"
    SNRM = "SNRM"
    DISC = "DISC"
    UA = "UA"
    DM = "DM"
    FRMR = "FRMR"
    UI = "UI"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Control:
    """One control octet, taken apart.

    Attributes:
        octet: The octet itself; it alone is written.
        kind: What the frame is for.
        poll: The poll/final bit.
        send: N(S), number of an I frame; 0 in all others.
        receive: N(R), number of the next I frame expected (I, RR, RNR); 0 in all others.
    """

    octet: int
    kind: Kind
    poll: bool
    send: int = 0
    receive: int = 0


_UNNUMBERED: Final = {
    0x83: Kind.SNRM,
    0x43: Kind.DISC,
    0x63: Kind.UA,
    0x0F: Kind.DM,
    0x87: Kind.FRMR,
    0x03: Kind.UI,
}
_SUPERVISORY: Final = {0x01: Kind.RR, 0x05: Kind.RNR}
_BASES: Final = {kind: base for base, kind in (_UNNUMBERED | _SUPERVISORY).items()}


def _take_apart(octet: int) -> Control:
    poll = bool(octet & POLL_FINAL)
    if not octet & 1:
        return Control(octet, Kind.I, poll, octet >> 1 & 7, octet >> 5)
    supervisory = _SUPERVISORY.get(octet & 0x0F)
    if supervisory is not None:
        return Control(octet, supervisory, poll, 0, octet >> 5)
    return Control(octet, _UNNUMBERED.get(octet & ~POLL_FINAL, Kind.UNKNOWN), poll)


#: Every control octet, taken apart once.
CONTROLS: Final = tuple(_take_apart(octet) for octet in range(256))


def i_control(send: int, receive: int, *, poll: bool) -> Control:
    """Return the control of an I frame; numbers are taken modulo 8."""
    return CONTROLS[(receive & 7) << 5 | (POLL_FINAL if poll else 0) | (send & 7) << 1]


def control(kind: Kind, *, poll: bool = True, receive: int = 0) -> Control:
    """Return the control of any other frame; ``receive`` counts for RR and RNR alone.

    Raises:
        ValueError: ``kind`` is I or UNKNOWN.

    Source:
        IEC 62056-46 6.4.3.7 (control field coding), known; the values 93, 73 and 52 stand in the
        golden frames of reference serial-dlms.md section 5.
    """
    if kind not in _BASES:
        raise ValueError(f"{kind.name} has no control octet of its own")
    number = (receive & 7) << 5 if kind in {Kind.RR, Kind.RNR} else 0
    return CONTROLS[_BASES[kind] | (POLL_FINAL if poll else 0) | number]


class Fault(enum.IntFlag):
    """Why a frame was rejected: the bits of the third octet of an FRMR."""

    UNDEFINED_CONTROL = 0x01
    INFORMATION_NOT_ALLOWED = 0x02
    INFORMATION_TOO_LONG = 0x04
    INVALID_RECEIVE_NUMBER = 0x08


@dataclass(frozen=True, slots=True)
class FrameReject:
    """The information field of an FRMR.

    Attributes:
        rejected: Control octet of the frame refused.
        send: V(S) of the refusing side.
        receive: V(R) of the refusing side.
        was_response: The refused frame was a response.
        faults: Why.
    """

    rejected: int
    send: int
    receive: int
    faults: Fault
    was_response: bool = False

    def encode(self) -> bytes:
        """Return the three octets.

        Source:
            ISO/IEC 13239 5.5.3.5 (bit order as two makers' manuals of NRM adapters print it).
        """
        states = (self.receive & 7) << 5 | self.was_response << 4 | (self.send & 7) << 1
        return bytes((self.rejected, states, self.faults))

    @classmethod
    def decode(cls, data: bytes) -> "FrameReject":
        """Read the information field of an FRMR.

        Raises:
            MalformedFrameError: Not three octets, or a reserved bit is set.
        """
        layer = "dlms.hdlc.frmr"
        if len(data) != 3:
            raise MalformedFrameError(layer, data, f"three octets wanted, not {len(data)}", 0)
        if data[1] & 1:
            raise MalformedFrameError(layer, data, "a reserved bit is set", 1)
        if data[2] & 0xF0:
            raise MalformedFrameError(layer, data, "a reserved bit is set", 2)
        states = data[1]
        return cls(data[0], states >> 1 & 7, states >> 5, Fault(data[2]), bool(states & 0x10))
