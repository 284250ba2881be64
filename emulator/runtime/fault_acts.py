"""What an ordered fault does to a device: in words, and where it goes inside."""

from emulator.core.faults import BatteryAt, DeviceAct, Inject, PowerCut
from emulator.runtime.box import Box, Injectable


def effect_of(act: DeviceAct) -> str:
    """Return what a fault does, in words."""
    match act:
        case PowerCut():
            return f"power off for {act.off_s:g} s" if act.off_s else "power off for good"
        case BatteryAt():
            return f"battery at {act.days} days"
        case Inject():
            return act.word


def set_battery(box: Box, days: int) -> str:
    """Set how long a device's battery lasts; return why that is without effect, or nothing."""
    state = box.device.dump()
    if "battery_days" not in state:
        return "the device has no battery"
    box.device.load({**state, "battery_days": days})
    return ""


def inject(box: Box, word: str) -> str:
    """Put a fault inside a device; return why that is without effect, or nothing."""
    device = box.device
    if not isinstance(device, Injectable):
        return "nothing can be put into the device"
    try:
        device.inject(word)
    except ValueError as error:
        return str(error)
    return ""
