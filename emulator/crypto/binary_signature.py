"""ECDSA on the Koblitz curve sect163k1 with AES-MMO, as Smart Energy devices sign with it.

Source:
    SEC 1 version 2, 4.1.3 and 4.1.4; the hash: Zigbee Smart Energy (known). No public vector was
    found: signing and verifying agree with each other, and with the curve's own arithmetic.
"""

from typing import Final

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.crypto.aes_mmo import aes_mmo
from emulator.crypto.binary_curve import Point
from emulator.crypto.ecqv import SUITES, Credentials

#: Octets of each of the two numbers.
NUMBER_OCTETS: Final = 21
SIGNATURE_OCTETS: Final = 2 * NUMBER_OCTETS


def sign(credentials: Credentials, message: bytes, chance: Stream) -> bytes:
    """Return r and s, 21 octets each, big-endian.

    Raises:
        ValueError: The credentials are of another suite.
    """
    if credentials.suite is not KeySuite.CBKE_163:
        raise ValueError("devices sign on sect163k1")
    curve = SUITES[KeySuite.CBKE_163].curve
    digest = int.from_bytes(aes_mmo(message), "big")
    while True:
        once = curve.draw_scalar(chance)
        r = curve.public(once).x % curve.order
        weighted = digest + r * credentials.private_scalar
        s = pow(once, -1, curve.order) * weighted % curve.order
        if r and s:
            return r.to_bytes(NUMBER_OCTETS, "big") + s.to_bytes(NUMBER_OCTETS, "big")


def verifies(public: Point, message: bytes, signature: bytes) -> bool:
    """Say whether a signature is that of a public key over a message."""
    curve = SUITES[KeySuite.CBKE_163].curve
    if len(signature) != SIGNATURE_OCTETS:
        return False
    r = int.from_bytes(signature[:NUMBER_OCTETS], "big")
    s = int.from_bytes(signature[NUMBER_OCTETS:], "big")
    if not (0 < r < curve.order and 0 < s < curve.order):
        return False
    digest = int.from_bytes(aes_mmo(message), "big")
    inverse = pow(s, -1, curve.order)
    ours = curve.multiply(digest * inverse % curve.order, curve.public(1))
    theirs = curve.multiply(r * inverse % curve.order, public)
    point = curve.add(ours, theirs)
    return point is not None and point.x % curve.order == r
