import base64
import copy
import hashlib
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree
from signxml.verifier import SignatureConfiguration, XMLVerifier

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.crypto.key_files import pem
from emulator.crypto.keystore import KeyEntry, KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.document import canonical
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.parties import (
    SIGNERS,
    TEST_PARTIES,
    Directory,
    Role,
    Signer,
    certificate_id,
    parties_in,
)
from harness.formats.migration_files.signing import claim_of, strip, verify, xml_key
from harness.formats.migration_files.words import FileType
from harness.formats.migration_files.xml_input import parse
from tests.harness.formats.migration_files.migration_given import (
    AT,
    OTHER_RP,
    SCHEMA,
    SEED,
    Wanted,
    built,
    checked,
    codes,
    context,
    delivered,
    one,
    resigned,
    store,
)

FILES = list(built())


def by_type(file: BuiltFile) -> str:
    return str(file.file.header.file_type)


def signer_of(file: BuiltFile) -> KeyEntry:
    role = SIGNERS[file.file.header.file_type]
    entry = store().find(TEST_PARTIES[role], KeyUsage.XML)
    assert entry is not None
    return entry


def certificate(file: BuiltFile) -> bytes:
    der = signer_of(file).certificate
    assert der is not None
    return der


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_our_signature_is_ours_and_takes_nothing_else_out_of_the_document(file: BuiltFile) -> None:
    root = parse(file.octets, SCHEMA.namespace)
    unsigned = copy.deepcopy(root)
    assert strip(unsigned)
    signer = verify(root, context().directory)
    assert signer is not None
    assert signer.role is SIGNERS[file.file.header.file_type]
    assert canonical(root) == canonical(unsigned)
    assert not strip(root)


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_signxml_verifies_our_signature(file: BuiltFile) -> None:
    configuration = SignatureConfiguration(
        location="./", verification_time=datetime(2021, 9, 1, tzinfo=UTC)
    )
    found = XMLVerifier().verify(
        file.octets,
        x509_cert=x509.load_der_x509_certificate(certificate(file)),
        expect_config=configuration,
    )
    assert not isinstance(found, list)
    assert found.signed_xml is not None
    assert etree.QName(found.signed_xml).namespace == SCHEMA.namespace


DS = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_the_standard_library_verifies_our_signature(file: BuiltFile) -> None:
    """Nothing of lxml: another parser, another canonicaliser; only ECDSA is the same."""
    text = re.sub(r"<ds:Signature>.*</ds:Signature>", "", file.octets.decode(), flags=re.DOTALL)
    digest = hashlib.sha256(ET.canonicalize(text).encode()).digest()
    signature = ET.fromstring(file.octets).find(f"{DS}Signature")  # noqa: S314 -- our own octets
    assert signature is not None
    info = signature.find(f"{DS}SignedInfo")
    assert info is not None
    claimed = info.findtext(f"{DS}Reference/{DS}DigestValue")
    assert base64.b64encode(digest).decode() == claimed
    match = re.search(r"<ds:SignedInfo>.*</ds:SignedInfo>", file.octets.decode(), flags=re.DOTALL)
    assert match is not None
    bound = match[0].replace("<ds:SignedInfo>", f'<ds:SignedInfo xmlns:ds="{DS[1:-1]}">', 1)
    raw = base64.b64decode(signature.findtext(f"{DS}SignatureValue") or "")
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    key = x509.load_der_x509_certificate(certificate(file)).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    signed = ET.canonicalize(bound).encode()
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


def by_hand(octets: bytes, der: bytes) -> bool:
    """Verify with lxml's canonicaliser and cryptography alone: no line of ours."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    root = etree.fromstring(octets, parser)
    signature = root.find(f"{DS}Signature")
    assert signature is not None
    info = signature.find(f"{DS}SignedInfo")
    assert info is not None
    signed = etree.tostring(info, method="c14n", exclusive=True, with_comments=False)
    raw = base64.b64decode(signature.findtext(f"{DS}SignatureValue") or "")
    before = signature.getprevious()
    assert before is not None
    before.tail = (before.tail or "") + (signature.tail or "")
    root.remove(signature)
    content = etree.tostring(root, method="c14n", exclusive=True, with_comments=False)
    claimed = base64.b64decode(info.findtext(f"{DS}Reference/{DS}DigestValue") or "")
    key = x509.load_der_x509_certificate(der).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return hashlib.sha256(content).digest() == claimed


@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_canonical_form_and_ecdsa_by_hand_agree_with_our_verdict(file: BuiltFile) -> None:
    assert by_hand(file.octets, certificate(file))
    for old, new in (
        (b"2021-W23", b"2021-W24"),
        (b"xml-exc-c14n#", b"xml-exc-c14n "),
        (b"</ds:DigestValue>", b"=</ds:DigestValue>"),
    ):
        changed = file.octets.replace(old, new)
        assert changed != file.octets
        assert not by_hand(changed, certificate(file)), old


XMLSEC1 = shutil.which("xmlsec1")


@pytest.mark.skipif(XMLSEC1 is None, reason="no xmlsec1 on this machine (apt install xmlsec1)")
@pytest.mark.parametrize("file", FILES, ids=by_type)
def test_xmlsec1_verifies_our_signature_and_refuses_a_changed_file(
    file: BuiltFile, tmp_path: Path
) -> None:
    (tmp_path / "signer.pem").write_bytes(pem("CERTIFICATE", certificate(file)))
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(file.octets)
    bad.write_bytes(file.octets.replace(b"2021-W23", b"2021-W24"))
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(tmp_path / "signer.pem")]
    command += ["--enabled-key-data", "x509"]
    kept = subprocess.run([*command, str(good)], capture_output=True, check=False)
    assert kept.returncode == 0, kept.stderr.decode()
    changed = subprocess.run([*command, str(bad)], capture_output=True, check=False)
    assert changed.returncode != 0


def refusal(data: bytes, directory: Directory | None = None) -> str:
    with pytest.raises(MigrationFileError) as caught:
        verify(parse(data, SCHEMA.namespace), directory or context().directory)
    return f"{caught.value.check.code} {caught.value.sub_code}"


MCF = one(FileType.MCF).octets
SIGNATURE = MCF[MCF.index(b"<ds:Signature>") : MCF.index(b"</ds:Signature>") + 15]
VALUE = re.search(rb"<ds:SignatureValue>(.*?)</ds:SignatureValue>", MCF)
assert VALUE is not None
ZERO_VALUE = base64.b64encode(bytes(64))
NOT_CANONICAL = VALUE[1][:-3] + (b"x==" if VALUE[1][-3:-2] != b"x" else b"y==")
BROKEN: dict[str, tuple[bytes, str]] = {
    "none": (MCF.replace(SIGNATURE, b""), "X-SIG-NONE 01"),
    "two": (MCF.replace(SIGNATURE, SIGNATURE * 2), "X-SIG-FORM 03"),
    "not the last element": (
        MCF.replace(SIGNATURE, b"").replace(
            b"</mig:MigrationHeader>", b"</mig:MigrationHeader>" + SIGNATURE
        ),
        "X-SIG-FORM 03",
    ),
    "inside another element": (
        MCF.replace(SIGNATURE, b"").replace(b"</mig:CHFDetail>", SIGNATURE + b"</mig:CHFDetail>"),
        "X-SIG-FORM 03",
    ),
    "another digest algorithm": (
        MCF.replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1"),
        "X-SIG-FORM 01",
    ),
    "inclusive canonical form": (
        MCF.replace(
            b'Method Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"',
            b'Method Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"',
        ),
        "X-SIG-FORM 01",
    ),
    "a part of the document": (MCF.replace(b'URI=""', b'URI="#part"'), "X-SIG-FORM 01"),
    "an attribute more": (MCF.replace(b"<ds:KeyInfo>", b'<ds:KeyInfo Id="k">'), "X-SIG-FORM 01"),
    "a key of its own": (
        MCF.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo><ds:KeyValue/>"),
        "X-SIG-FORM 01",
    ),
    "an object": (MCF.replace(b"</ds:Signature>", b"<ds:Object/></ds:Signature>"), "X-SIG-FORM 01"),
    "text between its elements": (
        MCF.replace(b"<ds:KeyInfo>", b"<ds:KeyInfo>text"),
        "X-SIG-FORM 01",
    ),
    "text behind its elements": (
        MCF.replace(b"</ds:SignedInfo>", b"</ds:SignedInfo>text"),
        "X-SIG-FORM 01",
    ),
    "a serial number with a zero before it": (
        MCF.replace(b"<ds:X509SerialNumber>", b"<ds:X509SerialNumber>0"),
        "X-SIG-FORM 01",
    ),
    "base64 with a line break": (
        MCF.replace(b"<ds:SignatureValue>", b"<ds:SignatureValue>\n"),
        "X-SIG-FORM 02",
    ),
    "base64 whose last bits are not zero": (MCF.replace(VALUE[1], NOT_CANONICAL), "X-SIG-FORM 02"),
    "another certificate": (
        MCF.replace(b"<ds:X509SerialNumber>", b"<ds:X509SerialNumber>1"),
        "X-SIG-UNKNOWN 01",
    ),
    "another issuer": (MCF.replace(b">CN=smets", b">CN=other"), "X-SIG-UNKNOWN 01"),
    "another content": (MCF.replace(b"2021-W23", b"2021-W24"), "X-SIG-BAD 01"),
    "whitespace more": (MCF.replace(b"<mig:GroupID>", b" <mig:GroupID>"), "X-SIG-BAD 01"),
    "another signature value": (MCF.replace(VALUE[1], ZERO_VALUE), "X-SIG-BAD 02"),
}


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_signature_that_is_not_the_agreed_one_is_refused_by_code(name: str) -> None:
    data, code = BROKEN[name]
    assert data != MCF
    assert refusal(data) == code


def test_a_digest_for_another_content_needs_the_key_as_well() -> None:
    other = MCF.replace(b"2021-W23", b"2021-W24")
    root = parse(other, SCHEMA.namespace)
    strip(root)
    digest = base64.b64encode(hashlib.sha256(canonical(root)).digest())
    claim = re.search(rb"<ds:DigestValue>(.*?)</ds:DigestValue>", MCF)
    assert claim is not None
    assert refusal(other.replace(claim[1], digest)) == "X-SIG-BAD 02"


@pytest.mark.parametrize("file", FILES, ids=by_type)
@pytest.mark.parametrize("role", list(TEST_PARTIES))
def test_only_the_role_that_makes_a_file_can_sign_it(file: BuiltFile, role: Role) -> None:
    (row,) = checked(resigned(file, lambda _root: None, role))
    due = SIGNERS[file.file.header.file_type]
    told = "" if row.error is None else f"{row.error.check.code} {row.error.sub_code}"
    assert told == ("" if role is due else "X-SIG-SIGNER 01")


def test_another_requesting_party_cannot_sign_for_this_one() -> None:
    forged = resigned(one(FileType.MCF), lambda _root: None, party=OTHER_RP)
    assert codes(delivered(forged)) == ["X-SIG-SIGNER 02"]
    its_own = built(Wanted(requesting_party=OTHER_RP))
    assert codes(delivered(*its_own)) == [""] * 5


def test_a_certificate_is_judged_at_the_moment_the_file_was_made() -> None:
    day_ms = 86_400_000
    early, late = UtcMs(AT - 1000), UtcMs(AT + 3653 * day_ms)
    assert codes(delivered(one(FileType.MCF, Wanted(at=early)))) == ["X-SIG-CERT 01"]
    assert codes(delivered(one(FileType.MCF, Wanted(at=late)))) == ["X-SIG-CERT 02"]
    last = one(FileType.MCF, Wanted(at=UtcMs(AT + 3652 * day_ms)))
    assert codes(delivered(last)) == ["X-1.3 01"], "in ten years the TMAD has long ceased to apply"
    (row,) = checked(last)
    assert row.error is None, "the certificate is still valid"


def test_an_issuer_that_is_not_believed_is_refused_where_authorities_are_named() -> None:
    pki = TestPki.new(Chance(SEED).stream("keys").octets, AT)
    strange = TestPki.new(Chance(SEED).stream("strange").octets, AT)
    for authority, code in ((pki.issuing, ""), (strange.issuing, "X-SIG-CERT 03")):
        directory = Directory(store(), [authority.certificate])
        at = replace(context(), directory=directory)
        assert codes(delivered(one(FileType.MCF), at=at)) == [code]


def test_keys_without_certificate_sign_and_verify_nothing() -> None:
    bare = KeyStore(replace(entry, certificate=None) for entry in store().entries())
    assert refusal(MCF, Directory(bare)) == "X-SIG-UNKNOWN 01"
    entry = bare.find(TEST_PARTIES[Role.S1SP], KeyUsage.XML)
    assert entry is not None
    assert Signer.of(entry) is None
    assert certificate_id(entry).is_null
    for useless in (entry, signer_of(FILES[0]).public()):
        with pytest.raises(ValueError, match="no private key with its certificate"):
            xml_key(useless)


def test_roles_are_read_out_of_certificates() -> None:
    found = parties_in(store())
    assert {role: found[role] for role in TEST_PARTIES} == dict(TEST_PARTIES)
    assert set(found) == set(Role)


def test_a_claim_is_told_without_being_believed() -> None:
    claim = claim_of(parse(MCF.replace(b"2021-W23", b"2021-W24"), SCHEMA.namespace))
    entry = x509.load_der_x509_certificate(certificate(one(FileType.MCF)))
    assert claim.serial == entry.serial_number
    assert claim.issuer == "CN=smetsbench issuing,OU=07"
