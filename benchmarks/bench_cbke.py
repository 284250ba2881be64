"""What one certificate-based key establishment costs, both sides, by suite.

The reference is the same exchange with its hashes alone (certificates, key derivation, keyed
hashes): what AES costs, and what would be left if the curve arithmetic were free.
"""

import time
import timeit
from collections.abc import Callable

from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from emulator.crypto.aes_mmo import aes_mmo
from emulator.crypto.binary_curve import AnyPoint, KoblitzCurve
from emulator.crypto.cbke import Party, SoftwareEngine, derive_keys, keyed_hashes
from emulator.crypto.ecqv import SUITES, Authority

_METER = Eui64.parse("00-DB-12-34-56-78-90-A0")
_HUB = Eui64.parse("00-DB-12-34-56-78-90-A1")
_REPEATS = 5


def exchange(meter: SoftwareEngine, hub: SoftwareEngine) -> bytes:
    """Establish one link key, both sides."""
    ours, theirs = meter.make_key(), hub.make_key()
    meter.agree(hub.credentials.certificate, theirs, initiator=True)
    hub.agree(meter.credentials.certificate, ours, initiator=False)
    link_key = meter.take_link_key()
    if hub.take_link_key() != link_key:
        raise AssertionError("the measured sides do not agree")
    return link_key


def hashes_alone(meter: SoftwareEngine, hub: SoftwareEngine) -> bytes:
    """Hash what both sides of an exchange hash, over numbers that mean nothing."""
    curve = SUITES[meter.credentials.suite].curve
    point, z = bytes(curve.point_octets), bytes(curve.field.octets)
    for ours, theirs in ((meter, hub), (hub, meter)):
        aes_mmo(theirs.credentials.certificate)
        mac_key, _ = derive_keys(z)
        keyed_hashes(
            mac_key,
            Party(ours.credentials.subject, point),
            Party(theirs.credentials.subject, point),
        )
    return z


def double_and_add(curve: KoblitzCurve, scalar: int) -> AnyPoint:
    """Multiply the base point the way of the textbook."""
    total: AnyPoint = None
    for bit in f"{scalar:b}":
        total = curve.double(total)
        if bit == "1":
            total = curve.add(total, curve.base)
    return total


def _best_ms(act: Callable[[], object], rounds: int) -> float:
    """Return CPU milliseconds: neighbours on the machine must not count."""
    taken = timeit.repeat(act, timer=time.process_time, number=rounds, repeat=_REPEATS)
    return min(taken) / rounds * 1e3


def _rows(suite: KeySuite) -> list[str]:
    curve = SUITES[suite].curve
    authority = Authority.draw(suite, Stream(1, "authority"))
    meter, hub = (
        SoftwareEngine(authority.issue(device, Stream(1, str(device))), Stream(2, str(device)))
        for device in (_METER, _HUB)
    )
    scalar = curve.draw_scalar(Stream(3, "scalar"))
    if curve.multiply(scalar, curve.base) != double_and_add(curve, scalar):
        raise AssertionError("the measured ways to multiply do not agree")
    octets = curve.encode(curve.public(scalar))
    floor = _best_ms(lambda: hashes_alone(meter, hub), 20)
    plain = _best_ms(lambda: double_and_add(curve, scalar), 2)
    against_hashes = (
        ("one exchange, both sides", _best_ms(lambda: exchange(meter, hub), 2)),
        ("ephemeral key", _best_ms(meter.make_key, 3)),
        ("public key read and validated", _best_ms(lambda: curve.decode(octets), 5)),
    )
    rows = [
        f"{suite.name} {claim} | {value:.2f} | ms | hashes alone {floor:.2f} ms"
        f" | {value / floor:.1f}"
        for claim, value in against_hashes
    ]
    multiple = _best_ms(lambda: curve.multiply(scalar, curve.base), 3)
    rows.append(
        f"{suite.name} multiple of a point | {multiple:.2f} | ms | double and add {plain:.2f} ms"
        f" | {multiple / plain:.2f}"
    )
    return rows


def main() -> None:
    """Print the claims."""
    print("claim | value | unit | reference | ratio")
    for suite in KeySuite:
        print("\n".join(_rows(suite)))


if __name__ == "__main__":
    main()
