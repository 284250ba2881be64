"""Use cases of an ESME."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType, SupplyState
from emulator.codecs.dlms.axdr import NULL, Data
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.devices.checks import Command
from emulator.devices.cosem import (
    SWITCH_SCRIPT,
    SWITCH_STATE,
    VERSION,
    access_request,
    answer_access,
    control_state,
    version_data,
)
from emulator.devices.cs06 import activate_firmware
from emulator.devices.handlers import READERS, SUPPLIER, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

ESME_HANDLERS: Final["HandlerTable[Esme]"] = HandlerTable(DeviceType.ESME)
ESME_HANDLERS.handles(MessageCode.CS06, by=SUPPLIER)(activate_firmware)
#: Message code -> state the load switch goes to.
_SWITCH_TO: Final = {
    MessageCode.ECS42: SupplyState.ON,
    MessageCode.ECS43: SupplyState.OFF,
    MessageCode.ECS44: SupplyState.ARMED,
}


@ESME_HANDLERS.handles(MessageCode.ECS52, MessageCode.ECS45, by=READERS)
def read_objects(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """ECS52, ECS45: read the firmware version, the state of the load switch."""
    readings = {
        VERSION: lambda: version_data(device.reported_version()),
        SWITCH_STATE: lambda: control_state(device.switch),
    }
    return Answer(answer_access(access_request(command), readings))


@ESME_HANDLERS.handles(MessageCode.ECS42, MessageCode.ECS43, MessageCode.ECS44, by=SUPPLIER)
def work_switch(device: "Esme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """ECS42, ECS43, ECS44: close, open or arm the load switch.

    Source:
        RTDS ECS42; which script each use case runs is told by its message code, the script number
        is not looked at (no vector of ECS43 and ECS44 is at hand).
    """
    target = _SWITCH_TO[MessageCode(command.row.code)]
    moved: list[SupplyState] = []

    def move() -> Data:
        moved.append(target)
        return NULL

    response = answer_access(access_request(command), {SWITCH_SCRIPT: move})
    if moved:
        device.switch = moved[-1]
    note = Note("switch", (("state", device.switch.value),))
    return Answer(response, after=(note,) if moved else ())
