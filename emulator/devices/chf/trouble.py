"""A hub that tells of trouble with its network: with the longest alert that it has, CS14.

Source:
    migration.md 4.4 (26 February 2023: hubs cut off by a change of the mobile network sent failure
    messages about a hundred times the usual size). Which messages those were is not public, and
    CS14 is not as long: stand-in.
"""

from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs.alerts import AlertCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.devices.base import Device
from emulator.devices.chf.device_log_object import log_changed

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

#: Begin of the names of the timers at whose end the hub tells of trouble.
TROUBLE_TIMER: Final = "network.trouble."


def expect_trouble(device: object, at: UtcMs) -> str:
    """Have a hub expect trouble at a moment; returns the timer that has to end then.

    A device that keeps no book of its timers (a SMETS1 hub) needs none.
    """
    name = f"{TROUBLE_TIMER}{int(at)}"
    if isinstance(device, Device):
        device.timers[name] = at
    return name


def tell_trouble(hub: "Chf", now: UtcMs) -> list[Effect]:
    """Log the trouble and send the whole device log to the ACB (CS14), as after a change of it."""
    return [hub.log(AlertCode.DEVICE_LOG_CHANGED, "network", now), *log_changed(hub, now)]
