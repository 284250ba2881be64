"""CS06: activate the pending image, now, at a set time, or not after all."""

from emulator.codecs.gbcs.asn1 import CANCEL_TIME, ActivateFirmware, ActivateFirmwareResponse
from emulator.core.clock import UtcMs
from emulator.devices.activation import Cause, Running
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Answer
from emulator.devices.replies import ReplyTo


def activate_firmware(device: FirmwareDevice, command: Command, now: UtcMs) -> Answer:
    """CS06: run the pending image if its hash is the one the command names.

    Raises:
        CommandRefusedError: The payload is not that of CS06.

    Source:
        F-031: future-dated and cancelled commands answer NULL; the response to an immediate one
        follows when the activation is over.
    """
    value = command.value
    if not isinstance(value, ActivateFirmware):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not an ActivateFirmware")
    if value.execution_time == CANCEL_TIME:
        return Answer(ActivateFirmwareResponse(), before=tuple(device.activation.cancel()))
    if value.execution_time is not None:
        scheduled = tuple(device.schedule_activation(command, value, now))
        return Answer(ActivateFirmwareResponse(), before=scheduled)
    running = Running(Cause.COMMAND, reply_to=ReplyTo.of(command))
    code, effects = device.activation.begin(value.manufacturer_image_hash, running, now)
    if code is None:
        return Answer(before=tuple(effects))
    return Answer(ActivateFirmwareResponse(device.outcome(code)), before=tuple(effects))
