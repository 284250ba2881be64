"""GBZ payloads as fields."""

from emulator.codecs.gbcs import alerts, gbz, metering
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import ChangeSupply, SupplyStatusResponse
from emulator.codecs.zcl import foundation
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
)
from emulator.codecs.zcl.frame import ZclFrame
from emulator.core.clock import iso
from emulator.core.errors import MalformedFrameError
from harness.gbcs_view import names
from harness.gbcs_view.dlms import alert_name, command_reference_fields
from harness.gbcs_view.field import Field, numbered, plain_fields


def message_fields(message: GbzMessage) -> list[Field]:
    """Return the components of a command or response as fields."""
    return numbered(map(_component, message.components))


def alert_fields(alert: GbzAlert) -> list[Field]:
    """Return an alert as fields."""
    head: list[Field] = [("alert code", alert_name(alert.alert_code)), ("at", iso(alert.at))]
    image_hash = alerts.image_hash_of(alert)
    reference = alerts.command_reference_of(alert)
    if image_hash is not None:
        head.append(("manufacturer image hash", image_hash.hex()))
    elif reference is not None:
        head += command_reference_fields(reference)
    elif alert.alert_code == AlertCode.BILLING_DATA_LOG:
        head += message_fields(gbz.component_of(alert))
    elif alert.content:
        head.append(("content", alert.content.hex()))
    return head


def _component(component: GbzComponent) -> Field:
    cluster = names.CLUSTERS.get(component.cluster, "cluster")
    frame = metering.frame_of(component)
    fields: list[Field] = [
        ("cluster", f"0x{component.cluster:04X}"),
        ("frame control", f"0x{component.frame_control:02X}"),
        ("sequence", str(component.sequence)),
        ("command", f"0x{component.command:02X}"),
    ]
    if component.from_time is not None:
        fields.append(("from", iso(component.from_time)))
    if component.frame_counter is not None:
        fields.append(("additional frame counter", str(component.frame_counter)))
        fields.append(("encrypted block", component.payload.hex()))
    else:
        fields += _zcl_payload(component.cluster, frame)
    return f"{cluster}: {_command_name(component.cluster, frame)}", fields


def _command_name(cluster: int, frame: ZclFrame) -> str:
    if frame.cluster_specific:
        known = names.COMMANDS.get((cluster, frame.server_to_client, frame.command))
    else:
        known = names.GENERAL_COMMANDS.get(frame.command)
    return known or f"command 0x{frame.command:02X}"


def _zcl_payload(cluster: int, frame: ZclFrame) -> list[Field]:
    raw: list[Field] = [("payload", frame.payload.hex())] if frame.payload else []
    try:
        if frame.cluster_specific:
            return _supply_fields(cluster, frame) or raw
        command = foundation.decode(frame)
    except MalformedFrameError:
        return raw
    match command:
        case ReadAttributes():
            return [("attribute", _attribute(cluster, a)) for a in command.attributes]
        case ReadAttributesResponse():
            return [_reading(cluster, reading) for reading in command.readings]
        case DefaultResponse():
            answered = f"0x{command.command:02X}"
            return [("to command", answered), ("status", f"0x{command.status:02X}")]
        case _:
            return raw


def _supply_fields(cluster: int, frame: ZclFrame) -> list[Field]:
    """Return the fields of Change Supply and its answer; none for other commands."""
    if cluster != metering.CLUSTER:
        return []
    kind = (frame.server_to_client, frame.command)
    if kind == (False, metering.CHANGE_SUPPLY):
        return plain_fields(ChangeSupply.decode(frame.payload))
    if kind == (True, metering.SUPPLY_STATUS_RESPONSE):
        return plain_fields(SupplyStatusResponse.decode(frame.payload))
    return []


def _attribute(cluster: int, attribute: int) -> str:
    known = names.ATTRIBUTES.get((cluster, attribute))
    return f"0x{attribute:04X} {known}" if known else f"0x{attribute:04X}"


def _reading(cluster: int, reading: AttributeReading) -> Field:
    name = f"attribute {_attribute(cluster, reading.attribute)}"
    if reading.value is None:
        return name, f"status 0x{reading.status:02X}"
    value = reading.value.value
    return name, value.hex() if isinstance(value, bytes) else str(value)
