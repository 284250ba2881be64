"""The COSEM objects that firmware work touches, and access to them item by item."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import (
    HARDWARE_FAULT,
    OTHER_REASON,
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    Operation,
)
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.dlms import FIRMWARE_VERSION
from emulator.devices.checks import Command, CommandRefusedError, Complaint

#: What names an object's attribute or method in a request.
Place: TypeAlias = tuple[Operation, int, bytes, int]
Reading: TypeAlias = Callable[[], Data]

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


def answer_access(request: AccessRequest, readings: Mapping[Place, Reading]) -> AccessResponse:
    """Carry out a request item by item.

    The first item that is not there fails, and every item after it with "other reason".

    Source:
        reference gbcs.md section 7 (126 of 126 failing responses).
    """
    results: list[AccessResult] = []
    failed = False
    for item in request.items:
        reading = readings.get(place_of(item))
        operation = Operation.GET if item.operation is Operation.GET_SELECTED else item.operation
        if failed or reading is None:
            results.append(AccessResult(operation, OTHER_REASON if failed else HARDWARE_FAULT))
            failed = True
        else:
            results.append(AccessResult(operation, data=reading()))
    return AccessResponse(request.invoke_id, tuple(results))


def control_state(state: SupplyState) -> Data:
    """Return a switch state as ECS45 answers it."""
    return Data(Tag.ENUM, CONTROL_STATE[state])


def version_data(version: bytes) -> Data:
    """Return a firmware version as ECS52 answers it."""
    return axdr.octets(version)
