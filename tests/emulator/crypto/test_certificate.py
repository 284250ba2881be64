from dataclasses import replace

import pytest

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, iso
from emulator.core.errors import MalformedFrameError
from emulator.crypto.certificate import (
    Fault,
    is_signed_by,
    judge,
    point_of_key_info,
    public_point,
    read,
)
from emulator.crypto.hashes import skid
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from tests.emulator.crypto.own_messages import AT, ESME, SUPPLIER
from tests.given import RTDS_KEYS, needs_rtds

PKI = TestPki.new(Chance(5).stream("pki").octets, AT)
PARTY, _ = PKI.organisation_entries(SUPPLIER, 2)
DEVICE = PKI.device_entry(ESME, KeyUsage.KA)
DER = PARTY.certificate or b""
ISSUERS = tuple(read(authority.certificate) for authority in PKI.authorities())
DAY_MS = 86_400_000


def test_a_partys_certificate_says_who_it_is_and_what_for() -> None:
    fields = read(DER)
    assert (fields.eui64, fields.role, fields.usage) == (SUPPLIER, 2, KeyUsage.DS)
    assert fields.public_point == PARTY.public_point == public_point(DER)
    assert fields.key_identifier == skid(PARTY.public_point)
    assert fields.not_before == AT
    assert iso(fields.not_after) == "2036-01-01T00:00:00.000Z"


def test_a_devices_certificate_has_no_name_no_role_and_no_end() -> None:
    fields = read(DEVICE.certificate or b"")
    assert (fields.eui64, fields.role, fields.usage) == (ESME, None, KeyUsage.KA)
    assert fields.subject == b"\x30\x00"
    assert iso(fields.not_after) == "9999-12-31T23:59:59.000Z"


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        (AT - 1, Fault.NOT_YET_VALID),
        (AT, None),
        (AT + 3652 * DAY_MS, None),
        (AT + 3652 * DAY_MS + 1, Fault.EXPIRED),
    ],
)
def test_validity_is_judged_on_the_clock_that_is_passed_in(at: int, fault: Fault | None) -> None:
    assert judge(read(DER), ISSUERS, UtcMs(at)) is fault


def test_a_device_certificate_ends_with_its_issuer() -> None:
    device = read(DEVICE.certificate or b"")
    assert judge(device, ISSUERS, UtcMs(AT + 9131 * DAY_MS)) is None
    assert judge(device, ISSUERS, UtcMs(AT + 9131 * DAY_MS + 1)) is Fault.EXPIRED


def test_a_certificate_may_begin_later_than_its_issuer() -> None:
    issuers = tuple(replace(issuer, not_before=UtcMs(AT - 1)) for issuer in ISSUERS)
    assert judge(read(DER), issuers, UtcMs(AT - 1)) is Fault.NOT_YET_VALID
    assert judge(read(DER), issuers, AT) is None


def test_an_issuer_must_be_known_and_must_have_signed() -> None:
    stranger = TestPki.new(Chance(6).stream("pki").octets, AT)
    strangers = tuple(read(a.certificate) for a in stranger.authorities())
    assert judge(read(DER), (), AT) is Fault.UNKNOWN_ISSUER
    assert judge(read(DER), strangers, AT) is Fault.BAD_SIGNATURE
    assert judge(replace(read(DER), signed=DER), ISSUERS, AT) is Fault.BAD_SIGNATURE
    assert not is_signed_by(read(DER), b"\4" + bytes(64))


def test_the_authorities_hold_up_to_their_root() -> None:
    assert [judge(issuer, ISSUERS[:1], AT) for issuer in ISSUERS] == [None, None, None]
    assert all(issuer.usage is None for issuer in ISSUERS)


def test_a_key_is_read_though_what_follows_it_is_broken() -> None:
    at = DER.index(PARTY.public_point) + 65
    assert public_point(DER[:at] + bytes(len(DER) - at)) == PARTY.public_point
    with pytest.raises(MalformedFrameError):
        read(DER[:at] + bytes(len(DER) - at))


def with_trailing_data_in_the_signature_algorithm() -> bytes:
    """The defect of F-009: NULL parameters and more after the last algorithm identifier."""
    tail = bytes.fromhex("300a06082a8648ce3d040302")
    at = DER.rindex(tail)
    body = DER[4:at] + bytes.fromhex("300e06082a8648ce3d04030205000500") + DER[at + len(tail) :]
    return b"\x30\x82" + len(body).to_bytes(2, "big") + body


def test_trailing_data_in_the_signature_algorithm_hides_no_key() -> None:
    der = with_trailing_data_in_the_signature_algorithm()
    assert public_point(der) == PARTY.public_point
    assert read(der).eui64 == SUPPLIER


def test_every_truncation_is_malformed_and_every_flip_is_read_or_malformed() -> None:
    for length in range(len(DER)):
        with pytest.raises(MalformedFrameError) as caught:
            read(DER[:length])
        assert caught.value.layer == "certificate"
    with pytest.raises(MalformedFrameError, match="octets after the certificate"):
        read(DER + b"\0")
    held = 0
    for bit in range(8 * len(DER)):
        flipped = bytearray(DER)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            held += judge(read(bytes(flipped)), ISSUERS, AT) is None
        except MalformedFrameError:
            continue
    # Only what X.509 repeats outside the signed part may change unnoticed: the algorithm
    # identifier (12 octets) and the count of unused bits before the signature.
    assert held <= 8 * 13


@pytest.mark.parametrize(
    "der",
    [b"", b"\x30", b"\x30\x00", b"\x30\x80\x00\x00", b"\x30\x02\x30\x00", b"\x04\x02\x30\x00"],
)
def test_what_is_no_certificate_is_malformed(der: bytes) -> None:
    for reader in (public_point, read, point_of_key_info):
        with pytest.raises(MalformedFrameError):
            reader(der)


@needs_rtds
def test_every_rtds_certificate_is_read() -> None:
    certificates = [e for e in KeyStore.load(RTDS_KEYS).entries() if e.certificate]
    assert len(certificates) == 416
    for entry in certificates:
        fields = read(entry.certificate or b"")
        assert fields.public_point == entry.public_point
        assert fields.key_identifier == skid(entry.public_point)
        assert (fields.role is None) == (fields.subject == b"\x30\x00")
