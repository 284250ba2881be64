"""Seeded random octets and random damage: every decoder answers, or refuses by its one error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from emulator.codecs import rfc2217
from emulator.codecs.dlms import (
    access,
    acse,
    acse_release,
    apdu,
    apdu_action,
    apdu_ciphered,
    apdu_exception,
    apdu_general,
    apdu_get,
    apdu_set,
    axdr,
    data_notification,
    hdlc,
    hdlc_parameters,
    initiate,
    mode_e,
    selective,
    wrapper,
)
from emulator.codecs.dlms.access import Selection
from emulator.codecs.dlms.hdlc_control import FrameReject
from emulator.core.chance import Chance, Stream
from emulator.core.errors import MalformedFrameError
from tests.emulator.codecs.dlms.apdu_given import FORMS
from tests.emulator.codecs.dlms.test_acse import CASES as ACSE
from tests.emulator.codecs.dlms.test_acse import PUBLIC
from tests.emulator.codecs.dlms.test_apdu_general import CASES as GENERAL
from tests.emulator.codecs.dlms.test_axdr import VECTORS

PLAIN = [bytes.fromhex(text) for _, text in FORMS] + [PUBLIC, *[octets for _, octets in ACSE]]
DATA = [bytes.fromhex(text) for text in VECTORS]
FRAME = bytes.fromhex("7EA01C2103523E73E6E700C401C100090A31345031323334353637217D7E")
RANGE = bytes.fromhex("0204 0204 120008 0906 0000010000ff 0f02 120000 1100 1107 0100")
ENTRY = bytes.fromhex("0204 0600000001 0600000009 120001 120000")


def _range(data: bytes) -> object:
    return selective.read_selection(Selection(selective.RANGE, axdr.decode(data)))


def _entry(data: bytes) -> object:
    return selective.read_selection(Selection(selective.ENTRY, axdr.decode(data)))


def _data_sets(data: bytes) -> object:
    return mode_e.data_sets(data.decode("latin-1"))


#: Name -> decoder, and octets that it reads.
DECODERS: dict[str, tuple[Callable[[bytes], object], list[bytes]]] = {
    "apdu": (apdu.decode, PLAIN),
    "access request": (access.decode_request, [b"\xd9\0\0\0\1\0\0\0"]),
    "access response": (access.decode_response, [b"\xda\0\0\0\1\0\0\0\0"]),
    "access notification": (access.decode_notification, [b"\x0f\0\0\0\1\0\0"]),
    "aarq": (acse.decode_request, [PUBLIC]),
    "aare": (acse.decode_response, [octets for _, octets in ACSE if octets[0] == 0x61]),
    "rlrq": (acse_release.decode_request, [b"\x62\3\x80\1\0"]),
    "rlre": (acse_release.decode_response, [b"\x63\3\x80\1\0"]),
    "get results": (apdu_get.decode_results, [b"\2\0\x11\7\1\4"]),
    "set values": (apdu_set.decode_values, [b"\2\x11\7\0"]),
    "outcome": (apdu_action.decode_outcome, [b"\0\1\0\x11\7"]),
    "outcomes": (apdu_action.decode_outcomes, [b"\2\0\0\xfa\1\1\xfa"]),
    "exception": (apdu_exception.decode, [b"\xd8\1\1", b"\xd8\2\6\0\0\0\5"]),
    "notification": (data_notification.decode, [b"\x0f\0\0\0\1\0\x11\7"]),
    "initiate request": (initiate.decode_request, [PLAIN[-len(ACSE) - 4]]),
    "ciphered": (apdu_ciphered.decode, [b"\xc8\6\x30\0\0\0\1\xaa", b"\xdb\0\5\x30\0\0\0\1"]),
    "general ciphering": (
        apdu_general.decode_ciphering,
        [octets for _, octets in GENERAL if octets[0] == 0xDD],
    ),
    "general signing": (
        apdu_general.decode_signing,
        [octets for _, octets in GENERAL if octets[0] == 0xDF],
    ),
    "data": (axdr.decode, DATA),
    "range": (_range, [RANGE]),
    "entry": (_entry, [ENTRY]),
    "hdlc": (hdlc.decode, [FRAME]),
    "hdlc address": (hdlc.decode_address, [b"\x03", b"\x02\x23", b"\x02\x04\x06\x09"]),
    "hdlc parameters": (hdlc_parameters.decode, [bytes.fromhex("8180060501800601ff")]),
    "frame reject": (FrameReject.decode, [b"\x10\x20\1"]),
    "wrapper": (wrapper.decode, [b"\0\1\0\1\0\x10\0\1\xaa"]),
    "sign-on": (mode_e.SignOn.decode, [b"/?12!\r\n"]),
    "identification": (mode_e.Identification.decode, [b"/XYZ5\\2MODEL\r\n"]),
    "option select": (mode_e.OptionSelect.decode, [b"\x06252\r\n"]),
    "read-out": (mode_e.decode_read_out, [mode_e.encode_read_out("1.8.0(1*kWh)\r\n")]),
    "data sets": (_data_sets, [b"1.8.0(1*kWh)\r\n"]),
    "parity": (mode_e.without_parity, [b"\x81\xa5"]),
    "com port": (rfc2217.decode_subnegotiation, [b"\x2c\1\0\0\x25\x80"]),
}


def _random(draw: Stream) -> bytes:
    octets = draw.octets(draw.below(48))
    if draw.below(2):  # small values are likely tags, counts and lengths
        octets = bytes(octet % 29 for octet in octets)
    return octets


def _spoiled(draw: Stream, good: bytes) -> bytes:
    octets = bytearray(good)
    for _ in range(draw.below(3) + 1):
        at = draw.below(len(octets) + 1)
        match draw.below(5):
            case 0:
                del octets[at:]
            case 1:
                octets[at:at] = draw.octets(draw.below(4) + 1)
            case 2:
                del octets[at : at + draw.below(3) + 1]
            case _ if at < len(octets):
                octets[at] = draw.below(256)
    return bytes(octets)


def _inputs(draw: Stream, good: list[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        chosen = good[draw.below(len(good))]
        match draw.below(3):
            case 0:
                yield _random(draw)
            case 1:
                yield chosen[:1] + _random(draw)
            case _:
                yield _spoiled(draw, chosen)


def _fuzz(name: str, count: int, seed: int) -> tuple[int, int]:
    """Return how many inputs were read and how many refused; anything else fails."""
    decode, good = DECODERS[name]
    read = refused = 0
    for octets in good:
        decode(octets)
    for octets in _inputs(Chance(seed).stream(name), good, count):
        try:
            decode(octets)
        except MalformedFrameError:
            refused += 1
        else:
            read += 1
    return read, refused


@pytest.mark.parametrize("name", DECODERS)
def test_random_and_damaged_octets_are_read_or_refused_and_never_anything_else(name: str) -> None:
    read, refused = _fuzz(name, 60, 1)
    assert read + refused == 60
    assert refused > 0 or name == "parity"


@pytest.mark.soak
@pytest.mark.parametrize("name", DECODERS)
def test_many_more_random_and_damaged_octets_are_read_or_refused(name: str) -> None:
    read, refused = _fuzz(name, 20_000, 2)
    assert read > 0
    assert refused > 0


def _truncations() -> list[Any]:
    rows = []
    for name, (decode, good) in DECODERS.items():
        if name not in {"hdlc parameters", "data sets", "parity", "data"}:
            rows += [pytest.param(decode, octets, id=name) for octets in good]
    return rows


@pytest.mark.parametrize(("decode", "octets"), _truncations())
def test_no_truncation_and_no_extension_is_read(
    decode: Callable[[bytes], object], octets: bytes
) -> None:
    for damaged in [*(octets[:cut] for cut in range(len(octets))), octets + b"\0"]:
        with pytest.raises(MalformedFrameError):
            decode(damaged)
