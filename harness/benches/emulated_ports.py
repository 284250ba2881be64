"""Clock, hub and mains of an emulated home, as ports of the harness."""

from collections import deque
from typing import Any, Protocol

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.runtime.box import Box
from emulator.runtime.driver import Driver
from emulator.wan.csp import Outcome
from harness.errors import BenchError, UsageError
from harness.ports import StageOrder, StageOutcome


class Emulated(Protocol):
    """What hub and mains need of what is emulated: one world, or several beside each other."""

    @property
    def now_us(self) -> int:
        """The present moment, microseconds since 1970."""
        ...

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The boxes; the hub is the first."""
        ...

    @property
    def to_dsp(self) -> deque[bytes]:
        """Messages of the hub that wait for the DSP."""
        ...

    def send_wan(self, message: bytes) -> None:
        """Put a message on its way to the hub."""
        ...

    def has_taken(self, octets: bytes) -> bool:
        """Say whether this very message or image reached the hub, or is on its way and will."""
        ...

    def begin_transfer(self, request_id: str, image: bytes, targets: tuple[Eui64, ...]) -> int:
        """Begin (or return to) an image transfer to the hub; return its number."""
        ...

    def transfer_outcome(self, number: int) -> Outcome | None:
        """Return how an image transfer ended, or None while it runs."""
        ...

    def cut_power(self, eui64: Eui64, off_s: float) -> None:
        """Take the supply from a device now; it returns after ``off_s`` seconds (0: never)."""
        ...


class EmulatedClock:
    """The time of the loop, counted from the bench's first moment."""

    def __init__(self, driver: Driver[Any]) -> None:
        self._driver = driver

    def now(self) -> UtcMs:
        """Return the present moment."""
        return self._driver.now()

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``; returns at once when it has passed."""
        await self._driver.wait_for(_never, at * 1000)


class EmulatedHub:
    """The hub from its WAN side."""

    def __init__(self, driver: Driver[Any]) -> None:
        self._driver = driver
        self._world: Emulated = driver.world

    @property
    def eui64(self) -> Eui64:
        """Identifier of the CHF."""
        return self._world.boxes[0].eui64

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the SM WAN, for the hub or a device behind it."""
        self._driver.catch_up()
        self._world.send_wan(message)
        self._driver.disturbed()

    async def received(self, until: UtcMs) -> bytes | None:
        """Return the next GBCS message from the hub; None once ``until`` has passed."""
        return await self._driver.wait_for(self._next_message, until * 1000)

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Transfer a firmware image to the hub and return when it is held, refused or failed."""
        self._driver.catch_up()
        number = self._world.begin_transfer(order.request_id, order.image, order.targets)

        def ended() -> Outcome | None:
            return self._world.transfer_outcome(number)

        outcome = await self._driver.wait_for(ended)
        if outcome is None:
            raise BenchError("the image transfer never ended", where="emulated CSP")
        return StageOutcome(outcome.delivered, outcome.reason, outcome.at)

    async def has_taken(self, message: bytes) -> bool:
        """Say whether the hub already took this very message or image."""
        self._driver.catch_up()
        return self._world.has_taken(message)

    def _next_message(self) -> bytes | None:
        waiting = self._world.to_dsp
        return waiting.popleft() if waiting else None


class EmulatedPower:
    """The mains of the emulated devices."""

    def __init__(self, driver: Driver[Any]) -> None:
        self._driver = driver

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds, and return when it is back.

        Raises:
            BenchError: The bench has no such device.
            UsageError: ``off_s`` is not more than 0.
        """
        if off_s <= 0:
            raise UsageError(f"power cannot go for {off_s:g} seconds", where=f"device {device}")
        self._driver.catch_up()
        world: Emulated = self._driver.world
        try:
            world.cut_power(device, off_s)
        except KeyError:
            raise BenchError(
                f"the bench has no device {device}",
                cause="an EUI-64 of another installation",
                next_command="smetsbench installations",
            ) from None
        until_us = world.now_us + round(off_s * 1_000_000)
        await self._driver.wait_for(_never, until_us)


def _never() -> None:
    """Nothing is waited for but the time."""
