"""Certificates as the X.509 library reads them: whatever is wrong is said in one way."""

import warnings
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.chance import Stream
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import x509_certificate
from emulator.crypto.pki import TestPki
from tests.sampling import examples

MADE = TestPki.new(Stream(1, "x509").octets, UtcMs(1_700_000_000_000))
DER = MADE.xml_signing_entry(Eui64(b"\x02\x53abcdef"), 135, "Example").certificate or b""
CURVE = bytes.fromhex("06082a8648ce3d030107")


def test_a_certificate_of_ours_is_read() -> None:
    assert x509_certificate.load(DER).serial_number > 0


@pytest.mark.parametrize(
    "der", [b"", DER[:-1], DER + b"\x00", DER.replace(CURVE, CURVE[:-1] + b"\x06")]
)
def test_what_the_library_cannot_read_is_malformed(der: bytes) -> None:
    with pytest.raises(MalformedFrameError, match="no certificate"):
        x509_certificate.load(der)


@given(st.integers(0, len(DER) * 8 - 1))
@settings(max_examples=examples(len(DER) * 8))
def test_a_flipped_bit_is_read_or_malformed_and_nothing_else(bit: int) -> None:
    octets = bytearray(DER)
    octets[bit // 8] ^= 1 << bit % 8
    with warnings.catch_warnings(), suppress(MalformedFrameError):
        warnings.simplefilter("ignore")
        x509_certificate.load(bytes(octets))
