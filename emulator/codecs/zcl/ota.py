"""OTA Upgrade cluster 0x0019: its commands, with the forms that status or field control choose."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.ota_blocks import (
    BLOCK_OVERHEAD_BYTES,
    ImageBlockRefusal,
    ImageBlockRequest,
    ImageBlockResponse,
    ImageBlockWait,
    ImagePageRequest,
)
from emulator.codecs.zcl.ota_fields import (
    IMAGE,
    STATUS,
    SUCCESS,
    ImageUpgradeStatus,
    OtaAttribute,
    OtaCommand,
    OtaStatus,
    StatusOnly,
    field_control,
)
from emulator.codecs.zigbee.blocks import Eui64LittleEndian, Must
from emulator.core.ids import Eui64

__all__ = [
    "ANY_FILE_VERSION", "ANY_IMAGE_TYPE", "ANY_MANUFACTURER", "BLOCK_OVERHEAD_BYTES", "CLUSTER",
    "COMMANDS", "WAIT_FOR_COMMAND", "ImageBlockRefusal", "ImageBlockRequest", "ImageBlockResponse",
    "ImageBlockWait", "ImageNotify", "ImagePageRequest", "ImageUpgradeStatus", "OtaAttribute",
    "OtaCommand", "OtaStatus", "QueryNextImageRefusal", "QueryNextImageRequest",
    "QueryNextImageResponse", "QuerySpecificFileRefusal", "QuerySpecificFileRequest",
    "QuerySpecificFileResponse", "UpgradeEndRequest", "UpgradeEndResponse", "decode", "encode",
]  # fmt: skip

CLUSTER: Final = 0x0019
#: Wildcards of Upgrade End Response; the time means "wait for another command".
ANY_MANUFACTURER: Final = 0xFFFF
ANY_IMAGE_TYPE: Final = 0xFFFF
ANY_FILE_VERSION: Final = 0xFFFFFFFF
WAIT_FOR_COMMAND: Final = 0xFFFFFFFF


def _payload_type(values: Any) -> int:
    """Count the optional fields of Image Notify; each needs the one before it."""
    given = [values.manufacturer_code, values.image_type, values.file_version]
    count = sum(value is not None for value in given)
    if any(value is None for value in given[:count]):
        raise c.CheckError("an optional field is given without the one before it")
    return count


@dataclass(frozen=True, slots=True)
class ImageNotify(Declared):
    """Server to client: there may be an image for you.

    Attributes:
        query_jitter: 1 to 100; the client draws a number to 100 and asks if it is not above.
        manufacturer_code: Only for this maker's devices; None for all.
        image_type: Only for this type; None for all.
        file_version: The new version; None when not told.
    """

    query_jitter: int
    manufacturer_code: int | None = None
    image_type: int | None = None
    file_version: int | None = None

    FORM: ClassVar[c.Construct] = c.Struct(
        "payload_type" / c.Rebuild(c.Int8ul, _payload_type),
        Must(c.this.payload_type <= 3, "unknown payload type"),
        "query_jitter" / c.Int8ul,
        Must(lambda values: 1 <= values.query_jitter <= 100, "query jitter is 1 to 100"),
        "manufacturer_code" / c.If(c.this.payload_type >= 1, c.Int16ul),
        "image_type" / c.If(c.this.payload_type >= 2, c.Int16ul),
        "file_version" / c.If(c.this.payload_type >= 3, c.Int32ul),
    )


@dataclass(frozen=True, slots=True)
class QueryNextImageRequest(Declared):
    """Client to server: is there an image for me?

    Attributes:
        manufacturer_code: Of the client.
        image_type: Of the client.
        file_version: The version it runs.
        hardware_version: Its hardware version, or None.
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    hardware_version: int | None = None

    FORM: ClassVar[c.Construct] = c.Struct(
        *field_control(1),
        *IMAGE,
        "hardware_version" / c.If(c.this.field_control & 1, c.Int16ul),
    )


@dataclass(frozen=True, slots=True)
class QueryNextImageRefusal(StatusOnly):
    """Server to client: no image for you (NO_IMAGE_AVAILABLE, NOT_AUTHORIZED …)."""


@dataclass(frozen=True, slots=True)
class QueryNextImageResponse(Declared):
    """Server to client: download this image (status SUCCESS).

    Attributes:
        manufacturer_code: Of the image.
        image_type: Of the image.
        file_version: Of the image.
        image_size: Octets of the whole OTA file, header included.
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    image_size: int

    FORM: ClassVar[c.Construct] = c.Struct(SUCCESS, *IMAGE, "image_size" / c.Int32ul)

    @classmethod
    def fits(cls, payload: bytes) -> bool:
        """Say whether the status is SUCCESS."""
        return payload[:1] == b"\x00"


@dataclass(frozen=True, slots=True)
class UpgradeEndRequest(Declared):
    """Client to server: the download ended so.

    Attributes:
        status: SUCCESS, INVALID_IMAGE, REQUIRE_MORE_IMAGE or ABORT.
        manufacturer_code: Of the image.
        image_type: Of the image.
        file_version: Of the image.
    """

    status: OtaStatus
    manufacturer_code: int
    image_type: int
    file_version: int

    FORM: ClassVar[c.Construct] = c.Struct("status" / STATUS, *IMAGE)


@dataclass(frozen=True, slots=True)
class UpgradeEndResponse(Declared):
    """Server to client: when to run the new image.

    Attributes:
        manufacturer_code: Of the image, or ANY_MANUFACTURER.
        image_type: Of the image, or ANY_IMAGE_TYPE.
        file_version: Of the image, or ANY_FILE_VERSION.
        current_time_s: The server's UTCTime, seconds since 2000, or 0.
        upgrade_time_s: When to upgrade, on the same clock; WAIT_FOR_COMMAND means not by this
            cluster (in GB a meter waits for CS06).
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    current_time_s: int
    upgrade_time_s: int

    FORM: ClassVar[c.Construct] = c.Struct(
        *IMAGE, "current_time_s" / c.Int32ul, "upgrade_time_s" / c.Int32ul
    )


@dataclass(frozen=True, slots=True)
class QuerySpecificFileRequest(Declared):
    """Client to server: is there a file made for me alone?

    Attributes:
        node: The client's EUI-64.
        manufacturer_code: Of the client.
        image_type: Of the file, 0xFFC0 to 0xFFFE.
        file_version: Of the file.
        stack_version: Zigbee stack version the client runs.
    """

    node: Eui64
    manufacturer_code: int
    image_type: int
    file_version: int
    stack_version: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "node" / Eui64LittleEndian(), *IMAGE, "stack_version" / c.Int16ul
    )


@dataclass(frozen=True, slots=True)
class QuerySpecificFileRefusal(StatusOnly):
    """Server to client: no such file."""


@dataclass(frozen=True, slots=True)
class QuerySpecificFileResponse(Declared):
    """Server to client: download this file (status SUCCESS); fields as `QueryNextImageResponse`."""

    manufacturer_code: int
    image_type: int
    file_version: int
    image_size: int

    FORM: ClassVar[c.Construct] = QueryNextImageResponse.FORM

    @classmethod
    def fits(cls, payload: bytes) -> bool:
        """Say whether the status is SUCCESS."""
        return payload[:1] == b"\x00"


#: The cluster's table; a response's forms stand in the order they are tried.
COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "ota",
    to_server={
        OtaCommand.QUERY_NEXT_IMAGE_REQUEST: (QueryNextImageRequest,),
        OtaCommand.IMAGE_BLOCK_REQUEST: (ImageBlockRequest,),
        OtaCommand.IMAGE_PAGE_REQUEST: (ImagePageRequest,),
        OtaCommand.UPGRADE_END_REQUEST: (UpgradeEndRequest,),
        OtaCommand.QUERY_SPECIFIC_FILE_REQUEST: (QuerySpecificFileRequest,),
    },
    to_client={
        OtaCommand.IMAGE_NOTIFY: (ImageNotify,),
        OtaCommand.QUERY_NEXT_IMAGE_RESPONSE: (QueryNextImageResponse, QueryNextImageRefusal),
        OtaCommand.IMAGE_BLOCK_RESPONSE: (ImageBlockResponse, ImageBlockWait, ImageBlockRefusal),
        OtaCommand.UPGRADE_END_RESPONSE: (UpgradeEndResponse,),
        OtaCommand.QUERY_SPECIFIC_FILE_RESPONSE: (
            QuerySpecificFileResponse,
            QuerySpecificFileRefusal,
        ),
    },
)
decode = COMMANDS.decode
encode = COMMANDS.encode
