"""The three headers of a HAN frame at once: the form nearly all have, written and read in one go.

The declarations stay in `mac`, `nwk` and `aps`; what deviates in the least from the plain form is
theirs to judge, and a test holds this path to them (architecture, fast paths).
"""

from struct import Struct, error
from typing import Final

from emulator.codecs.zigbee import aps, mac, nwk
from emulator.codecs.zigbee.aps import ApsAck, ApsFrame, Fragment, FragmentAck
from emulator.codecs.zigbee.mac import MacFrame, check_octets
from emulator.codecs.zigbee.nwk import NwkFrame

_MAC_CONTROL: Final = 0x8841  # data, PAN id compressed, two short addresses, nothing else
_NWK_CONTROL: Final = 0x0008  # data, protocol version 2, nothing else
#: MAC header, NWK header, APS header without its extension.
_HEADERS: Final = Struct("<HBHHH HHHBB BBHHBB")
_HEADER_BYTES: Final = _HEADERS.size
_FCS_BYTES: Final = 2
_MAX_BODY_BYTES: Final = mac.MAX_FRAME_BYTES - _FCS_BYTES
_DATA, _ACK, _ASKS, _EXTENDED = 0x00, 0x02, 0x40, 0x80
_FIRST, _PART = 1, 2
_PARTS: Final = frozenset({_FIRST, _PART})

#: PAN id, MAC destination, NWK destination, NWK source, and what the APS says.
Parsed = tuple[int, int, int, int, ApsFrame | ApsAck]
#: What was read of octets lately written here: reading is a matter of the octets alone.
_WRITTEN: Final[dict[bytes, Parsed]] = {}
_MOST_WRITTEN: Final = 64


def encode(  # noqa: PLR0913, PLR0917 -- the fields of two headers, in their order
    pan_id: int,
    to: int,
    source: int,
    radius: int,
    sequences: tuple[int, int],
    frame: ApsFrame | ApsAck,
) -> bytes:
    """Write one MAC frame around an APS frame, FCS included.

    Args:
        pan_id: PAN of both nodes.
        to: Short address of the receiver.
        source: Short address of the sender.
        radius: Hops it may make.
        sequences: Sequence numbers of MAC and NWK.
        frame: The APS frame.

    Raises:
        ValueError: A field is out of range, or the frame is longer than 127 octets.
    """
    if isinstance(frame, ApsFrame):
        fragment, rest = frame.fragment, frame.payload
        control = _ASKS if frame.ack_request else _DATA
        if fragment is not None:
            control |= _EXTENDED
            rest = bytes((_FIRST if fragment.first else _PART, fragment.block)) + rest
    else:
        window, rest, control = frame.fragments, b"", _ACK
        if window is not None:
            control, start = _EXTENDED | _ACK, window.window_start
            rest = bytes((_PART if start else _FIRST, start, window.received))
    mac_sequence, nwk_sequence = sequences
    try:
        body = (
            _HEADERS.pack(
                _MAC_CONTROL, mac_sequence, pan_id, to, source,
                _NWK_CONTROL, to, source, radius, nwk_sequence,
                control, frame.destination_endpoint, frame.cluster, frame.profile,
                frame.source_endpoint, frame.counter,
            ) + rest
        )  # fmt: skip
    except error:
        body = b""
    if not body or len(body) > _MAX_BODY_BYTES:  # refused by the layer that it does not fit
        packet = NwkFrame(to, source, radius, nwk_sequence, aps.encode(frame))
        return mac.encode(MacFrame(mac_sequence, pan_id, to, source, nwk.encode(packet)))
    octets = body + check_octets(body)
    if control < _EXTENDED:  # these read as they were written
        if len(_WRITTEN) >= _MOST_WRITTEN:
            del _WRITTEN[next(iter(_WRITTEN))]
        _WRITTEN[octets] = (pan_id, to, to, source, frame)
    return octets


def decode(data: bytes) -> Parsed | None:
    """Read one MAC frame of the plain form with what is inside; None for all that is not.

    What it does not read may still be a good frame: `mac`, `nwk` and `aps` judge it.
    """
    written = _WRITTEN.pop(data, None)
    if written is not None:
        return written
    if not _HEADER_BYTES + _FCS_BYTES <= len(data) <= mac.MAX_FRAME_BYTES:
        return None
    if check_octets(data[:-_FCS_BYTES]) != data[-_FCS_BYTES:]:
        return None
    (
        mac_control, _, pan_id, outer_to, _, nwk_control, to, source, _, _,
        control, destination, cluster, profile, endpoint, counter,
    ) = _HEADERS.unpack_from(data)  # fmt: skip
    if mac_control != _MAC_CONTROL or nwk_control != _NWK_CONTROL:
        return None
    rest = data[_HEADER_BYTES:-_FCS_BYTES]
    read = _extended if control & _EXTENDED else _plain
    inner = read(control, destination, endpoint, cluster, counter, rest, profile)
    return None if inner is None else (pan_id, outer_to, to, source, inner)


def _plain(  # noqa: PLR0913, PLR0917 -- the fields of a header, as a frame takes them
    control: int,
    destination: int,
    source: int,
    cluster: int,
    counter: int,
    rest: bytes,
    profile: int,
) -> ApsFrame | ApsAck | None:
    """Read what has no extended header; None for all but data and acknowledgements of it."""
    if control & ~_ASKS == _DATA:
        return ApsFrame(destination, source, cluster, counter, rest, profile, control != _DATA)
    if control == _ACK and not rest:
        return ApsAck(destination, source, cluster, counter, profile)
    return None


def _extended(  # noqa: PLR0913, PLR0917 -- the fields of a header, as a frame takes them
    control: int,
    destination: int,
    source: int,
    cluster: int,
    counter: int,
    rest: bytes,
    profile: int,
) -> ApsFrame | ApsAck | None:
    """Read a fragment, or the acknowledgement of a window of them; None for all else."""
    if control & ~_ASKS == _EXTENDED and len(rest) > 1:
        kind, block = rest[0], rest[1]
        if block and kind in _PARTS:
            part, asks = Fragment(kind == _FIRST, block), control != _EXTENDED
            return ApsFrame(destination, source, cluster, counter, rest[2:], profile, asks, part)
    if control == _EXTENDED | _ACK and len(rest) == 3:
        kind, block, received = rest
        if kind == (_PART if block else _FIRST):
            window = FragmentAck(block, received)
            return ApsAck(destination, source, cluster, counter, profile, window)
    return None
