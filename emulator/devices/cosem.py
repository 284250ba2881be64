"""The COSEM objects that firmware work touches, as requests name them and answers hold them."""

from collections.abc import Mapping
from typing import Final, TypeAlias

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import (
    AccessItem,
    AccessRequest,
    Operation,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dlms import FIRMWARE_VERSION
from emulator.devices.checks import Command, CommandRefusedError, Complaint

#: What names an object's attribute or method in a request.
Place: TypeAlias = tuple[Operation, int, bytes, int]

VERSION: Final[Place] = (
    FIRMWARE_VERSION.operation,
    FIRMWARE_VERSION.class_id,
    FIRMWARE_VERSION.obis,
    FIRMWARE_VERSION.index,
)
#: Switch state -> control_state. Source: known (Blue Book class 70); 1 seen in RTDS ECS45.
CONTROL_STATE: Final[Mapping[SupplyState, int]] = {
    SupplyState.OFF: 0,
    SupplyState.ON: 1,
    SupplyState.ARMED: 2,
}


def access_request(command: Command) -> AccessRequest:
    """Return a command's payload as a DLMS request.

    Raises:
        CommandRefusedError: It is none.
    """
    if not isinstance(command.value, AccessRequest):
        raise CommandRefusedError(Complaint.MALFORMED_PAYLOAD.value, "not an access-request")
    return command.value


def place_of(item: AccessItem) -> Place:
    """Return what an access item names."""
    return item.operation, item.class_id, item.obis, item.index


def control_state(state: SupplyState) -> Data:
    """Return a switch state as ECS45 answers it."""
    return Data(Tag.ENUM, CONTROL_STATE[state])


def version_data(version: bytes) -> Data:
    """Return a firmware version as ECS52 answers it."""
    return axdr.octets(version)
