"""Use cases of a GSME."""

from typing import TYPE_CHECKING, Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import metering
from emulator.codecs.gbcs.metering import SupplyStatus, SupplyStatusResponse
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.errors import MalformedFrameError
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.cs06 import activate_firmware
from emulator.devices.gbz_reads import answer_reads, gbz_message
from emulator.devices.handlers import READERS, SUPPLIER, Answer, HandlerTable

if TYPE_CHECKING:
    from emulator.devices.gsme.gsme import Gsme

GSME_HANDLERS: Final["HandlerTable[Gsme]"] = HandlerTable(DeviceType.GSME)
GSME_HANDLERS.handles(MessageCode.CS06, by=SUPPLIER)(activate_firmware)
#: Message code -> status that a Change Supply of this use case proposes.
_PROPOSED: Final = {
    MessageCode.GCS32: SupplyStatus.OFF,
    MessageCode.GCS39: SupplyStatus.OFF_ARMED,
}


@GSME_HANDLERS.handles(MessageCode.GCS38, MessageCode.GCS33, MessageCode.GCS21E, by=READERS)
def read_attributes(device: "Gsme", command: Command, now: UtcMs) -> Answer:
    """GCS38 version (0206), GCS33 battery days and valve (0205, 0014), GCS21e identity."""
    return Answer(answer_reads(command, lambda cluster: device.attributes(cluster, now)))


@GSME_HANDLERS.handles(MessageCode.GCS32, MessageCode.GCS39, by=SUPPLIER)
def change_supply(device: "Gsme", command: Command, now: UtcMs) -> Answer:  # noqa: ARG001 - table
    """GCS32, GCS39: close or arm the valve; a valve that does not move answers failure C0.

    Source:
        RTDS GCS32 (success, error); GCS39 by the same layout [inferred: no vector at hand].
    """
    try:
        change = metering.change_supply_of(gbz_message(command))
    except MalformedFrameError as error:
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, str(error)) from None
    if change is None or change.proposed_status is not _PROPOSED[MessageCode(command.row.code)]:
        why = "not the Change Supply of this use case"
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, why)
    if not device.move_valve(change.proposed_status):
        failure = metering.default_response(metering.CHANGE_SUPPLY)
        return Answer(failure, after=(Note("valve_stuck"),))
    response = SupplyStatusResponse(
        change.provider_id, change.issuer_event_id, change.implementation_time_s, device.status
    )
    note = Note("valve", (("state", device.valve.value),))
    return Answer(metering.supply_status_response(response), after=(note,))
