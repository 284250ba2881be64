"""Does a returned pre-command say what the request asked for: field by field, before signing."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass, replace

from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.asn1 import ActivateFirmware
from emulator.codecs.gbcs.envelope import Cra, Envelope, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs, from_zigbee_seconds, iso
from emulator.core.errors import MalformedFrameError
from harness.formats.duis import bodies, date_time
from harness.formats.duis.requests import ServiceRequest
from harness.formats.duis.transforms.issuer_event import issuer_event_of
from harness.formats.duis.transforms.outcome import Context, Refused
from harness.formats.duis.transforms.transform import transform


class Mismatch(enum.StrEnum):
    """The field in which a pre-command differs from its request."""

    MALFORMED = "malformed"
    NOT_A_COMMAND = "not-a-command"
    PROTECTED = "already-protected"
    USE_CASE = "use-case"
    ORIGINATOR = "originator"
    DEVICE = "device"
    COUNTER = "counter"
    EXTRA_HEADER_FIELD = "extra-header-field"
    PAYLOAD = "payload"
    HASH = "hash"
    PAYLOAD_COUNTER = "payload-counter"
    EXECUTION_TIME = "execution-time"
    ENCODING = "encoding"
    REQUEST = "request"  # it becomes no pre-command at all


@dataclass(frozen=True, slots=True)
class Correlated:
    """The pre-command is the request's; it may be signed.

    Attributes:
        envelope: The decoded pre-command.
    """

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class NotCorrelated:
    """The pre-command must not be signed.

    Attributes:
        field: What differs.
        detail: One sentence.
    """

    field: Mismatch
    detail: str


def correlate(
    request: ServiceRequest,
    pre_command: bytes,
    context: Context | None = None,
    *,
    within_s: int = 0,
) -> Correlated | NotCorrelated:
    """Compare a pre-command with the request it was returned for.

    An 11.3 is read field by field, and nothing of the code that transforms is used. Any other is
    compared with what the supplier makes of its request by the same transforms, octet for octet:
    that finds every alteration on the way, but no error that both sides share.

    Args:
        request: What the supplier asked for.
        pre_command: What the DCC returned.
        context: What the supplier knows of its devices, and the time; an 11.3 needs none.
        within_s: How much earlier than ``context.at`` the DCC may have stamped a gas command.

    Source:
        The duty to correlate: SEC, Pre-Commands [known]; the fields: reference/gbcs.md §3, §9.2.
    """
    try:
        env = envelope.decode(pre_command)
    except MalformedFrameError as error:
        return NotCorrelated(Mismatch.MALFORMED, str(error))
    if context is None or isinstance(request.body, bodies.ActivateFirmware):
        code: int = MessageCode.CS06
        found = _compare_header(request, env, code) or _compare_payload(request, env)
    else:
        found = _compare_made(request, env, context, within_s)
    if found is None and envelope.encode(env) != pre_command:
        found = NotCorrelated(Mismatch.ENCODING, "not the one encoding of these fields")
    return found or Correlated(env)


def _compare_made(
    request: ServiceRequest, env: Envelope, context: Context, within_s: int
) -> NotCorrelated | None:
    """Compare with what our own transform makes, stamped as the pre-command is."""
    stamp = issuer_event_of(env.payload)
    if stamp is not None:
        at = from_zigbee_seconds(stamp)
        if 0 <= context.at - at <= within_s * 1000:
            context = replace(context, at=at)
    made = transform(request, context)
    if isinstance(made, Refused):
        return NotCorrelated(Mismatch.REQUEST, f"{made.reason}: {made.detail}")
    own = envelope.decode(made.octets)
    return _compare_header(request, env, made.code) or _first_difference(
        ((Mismatch.PAYLOAD, env.payload.hex(), own.payload.hex()),)
    )


def _compare_header(request: ServiceRequest, env: Envelope, code: int) -> NotCorrelated | None:
    header, identity = env.header, request.request_id
    return _first_difference(
        (
            (Mismatch.NOT_A_COMMAND, header.cra.name, Cra.COMMAND.name),
            (Mismatch.PROTECTED, (env.signature, env.mac), (None, None)),
            (Mismatch.USE_CASE, f"{header.other.message_code:04X}", f"{code:04X}"),
            (Mismatch.ORIGINATOR, header.originator, identity.originator),
            (Mismatch.DEVICE, header.target, identity.target),
            (Mismatch.COUNTER, header.counter, identity.counter),
            (Mismatch.EXTRA_HEADER_FIELD, header.other, OtherInformation(code)),
            (Mismatch.EXTRA_HEADER_FIELD, header.date_time, b""),
        )
    )


def _compare_payload(request: ServiceRequest, env: Envelope) -> NotCorrelated | None:
    body = request.body
    if not isinstance(body, bodies.ActivateFirmware):
        return NotCorrelated(Mismatch.PAYLOAD, f"the request is a {type(body).__name__}")
    try:
        said = ActivateFirmware.decode(env.payload)
    except MalformedFrameError as error:
        return NotCorrelated(Mismatch.PAYLOAD, str(error))
    cancels = body.execution_time == date_time.CANCEL
    wanted = asn1.CANCEL_TIME if cancels else body.execution_time
    return _first_difference(
        (
            (Mismatch.HASH, said.manufacturer_image_hash.hex(), body.firmware_hash.hex()),
            (Mismatch.PAYLOAD_COUNTER, said.originator_counter, request.request_id.counter),
            (Mismatch.EXECUTION_TIME, _when(said.execution_time), _when(wanted)),
            (Mismatch.ENCODING, env.payload.hex(), said.encode().hex()),
        )
    )


def _when(at: UtcMs | None) -> str:
    return "now" if at is None else iso(at)


def _first_difference(
    facts: Iterable[tuple[Mismatch, object, object]],
) -> NotCorrelated | None:
    for field, found, asked in facts:
        if found != asked:
            return NotCorrelated(field, f"it says {found}, the request asked for {asked}")
    return None
