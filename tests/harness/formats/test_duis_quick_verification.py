"""The quick way of verifying a signature accepts what signxml accepts, and nothing besides."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.pki import TestPki
from harness.formats.duis import bodies, quick_verification, signing
from harness.formats.duis.faults import DuisError
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.xml_input import parse

AT = UtcMs(1_790_000_000_000)
SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
ESME = Eui64.parse("02-53-01-00-00-00-00-01")
ENTRY = TestPki.new(Chance(1).stream("pki").octets, AT).xml_signing_entry(SUPPLIER, 2, "supplier")
assert ENTRY.private_scalar is not None
assert ENTRY.certificate is not None
CERTIFICATE = ENTRY.certificate
KNOWN = Signatories({SUPPLIER: CERTIFICATE}, AT)
KEY = XmlKey.of(ENTRY.private_scalar, CERTIFICATE)
SIGNED = write_request(
    request(bodies.ActivateFirmware(bytes(32)), RequestId(SUPPLIER, ESME, 5)), KEY
)


def quick(document: bytes, at: UtcMs = AT) -> bool:
    try:
        root = parse(document, keep_all=True)
    except DuisError:
        return False
    return quick_verification.holds(root, CERTIFICATE, at)


@pytest.fixture
def by_signxml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick_verification, "holds", lambda *_args: False)
    monkeypatch.setattr(quick_verification, "held_before", lambda *_args: False)


def accepted(document: bytes) -> bool:
    try:
        signing.verify(document, KNOWN, SUPPLIER, signed=True)
    except DuisError:
        return False
    return True


def altered() -> Iterator[bytes]:
    """Every seventh octet changed into another letter."""
    for at in range(0, len(SIGNED), 7):
        other = b"x" if SIGNED[at : at + 1] != b"x" else b"y"
        yield SIGNED[:at] + other + SIGNED[at + 1 :]


def test_what_is_signed_is_accepted_both_ways(by_signxml: None) -> None:
    del by_signxml
    assert accepted(SIGNED)


def test_what_is_signed_is_accepted_quickly() -> None:
    assert quick(SIGNED)


def test_nothing_altered_is_accepted_quickly_that_signxml_refuses(by_signxml: None) -> None:
    del by_signxml
    # (``quick`` calls what the fixture replaced, so its answers are collected beforehand.)
    assert not [one for one in QUICKLY_ACCEPTED if not accepted(one)]


QUICKLY_ACCEPTED = [one for one in altered() if quick(one)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyName>x</ds:KeyName>"),
        (b'URI=""', b'URI="#a"'),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue> "),
        (b"</sr:Request>", b"<?target data?></sr:Request>"),
        (b"</sr:Request>", b"</sr:Request><?target data?>"),
        (b"</sr:Request>", b"<sr:Extra/></sr:Request>"),
    ],
)
def test_any_other_form_is_left_to_signxml(old: bytes, new: bytes) -> None:
    assert old in SIGNED
    assert not quick(SIGNED.replace(old, new))


def test_a_certificate_that_is_not_valid_verifies_nothing() -> None:
    late = UtcMs(AT + 100 * 365 * 86_400_000)
    assert not quick(SIGNED, late)
    quick_verification.remember(SIGNED, CERTIFICATE)
    assert quick_verification.held_before(SIGNED, CERTIFICATE, AT)
    assert not quick_verification.held_before(SIGNED, CERTIFICATE, late)
    assert not quick_verification.held_before(SIGNED + b" ", CERTIFICATE, AT)


def test_what_is_remembered_is_bounded() -> None:
    for number in range(2000):
        quick_verification.remember(number.to_bytes(4, "big"), CERTIFICATE)
    assert len(quick_verification._HELD) <= 512


def test_threads_that_remember_at_the_same_time_do_not_get_in_each_other_s_way() -> None:
    """Doors verify in one thread, the world behind them in another."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            told = [
                pool.submit(remember_many, range(first, first + 3_000))
                for first in range(0, 12_000, 3_000)
            ]
            for one in told:
                one.result()
    finally:
        sys.setswitchinterval(interval)


def remember_many(numbers: range) -> None:
    for number in numbers:
        quick_verification.remember(b"thread" + number.to_bytes(4, "big"), CERTIFICATE)
