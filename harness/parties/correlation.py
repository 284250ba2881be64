"""Does a returned pre-command say what the request asked for: field by field, before signing."""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from emulator.codecs.gbcs import asn1, envelope
from emulator.codecs.gbcs.asn1 import ActivateFirmware
from emulator.codecs.gbcs.envelope import Cra, Envelope, OtherInformation
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs, iso
from emulator.core.errors import MalformedFrameError
from harness.formats.duis import bodies, date_time
from harness.formats.duis.requests import ServiceRequest


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


def correlate(request: ServiceRequest, pre_command: bytes) -> Correlated | NotCorrelated:
    """Compare a pre-command with the 11.3 request it was returned for.

    Nothing of the code that transforms is used here: the supplier reads what it gets.

    Args:
        request: What the supplier asked for.
        pre_command: What the DCC returned.

    Source:
        The duty to correlate: SEC, Pre-Commands [known]; the fields: reference/gbcs.md §3, §9.2.
    """
    try:
        env = envelope.decode(pre_command)
    except MalformedFrameError as error:
        return NotCorrelated(Mismatch.MALFORMED, str(error))
    found = _compare_header(request, env) or _compare_payload(request, env)
    if found is None and envelope.encode(env) != pre_command:
        found = NotCorrelated(Mismatch.ENCODING, "not the one encoding of these fields")
    return found or Correlated(env)


def _compare_header(request: ServiceRequest, env: Envelope) -> NotCorrelated | None:
    header, identity = env.header, request.request_id
    return _first_difference(
        (
            (Mismatch.NOT_A_COMMAND, header.cra.name, Cra.COMMAND.name),
            (Mismatch.PROTECTED, (env.signature, env.mac), (None, None)),
            (Mismatch.USE_CASE, f"{header.other.message_code:04X}", f"{MessageCode.CS06:04X}"),
            (Mismatch.ORIGINATOR, header.originator, identity.originator),
            (Mismatch.DEVICE, header.target, identity.target),
            (Mismatch.COUNTER, header.counter, identity.counter),
            (Mismatch.EXTRA_HEADER_FIELD, header.other, OtherInformation(MessageCode.CS06)),
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
