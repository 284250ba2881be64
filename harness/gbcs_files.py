"""GBCS messages in files: reads them as octets, hex, base64 or DUIS XML, and verifies them."""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.envelope import Envelope
from emulator.codecs.gbcs.named_payload import named_payload
from emulator.codecs.gbcs.payload import (
    PayloadValue,
    decode_payload,
    decode_unknown,
    encode_payload,
)
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.errors import KeyNotHeldError, MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto import certificate
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import (
    Accepted,
    KeyRing,
    Refusal,
    Refused,
    Unauthenticated,
    decrypt_block,
    open_message,
)
from harness import files, gbcs_blocks
from harness.errors import HarnessError, UsageError
from harness.formats.duis import xml_input
from harness.formats.duis.faults import naming
from harness.gbcs_view.field import Field
from harness.gbcs_view.message import fields_of
from harness.report import pcapng

__all__ = [
    "Failure",
    "Field",
    "Found",
    "NotAMessageError",
    "Tally",
    "acb_of",
    "fields_of",
    "message_files",
    "read_file",
    "read_messages",
    "verify",
]

#: What a folder is searched for; case does not matter.
SUFFIXES: Final = frozenset({".hex", ".b64", ".base64", ".xml", ".pcapng"})
#: No file of messages is longer: an image request of the DUIS limit, in hex.
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
_SPACE: Final = re.compile(rb"\s+")
_HEX: Final = re.compile(rb"(?:[0-9A-Fa-f]{2})+")
#: Octets as other tools print them: ``0x`` in front, or a colon between two.
_PRINTED: Final = re.compile(rb"(?:0[xX])?[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2})*")
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
#: A mistyped name is often base64 of something; a message begins with one of these.
_FIRST_OCTETS: Final = (b"\xdd", b"\xdf")
#: First octets of a pcapng file.
_CAPTURE: Final = b"\x0a\x0d\x0d\x0a"
_ACB_ROLE: Final = 0x04


class NotAMessageError(UsageError):
    """What was given holds no GBCS message in any form known here."""


@dataclass(frozen=True, slots=True)
class Found:
    """One message and where it was found.

    Attributes:
        source: File name, ``-`` or ``argument``; with ``#n`` for the n-th of several.
        octets: The message.
    """

    source: str
    octets: bytes


def message_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files named, and the message files below the folders named, in a fixed order.

    Raises:
        UsageError: A path does not exist, or a folder holds no such file.
    """
    found: list[Path] = []
    for path in paths:
        if path.exists() and not path.is_dir():
            found.append(path)
            continue
        below = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        if not below:
            known = ", ".join(sorted(SUFFIXES))
            raise UsageError(
                "no GBCS messages there" if path.exists() else "no such file or folder",
                where=str(path),
                cause=f"a folder is searched for files ending in {known}",
                next_command="smetsbench gbcs verify --help",
            )
        found += below
    return found


def read_file(path: Path) -> list[Found]:
    """Read the messages of one file: octets, text, or a capture of a run (those on the SM WAN).

    Raises:
        UsageError: The file cannot be read, or is longer than 16 MiB (captures have no limit).
        NotAMessageError: It is neither a message nor hex nor base64 nor XML nor a capture.
        DuisError: It is XML that is refused.
    """
    if files.read_octets(path, len(_CAPTURE) - 1) == _CAPTURE:
        return _read_capture(path)
    return read_messages(files.read_octets(path, MAX_FILE_BYTES), str(path))


def read_messages(data: bytes, source: str) -> list[Found]:
    """Read messages: octets as they are, hex, base64 (both with any white space) or DUIS XML.

    Blocks of general block transfer, one after another, are put together to their messages.

    XML yields every GBCSPayload element in it, which may be none.

    Raises:
        NotAMessageError: ``data`` is neither; says why.
        DuisError: XML with a DTD, an entity, over the limits, or not well-formed.
    """
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(
            f"longer than {MAX_FILE_BYTES} octets",
            where=source,
            cause="another kind of file: no file of messages comes near",
            next_command="smetsbench gbcs decode --help",
        )
    text = _plain(data).strip()
    if text.startswith(b"<"):
        return _read_xml(data, source)
    octets = data if data[:1] in _FIRST_OCTETS or gbt.is_block(data) else _octets(text, source)
    if not gbt.is_block(octets):
        return [Found(source, octets)]
    whole = _put_together(octets, source)
    names = [source] if len(whole) == 1 else [f"{source}#{n}" for n in range(1, len(whole) + 1)]
    return [Found(name, one) for name, one in zip(names, whole, strict=True)]


def _plain(data: bytes) -> bytes:
    """Return text without its byte order mark, and in one octet a character."""
    if data.startswith(_UTF_16):
        return data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def _put_together(octets: bytes, source: str) -> list[bytes]:
    """Return the messages of blocks that stand one after another (GBT)."""
    try:
        return gbcs_blocks.messages_of(gbt.decode_all(octets))
    except MalformedFrameError as error:
        raise NotAMessageError(
            f"no whole message: {error.why}",
            where=source,
            cause="a block of the transfer (GBT) is missing or damaged",
            next_command="smetsbench gbcs decode FILE  (with all blocks of the message)",
        ) from error


def _read_capture(path: Path) -> list[Found]:
    messages = [seen.frame for seen in pcapng.read(path) if seen.link.startswith("wan")]
    whole = gbcs_blocks.whole_messages(messages)
    return [Found(f"{path}#{n}", octets) for n, octets in enumerate(whole, 1)]


def _read_xml(data: bytes, source: str) -> list[Found]:
    with naming(source):
        root = xml_input.parse(data)
    texts = [element.text or "" for element in root.iter("{*}GBCSPayload")]
    names = [source] if len(texts) == 1 else [f"{source}#{n}" for n in range(1, len(texts) + 1)]
    return [
        Found(name, _octets(text.encode("utf-8"), name))
        for name, text in zip(names, texts, strict=True)
    ]


def _octets(text: bytes, source: str) -> bytes:
    compact = _SPACE.sub(b"", text)
    if _PRINTED.fullmatch(compact):
        compact = compact[2 if compact[1:2] in {b"x", b"X"} else 0 :].replace(b":", b"")
    if _HEX.fullmatch(compact):
        return bytes.fromhex(compact.decode("ascii"))
    try:
        octets = base64.b64decode(compact, validate=True)
    except binascii.Error:
        octets = b""
    if octets[:1] in _FIRST_OCTETS:
        return octets
    raise NotAMessageError(
        "neither hex nor base64" if compact else "nothing is there",
        where=source,
        cause=_cause(compact),
        next_command="smetsbench gbcs decode FILE, or paste the hex as the argument",
    )


def _cause(compact: bytes) -> str:
    digits = sum(c in b"0123456789abcdefABCDEF" for c in compact)
    if compact and digits == len(compact):
        return f"{digits} hex digits: an odd number, so one is missing or too many"
    if compact and digits > len(compact) * 3 // 4:
        bad = next(c for c in compact if c not in b"0123456789abcdefABCDEF")
        return f"hex with a character that is no digit: {chr(bad)!r}"
    return "a mistyped file name, or another kind of file"


def acb_of(keystore: KeyStore) -> Eui64:
    """Return the Access Control Broker of a key store: the one party whose certificate says so.

    Raises:
        UsageError: No certificate in it says so, or those of several parties.
    """
    found = set()
    for entry in keystore.entries():
        if entry.certificate is None:
            continue
        try:
            read = certificate.read(entry.certificate)
        except MalformedFrameError:
            continue  # an odd certificate of another party is no reason to refuse the key store
        if read.role == _ACB_ROLE:
            found.add(entry.eui64)
    if len(found) != 1:
        raise UsageError(
            f"the key store names {len(found)} Access Control Brokers",
            where="--keystore",
            cause="it is told by the role (OU) 04 in a certificate",
            next_command="smetsbench gbcs verify PATH --keystore KEYS --acb EUI64",
        )
    return found.pop()


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a message, or a file, did not pass.

    Attributes:
        file: Where it was found.
        layer: What refused it: a codec's dotted name, ``file``, ``protection.<reason>``,
            ``reencoding`` or ``encryption``.
        why: One sentence.
    """

    file: str
    layer: str
    why: str


@dataclass(slots=True)
class Tally:
    """What a verification came to; the fields are the keys of the JSON, in order.

    Attributes:
        messages: Messages found, unreadable files included.
        parsed: Those whose envelope decodes.
        reencoded_identical: Those that come out of their decoded values octet for octet.
        signatures_present: Messages with a signature.
        signatures_valid: Signatures that verify.
        macs_present: Messages with a MAC.
        macs_valid: MACs that verify.
        macs_unverifiable: MACs for which no key is held.
        encrypted_blocks: Encrypted blocks in payloads.
        decrypted: Those that decrypt.
        payload_typed: Messages whose payload decodes to named, typed fields.
        failures: What was refused, in order.
    """

    messages: int = 0
    parsed: int = 0
    reencoded_identical: int = 0
    signatures_present: int = 0
    signatures_valid: int = 0
    macs_present: int = 0
    macs_valid: int = 0
    macs_unverifiable: int = 0
    encrypted_blocks: int = 0
    decrypted: int = 0
    payload_typed: int = 0
    failures: list[Failure] = field(default_factory=list)


def verify(
    files: Sequence[Path],
    ring: KeyRing,
    acb: Eui64,
    *,
    step: Callable[[int], None] = lambda _files: None,
) -> Tally:
    """Decode, re-encode and check every message of ``files``.

    Args:
        files: Files to read, see ``message_files``.
        ring: Keys to check and decrypt with.
        acb: Access Control Broker, whose key makes the MACs of commands.
        step: Told 1 after every file.
    """
    tally = Tally()
    for path in files:
        for found in _readable(path, tally):
            tally.messages += 1
            _verify(found, ring, acb, tally)
        step(1)
    return tally


def _readable(path: Path, tally: Tally) -> Iterator[Found]:
    try:
        yield from read_file(path)
    except HarnessError as error:
        tally.messages += 1
        tally.failures.append(Failure(error.where or str(path), "file", error.what))


def _verify(found: Found, ring: KeyRing, acb: Eui64, tally: Tally) -> None:
    def refuse(layer: str, why: str) -> None:
        tally.failures.append(Failure(found.source, layer, why))

    try:
        opened = open_message(found.octets, ring, acb=acb)
        env = opened.envelope or envelope.decode(found.octets)
    except MalformedFrameError as error:
        refuse(error.layer, error.why)
        return
    tally.parsed += 1
    tally.signatures_present += bool(env.signature)
    tally.macs_present += env.mac is not None
    _judge(opened, env, tally, refuse)
    try:
        value = _value(env)
        named_payload(value, env.header.other.message_code, env.header.cra)
    except MalformedFrameError as error:
        refuse(error.layer, error.why)
        return
    tally.payload_typed += 1
    if envelope.encode(replace(env, payload=encode_payload(value))) == found.octets:
        tally.reencoded_identical += 1
    else:
        refuse("reencoding", "the decoded values do not encode to the same octets")
    _decrypt(value, env, ring, tally, refuse)


_Refuse = Callable[[str, str], None]


def _value(env: Envelope) -> PayloadValue:
    row = MESSAGES.get(env.header.other.message_code)
    cra = env.header.cra
    return decode_payload(row, cra, env.payload) if row else decode_unknown(cra, env.payload)


def _judge(
    opened: Accepted | Unauthenticated | Refused, env: Envelope, tally: Tally, refuse: _Refuse
) -> None:
    """Count what ``open_message`` found; a signature is checked before a MAC is."""
    signed, maced = bool(env.signature), env.mac is not None
    if isinstance(opened, Accepted):
        tally.signatures_valid += signed
        tally.macs_valid += maced
    elif isinstance(opened, Unauthenticated) or opened.reason is Refusal.NO_MAC_KEY:
        tally.signatures_valid += signed
        tally.macs_unverifiable += maced
    else:
        tally.signatures_valid += signed and opened.reason is Refusal.BAD_MAC
        refuse(f"protection.{opened.reason}", opened.detail)


def _decrypt(
    value: PayloadValue, env: Envelope, ring: KeyRing, tally: Tally, refuse: _Refuse
) -> None:
    try:
        blocks = encrypted_blocks(value)
    except MalformedFrameError as error:
        refuse(error.layer, error.why)
        return
    tally.encrypted_blocks += len(blocks)
    for block in blocks:
        try:
            plaintext = decrypt_block(block, env.header, ring)
        except KeyNotHeldError:
            continue  # like a MAC without a key: not checkable, and so no failure
        if plaintext is None:
            refuse("encryption", "an encrypted block does not decrypt: its tag is wrong")
        else:
            tally.decrypted += 1
