"""Serves one emulated dongle in real time until it is told to stop, and keeps its memory."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.errors import EmulatorError
from emulator.core.fault_schedule import FaultSchedule, Frame
from emulator.ncp.core import Ncp
from emulator.ncp.dongle import Dongle
from emulator.ncp.identity import Identity
from emulator.ncp.member_plan import MemberPlan
from emulator.ncp.overheard import OverheardAir
from emulator.ncp.radio_bridge import HomeClock, RadioBridge
from emulator.ncp.radio_frames import HeardPacket
from emulator.ncp.surroundings import Surround, Surroundings
from emulator.servers import order_lines
from emulator.servers.dongle_control import DongleOrders, TakesOrders
from emulator.servers.dongle_line import DonglePort, open_port
from emulator.servers.errors import StateFileError
from emulator.servers.listen import Place
from emulator.servers.pacing import PacedQueue
from emulator.servers.state_file import Owner, StateFile

#: Between two looks whether the memory has to be stored, in seconds. Source: invented.
SAVE_S: Final = 5.0
_FLAG: Final = 0x7E
_IN, _OUT = "line-in", "line-out"

Log = Callable[[UtcMs, Note], None]


@dataclass(frozen=True, slots=True)
class DonglePlan:
    """What to serve.

    Attributes:
        identity: What the dongle is.
        members: The nodes around it.
        seed: Seed of every octet of chance.
        place: Where it is plugged in.
        wall: The present moment.
        clock_factor: How much faster the devices' clock runs, more than 0.
        pace: Bits a second of the line; None: octets take no time.
        faults: Faults as ordered.
        state: File that keeps its memory; None: it has none.
        surround: Builds what is around the dongle in place of ``members``.
        record: Told of every packet on the air, with the devices' time; None: nobody is.
    """

    identity: Identity
    members: Sequence[MemberPlan]
    seed: int
    place: Place
    wall: UtcMs
    clock_factor: float = 1.0
    pace: int | None = None
    faults: Sequence[str] = ()
    state: Path | None = field(default=None)
    surround: Surround | None = None
    record: Callable[[HeardPacket, UtcMs], None] | None = None


class DongleService:
    """One dongle being served."""

    def __init__(self, plan: DonglePlan, log: Log) -> None:
        """Make the dongle and the home around it, or take both up where they were left.

        Raises:
            StateFileError: The stored state cannot be used.
            FaultError: A fault means nothing.
        """
        self._loop = asyncio.get_running_loop()
        self._base_s = self._loop.time()
        self._plan = plan
        self._log = log
        chance = Chance(plan.seed)
        orders = [_of_line(text) for text in plan.faults]
        self._schedule = FaultSchedule(orders, chance)
        owner = Owner(f"dongle-v{plan.identity.ezsp}", plan.identity.eui64.hex, plan.seed)
        self._file = None if plan.state is None else StateFile(plan.state, owner)
        stored = None if self._file is None else self._file.load()
        self._clock = HomeClock(plan.wall if stored is None else stored.now, 0, plan.clock_factor)
        self._air = self._surroundings(chance)
        self._dongle = Dongle(Ncp(plan.identity, self._air, chance.stream("dongle")))
        if stored is not None:
            self._take_up(stored.device)
        self._port: DonglePort | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.TimerHandle | None = None
        self._partial = bytearray()
        self._silent = False
        self._inward = PacedQueue(self._loop, lambda octets, _mark: self._arrived(octets))
        self._outward = PacedQueue(self._loop, lambda octets, _mark: self._depart(octets))

    def _surroundings(self, chance: Chance) -> Surroundings:
        plan = self._plan
        record = None if plan.record is None else self._packet
        if plan.surround is not None:
            return plan.surround(self._clock, self._note, chance, record)
        bridge = RadioBridge(plan.members, self._clock, self._note)
        return bridge if record is None else OverheardAir(bridge, record, bridge.eui64_of)

    def _packet(self, packet: HeardPacket, now: int) -> None:
        if self._plan.record is not None:
            self._plan.record(packet, self._clock.utc(now))

    def _take_up(self, state: Any) -> None:
        try:
            self._dongle.load(state["dongle"])
            self._air.load(state["home"], 0)
        except (EmulatorError, KeyError, TypeError, ValueError) as error:
            why = error if isinstance(error, EmulatorError) else type(error).__name__
            raise StateFileError(
                str(self._plan.state), f"it does not fit this dongle: {why}"
            ) from error

    async def open(self) -> str:
        """Give the dongle power and plug it in; return how to reach it.

        Raises:
            ListenError: The place cannot be had.
            StateFileError: The state cannot be written.
        """
        self._port = open_port(self._plan.place, self._received)
        self._dongle.power_on(self._now())
        try:
            self.save()
        except StateFileError:
            await self._port.close()
            raise
        self._arm()
        self._saving = self._loop.call_later(SAVE_S, self._save_regularly)
        return self._port.address

    @property
    def address(self) -> str:
        """How to reach it now; a pseudo-terminal is another one after it was unplugged."""
        return "" if self._port is None else self._port.address

    async def close(self) -> None:
        """Store the state, and unplug the dongle.

        Raises:
            StateFileError: The state cannot be written.
        """
        for handle in (self._timer, self._saving):
            if handle is not None:
                handle.cancel()
        try:
            self.save()
        finally:
            if self._port is not None:
                await self._port.close()

    def save(self) -> None:
        """Store the state, where there is a file for it.

        Raises:
            StateFileError: It cannot be written.
        """
        if self._file is not None:
            state = {"dongle": self._dongle.dump(), "home": self._air.dump()}
            self._file.save(self._clock.utc(self._now()), state)

    def _save_regularly(self) -> None:
        self._saving = self._loop.call_later(SAVE_S, self._save_regularly)
        try:
            self.save()
        except StateFileError as error:
            self._note("dongle", Note("state_not_saved", (("why", error.why),)))

    # -- mishaps -------------------------------------------------------------------------------

    def restart(self, code: int) -> None:
        """Start anew by itself, and say why."""
        self._send(self._dongle.power_on(self._now(), code, announce=True))
        self._dongle.ncp.reset()
        self._arm()

    def fail(self, code: int) -> None:
        """Break the link: nothing but errors until the host resets it."""
        self._send(self._dongle.fail(code, self._now()))
        self._arm()

    def fall_silent(self, *, silent: bool) -> None:
        """Hear and say nothing, or hear and speak again."""
        self._silent = silent

    def unplug(self) -> None:
        """Lose the host."""
        if self._port is not None:
            self._port.unplug()

    def disturb(self, order: str) -> bool:
        """Put a fault of the line into force, or end those of a link; False: it means nothing."""
        name, _, link = order.partition("@")
        if name == fault_orders.CLEAR and link in fault_orders.LINE_LINKS:
            self._schedule.clear(link)
            return True
        try:
            self._schedule.add(_of_line(order))
        except fault_orders.FaultError:
            return False
        return True

    def tell_home(self, word: str, rest: str) -> bool:
        """Give an order to what is around the dongle; False: it means nothing there."""
        if not isinstance(self._air, TakesOrders):
            return False
        done = self._air.order(word, rest, self._now())
        self._send(self._dongle.tick(self._now()))
        self._arm()
        return done

    # -- the line ------------------------------------------------------------------------------

    def _received(self, octets: bytes) -> None:
        if self._plan.pace is None:
            self._arrived(octets)
        else:
            self._inward.put(octets, self._plan.pace)

    def _arrived(self, octets: bytes) -> None:
        """Octets have come to the dongle's end of the line."""
        if self._silent:
            return
        if self._schedule.touches(_IN):
            for part in self._disturbed(_IN, octets):
                self._send(self._dongle.receive(part, self._now()))
        else:
            self._send(self._dongle.receive(octets, self._now()))
        self._arm()

    def _send(self, octets: bytes) -> None:
        if not octets:
            return
        if not self._schedule.touches(_OUT):
            self._give(octets)  # one write, however many frames
            return
        for frame in _frames(octets):
            for part in self._disturbed(_OUT, frame):
                self._give(part)

    def _give(self, octets: bytes) -> None:
        if self._plan.pace is None:
            self._depart(octets)
        else:
            self._outward.put(octets, self._plan.pace)

    def _depart(self, octets: bytes) -> None:
        if self._port is not None and not self._silent:
            self._port.write(octets)

    def _disturbed(self, link: str, octets: bytes) -> list[bytes]:
        """Return what the faults on a link leave of a frame."""
        parts = []
        if link == _IN:
            self._partial += octets
            *frames, rest = _split(bytes(self._partial))
            self._partial = bytearray(rest)
        else:
            frames = [octets]
        for frame in frames:
            parts += [copy.frame for copy in self._crossing(link, frame)]
        return parts

    def _crossing(self, link: str, frame: bytes) -> Sequence[fault_orders.Copy]:
        return self._schedule.cross(Frame(link, frame, "ash")).copies

    # -- time ----------------------------------------------------------------------------------

    def _now(self) -> int:
        return int((self._loop.time() - self._base_s) * 1000)

    def _arm(self) -> None:
        """See that ``_due`` comes in time; a timer that comes too early is left as it is.

        Deadlines move on with every frame, and most of them never come.
        """
        deadline = self._dongle.deadline
        if deadline is None:
            return
        at = self._base_s + (deadline + 1) / 1000
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(max(at, self._loop.time()), self._due)

    def _due(self) -> None:
        self._timer = None
        deadline, now = self._dongle.deadline, self._now()
        if deadline is not None and deadline <= now:
            self._send(self._dongle.tick(now))
        self._arm()

    def _note(self, who: str, note: Note) -> None:
        told = Note(note.kind, (("who", who), *note.fields))
        self._log(self._clock.utc(self._now()), told)


def _of_line(text: str) -> fault_orders.Fault:
    """Read a fault.

    Raises:
        FaultError: It means nothing, or lies elsewhere than on the dongle's line.
    """
    fault = fault_orders.parse(text)
    if fault.link not in fault_orders.LINE_LINKS:
        places = ", ".join(fault_orders.LINE_LINKS)
        raise fault_orders.FaultLinkError(f"{text}: a dongle has faults on {places} alone")
    return fault


def _split(octets: bytes) -> list[bytes]:
    """Return frames, each with its closing flag, and what is left behind the last flag."""
    frames, start = [], 0
    for at, octet in enumerate(octets):
        if octet == _FLAG:
            frames.append(octets[start : at + 1])
            start = at + 1
    return [*frames, octets[start:]]


def _frames(octets: bytes) -> list[bytes]:
    return [frame for frame in _split(octets) if frame]


async def serve_dongle(
    plan: DonglePlan,
    ready: Callable[[str], None],
    log: Log,
    control: IO[bytes] | None = None,
) -> None:
    """Serve a dongle until SIGTERM or SIGINT, or until the control pipe ends.

    Args:
        plan: What to serve.
        ready: Called once with the address, and then with the answer to each order.
        log: Takes every note, with the devices' time, in order.
        control: Pipe of orders (`DongleOrders`); None: there are none.

    Raises:
        ListenError: The place cannot be had, or ``control`` is no pipe.
        StateFileError: The stored state cannot be read, used or written.
        FaultError: A fault means nothing.
    """
    service = DongleService(plan, log)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    address = await service.open()
    pipe: asyncio.BaseTransport | None = None
    try:
        ready(address)
        if control is not None:
            orders = DongleOrders(service, stopped.set, ready)
            pipe = await order_lines.listen_to(control, orders)
        await stopped.wait()
    finally:
        if pipe is not None:
            pipe.close()
        await service.close()
