"""GCS28: a supplier says between which moments it is now, and a gas meter believes its clock."""

from typing import TYPE_CHECKING

from emulator.codecs.gbcs import joins as wire
from emulator.codecs.gbcs.joins import ClockState, SetClock
from emulator.core.clock import UtcMs
from emulator.devices.asn1_commands import read_payload
from emulator.devices.checks import Command
from emulator.devices.handlers import Answer

if TYPE_CHECKING:
    from emulator.devices.base import Device


def set_clock(device: "Device", command: Command, now: UtcMs) -> Answer:
    """GCS28: take the clock for reliable if it shows a moment of the interval.

    The clock itself comes from the hub; one outside the interval is unreliable from now on.

    Raises:
        CommandRefusedError: The payload has another layout.

    Source:
        RTDS 8.1.1_GCS28 (a time in the interval: reliable); outside it: inferred.
    """
    asked = read_payload(command, SetClock.read)
    shown = device.local_time(now)
    device.clock_reliable = asked.earliest <= shown <= asked.latest
    state = ClockState.RELIABLE if device.clock_reliable else ClockState.UNRELIABLE
    return Answer(wire.clock_told(shown, state))
