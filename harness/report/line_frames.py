"""Decodes what crossed a meter's line for the sequence diagram: HDLC, DLMS and sign-on texts."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from emulator.codecs.dlms import han_log, wrapper
from emulator.codecs.dlms.hub_image import MESSAGE_PORT, NOTICE_PORT
from emulator.codecs.dlms.wrapper import HEADER_BYTES
from harness.dlms_view.line import LineReader, Seen, SeenKind, Way
from harness.gbcs_view.field import Field
from harness.report.layers import FRAGMENTS, REASSEMBLED, Dissection, Fields, Layer, said
from harness.report.naming import Directory

#: Lane of whoever reads the meter on its line.
READER: Final = "reader"
_METERS: Final = ("ESME", "GSME")
#: Pieces that say more than those around them, in this order, when several cross in one go.
_WEIGHT: Final = {
    SeenKind.APDU: 0,
    SeenKind.TEXT: 1,
    SeenKind.CONNECT: 2,
    SeenKind.CONNECTED: 2,
    SeenKind.DISCONNECT: 2,
    SeenKind.REFUSED: 2,
    SeenKind.PART: 3,
    SeenKind.REPEATED: 4,
    SeenKind.FLOW: 5,
}


class LineFrames:
    """Decodes the lines of one scenario in order; puts segments and texts together."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._line = LineReader()
        self._wan = LineReader()
        self._han = LineReader()

    def line(self, way: Way, octets: bytes) -> Dissection:
        """Decode what crossed the meter's line in one go."""
        ends = (READER, self._meter)
        sender, receiver = ends if way is Way.IN else ends[::-1]
        return _told(self._line.feed(way, octets), octets, (sender, receiver))

    def wan(self, way: Way, octets: bytes, ends: tuple[str, str]) -> Dissection:
        """Decode a SMETS1 message in the TCP wrapper on the hub's WAN."""
        return _told(self._wan.feed(way, octets), octets, ends)

    def tunnelled(self, way: Way, octets: bytes) -> Dissection:
        """Decode what crossed a tunnel of a SMETS1 home: DLMS, or a word between hub and device."""
        frame = wrapper.decode(octets)
        word = _WORDS.get(frame.destination)
        if word is None:
            told = _told(self._han.feed(way, octets), octets, ("", ""))
            label = f"{told.label}, in the tunnel"
            return Dissection("", "", label, told.family, told.layers, told.damaged)
        name, fields = word
        rows = fields(frame.apdu)
        return Dissection("", "", f"{name} (stand-in)", "", (said(name, *rows),))

    @property
    def _meter(self) -> str:
        known = set(self._directory.eui64s.values())
        return next((name for name in _METERS if name in known), "meter")


def _join(octets: bytes) -> Fields:
    join = han_log.decode_join(octets)
    return (("word", join.word.name), ("device", str(join.eui64)))


def _notice(octets: bytes) -> Fields:
    return (("Image Notify", octets.hex()),)


def _text(octets: bytes) -> Fields:
    return (("text", octets.decode("utf-8", "replace")),)


#: Wrapper port -> what hub and device say there, and what of it is shown.
_WORDS: Final[Mapping[int, tuple[str, Callable[[bytes], Fields]]]] = {
    han_log.JOIN_PORT: ("joining, hub and display", _join),
    NOTICE_PORT: ("image notice of the hub", _notice),
    MESSAGE_PORT: ("message for the display", _text),
}


def is_wrapped(octets: bytes) -> bool:
    """Say whether octets of the WAN are a DLMS wrapper frame."""
    return len(octets) >= HEADER_BYTES and octets[:2] == b"\x00\x01"


def _told(pieces: list[Seen], octets: bytes, ends: tuple[str, str]) -> Dissection:
    if not pieces:
        part = ("octets", str(len(octets)))
        layers: tuple[Layer, ...] = (said("part of a frame or text", part),)
        return Dissection(*ends, "part of a frame or text", "line pieces", layers)
    first = min(pieces, key=lambda seen: _WEIGHT.get(seen.kind, 6))
    label = first.label if len(pieces) == 1 else f"{first.label} (+{len(pieces) - 1})"
    family = FRAGMENTS if first.kind is SeenKind.PART else first.family
    layers = tuple(layer for seen in pieces for layer in _layers(seen))
    return Dissection(*ends, label, family, layers, any(seen.damaged for seen in pieces))


def _layers(seen: Seen) -> list[Layer]:
    layers = []
    if seen.client is not None:
        name = "TCP wrapper" if seen.octets[:2] == b"\x00\x01" else "HDLC"
        layers.append(Layer(name, partial(_fields_of_link, seen)))
    if seen.segments > 1:
        layers.append(said(REASSEMBLED, ("segments", str(seen.segments))))
    if seen.told is not None:
        name = "DLMS" if seen.client is not None else "IEC 62056-21"
        layers.append(Layer(name, partial(_rows, list(seen.told.fields))))
    return layers


def _fields_of_link(seen: Seen) -> Fields:
    return _rows(seen.link())


def _rows(fields: list[Field], depth: int = 0) -> Fields:
    rows: list[tuple[str, str]] = []
    for name, value in fields:
        indented = "\N{NO-BREAK SPACE}" * 2 * depth + name
        if isinstance(value, str):
            rows.append((indented, value))
        else:
            rows += [(indented, ""), *_rows(value, depth + 1)]
    return tuple(rows)
