"""Performs operations on a bench once: intent before, outcome after, replayed on resume."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.errors import BenchError, HarnessError
from harness.journal import Journal, Outcome, Recorded
from harness.meter import Credentials
from harness.ports import Bench, CapturedFrame, Observation
from harness.run import Record, plain

_T = TypeVar("_T")
_BEFORE_ALL: Final = UtcMs(0)
_TIMED_OUT: Final = {"timed_out": True}
#: Operations that make and end associations with meters.
_ASSOCIATING: Final = ("meter.associate", "meter.release")


class StepTimeoutError(Exception):
    """The step's time is up while an operation was under way."""


class UnsettledError(Exception):
    """Nobody can tell whether a device took a write that the journal only intends."""


class ReplayError(HarnessError):
    """A step did not ask for its operations one by one and repeatably: our own fault (exit 5)."""

    exit_code = 5


class Capture(Protocol):
    """Where frames go: a pcapng writer (``harness.report.pcapng.PcapngWriter``)."""

    def write(self, frame: CapturedFrame) -> None:
        """Append one frame."""
        ...

    def flush(self) -> int:
        """Bring all to the file and return its length in octets."""
        ...


@dataclass(frozen=True, slots=True)
class Settling(Generic[_T]):
    """How to settle a write whose outcome the journal does not hold.

    Attributes:
        happened: Says whether it happened; None when nobody can tell.
        value: What it then came to.
    """

    happened: Callable[[], Awaitable[bool | None]]
    value: Callable[[], _T]


@dataclass(frozen=True, slots=True)
class Operation(Generic[_T]):
    """One kind of operation: how to do it, to write it down and to read it back.

    Attributes:
        kind: Port and method, e.g. ``hub.send``.
        request: The request as octets.
        act: Does it.
        write_down: Value -> JSON values.
        read_back: JSON values -> value.
        settling: For a write: how to settle it; None for what may be repeated.
    """

    kind: str
    request: bytes
    act: Callable[[], Awaitable[_T]]
    write_down: Callable[[_T], dict[str, Any]]
    read_back: Callable[[dict[str, Any]], _T]
    settling: Settling[_T] | None = None

    @property
    def sha256(self) -> str:
        """Hash of the request, in hex."""
        return hashlib.sha256(self.request).hexdigest()


@dataclass(slots=True)
class Recorder:
    """Performs operations once: from the journal where it holds them, else on the bench.

    Attributes:
        bench: The bench itself.
        journal: Where intents and outcomes go.
        capture: Where frames go.
        scenario: Number of the scenario in the run.
        step: Number of the current step; -1 before the first.
        ordinal: Ordinal of the next operation.
        now: Moment of the last outcome: the present, as steps see it.
        deadline: Moment at which the current step's time is up; None for no limit.
        pending: The current step's statements; what is new among them goes into each outcome.
        observed: What the bench saw inside devices, up to the last operation.
        frames: Number of frames in the capture.
        replaying: Whether the scenario was resumed and nothing was done live since.
        meters: Meter (role, way) -> how the run is associated with it; None: not at all.
        live_meters: Meters with which this process associated itself.
    """

    bench: Bench
    journal: Journal
    capture: Capture
    scenario: int
    step: int = -1
    ordinal: int = 0
    now: UtcMs = _BEFORE_ALL
    deadline: UtcMs | None = None
    pending: list[Record] = field(default_factory=list)
    observed: list[Observation] = field(default_factory=list)
    frames: int = 0
    replaying: bool = False
    meters: dict[tuple[str, str], Credentials | None] = field(default_factory=dict)
    live_meters: set[tuple[str, str]] = field(default_factory=set)
    _flushed: int = 0
    _busy: bool = False

    def begin_step(self, number: int, at: UtcMs, timeout_s: float, pending: list[Record]) -> None:
        """Set the step that the next operations belong to."""
        self.step, self.now, self.pending, self._flushed = number, at, pending, 0
        self.deadline = UtcMs(at + round(timeout_s * 1000))

    def pass_over(self, number: int, ended_at: UtcMs) -> None:
        """Go past a step that the journal holds whole."""
        rows = self.journal.rows(
            "SELECT ordinal, kind, request, outcome FROM operations"
            " WHERE scenario = ? AND step = ? ORDER BY ordinal",
            self.scenario,
            number,
        )
        for row in rows:
            self.observed += self._observations(row["ordinal"])
            if row["kind"] in _ASSOCIATING and self.bench.dump() is None:
                self._note_association(row["kind"], row["request"], row["outcome"])
        self.ordinal += len(rows)
        self.now = ended_at

    def _note_association(self, kind: str, request: bytes, outcome: str | None) -> None:
        """Take notice of an association with a real meter that a step passed over made or ended."""
        asked, came_to = json.loads(request), json.loads(outcome or "{}")
        credentials = None
        if kind == _ASSOCIATING[0] and came_to.get("accepted"):
            credentials = self.bench.credentials(asked["role"], asked["name"])
        self.meters[asked["role"], asked["way"]] = credentials

    def unwritten(self) -> list[tuple[int, Record]]:
        """Return the statements that no commit holds yet, with their numbers."""
        fresh = list(enumerate(self.pending))[self._flushed :]
        self._flushed = len(self.pending)
        return fresh

    async def perform(self, operation: Operation[_T]) -> _T:
        """Return what the operation came to, doing it only if it was not done before."""
        if self._busy or self.step < 0:
            raise ReplayError(
                f"{operation.kind}: " + ("two operations at once" if self._busy else "no step yet")
            )
        self._busy = True
        try:
            return await self._once(operation)
        finally:
            self._busy = False

    def look(
        self, kind: str, read: Callable[[], Mapping[str, Mapping[str, str]]]
    ) -> Mapping[str, Mapping[str, str]]:
        """Return rows read off the bench without any time passing, journalled like the rest."""
        operation = Operation(kind, b"", _never, dict, _rows)
        ordinal = self.ordinal
        self.ordinal += 1
        recorded = self.journal.operation(self.scenario, ordinal)
        if recorded is None:
            at = (self.scenario, self.step)
            self.journal.intend(at, ordinal, kind, b"", self.now)
        else:
            self._compare(ordinal, operation, recorded)
            if recorded.outcome is not None:
                return self._replayed(operation, ordinal, *recorded.outcome)
        rows = {name: dict(row) for name, row in read().items()}
        self._conclude(ordinal, rows, moved=False)
        return rows

    async def _once(self, operation: Operation[_T]) -> _T:
        ordinal = self.ordinal
        self.ordinal += 1
        recorded = self.journal.operation(self.scenario, ordinal)
        if recorded is None:
            at = (self.scenario, self.step)
            self.journal.intend(at, ordinal, operation.kind, operation.request, self.now)
            return await self._live(operation, ordinal)
        self._compare(ordinal, operation, recorded)
        if recorded.outcome is not None:
            return self._replayed(operation, ordinal, *recorded.outcome)
        settling = operation.settling
        if settling is not None and await self._happened(operation, settling, ordinal):
            value = settling.value()
            self._conclude(ordinal, {**operation.write_down(value), "settled": True})
            return value
        return await self._live(operation, ordinal)

    def _compare(self, ordinal: int, operation: Operation[_T], recorded: Recorded) -> None:
        if (recorded.kind, recorded.request_sha256) != (operation.kind, operation.sha256):
            raise ReplayError(
                f"operation {ordinal} was {recorded.kind} {recorded.request_sha256[:12]} when it"
                f" was journalled and is {operation.kind} {operation.sha256[:12]} now",
                where=f"scenario {self.scenario}, step {self.step + 1}",
                cause="the step draws on something that is neither run.chance, run.facts, a"
                " participant nor the bench",
            )

    def _replayed(
        self, operation: Operation[_T], ordinal: int, value: dict[str, Any], at: UtcMs
    ) -> _T:
        self.now = at
        self.observed += self._observations(ordinal)
        if value == _TIMED_OUT:
            raise StepTimeoutError(operation.kind)
        return operation.read_back(value)

    def _observations(self, ordinal: int) -> list[Observation]:
        rows = self.journal.rows(
            "SELECT at, device, kind, fields FROM observations"
            " WHERE scenario = ? AND operation = ? ORDER BY n",
            self.scenario,
            ordinal,
        )
        return [
            Observation(
                UtcMs(row["at"]),
                Eui64.parse(row["device"]),
                row["kind"],
                tuple((name, value) for name, value in json.loads(row["fields"])),
            )
            for row in rows
        ]

    async def _happened(
        self, operation: Operation[_T], settling: Settling[_T], ordinal: int
    ) -> bool:
        if self.bench.dump() is not None:
            return False  # the bench was put back to before the act
        repeated = self.journal.taken_before(self.scenario, ordinal, operation.sha256)
        answer = await settling.happened()
        if answer is None or (answer and repeated):
            why = "the same octets were sent before" if answer else "the bench cannot tell"
            raise UnsettledError(
                f"operation {ordinal} ({operation.kind}) was begun before the run was killed, and"
                f" whether the device took it is unknown: {why}"
            )
        return answer

    async def _live(self, operation: Operation[_T], ordinal: int) -> _T:
        self._allow_for_the_break()
        left_s = None
        if self.deadline is not None:
            left_s = max(0, self.deadline - self.bench.clock.now()) / 1000
        limit = asyncio.timeout(left_s)
        try:
            async with limit:
                value = await operation.act()
        except TimeoutError as error:
            if not limit.expired():
                raise BenchError(
                    f"{operation.kind} gave up waiting: {error}", where=f"operation {ordinal}"
                ) from error
            self._conclude(ordinal, dict(_TIMED_OUT))
            raise StepTimeoutError(operation.kind) from error
        if self.deadline is not None and self.bench.clock.now() > self.deadline:
            self._conclude(ordinal, dict(_TIMED_OUT))  # a bench whose time is not the loop's
            raise StepTimeoutError(operation.kind)
        self._conclude(ordinal, operation.write_down(value))
        return value

    def _allow_for_the_break(self) -> None:
        """Give a resumed step the time that passed on a real bench while nobody ran it."""
        gap_ms = self.bench.clock.now() - self.now
        if self.replaying and gap_ms > 0 and self.deadline is not None:
            self.deadline = UtcMs(self.deadline + gap_ms)
        self.replaying = False

    def _conclude(self, ordinal: int, value: dict[str, Any], *, moved: bool = True) -> None:
        """Journal what an operation came to; one that moved nothing leaves the state as it is."""
        seen = [
            Observation(item.at, item.device, item.kind, _plain_fields(item))
            for item in self.bench.take_observations() or ()
        ]
        fresh = self.bench.take_frames()
        for frame in fresh:
            self.capture.write(frame)
        self.frames += len(fresh)
        self.now = self.bench.clock.now()
        where = (self.capture.flush(), self.frames)
        changed = moved or seen or fresh  # what was taken does not come again
        state = self.bench.dump() if changed and self.journal.keeps_states else None
        outcome = Outcome(value, self.now, where, seen, state)
        at = (self.scenario, self.step)
        self.journal.conclude(at, ordinal, outcome, self.unwritten())
        self.observed += seen


def _plain_fields(item: Observation) -> tuple[tuple[str, Any], ...]:
    return tuple((name, plain(value)) for name, value in item.fields)


async def _never() -> Mapping[str, Mapping[str, str]]:
    return {}


def _rows(value: dict[str, Any]) -> Mapping[str, Mapping[str, str]]:
    return value
