"""What an ordered fault does to a device: in words, and inside it."""

from typing import Any, Protocol, runtime_checkable

from emulator.core.faults import BatteryAt, DeviceAct, Inject, PowerCut


class Dumping(Protocol):
    """A device whose state can be taken and put back."""

    def dump(self) -> Any:
        """Return the whole state as JSON values."""
        ...

    def load(self, state: Any) -> None:
        """Take over a dumped state."""
        ...


@runtime_checkable
class Injectable(Protocol):
    """A device that faults can be put into."""

    def inject(self, fault: str) -> None:
        """Put a fault inside the device; ValueError when it has no such fault."""
        ...


def put_in(device: Dumping, act: BatteryAt | Inject) -> str:
    """Do what a fault does to a device; return why it came to nothing, or an empty text."""
    if isinstance(act, BatteryAt):
        state = device.dump()
        if "battery_days" not in state:
            return "the device has no battery"
        device.load({**state, "battery_days": act.days})
        return ""
    if not isinstance(device, Injectable):
        return "nothing can be put into the device"
    try:
        device.inject(act.word)
    except ValueError as error:
        return str(error)
    return ""


def effect_of(act: DeviceAct) -> str:
    """Return in words what a fault does to a device."""
    match act:
        case PowerCut():
            return f"power off for {act.off_s:g} s" if act.off_s else "power off for good"
        case BatteryAt():
            return f"battery at {act.days} days"
        case Inject():
            return act.word
