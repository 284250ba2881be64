"""Parameters that several frames share, and those of configuration and diagnosis.

A value is the same in every version; fields a version does not carry are left out on the wire.
"""

from dataclasses import dataclass

from emulator.codecs.ezsp.kinds import ClusterLists
from emulator.codecs.ezsp.statuses import AnyStatus, Status
from emulator.core.ids import Eui64


@dataclass(frozen=True, slots=True)
class Nothing:
    """No parameters."""


@dataclass(frozen=True, slots=True)
class StatusOnly:
    """An outcome and nothing else; some versions do not even say that."""

    status: AnyStatus = Status.OK


@dataclass(frozen=True, slots=True)
class ByIndex:
    """A row of a table."""

    index: int


@dataclass(frozen=True, slots=True)
class ByEui64:
    """A node by its EUI-64."""

    eui64: Eui64


@dataclass(frozen=True, slots=True)
class ByNodeId:
    """A node by its short address."""

    node_id: int


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel, 11 to 26."""

    channel: int


@dataclass(frozen=True, slots=True)
class Power:
    """Transmit power in dBm."""

    power: int


@dataclass(frozen=True, slots=True)
class Octets:
    """Octets behind their count."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class StatusOctets:
    """An outcome and octets behind their count."""

    status: AnyStatus
    octets: bytes = b""


@dataclass(frozen=True, slots=True)
class VersionRequest:
    """The version of EZSP that the host would like."""

    desired: int


@dataclass(frozen=True, slots=True)
class VersionAnswer:
    """What the NCP speaks.

    Attributes:
        protocol: Version of EZSP.
        stack_type: 2: mesh.
        stack_version: Four digits in hexadecimal, e.g. 0x7450.
    """

    protocol: int
    stack_type: int
    stack_version: int


@dataclass(frozen=True, slots=True)
class LibraryId:
    """A library of the stack, e.g. 0x06 for CBKE."""

    library: int


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """Whether a library is there: bit 7 says so, else it is a stub."""

    status: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint that the NCP is to answer for.

    Attributes:
        endpoint: 1 to 240.
        profile: Application profile.
        device: Device identifier.
        device_version: Application flags.
        clusters: Those it serves and those it uses.
    """

    endpoint: int
    profile: int
    device: int
    device_version: int
    clusters: ClusterLists


@dataclass(frozen=True, slots=True)
class ConfigId:
    """A configuration value by its number (`identifiers.ConfigId` or any other)."""

    config_id: int


@dataclass(frozen=True, slots=True)
class ConfigAnswer:
    """A configuration value."""

    status: AnyStatus
    value: int


@dataclass(frozen=True, slots=True)
class ConfigSetting:
    """A configuration value to be set."""

    config_id: int
    value: int


@dataclass(frozen=True, slots=True)
class PolicyId:
    """A policy by its number (`identifiers.PolicyId` or any other)."""

    policy_id: int


@dataclass(frozen=True, slots=True)
class PolicyAnswer:
    """The decision of a policy."""

    status: AnyStatus
    decision: int


@dataclass(frozen=True, slots=True)
class PolicySetting:
    """A decision, or bits of one, for a policy."""

    policy_id: int
    decision: int


@dataclass(frozen=True, slots=True)
class ValueId:
    """A value by its number (`identifiers.ValueId` or any other)."""

    value_id: int


@dataclass(frozen=True, slots=True)
class ValueSetting:
    """A value to be set, as octets."""

    value_id: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class ExtendedValueId:
    """A value that needs more than a number.

    Attributes:
        value_id: `identifiers.ExtendedValueId` or any other.
        characteristics: What it depends on, e.g. the endpoint.
    """

    value_id: int
    characteristics: int


@dataclass(frozen=True, slots=True)
class MfgTokenId:
    """A manufacturing token by its number."""

    token: int


@dataclass(frozen=True, slots=True)
class MfgTokenSetting:
    """A manufacturing token and what it shall hold, once and for all."""

    token: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class BootloaderMode:
    """How the bootloader shall start."""

    mode: int


@dataclass(frozen=True, slots=True)
class PayloadLength:
    """How long a message may be, in octets."""

    length: int


@dataclass(frozen=True, slots=True)
class RandomNumber:
    """A number the NCP drew, 16 bits."""

    status: AnyStatus
    value: int


@dataclass(frozen=True, slots=True)
class ManufacturerCode:
    """Code that the node descriptor tells."""

    code: int


@dataclass(frozen=True, slots=True)
class TokenAt:
    """A stored token.

    Attributes:
        token: Its key.
        index: Row of an indexed one, else 0.
    """

    token: int
    index: int


@dataclass(frozen=True, slots=True)
class TokenSetting:
    """A stored token and what it shall hold."""

    token: int
    index: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class TokenFactoryReset:
    """All tokens to their factory values, but for two counters if so wanted."""

    exclude_outgoing_counter: bool
    exclude_boot_counter: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """Event counters in the order of `identifiers.Counter`."""

    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Delay:
    """A wait, in milliseconds."""

    delay_ms: int
