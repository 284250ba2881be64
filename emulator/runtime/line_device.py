"""The device of a line world: its power, timers, notes, and the faults put into it."""

from collections.abc import Callable
from typing import Final

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
from emulator.core.errors import MalformedFrameError
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import PowerCut
from emulator.runtime.agenda import POWER_RETURN, Agenda
from emulator.runtime.records import Records
from emulator.servers.device_faults import effect_of, put_in
from emulator.servers.served_meter import LineDevice
from emulator.servers.transfer_watch import TransferWatch

#: Index of the device's entries in the agenda, and of its line's.
DEVICE, LINE = 0, 1
#: The kind of entries that can be stopped.
TIMER: Final = "timer"
POWER, FAULT = "power", "fault"


class LineScene:
    """What device and line share.

    Attributes:
        now_us: The present moment, microseconds since 1970.
        agenda: What will happen.
        records: Facts and frames nobody has taken yet.
        faults: The run's faults.
    """

    def __init__(self, faults: FaultSchedule, now_us: int) -> None:
        self.now_us = now_us
        self.agenda = Agenda()
        self.records = Records()
        self.faults = faults

    @property
    def now(self) -> UtcMs:
        """The present moment in milliseconds, rounded down."""
        return UtcMs(self.now_us // 1000)


class PoweredDevice:
    """A device with mains that can be taken, doing by itself what needs no line.

    Attributes:
        device: The device.
        role: Its role in lower case, as faults name it.
        powered: Whether it has power.
    """

    def __init__(
        self, device: LineDevice, scene: LineScene, switched: Callable[[bool], None]
    ) -> None:
        """Take a device without power.

        Args:
            device: The device.
            scene: What it shares with its line.
            switched: Called after its power has come, and after it has gone.
        """
        self.device = device
        self.role = device.profile.device_type.value.lower()
        self.powered = False
        self._scene = scene
        self._transfer = TransferWatch()
        self._switched = switched

    def start(self) -> None:
        """Switch it on, and enter the faults that name a time."""
        self.switch(True)
        for at, place in self._scene.faults.timed(self._scene.now):
            self._scene.agenda.put(at * 1000, FAULT, DEVICE, place)

    def handle(self, event: DeviceEvent, payload: Payload) -> list[Effect]:
        """Let it handle an event; returns what is for its line, in order."""
        if not self.powered:
            return []
        try:
            effects = self.device.handle(event, payload, self._scene.now)
        except MalformedFrameError as error:  # the peer's octets: noted here should a device not
            why = (("event", event.value), ("layer", error.layer), ("why", error.why))
            effects = [Note("malformed_frame", why)]
        for effect in effects:
            self.perform(effect)
        return [effect for effect in effects if isinstance(effect, SendDlms | CloseDlms)]

    def perform(self, effect: Effect) -> None:
        """Do what it wants, but for what its line does."""
        agenda = self._scene.agenda
        match effect:
            case Note():
                self.note(effect)
            case SetTimer():
                due_us = max(effect.at * 1000, self._scene.now_us)
                agenda.start_timer(due_us, TIMER, DEVICE, effect.name)
            case CancelTimer():
                agenda.stop_timer(TIMER, DEVICE, effect.name)
            case BrownOut():
                self.cut_power(effect.off_s)
            case SendDlms() | CloseDlms():
                return  # its line's; a world has no other line
            case _:
                kind = type(effect).__name__
                self.note(Note("effect_without_link", (("effect", kind),)))

    def note(self, note: Note) -> None:
        """Remember a fact, and show it to the faults that wait for one."""
        scene = self._scene
        scene.records.note(scene.now_us, self.device.eui64, note)
        if scene.faults.watches(self.role):
            self._watch(note)

    def watch_transfer(self) -> None:
        """Show how far an image transfer has come to the faults that wait for it."""
        if self._scene.faults.watches(self.role):
            moved = self._transfer.moved(self.device)
            if moved is not None:
                self._watch(moved)

    def _watch(self, note: Note) -> None:
        scene = self._scene
        for place in scene.faults.noted(self.role, note.kind, note.fields):
            scene.agenda.put(scene.now_us, FAULT, DEVICE, place)

    def cut_power(self, off_s: float) -> None:
        """Take the supply now; it returns after ``off_s`` seconds (0: never).

        When cuts overlap, the last one says when the supply returns.
        """
        scene = self._scene
        scene.agenda.put(scene.now_us, POWER, DEVICE, False)
        if off_s:
            due_us = scene.now_us + round(off_s * 1_000_000)
            scene.agenda.start_timer(due_us, POWER_RETURN, DEVICE, "")
        else:
            scene.agenda.stop_timer(POWER_RETURN, DEVICE, "")

    def switch(self, on: bool) -> None:
        """Give it power, or take it; nothing where that is how it stands."""
        if on == self.powered:
            return
        if on:
            self.powered = True
            self._switched(True)
            self.handle(DeviceEvent.POWER_ON, None)
            return
        effects = self.device.handle(DeviceEvent.POWER_OFF, None, self._scene.now)
        self.powered = False
        for effect in effects:
            if isinstance(effect, Note):
                self.note(effect)
        self._scene.agenda.stop_timers_of(DEVICE)
        self._switched(False)

    def strike(self, place: int) -> None:
        """Let the fault at this place of the schedule do what it does."""
        fault, act = self._scene.faults.act(place)
        if fault.link != self.role or self._scene.faults.is_over(place):
            return
        self.note(Note("fault", (("fault", fault.text), ("effect", effect_of(act)))))
        if isinstance(act, PowerCut):
            self.cut_power(act.off_s)
            return
        why = put_in(self.device, act)
        if why:
            self.note(Note("fault_without_effect", (("why", why),)))
