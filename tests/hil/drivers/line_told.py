"""What a host told a dongle, read out of the octets of the line by codecs of our own."""

from collections.abc import Mapping

from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import DataFrame
from emulator.codecs.ezsp.ash_octets import CANCEL, FLAG, unstuff
from emulator.core.errors import MalformedFrameError
from hil.tap import Direction


class LineTold:
    """A tap that keeps every octet towards the dongle."""

    def __init__(self) -> None:
        self.octets = bytearray()

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:  # noqa: ARG002 -- a tap's form
        if direction == "in":
            self.octets += octets

    def event(self, kind: str, fields: Mapping[str, str | int], at_ns: int) -> None:
        """Nothing but octets is of interest."""

    @property
    def commands(self) -> list[tuple[int, bytes]]:
        """Every EZSP command: its id and its parameters; one sent again counts once."""
        found: list[tuple[int, bytes]] = []
        last = None
        for part in bytes(self.octets).split(bytes([FLAG])):
            try:
                frame = ash.decode(unstuff(part.rpartition(bytes([CANCEL]))[2]) or b"")
            except MalformedFrameError:
                continue
            if not isinstance(frame, DataFrame) or frame.payload == last:
                continue
            last = frame.payload
            if len(last) >= 5 and last[2] == 0x01:
                found.append((int.from_bytes(last[3:5], "little"), last[5:]))
            else:
                found.append((last[2], last[3:]))
        return found
