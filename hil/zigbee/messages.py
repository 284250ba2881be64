"""Messages as a dongle tells of them: the two shapes of the hot EZSP frames, and their values.

bellows reads these frames too, and slowly; a driver reads them from the octets, because every
block of a firmware image passes here twice. `tests/hil/zigbee` holds both readings side by side.
"""

import enum
from dataclasses import dataclass
from struct import Struct, error
from typing import Final

#: Frame ids. Source: reference zigbee-dongle.md 2.5.
INCOMING_MESSAGE: Final = 0x45
MESSAGE_SENT: Final = 0x3F
#: First version with wide statuses and tags. Source: reference 2.3.
WIDE_VERSION: Final = 14
_APS: Final = "HHBBHHB"
_INCOMING_NARROW: Final = Struct(f"<B{_APS}BbHBBB")
_INCOMING_WIDE: Final = Struct(f"<B{_APS}H8sBBBbIB")
_SENT_NARROW: Final = Struct(f"<BH{_APS}BB")
_SENT_WIDE: Final = Struct(f"<IBH{_APS}H")


class ApsOption(enum.IntFlag):
    """Bits of an APS frame's options. Source: UG100, EmberApsOption (known)."""

    ENCRYPTION = 0x0020
    RETRY = 0x0040
    ENABLE_ROUTE_DISCOVERY = 0x0100
    FRAGMENT = 0x8000


#: As plain numbers: a flag of Python's costs more than the message.
_ENCRYPTION, _FRAGMENT = int(ApsOption.ENCRYPTION), int(ApsOption.FRAGMENT)

#: What kinds of incoming message there are: 0 a unicast, 1 a reply to one. Source: UG100 (known).
UNICASTS: Final = frozenset({0, 1})


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message, or a fragment of one, from a node.

    Attributes:
        sender: Short address of the node.
        profile: Profile identifier; 0: device objects.
        cluster: Cluster identifier.
        source_endpoint: The node's.
        endpoint: Ours; 0xFF: all.
        payload: ZCL or ZDO octets.
        options: `ApsOption`.
        group: Number of the group; of a fragment: count << 8 | index.
        sequence: APS counter.
        unicast: Whether it was for us alone.
        eui64: The node's address, six octets and two, least significant first; v14 and later.
    """

    sender: int
    profile: int
    cluster: int
    source_endpoint: int
    endpoint: int
    payload: bytes
    options: int = 0
    group: int = 0
    sequence: int = 0
    unicast: bool = True
    eui64: bytes = b""

    @property
    def sealed(self) -> bool:
        """Whether it was secured with a link key."""
        return bool(self.options & _ENCRYPTION)

    @property
    def is_fragment(self) -> bool:
        """Whether it is a part of a longer message."""
        return bool(self.options & _FRAGMENT)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a message.

    Attributes:
        destination: Short address it was for.
        tag: The mark it was sent with.
        delivered: Whether its status is OK.
    """

    destination: int
    tag: int
    delivered: bool


def read_incoming(parameters: bytes, version: int) -> Incoming | None:
    """Read an ``incomingMessageHandler``; None: it is too short.

    Args:
        parameters: The frame without its header.
        version: EZSP version spoken.
    """
    wide = version >= WIDE_VERSION
    shape = _INCOMING_WIDE if wide else _INCOMING_NARROW
    try:
        row = shape.unpack_from(parameters)
    except error:
        return None
    kind, profile, cluster, source, endpoint, options, group, sequence = row[:8]
    sender, eui64 = (row[8], row[9]) if wide else (row[10], b"")
    payload = parameters[shape.size : shape.size + row[-1]]
    if len(payload) != row[-1]:
        return None
    return Incoming(
        sender,
        profile,
        cluster,
        source,
        endpoint,
        payload,
        options,
        group,
        sequence,
        kind in UNICASTS,
        eui64,
    )


def read_sent(parameters: bytes, version: int) -> Sent | None:
    """Read a ``messageSentHandler``; None: it is too short."""
    wide = version >= WIDE_VERSION
    try:
        row = (_SENT_WIDE if wide else _SENT_NARROW).unpack_from(parameters)
    except error:
        return None
    if wide:
        return Sent(row[2], row[10], row[0] == 0)
    return Sent(row[1], row[9], row[10] == 0)
