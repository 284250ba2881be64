"""Both curves against OpenSSL: keys, agreed secrets, and which octets are a public key."""

from pathlib import Path

import pytest

from emulator.core.chance import Stream
from emulator.crypto.binary_curve import SECT163K1, SECT283K1, InvalidPointError, KoblitzCurve
from tests.emulator.crypto import openssl_curves

CURVES = (SECT163K1, SECT283K1)
SIZES = [pytest.param(3, id="daily"), pytest.param(100, id="soak", marks=pytest.mark.soak)]
pytestmark = pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)


@pytest.fixture(autouse=True)
def _oracle(curve: KoblitzCurve) -> None:
    if not openssl_curves.knows(curve.name):
        pytest.skip(f"no openssl command here that knows {curve.name}")


@pytest.mark.parametrize("count", SIZES)
def test_public_keys_are_those_of_openssl(curve: KoblitzCurve, count: int) -> None:
    chance = Stream(5, curve.name)
    edges = [1, 2, 3, curve.order - 2, curve.order - 1, curve.order // 2, 1 << 80]
    for scalar in [*edges, *(curve.draw_scalar(chance) for _ in range(count))]:
        theirs = openssl_curves.public_point(curve.name, scalar, curve.scalar_octets)
        assert curve.encode(curve.public(scalar)) == theirs
        assert curve.decode(theirs) == curve.public(scalar)


@pytest.mark.parametrize("count", SIZES)
def test_keys_that_openssl_made_and_agreed_secrets_are_the_same(
    curve: KoblitzCurve, count: int, tmp_path: Path
) -> None:
    size = curve.field.octets
    for _ in range(count):
        scalar, coordinates = openssl_curves.new_key(curve.name, size)
        point = curve.public(scalar)
        assert point.x.to_bytes(size, "big") + point.y.to_bytes(size, "big") == coordinates
        other, _ = openssl_curves.new_key(curve.name, size)
        theirs = curve.encode(curve.public(other))
        z = openssl_curves.secret(curve.name, tmp_path, scalar, size, theirs)
        shared = curve.multiply(scalar, curve.decode(theirs))
        assert shared is not None
        assert shared.x.to_bytes(size, "big") == z


@pytest.mark.parametrize("count", SIZES)
def test_openssl_accepts_and_refuses_the_same_octets(curve: KoblitzCurve, count: int) -> None:
    chance = Stream(7, curve.name)
    verdicts = set()
    for number in range(2 * count):
        x = chance.below(1 << curve.field.degree)
        octets = bytes([2 + number % 2]) + x.to_bytes(curve.field.octets, "big")
        try:
            curve.decode(octets)
            ours = True
        except InvalidPointError:
            ours = False
        assert openssl_curves.accepts(curve.name, octets) == ours
        verdicts.add(ours)
    outside = [b"\x02" + bytes(curve.field.octets), b"\x02" + b"\xff" * curve.field.octets]
    assert not any(openssl_curves.accepts(curve.name, octets) for octets in outside)
    assert openssl_curves.accepts(curve.name, curve.encode(curve.base))
    assert False in verdicts
