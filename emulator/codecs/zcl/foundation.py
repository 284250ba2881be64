"""Foundation commands of all clusters: read, write and report attributes, default response."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import construct as c

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import quick_values
from emulator.codecs.zcl.cluster import Declared
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.values import AttributeValue, Scalar, Typed, ZclType
from emulator.codecs.zigbee.blocks import build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

__all__ = [
    "AttributeReading", "AttributeValue", "AttributeWriteStatus", "DefaultResponse",
    "FoundationCommand", "ReadAttributes", "ReadAttributesResponse", "ReportAttributes", "Scalar",
    "Status", "WriteAttributes", "WriteAttributesNoResponse", "WriteAttributesResponse", "ZclType",
    "decode", "encode",
]  # fmt: skip


class FoundationCommand(enum.IntEnum):
    """Command identifiers."""

    READ_ATTRIBUTES = 0x00
    READ_ATTRIBUTES_RESPONSE = 0x01
    WRITE_ATTRIBUTES = 0x02
    WRITE_ATTRIBUTES_RESPONSE = 0x04
    WRITE_ATTRIBUTES_NO_RESPONSE = 0x05
    REPORT_ATTRIBUTES = 0x0A
    DEFAULT_RESPONSE = 0x0B


class Status(enum.IntEnum):
    """Status octets; a command may carry others too, so fields hold plain numbers."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    UNSUP_GENERAL_COMMAND = 0x82
    UNSUP_MANUF_CLUSTER_COMMAND = 0x83
    UNSUP_MANUF_GENERAL_COMMAND = 0x84
    INVALID_FIELD = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    READ_ONLY = 0x88
    INSUFFICIENT_SPACE = 0x89
    NOT_FOUND = 0x8B
    INVALID_DATA_TYPE = 0x8D
    WRITE_ONLY = 0x8F
    TIMEOUT = 0x94
    ABORT = 0x95
    INVALID_IMAGE = 0x96
    WAIT_FOR_DATA = 0x97
    NO_IMAGE_AVAILABLE = 0x98
    REQUIRE_MORE_IMAGE = 0x99
    UNSUPPORTED_CLUSTER = 0xC3


@quick
@dataclass(frozen=True, slots=True)
class AttributeReading:
    """What became of one attribute of a read.

    Attributes:
        attribute: Identifier.
        status: 0 when ``value`` is there, else why it is not.
        value: The value, or None.
    """

    attribute: int
    status: int
    value: AttributeValue | None = None


@dataclass(frozen=True, slots=True)
class AttributeWriteStatus:
    """Why one attribute of a write was not written."""

    status: int
    attribute: int


_ATTRIBUTE: Final = "attribute" / c.Int16ul
_ATTRIBUTE_BYTES: Final = 2
_MOST_ATTRIBUTE: Final = 0xFFFF
_READING: Final = c.Struct(
    _ATTRIBUTE, "status" / c.Int8ul, "value" / c.If(c.this.status == 0, Typed())
)
_VALUE: Final = c.Struct(_ATTRIBUTE, "value" / Typed())
_WRITE_STATUS: Final = c.Struct("status" / c.Int8ul, _ATTRIBUTE)


def _records(layer: str, form: c.Construct, payload: bytes) -> Iterator[Any]:
    """Read records to the end of ``payload``; there is at least one."""
    if not payload:
        raise MalformedFrameError(layer, payload, "no attribute named", 0)
    offset = 0
    while offset < len(payload):
        record, offset = parse_part(layer, form, payload, offset)
        yield record


def _values(layer: str, payload: bytes) -> Iterator[tuple[int, AttributeValue]]:
    """Read attributes with their values to the end of ``payload``, quickly where it can be."""
    if not payload:
        raise MalformedFrameError(layer, payload, "no attribute named", 0)
    offset = 0
    while offset < len(payload):
        found = quick_values.read(payload, offset + _ATTRIBUTE_BYTES)
        if found is None:
            record, offset = parse_part(layer, _VALUE, payload, offset)
            yield record.attribute, record.value
        else:
            attribute = int.from_bytes(payload[offset : offset + _ATTRIBUTE_BYTES], "little")
            value, offset = found
            yield attribute, value


def _value_record(layer: str, attribute: int, value: AttributeValue) -> bytes:
    """Write an attribute with its value, quickly where it can be."""
    written = quick_values.write(value)
    if written is None or not 0 <= attribute <= _MOST_ATTRIBUTE:
        return build(layer, _VALUE, {"attribute": attribute, "value": value})
    return attribute.to_bytes(_ATTRIBUTE_BYTES, "little") + written


@dataclass(frozen=True, slots=True)
class ReadAttributes:
    """Ask for attributes, by identifier."""

    attributes: tuple[int, ...]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: Not a row of 16-bit identifiers.
        """
        layer = "zcl.ReadAttributes"
        rows = _records(layer, c.Struct(_ATTRIBUTE), payload)
        return cls(tuple(row.attribute for row in rows))

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: An identifier does not fit.
        """
        form = c.Struct(_ATTRIBUTE)
        return b"".join(
            build("zcl.ReadAttributes", form, {"attribute": attribute})
            for attribute in self.attributes
        )


@dataclass(frozen=True, slots=True)
class ReadAttributesResponse:
    """The attributes asked for, in the same order."""

    readings: tuple[AttributeReading, ...]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: A record is cut short or of an unknown data type.
        """
        rows = _records("zcl.ReadAttributesResponse", _READING, payload)
        return cls(tuple(AttributeReading(row.attribute, row.status, row.value) for row in rows))

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its type, or stands beside a status other than 0.
        """
        for reading in self.readings:
            if (reading.status == 0) != (reading.value is not None):
                raise ValueError("zcl.ReadAttributesResponse: a value and status 0 go together")
        return b"".join(
            build(
                "zcl.ReadAttributesResponse",
                _READING,
                {"attribute": row.attribute, "status": row.status, "value": row.value},
            )
            for row in self.readings
        )

    def value(self, attribute: int) -> Scalar:
        """Return the value of ``attribute``, or None where the response has none."""
        for reading in self.readings:
            if reading.attribute == attribute and reading.value is not None:
                return reading.value.value
        return None


@dataclass(frozen=True, slots=True)
class _Values:
    """Attributes with their values.

    Attributes:
        values: Pairs of identifier and value, in wire order.
    """

    values: tuple[tuple[int, AttributeValue], ...]

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: A record is cut short or of an unknown data type.
        """
        return cls(tuple(_values(f"zcl.{cls.__name__}", payload)))

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A value does not fit its type.
        """
        layer = f"zcl.{type(self).__name__}"
        return b"".join([_value_record(layer, *pair) for pair in self.values])


@dataclass(frozen=True, slots=True)
class ReportAttributes(_Values):
    """Report attributes, unasked."""


@dataclass(frozen=True, slots=True)
class WriteAttributes(_Values):
    """Write attributes; the answer is a Write Attributes Response."""


@dataclass(frozen=True, slots=True)
class WriteAttributesNoResponse(_Values):
    """Write attributes; no answer."""


@dataclass(frozen=True, slots=True)
class WriteAttributesResponse:
    """What could not be written; empty when all was, which is one octet 0 on the wire."""

    failures: tuple[AttributeWriteStatus, ...] = ()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the payload.

        Raises:
            MalformedFrameError: Neither the single 0 nor records of failures.
        """
        layer = "zcl.WriteAttributesResponse"
        if payload == b"\x00":
            return cls()
        rows = tuple(_records(layer, _WRITE_STATUS, payload))
        if any(row.status == 0 for row in rows):
            raise MalformedFrameError(layer, payload, "a success among the failures")
        return cls(tuple(AttributeWriteStatus(row.status, row.attribute) for row in rows))

    def encode(self) -> bytes:
        """Write the payload.

        Raises:
            ValueError: A field does not fit, or a failure has status 0.
        """
        if any(failure.status == 0 for failure in self.failures):
            raise ValueError("zcl.WriteAttributesResponse: a success among the failures")
        rows = [{"status": row.status, "attribute": row.attribute} for row in self.failures]
        layer = "zcl.WriteAttributesResponse"
        return b"".join(build(layer, _WRITE_STATUS, row) for row in rows) or b"\x00"


@dataclass(frozen=True, slots=True)
class DefaultResponse(Declared):
    """Outcome of a command that has no response of its own, or that failed.

    Attributes:
        command: The command it answers.
        status: A `Status`, or another number.
    """

    command: int
    status: int

    FORM: ClassVar[c.Construct] = c.Struct("command" / c.Int8ul, "status" / c.Int8ul)


Foundation = (
    ReadAttributes
    | ReadAttributesResponse
    | ReportAttributes
    | WriteAttributes
    | WriteAttributesNoResponse
    | WriteAttributesResponse
    | DefaultResponse
)
_TYPES: Final[dict[int, type[Foundation]]] = {
    FoundationCommand.READ_ATTRIBUTES: ReadAttributes,
    FoundationCommand.READ_ATTRIBUTES_RESPONSE: ReadAttributesResponse,
    FoundationCommand.WRITE_ATTRIBUTES: WriteAttributes,
    FoundationCommand.WRITE_ATTRIBUTES_RESPONSE: WriteAttributesResponse,
    FoundationCommand.WRITE_ATTRIBUTES_NO_RESPONSE: WriteAttributesNoResponse,
    FoundationCommand.REPORT_ATTRIBUTES: ReportAttributes,
    FoundationCommand.DEFAULT_RESPONSE: DefaultResponse,
}
_IDS: Final = {command_type: int(command_id) for command_id, command_type in _TYPES.items()}


def decode(frame: ZclFrame) -> Foundation:
    """Read the foundation command in ``frame``.

    Raises:
        MalformedFrameError: Not a foundation command known here, or its payload is damaged.

    Source:
        Zigbee Cluster Library 075123, 2.5; checked with tshark 4.0.17.
    """
    command_type = _TYPES.get(frame.command)
    if frame.cluster_specific or frame.manufacturer_code is not None or command_type is None:
        why = f"command {frame.command:#04x} is no foundation command known here"
        raise MalformedFrameError("zcl.foundation", zcl_frame.encode(frame), why)
    return command_type.decode(frame.payload)


def encode(
    command: Foundation,
    sequence: int,
    *,
    server_to_client: bool,
    disable_default_response: bool = True,
) -> bytes:
    """Write ``command`` as a whole ZCL frame.

    Raises:
        ValueError: A value does not fit its field.
    """
    command_id = _IDS[type(command)]
    payload = command.encode()
    return zcl_frame.encode(
        ZclFrame(False, server_to_client, disable_default_response, sequence, command_id, payload)
    )
