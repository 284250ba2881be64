"""A line between hub and CSP: latency, order, faults."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from emulator.core.fault_schedule import FaultSchedule, Frame
from emulator.core.values import quick

#: One way between the CSP and a hub. Source: invented.
LATENCY_US: Final = 200_000


@quick
@dataclass(frozen=True, slots=True)
class Passage:
    """What became of a frame.

    Attributes:
        arrivals: When (microseconds since 1970), and what the other side gets.
        faults: Texts of the faults that touched it.
    """

    arrivals: tuple[tuple[int, bytes], ...]
    faults: tuple[str, ...]


@quick
@dataclass(frozen=True, slots=True)
class Line:
    """Both directions of one line; frames keep their order unless a fault delays one.

    Attributes:
        schedule: The run's faults.
        label_of: Names a frame, for faults; asked only where a fault lies on the line.
        check_bytes: Octets of check sequence at the tail of a frame.
        seal: Puts the right check sequence behind a body.
        latency_us: Microseconds that a frame takes.
    """

    schedule: FaultSchedule
    label_of: Callable[[bytes], str]
    check_bytes: int = 0
    seal: Callable[[bytes], bytes] = bytes
    latency_us: int = LATENCY_US

    def carry(self, link: str, octets: bytes, now_us: int, role: str = "chf") -> Passage:
        """Send one frame.

        Args:
            link: Direction: ``wan-in``, ``wan-out``, ``csp-in`` or ``csp-out``.
            octets: The frame.
            now_us: The present moment.
            role: Role of the device it is for or from.
        """
        due_us = now_us + self.latency_us
        if not self.schedule.touches(link):
            return Passage(((due_us, octets),), ())
        inward = link.endswith("-in")
        roles = ("", role) if inward else (role, "")
        frame = Frame(link, octets, self.label_of(octets), *roles)
        crossing = self.schedule.cross(frame, self.check_bytes, self.seal)
        arrivals = tuple((due_us + copy.delay_us, copy.frame) for copy in crossing.copies)
        return Passage(arrivals, crossing.faults)
