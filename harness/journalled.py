"""A bench whose every operation is journalled: the same ports, safe against a kill."""

from collections.abc import Mapping, Sequence
from typing import Any

from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.journal import text
from harness.journalled_meter import JournalledMeter
from harness.meter import Credentials
from harness.ports import Listening, Observation, StageOrder, StageOutcome
from harness.recorder import Operation, Recorder, Settling


def _nothing(_value: None) -> dict[str, Any]:
    return {}


def _none(_value: dict[str, Any]) -> None:
    return None


class JournalledClock:
    """The bench's time as of the last operation, so that a replayed step sees the same moments."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def now(self) -> UtcMs:
        """Return the moment at which the last operation ended, or the step began."""
        return self._recorder.now

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``."""

        async def act() -> None:
            await self._recorder.bench.clock.sleep_until(at)

        request = iso(at).encode()
        await self._recorder.perform(Operation("clock.sleep_until", request, act, _nothing, _none))


class JournalledHub:
    """The hub port; each message and image is intended before it is sent."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    @property
    def eui64(self) -> Eui64:
        """Identifier of the CHF."""
        return self._recorder.bench.hub.eui64

    async def send(self, message: bytes) -> None:
        """Hand one GBCS message to the hub."""
        hub = self._recorder.bench.hub

        async def act() -> None:
            await hub.send(message)

        async def happened() -> bool | None:
            return await hub.has_taken(message)

        await self._recorder.perform(
            Operation("hub.send", message, act, _nothing, _none, Settling(happened, lambda: None))
        )

    async def received(self, until: UtcMs) -> bytes | None:
        """Return the next GBCS message from the hub; None once ``until`` has passed."""

        async def act() -> bytes | None:
            return await self._recorder.bench.hub.received(until)

        return await self._recorder.perform(
            Operation(
                "hub.received",
                iso(until).encode(),
                act,
                lambda message: {"message": None if message is None else message.hex()},
                lambda value: None if value["message"] is None else bytes.fromhex(value["message"]),
            )
        )

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Transfer a firmware image to the hub and return how that ended."""
        hub = self._recorder.bench.hub

        async def act() -> StageOutcome:
            return await hub.stage(order)

        async def happened() -> bool | None:
            return await hub.has_taken(order.image)

        head = {"request_id": order.request_id, "targets": [item.hex for item in order.targets]}
        return await self._recorder.perform(
            Operation(
                "hub.stage",
                text(head).encode() + b"\n" + order.image,
                act,
                lambda end: {"delivered": end.delivered, "reason": end.reason, "at": end.at},
                lambda value: StageOutcome(value["delivered"], value["reason"], value["at"]),
                Settling(
                    happened, lambda: StageOutcome(True, "held", self._recorder.bench.clock.now())
                ),
            )
        )

    async def has_taken(self, message: bytes) -> bool | None:
        """Say whether the hub already took this very message."""

        async def act() -> bool | None:
            return await self._recorder.bench.hub.has_taken(message)

        return await self._recorder.perform(
            Operation(
                "hub.has_taken",
                message,
                act,
                lambda answer: {"taken": answer},
                lambda value: value["taken"],
            )
        )


class JournalledPower:
    """The mains port."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    async def cycle(self, device: Eui64, off_s: float) -> None:
        """Take power from a device for ``off_s`` seconds."""

        async def act() -> None:
            await self._recorder.bench.power.cycle(device, off_s)

        async def happened() -> bool | None:
            return None

        request = text({"device": device.hex, "off_s": off_s}).encode()
        await self._recorder.perform(
            Operation(
                "power.cycle", request, act, _nothing, _none, Settling(happened, lambda: None)
            )
        )


class JournalledBench:
    """The ports of a bench, every operation journalled; what steps see as ``run.bench``.

    Attributes:
        kind: Kind of the bench behind it.
        clock: Its time.
        hub: Its hub.
        power: Its mains.
        inner: The bench itself, for ``setup`` alone: it may read keys and addresses off it.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._given = 0
        self.inner = recorder.bench
        self.kind = recorder.bench.kind
        self.clock = JournalledClock(recorder)
        self.hub = JournalledHub(recorder)
        self.power = JournalledPower(recorder)

    @property
    def last_ordinal(self) -> int:
        """Ordinal of the last operation begun; -1 before the first."""
        return self._recorder.ordinal - 1

    @property
    def observed(self) -> Sequence[Observation]:
        """All the bench saw inside devices in this scenario, up to the last operation."""
        return self._recorder.observed

    def role(self, device_type: str) -> Eui64:
        """Return the EUI-64 of the bench's device of that type."""
        return self.inner.role(device_type)

    def meter(self, role: str, way: str = "line") -> JournalledMeter:
        """Return the DLMS port of the bench's device of that role."""
        return JournalledMeter(self._recorder, role, way)

    def credentials(self, role: str, name: str) -> Credentials:
        """Return how a client of that name presents itself to that device."""
        return self.inner.credentials(role, name)

    def take_observations(self) -> Sequence[Observation]:
        """Return what the bench saw inside devices since the last call."""
        fresh = self._recorder.observed[self._given :]
        self._given = len(self._recorder.observed)
        return fresh

    def describe(self) -> Mapping[str, Mapping[str, str]]:
        """Return each device's state for a reader."""
        return self._recorder.look("bench.describe", self.inner.describe)

    def traffic(self) -> Mapping[str, Mapping[str, str]]:
        """Return how many frames of each kind went to each role; empty where nobody listens."""
        inner = self.inner
        if not isinstance(inner, Listening):
            return {}
        return self._recorder.look("bench.traffic", inner.traffic)
