"""Serves one device in real time until it is told to stop, and keeps its memory on disk."""

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from device_profiles.schema import DeviceProfile
from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Note
from emulator.core.errors import EmulatorError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.ids import Eui64
from emulator.servers import control, order_lines
from emulator.servers.device_clock import DeviceClock
from emulator.servers.errors import StateFileError
from emulator.servers.listen import Listener, Place, open_place
from emulator.servers.live_line import LineTiming
from emulator.servers.served_meter import LineDevice, Log, ServedMeter
from emulator.servers.state_file import Owner, StateFile

#: Seconds from a change to its being on disk, at most.
SAVE_S: Final = 0.5

#: Makes the device, new from the factory at a moment.
Maker = Callable[[UtcMs], LineDevice]


@dataclass(frozen=True, slots=True)
class ServePlan:
    """What to serve.

    Attributes:
        profile: The device model.
        eui64: The device.
        seed: Seed of every octet of chance.
        make: Makes the device.
        places: Where to listen.
        start: First moment of the device's clock; None: that of the stored state, else ``wall``.
        wall: The present moment by the wall clock.
        clock_factor: How much faster the device's clock runs; 0: as the control pipe says alone.
        timing: How lines behave in time.
        faults: Faults as ordered, ``NAME[:key=value,...]@LINK``.
        state: File that keeps the device's memory, or None.
        control: Pipe whose lines are orders and whose end stops the service, or None.
    """

    profile: DeviceProfile
    eui64: Eui64
    seed: int
    make: Maker = field(repr=False)
    places: Sequence[Place]
    start: UtcMs | None
    wall: UtcMs
    clock_factor: float = 1.0
    timing: LineTiming = field(default_factory=LineTiming)
    faults: Sequence[str] = ()
    state: Path | None = None
    control: IO[bytes] | None = field(default=None, repr=False)


class Service:
    """One device being served."""

    def __init__(self, plan: ServePlan, log: Log) -> None:
        """Make the device, or take it up where it was left.

        Raises:
            StateFileError: The stored state cannot be used.
            FaultError: A fault means nothing.
        """
        loop = asyncio.get_running_loop()
        chance = Chance(plan.seed)
        schedule = FaultSchedule([fault_orders.parse(text) for text in plan.faults], chance)
        owner = Owner(plan.profile.name, plan.eui64.hex, plan.seed)
        self._file = None if plan.state is None else StateFile(plan.state, owner)
        stored = None if self._file is None else self._file.load()
        begins = plan.wall if stored is None else stored.now
        start = begins if plan.start is None else plan.start
        device = plan.make(start)
        if stored is not None:
            _take_up(device, stored.device, stored.now, str(plan.state))
        self.clock = DeviceClock(loop, start, plan.clock_factor)
        self.meter = ServedMeter(device, self.clock, schedule, log)
        self.meter.changed = self._changed
        self._plan = plan
        self._listeners: list[Listener] = []
        self._saving: asyncio.TimerHandle | None = None
        self._failed = False

    async def open(self) -> list[str]:
        """Give the device power and open every place; returns their addresses in order.

        Raises:
            ListenError: A place cannot be had; those opened before are closed again.
            StateFileError: The state cannot be written.
        """
        self.meter.start()
        try:
            for number, place in enumerate(self._plan.places, 1):
                self._listeners.append(
                    await open_place(place, self.meter, number, self._plan.timing)
                )
            self.save()
        except EmulatorError:
            self.meter.stop()
            await self._close_places()
            raise
        return [listener.address for listener in self._listeners]

    async def close(self) -> None:
        """Store the state, then close every place.

        Raises:
            StateFileError: The state cannot be written.
        """
        if self._saving is not None:
            self._saving.cancel()
        try:
            self.save()
        finally:
            self.meter.stop()
            await self._close_places()

    def save(self) -> None:
        """Store the state, where there is a file for it.

        Raises:
            StateFileError: It cannot be written.
        """
        if self._file is not None:
            self._file.save(self.clock.now(), self.meter.device.dump())

    def saved(self) -> bool:
        """Store the state, and say whether that was done."""
        try:
            self.save()
        except StateFileError as error:
            self.meter.note(Note("state_not_saved", (("why", error.why),)))
            return False
        return self._file is not None

    async def _close_places(self) -> None:
        for listener in self._listeners:
            await listener.close()
        self._listeners.clear()

    def _changed(self) -> None:
        if self._file is not None and self._saving is None:
            self._saving = self.meter.loop.call_later(SAVE_S, self._save_soon)

    def _save_soon(self) -> None:
        """Store the state; what is wrong is told once, and the device goes on."""
        self._saving = None
        try:
            self.save()
        except StateFileError as error:
            if not self._failed:
                self.meter.note(Note("state_not_saved", (("why", error.why),)))
            self._failed = True
        else:
            self._failed = False


async def serve(
    plan: ServePlan,
    ready: Callable[[Sequence[str]], None],
    log: Log,
    answer: order_lines.Answer = control.unheard,
) -> None:
    """Serve a device until SIGTERM or SIGINT, or until the control pipe ends.

    Args:
        plan: What to serve.
        ready: Called once with the addresses, in the order of ``plan.places``.
        log: Takes every note, with the device's time, in order.
        answer: Takes the answer to each order of the control pipe.

    Raises:
        ListenError: A place cannot be had.
        StateFileError: The stored state cannot be read, used or written.
        FaultError: A fault means nothing.
    """
    service = Service(plan, log)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    addresses = await service.open()
    pipe: asyncio.ReadTransport | None = None
    try:
        if plan.control is not None:
            orders = control.ControlPipe(service.meter, stopped.set, answer, service.saved)
            pipe = await order_lines.listen_to(plan.control, orders)
        ready(addresses)
        await stopped.wait()
    finally:
        if pipe is not None:
            pipe.close()
        await service.close()


def _take_up(device: LineDevice, state: object, at: UtcMs, where: str) -> None:
    """Put a stored state into a device; it is as after a short loss of supply.

    Raises:
        StateFileError: The device cannot take it.
    """
    try:
        device.load(state)
        if isinstance(state, Mapping) and state.get("powered"):
            device.handle(DeviceEvent.POWER_OFF, None, at)
    except (EmulatorError, KeyError, TypeError, ValueError) as error:
        why = error if isinstance(error, EmulatorError) else type(error).__name__
        raise StateFileError(where, f"it does not fit this device: {why}") from error
