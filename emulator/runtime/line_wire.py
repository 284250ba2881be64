"""The wire of one line in virtual time: how long octets take, and what faults make of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.core.fault_schedule import FaultSchedule, Frame
from emulator.servers.line_frames import FrameCutter, label_of, seal_of
from emulator.servers.line_parts import Framing

#: Start, eight bits (or seven and parity), stop.
BITS_AN_OCTET: Final = 10
#: One way through a network, where the line is a TCP connection. Source: invented.
LATENCY_US: Final = 5_000


@dataclass(frozen=True, slots=True)
class Carried:
    """One frame, and what became of it.

    Attributes:
        octets: As it was sent, or as it came out where a fault touched it.
        label: What it is.
        start_us: When its first octet went out.
        copies: When the last octet of each copy arrives, and its octets.
        comment: For captures: the faults that touched it.
        faults: Text of every fault that touched it.
    """

    octets: bytes
    label: str
    start_us: int
    copies: tuple[tuple[int, bytes], ...]
    comment: str = ""
    faults: tuple[str, ...] = ()


class LineWire:
    """Both directions of a line; frames keep their order unless a fault delays one.

    Attributes:
        heard_us: When the meter last heard anything.
    """

    def __init__(self, framing: Framing, faults: FaultSchedule, role: str) -> None:
        """Take what travels on it, the run's faults, and the role of the device at its end."""
        self.heard_us = 0
        self._framing = framing
        self._faults = faults
        self._role = role
        self._free_us = {"line-in": 0, "line-out": 0}

    def octets_us(self, count: int, baud: int | None) -> int:
        """Return how long so many octets take; nothing where the line has no speed."""
        return 0 if baud is None else -(-count * BITS_AN_OCTET * 1_000_000 // baud)

    def carry(self, link: str, octets: bytes, baud: int | None, at_us: int) -> list[Carried]:
        """Put octets on the line that were sent in one go.

        Args:
            link: ``line-in`` or ``line-out``.
            octets: One frame or message, or several, or noise.
            baud: Speed; None where the line has none.
            at_us: When the first octet can go out.
        """
        if not octets:
            return []
        pieces = [octets]
        if self._faults.touches(link):
            cutter = FrameCutter(self._framing)
            pieces = [*cutter.feed(octets), *cutter.flush()]
        return [self._one(link, piece, baud, at_us) for piece in pieces]

    def free(self, now_us: int) -> None:
        """Lose what is under way."""
        self._free_us = dict.fromkeys(self._free_us, now_us)

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"free_us": dict(self._free_us), "heard_us": self.heard_us}

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._free_us, self.heard_us = dict(state["free_us"]), state["heard_us"]

    def _one(self, link: str, piece: bytes, baud: int | None, at_us: int) -> Carried:
        start_us = max(at_us, self._free_us[link])
        end_us = start_us + self.octets_us(len(piece), baud)
        self._free_us[link] = end_us
        due_us = end_us + (LATENCY_US if baud is None else 0)
        label = label_of(self._framing, piece)
        if not self._faults.touches(link):
            return Carried(piece, label, start_us, ((due_us, piece),))
        ends = ("", self._role) if link == "line-in" else (self._role, "")
        seal = seal_of(self._framing, piece)
        frame = Frame(link, piece, label, *ends)
        crossing = self._faults.cross(frame, seal.check_bytes, seal.put)
        copies = tuple(
            (due_us + copy.delay_us, copy.frame) for copy in crossing.copies if copy.frame
        )
        if not crossing.faults:
            return Carried(piece, label, start_us, copies)
        comment = f"fault: {', '.join(crossing.faults)}" + ("" if copies else " (lost)")
        shown = copies[0][1] if copies else piece
        return Carried(shown, label, start_us, copies, comment, crossing.faults)
