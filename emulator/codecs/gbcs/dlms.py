"""DLMS payloads as GBCS uses them: invoke ids, and the firmware read ECS52."""

from typing import Final

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import (
    HARDWARE_FAULT,
    SUCCESS,
    AccessItem,
    AccessRequest,
    AccessResponse,
    AccessResult,
    DataNotification,
    Operation,
)
from emulator.codecs.gbcs.asn1 import VERSION_LENGTH

__all__ = [
    "FIRMWARE_VERSION",
    "DataNotification",
    "firmware_version_of",
    "firmware_version_request",
    "firmware_version_response",
    "invoke_id",
]

#: Class 1, 0-0:0.2.1.255, attribute 2: the active firmware version, octet-string of four octets.
FIRMWARE_VERSION: Final = AccessItem(Operation.GET, 1, bytes((0, 0, 0, 2, 1, 255)), 2)


def invoke_id(counter: int) -> int:
    """Return the long invoke id and priority of a message with this originator counter.

    Source:
        0x20000000 plus the counter's low 24 bits: 743 of 743 RTDS 4.5.0 messages, responses and
        alerts too; checked on the 369 at hand.
    """
    return 0x20000000 | counter & 0xFFFFFF


def firmware_version_request(counter: int) -> AccessRequest:
    """Return the ECS52 command's payload."""
    return AccessRequest(invoke_id(counter), (FIRMWARE_VERSION,))


def firmware_version_response(counter: int, version: bytes | None) -> AccessResponse:
    """Return the ECS52 response's payload.

    Args:
        counter: Originator counter of the command.
        version: Four octets; None where it cannot be read.

    Raises:
        ValueError: ``version`` has not four octets.
    """
    if version is None:
        result = AccessResult(Operation.GET, HARDWARE_FAULT)
    elif len(version) == VERSION_LENGTH:
        result = AccessResult(Operation.GET, data=axdr.octets(version))
    else:
        raise ValueError(f"a firmware version has {VERSION_LENGTH} octets, not {len(version)}")
    return AccessResponse(invoke_id(counter), (result,))


def firmware_version_of(response: AccessResponse) -> bytes | None:
    """Return the version an ECS52 response tells, or None where it tells none."""
    if len(response.results) != 1 or response.results[0].result != SUCCESS:
        return None
    version = response.results[0].data.value
    return version if isinstance(version, bytes) and len(version) == VERSION_LENGTH else None
