"""SMETS1 shapes: responses and alerts of S1SPs inside responses of the DSP, and requests."""

import base64
import copy
import hashlib

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from device_profiles.smets1_services import load_smets1_services
from emulator.core.clock import UtcMs
from harness.formats.duis import bodies, s1sp_alert, smets1_bodies, smets1_response
from harness.formats.duis.alerts import S1spAlertPassed
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.credential_alerts import (
    CertificateKind,
    NewCertificate,
    SecurityCredentialsUpdated,
)
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import read_request, request, write_request
from harness.formats.duis.responses import (
    DccAlertMessage,
    ResponseHeader,
    ServiceResponse,
    Smets1ResponseMessage,
    read_response,
    write_response,
)
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.formats.duis.signing import Signatories
from harness.formats.duis.smets1_contents import DeviceAlert, Node, Result, Smets1Status
from harness.formats.duis.smets1_response import Smets1Response
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.harness.parties.s1sp_world import (
    AT,
    DSP,
    EIS,
    ESME,
    GIS,
    PPMID,
    S1SP,
    certificates,
    signing_key,
)

DS = "{http://www.w3.org/2000/09/xmldsig#}"
SIGNATORIES = Signatories(certificates(), AT)
PERIOD = smets1_bodies.LogPeriod(UtcMs(AT - 86_400_000), AT)
REPLACED = smets1_bodies.ReplacementCertificates(b"\x30\x01\x00", b"\x30\x02\x00")
PATH = smets1_bodies.CertificatePath((b"\x30\x03\x00", b"\x30\x04\x00"))
ROLE = smets1_bodies.PartyRole.SUPPLIER
WHITE = smets1_bodies.Whitelisting(3600, bytes(16), "9900000000024")
BODIES: list[RequestBody] = [
    smets1_bodies.UpdatePaymentMode(smets1_bodies.Credit()),
    smets1_bodies.UpdatePaymentMode(smets1_bodies.Prepayment(True, False, -5), AT),
    smets1_bodies.TopUpDevice("01234567890123456789"),
    smets1_bodies.ActivateEmergencyCredit(),
    smets1_bodies.ReadInstantaneousImportRegisters(AT),
    smets1_bodies.ReadInstantaneousExportRegisters(),
    smets1_bodies.ReadActiveImportProfileData(PERIOD, None, b"\x30\x01\x00"),
    smets1_bodies.ReadMeterBalance(),
    smets1_bodies.SynchroniseClock(AT),
    smets1_bodies.CommissionDevice(AT, 60),
    smets1_bodies.ReadEventOrSecurityLog(PERIOD, smets1_bodies.LogName.SECURITY),
    smets1_bodies.RequestHandover(ROLE, REPLACED, PATH, 0, 0),
    smets1_bodies.UpdateCredentialsKrp(ROLE, smets1_bodies.KrpCertificates(REPLACED), PATH),
    smets1_bodies.UpdateCredentialsCos("9900000000024", REPLACED, PATH),
    smets1_bodies.EnableSupply(),
    smets1_bodies.DisableSupply(),
    smets1_bodies.ArmSupply(),
    smets1_bodies.ReadSupplyStatus(),
    smets1_bodies.JoinNonCritical(PPMID),
    smets1_bodies.ReadDeviceLog(),
    smets1_bodies.ReadDeviceLog(smets1_bodies.ReadSecurityDetails(), AT),
    smets1_bodies.UpdateHanDeviceLog(PPMID, smets1_bodies.LogChange.ADD, WHITE),
    smets1_bodies.UpdateHanDeviceLog(PPMID, smets1_bodies.LogChange.REMOVE),
]


def names(body: RequestBody) -> str:
    return type(body).__name__


@pytest.mark.parametrize("body", BODIES, ids=names)
def test_a_smets1_request_is_read_back_as_it_was_written(body: RequestBody) -> None:
    value = request(body, RequestId(EIS, ESME, 7))
    assert read_request(write_request(value)) == value


@needs_duis
@pytest.mark.parametrize("body", BODIES, ids=names)
def test_a_smets1_request_is_valid_against_the_schema(body: RequestBody) -> None:
    assert is_valid(write_request(request(body, RequestId(EIS, ESME, 7)), signing_key(EIS)))


def test_the_table_of_services_and_the_bodies_agree() -> None:
    rows = load_smets1_services()
    own = {"2.2", "11.1"}  # critical on SMETS1 alone, as their rows say
    for made, (services, variants) in bodies.SERVICES.items():
        if made is bodies.SignedPreCommand:
            continue
        for service in set(services) & set(rows):
            row = rows[service]
            assert row.reference == bodies.ServiceReference(service).reference
            assert row.critical == (4 in variants or service in own), service


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b">01234567890123456789<", b">0123456789012345678<", DuisFault.BAD_LENGTH),
        (b">01234567890123456789<", b">0123456789012345678x<", DuisFault.BAD_LENGTH),
        (b"Variant>2.2<", b"Variant>2.5<", DuisFault.WRONG_SERVICE_REFERENCE),
        (b"Reference>2.2<", b"Reference>2.1<", DuisFault.UNSUPPORTED_SERVICE),
        (b"CommandVariant>1<", b"CommandVariant>4<", DuisFault.WRONG_COMMAND_VARIANT),
    ],
)
def test_a_wrong_top_up_request_is_refused_by_name(
    old: bytes, new: bytes, fault: DuisFault
) -> None:
    body = smets1_bodies.TopUpDevice("01234567890123456789")
    spoilt = write_request(request(body, RequestId(EIS, ESME, 7))).replace(old, new)
    with pytest.raises(DuisError) as caught:
        read_request(spoilt)
    assert caught.value.name is fault


# --- responses and alerts ------------------------------------------------------------------------

RESULT = Smets1Response(
    ESME,
    DSP,
    9,
    Result(
        "ReadMeterBalanceRsp",
        success=True,
        values=(Node("MeterBalance", "-12"),),
        statuses=(Smets1Status(0, "done & <checked>", 1),),
    ),
    "4.18",
    "4.18",
    EIS,
    44,
    AT,
)
DEVICE_ALERT = Smets1Response(
    ESME, EIS, 0, DeviceAlert(0x8F72, "image verified", AT, bytes(range(32)))
)
ALERT = S1spAlert(
    "X-TEST", AT, RequestId(EIS, ESME, 3), ESME, "two < three", "12345678901234567890"
)
HEADER = ResponseHeader(RequestId(EIS, ESME, 44), RequestId(ESME, EIS, 9), "I0", AT)


def passed(value: Smets1Response) -> bytes:
    signed = smets1_response.write_signed(value, signing_key(S1SP))
    body = Smets1ResponseMessage(value.service, value.variant, signed)
    return write_response(ServiceResponse(HEADER, body), signing_key(DSP))


def alerted() -> bytes:
    signed = s1sp_alert.write_alert(ALERT, signing_key(S1SP))
    body = DccAlertMessage("N55", S1spAlertPassed(signed, 5))
    header = ResponseHeader(None, RequestId(DSP, EIS, 1), "I0", AT)
    return write_response(ServiceResponse(header, body), signing_key(DSP))


def credentials() -> bytes:
    rows = (NewCertificate(CertificateKind.SIGNING, bytes(20)),)
    body = DccAlertMessage("N42", SecurityCredentialsUpdated(ESME, ROLE, rows))
    return write_response(ServiceResponse(HEADER, body), signing_key(DSP))


@needs_duis
@pytest.mark.parametrize(
    "document",
    [passed(RESULT), passed(DEVICE_ALERT), alerted(), credentials()],
    ids=["response", "device alert", "S1SP alert", "credentials"],
)
def test_what_is_passed_on_is_valid_against_the_schema(document: bytes) -> None:
    assert is_valid(document)


@needs_duis
def test_an_s1sps_own_documents_are_valid_by_themselves() -> None:
    assert is_valid(smets1_response.write_signed(RESULT, signing_key(S1SP)))
    assert is_valid(s1sp_alert.write_alert(ALERT, signing_key(S1SP)))


@pytest.mark.parametrize("value", [RESULT, DEVICE_ALERT], ids=["response", "device alert"])
def test_both_signatures_hold_after_the_s1sps_answer_was_passed_on(value: Smets1Response) -> None:
    body = read_response(passed(value), SIGNATORIES, DSP).body
    assert isinstance(body, Smets1ResponseMessage)
    assert smets1_response.read_signed(body.signed, SIGNATORIES, S1SP) == value


def test_an_image_hash_that_is_no_hex_is_named() -> None:
    signed = smets1_response.write_signed(DEVICE_ALERT, signing_key(S1SP))
    broken = signed.replace(bytes(range(4)).hex().encode(), b"0001zz03")
    with pytest.raises(DuisError) as raised:
        smets1_response.read_signed(broken)
    assert raised.value.name is DuisFault.BAD_HEX


def test_both_signatures_hold_after_an_alert_was_passed_on() -> None:
    body = read_response(alerted(), SIGNATORIES, DSP).body
    assert isinstance(body, DccAlertMessage)
    assert isinstance(body.alert, S1spAlertPassed)
    assert s1sp_alert.read_alert(body.alert.alert, SIGNATORIES, S1SP) == ALERT


def test_a_utrn_never_shows_in_a_repr() -> None:
    assert "12345678901234567890" not in repr(ALERT)
    assert "12345678901234567890" not in repr(smets1_bodies.TopUpDevice("12345678901234567890"))


@pytest.mark.parametrize(
    ("old", "new"),
    [(b">-12<", b">12<"), (b">9<", b">8<"), (b"checked", b"chequed"), (b">4.18<", b">4.19<")],
)
def test_an_answer_that_was_changed_on_its_way_is_not_believed(old: bytes, new: bytes) -> None:
    signed = smets1_response.write_signed(RESULT, signing_key(S1SP))
    with pytest.raises(DuisError) as caught:
        smets1_response.read_signed(signed.replace(old, new), SIGNATORIES, S1SP)
    assert caught.value.name in {DuisFault.BAD_SIGNATURE, DuisFault.MISSING_SIGNATURE}


def test_an_answer_signed_by_another_or_by_nobody_is_not_believed() -> None:
    other = smets1_response.write_signed(RESULT, signing_key(GIS))
    with pytest.raises(DuisError) as caught:
        smets1_response.read_signed(other, SIGNATORIES, S1SP)
    assert caught.value.name is DuisFault.BAD_SIGNATURE
    root = etree.fromstring(smets1_response.write_signed(RESULT, signing_key(S1SP)))
    root.remove(root.find(f"{DS}Signature"))  # type: ignore[arg-type]  # it is there
    with pytest.raises(DuisError) as caught:
        smets1_response.read_signed(etree.tostring(root), SIGNATORIES, S1SP)
    assert caught.value.name is DuisFault.MISSING_SIGNATURE


def test_the_inner_signature_does_not_stand_in_for_the_outer_one() -> None:
    root = etree.fromstring(passed(RESULT))
    root.remove(root.findall(f"{DS}Signature")[-1])
    with pytest.raises(DuisError) as caught:
        read_response(etree.tostring(root), SIGNATORIES, DSP)
    assert caught.value.name is DuisFault.MISSING_SIGNATURE


def by_hand(document: bytes, certificate: bytes) -> None:
    """Verify an enveloped signature with nothing but canonical XML, SHA-256 and ECDSA.

    Raises:
        InvalidSignature: The signature, or the digest, does not hold.
    """
    root = etree.fromstring(document)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    info = signature.find(f"{DS}SignedInfo")
    assert info is not None
    signed = etree.tostring(copy.deepcopy(info), method="c14n", exclusive=True)
    value = base64.b64decode(signature.findtext(f"{DS}SignatureValue") or "")
    named = info.findtext(f"{DS}Reference/{DS}DigestValue")
    root.remove(signature)
    plain = etree.tostring(root, method="c14n", exclusive=True)
    if base64.b64encode(hashlib.sha256(plain).digest()).decode() != named:
        raise InvalidSignature
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    numbers = int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big")
    key.verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))


def test_the_signatures_hold_for_an_implementation_of_their_own() -> None:
    signed = smets1_response.write_signed(RESULT, signing_key(S1SP))
    by_hand(signed, certificates()[S1SP])
    by_hand(s1sp_alert.write_alert(ALERT, signing_key(S1SP)), certificates()[S1SP])
    by_hand(passed(RESULT), certificates()[DSP])
    with pytest.raises(InvalidSignature):
        by_hand(signed, certificates()[EIS])
    with pytest.raises(InvalidSignature):
        by_hand(signed.replace(b">-12<", b">-13<"), certificates()[S1SP])
