"""Reads both directions of a meter's line: what each piece is, and the APDUs that they make up."""

import enum
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from emulator.codecs.dlms import hdlc, hdlc_parameters
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import MODULUS, FrameReject, Kind
from emulator.codecs.dlms.hdlc_link import without_llc
from emulator.codecs.dlms.wrapper import WrapperFrame
from emulator.core.errors import MalformedFrameError
from harness.dlms.settings import Framing
from harness.dlms_view.apdu import tell
from harness.dlms_view.scan import Piece, Scanner
from harness.dlms_view.texts import is_whole, tell_text
from harness.dlms_view.told import Question, Told
from harness.gbcs_view.field import Field, plain_fields


class Way(enum.StrEnum):
    """Which way octets cross a meter's line."""

    IN = "in"  # towards the meter
    OUT = "out"  # from the meter


class SeenKind(enum.Enum):
    """What a piece of a line is to a reader."""

    TEXT = "a sign-on text"
    NOISE = "octets that are no frame"
    CONNECT = "SNRM"
    CONNECTED = "UA"
    DISCONNECT = "DISC"
    REFUSED = "DM or FRMR"
    FLOW = "RR or RNR"
    PART = "a segment of an APDU that is not whole"
    REPEATED = "an I frame taken before, or out of order"
    APDU = "an APDU, or its last segment"
    OTHER = "a frame DLMS does not use"


@dataclass(frozen=True, slots=True)
class Seen:
    """One piece of a line, read.

    Attributes:
        way: Which way it went.
        kind: What it is.
        octets: As it crossed; for a text all its pieces.
        label: One line.
        family: Pieces of one family fold in a diagram; empty never folds.
        client: Service access point of the client; None for texts and noise.
        server: Service access point of the logical device; None likewise.
        message: The APDU that became whole, the text (as it crossed), or the information field of
            SNRM and UA; empty otherwise.
        told: What the message says.
        link: Returns the fields of the frame around it.
        segments: I frames the APDU came in.
    """

    way: Way
    kind: SeenKind
    octets: bytes
    label: str
    family: str = ""
    client: int | None = None
    server: int | None = None
    message: bytes = b""
    told: Told | None = None
    link: Callable[[], list[Field]] = field(default=list)
    segments: int = 1

    @property
    def damaged(self) -> bool:
        """Whether the octets make no sense."""
        return self.kind is SeenKind.NOISE or self.label.startswith("damaged")


@dataclass(slots=True)
class _Direction:
    """One way of one HDLC link: what of an APDU has come."""

    expected: int | None = None
    parts: list[bytes] = field(default_factory=list)


_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Around:
    """Where something stood: its direction, the frame's octets, the link, the frame's fields."""

    way: Way
    octets: bytes
    key: _Key
    link: Callable[[], list[Field]]

    def seen(self, kind: SeenKind, label: str, family: str = "", message: bytes = b"") -> Seen:
        return Seen(
            self.way, kind, self.octets, label, family, *self.key, message=message, link=self.link
        )


_LLC: Final = {Way.IN: hdlc.LLC_COMMAND, Way.OUT: hdlc.LLC_RESPONSE}
_UNNUMBERED: Final = {
    Kind.SNRM: (SeenKind.CONNECT, "SNRM: connect"),
    Kind.UA: (SeenKind.CONNECTED, "UA: agreed"),
    Kind.DISC: (SeenKind.DISCONNECT, "DISC: disconnect"),
    Kind.DM: (SeenKind.REFUSED, "DM: not connected"),
    Kind.FRMR: (SeenKind.REFUSED, "FRMR: frame rejected"),
    Kind.RR: (SeenKind.FLOW, "RR: go on"),
    Kind.RNR: (SeenKind.FLOW, "RNR: wait"),
}


class LineReader:
    """Reads one line in order; keeps what is needed to put APDUs together and to name answers."""

    def __init__(self, framing: Framing | None = None) -> None:
        """Make a reader; without ``framing`` each direction's first octets decide."""
        self._scanners = {way: Scanner(framing) for way in Way}
        self._texts = {way: bytearray() for way in Way}
        self._directions: dict[tuple[_Key, Way], _Direction] = {}
        self._questions: dict[_Key, Question] = {}

    def feed(self, way: Way, octets: bytes) -> list[Seen]:
        """Take octets that crossed; return what they complete, in order.

        A meter's line is half duplex: once the other end speaks, what waits for the rest of its
        frame will not get it.
        """
        other = Way.OUT if way is Way.IN else Way.IN
        seen: list[Seen] = []
        if self._scanners[other].pending_bytes and not self._scanners[other].wrapped:
            seen = self._read(other, self._scanners[other].end())
        return seen + self._read(way, self._scanners[way].feed(octets))

    def end(self) -> list[Seen]:
        """Give up what waits, in both directions: nothing more comes."""
        seen = []
        for way, scanner in self._scanners.items():
            seen += self._read(way, scanner.end()) + self._flush(way)
        return seen

    def _read(self, way: Way, pieces: list[Piece]) -> list[Seen]:
        seen: list[Seen] = []
        for piece in pieces:
            if piece.frame is None:
                seen += self._text(way, piece.octets)
                continue
            seen += self._flush(way)
            if isinstance(piece.frame, WrapperFrame):
                seen.append(self._wrapper(way, piece.octets, piece.frame))
            else:
                seen.append(self._hdlc(way, piece.octets, piece.frame))
        return seen

    # Texts.

    def _text(self, way: Way, octets: bytes) -> list[Seen]:
        self._texts[way] += octets
        return self._flush(way) if is_whole(bytes(self._texts[way])) else []

    def _flush(self, way: Way) -> list[Seen]:
        octets = bytes(self._texts[way])
        self._texts[way].clear()
        if not octets:
            return []
        told = tell_text(octets)
        kind = SeenKind.NOISE if told.family == "noise" else SeenKind.TEXT
        return [Seen(way, kind, octets, told.label, told.family, message=octets, told=told)]

    # Frames.

    def _wrapper(self, way: Way, octets: bytes, frame: WrapperFrame) -> Seen:
        ends = (frame.source, frame.destination)
        key = ends if way is Way.IN else ends[::-1]
        link: list[Field] = [("source port", str(ends[0])), ("destination port", str(ends[1]))]
        return self._apdu(_Around(way, octets, key, lambda: link), frame.apdu)

    def _hdlc(self, way: Way, octets: bytes, frame: Frame) -> Seen:
        ends = (frame.source.upper, frame.destination.upper)
        key = ends if way is Way.IN else ends[::-1]

        around = _Around(way, octets, key, lambda: frame_fields(frame))
        kind = frame.control.kind
        if kind is Kind.I:
            return self._information(around, frame)
        if kind is Kind.UI:
            return self._apdu(around, without_llc(frame.information, _LLC[way]) or b"")
        meaning, label = _UNNUMBERED.get(kind, (SeenKind.OTHER, f"HDLC {kind.name} frame"))
        if meaning is SeenKind.CONNECT:
            self._begin(key)
        if meaning in {SeenKind.CONNECT, SeenKind.CONNECTED} and frame.information:
            label = f"{label}: {parameters_text(frame.information)}"
        family = "ack" if meaning is SeenKind.FLOW else ""
        return around.seen(meaning, label, family, frame.information)

    def _begin(self, key: _Key) -> None:
        for way in Way:
            self._directions[key, way] = _Direction(0)
        self._questions.pop(key, None)

    def _information(self, around: _Around, frame: Frame) -> Seen:
        direction = self._directions.setdefault((around.key, around.way), _Direction())
        number = frame.control.send
        if direction.expected not in {None, number}:
            label = f"I frame {number}, sent before or out of order"
            return around.seen(SeenKind.REPEATED, label)
        direction.expected = (number + 1) % MODULUS
        direction.parts.append(frame.information)
        if frame.segmented:
            return around.seen(SeenKind.PART, f"segment {len(direction.parts)}", "segments")
        whole, count = b"".join(direction.parts), len(direction.parts)
        direction.parts.clear()
        apdu = without_llc(whole, _LLC[around.way])
        if apdu is None:
            label = "damaged: no LLC header of this direction"
            return around.seen(SeenKind.OTHER, label, message=whole)
        return self._apdu(around, apdu, count)

    def _apdu(self, around: _Around, apdu: bytes, segments: int = 1) -> Seen:
        before = self._questions.get(around.key)
        told = tell(apdu, before if around.way is Way.OUT else None)
        if around.way is Way.IN and not _continues(told, before):
            self._questions[around.key] = told.question
        seen = around.seen(SeenKind.APDU, told.label, told.family, apdu)
        return replace(seen, told=told, segments=segments)


def _continues(told: Told, before: Question) -> bool:
    """Whether a request only goes on with the one before, whose names its answers keep."""
    return before is not None and told.question is None


def frame_fields(frame: Frame) -> list[Field]:
    """Return an HDLC frame as fields, without its information."""
    control = frame.control
    fields: list[Field] = [
        ("destination", address_text(frame.destination)),
        ("source", address_text(frame.source)),
        ("control", f"{control.octet:02x} {control.kind.name}"),
        ("poll or final", "yes" if control.poll else "no"),
    ]
    if control.kind is Kind.I:
        fields.append(("number sent", str(control.send)))
    if control.kind in {Kind.I, Kind.RR, Kind.RNR}:
        fields.append(("number expected", str(control.receive)))
    if frame.segmented:
        fields.append(("segmented", "yes"))
    if frame.information:
        fields.append(("information", f"{len(frame.information)} octets"))
        fields += _information_fields(frame)
    return fields


def _information_fields(frame: Frame) -> list[Field]:
    kind = frame.control.kind
    try:
        if kind in {Kind.SNRM, Kind.UA}:
            return plain_fields(hdlc_parameters.decode(frame.information))
        if kind is Kind.FRMR:
            return plain_fields(FrameReject.decode(frame.information))
    except MalformedFrameError as error:
        return [("refused", error.why)]
    return []


def address_text(address: Address) -> str:
    """Return an HDLC address for people."""
    return str(address.upper) if address.lower is None else f"{address.upper}/{address.lower}"


def parameters_of(information: bytes) -> hdlc_parameters.Parameters:
    """Return the limits of an SNRM or UA; those of the standard where it has none.

    Raises:
        MalformedFrameError: They cannot be read.
    """
    return hdlc_parameters.decode(information) if information else hdlc_parameters.Parameters()


def parameters_text(information: bytes) -> str:
    """Return the limits of an SNRM or UA in one line."""
    try:
        value = hdlc_parameters.decode(information)
    except MalformedFrameError as error:
        return f"damaged: {error.why}"
    return (
        f"{value.transmit_bytes}/{value.receive_bytes} octets,"
        f" window {value.transmit_window}/{value.receive_window}"
    )
