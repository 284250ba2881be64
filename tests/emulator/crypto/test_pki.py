import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509

from emulator.core.chance import Chance
from emulator.crypto.certificate import read
from emulator.crypto.key_files import pem
from emulator.crypto.keystore import KeyEntry, KeyUsage
from emulator.crypto.pki import TestPki, scalar_from
from emulator.crypto.signature import ORDER, point_of
from tests.emulator.crypto.own_messages import AT, ESME, SUPPLIER

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl binary")


def new_pki(seed: int = 1) -> TestPki:
    return TestPki.new(Chance(seed).stream("pki").octets, AT)


def issued(pki: TestPki) -> list[KeyEntry]:
    return [
        *pki.organisation_entries(SUPPLIER, 2),
        pki.organisation_entry(SUPPLIER, 2, KeyUsage.KA, prepayment=True),
        pki.xml_signing_entry(SUPPLIER, 2, "a supplier"),
        *pki.device_entries(ESME),
    ]


def test_the_same_chance_gives_the_same_certificates_and_another_gives_others() -> None:
    one, again, other = issued(new_pki()), issued(new_pki()), issued(new_pki(2))
    assert one == again
    assert not {entry.certificate for entry in one} & {entry.certificate for entry in other}
    assert len({entry.private_scalar for entry in one}) == len(one)


def test_every_entry_holds_its_key_and_certificate() -> None:
    for entry in issued(new_pki()):
        entry.check()
        fields = read(entry.certificate or b"")
        assert fields.public_point == entry.public_point
        assert fields.eui64 == entry.eui64
        assert fields.usage is (KeyUsage.KA if entry.usage is KeyUsage.KA else KeyUsage.DS)


def test_a_full_x509_reader_sees_the_shape_of_an_organisation_certificate() -> None:
    entry = new_pki().organisation_entry(SUPPLIER, 0x7F, KeyUsage.DS)
    full = x509.load_der_x509_certificate(entry.certificate or b"")
    names = {a.oid.dotted_string: a.value for a in full.subject}
    assert names == {"2.5.4.11": "7F", "2.5.4.45": b"\0" + SUPPLIER.octets}
    usage = full.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.key_agreement
    assert full.serial_number > 0


def test_a_full_x509_reader_sees_the_shape_of_a_device_certificate() -> None:
    entry = new_pki().device_entry(ESME, KeyUsage.KA)
    full = x509.load_der_x509_certificate(entry.certificate or b"")
    assert list(full.subject) == []
    names = full.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.critical
    (name,) = names.value
    assert isinstance(name, x509.OtherName)
    assert name.type_id.dotted_string == "1.3.6.1.5.5.7.8.4"
    assert name.value.endswith(b"\x04\x08" + ESME.octets)
    assert full.not_valid_after_utc.isoformat() == "9999-12-31T23:59:59+00:00"
    assert full.extensions.get_extension_for_class(x509.KeyUsage).value.key_agreement


def test_an_xml_signing_certificate_names_its_holder() -> None:
    entry = new_pki().xml_signing_entry(SUPPLIER, 2, "a supplier")
    full = x509.load_der_x509_certificate(entry.certificate or b"")
    names = full.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    assert [name.value for name in names] == ["a supplier"]
    assert entry.usage is KeyUsage.XML


@pytest.mark.parametrize("role", [-1, 256])
def test_a_role_is_one_octet(role: int) -> None:
    with pytest.raises(ValueError, match="one octet"):
        new_pki().organisation_entry(SUPPLIER, role, KeyUsage.DS)


@pytest.mark.parametrize("drawn", [b"\0", b"\xff", b"\x80"])
def test_a_drawn_scalar_is_always_a_private_key(drawn: bytes) -> None:
    scalar = scalar_from(lambda count: drawn * count)
    assert 0 < scalar < ORDER
    assert len(point_of(scalar)) == 65


def test_no_private_key_shows_in_what_is_printed() -> None:
    pki = new_pki()
    for authority in pki.authorities():
        assert str(authority.scalar) not in repr(authority)
        assert f"{authority.scalar:x}" not in repr(authority)


def test_the_authorities_files_keep_their_private_keys_private(tmp_path: Path) -> None:
    new_pki().write_authorities(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    stems = ("root", "issuing", "device-issuing")
    assert names == {f"{stem}.{suffix}" for stem in stems for suffix in ("pem", "key")}
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("*.key")}
    assert modes == {0o600}


@needs_openssl
def test_openssl_verifies_every_certificate_up_to_the_root(tmp_path: Path) -> None:
    pki = new_pki()
    pki.write_authorities(tmp_path)
    chain = tmp_path / "chain.pem"
    middle = [pem("CERTIFICATE", a.certificate) for a in pki.authorities()[1:]]
    chain.write_bytes(b"".join(middle))
    # A hardwareModuleName and the example policies are unknown to openssl, hence ignore_critical.
    command = ["openssl", "verify", "-ignore_critical", "-attime", str(AT // 1000 + 60)]
    command += ["-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(chain)]
    for entry in issued(pki):
        path = tmp_path / "certificate.pem"
        path.write_bytes(pem("CERTIFICATE", entry.certificate or b""))
        done = subprocess.run([*command, path], check=False, capture_output=True, text=True)
        assert done.stdout.strip().endswith("OK"), done.stderr


@needs_openssl
def test_openssl_prints_what_the_certificate_says(tmp_path: Path) -> None:
    path = tmp_path / "certificate.der"
    path.write_bytes(new_pki().organisation_entry(SUPPLIER, 2, KeyUsage.KA).certificate or b"")
    command = ["openssl", "x509", "-inform", "DER", "-in", str(path), "-noout", "-text"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    text = text.replace("OU=02", "OU = 02")  # as OpenSSL 3.2 and later write it
    for words in ("ecdsa-with-SHA256", "OU = 02", "Key Agreement", "#03090002534200000100"):
        assert words in text
