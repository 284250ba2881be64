"""Use cases of a CHF."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.devices.access_engine import Turn, carry_out
from emulator.devices.checks import Command
from emulator.devices.chf.device_log_object import HubObjects
from emulator.devices.cosem import access_request
from emulator.devices.handlers import ACB, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.chf.chf import Chf

CHF_HANDLERS: Final["HandlerTable[Chf]"] = HandlerTable(DeviceType.CHF)
C = MessageCode


#: ECS52 reads the firmware version; CCS01 to CCS07 read and change the device log; the others are
#: identity, logs and the network below 1 GHz. All come through the ACB. Source: RTDS 4.5.0.
_USE_CASES: Final = (
    C.ECS52, C.CCS01, C.CCS02, C.CCS03, C.CCS05_CCS04, C.CCS06, C.CCS07,
    C.ECS26I, C.ECS26N, C.ECS35C, C.ECS35D,
    C.DBCH01, C.DBCH02, C.DBCH03, C.DBCH04, C.DBCH05,
)  # fmt: skip


@CHF_HANDLERS.handles(*_USE_CASES, by=ACB)
def access_objects(device: "Chf", command: Command, now: UtcMs) -> Answer:
    """Carry an access-request out on the hub's objects."""
    row = command.row
    turn = Turn(row.use_case, row.code, command.header, now, _unprotected)
    response = carry_out(access_request(command), HubObjects(device), turn)
    return Answer(response, after=tuple(turn.effects))


def _unprotected(plain: bytes) -> bytes:
    """Return what is not sensitive as it is: nothing a hub tells is."""
    return plain
