"""The entry: a service request and what is known of its devices, to a pre-command."""

from collections.abc import Mapping
from typing import Any

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from harness.formats.duis import shape
from harness.formats.duis.dcc_bodies import OtherBody
from harness.formats.duis.faults import DuisError
from harness.formats.duis.requests import ServiceRequest, read_request
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.transforms.declared import shape_of
from harness.formats.duis.transforms.outcome import (
    Context,
    PreCommand,
    Refusal,
    Refused,
    TransformError,
)
from harness.formats.duis.transforms.payloads import Asked, Payload
from harness.formats.duis.transforms.table import RULES, Rule
from harness.formats.duis.transforms.tariff_bodies import (
    ElectricityTariff,
    GasTariff,
    PrimaryPrices,
    UpdateTariff,
)
from harness.formats.duis.xml_input import parse

#: Command variant of a request for a pre-command.
CRITICAL = 4


def transform(request: bytes | ServiceRequest, context: Context) -> PreCommand | Refused:
    """Return the pre-command of a critical request, or why there is none.

    Args:
        request: The request as it was read, or a document (whose signature is not verified here).
        context: Devices it is about, and the time.

    Source:
        Grouping header and payloads: reference gbcs.md sections 3 and 7 to 9; checked octet for
        octet on the pre-commands of RTDS 4.5.0 (docs/transforms.md names each).
    """
    try:
        read = read_request(request) if isinstance(request, bytes) else request
        payload = _payload(read, context)
        return PreCommand(payload.code, _pre_command(read, payload))
    except TransformError as error:
        return error.refused
    except DuisError as error:
        return Refused(Refusal.MALFORMED, str(error))
    except ValueError as error:
        return Refused(Refusal.OUT_OF_RANGE, str(error))


def _pre_command(request: ServiceRequest, payload: Payload) -> bytes:
    identity = request.request_id
    other = OtherInformation(payload.code)
    header = GroupingHeader(
        Cra.COMMAND, identity.counter, identity.originator, identity.target, other
    )
    return envelope.encode(Envelope(header, payload.octets))


def _payload(request: ServiceRequest, context: Context) -> Payload:
    variant = request.header.command_variant
    if variant != CRITICAL:
        why = f"command variant {variant} asks for no pre-command"
        raise TransformError(Refusal.NOT_CRITICAL, why)
    return payload_by(RULES, request, context)


def payload_by(
    rules: Mapping[tuple[str, DeviceType], Rule], request: ServiceRequest, context: Context
) -> Payload:
    """Return the payload of a request by the rule for its service and device.

    Raises:
        TransformError: There is no rule, or the body cannot be said.
        DuisError: The body breaks the schema.
    """
    header = request.header
    device = context.devices.get(header.request_id.target)
    if device is None:
        why = f"nothing is known of {header.request_id.target}"
        raise TransformError(Refusal.UNKNOWN_DEVICE, why)
    rule = rules.get((header.variant, device.device_type))
    if rule is None:
        why = f"service {header.variant} has no use case at a {device.device_type}"
        raise TransformError(Refusal.NO_TRANSFORM, why)
    body = read_body(request.body, rule)
    return rule.build(Asked(header.request_id, body, context, device))


def read_body(body: Any, rule: Rule) -> Any:
    """Return the body of a request as its rule wants it.

    Raises:
        DuisError: It breaks the schema.
    """
    if isinstance(body, OtherBody) and rule.body is not None:
        return shape.read(shape_of(rule.body), parse(body.octets))
    if isinstance(body, UpdateImportTariff):
        return _tariff(body)
    return body


def _tariff(body: UpdateImportTariff) -> UpdateTariff:
    """Return a 1.1.1 whose parts were kept as they were written."""
    parts: list[tuple[type, bytes | None]] = [
        (ElectricityTariff, body.electricity),
        (GasTariff, body.gas),
    ]
    given = [(kind, octets) for kind, octets in parts if octets is not None]
    if len(given) != 1:
        raise TransformError(Refusal.MALFORMED, "a tariff is of electricity, or of gas")
    (kind, octets) = given[0]
    return UpdateTariff(
        execution_time=body.execution_time,
        tariff=shape.read(shape_of(kind), parse(octets)),
        prices=shape.read(shape_of(PrimaryPrices), parse(body.prices)),
    )
