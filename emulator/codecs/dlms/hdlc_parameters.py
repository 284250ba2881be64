"""What two HDLC stations agree upon with SNRM and UA: field lengths and windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader
from emulator.codecs.dlms.dumped import Dumped
from emulator.codecs.dlms.hdlc import MAX_INFORMATION_BYTES
from emulator.core.errors import MalformedFrameError
from emulator.core.values import quick

LAYER: Final = "dlms.hdlc.parameters"
#: What holds where nobody says otherwise.
DEFAULT_INFORMATION_BYTES: Final = 128
DEFAULT_WINDOW: Final = 1
MAX_WINDOW: Final = 7

_FORMAT_ID: Final = b"\x81"
_PARAMETERS: Final = 0x80
_NAMES: Final[Mapping[int, str]] = {
    5: "transmit_bytes",
    6: "receive_bytes",
    7: "transmit_window",
    8: "receive_window",
}


@quick
@dataclass(frozen=True, slots=True)
class Parameters:
    """One side's limits, from that side's point of view.

    Attributes:
        transmit_bytes: Longest information field it sends.
        receive_bytes: Longest information field it takes.
        transmit_window: I frames it sends before it waits, 1 to 7.
        receive_window: I frames it takes before it answers, 1 to 7.
    """

    transmit_bytes: int = DEFAULT_INFORMATION_BYTES
    receive_bytes: int = DEFAULT_INFORMATION_BYTES
    transmit_window: int = DEFAULT_WINDOW
    receive_window: int = DEFAULT_WINDOW

    def __post_init__(self) -> None:
        for size in (self.transmit_bytes, self.receive_bytes):
            if not 1 <= size <= MAX_INFORMATION_BYTES:
                raise ValueError(f"an information field has 1 to 2030 octets, not {size}")
        for window in (self.transmit_window, self.receive_window):
            if not 1 <= window <= MAX_WINDOW:
                raise ValueError(f"a window has 1 to 7 frames, not {window}")


def decode(data: bytes) -> Parameters:
    """Read the information field of an SNRM or UA; a field left out stands for the defaults.

    Parameters and groups of other numbers are passed over, as a station must that does not know
    them; what does not fit their lengths is refused. A length above 2030 counts as 2030.

    Raises:
        MalformedFrameError: Truncated, trailing octets, a value of zero octets or more than four,
            a length of 0, or a window of 0 or above 7.

    Source:
        IEC 62056-46 6.4.4.4.3.2 (negotiation), known; the golden UA of reference serial-dlms.md
        section 5 is a test. The absent field: section 4.2 there.
    """
    if not data:
        return Parameters()
    reader = Reader(LAYER, data)
    reader.expect(_FORMAT_ID, "format identifier")
    values: dict[str, int] = {}
    while reader.at < len(data):
        group, size = reader.u8(), reader.u8()
        if group != _PARAMETERS:
            reader.take(size)
            continue
        end = reader.at + size
        if end > len(data):
            reader.fail(f"group of {size} octets, {len(data) - reader.at} left", reader.at - 1)
        _read_group(Reader(LAYER, data, reader.at, end), values)
        reader.at = end
    return Parameters(**values)


def _read_group(reader: Reader, values: dict[str, int]) -> None:
    while reader.at < reader.end:
        start = reader.at
        identifier, size = reader.u8(), reader.u8()
        octets = reader.take(size)
        name = _NAMES.get(identifier)
        if name is None:
            continue
        if not 1 <= size <= 4:
            reader.fail(f"a parameter value of {size} octets", start + 1)
        value = int.from_bytes(octets, "big")
        if value == 0 or (name.endswith("window") and value > MAX_WINDOW):
            reader.fail(f"{name} cannot be {value}", start + 2)
        values[name] = min(value, MAX_INFORMATION_BYTES)


def encode(parameters: Parameters) -> bytes:
    """Write the information field, all four parameters, as the golden UA has them.

    Lengths take one octet up to 255 and two above; windows take four.
    """
    out = bytearray()
    for identifier, size in ((5, parameters.transmit_bytes), (6, parameters.receive_bytes)):
        octets = 1 if size < 0x100 else 2
        out += bytes((identifier, octets)) + size.to_bytes(octets, "big")
    for identifier, window in ((7, parameters.transmit_window), (8, parameters.receive_window)):
        out += bytes((identifier, 4)) + window.to_bytes(4, "big")
    return _FORMAT_ID + bytes((_PARAMETERS, len(out))) + bytes(out)


def read_dumped(dumped: Dumped, name: str) -> Parameters:
    """Return parameters that a machine dumped as the octets of ``encode``.

    Raises:
        DumpedStateError: They are no such octets.
    """
    try:
        return decode(dumped.octets(name))
    except MalformedFrameError as error:
        dumped.refuse(name, error.why)


def agree(own: Parameters, peer: Parameters) -> Parameters:
    """Return what ``own`` may do: each side's sending is bounded by the other's receiving."""
    return Parameters(
        min(own.transmit_bytes, peer.receive_bytes),
        min(own.receive_bytes, peer.transmit_bytes),
        min(own.transmit_window, peer.receive_window),
        min(own.receive_window, peer.transmit_window),
    )
