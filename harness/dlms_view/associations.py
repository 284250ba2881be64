"""APDUs that begin and end an association, as lines and named fields."""

from typing import Final

from emulator.codecs.dlms import initiate
from emulator.codecs.dlms.acse import (
    AssociationRequest,
    AssociationResponse,
    Authentication,
    DiagnosticSource,
    Mechanism,
    UserDiagnostic,
)
from emulator.codecs.dlms.acse_release import ReleaseRequest, ReleaseResponse
from emulator.codecs.dlms.apdu_ciphered import CipheredApdu
from emulator.core.errors import MalformedFrameError
from harness.dlms_view.told import Question, Told, value_of
from harness.gbcs_view.field import Field, plain_fields

_SERVICES: Final = {
    0x01: "initiate",
    0x08: "initiate answer",
    0x0E: "service error",
    0xC0: "GET",
    0xC4: "GET answer",
    0xC1: "SET",
    0xC5: "SET answer",
    0xC3: "ACTION",
    0xC7: "ACTION answer",
}


def aarq(value: AssociationRequest, _: Question) -> Told:
    """Tell an AARQ; a low-level secret is not shown."""
    fields: list[Field] = [("application context", str(value.context))]
    if value.title is not None:
        fields.append(("client system title", value.title.hex()))
    fields += _authentication(value.authentication)
    fields += _initiate(value.user_information)
    how = _mechanism(value.authentication)
    return Told(f"AARQ: associate, {how}", fields=tuple(fields), question=value)


def aare(value: AssociationResponse, _: Question) -> Told:
    """Tell an AARE."""
    ok = value.result == 0
    fields: list[Field] = [
        ("result", f"{value.result.value} {value.result.name.lower().replace('_', ' ')}"),
        ("diagnostic", diagnostic_text(value)),
        ("application context", str(value.context)),
    ]
    if value.title is not None:
        fields.append(("server system title", value.title.hex()))
    fields += _authentication(value.authentication)
    fields += _initiate(value.user_information)
    label = "AARE: accepted" if ok else f"AARE: refused, {diagnostic_text(value)}"
    return Told(label, fields=tuple(fields))


def diagnostic_text(value: AssociationResponse) -> str:
    """Return an AARE's diagnostic with its name."""
    number = int(value.diagnostic)
    if value.source is DiagnosticSource.SERVICE_USER and number in set(UserDiagnostic):
        return f"{number} {UserDiagnostic(number).name.lower().replace('_', ' ')}"
    return f"{number} ({value.source.name.lower().replace('_', ' ')})"


def _mechanism(unit: Authentication | None) -> str:
    number = unit.mechanism if unit is not None else 0
    return Mechanism(number).name if number in set(Mechanism) else f"mechanism {number}"


def _authentication(unit: Authentication | None) -> list[Field]:
    if unit is None:
        return []
    rows: list[Field] = [("mechanism", _mechanism(unit))]
    if unit.value is not None:
        hidden = unit.mechanism == Mechanism.LLS
        shown = f"{len(unit.value)} octets, not shown" if hidden else unit.value.hex()
        rows.append(("secret" if hidden else "challenge", shown))
    return rows


def _initiate(octets: bytes | None) -> list[Field]:
    if octets is None:
        return []
    try:
        value = value_of(octets)
    except MalformedFrameError as error:
        return [("user information", f"damaged: {error.why}")]
    if isinstance(value, initiate.InitiateRequest | initiate.InitiateResponse):
        services = " ".join(
            bit.name.lower().replace("_", "-") for bit in value.conformance if bit.name
        )
        return [
            ("services", services),
            ("longest APDU", f"{value.max_pdu_bytes} octets"),
            ("DLMS version", str(value.version)),
        ]
    if isinstance(value, CipheredApdu):
        told = ciphered(value, None)
        return [("user information", [("kind", told.label), *told.fields])]
    return [("user information", plain_fields(value))]


def release(value: ReleaseRequest | ReleaseResponse, _: Question) -> Told:
    """Tell an RLRQ or RLRE."""
    asked = isinstance(value, ReleaseRequest)
    reason = "not said" if value.reason is None else value.reason.name.lower()
    label = "RLRQ: release" if asked else "RLRE: released"
    return Told(label, fields=(("reason", reason),), question=value if asked else None)


def ciphered(value: CipheredApdu, _: Question) -> Told:
    """Tell a protected APDU by what its frame says."""
    service = "APDU" if value.service is None else _SERVICES.get(value.service, "APDU")
    form = value.form.value.replace("_", "-")
    fields: list[Field] = [("form", form)]
    if value.title is not None:
        fields.append(("system title", value.title.hex()))
    fields += [
        ("security control", f"{value.control.octet:02x}"),
        ("invocation counter", str(value.counter)),
        ("protected content", f"{len(value.content)} octets"),
    ]
    label = f"protected {service} ({form}, counter {value.counter})"
    return Told(label, f"protected {service.removesuffix(' answer')}", tuple(fields), value)
