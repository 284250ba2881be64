"""A device that lives outside a world, with the run's faults inside it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from emulator.codecs.zcl import ota
from emulator.core import faults as fault_orders
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    SendZcl,
    SetTimer,
    ZclIndication,
)
from emulator.core.fault_keys import ROLES
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import PowerCut
from emulator.core.ids import Eui64
from emulator.ncp.member_plan import Application, MemberPlan
from emulator.runtime.progress import OtaProgress
from emulator.servers.device_faults import effect_of, put_in

#: Names of timers that are the faults' own.
_FAULT: Final = "fault/"


def with_faults(
    plans: Sequence[MemberPlan], faults: Sequence[str], seed: int, start: UtcMs
) -> tuple[MemberPlan, ...]:
    """Return the nodes of a home with the faults of a run inside them.

    Args:
        plans: The nodes; the first word of a node's name is its role.
        faults: Faults of devices as ordered; others are of no concern here.
        seed: Seed of every octet of chance.
        start: The moment from which the seconds of faults count.

    Raises:
        FaultError: A fault means nothing.
    """
    ordered = [fault_orders.parse(text) for text in faults]
    wanted = {fault.link for fault in ordered if fault.link in ROLES}
    return tuple(
        replace(plan, application=_faulty(plan, role, faults, seed, start))
        if (role := plan.name.partition(" ")[0]) in wanted
        else plan
        for plan in plans
    )


def _faulty(
    plan: MemberPlan, role: str, faults: Sequence[str], seed: int, start: UtcMs
) -> "FaultyApplication":
    own = [fault for fault in map(fault_orders.parse, faults) if fault.link == role]
    schedule = FaultSchedule(own, Chance(seed))
    return FaultyApplication(plan.application, plan.eui64, role, schedule, start)


class FaultyApplication:
    """A device whose notes and downloads faults watch, and to which they happen.

    A cut of its supply it asks of its node (`BrownOut`): radio and device go together.

    Attributes:
        eui64: The device's identifier.
    """

    def __init__(
        self, device: Application, eui64: Eui64, role: str, schedule: FaultSchedule, start: UtcMs
    ) -> None:
        """Take the device, its role in lower case, its faults, and when their seconds begin."""
        self.eui64 = eui64
        self._device = device
        self._role = role
        self._schedule = schedule
        self._start = start
        self._progress = OtaProgress()
        self._come: set[int] = set()

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        """Take one event; return what is to be done, in order."""
        if event is DeviceEvent.TIMER and str(payload).startswith(_FAULT):
            return self._own_timer(str(payload))
        if isinstance(payload, ZclIndication) and payload.cluster == ota.CLUSTER:
            order = SendZcl(payload.destination, payload.cluster, payload.frame)
            self._progress.passed(payload.source, order)
        effects = self._device.handle(event, payload, now)
        if event is DeviceEvent.POWER_OFF:
            return effects
        if event is DeviceEvent.POWER_ON:
            effects = [*effects, *self._alarms()]
        return self._watched(effects)

    def _watched(self, effects: Sequence[Effect]) -> list[Effect]:
        """Show what a device does to its faults, and let those happen that waited for it."""
        struck: list[int] = []
        for effect in effects:
            note = effect if isinstance(effect, Note) else self._moved(effect)
            if note is not None:
                struck += self._schedule.noted(self._role, note.kind, note.fields)
        return [*effects, *(after for place in struck for after in self._act(place))]

    def _moved(self, effect: Effect) -> Note | None:
        if not isinstance(effect, SendZcl) or effect.cluster != ota.CLUSTER:
            return None
        further = self._progress.passed(self.eui64, effect)
        return None if further is None else further[1]

    def _alarms(self) -> Iterator[Effect]:
        """Yield timers for the faults that come by themselves and have not come yet."""
        for at, place in self._schedule.timed(self._start):
            if place not in self._come:
                yield SetTimer(f"{_FAULT}{place}", at)

    def _own_timer(self, name: str) -> list[Effect]:
        place = int(name.removeprefix(_FAULT))
        self._come.add(place)
        return self._act(place)

    def _act(self, place: int) -> list[Effect]:
        fault, act = self._schedule.act(place)
        fields = (("fault", fault.text), ("effect", effect_of(act)))
        told: list[Effect] = [Note("fault", fields)]
        if isinstance(act, PowerCut):
            return [*told, BrownOut(act.off_s)]
        why = put_in(self._device, act)
        if why:
            told.append(Note("fault_without_effect", (("why", why),)))
        return told

    # -- memory --------------------------------------------------------------------------------

    def dump(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""
        return {
            "device": self._device.dump(),
            "schedule": self._schedule.dump(),
            "progress": self._progress.dump(),
            "come": sorted(self._come),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state; a loss of power lies between."""
        self._device.load(state["device"])
        self._schedule.load(state["schedule"])
        self._progress.load(state["progress"])
        self._come = set(state["come"])
