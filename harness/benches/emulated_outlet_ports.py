"""Hub and mains of a home some of whose devices stand behind a Zigbee radio."""

from collections.abc import Awaitable, Callable
from typing import Any

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.benches.emulated_outlet import OutletDriver
from harness.benches.emulated_ports import EmulatedClock, EmulatedHub, EmulatedPower
from harness.errors import BenchError, UsageError

#: Takes the supply from a device for so many seconds, by the devices' clock; returns at once.
Switch = Callable[[Eui64, float], Awaitable[None]]


class OutletHub(EmulatedHub):
    """The emulated hub, of a bench whose radio may fail."""

    def __init__(self, driver: OutletDriver[Any]) -> None:
        """Take what moves the home."""
        super().__init__(driver)
        self._radio = driver

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the SM WAN, for the hub or a device behind it.

        Raises:
            BenchError: The radio has failed.
        """
        self._radio.check()
        await super().send(message)


class OutletPower(EmulatedPower):
    """The mains of the emulated devices; those behind the radio have their own.

    Attributes:
        switch: Takes the supply from a device behind the radio; None: nobody can.
    """

    def __init__(self, driver: OutletDriver[Any], strangers: frozenset[Eui64], where: str) -> None:
        """Take what moves the home, and who is not in it."""
        super().__init__(driver)
        self.switch: Switch | None = None
        self._clock = EmulatedClock(driver)
        self._strangers = strangers
        self._where = where

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds, and return when it is back.

        Raises:
            BenchError: The bench has no such device, or no switch for it.
            UsageError: ``off_s`` is not more than 0.
        """
        if device not in self._strangers:
            await super().cycle(device, off_s)
            return
        if off_s <= 0:
            raise UsageError(f"power cannot go for {off_s:g} seconds", where=f"device {device}")
        if self.switch is None:
            raise BenchError(
                f"the power of {device} cannot be switched",
                where=self._where,
                cause="it stands behind a Zigbee dongle and has no relay",
                next_command="smetsbench run ID   (without --bench: the emulated bench)",
            )
        await self.switch(device, off_s)
        await self._clock.sleep_until(UtcMs(self._clock.now() + round(off_s * 1000)))
