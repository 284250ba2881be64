"""Numbers and fields that the commands of the OTA Upgrade cluster share."""

import enum
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import Declared
from emulator.codecs.zigbee.blocks import Must, Named


class OtaCommand(enum.IntEnum):
    """Command identifiers; they are unique over both directions."""

    IMAGE_NOTIFY = 0x00
    QUERY_NEXT_IMAGE_REQUEST = 0x01
    QUERY_NEXT_IMAGE_RESPONSE = 0x02
    IMAGE_BLOCK_REQUEST = 0x03
    IMAGE_PAGE_REQUEST = 0x04
    IMAGE_BLOCK_RESPONSE = 0x05
    UPGRADE_END_REQUEST = 0x06
    UPGRADE_END_RESPONSE = 0x07
    QUERY_SPECIFIC_FILE_REQUEST = 0x08
    QUERY_SPECIFIC_FILE_RESPONSE = 0x09


class OtaStatus(enum.IntEnum):
    """Status octet of OTA commands."""

    SUCCESS = 0x00
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUPPORTED_CLUSTER_COMMAND = 0x81
    ABORT = 0x95
    INVALID_IMAGE = 0x96
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    REQUIRE_MORE_IMAGE = 0x99


class ImageUpgradeStatus(enum.IntEnum):
    """Values of attribute 0x0006."""

    NORMAL = 0x00
    DOWNLOAD_IN_PROGRESS = 0x01
    DOWNLOAD_COMPLETE = 0x02
    WAITING_TO_UPGRADE = 0x03
    COUNT_DOWN = 0x04
    WAIT_FOR_MORE = 0x05


class OtaAttribute(enum.IntEnum):
    """Attribute identifiers (of the client, as all of this cluster)."""

    UPGRADE_SERVER_ID = 0x0000
    FILE_OFFSET = 0x0001
    CURRENT_FILE_VERSION = 0x0002
    CURRENT_STACK_VERSION = 0x0003
    DOWNLOADED_FILE_VERSION = 0x0004
    DOWNLOADED_STACK_VERSION = 0x0005
    IMAGE_UPGRADE_STATUS = 0x0006
    MANUFACTURER_ID = 0x0007
    IMAGE_TYPE_ID = 0x0008
    MINIMUM_BLOCK_PERIOD = 0x0009
    IMAGE_STAMP = 0x000A


STATUS: Final = Named(c.Int8ul, OtaStatus)
SUCCESS: Final = "status" / c.Const(0, c.Int8ul)
IMAGE: Final = (
    "manufacturer_code" / c.Int16ul,
    "image_type" / c.Int16ul,
    "file_version" / c.Int32ul,
)


def field_control(known: int) -> tuple[c.Construct, c.Construct]:
    """Return the field control octet, which computes itself, and the check of its bits.

    Bit 0 says hardware version (query) or request node (block, page), bit 1 block period.
    """

    def present(values: Any) -> int:
        first = values.get("hardware_version") is not None or values.get("node") is not None
        return int(first) | (values.get("block_period_ms") is not None) << 1

    return (
        "field_control" / c.Rebuild(c.Int8ul, present),
        Must(lambda values: not values.field_control & ~known, "unknown field control bit"),
    )


@dataclass(frozen=True, slots=True)
class StatusOnly(Declared):
    """A response that is no more than a status other than SUCCESS and WAIT_FOR_DATA."""

    status: OtaStatus

    FORM: ClassVar[c.Construct] = c.Struct(
        "status" / STATUS,
        Must(
            lambda values: values.status not in {OtaStatus.SUCCESS, OtaStatus.WAIT_FOR_DATA},
            "this status needs more than itself",
        ),
    )
