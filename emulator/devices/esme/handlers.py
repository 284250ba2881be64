"""Use cases of an ESME: those of the table on its objects, and those that need more."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs
from emulator.devices.access_engine import Turn, carry_out
from emulator.devices.checks import Command
from emulator.devices.cosem import access_request
from emulator.devices.cs06 import activate_firmware
from emulator.devices.esme import life
from emulator.devices.esme.model.store import esme_objects
from emulator.devices.handlers import SUPPLIER, Answer, HandlerTable
from emulator.devices.protected_reads import protector, reply_to_reader

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

#: Use cases that move what the meter waits for: billing calendar and voltage thresholds.
_PLANNING: Final = frozenset(
    {"ECS30", "ECS30a", "ECS29a", "ECS29b", "ECS29c", "ECS29d", "ECS29e", "ECS29f"}
)
ESME_HANDLERS: Final["HandlerTable[Esme]"] = HandlerTable(DeviceType.ESME)
ESME_HANDLERS.handles(MessageCode.CS06, by=SUPPLIER)(activate_firmware)


def access_objects(device: "Esme", command: Command, now: UtcMs) -> Answer:
    """Carry out an access-request on the device's objects."""
    request = access_request(command)
    reply = reply_to_reader(command, device.next_counter)
    if reply.originator_counter is not None:
        device.next_counter += 1
    protect = protector(command, reply, device.eui64, device.ring)
    turn = Turn(command.row.use_case, command.row.code, command.header, now, protect)
    response = carry_out(request, device.model, turn)
    if command.row.use_case in _PLANNING:
        turn.effects.extend(life.wait(device, now))
    return Answer(response, after=tuple(turn.effects), reply_to=reply)


def _enter_table() -> None:
    roles = esme_objects().roles
    for row in MESSAGES.values():
        if row.use_case in roles and row.command:
            by = roles[row.use_case]
            ESME_HANDLERS.handles(MessageCode(row.code), by=by)(access_objects)


_enter_table()
