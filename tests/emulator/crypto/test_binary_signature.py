"""Signatures on sect163k1: made, verified, and refused when anything is not as it was signed."""

import pytest

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.binary_signature import NUMBER_OCTETS, SIGNATURE_OCTETS, sign, verifies
from emulator.crypto.ecqv import SUITES, Authority

SIGNER = Eui64.parse("90-B3-D5-1F-00-00-00-01")
ORDER = SUITES[KeySuite.CBKE_163].curve.order
CREDENTIALS = Authority.draw(KeySuite.CBKE_163, Stream(1, "ca")).issue(SIGNER, Stream(1, "signer"))
PUBLIC = SUITES[KeySuite.CBKE_163].curve.public(CREDENTIALS.private_scalar)


@pytest.mark.parametrize("length", [0, 1, 16, 17, 200])
def test_a_signature_is_that_of_its_key_over_its_message(length: int) -> None:
    message = Stream(2, "message").octets(length)
    signature = sign(CREDENTIALS, message, Stream(3, f"{length}"))
    assert len(signature) == SIGNATURE_OCTETS
    assert verifies(PUBLIC, message, signature)
    assert not verifies(PUBLIC, message + b"\x00", signature)
    stranger = SUITES[KeySuite.CBKE_163].curve.public(CREDENTIALS.private_scalar + 1)
    assert not verifies(stranger, message, signature)


def test_each_signature_is_made_with_other_chance_and_the_same_chance_makes_the_same() -> None:
    made = [sign(CREDENTIALS, b"message", Stream(seed, "k")) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]


def test_a_spoilt_signature_verifies_nothing() -> None:
    signature = sign(CREDENTIALS, b"message", Stream(3, "k"))
    for place in range(SIGNATURE_OCTETS):
        spoilt = bytearray(signature)
        spoilt[place] ^= 1
        assert not verifies(PUBLIC, b"message", bytes(spoilt))
    half = NUMBER_OCTETS
    order = ORDER.to_bytes(half, "big")
    for r, s in ((bytes(half), signature[half:]), (signature[:half], bytes(half))):
        assert not verifies(PUBLIC, b"message", r + s)
    assert not verifies(PUBLIC, b"message", order + signature[half:])
    assert not verifies(PUBLIC, b"message", signature[:half] + order)
    assert not verifies(PUBLIC, b"message", signature + b"\x00")


def test_the_other_curve_signs_nothing() -> None:
    ca = Authority.draw(KeySuite.CBKE_283, Stream(1, "ca"))
    with pytest.raises(ValueError, match="sect163k1"):
        sign(ca.issue(SIGNER, Stream(1, "signer")), b"message", Stream(1, "k"))
