"""Use cases of a CHF."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.access import Operation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.devices.checks import Command
from emulator.devices.cosem import VERSION, Place, access_request, answer_access, version_data
from emulator.devices.handlers import ACB, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

CHF_HANDLERS: Final["HandlerTable[Chf]"] = HandlerTable(DeviceType.CHF)
#: Class 104, active devices. Source: reference gbcs.md section 7.
ACTIVE_DEVICES: Final[Place] = (Operation.GET, 104, bytes((0, 0, 30, 3, 0, 255)), 4)


@CHF_HANDLERS.handles(MessageCode.ECS52, MessageCode.CCS05_CCS04, MessageCode.CCS06, by=ACB)
def read_objects(device: "Chf", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """ECS52, CCS05/04, CCS06: read the firmware version, the device log."""
    readings = {
        VERSION: lambda: version_data(device.reported_version()),
        ACTIVE_DEVICES: device.device_log.data,
    }
    return Answer(answer_access(access_request(command), readings))
