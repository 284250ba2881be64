import pytest

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.pki import TestPki
from harness.formats.duis import bodies
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import Origin, read_request, request, write_request
from harness.formats.duis.responses import (
    ResponseHeader,
    ResponseMessage,
    ServiceResponse,
    read_response,
    write_response,
)
from harness.formats.duis.signing import Signatories, XmlKey
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid

AT = UtcMs(1_790_000_000_000)
SUPPLIER = Eui64.parse("02-53-42-00-00-01-00-00")
OTHER = Eui64.parse("02-53-42-00-00-03-00-00")
ESME = Eui64.parse("02-53-01-00-00-00-00-01")
PKI = TestPki.new(Chance(1).stream("pki").octets, AT)
ENTRY = PKI.xml_signing_entry(SUPPLIER, 2, "supplier")
OTHER_ENTRY = PKI.xml_signing_entry(OTHER, 2, "other supplier")
assert ENTRY.private_scalar is not None
assert ENTRY.certificate is not None
assert OTHER_ENTRY.private_scalar is not None
assert OTHER_ENTRY.certificate is not None
KEY = XmlKey.of(ENTRY.private_scalar, ENTRY.certificate)
OTHER_KEY = XmlKey.of(OTHER_ENTRY.private_scalar, OTHER_ENTRY.certificate)
KNOWN = Signatories({SUPPLIER: ENTRY.certificate, OTHER: OTHER_ENTRY.certificate}, AT)
VALUE = request(bodies.ActivateFirmware(bytes(32)), RequestId(SUPPLIER, ESME, 5))
SIGNED = write_request(VALUE, KEY)


def refusal(document: bytes, signatories: Signatories = KNOWN) -> DuisError:
    with pytest.raises(DuisError) as caught:
        read_request(document, signatories)
    return caught.value


def test_a_signed_request_verifies_and_is_marked_so() -> None:
    value = read_request(SIGNED, KNOWN)
    assert value.origin is Origin.VERIFIED
    assert value.body == VALUE.body


@needs_duis
def test_a_signed_request_is_valid() -> None:
    assert is_valid(SIGNED)


def test_a_signature_is_the_same_every_time() -> None:
    assert write_request(VALUE, KEY) == SIGNED


def test_without_keys_a_signature_changes_nothing_of_the_mark() -> None:
    assert read_request(SIGNED).origin is Origin.LOCAL


def test_an_unsigned_request_is_refused_where_signatures_are_known() -> None:
    assert refusal(write_request(VALUE)).name is DuisFault.MISSING_SIGNATURE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b":5<", b":6<"),
        (b">00000000", b">00000001"),
        (b">4<", b">4 <"),
        (b"<sr:Header>", b"<sr:Header> "),
        (b"<ds:DigestValue>", b"<ds:DigestValue>AAAA"),
        (b'URI=""', b'URI="#x"'),
        (b'URI=""', b""),
        (b"xmldsig-more#ecdsa-sha256", b"xmldsig-more#ecdsa-sha384"),
        (b"xmldsig#enveloped-signature", b"xmldsig#base64"),
    ],
)
def test_an_altered_request_is_refused(old: bytes, new: bytes) -> None:
    assert old in SIGNED
    assert refusal(SIGNED.replace(old, new, 1)).name is DuisFault.BAD_SIGNATURE


def test_a_comment_changes_neither_signature_nor_value() -> None:
    # Canonical XML leaves comments out, and so does the reader: nothing to gain by adding one.
    value = read_request(SIGNED.replace(b"<sr:Header>", b"<sr:Header><!-- hello -->"), KNOWN)
    assert value.body == VALUE.body


def test_a_signature_of_another_party_is_refused() -> None:
    assert refusal(write_request(VALUE, OTHER_KEY)).name is DuisFault.BAD_SIGNATURE


def test_a_signature_of_nobody_we_know_is_refused() -> None:
    assert refusal(SIGNED, Signatories({}, AT)).name is DuisFault.BAD_SIGNATURE


def test_a_certificate_that_is_not_yet_valid_is_refused_by_the_time_of_the_bench() -> None:
    early = Signatories(KNOWN.certificates, UtcMs(AT - 1000))
    assert refusal(SIGNED, early).name is DuisFault.BAD_SIGNATURE


def test_a_signature_moved_to_another_document_is_refused() -> None:
    other = request(bodies.ActivateFirmware(bytes(31) + b"\1"), RequestId(SUPPLIER, ESME, 5))
    signature = SIGNED[SIGNED.index(b"<ds:Signature>") : SIGNED.index(b"</sr:Request>")]
    forged = write_request(other).replace(b"</sr:Request>", signature + b"</sr:Request>")
    assert refusal(forged).name is DuisFault.BAD_SIGNATURE


def test_a_signed_response_verifies_under_the_key_of_the_dcc_alone() -> None:
    value = ServiceResponse(
        ResponseHeader(VALUE.request_id, None, "I99", AT), ResponseMessage("11.3", "11.3")
    )
    document = write_response(value, KEY)
    assert read_response(document, KNOWN, SUPPLIER).origin is Origin.VERIFIED
    for signer in (OTHER, None):
        with pytest.raises(DuisError) as caught:
            read_response(document, KNOWN, signer)
        assert caught.value.name is DuisFault.BAD_SIGNATURE
    with pytest.raises(DuisError) as caught:
        read_response(write_response(value), KNOWN, SUPPLIER)
    assert caught.value.name is DuisFault.MISSING_SIGNATURE


def test_a_request_with_an_image_of_the_largest_size_can_be_signed_and_verified() -> None:
    body = bodies.UpdateFirmware(bytes(10_240_000), "1", (ESME,))
    value = request(body, RequestId(SUPPLIER, OTHER, 6))
    assert read_request(write_request(value, KEY), KNOWN).origin is Origin.VERIFIED


def test_a_private_key_is_never_printed() -> None:
    assert str(KEY.private_scalar) not in repr(KEY)
