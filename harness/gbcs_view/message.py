"""A GBCS message as a tree of named fields, for terminals and reports."""

from collections.abc import Iterable

from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.categories import MessageRow
from emulator.codecs.gbcs.dates import decode_date_time
from emulator.codecs.gbcs.envelope import Envelope, GroupingHeader
from emulator.codecs.gbcs.payload import decode_payload, decode_unknown, kind_of
from emulator.codecs.gbcs.use_cases import MESSAGES
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError
from harness.gbcs_view.field import Field
from harness.gbcs_view.payload import payload_fields

__all__ = ["Field", "fields_of"]


def fields_of(message: bytes) -> list[Field]:
    """Return a message as nested fields: name, and text or further fields.

    A payload that does not decode is shown in hex with the reason beside it, so that a report can
    show a refused message too.

    Raises:
        MalformedFrameError: The envelope does not decode.
    """
    env = envelope.decode(message)
    row = MESSAGES.get(env.header.other.message_code)
    return [
        ("message", _message_name(env, row)),
        ("header", header_fields(env.header)),
        (_payload_name(env, row), _payload(env, row)),
        ("protection", _protection(env)),
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
    fields: list[tuple[str, object]] = [
        ("direction", header.cra.name.lower()),
        ("originator counter", header.counter),
        ("originator", header.originator),
        ("target", header.target),
        ("date-time", _date_time(header.date_time)),
        ("message code", f"0x{other.message_code:04X}"),
        ("supplementary remote party", other.supplementary_party),
        ("supplementary remote party counter", other.supplementary_counter),
        ("supplementary originator counter", other.supplementary_originator_counter),
        ("certificate", other.certificate.hex() if other.certificate else None),
    ]
    return _present(fields)


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


def _payload(env: Envelope, row: MessageRow | None) -> list[Field]:
    cra = env.header.cra
    try:
        value = decode_payload(row, cra, env.payload) if row else decode_unknown(cra, env.payload)
        return payload_fields(value, env.header.other.message_code, cra)
    except MalformedFrameError as error:
        return [("refused", f"{error.layer}: {error.why}"), ("octets", env.payload.hex())]


def _protection(env: Envelope) -> list[Field]:
    if env.signature is None:
        signature = "absent (pre-command)"
    else:
        signature = env.signature.hex() if env.signature else "none"
    return [("signature", signature), ("MAC", env.mac.hex() if env.mac else "none")]
