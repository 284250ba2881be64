"""IEC 62056-21 texts as lines and named fields: what crosses an optical head before HDLC."""

from typing import Final

from emulator.codecs.dlms.mode_e import (
    Identification,
    OptionSelect,
    SignOn,
    decode_read_out,
    with_substitutes,
)
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.told import Told
from harness.gbcs_view.field import Field

_LINE_END: Final = b"\r\n"
_STX: Final = 0x02
_ETX: Final = 0x03


def is_whole(octets: bytes) -> bool:
    """Say whether a text that arrived so far is a whole message (7E1 as on the line)."""
    text = with_substitutes(octets)
    if _STX in text:
        end = text.rfind(_ETX)
        return 0 <= end < len(text) - 1
    return text.endswith(_LINE_END)


def tell_text(octets: bytes) -> Told:
    """Say what a text is; anything else becomes a line that counts its octets."""
    text = with_substitutes(octets)
    for reader in (_sign_on, _identification, _option, _read_out):
        try:
            return reader(text)
        except MalformedFrameError:
            continue
    shown = text.decode("ascii", "backslashreplace")
    fields: tuple[Field, ...] = (("octets", octets.hex()), ("as text, 7E1", repr(shown)))
    return Told(f"{len(octets)} octets that are no frame", "noise", fields)


def _sign_on(text: bytes) -> Told:
    value = SignOn.decode(text)
    whom = value.address or "whoever is there"
    return Told(f"sign-on: call {whom}", "sign-on", (("address", value.address or "(none)"),))


def _identification(text: bytes) -> Told:
    value = Identification.decode(text)
    fields: tuple[Field, ...] = (
        ("manufacturer", value.manufacturer),
        ("speed", f"{value.speed} ({value.baud or 'no'} baud)"),
        ("mode", value.mode),
        ("name", value.name),
    )
    return Told(f"identification: {value.manufacturer}, {value.name}", "sign-on", fields)


def _option(text: bytes) -> Told:
    value = OptionSelect.decode(text)
    wish = "open HDLC (mode E)" if value.opens_hdlc else "read out or program"
    fields: tuple[Field, ...] = (
        ("protocol", value.protocol),
        ("speed", value.speed),
        ("mode", value.mode),
    )
    return Told(f"option select: {wish}", "sign-on", fields)


def _read_out(text: bytes) -> Told:
    block = decode_read_out(text)
    rows = tuple(("line", line) for line in block.split("\r\n") if line)
    return Told(f"read-out, {len(rows)} lines", "sign-on", rows)
