"""Key Establishment cluster 0x0800: the commands by which two nodes agree on a link key."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

import construct as c

from emulator.codecs.zcl.cluster import ClusterCommands, Declared
from emulator.codecs.zcl.frame import ZclFrame
from emulator.codecs.zcl.values import ZclType
from emulator.codecs.zigbee.blocks import Must, Named
from emulator.codecs.zigbee_certificate import CERTIFICATE_163_OCTETS, CERTIFICATE_283_OCTETS

CLUSTER: Final = 0x0800
#: Octets of a message authentication code.
MAC_OCTETS: Final = 16
#: Octets of an ephemeral public key, by suite.
POINT_163_OCTETS: Final = 22
POINT_283_OCTETS: Final = 37


class KeySuite(enum.IntEnum):
    """Crypto suites, as the bits of the suite bitmap.

    Source:
        Zigbee Smart Energy 1.2, C.3.1.2.2.1.
    """

    CBKE_163 = 0x0001
    CBKE_283 = 0x0002


class KeyEstablishmentAttribute(enum.IntEnum):
    """Attribute identifiers of both sides."""

    KEY_ESTABLISHMENT_SUITE = 0x0000


#: Types of the attributes.
TYPES: Final[Mapping[KeyEstablishmentAttribute, ZclType]] = MappingProxyType(
    {KeyEstablishmentAttribute.KEY_ESTABLISHMENT_SUITE: ZclType.ENUM16}
)


class TerminateStatus(enum.IntEnum):
    """Why a key establishment ended.

    Source:
        Zigbee Smart Energy 1.2, C.3.1.2.3.4.2; 6 came with suite 2 (Silicon Labs' stack calls it
        "invalid key usage" and sends it, too, for a certificate of another type, curve or hash).
    """

    UNKNOWN_ISSUER = 1
    BAD_KEY_CONFIRM = 2
    BAD_MESSAGE = 3
    NO_RESOURCES = 4
    UNSUPPORTED_SUITE = 5
    INVALID_CERTIFICATE = 6


#: Octets of a certificate and of an ephemeral public key, by suite.
CERTIFICATE_OCTETS: Final[Mapping[int, int]] = MappingProxyType(
    {KeySuite.CBKE_163: CERTIFICATE_163_OCTETS, KeySuite.CBKE_283: CERTIFICATE_283_OCTETS}
)
POINT_OCTETS: Final[Mapping[int, int]] = MappingProxyType(
    {KeySuite.CBKE_163: POINT_163_OCTETS, KeySuite.CBKE_283: POINT_283_OCTETS}
)


def _fits_suite(fields: Any) -> bool:
    """Say whether the certificate has its suite's length; an unknown suite may have any."""
    wanted = CERTIFICATE_OCTETS.get(fields.suite)
    return wanted is None or len(fields.certificate) == wanted


_INITIATE: Final = c.Struct(
    "suite" / c.Int16ul,
    "ephemeral_time_s" / c.Int8ul,
    "confirm_time_s" / c.Int8ul,
    "certificate" / c.GreedyBytes,
    Must(_fits_suite, "the certificate has not the length of its suite"),
)
_EPHEMERAL: Final = c.Struct(
    "public_key" / c.GreedyBytes,
    Must(
        lambda fields: len(fields.public_key) in POINT_OCTETS.values(),
        "an ephemeral public key has 22 or 37 octets",
    ),
)
_CONFIRM: Final = c.Struct("mac" / c.Bytes(MAC_OCTETS))


@dataclass(frozen=True, slots=True)
class InitiateRequest(Declared):
    """Client to server: Initiate Key Establishment Request.

    Attributes:
        suite: One `KeySuite`; a number that is none decodes, so that it can be refused by name.
        ephemeral_time_s: Seconds the sender needs at most to make its ephemeral key.
        confirm_time_s: Seconds it needs at most for the keyed hashes.
        certificate: Its implicit certificate: 48 or 74 octets by suite.
    """

    suite: int
    ephemeral_time_s: int
    confirm_time_s: int
    certificate: bytes

    FORM: ClassVar[c.Construct] = _INITIATE


@dataclass(frozen=True, slots=True)
class InitiateResponse(Declared):
    """Server to client: Initiate Key Establishment Response; fields as in the request."""

    suite: int
    ephemeral_time_s: int
    confirm_time_s: int
    certificate: bytes

    FORM: ClassVar[c.Construct] = _INITIATE


@dataclass(frozen=True, slots=True)
class EphemeralRequest(Declared):
    """Client to server: Ephemeral Data Request.

    Attributes:
        public_key: The initiator's ephemeral public key, compressed: 22 or 37 octets by suite.
    """

    public_key: bytes

    FORM: ClassVar[c.Construct] = _EPHEMERAL


@dataclass(frozen=True, slots=True)
class EphemeralResponse(Declared):
    """Server to client: Ephemeral Data Response, with the responder's key."""

    public_key: bytes

    FORM: ClassVar[c.Construct] = _EPHEMERAL


@dataclass(frozen=True, slots=True)
class ConfirmRequest(Declared):
    """Client to server: Confirm Key Data Request.

    Attributes:
        mac: MAC(U), 16 octets.
    """

    mac: bytes

    FORM: ClassVar[c.Construct] = _CONFIRM


@dataclass(frozen=True, slots=True)
class ConfirmResponse(Declared):
    """Server to client: Confirm Key Data Response, with MAC(V)."""

    mac: bytes

    FORM: ClassVar[c.Construct] = _CONFIRM


@dataclass(frozen=True, slots=True)
class Terminate(Declared):
    """Either way: Terminate Key Establishment.

    Attributes:
        status: Why.
        wait_s: Seconds to wait before a new attempt.
        suites: Suites that the sender supports, as a bitmap of `KeySuite`.
    """

    status: TerminateStatus
    wait_s: int
    suites: int

    FORM: ClassVar[c.Construct] = c.Struct(
        "status" / Named(c.Int8ul, TerminateStatus), "wait_s" / c.Int8ul, "suites" / c.Int16ul
    )


KeyEstablishmentCommand: TypeAlias = (
    InitiateRequest
    | InitiateResponse
    | EphemeralRequest
    | EphemeralResponse
    | ConfirmRequest
    | ConfirmResponse
    | Terminate
)

COMMANDS: Final = ClusterCommands(
    CLUSTER,
    "key_establishment",
    to_server={
        0x00: (InitiateRequest,),
        0x01: (EphemeralRequest,),
        0x02: (ConfirmRequest,),
        0x03: (Terminate,),
    },
    to_client={
        0x00: (InitiateResponse,),
        0x01: (EphemeralResponse,),
        0x02: (ConfirmResponse,),
        0x03: (Terminate,),
    },
)


def decode(frame: ZclFrame) -> KeyEstablishmentCommand:
    """Read the command in ``frame``.

    Raises:
        MalformedFrameError: Not a command of this cluster in this direction, or a payload of
            another length, suite or status than there is.

    Source:
        Zigbee Smart Energy 1.2, Annex C.3.1.2.3 and C.3.1.3.3.
    """
    command: KeyEstablishmentCommand = COMMANDS.decode(frame)
    return command


def encode(
    command: KeyEstablishmentCommand, sequence: int, *, server_to_client: bool | None = None
) -> bytes:
    """Write ``command`` as a whole ZCL frame (the direction of a `Terminate` must be named).

    Raises:
        ValueError: A value does not fit, or the direction of a Terminate is missing.
    """
    return COMMANDS.encode(command, sequence, server_to_client=server_to_client)
