"""What a transform is given and what comes of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64


class Refusal(enum.StrEnum):
    """Why a request becomes no pre-command."""

    MALFORMED = "malformed"  # the document or its body breaks the schema
    NOT_CRITICAL = "not-critical"
    NO_TRANSFORM = "no-transform"  # no use case of GBCS for this service at such a device
    UNKNOWN_DEVICE = "unknown-device"
    DEVICE_TYPE = "device-type"  # the body is for another type of device
    MISSING_CERTIFICATE = "missing-certificate"
    OUT_OF_RANGE = "out-of-range"  # the schema allows it, the GBCS field does not


#: What each refusal means, in words.
SENTENCES: Final[Mapping[Refusal, str]] = MappingProxyType(
    {
        Refusal.MALFORMED: "the request or its body does not follow the DUIS schema",
        Refusal.NOT_CRITICAL: "the request is none of command variant 4",
        Refusal.NO_TRANSFORM: "GBCS has no use case for this service at such a device",
        Refusal.UNKNOWN_DEVICE: "nothing is known of a device that the request is about",
        Refusal.DEVICE_TYPE: "the body is written for another type of device",
        Refusal.MISSING_CERTIFICATE: "a certificate that the command carries is not at hand",
        Refusal.OUT_OF_RANGE: "the GBCS message has no room for a value that the schema allows",
    }
)


@dataclass(frozen=True, slots=True)
class Device:
    """What the DSP knows of a device.

    Attributes:
        device_type: Its type.
        twin: An ESME with a second tariff element (DUIS variants with B).
        later: It follows the later of two use cases where GBCS has both (ECS08a, not ECS08).
        key_agreement: Its key-agreement certificate, DER, or None.
    """

    device_type: DeviceType
    twin: bool = False
    later: bool = False
    key_agreement: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Context:
    """What a transform needs beside the request.

    Attributes:
        devices: Devices by identifier: the target, and others that a body names.
        at: The time now; gas commands carry it as issuer event identifier, whole seconds.
    """

    devices: Mapping[Eui64, Device]
    at: UtcMs


@dataclass(frozen=True, slots=True)
class PreCommand:
    """A pre-command.

    Attributes:
        code: Message code of its use case.
        octets: Grouping header and payload; no signature field, no MAC.
    """

    code: MessageCode
    octets: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """The request becomes no pre-command.

    Attributes:
        reason: By name.
        detail: One sentence.
    """

    reason: Refusal
    detail: str


class TransformError(Exception):
    """Inside this package: a body cannot be said in GBCS; the entry answers it as `Refused`.

    Attributes:
        refused: The answer.
    """

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.refused = Refused(reason, detail)
