"""Parameters of the frames about keys, and of the certificate-based key establishment."""

from dataclasses import dataclass

from emulator.codecs.ezsp.statuses import AnyStatus
from emulator.codecs.ezsp.structures import (
    CurrentSecurityState,
    InitialSecurityState,
    KeyContext,
    KeyMetadata,
    KeyStructure,
    NetworkKeyInfo,
)
from emulator.core.ids import Eui64

_NONE = Eui64(bytes(8))
_NO_METADATA = KeyMetadata(0, 0, 0, 0)
_NO_CONTEXT = KeyContext(0, 0, 0, _NONE, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class InitialSecurity:
    """Security of the next network."""

    state: InitialSecurityState


@dataclass(frozen=True, slots=True)
class CurrentSecurity:
    """Security of the present network."""

    status: AnyStatus
    state: CurrentSecurityState


@dataclass(frozen=True, slots=True)
class KeyTypeRequest:
    """`identifiers.KeyType` (v12 and older)."""

    key_type: int


@dataclass(frozen=True, slots=True)
class KeyAnswer:
    """A key (v12 and older)."""

    status: AnyStatus
    key: KeyStructure


@dataclass(frozen=True, slots=True)
class KeyTableSetting:
    """A row of the key table to be written (v12 and older)."""

    index: int
    eui64: Eui64
    link_key: bool
    key: bytes


@dataclass(frozen=True, slots=True)
class TransientKey:
    """A key for a node that is to join.

    Attributes:
        eui64: The node; all ones: any.
        key: 16 octets.
        flags: Bits of `identifiers.KeyContextFlag` (v13 and later).
    """

    eui64: Eui64
    key: bytes
    flags: int = 0


@dataclass(frozen=True, slots=True)
class FindKey:
    """A partner in the key table."""

    eui64: Eui64
    link_key: bool


@dataclass(frozen=True, slots=True)
class FoundKey:
    """A row of the key table; 255: none."""

    index: int


@dataclass(frozen=True, slots=True)
class KeyEstablished:
    """How a key request or verification ended.

    Attributes:
        partner: EUI-64 of the other end.
        key_status: `EmberKeyStatus` of UG100.
    """

    partner: Eui64
    key_status: int


@dataclass(frozen=True, slots=True)
class NetworkKeyUnicast:
    """The present network key for a node."""

    node_id: int
    eui64: Eui64
    parent: int


@dataclass(frozen=True, slots=True)
class LinkKeyImport:
    """A link key for a row of the key table."""

    index: int
    eui64: Eui64
    key: bytes


@dataclass(frozen=True, slots=True)
class ExportedLinkKey:
    """A link key.

    Attributes:
        status: NOT_FOUND: no such key, the rest means nothing.
        eui64: Partner (v13; since v14 in the context).
        key: 16 octets.
        metadata: What goes with it.
        index: Row of the key table (v13, asked by EUI-64).
        context: Which key it is (v14 and later).
    """

    status: AnyStatus
    eui64: Eui64 = _NONE
    key: bytes = bytes(16)
    metadata: KeyMetadata = _NO_METADATA
    index: int = 0
    context: KeyContext = _NO_CONTEXT


@dataclass(frozen=True, slots=True)
class ApsKeyInfo:
    """What goes with a link key, without the key.

    Attributes:
        status: NOT_FOUND: no such key, the rest means nothing.
        metadata: What goes with it.
        eui64: Partner (v13).
        context: Which key it is (v14 and later).
    """

    status: AnyStatus
    metadata: KeyMetadata = _NO_METADATA
    eui64: Eui64 = _NONE
    context: KeyContext = _NO_CONTEXT


@dataclass(frozen=True, slots=True)
class ByKeyContext:
    """A key by its context."""

    context: KeyContext


@dataclass(frozen=True, slots=True)
class ExportedKey:
    """A key.

    Attributes:
        status: NOT_FOUND: no such key.
        key: 16 octets.
        context: Which key it is (v14 and later).
    """

    status: AnyStatus
    key: bytes = bytes(16)
    context: KeyContext = _NO_CONTEXT


@dataclass(frozen=True, slots=True)
class KeyImport:
    """A key and where it belongs."""

    context: KeyContext
    key: bytes


@dataclass(frozen=True, slots=True)
class KeyImported:
    """Whether a key was taken, and which (v14 and later)."""

    status: AnyStatus
    context: KeyContext = _NO_CONTEXT


@dataclass(frozen=True, slots=True)
class NetworkKeyInfoAnswer:
    """What may be told of the network keys."""

    status: AnyStatus
    info: NetworkKeyInfo


@dataclass(frozen=True, slots=True)
class EphemeralKey:
    """A public key of an exchange: 22 octets (163k1) or 37 (283k1)."""

    status: AnyStatus
    public_key: bytes


@dataclass(frozen=True, slots=True)
class CalculateSmacs:
    """The partner's half of an exchange.

    Attributes:
        initiator: The NCP began it.
        certificate: Partner's: 48 octets (163k1) or 74 (283k1).
        public_key: Partner's ephemeral one: 22 octets or 37.
    """

    initiator: bool
    certificate: bytes
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Smacs:
    """Both proofs of an exchange, 16 octets each."""

    status: AnyStatus
    initiator: bytes
    responder: bytes


@dataclass(frozen=True, slots=True)
class StoreLinkKey:
    """Keep the key of an exchange, or forget it."""

    store: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """The NCP's own certificate: 48 octets (163k1) or 74 (283k1)."""

    status: AnyStatus
    certificate: bytes


@dataclass(frozen=True, slots=True)
class PreinstalledCbkeData:
    """Certificate and keys of 163k1 for the one-time tokens.

    Attributes:
        ca_public: 22 octets.
        certificate: 48 octets.
        private_key: 21 octets.
    """

    ca_public: bytes
    certificate: bytes
    private_key: bytes
