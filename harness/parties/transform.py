"""From an 11.2 request to the command that reads a firmware version."""

from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.gbcs import asn1, dlms, gbz, metering
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.ids import Eui64
from harness.formats.duis.requests import ServiceRequest

#: Device type -> use case that reads its firmware version.
#: Source: GBCS mapping table (11.2): ECS52 ESME/CHF, GCS38 GSME, CS08 PPMID/HCALCS.
READ_VERSION: Final[dict[DeviceType, MessageCode]] = {
    DeviceType.ESME: MessageCode.ECS52,
    DeviceType.CHF: MessageCode.ECS52,
    DeviceType.GSME: MessageCode.GCS38,
    DeviceType.PPMID: MessageCode.CS08,
    DeviceType.HCALCS: MessageCode.CS08,
}
#: Devices that take commands of the ACB alone: the requester stands in the supplementary fields.
THROUGH_ACB: Final = frozenset({DeviceType.CHF, DeviceType.PPMID, DeviceType.HCALCS})


def read_command(
    request: ServiceRequest,
    device_type: DeviceType,
    *,
    requester: Eui64,
    acb: Eui64,
    acb_counter: int,
) -> Envelope:
    """Return the command of an 11.2 request, its MAC still to be added.

    Args:
        request: Names the device and the counter.
        device_type: Decides the use case.
        requester: The service user who asks.
        acb: The Access Control Broker.
        acb_counter: Its next originator counter; used for devices it speaks to itself.

    Raises:
        KeyError: No use case reads the version of such a device.

    Source:
        reference/gbcs.md §5, §10; checked octet for octet on the three 11.2 commands at hand.
    """
    code = READ_VERSION[device_type]
    identity = request.request_id
    if device_type in THROUGH_ACB:
        other = OtherInformation(code, requester, identity.counter)
        header = GroupingHeader(Cra.COMMAND, acb_counter, acb, identity.target, other)
    else:
        other = OtherInformation(code)
        header = GroupingHeader(Cra.COMMAND, identity.counter, requester, identity.target, other)
    return Envelope(header, _read_payload(code, header.counter), b"")


def _read_payload(code: MessageCode, counter: int) -> bytes:
    if code is MessageCode.ECS52:
        return access.encode_request(dlms.firmware_version_request(counter))
    if code is MessageCode.GCS38:
        return gbz.encode(metering.firmware_version_request())
    return asn1.ReadFirmwareVersion().encode()
