"""A meter of an emulated home that stands on a real line: who may reach it, and when."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.core.clock import UtcMs
from harness.meter import (
    ActionAnswer,
    Association,
    Credentials,
    GetAnswer,
    SetAnswer,
    SignOnReport,
    Silence,
    Unanswered,
)
from harness.ports import Bench, MeterPort
from hil.bench_parts import BenchClock
from hil.children import Child
from hil.lines import Line

_T = TypeVar("_T")
#: The client that anybody may be. Source: serial-dlms.md section 8.2 (illustrative profile).
_PUBLIC: Final = "public"
_TAKEN_OVER: Final = "another association took the line meanwhile: associate again"


class HeldClock(BenchClock):
    """The time of an emulated home, as its lines and their captures see it.

    While a line is spoken on, the time of the home stands still; so does this one.
    """

    def __init__(self, home: Bench) -> None:
        """Begin at the home's present moment."""
        super().__init__(factor=0)
        self._home = home
        self._at = home.clock.now()
        self.start = self._at

    def update(self) -> UtcMs:
        """Take over the home's present moment, and return it."""
        self._at = self._home.clock.now()
        return self._at

    def begin(self, at: UtcMs) -> None:
        """Leave it: the home has one time, whatever a device begins with (``at``)."""
        self.start = max(self.start, at)

    def now(self) -> UtcMs:
        """Return the moment that was last taken over."""
        return self._at

    def at_us(self, monotonic_ns: int) -> int:
        """Return the same for every moment of the machine's clock (``monotonic_ns``)."""
        del monotonic_ns
        return self._at * 1000

    async def sleep_until(self, at: UtcMs) -> None:
        """Wait until ``at``; returns at once when it has passed."""
        await self._home.clock.sleep_until(at)
        self.update()


class Gate(Protocol):
    """Says whether the way to a device is open at present."""

    async def shut(self) -> str:
        """Return why nothing gets through, one sentence; empty where it does."""
        ...


class Open:
    """The gate of the device's own line: nobody shuts it."""

    async def shut(self) -> str:
        """Return that everything gets through."""
        return ""


@dataclass(frozen=True, slots=True)
class WanGate:
    """The gate of a way through the hub: open while the home's own device answers that way.

    Its emulated twin stands behind the emulated hub; SIM, WAN, HAN and their faults shut the way
    to it, and so the way to the device on the line, for as long as a head end would have waited.

    Attributes:
        home: The emulated home.
        role: Role string of the device.
        way: ``wan``, ``wan@SMSO`` or ``wan@S1SP``.
    """

    home: Bench = field(repr=False)
    role: str
    way: str

    async def shut(self) -> str:
        """Return why nothing gets through, by asking the twin who it is."""
        port = self.home.meter(self.role, self.way)
        answer = await port.associate(self.home.credentials(self.role, _PUBLIC))
        if answer.accepted:
            await port.release()
            return ""
        return "" if answer.silence is None else f"no answer by {self.way}: {answer.why}"


@dataclass(slots=True)
class Wire:
    """One line and what its ways share: one association at a time, and the device's clock.

    Attributes:
        line: The line.
        clock: The time of the bench.
        holder: Way whose association stands on the line; empty: none.
        held: How that way presented itself; None: not at all.
        stale: Whether its association was ended behind its back and is to be made again.
    """

    line: Line
    clock: HeldClock
    holder: str = ""
    held: Credentials | None = field(default=None, repr=False)
    stale: bool = False

    def put_forward(self) -> None:
        """Have the clock of a child show the bench's time; a real device keeps its own."""
        at = self.clock.update()
        if self.line.child is not None:
            _tell(self.line.child, at)

    def save(self) -> None:
        """Have a child write down what it remembers at the bench's present moment.

        Raises:
            BenchError: It ended, or has no file.
        """
        self.put_forward()
        if self.line.child is not None:
            self.line.child.ask("save")

    def opens_to(self, credentials: Credentials) -> bool:
        """Try an association on the line and end it; whoever held the line will not notice.

        Raises:
            BenchError: The port is lost, or the child ended.
        """
        self.put_forward()
        accepted = self.line.driver.associate(credentials).accepted
        self.line.driver.release()
        self.stale = bool(self.holder)
        return accepted

    def forget(self) -> None:
        """Take notice that no association stands."""
        self.holder, self.held, self.stale = "", None, False


class WiredPort:
    """``MeterPort`` of one way to a device on a real line: silent while that way is shut."""

    def __init__(self, wire: Wire, gate: Gate, way: str) -> None:
        """Take the line, what opens and shuts the way, and what the way is called."""
        self._wire = wire
        self._gate = gate
        self._way = way

    @property
    def _port(self) -> MeterPort:
        return self._wire.line.port

    async def sign_on(self, *, read_out: bool = False) -> SignOnReport:
        """Say the sign-on; only the device's own line has one."""
        why = await self._gate.shut() if self._way == "line" else "a sign-on is said on a line"
        if why:
            return SignOnReport(False, causes=(why,))
        self._wire.put_forward()
        self._wire.forget()
        return await self._port.sign_on(read_out=read_out)

    async def associate(self, credentials: Credentials) -> Association:
        """Associate, where the way is open; ends what association there was on the line."""
        why = await self._gate.shut()
        if why:
            return Association(False, why=why, silence=Silence.NO_ANSWER)
        self._wire.put_forward()
        self._wire.forget()
        answer = await self._port.associate(credentials)
        if answer.accepted:
            self._wire.holder, self._wire.held = self._way, credentials
        return answer

    async def get(self, attributes: Sequence[Attribute]) -> GetAnswer:
        """Read one attribute, or several with one GET-with-list."""
        return await self._asked(lambda: self._port.get(attributes))

    async def set(self, writes: Sequence[tuple[Attribute, Data]]) -> SetAnswer:
        """Write one attribute, or several with one SET-with-list."""
        return await self._asked(lambda: self._port.set(writes))

    async def action(self, method: Descriptor, parameters: Data | None = None) -> ActionAnswer:
        """Invoke one method."""
        return await self._asked(lambda: self._port.action(method, parameters))

    async def exchange(self, apdu: bytes) -> bytes | Unanswered:
        """Send an APDU as it stands."""
        return await self._asked(lambda: self._port.exchange(apdu))

    async def release(self) -> None:
        """End the association, where it is this way's and the way is open."""
        if self._wire.holder != self._way:
            return
        stale = self._wire.stale
        self._wire.forget()
        if not stale and not await self._gate.shut():
            self._wire.put_forward()
            await self._port.release()

    async def has_taken(
        self, writes: Sequence[tuple[Attribute, Data]], method: Descriptor | None
    ) -> bool | None:
        """Say whether a write happened; None: nobody can tell."""
        if await self._unanswered() is not None:
            return None
        return await self._port.has_taken(writes, method)

    async def _asked(self, verb: Callable[[], Awaitable[_T]]) -> _T | Unanswered:
        unanswered = await self._unanswered()
        return await verb() if unanswered is None else unanswered

    async def _unanswered(self) -> Unanswered | None:
        """Return why nobody is asked, or None when the line is this way's and stands."""
        why = await self._gate.shut()
        if why:
            return Unanswered(Silence.NO_ANSWER, why)
        wire = self._wire
        wire.put_forward()
        if wire.holder != self._way:
            why_not = Silence.LINK_LOST if wire.holder else Silence.NOT_ASSOCIATED
            return Unanswered(why_not, _TAKEN_OVER if wire.holder else "nobody is associated")
        if wire.stale and wire.held is not None:
            wire.stale = not (await self._port.associate(wire.held)).accepted
            if wire.stale:
                return Unanswered(Silence.LINK_LOST, _TAKEN_OVER)
        return None


def _tell(child: Child, at: UtcMs) -> None:
    child.ask(f"clock {at}")
