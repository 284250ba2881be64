"""CS08: the firmware version of a PPMID or HCALCS."""

from emulator.codecs.gbcs.asn1 import FirmwareVersionResponse, ReadFirmwareVersion, ResultCode
from emulator.core.clock import UtcMs
from emulator.devices.checks import Command, CommandRefusedError, Complaint
from emulator.devices.firmware_device import FirmwareDevice
from emulator.devices.handlers import Answer


def read_firmware_version(
    device: FirmwareDevice,
    command: Command,
    now: UtcMs,  # noqa: ARG001 - the table's signature
) -> Answer:
    """CS08: answer the version that runs.

    Raises:
        CommandRefusedError: The payload is not that of CS08.

    Source:
        RTDS 11.2_CS08.
    """
    if not isinstance(command.value, ReadFirmwareVersion):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not NULL")
    return Answer(FirmwareVersionResponse(device.reported_version(), ResultCode.SUCCESS))
