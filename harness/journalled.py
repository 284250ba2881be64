"""A bench whose every operation is journalled: the same ports, safe against a kill."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.journal import text
from harness.journalled_meter import JournalledMeter
from harness.meter import Credentials
from harness.ports import (
    HubWan,
    KeypadAnswer,
    Listening,
    Notice,
    Observation,
    RestsFaults,
    SimAnswer,
    StageOrder,
    StageOutcome,
)
from harness.recorder import Operation, Recorder, Settling

_ANSWERS: Final[Mapping[str, bool | None]] = {"True": True, "False": False, "None": None}


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


class JournalledHubWan:
    """The WAN side of a SMETS1 hub; a move of its SIM is intended before it is ordered."""

    def __init__(self, recorder: Recorder, role: str) -> None:
        self._recorder = recorder
        self._role = role

    def _hub(self) -> HubWan:
        return self._recorder.bench.hub_wan(self._role)

    def _request(self, **head: str) -> bytes:
        return text({"role": self._role, **head}).encode()

    async def sim_owner(self) -> str:
        """Return the party whose network carries the SIM."""

        async def act() -> str:
            return await self._hub().sim_owner()

        return await self._recorder.perform(
            Operation(
                "hub_wan.sim_owner",
                self._request(),
                act,
                lambda owner: {"owner": owner},
                lambda value: str(value["owner"]),
            )
        )

    async def change_sim(self, to: str) -> SimAnswer:
        """Have the SIM moved to another party's network."""

        async def act() -> SimAnswer:
            return await self._hub().change_sim(to)

        async def happened() -> bool | None:
            return await self._hub().sim_owner() == to

        return await self._recorder.perform(
            Operation(
                "hub_wan.change_sim",
                self._request(to=to),
                act,
                lambda answer: {"done": answer.done, "why": answer.why},
                lambda value: SimAnswer(value["done"], value["why"]),
                Settling(happened, lambda: SimAnswer(True)),
            )
        )

    async def notified(self, party: str, until: UtcMs) -> Notice | None:
        """Return the next notice of the hub to that party's head end; None at ``until``."""

        async def act() -> Notice | None:
            return await self._hub().notified(party, until)

        return await self._recorder.perform(
            Operation(
                "hub_wan.notified",
                self._request(party=party, until=iso(until)),
                act,
                _notice_down,
                _notice_back,
            )
        )


def _notice_down(notice: Notice | None) -> dict[str, Any]:
    if notice is None:
        return {"at": None}
    return {"at": notice.at, "octets": notice.octets.hex()}


def _notice_back(value: dict[str, Any]) -> Notice | None:
    if value["at"] is None:
        return None
    return Notice(UtcMs(value["at"]), bytes.fromhex(value["octets"]))


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

    def hub_wan(self, role: str = "CHF") -> JournalledHubWan:
        """Return the WAN side of a SMETS1 hub."""
        return JournalledHubWan(self._recorder, role)

    def opens_to(self, role: str, credentials: Credentials) -> bool | None:
        """Say whether a device would associate with these credentials; None: ask it itself."""

        def read() -> Mapping[str, Mapping[str, str]]:
            return {"opens": {"answer": str(self.inner.opens_to(role, credentials))}}

        kind = f"bench.opens_to {role} {credentials.name} {credentials.title.hex()}".rstrip()
        return _ANSWERS[self._recorder.look(kind, read)["opens"]["answer"]]

    def rest_faults(self, *, on: bool) -> None:
        """Let everything pass by radio for a look of our own, where the bench can."""
        if isinstance(self.inner, RestsFaults):
            self.inner.rest_faults(on=on)

    def memory(self, role: str) -> Mapping[str, str] | None:
        """Return what a device remembers, without what moves by itself; None for a real one."""

        def read() -> Mapping[str, Mapping[str, str]]:
            kept = self.inner.memory(role)
            return {} if kept is None else {"memory": kept}

        return self._recorder.look(f"bench.memory {role}", read).get("memory")

    async def disturb(self, order: str) -> None:
        """Put one more fault into force from now on; ``clear@LINK`` ends those of a link."""

        async def act() -> None:
            await self._recorder.bench.disturb(order)

        await self._recorder.perform(
            Operation("bench.disturb", order.encode(), act, _nothing, _none)
        )

    async def key_in(self, role: str, digits: str) -> KeypadAnswer:
        """Enter a top-up code at a meter's keypad; the journal holds its digest alone."""

        async def act() -> KeypadAnswer:
            return await self._recorder.bench.key_in(role, digits)

        async def happened() -> bool | None:
            return None

        request = {"role": role, "sha256": hashlib.sha256(digits.encode()).hexdigest()}
        return await self._recorder.perform(
            Operation(
                "bench.key_in",
                text(request).encode(),
                act,
                lambda answer: {"taken": answer.taken, "why": answer.why},
                lambda value: KeypadAnswer(value["taken"], value["why"]),
                Settling(happened, lambda: KeypadAnswer(True)),
            )
        )

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
