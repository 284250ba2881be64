"""An own test PKI: authorities, and certificates as GBCS shapes those of parties and devices."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar, Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

# The one way cryptography offers to write a name attribute as BIT STRING.
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from emulator.core.clock import UtcMs, to_datetime
from emulator.core.ids import Eui64
from emulator.crypto.hashes import skid
from emulator.crypto.key_entry import KeyEntry, KeyUsage
from emulator.crypto.key_files import key_pem, pem, write_file
from emulator.crypto.signature import ORDER, point_of, private_key, public_key

#: Gives that many octets of chance.
Draw = Callable[[int], bytes]

ROOT_ROLE: Final = 0x00
ISSUING_ROLE: Final = 0x07
NEVER_ENDS: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
_PARTY_LIFE: Final = timedelta(days=3652)
_AUTHORITY_LIFE: Final = timedelta(days=9131)
_HARDWARE_MODULE_NAME: Final = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
#: 2.999 is the arc for examples: nothing issued here can pass for a live certificate.
_PARTY_POLICY: Final = x509.ObjectIdentifier("2.999.1.1")
_DEVICE_POLICY: Final = x509.ObjectIdentifier("2.999.1.2")
_HARDWARE_TYPE: Final = bytes.fromhex("0603883702")  # 2.999.2


def scalar_from(draw: Draw) -> int:
    """Return a private scalar of P-256, 1 … order - 1, made of 40 drawn octets."""
    return 1 + int.from_bytes(draw(40), "big") % (ORDER - 1)


@dataclass(frozen=True, slots=True)
class Authority:
    """One that issues certificates.

    Attributes:
        name: File-name stem: ``root``, ``issuing``, ``device-issuing``.
        subject: Its name in certificates.
        certificate: DER.
    """

    name: str
    subject: x509.Name
    certificate: bytes
    scalar: int = field(repr=False)

    @property
    def public_point(self) -> bytes:
        """Its P-256 point, 65 octets."""
        return point_of(self.scalar)


class TestPki:
    """A root, an issuing authority for parties and one for devices, and what they issue.

    Same octets of chance, same certificates: keys and serials are drawn, signatures are
    deterministic.

    Attributes:
        root: Issues the authorities.
        issuing: Issues parties' certificates and XML-signing certificates.
        device_issuing: Issues devices' certificates.

    Source:
        Shapes as read in the certificates of the RTDS key store (gbcs.md §4): organisation OU is
        the role, x500UniqueIdentifier is 00 and the EUI-64; a device has an empty subject, a
        critical hardwareModuleName and no end. Policies and hardware type: invented.
        XML-signing certificates: inferred, as organisation certificates with a common name.
    """

    __test__: ClassVar[bool] = False  # pytest takes a class of this name for a test

    def __init__(
        self, draw: Draw, at: UtcMs, root: Authority, issuing: Authority, device_issuing: Authority
    ) -> None:
        self._draw = draw
        self._start = to_datetime(at).replace(microsecond=0)
        self.root = root
        self.issuing = issuing
        self.device_issuing = device_issuing

    @classmethod
    def new(cls, draw: Draw, at: UtcMs) -> Self:
        """Make the authorities.

        Args:
            draw: Source of chance, e.g. ``chance.stream("pki").octets``.
            at: Begin of validity of everything issued, milliseconds of UTC, cut to the second.
        """
        start = to_datetime(at).replace(microsecond=0)
        root = _authority(draw, start, "root", _authority_name(ROOT_ROLE, "smetsbench root"), None)
        parties = _authority_name(ISSUING_ROLE, "smetsbench issuing")
        devices = _authority_name(None, "smetsbench devices")
        issuing = _authority(draw, start, "issuing", parties, root)
        return cls(
            draw, at, root, issuing, _authority(draw, start, "device-issuing", devices, root)
        )

    def authorities(self) -> tuple[Authority, Authority, Authority]:
        """Return root, issuing and device-issuing authority."""
        return self.root, self.issuing, self.device_issuing

    def organisation_entry(
        self,
        eui64: Eui64,
        role: int,
        usage: KeyUsage,
        *,
        prepayment: bool = False,
        common_name: str = "",
    ) -> KeyEntry:
        """Issue one key of a remote party.

        Args:
            eui64: The party.
            role: Remote party role, 0 … 255 (02 supplier, 03 network operator, 04 ACB …).
            usage: Signature, key agreement or XML signing.
            prepayment: Mark the key as the prepayment one.
            common_name: Common name of the subject; none when empty.
        """
        scalar = scalar_from(self._draw)
        subject = _organisation_name(eui64, role, common_name)
        builder = _builder(self._draw, self.issuing.subject, subject, point_of(scalar))
        builder = builder.not_valid_before(self._start)
        builder = builder.not_valid_after(self._start + _PARTY_LIFE)
        builder = _usual_extensions(builder, usage, point_of(scalar))
        der = _finish(builder, _PARTY_POLICY, self.issuing)
        return KeyEntry(eui64, usage, prepayment, point_of(scalar), scalar, der)

    def organisation_entries(self, eui64: Eui64, role: int) -> tuple[KeyEntry, KeyEntry]:
        """Issue a remote party's signing and key-agreement key, in this order."""
        signing = self.organisation_entry(eui64, role, KeyUsage.DS)
        return signing, self.organisation_entry(eui64, role, KeyUsage.KA)

    def xml_signing_entry(self, eui64: Eui64, role: int, common_name: str) -> KeyEntry:
        """Issue the key a DUIS user signs its requests with."""
        return self.organisation_entry(eui64, role, KeyUsage.XML, common_name=common_name)

    def device_entry(self, eui64: Eui64, usage: KeyUsage) -> KeyEntry:
        """Issue one key of a device."""
        scalar = scalar_from(self._draw)
        der = self.device_certificate(eui64, usage, point_of(scalar))
        return KeyEntry(eui64, usage, False, point_of(scalar), scalar, der)

    def device_entries(self, eui64: Eui64) -> tuple[KeyEntry, KeyEntry]:
        """Issue a device's signing and key-agreement key, in this order."""
        return self.device_entry(eui64, KeyUsage.DS), self.device_entry(eui64, KeyUsage.KA)

    def device_certificate(self, eui64: Eui64, usage: KeyUsage, public_point: bytes) -> bytes:
        """Issue a certificate (DER) for a key that a device made itself.

        Raises:
            ValueError: ``public_point`` is no uncompressed point of P-256.
        """
        builder = _builder(self._draw, self.device_issuing.subject, x509.Name([]), public_point)
        builder = builder.not_valid_before(self._start).not_valid_after(NEVER_ENDS)
        builder = _usual_extensions(builder, usage, public_point)
        module = _HARDWARE_TYPE + b"\x04\x08" + eui64.octets
        name = x509.OtherName(_HARDWARE_MODULE_NAME, b"\x30%c%b" % (len(module), module))
        builder = builder.add_extension(x509.SubjectAlternativeName([name]), critical=True)
        return _finish(builder, _DEVICE_POLICY, self.device_issuing)

    def write_authorities(self, path: Path) -> None:
        """Write ``<name>.pem`` and ``<name>.key`` (mode 0600) of every authority."""
        path.mkdir(parents=True, exist_ok=True)
        for authority in self.authorities():
            shown = pem("CERTIFICATE", authority.certificate)
            write_file(path / f"{authority.name}.pem", shown, private=False)
            write_file(path / f"{authority.name}.key", key_pem(authority.scalar), private=True)


def _authority(
    draw: Draw, start: datetime, name: str, subject: x509.Name, issuer: Authority | None
) -> Authority:
    scalar = scalar_from(draw)
    point = point_of(scalar)
    builder = _builder(draw, issuer.subject if issuer else subject, subject, point)
    builder = builder.not_valid_before(start).not_valid_after(start + _AUTHORITY_LIFE)
    constraints = x509.BasicConstraints(ca=True, path_length=1 if issuer is None else 0)
    builder = builder.add_extension(constraints, critical=True)
    builder = builder.add_extension(_key_usage(None), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(skid(point)), critical=False)
    if issuer is not None:
        builder = _with_issuer(builder, issuer)
    return Authority(name, subject, _signed(builder, issuer.scalar if issuer else scalar), scalar)


def _builder(
    draw: Draw, issuer: x509.Name, subject: x509.Name, point: bytes
) -> x509.CertificateBuilder:
    serial = int.from_bytes(draw(16), "big") >> 1 | 1  # positive, never 0
    builder = x509.CertificateBuilder().issuer_name(issuer).subject_name(subject)
    return builder.public_key(public_key(point)).serial_number(serial)


def _usual_extensions(
    builder: x509.CertificateBuilder, usage: KeyUsage, point: bytes
) -> x509.CertificateBuilder:
    builder = builder.add_extension(_key_usage(usage), critical=True)
    return builder.add_extension(x509.SubjectKeyIdentifier(skid(point)), critical=False)


def _finish(
    builder: x509.CertificateBuilder, policy: x509.ObjectIdentifier, issuer: Authority
) -> bytes:
    information = x509.PolicyInformation(policy, None)
    builder = builder.add_extension(x509.CertificatePolicies([information]), critical=True)
    return _signed(_with_issuer(builder, issuer), issuer.scalar)


def _with_issuer(builder: x509.CertificateBuilder, issuer: Authority) -> x509.CertificateBuilder:
    identifier = x509.AuthorityKeyIdentifier(skid(issuer.public_point), None, None)
    return builder.add_extension(identifier, critical=False)


def _signed(builder: x509.CertificateBuilder, scalar: int) -> bytes:
    certificate = builder.sign(private_key(scalar), hashes.SHA256(), ecdsa_deterministic=True)
    return certificate.public_bytes(serialization.Encoding.DER)


def _key_usage(usage: KeyUsage | None) -> x509.KeyUsage:
    """Return the key usage extension; None is an authority."""
    return x509.KeyUsage(
        digital_signature=usage in {KeyUsage.DS, KeyUsage.XML},
        key_agreement=usage is KeyUsage.KA,
        key_cert_sign=usage is None,
        crl_sign=usage is None,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority_name(role: int | None, common_name: str) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if role is not None:
        unit = x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{role:02X}")
        attributes.insert(0, unit)
    return x509.Name(attributes)


def _organisation_name(eui64: Eui64, role: int, common_name: str) -> x509.Name:
    if not 0 <= role <= 0xFF:
        raise ValueError(f"a remote party role is one octet, got {role}")
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    attributes.append(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"{role:02X}"))
    identifier = x509.NameAttribute(
        NameOID.X500_UNIQUE_IDENTIFIER, b"\0" + eui64.octets, _type=_ASN1Type.BitString
    )
    return x509.Name([*attributes, identifier])
