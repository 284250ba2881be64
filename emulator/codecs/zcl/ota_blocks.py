"""The block commands of the OTA Upgrade cluster, with a fast path for the two that repeat."""

from dataclasses import dataclass
from struct import Struct, error
from typing import ClassVar, Final, Self

import construct as c

from emulator.codecs.zcl.cluster import Declared
from emulator.codecs.zcl.ota_fields import IMAGE, SUCCESS, OtaStatus, StatusOnly, field_control
from emulator.codecs.zigbee.blocks import Eui64LittleEndian, build, parse_whole
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64

#: Octets of an Image Block Response beside its data: 3 of ZCL header and 14 of payload.
BLOCK_OVERHEAD_BYTES: Final = 17

_BLOCK: Final = Struct("<BHHIIB")


@dataclass(frozen=True, slots=True)
class ImageBlockRequest(Declared):
    """Client to server: give me octets of the image.

    Attributes:
        manufacturer_code: Of the image.
        image_type: Of the image.
        file_version: Of the image.
        offset: First octet wanted, counted in the OTA file.
        max_data_size: Octets wanted at most.
        node: The client's EUI-64, or None.
        block_period_ms: The client's least time between requests, or None.
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    offset: int
    max_data_size: int
    node: Eui64 | None = None
    block_period_ms: int | None = None

    FORM: ClassVar[c.Construct] = c.Struct(
        *field_control(3),
        *IMAGE,
        "offset" / c.Int32ul,
        "max_data_size" / c.Int8ul,
        "node" / c.If(c.this.field_control & 1, Eui64LittleEndian()),
        "block_period_ms" / c.If(c.this.field_control & 2, c.Int16ul),
    )

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: As `Declared.decode`.
        """
        if len(payload) == _BLOCK.size and payload[0] == 0:
            _, maker, image_type, version, offset, size = _BLOCK.unpack(payload)
            return cls(maker, image_type, version, offset, size)
        return cls.decode_declared(payload)

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its field.
        """
        if self.node is not None or self.block_period_ms is not None:
            return self.encode_declared()
        image = (self.manufacturer_code, self.image_type, self.file_version)
        try:
            return _BLOCK.pack(0, *image, self.offset, self.max_data_size)
        except error as wrong:
            raise ValueError(f"zcl.ImageBlockRequest: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class ImagePageRequest(Declared):
    """Client to server: give me a page of the image, block after block, unasked.

    Attributes:
        manufacturer_code: Of the image.
        image_type: Of the image.
        file_version: Of the image.
        offset: First octet of the page, counted in the OTA file.
        max_data_size: Octets of one block at most.
        page_size: Octets of the page.
        response_spacing_ms: Time the server is to leave between blocks.
        node: The client's EUI-64, or None.
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    offset: int
    max_data_size: int
    page_size: int
    response_spacing_ms: int
    node: Eui64 | None = None

    FORM: ClassVar[c.Construct] = c.Struct(
        *field_control(1),
        *IMAGE,
        "offset" / c.Int32ul,
        "max_data_size" / c.Int8ul,
        "page_size" / c.Int16ul,
        "response_spacing_ms" / c.Int16ul,
        "node" / c.If(c.this.field_control & 1, Eui64LittleEndian()),
    )


@dataclass(frozen=True, slots=True)
class ImageBlockResponse(Declared):
    """Server to client: octets of the image (status SUCCESS).

    Attributes:
        manufacturer_code: Of the image.
        image_type: Of the image.
        file_version: Of the image.
        offset: Place of the first octet in the OTA file.
        data: The octets, 255 at most.
    """

    manufacturer_code: int
    image_type: int
    file_version: int
    offset: int
    data: bytes

    FORM: ClassVar[c.Construct] = c.Struct(
        SUCCESS,
        *IMAGE,
        "offset" / c.Int32ul,
        "size" / c.Rebuild(c.Int8ul, c.len_(c.this.data)),
        "data" / c.Bytes(c.this.size),
    )

    @classmethod
    def fits(cls, payload: bytes) -> bool:
        """Say whether the status is SUCCESS."""
        return payload[:1] == b"\x00"

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: As `Declared.decode`; also when the size octet and the data differ.
        """
        if len(payload) < _BLOCK.size or payload[0] != 0:
            return cls.decode_declared(payload)
        _, maker, image_type, version, offset, size = _BLOCK.unpack_from(payload)
        data = payload[_BLOCK.size :]
        if len(data) != size:
            why = f"{size} octets of data announced, {len(data)} there"
            raise MalformedFrameError("zcl.ImageBlockResponse", payload, why, _BLOCK.size - 1)
        return cls(maker, image_type, version, offset, data)

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its field.
        """
        image = (self.manufacturer_code, self.image_type, self.file_version)
        try:
            return _BLOCK.pack(0, *image, self.offset, len(self.data)) + self.data
        except error as wrong:
            raise ValueError(f"zcl.ImageBlockResponse: {wrong}") from wrong


@dataclass(frozen=True, slots=True)
class ImageBlockWait(Declared):
    """Server to client: not now (Image Block Response with status WAIT_FOR_DATA).

    Ask again ``delay_s`` seconds from now. When ``current_time_s`` is 0 the server has no clock and
    ``request_time_s`` is the delay itself. Editions of the cluster differ in whether the block
    period is sent; the length (9 or 11 octets) tells.

    Attributes:
        current_time_s: The server's UTCTime, seconds since 2000, or 0.
        request_time_s: When to ask again.
        block_period_ms: The client's new least time between requests, or None.
    """

    current_time_s: int
    request_time_s: int
    block_period_ms: int | None = None

    FORM: ClassVar[c.Construct] = c.Struct(
        "status" / c.Const(int(OtaStatus.WAIT_FOR_DATA), c.Int8ul),
        "current_time_s" / c.Int32ul,
        "request_time_s" / c.Int32ul,
        "block_period_ms" / c.Pass,
    )
    FORM_WITH_PERIOD: ClassVar[c.Construct] = c.Struct(
        *FORM.subcons[:3], "block_period_ms" / c.Int16ul
    )

    @property
    def delay_s(self) -> int:
        """Seconds to wait; 0 when the moment has passed."""
        return max(self.request_time_s - self.current_time_s, 0)

    @classmethod
    def fits(cls, payload: bytes) -> bool:
        """Say whether the status is WAIT_FOR_DATA."""
        return payload[:1] == bytes([OtaStatus.WAIT_FOR_DATA])

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload, 9 or 11 octets.

        Raises:
            MalformedFrameError: As `Declared.decode`.
        """
        form = cls.FORM if len(payload) <= cls.FORM.sizeof() else cls.FORM_WITH_PERIOD
        raw = parse_whole("zcl.ImageBlockWait", form, payload)
        return cls(raw.current_time_s, raw.request_time_s, raw.block_period_ms)

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its field.
        """
        form = self.FORM if self.block_period_ms is None else self.FORM_WITH_PERIOD
        values = {
            "current_time_s": self.current_time_s,
            "request_time_s": self.request_time_s,
            "block_period_ms": self.block_period_ms,
        }
        return build("zcl.ImageBlockWait", form, values)


@dataclass(frozen=True, slots=True)
class ImageBlockRefusal(StatusOnly):
    """Server to client: no block for you (ABORT, MALFORMED_COMMAND, NO_IMAGE_AVAILABLE …)."""
