"""Zigbee application-support data and acknowledgement frames, with fragmentation headers."""

from dataclasses import dataclass
from struct import Struct, error
from typing import Any, Final

import construct as c

from emulator.codecs.zigbee.blocks import build, parse_part
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

#: Application profile of Smart Energy, the only one of the GB HAN.
PROFILE_SMART_ENERGY: Final = 0x0109
#: Octets of a data header without and with the extended (fragment) header.
HEADER_BYTES: Final = 8
FRAGMENT_HEADER_BYTES: Final = 10
#: Blocks that one acknowledgement bitfield speaks of.
ACK_WINDOW_BLOCKS: Final = 8

_LAYER: Final = "zigbee.aps"
_DATA, _ACK = 0, 2
_ACK_REQUEST: Final = 0x40
_EXTENDED: Final = 0x80
_FIRST, _PART = 1, 2
_HEADER: Final = Struct("<BBHHBB")
_ACK_BYTES: Final = 11  # an acknowledgement with the extended header
_EXTENDED_ACK: Final = _EXTENDED | _ACK

_FORMAT: Final = c.Struct(
    "control"
    / c.BitStruct(
        "extended" / c.Flag,
        "ack_request" / c.Flag,
        "security" / c.Flag,
        "ack_format" / c.Flag,
        "delivery" / c.BitsInteger(2),
        "frame_type" / c.BitsInteger(2),
    ),
    "destination_endpoint" / c.Int8ul,
    "cluster" / c.Int16ul,
    "profile" / c.Int16ul,
    "source_endpoint" / c.Int8ul,
    "counter" / c.Int8ul,
    "fragmentation" / c.If(c.this.control.extended, c.Int8ul),
    "block" / c.If(c.this.control.extended, c.Int8ul),
    "received" / c.If(c.this.control.extended & (c.this.control.frame_type == _ACK), c.Int8ul),
)


@quick
@dataclass(frozen=True, slots=True)
class Fragment:
    """Where a fragment stands in its transmission.

    Attributes:
        first: True for block 0.
        block: In the first fragment the number of all blocks; in the others the block's own
            number, from 1.
    """

    first: bool
    block: int

    @property
    def number(self) -> int:
        """The block's own number, from 0."""
        return 0 if self.first else self.block


@quick
@dataclass(frozen=True, slots=True)
class ApsFrame:
    """One unicast data frame, without security header (see `NwkFrame`).

    Attributes:
        destination_endpoint: 1 to 240 for applications.
        source_endpoint: Likewise.
        cluster: Cluster identifier, 16 bits.
        counter: APS counter, one octet; all fragments of a transmission share it.
        payload: The ZCL frame, or one fragment of it.
        profile: Application profile, 0x0109.
        ack_request: Ask the other node's APS for an acknowledgement.
        fragment: None when the payload is whole.
    """

    destination_endpoint: int
    source_endpoint: int
    cluster: int
    counter: int
    payload: bytes
    profile: int = PROFILE_SMART_ENERGY
    ack_request: bool = False
    fragment: Fragment | None = None


@quick
@dataclass(frozen=True, slots=True)
class FragmentAck:
    """What of a window of fragments has arrived.

    Attributes:
        window_start: Number of the window's first block.
        received: Bit n is set when block ``window_start`` + n has arrived; bits behind the last
            block are set too.
    """

    window_start: int
    received: int


@quick
@dataclass(frozen=True, slots=True)
class ApsAck:
    """Acknowledgement of a data frame, or of a window of its fragments; nothing follows it.

    Attributes:
        destination_endpoint: The data frame's source endpoint.
        source_endpoint: The data frame's destination endpoint.
        cluster: As in the data frame.
        counter: As in the data frame.
        profile: As in the data frame.
        fragments: None when the data frame was whole.
    """

    destination_endpoint: int
    source_endpoint: int
    cluster: int
    counter: int
    profile: int = PROFILE_SMART_ENERGY
    fragments: FragmentAck | None = None


def decode(data: bytes) -> ApsFrame | ApsAck:
    """Read one APS data or acknowledgement frame (the payload of a NWK data frame).

    Raises:
        MalformedFrameError: Too short, octets behind an acknowledgement, or a frame that is no
            unsecured unicast data or acknowledgement.

    Source:
        Zigbee specification 05-3474, 2.2.5.1, 2.2.5.2.1 and 2.2.8.4.5; checked with tshark
        4.0.17, which reassembles the fragments.
    """
    if len(data) >= HEADER_BYTES:
        found = _decode_fast(data)
        if found is not None:
            return found
    return _decode_declared(data)


def _decode_fast(data: bytes) -> ApsFrame | ApsAck | None:
    """Read the frames that a home is full of; None for all that the declaration must judge."""
    control, destination, cluster, profile, source, counter = _HEADER.unpack_from(data)
    addressing = (destination, source, cluster, counter)
    kind = control & ~_ACK_REQUEST
    if kind == _DATA:
        return ApsFrame(*addressing, data[HEADER_BYTES:], profile, control != 0)
    if control == _ACK and len(data) == HEADER_BYTES:
        return ApsAck(*addressing, profile)
    if kind == _EXTENDED and len(data) >= FRAGMENT_HEADER_BYTES:
        fragmentation, block = data[8], data[9]
        if block and fragmentation in {_FIRST, _PART}:
            fragment = Fragment(fragmentation == _FIRST, block)
            payload = data[FRAGMENT_HEADER_BYTES:]
            return ApsFrame(*addressing, payload, profile, control != kind, fragment)
    if control == _EXTENDED_ACK and len(data) == _ACK_BYTES:
        fragmentation, block, received = data[8:]
        if fragmentation == (_PART if block else _FIRST):
            return ApsAck(*addressing, profile, FragmentAck(block, received))
    return None


def encode(frame: ApsFrame | ApsAck) -> bytes:
    """Write one APS data or acknowledgement frame.

    Raises:
        ValueError: A field is out of range.
    """
    control, more, payload = _outer_octets(frame)
    try:
        header = _HEADER.pack(
            control,
            frame.destination_endpoint,
            frame.cluster,
            frame.profile,
            frame.source_endpoint,
            frame.counter,
        )
        return header + bytes(more) + payload
    except (error, ValueError):
        return _encode_declared(frame)  # which names the field that is out of range


def _outer_octets(frame: ApsFrame | ApsAck) -> tuple[int, list[int], bytes]:
    """Return the control octet, the octets of the extended header, and the payload."""
    fragmentation, block, received = _extension(frame)
    more = [octet for octet in (fragmentation, block, received) if octet is not None]
    control = _EXTENDED if more else 0
    if isinstance(frame, ApsAck):
        return control | _ACK, more, b""
    return control | (_ACK_REQUEST if frame.ack_request else 0), more, frame.payload


def _decode_declared(data: bytes) -> ApsFrame | ApsAck:
    raw, end = parse_part(_LAYER, _FORMAT, data)
    _check(raw, data)
    addressing = (raw.destination_endpoint, raw.source_endpoint, raw.cluster, raw.counter)
    if raw.control.frame_type == _DATA:
        fragment = Fragment(raw.fragmentation == _FIRST, raw.block) if raw.fragmentation else None
        ack_request = bool(raw.control.ack_request)
        return ApsFrame(*addressing, data[end:], raw.profile, ack_request, fragment)
    if end != len(data):
        raise MalformedFrameError(_LAYER, data, "octets behind an acknowledgement", end)
    received = FragmentAck(raw.block, raw.received) if raw.fragmentation else None
    return ApsAck(*addressing, raw.profile, received)


def _check(raw: Any, data: bytes) -> None:
    control = raw.control
    fragmentation = raw.fragmentation
    acked = control.frame_type == _ACK
    refusals = (
        (control.frame_type not in {_DATA, _ACK}, "neither data nor acknowledgement"),
        (control.security, "a security header is announced; this phase has none"),
        (control.delivery, "only unicast delivery is used here"),
        (control.ack_format, "the acknowledgement is not one of a data frame"),
        (acked and control.ack_request, "an acknowledgement asks for one"),
        (control.extended and fragmentation not in {_FIRST, _PART}, "unknown extended header"),
        (fragmentation == _FIRST and not acked and raw.block == 0, "fragments of no blocks"),
        (fragmentation == _PART and not acked and raw.block == 0, "block 0 marked as a later one"),
        (acked and fragmentation == _FIRST and raw.block != 0, "first window not at block 0"),
        (acked and fragmentation == _PART and raw.block == 0, "later window at block 0"),
    )
    for wrong, why in refusals:
        if wrong:
            raise MalformedFrameError(_LAYER, data, why, 0)


def _encode_declared(frame: ApsFrame | ApsAck) -> bytes:
    fragmentation, block, received = _extension(frame)
    values = {
        "control": {
            "extended": fragmentation is not None,
            "ack_request": isinstance(frame, ApsFrame) and frame.ack_request,
            "security": False,
            "ack_format": False,
            "delivery": 0,
            "frame_type": _ACK if isinstance(frame, ApsAck) else _DATA,
        },
        "destination_endpoint": frame.destination_endpoint,
        "cluster": frame.cluster,
        "profile": frame.profile,
        "source_endpoint": frame.source_endpoint,
        "counter": frame.counter,
        "fragmentation": fragmentation,
        "block": block,
        "received": received,
    }
    header = build(_LAYER, _FORMAT, values)
    return header if isinstance(frame, ApsAck) else header + frame.payload


def _extension(frame: ApsFrame | ApsAck) -> tuple[int | None, int | None, int | None]:
    """Return the extended header's octets: fragmentation, block number, received blocks."""
    if isinstance(frame, ApsFrame):
        if frame.fragment is None:
            return None, None, None
        return _FIRST if frame.fragment.first else _PART, frame.fragment.block, None
    if frame.fragments is None:
        return None, None, None
    start = frame.fragments.window_start
    return _PART if start else _FIRST, start, frame.fragments.received
