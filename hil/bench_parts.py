"""What every bench in real time has: its clock, its missing hub, and ears on its lines."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Final, NoReturn

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from harness.errors import BenchError
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Unanswered,
)
from harness.ports import CapturedFrame, StageOrder, StageOutcome
from hil import wall_clock
from hil.tap import Direction, Fields

_NS_PER_US: Final = 1000
_LINKS: Final = {"in": "line-in", "out": "line-out"}


class BenchClock:
    """The time of a bench: ours, or that of loopback devices whose clock runs faster.

    Whatever happens to the wall clock, it goes on: it is read once, and then counted on.
    """

    def __init__(self, factor: int = 1) -> None:
        """Start at the present moment.

        Args:
            factor: How much faster than ours it runs.
        """
        self.factor = factor
        self.start = wall_clock.now()
        self._begun_ns = time.monotonic_ns()

    def begin(self, at: UtcMs) -> None:
        """Begin anew at ``at``, as the clock of a device that has just started does."""
        self.start, self._begun_ns = at, time.monotonic_ns()

    def now(self) -> UtcMs:
        """Return the present moment."""
        return UtcMs(self.at_us(time.monotonic_ns()) // 1000)

    def at_us(self, monotonic_ns: int) -> int:
        """Return a moment of ``time.monotonic_ns()`` as microseconds since 1970 on this clock."""
        passed_us = (monotonic_ns - self._begun_ns) // _NS_PER_US
        return self.start * 1000 + passed_us * self.factor

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``; returns at once when it has passed."""
        await asyncio.sleep(max(0, at - self.now()) / 1000 / self.factor)


class Ears:
    """A tap on one line that keeps what crossed it, for the capture of a run."""

    def __init__(self, clock: BenchClock) -> None:
        self._clock = clock
        self._frames: list[CapturedFrame] = []
        self._remark = ""
        self._lock = threading.Lock()  # lines are read in threads

    def chunk(self, direction: Direction, octets: bytes, at_ns: int) -> None:
        """Keep octets that crossed the port in one go."""
        with self._lock:
            comment, self._remark = self._remark, ""
            at_us = self._clock.at_us(at_ns)
            self._frames.append(CapturedFrame(at_us, _LINKS[direction], octets, comment))

    def event(self, kind: str, fields: Fields, at_ns: int) -> None:  # noqa: ARG002 - a Tap's
        """Remember a change of the line as a comment of the next octets."""
        if kind in {"speed", "break", "error"}:
            told = ", ".join(f"{name} {value}" for name, value in fields.items())
            with self._lock:
                self._remark = f"{kind}: {told}"

    def take(self) -> list[CapturedFrame]:
        """Return what was heard since the last call, in order."""
        with self._lock:
            frames, self._frames = self._frames, []
        return frames


class NoHub:
    """The hub of a bench that has none: every use of it says so."""

    @property
    def eui64(self) -> Eui64:
        """Identifier of the CHF: there is none."""
        _no_hub("no CHF to name")

    async def send(self, message: bytes) -> None:
        """Refuse: there is no hub to hand it to."""
        _no_hub(f"nobody to hand {len(message)} octets to")

    async def received(self, until: UtcMs) -> bytes | None:
        """Refuse: there is no hub to hear of."""
        _no_hub(f"nobody to hear of until {iso(until)}")

    async def stage(self, order: StageOrder) -> StageOutcome:
        """Refuse: there is no hub to hold an image."""
        _no_hub(f"nobody to hold the image of {order.request_id}")

    async def has_taken(self, message: bytes) -> bool | None:
        """Refuse: there is no hub to ask."""
        _no_hub(f"nobody to ask about {len(message)} octets")


class NotOpened:
    """The meter port of a line that was not opened, because the scenario will be skipped anyway."""

    def __init__(self, role: str) -> None:
        """Take the device type it would lead to."""
        self._role = role

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Refuse: the line is not open."""
        self._refuse(f"a sign-on{' with read-out' if read_out else ''}")

    async def associate(self, credentials: Credentials) -> Association:
        """Refuse: the line is not open."""
        self._refuse(f"an association as {credentials.name}")

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Refuse: the line is not open."""
        self._refuse(f"reading {len(attributes)} attributes")

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Refuse: the line is not open."""
        self._refuse(f"writing {len(writes)} attributes")

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Refuse: the line is not open."""
        self._refuse(f"method {method.index}{'' if parameters is None else ' with parameters'}")

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Refuse: the line is not open."""
        self._refuse(f"an APDU of {len(apdu)} octets")

    async def release(self) -> None:
        """Return: there is nothing to end."""

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Refuse: the line is not open."""
        self._refuse(f"{len(writes) or int(method is not None)} writes that may have happened")

    def _refuse(self, what: str) -> NoReturn:
        raise BenchError(
            f"the line of the {self._role} was not opened, so there was no {what}",
            where="bench file, [roles]",
            cause="the bench lacks something else that the scenario needs",
            next_command="smetsbench scenarios --bench FILE",
        )


def _no_hub(why: str) -> NoReturn:
    raise BenchError(
        f"the bench has no hub that is reached from the WAN: {why}",
        where="bench file, [roles]",
        cause="serial lines lead to meters; a hub over a dongle comes with a later issue",
        next_command="smetsbench run ID   (without --bench: the emulated bench)",
    )
