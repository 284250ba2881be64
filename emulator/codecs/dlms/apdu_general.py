"""General-ciphering and general-signing: frames that name both parties and carry any APDU."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.common import Reader, encode_length
from emulator.codecs.dlms.apdu_ciphered import SecurityControl

CIPHERING_TAG: Final = 0xDD
SIGNING_TAG: Final = 0xDF
_CIPHERING_LAYER: Final = "dlms.general_ciphering"
_SIGNING_LAYER: Final = "dlms.general_signing"
_IDENTIFIED: Final = 0
_WRAPPED: Final = 1
_AGREED: Final = 2
_HEAD_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class GeneralHeader:
    """Who protects for whom; each part is an octet string, empty where it says nothing.

    Attributes:
        transaction_id: Ties an answer to its request; the nonce of a static key agreement.
        originator: System title of who protected.
        recipient: System title of who is to check and unwrap.
        date_time: COSEM date-time, 12 octets or none.
        other: Other information.
    """

    transaction_id: bytes
    originator: bytes
    recipient: bytes
    date_time: bytes = b""
    other: bytes = b""

    def encode(self) -> bytes:
        """Return the five parts, each behind its length, as they are sent and authenticated.

        Raises:
            ValueError: A part is longer than 65,535 octets.
        """
        return b"".join(
            octet_string(part)
            for part in (
                self.transaction_id,
                self.originator,
                self.recipient,
                self.date_time,
                self.other,
            )
        )


@dataclass(frozen=True, slots=True)
class IdentifiedKey:
    """The key is one that both hold; ``key_id`` 0: global unicast, 1: global broadcast."""

    key_id: int


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """The key comes along, wrapped; ``kek_id`` 0: under the master key."""

    kek_id: int
    wrapped: bytes


@dataclass(frozen=True, slots=True)
class AgreedKey:
    """The key follows from a key agreement.

    Attributes:
        scheme: 1: one-pass Diffie-Hellman; 2: static unified model.
        data: Scheme 1: ephemeral public key (x, y) and its signature; scheme 2: empty.
    """

    scheme: int
    data: bytes = b""


KeyInfo = IdentifiedKey | WrappedKey | AgreedKey


@dataclass(frozen=True, slots=True)
class GeneralCiphering:
    """A general-ciphering APDU.

    Attributes:
        header: Who protects for whom.
        key_info: Which key; None: one that both know without a word.
        control: Security control.
        counter: Invocation counter, 32 bits.
        content: Ciphertext, or plaintext when not encrypted, and the tag when authenticated.
    """

    header: GeneralHeader
    key_info: KeyInfo | None
    control: SecurityControl
    counter: int
    content: bytes


@dataclass(frozen=True, slots=True)
class GeneralSigning:
    """A general-signing APDU.

    Attributes:
        header: Who signs for whom.
        content: The APDU that is signed.
        signature: ECDSA signature, r then s.
    """

    header: GeneralHeader
    content: bytes
    signature: bytes

    def signed_octets(self) -> bytes:
        """Return what the signature covers: header and content, each part behind its length.

        Source:
            IEC 62056-5-3 general-signing (all fields but tag and signature, lengths included), as
            GBCS uses it: reference gbcs.md section 3; checked on the RTDS messages at hand.
        """
        return self.header.encode() + octet_string(self.content)


def octet_string(octets: bytes) -> bytes:
    """Return ``octets`` behind their length.

    Raises:
        ValueError: They are more than 65,535.
    """
    return encode_length(len(octets)) + octets


def _read_string(reader: Reader) -> bytes:
    return reader.take(reader.length())


def _read_header(reader: Reader) -> GeneralHeader:
    return GeneralHeader(*[_read_string(reader) for _ in range(5)])


def decode_ciphering(data: bytes) -> GeneralCiphering:
    """Decode a general-ciphering APDU, tag 0xDD first.

    Raises:
        MalformedFrameError: Layer ``dlms.general_ciphering``; another tag, a wrong usage flag, an
            unknown choice of key, a scheme of other than one octet, a length that does not fit,
            truncation, trailing octets.

    Source:
        IEC 62056-5-3 General-Ciphering and Key-Info; checked on the example of the DLMS Green Book
        (one-pass key agreement) and on the RTDS 4.5.0 messages at hand (no key information).
    """
    reader = Reader(_CIPHERING_LAYER, data)
    reader.expect(bytes((CIPHERING_TAG,)), "APDU tag")
    header = _read_header(reader)
    key_info = _read_key_info(reader)
    if reader.length() != reader.end - reader.at:
        reader.fail("length is not that of the ciphered content")
    if reader.end - reader.at < _HEAD_BYTES:
        reader.fail("there is no room for security control and invocation counter")
    control, counter = SecurityControl.of(reader.u8()), reader.unsigned(4)
    content = reader.take(reader.end - reader.at)
    return GeneralCiphering(header, key_info, control, counter, content)


def _read_key_info(reader: Reader) -> KeyInfo | None:
    flag = reader.u8()
    if flag > 1:
        reader.fail("usage flag of the key information is neither 00 nor 01", reader.at - 1)
    if not flag:
        return None
    choice = reader.u8()
    if choice == _IDENTIFIED:
        return IdentifiedKey(reader.u8())
    if choice == _WRAPPED:
        return WrappedKey(reader.u8(), _read_string(reader))
    if choice != _AGREED:
        reader.fail(f"key information {choice} is not known", reader.at - 1)
    parameters = _read_string(reader)
    if len(parameters) != 1:
        reader.fail("the key agreement scheme is not one octet")
    return AgreedKey(parameters[0], _read_string(reader))


def encode_ciphering(apdu: GeneralCiphering) -> bytes:
    """Encode a general-ciphering APDU.

    Raises:
        ValueError: A field does not fit its width.
    """
    if not 0 <= apdu.counter < 1 << 32:
        raise ValueError(f"invocation counter {apdu.counter} does not fit 32 bits")
    body = bytes((apdu.control.octet,)) + apdu.counter.to_bytes(4, "big") + apdu.content
    head = bytes((CIPHERING_TAG,)) + apdu.header.encode()
    return head + _key_info_octets(apdu.key_info) + octet_string(body)


def _key_info_octets(key_info: KeyInfo | None) -> bytes:
    if key_info is None:
        return b"\0"
    if isinstance(key_info, IdentifiedKey):
        return bytes((1, _IDENTIFIED, key_info.key_id))
    if isinstance(key_info, WrappedKey):
        return bytes((1, _WRAPPED, key_info.kek_id)) + octet_string(key_info.wrapped)
    return bytes((1, _AGREED, 1, key_info.scheme)) + octet_string(key_info.data)


def decode_signing(data: bytes) -> GeneralSigning:
    """Decode a general-signing APDU, tag 0xDF first.

    Raises:
        MalformedFrameError: Layer ``dlms.general_signing``; another tag, a length that does not
            fit, truncation, trailing octets.

    Source:
        IEC 62056-5-3 General-Signing; checked on the RTDS 4.5.0 messages at hand.
    """
    reader = Reader(_SIGNING_LAYER, data)
    reader.expect(bytes((SIGNING_TAG,)), "APDU tag")
    header = _read_header(reader)
    apdu = GeneralSigning(header, _read_string(reader), _read_string(reader))
    reader.finish()
    return apdu


def encode_signing(apdu: GeneralSigning) -> bytes:
    """Encode a general-signing APDU.

    Raises:
        ValueError: A field is longer than 65,535 octets.
    """
    return bytes((SIGNING_TAG,)) + apdu.signed_octets() + octet_string(apdu.signature)
