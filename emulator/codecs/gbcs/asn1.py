"""Typed ASN.1 payloads of firmware work: CS06 and its alert, CS08, CS09 and CCS08.

Each class has ``decode(data)`` and ``encode()``; integers are big-endian two's complement, times
whole seconds of UTC. Everything else in ASN.1 is a tree (``codecs.der``).

Source:
    Layouts of reference gbcs.md section 9.2 and firmware.md section 3.1 (names after GBCS v0.8.1);
    checked on the RTDS 4.5.0 messages of 11.2_CS08, 11.3_CS06, NA_CCS08 and NA_CS09.
"""

import enum
from dataclasses import dataclass
from typing import Final, Self

from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.gbcs.asn1_parts import Parts, check_null, open_sequence, sized, time_node
from emulator.codecs.gbcs.dates import CANCEL_TIME
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64

__all__ = [
    "CANCEL_TIME",
    "ActivateFirmware",
    "ActivateFirmwareResponse",
    "ActivationCode",
    "ActivationOutcome",
    "FirmwareTransferAlert",
    "FirmwareVersionResponse",
    "FutureDatedFirmwareAlert",
    "PpmidActivationAlert",
    "ReadFirmwareVersion",
    "ResultCode",
    "TransferCode",
]

HASH_LENGTH: Final = 32
VERSION_LENGTH: Final = 4


class ActivationCode(enum.IntEnum):
    """What came of an activation (CS06)."""

    SUCCESS = 0
    NO_IMAGE_HELD = 1
    HASH_MISMATCH = 2
    ACTIVATION_FAILURE = 3


class TransferCode(enum.IntEnum):
    """What came of a transfer to a device behind the CHF (CCS08)."""

    SUCCESS = 0
    IMAGE_DISCARDED = 1
    HARDWARE_VERSION_MISMATCH = 2
    TRANSFER_FAILED = 3


class ResultCode(enum.IntEnum):
    """Success or failure (CS08, CS09)."""

    SUCCESS = 0
    FAILURE = 1


@dataclass(frozen=True, slots=True)
class ActivateFirmware:
    """CS06 command: run the image whose hash this is.

    Attributes:
        manufacturer_image_hash: SHA-256 of the manufacturer image, 32 octets.
        originator_counter: The command's own originator counter, 64 bits.
        execution_time: When; None at once, ``CANCEL_TIME`` to cancel what was future-dated.
    """

    manufacturer_image_hash: bytes
    originator_counter: int
    execution_time: UtcMs | None = None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        parts = open_sequence(data, "CS06 command")
        image_hash, counter = parts.octets(HASH_LENGTH), parts.unsigned((1 << 64) - 1)
        at = parts.time() if parts.more() else None
        parts.finish()
        return cls(image_hash, counter, at)

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The hash has not 32 octets.
        """
        fixed = (
            sized(self.manufacturer_image_hash, HASH_LENGTH),
            der.integer(self.originator_counter),
        )
        when = () if self.execution_time is None else (time_node(self.execution_time),)
        return der.encode(der.sequence(*fixed, *when))


@dataclass(frozen=True, slots=True)
class ActivationOutcome:
    """What came of an activation.

    Attributes:
        code: The result.
        firmware_version: Version now running, four octets.
    """

    code: ActivationCode
    firmware_version: bytes

    @classmethod
    def of(cls, data: bytes, node: Node) -> Self:
        """Read an outcome out of a payload ``data``.

        Raises:
            MalformedFrameError: ``node`` is none.
        """
        parts = Parts(data, node, "activation outcome")
        outcome = cls(parts.code(ActivationCode), parts.octets(VERSION_LENGTH))
        parts.finish()
        return outcome

    def node(self) -> Node:
        """Return it as a DER value.

        Raises:
            ValueError: The version has not four octets.
        """
        return der.sequence(der.integer(self.code), sized(self.firmware_version, VERSION_LENGTH))


@dataclass(frozen=True, slots=True)
class ActivateFirmwareResponse:
    """CS06 response.

    Attributes:
        outcome: What came of it; None (NULL) where the command was future-dated or a cancellation.
    """

    outcome: ActivationOutcome | None = None

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        node = der.decode(data)
        return cls(None if node == der.NULL else ActivationOutcome.of(data, node))

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The version has not four octets.
        """
        return der.encode(der.NULL if self.outcome is None else self.outcome.node())


@dataclass(frozen=True, slots=True)
class FutureDatedFirmwareAlert:
    """Alert 0x00CA: a future-dated activation took place, or failed.

    Attributes:
        alert_code: 0x8F66 success, 0x8F67 failure.
        execution_time: The time the command named.
        originator_counter: The command's originator counter.
        outcome: What came of it.
    """

    alert_code: int
    execution_time: UtcMs
    originator_counter: int
    outcome: ActivationOutcome

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        parts = open_sequence(data, "CS06 alert")
        code, at, counter = parts.unsigned(0xFFFF), parts.time(), parts.unsigned((1 << 64) - 1)
        outcome = ActivationOutcome.of(data, parts.node())
        parts.finish()
        return cls(code, at, counter, outcome)

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The version has not four octets.
        """
        return der.encode(
            der.sequence(
                der.integer(self.alert_code),
                time_node(self.execution_time),
                der.integer(self.originator_counter),
                self.outcome.node(),
            )
        )


@dataclass(frozen=True, slots=True)
class ReadFirmwareVersion:
    """CS08 command: NULL."""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It is not NULL.
        """
        check_null(data, "CS08 command")
        return cls()

    def encode(self) -> bytes:
        """Encode the payload."""
        return der.encode(der.NULL)


@dataclass(frozen=True, slots=True)
class FirmwareVersionResponse:
    """CS08 response.

    Attributes:
        firmware_version: Version now running, four octets; 00000000 with FAILURE.
        code: Whether the version could be read.
    """

    firmware_version: bytes
    code: ResultCode

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        parts = open_sequence(data, "CS08 response")
        response = cls(parts.octets(VERSION_LENGTH), parts.code(ResultCode))
        parts.finish()
        return response

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The version has not four octets.
        """
        version = sized(self.firmware_version, VERSION_LENGTH)
        return der.encode(der.sequence(version, der.integer(self.code)))


@dataclass(frozen=True, slots=True)
class FirmwareTransferAlert:
    """CCS08, alert 0x0128: what came of a firmware transfer to a device of the HAN.

    Attributes:
        alert_code: 0x8F8A success, 0x8F89 failure.
        at: When.
        device: The device the image was for.
        firmware_version: Version of the image, four octets.
        code: The result.
    """

    alert_code: int
    at: UtcMs
    device: Eui64
    firmware_version: bytes
    code: TransferCode

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        parts = open_sequence(data, "CCS08")
        alert_code, at, device = parts.unsigned(0xFFFF), parts.time(), Eui64(parts.octets(8))
        alert = cls(alert_code, at, device, parts.octets(VERSION_LENGTH), parts.code(TransferCode))
        parts.finish()
        return alert

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The version has not four octets.
        """
        return der.encode(
            der.sequence(
                der.integer(self.alert_code),
                time_node(self.at),
                der.octet_string(self.device.octets),
                sized(self.firmware_version, VERSION_LENGTH),
                der.integer(self.code),
            )
        )


@dataclass(frozen=True, slots=True)
class PpmidActivationAlert:
    """CS09, alert 0x012B: a PPMID activated an image, or failed to.

    Attributes:
        alert_code: 0x8F8B.
        at: When.
        firmware_version: Version now running, four octets.
        code: The result.
    """

    alert_code: int
    at: UtcMs
    firmware_version: bytes
    code: ResultCode

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Decode the payload.

        Raises:
            MalformedFrameError: It does not follow the layout.
        """
        parts = open_sequence(data, "CS09")
        alert_code, at = parts.unsigned(0xFFFF), parts.time()
        alert = cls(alert_code, at, parts.octets(VERSION_LENGTH), parts.code(ResultCode))
        parts.finish()
        return alert

    def encode(self) -> bytes:
        """Encode the payload.

        Raises:
            ValueError: The version has not four octets.
        """
        return der.encode(
            der.sequence(
                der.integer(self.alert_code),
                time_node(self.at),
                sized(self.firmware_version, VERSION_LENGTH),
                der.integer(self.code),
            )
        )
