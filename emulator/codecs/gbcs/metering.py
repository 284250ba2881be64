"""GSME payloads of firmware and valve work: GCS38, GCS32, GCS33 and GCS39 on cluster 0x0702.

Source:
    Clusters, commands and attributes of reference gbcs.md section 17 and its tables. GCS32 and
    GCS38 checked on the RTDS 4.5.0 messages at hand; no message of GCS33 and GCS39 is at hand, so
    their attribute types (uint16, enum8) are those of Smart Energy [known].
"""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.gbcs.asn1 import VERSION_LENGTH
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.zcl import foundation
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    DefaultResponse,
    FoundationCommand,
    ReadAttributes,
    ReadAttributesResponse,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.metering import (
    CLUSTER,
    ChangeSupply,
    MeteringAttribute,
    SupplyStatus,
    SupplyStatusResponse,
)
from emulator.codecs.zcl.values import AttributeValue, Scalar, ZclType

__all__ = ["CLUSTER", "ChangeSupply", "SupplyStatus", "SupplyStatusResponse", "ValveStatus"]

#: ZCL identifiers of Change Supply and of its answer.
CHANGE_SUPPLY: Final = 0x0B
SUPPLY_STATUS_RESPONSE: Final = 0x0C
#: ZCL status of a failure inside the meter, as every failing RTDS response has it.
HARDWARE_FAILURE: Final = 0xC0

_BATTERY: Final = int(MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS)
_SUPPLY: Final = int(MeteringAttribute.SUPPLY_STATUS)
_VERSION: Final = int(MeteringAttribute.CURRENT_METER_ID)


@dataclass(frozen=True, slots=True)
class ValveStatus:
    """What GCS33 reads.

    Attributes:
        battery_days: Remaining battery life in days, 16 bits.
        status: State of the valve.
    """

    battery_days: int
    status: SupplyStatus


def frame_of(component: GbzComponent) -> ZclFrame:
    """Return a component's ZCL frame (an encrypted one's payload is its block).

    Raises:
        MalformedFrameError: Its frame control has reserved bits.
    """
    head = bytes((component.frame_control, component.sequence, component.command))
    return zcl_frame.decode(head + component.payload)


def message_of(cluster: int, *frames: ZclFrame) -> GbzMessage:
    """Return a GBZ message of these ZCL frames, one a component, none encrypted.

    Raises:
        ValueError: A frame cannot be written, or is manufacturer-specific.
    """
    octets = [zcl_frame.encode(frame) for frame in frames]
    if any(frame.manufacturer_code is not None for frame in frames):
        raise ValueError("GBZ carries no manufacturer-specific frames")
    return GbzMessage(tuple(GbzComponent(cluster, o[0], o[1], o[2], o[3:]) for o in octets))


def _message(command: int, payload: bytes, *, specific: bool, answer: bool) -> GbzMessage:
    return message_of(CLUSTER, ZclFrame(specific, answer, False, 0, command, payload))


def _frame(message: GbzMessage, command: int, *, specific: bool, answer: bool) -> ZclFrame | None:
    """Return the one frame of a message of that kind, or None for a message of another kind."""
    if len(message.components) != 1 or message.components[0].frame_counter is not None:
        return None
    frame = frame_of(message.components[0])
    found = (message.components[0].cluster, frame.command, frame.cluster_specific)
    same = found == (CLUSTER, command, specific) and frame.server_to_client is answer
    return frame if same else None


def _read(*attributes: int) -> GbzMessage:
    payload = ReadAttributes(attributes).encode()
    command = FoundationCommand.READ_ATTRIBUTES
    return _message(command, payload, specific=False, answer=False)


def _readings(message: GbzMessage, *attributes: int) -> tuple[Scalar, ...] | None:
    """Return the values of a Read Attributes Response that answers exactly ``attributes``."""
    command = FoundationCommand.READ_ATTRIBUTES_RESPONSE
    frame = _frame(message, command, specific=False, answer=True)
    if frame is None:
        return None
    readings = ReadAttributesResponse.decode(frame.payload).readings
    if tuple(reading.attribute for reading in readings) != attributes:
        return None
    values = [reading.value for reading in readings]
    return None if None in values else tuple(value.value for value in values if value is not None)


def _answer(*readings: AttributeReading) -> GbzMessage:
    payload = ReadAttributesResponse(readings).encode()
    command = FoundationCommand.READ_ATTRIBUTES_RESPONSE
    return _message(command, payload, specific=False, answer=True)


def firmware_version_request() -> GbzMessage:
    """Return the GCS38 command: read attribute 0x0206."""
    return _read(_VERSION)


def firmware_version_response(version: bytes) -> GbzMessage:
    """Return the GCS38 response.

    Raises:
        ValueError: ``version`` has not four octets.
    """
    if len(version) != VERSION_LENGTH:
        raise ValueError(f"a firmware version has {VERSION_LENGTH} octets, not {len(version)}")
    value = AttributeValue(ZclType.OCTETS, version)
    return _answer(AttributeReading(_VERSION, foundation.Status.SUCCESS, value))


def firmware_version_of(message: GbzMessage) -> bytes | None:
    """Return the version a GCS38 response tells, or None where it tells none.

    Raises:
        MalformedFrameError: It is a Read Attributes Response, but a damaged one.
    """
    values = _readings(message, _VERSION)
    version = values[0] if values else None
    return version if isinstance(version, bytes) and len(version) == VERSION_LENGTH else None


def change_supply(command: ChangeSupply) -> GbzMessage:
    """Return the GCS32 (OFF) or GCS39 (OFF_ARMED) command.

    Raises:
        ValueError: A field does not fit.
    """
    return _message(CHANGE_SUPPLY, command.encode(), specific=True, answer=False)


def change_supply_of(message: GbzMessage) -> ChangeSupply | None:
    """Read a GCS32 or GCS39 command; None where the message is another.

    Raises:
        MalformedFrameError: The command is a Change Supply, but a damaged one.
    """
    frame = _frame(message, CHANGE_SUPPLY, specific=True, answer=False)
    return None if frame is None else ChangeSupply.decode(frame.payload)


def supply_status_response(response: SupplyStatusResponse) -> GbzMessage:
    """Return the GCS32 or GCS39 response of success.

    Raises:
        ValueError: A field does not fit.
    """
    return _message(SUPPLY_STATUS_RESPONSE, response.encode(), specific=True, answer=True)


def supply_status_of(message: GbzMessage) -> SupplyStatusResponse | None:
    """Read a GCS32 or GCS39 response of success; None where the message is another.

    Raises:
        MalformedFrameError: It is a Supply Status Response, but a damaged one.
    """
    frame = _frame(message, SUPPLY_STATUS_RESPONSE, specific=True, answer=True)
    return None if frame is None else SupplyStatusResponse.decode(frame.payload)


def default_response(command: int, status: int = HARDWARE_FAILURE) -> GbzMessage:
    """Return a ZCL default response, as a failing GCS32 or GCS39 gets it."""
    payload = DefaultResponse(command, status).encode()
    code = FoundationCommand.DEFAULT_RESPONSE
    return _message(code, payload, specific=False, answer=True)


def valve_status_request() -> GbzMessage:
    """Return the GCS33 command: read battery days and supply status."""
    return _read(_BATTERY, _SUPPLY)


def valve_status_response(valve: ValveStatus) -> GbzMessage:
    """Return the GCS33 response.

    Raises:
        ValueError: The days do not fit 16 bits.
    """
    success = foundation.Status.SUCCESS
    return _answer(
        AttributeReading(_BATTERY, success, AttributeValue(ZclType.UINT16, valve.battery_days)),
        AttributeReading(_SUPPLY, success, AttributeValue(ZclType.ENUM8, int(valve.status))),
    )


def valve_status_of(message: GbzMessage) -> ValveStatus | None:
    """Read a GCS33 response of success; None where it is none.

    Raises:
        MalformedFrameError: It is a Read Attributes Response, but a damaged one.
    """
    values = _readings(message, _BATTERY, _SUPPLY)
    if values is None:
        return None
    days, status = values
    if not isinstance(days, int) or not isinstance(status, int) or status not in set(SupplyStatus):
        return None
    return ValveStatus(days, SupplyStatus(status))
