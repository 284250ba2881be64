"""A GBCS message as a tree of named fields, for terminals and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.blocks import encrypted_blocks
from emulator.codecs.gbcs.categories import MessageRow
from emulator.codecs.gbcs.dates import decode_date_time
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader
from emulator.codecs.gbcs.payload import PayloadValue, decode_payload, decode_unknown, kind_of
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.crypto.protection import KeyRing
from harness.gbcs_view.certificates import block_keys, certificate_fields, keys_used
from harness.gbcs_view.field import Field
from harness.gbcs_view.payload import decrypted_fields, payload_fields

__all__ = ["Field", "Reader", "fields_of"]


@dataclass(frozen=True, slots=True)
class Reader:
    """What whoever reads a message has beside it.

    Attributes:
        ring: Keys to open encrypted blocks with, and to name; None without keys.
        acb: The Access Control Broker, whose key makes the MAC of commands.
        command: The command that a response answers.
    """

    ring: KeyRing | None = field(default=None, repr=False)
    acb: Eui64 | None = None
    command: bytes | None = None


def fields_of(message: bytes, reader: Reader | None = None) -> list[Field]:
    """Return a message as nested fields: name, and text or further fields.

    A payload that does not decode is shown in hex with the reason beside it, so that a report can
    show a refused message too.

    Args:
        message: The whole message.
        reader: Keys and the command that it answers, where they are at hand.

    Raises:
        MalformedFrameError: The envelope does not decode.
    """
    reader = reader or Reader()
    env = envelope.decode(message)
    row = MESSAGES.get(env.header.other.message_code)
    return [
        ("message", _message_name(env, row)),
        ("header", header_fields(env.header)),
        (_payload_name(env, row), _payload(env, row, reader)),
        ("protection", _protection(env, row, reader)),
    ]


def _message_name(env: Envelope, row: MessageRow | None) -> str:
    kind = env.header.cra.name.lower()
    if env.signature is None:
        kind = "pre-command"
    code = f"0x{env.header.other.message_code:04X}"
    if row is None:
        return f"{code} (unknown) {kind}"
    named = row.use_case if row.use_case.endswith(kind) else f"{row.use_case} {kind}"
    return f"{code} {named}: {row.title}"


def header_fields(header: GroupingHeader) -> list[Field]:
    """Return a grouping header as fields."""
    other = header.other
    plain: list[tuple[str, object]] = [
        ("direction", header.cra.name.lower()),
        ("originator counter", header.counter),
        ("originator", header.originator),
        ("target", header.target),
        ("date-time", _date_time(header.date_time)),
        ("message code", f"0x{other.message_code:04X}"),
        ("supplementary remote party", other.supplementary_party),
        ("supplementary remote party counter", other.supplementary_counter),
        ("supplementary originator counter", other.supplementary_originator_counter),
    ]
    fields = _present(plain)
    if other.certificate is not None:
        fields.append(("certificate", certificate_fields(other.certificate)))
    return fields


def _present(fields: Iterable[tuple[str, object]]) -> list[Field]:
    return [(name, str(value)) for name, value in fields if value is not None]


def _date_time(octets: bytes) -> str | None:
    if not octets:
        return None
    try:
        at, status = decode_date_time(octets)
    except MalformedFrameError:
        return octets.hex()
    return f"{iso(at)}, clock status {status:02X}"


def _payload_name(env: Envelope, row: MessageRow | None) -> str:
    kind = f"{kind_of(row, env.payload)}, " if row else ""
    return f"payload ({kind}{len(env.payload)} octets)"


def _payload(env: Envelope, row: MessageRow | None, reader: Reader) -> list[Field]:
    try:
        value = _value(env, row)
        asked = _asked(env, reader.command)
        fields = payload_fields(value, env.header.other.message_code, env.header.cra, asked)
        if reader.ring is not None:
            fields += decrypted_fields(value, env, reader.ring)
    except MalformedFrameError as error:
        return [("refused", f"{error.layer}: {error.why}"), ("octets", env.payload.hex())]
    return fields


def _value(env: Envelope, row: MessageRow | None) -> PayloadValue:
    cra = env.header.cra
    return decode_payload(row, cra, env.payload) if row else decode_unknown(cra, env.payload)


def _asked(env: Envelope, command: bytes | None) -> PayloadValue | None:
    """Return the payload of the command that a response answers; None where it is another's."""
    if command is None or env.header.cra is not Cra.RESPONSE:
        return None
    asked = envelope.decode(command)
    same = asked.header.other.message_code == env.header.other.message_code
    if not same or asked.header.cra is not Cra.COMMAND:
        return None
    return _value(asked, MESSAGES.get(asked.header.other.message_code))


def _protection(env: Envelope, row: MessageRow | None, reader: Reader) -> list[Field]:
    if env.signature is None:
        signature = "absent (pre-command)"
    else:
        signature = env.signature.hex() if env.signature else "none"
    fields: list[Field] = [
        ("signature", signature),
        ("MAC", env.mac.hex() if env.mac else "none"),
    ]
    if reader.ring is not None and reader.acb is not None and row is not None:
        fields += keys_used(env, row, reader.ring, reader.acb)
        if _is_sealed(env, row):
            fields += block_keys(env, reader.ring)
    return fields


def _is_sealed(env: Envelope, row: MessageRow) -> bool:
    try:
        return bool(encrypted_blocks(_value(env, row)))
    except MalformedFrameError:
        return False
