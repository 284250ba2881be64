"""Clock, hub and mains of an emulated home as ports of the harness, and the bench over them."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs
from emulator.core.faults import FaultError
from emulator.core.ids import Eui64
from emulator.runtime.box import Box
from emulator.runtime.driver import Driver
from emulator.runtime.records import Fact, Seen
from emulator.wan.csp import Outcome
from harness.benches.kept_memory import kept
from harness.benches.refusals import fault_error
from harness.errors import BenchError, UsageError
from harness.ports import (
    CapturedFrame,
    Clock,
    Hub,
    Observation,
    Power,
    StageOrder,
    StageOutcome,
)


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
        await self._driver.wait_for(_never, at * 1000, _never)  # of nothing: time alone wakes it


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


class Recorded(Protocol):
    """Where facts and frames of what is emulated stand until somebody takes them."""

    def take_facts(self) -> Iterable[Fact]:
        """Return the facts since the last call, in order of time."""
        ...

    def take_frames(self, until_us: int) -> Iterable[Seen]:
        """Return the frames since the last call that went out by then, in order of time."""
        ...


class DrivenBench(ABC):
    """What benches of emulated homes have in common, whichever devices are in them.

    Attributes:
        kind: ``emulated``.
        clock: Its time.
        hub: Its hub.
        power: Its mains.
        profiles: Device -> its model.
    """

    def __init__(
        self, driver: Driver[Any], records: Recorded, profiles: Mapping[Eui64, DeviceProfile]
    ) -> None:
        """Take what moves the homes; they begin to move when somebody waits for them."""
        self._driver = driver
        self._records = records
        self.kind = "emulated"
        self.clock: Clock = EmulatedClock(driver)
        self.hub: Hub = EmulatedHub(driver)
        self.power: Power = EmulatedPower(driver)
        self.profiles = profiles

    def idle_faults(self) -> tuple[str, ...]:
        """Return the texts of the run's faults that never happened so far."""
        idle: tuple[str, ...] = self._driver.world.idle_faults()
        return idle

    @abstractmethod
    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type.

        Raises:
            BenchError: The bench has none.
        """

    @abstractmethod
    def _state_of(self, role: str) -> Mapping[str, object]:
        """Return a device's whole state.

        Raises:
            BenchError: The bench has no such device.
        """

    @abstractmethod
    def _rows(self) -> dict[str, Mapping[str, str]]:
        """Return each device's state for a reader."""

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers, without what moves by itself.

        Raises:
            BenchError: The bench has no such device.
        """
        self._driver.catch_up()
        return kept(self._state_of(role))

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on, in the notation of ``--fault``.

        ``clear@LINK`` ends every fault of that link or role, those of ``--fault`` included.

        Raises:
            UsageError: The order means nothing.
        """
        self._driver.catch_up()
        try:
            self._driver.world.disturb(order)
        except FaultError as error:
            raise fault_error(error, order) from error
        self._driver.disturbed()

    def take_observations(self) -> Sequence[Observation]:
        """Return the facts seen since the last call."""
        self._driver.catch_up()
        return [
            Observation(fact.at, fact.device, fact.kind, fact.fields)
            for fact in self._records.take_facts()
        ]

    def take_frames(self) -> Sequence[CapturedFrame]:
        """Return the frames captured since the last call, in order of time."""
        self._driver.catch_up()
        seen = self._records.take_frames(self._driver.now_us())
        return [CapturedFrame(*one) for one in seen]

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state for a reader: device -> name -> value."""
        self._driver.catch_up()
        return self._rows()

    async def close(self) -> None:
        """Stop moving the homes."""
        self._driver.detach()


def traffic_rows(counts: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Return numbers of frames for a reader: where they went -> kind -> how many."""
    rows: dict[str, dict[str, str]] = {}
    for key, number in sorted(counts.items()):
        role, _, kind = key.partition("/")
        rows.setdefault(role.upper(), {})[kind] = str(number)
    return rows


def _never() -> None:
    """Nothing is waited for but the time."""
