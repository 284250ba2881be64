"""What stands around a served dongle: a home that joins it, or a hub that it may join."""

from collections.abc import Callable
from typing import Any, Protocol

from emulator.core.chance import Chance
from emulator.ncp.air import Air
from emulator.ncp.member_plan import Log
from emulator.ncp.radio_bridge import HomeClock
from emulator.ncp.radio_frames import HeardPacket

#: Told of every packet on the air around the NCP, and when, in the NCP's milliseconds.
Record = Callable[[HeardPacket, int], None]


class Surroundings(Air, Protocol):
    """An air with a memory, as a state file keeps it."""

    def dump(self) -> dict[str, Any]:
        """Return what survives a loss of power, as JSON-able data; keys are in the clear."""
        ...

    def load(self, state: dict[str, Any], now: int) -> None:
        """Take over a ``dump``.

        Raises:
            KeyError: Something is missing in it.
        """
        ...


#: Builds them, once their clock is known, who is told of notes, and who (if anybody) of packets.
Surround = Callable[[HomeClock, Log, Chance, Record | None], Surroundings]
