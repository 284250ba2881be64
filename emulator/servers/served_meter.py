"""A device that runs in real time: its clock, timers, power, faults, and the lines to it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol

from device_profiles.schema import DeviceProfile
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
    CancelTimer,
    CloseDlms,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    SendDlms,
    SetTimer,
)
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import Fault, PowerCut
from emulator.core.ids import Eui64
from emulator.servers.device_clock import DeviceClock
from emulator.servers.device_faults import effect_of, put_in
from emulator.servers.line_parts import MeterDevice, block_of
from emulator.servers.transfer_watch import TransferWatch

#: Longest wait one timer is set for; a later moment is waited for in stages. Source: invented.
_STAGE_S: Final = 3600.0

#: What the names of the device's own timers begin with.
_DEVICE: Final = "device "
#: Name of the timer that gives power back.
_RETURN: Final = "power returns"

#: Takes a note and when it was made.
Log = Callable[[UtcMs, Note], None]


class LineDevice(MeterDevice, Protocol):
    """What a served meter needs of its device."""

    @property
    def eui64(self) -> Eui64:
        """The device's identifier."""
        ...

    def dump(self) -> Any:
        """Return the whole state as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped state."""
        ...


class Attached(Protocol):
    """A line as the meter sees it."""

    def perform(self, effect: Effect) -> None:
        """Do what the device ordered, where it concerns this line."""
        ...

    def power_off(self) -> None:
        """The device has lost its supply."""
        ...

    def power_on(self) -> None:
        """The device has its supply again."""
        ...


@dataclass(frozen=True, slots=True)
class _Timer:
    """Something that is to happen when the device's clock shows a moment."""

    at: UtcMs
    call: Callable[[], None]
    handle: asyncio.Handle


def _nothing() -> None:
    """Nobody wants to know."""


class ServedMeter:
    """One device, and what its lines share.

    Attributes:
        powered: Whether the device has power.
        clock: Its time.
        schedule: The faults.
        changed: Called when the device may have changed.
    """

    def __init__(
        self,
        device: LineDevice,
        clock: DeviceClock,
        schedule: FaultSchedule,
        log: Log,
    ) -> None:
        """Take a device; ``start`` gives it power.

        Args:
            device: The device.
            clock: Its time.
            schedule: Faults of its lines and of itself.
            log: Takes every note, with the device's time, in order.
        """
        self.device = device
        self.clock = clock
        self.schedule = schedule
        self.powered = False
        self.changed: Callable[[], None] = _nothing
        self.loop = asyncio.get_running_loop()
        self._log = log
        self._role = device.profile.device_type.value.lower()
        self._lines: list[Attached] = []
        self._transfer = TransferWatch()
        self._timers: dict[str, _Timer] = {}

    # -- as the device of a line ---------------------------------------------------------------

    @property
    def profile(self) -> DeviceProfile:
        """The device's model."""
        return self.device.profile

    @property
    def role(self) -> str:
        """Its role in lower case, as faults name it."""
        return self._role

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:  # noqa: ARG002 -- a line's time is not the device's
        """Hand an event to the device, at its own time; without power nothing happens."""
        if not self.powered:
            return []
        effects = self.device.handle(event, payload, self.clock.now())
        self.changed()
        if self.schedule.watches(self._role):
            moved = self._transfer.moved(self.device)
            if moved is not None:
                self._watch(moved)
        return effects

    def read_out(self, now: UtcMs) -> str | None:  # noqa: ARG002 -- as above
        """Return the data block of a mode C read-out, or None when the device has none."""
        return block_of(self.device, self.clock.now())

    # -- lines ---------------------------------------------------------------------------------

    def attach(self, line: Attached) -> None:
        """Add a line."""
        self._lines.append(line)

    def detach(self, line: Attached) -> None:
        """Remove a line, if it is here."""
        if line in self._lines:
            self._lines.remove(line)

    def perform(self, effect: Effect, origin: Attached | None = None) -> None:
        """Do what the device wants besides answering on the line it was asked on."""
        match effect:
            case Note():
                self.note(effect)
            case SetTimer():
                self._set_timer(effect)
            case CancelTimer():
                self._cancel(_DEVICE + effect.name)
            case BrownOut():
                self.cut_power(effect.off_s)
            case SendDlms() | CloseDlms():
                for line in [line for line in self._lines if line is not origin]:
                    line.perform(effect)
            case _:
                kind = type(effect).__name__
                self.note(Note("effect_without_link", (("effect", kind),)))

    def note(self, note: Note) -> None:
        """Tell a fact, and do what faults wait for it."""
        self._log(self.clock.now(), note)
        if self.schedule.watches(self._role):
            self._watch(note)

    def _watch(self, note: Note) -> None:
        for place in self.schedule.noted(self._role, note.kind, note.fields):
            self.loop.call_soon(self._strike, place)

    # -- power and faults ----------------------------------------------------------------------

    def start(self) -> None:
        """Give the device power, and wait for the faults that name a time."""
        self._switch_on()
        for at, place in self.schedule.timed(self.clock.now()):
            self._call_at(f"fault {place}", at, partial(self._strike, place))

    def stop(self) -> None:
        """Wait for nothing any more."""
        for timer in self._timers.values():
            timer.handle.cancel()
        self._timers.clear()

    def cut_power(self, off_s: float) -> None:
        """Take the supply now; it returns after ``off_s`` seconds of the device's clock (0: never).

        When cuts overlap, the last one says when the supply returns.
        """
        if self.powered:
            self._switch_off()
        self._cancel(_RETURN)
        if off_s:
            back_at = UtcMs(self.clock.now() + round(off_s * 1000))
            self._call_at(_RETURN, back_at, self._switch_on)

    def disturb(self, fault: Fault) -> None:
        """Put one more fault into force from now on: on the lines, or in the device itself.

        One that waits for nothing strikes at once; its times count from now.
        """
        place = self.schedule.add(fault)
        if fault.link != self._role:
            return
        at = self.schedule.due(place, self.clock.now())
        if at is not None:
            self._call_at(f"fault {place}", at, partial(self._strike, place))

    def put_forward(self, at: UtcMs) -> None:
        """Put the device's clock forward; what falls due on the way happens then, in its order."""
        while due := [(one.at, name) for name, one in self._timers.items() if one.at <= at]:
            moment, name = min(due)
            timer = self._timers.pop(name)
            timer.handle.cancel()
            self.clock.put_forward(moment)
            timer.call()
        self.clock.put_forward(at)
        for name, timer in list(self._timers.items()):
            timer.handle.cancel()
            self._call_at(name, timer.at, timer.call)

    def _strike(self, place: int) -> None:
        if self.schedule.is_over(place):
            return
        fault, act = self.schedule.act(place)
        if fault.link != self._role:
            return
        self.note(Note("fault", (("fault", fault.text), ("effect", effect_of(act)))))
        if isinstance(act, PowerCut):
            self.cut_power(act.off_s)
            return
        why = put_in(self.device, act)
        if why:
            self.note(Note("fault_without_effect", (("why", why),)))
        self.changed()

    def _switch_on(self) -> None:
        self.powered = True
        for line in list(self._lines):
            line.power_on()
        for effect in self.handle(DeviceEvent.POWER_ON, None, self.clock.now()):
            self.perform(effect)

    def _switch_off(self) -> None:
        effects = self.handle(DeviceEvent.POWER_OFF, None, self.clock.now())
        self.powered = False
        for name in [name for name in self._timers if name.startswith(_DEVICE)]:
            self._cancel(name)
        for line in list(self._lines):
            line.power_off()
        for effect in effects:
            if isinstance(effect, Note):
                self.note(effect)

    # -- timers --------------------------------------------------------------------------------

    def _set_timer(self, order: SetTimer) -> None:
        self._call_at(_DEVICE + order.name, order.at, partial(self._expire, order.name))

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.handle.cancel()

    def _expire(self, name: str) -> None:
        for effect in self.handle(DeviceEvent.TIMER, name, self.clock.now()):
            self.perform(effect)

    def _call_at(self, name: str, at: UtcMs, call: Callable[[], None]) -> None:
        """Call when the device's clock shows ``at``; replaces what waits under that name."""
        self._cancel(name)

        def look() -> None:
            if self.clock.now() < at:
                wait_s = min(self.clock.loop_time(at) - self.loop.time(), _STAGE_S)
                handle = self.loop.call_later(max(wait_s, 0.0005), look)
                self._timers[name] = _Timer(at, call, handle)
            else:
                self._timers.pop(name, None)
                call()

        self._timers[name] = _Timer(at, call, self.loop.call_soon(look))
