"""The air of one HAN: one frame at a time, for as long as its octets take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from emulator.codecs.zigbee import mac
from emulator.core.fault_schedule import FaultSchedule, Frame
from emulator.core.values import quick
from emulator.han.outputs import Micros

LINK: Final = "han"
#: 250 kbit/s. Source: known (IEEE 802.15.4, O-QPSK at 2.4 GHz).
OCTET_US: Final = 32
#: Preamble, start-of-frame delimiter and length in front of every frame. Source: known (as above).
PHY_HEADER_BYTES: Final = 6
#: Pause between two frames (macMinLIFSPeriod, 40 symbols). Source: known (as above).
SPACING_US: Final = 640
#: From the last octet on the air to the receiver's stack. Source: invented.
LATENCY_US: Final = 2_000
_FCS_BYTES: Final = 2


@quick
@dataclass(frozen=True, slots=True)
class Arrival:
    """A frame that reaches the receiver's radio.

    Attributes:
        due_us: When its last octet has arrived and been handed up.
        octets: The MAC frame, as damaged as it is.
    """

    due_us: Micros
    octets: bytes


@quick
@dataclass(frozen=True, slots=True)
class Carried:
    """What became of a frame put on the air.

    Attributes:
        start_us: When its first octet went out.
        arrivals: What the receiver gets; none when the frame is lost.
        faults: Texts of the faults that touched it.
    """

    start_us: Micros
    arrivals: tuple[Arrival, ...]
    faults: tuple[str, ...]


class Medium:
    """Carries MAC frames between nodes in range of each other, one after the other.

    No collisions: a node waits until the air is free.
    """

    def __init__(self, schedule: FaultSchedule, latency_us: Micros = LATENCY_US) -> None:
        """Take the run's faults and the time a stack needs to hand a frame up."""
        self._schedule = schedule
        self._latency_us = latency_us
        self._free_us = 0

    @property
    def clear(self) -> bool:
        """Whether no fault lies on the air: what goes out arrives as it was sent, once."""
        return not self._schedule.touches(LINK)

    def occupy(self, length_bytes: int, now_us: Micros) -> tuple[Micros, Micros]:
        """Take the air for one frame; returns when it goes out, and when it is handed up."""
        free_us = self._free_us
        start_us = now_us if free_us < now_us else free_us  # noqa: FURB136 - without a call
        end_us = start_us + (PHY_HEADER_BYTES + length_bytes) * OCTET_US
        self._free_us = end_us + SPACING_US
        return start_us, end_us + self._latency_us

    def carry(self, octets: bytes, label: str, roles: tuple[str, str], now_us: Micros) -> Carried:
        """Put one frame on the air.

        Args:
            octets: The MAC frame, FCS included.
            label: What it is, for faults.
            roles: Role of the sender and of the receiver, for faults.
            now_us: The present moment.
        """
        start_us, due_us = self.occupy(len(octets), now_us)
        if self.clear:
            return Carried(start_us, (Arrival(due_us, octets),), ())
        frame = Frame(LINK, octets, label, *roles)
        crossing = self._schedule.cross(frame, _FCS_BYTES, with_fcs)
        arrivals = tuple(Arrival(due_us + copy.delay_us, copy.frame) for copy in crossing.copies)
        return Carried(start_us, arrivals, crossing.faults)

    def dump(self) -> dict[str, Any]:
        """Return everything as plain data."""
        return {"free_us": self._free_us}

    def load(self, state: Mapping[str, Any]) -> None:
        """Put everything back."""
        self._free_us = state["free_us"]


def with_fcs(body: bytes) -> bytes:
    """Return MAC header and payload with the right frame check sequence behind them."""
    return body + mac.check_octets(body)
