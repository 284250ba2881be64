"""Frames of IEEE 802.15.4 as a listener heard them."""

from dataclasses import dataclass
from typing import Final, Self

from emulator.codecs.zigbee import mac
from harness.report.air_tap import FCS_BYTES

#: Octets that a dongle delivers behind a frame and that are not its check sequence.
#: Source: bellows, ``_packet_capture``; not tried on silicon.
_TAIL_BYTES: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """One frame.

    Attributes:
        at_us: Moment of its delivery, microseconds of UTC since 1970. A dongle tells no time of
            its own here, so the line's delay is in it.
        channel: 11 to 26.
        octets: MAC header and payload, without the check sequence.
        lqi: Link quality, 0 to 255.
        rssi_dbm: Strength.
    """

    at_us: int
    channel: int
    octets: bytes
    lqi: int = 0
    rssi_dbm: int = 0

    @classmethod
    def delivered(cls, at_us: int, channel: int, octets: bytes, lqi: int, rssi_dbm: int) -> Self:
        """Return the frame a dongle delivered in ``mfglibRxHandler``.

        Args:
            at_us: As above.
            channel: As above.
            octets: As delivered: behind the frame stand two octets that are no check sequence.
            lqi: As above.
            rssi_dbm: As above.
        """
        return cls(at_us, channel, octets[:-_TAIL_BYTES], lqi, rssi_dbm)

    @property
    def with_fcs(self) -> bytes:
        """The frame with its check sequence, computed here: the dongle checked it and kept it."""
        return self.octets + mac.fcs(self.octets).to_bytes(FCS_BYTES, "little")
