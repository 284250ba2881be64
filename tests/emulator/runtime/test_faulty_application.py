"""A device outside any world, with the run's faults inside it."""

from typing import Any

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import (
    BrownOut,
    DeviceEvent,
    Effect,
    Note,
    Payload,
    SetTimer,
)
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.core.ids import Eui64
from emulator.runtime.faulty_application import FaultyApplication

START = UtcMs(1_767_603_600_000)
WHO = Eui64(bytes.fromhex("00db0000000000e1"))
HOUR_MS = 3_600_000


class Talker:
    """Notes every event; sets a timer when it is switched on."""

    def __init__(self) -> None:
        self.injected: list[str] = []
        self.battery_days = 100

    def handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        told: list[Effect] = [Note("event", (("event", event.value), ("state", str(payload))))]
        if event is DeviceEvent.POWER_ON:
            told.append(SetTimer("own", UtcMs(now + HOUR_MS)))
        return told

    def inject(self, fault: str) -> None:
        self.injected.append(fault)

    def dump(self) -> dict[str, Any]:
        return {"battery_days": self.battery_days}

    def load(self, state: Any) -> None:
        self.battery_days = state["battery_days"]


def faulty(*texts: str) -> tuple[FaultyApplication, Talker]:
    device = Talker()
    schedule = FaultSchedule([parse(text) for text in texts], Chance(1))
    return FaultyApplication(device, WHO, "esme", schedule, START), device


def timers(effects: list[Effect]) -> dict[str, int]:
    return {one.name: one.at for one in effects if isinstance(one, SetTimer)}


def kinds(effects: list[Effect]) -> list[str]:
    return [one.kind for one in effects if isinstance(one, Note)]


def test_a_fault_with_a_time_comes_by_a_timer_of_its_own_once() -> None:
    application, device = faulty("self-test-fails:after_s=1@esme")
    due = timers(application.handle(DeviceEvent.POWER_ON, None, START))
    assert due["fault/0"] == START + 1000
    told = application.handle(DeviceEvent.TIMER, "fault/0", UtcMs(START + 1000))
    assert kinds(told) == ["fault"]
    assert device.injected == ["self-test-fails"]
    again = application.handle(DeviceEvent.POWER_ON, None, UtcMs(START + 5000))
    assert "fault/0" not in timers(again)


def test_a_power_cut_that_waits_for_a_note_is_asked_of_the_node() -> None:
    application, _device = faulty("power-loss:note=event,state=now,off_s=90@esme")
    application.handle(DeviceEvent.POWER_ON, None, START)
    told = application.handle(DeviceEvent.TIMER, "now", UtcMs(START + 10))
    assert BrownOut(90.0) in told
    assert kinds(application.handle(DeviceEvent.POWER_OFF, None, UtcMs(START + 10))) == ["event"]
    back = application.handle(DeviceEvent.POWER_ON, None, UtcMs(START + 90_010))
    assert timers(back) == {"own": START + 90_010 + HOUR_MS}


def test_a_battery_is_set_where_there_is_one() -> None:
    application, device = faulty("battery-low:days=2,after_s=0@esme")
    application.handle(DeviceEvent.POWER_ON, None, START)
    application.handle(DeviceEvent.TIMER, "fault/0", START)
    assert device.battery_days == 2


def test_what_came_already_does_not_come_again_after_a_loss_of_power() -> None:
    application, _device = faulty("self-test-fails:after_s=1@esme")
    application.handle(DeviceEvent.POWER_ON, None, START)
    application.handle(DeviceEvent.TIMER, "fault/0", UtcMs(START + 1000))
    after, device = faulty("self-test-fails:after_s=1@esme")
    after.load(application.dump())
    assert "fault/0" not in timers(after.handle(DeviceEvent.POWER_ON, None, START))
    assert device.injected == []
