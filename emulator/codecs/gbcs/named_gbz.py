"""GBZ payloads as named values: the ZCL commands in their components, and alerts."""

from functools import lru_cache
from typing import Final

from emulator.codecs.dlms.axdr import Tag
from emulator.codecs.gbcs import alerts, gbz, zcl_attributes, zcl_fields
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.gbz import GbzAlert, GbzComponent, GbzMessage
from emulator.codecs.gbcs.named import Group, Leaf, Named, NamedValue, leaf
from emulator.codecs.gbcs.named_dlms import command_reference, unsupported_command
from emulator.codecs.gbcs.zcl_attributes import AttributeCommand
from emulator.codecs.gbcs.zcl_names import CLUSTERS, attribute_name, command_name
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    DefaultResponse,
    ReadAttributes,
    ReadAttributesResponse,
    WriteAttributes,
)
from emulator.codecs.zcl.values import AttributeValue

_CLUSTER: Final = leaf("cluster", "cluster")
_CONTROL: Final = leaf("frame_control", "map8")
_SEQUENCE: Final = leaf("sequence", "u8")
_COMMAND: Final = leaf("command", "command")
_FROM: Final = leaf("from", "moment")
_FRAME_COUNTER: Final = leaf("additional_frame_counter", "u8")
_BLOCK: Final = leaf("encrypted_block", "block")
_SPECIFIC: Final = 0x01
_TO_CLIENT: Final = 0x08


def message(value: GbzMessage) -> Named:
    """Return a command or response.

    Raises:
        MalformedFrameError: A ZCL payload does not follow the layout of its command.
    """
    return tuple([_component(component) for component in value.components])


@lru_cache(maxsize=512)
def _title(cluster: int, frame_control: int, command: int) -> Group:
    name = command_name(
        cluster,
        to_client=bool(frame_control & _TO_CLIENT),
        specific=bool(frame_control & _SPECIFIC),
        command=command,
    )
    return Group(f"{CLUSTERS.get(cluster, 'cluster')}: {name}")


def _component(component: GbzComponent) -> NamedValue:
    control, command = component.frame_control, component.command
    head: list[NamedValue] = [
        (_CLUSTER, component.cluster),
        (_CONTROL, control),
        (_SEQUENCE, component.sequence),
        (_COMMAND, command),
    ]
    if component.from_time is not None:
        head.append((_FROM, component.from_time))
    if component.frame_counter is None:
        head += zcl_payload(component, component.payload)
    else:
        head.append((_FRAME_COUNTER, component.frame_counter))
        head.append((_BLOCK, component.payload))
    return _title(component.cluster, control, command), tuple(head)


def zcl_payload(component: GbzComponent, payload: bytes) -> Named:
    """Return a component's ZCL payload: its own, or what its block decrypts to.

    Raises:
        MalformedFrameError: It does not follow the layout of its command.
    """
    if component.frame_control & _SPECIFIC:
        to_client = bool(component.frame_control & _TO_CLIENT)
        found = zcl_fields.read((component.cluster, to_client, component.command), payload)
        return found if found is not None else _unknown(payload)
    command = zcl_attributes.read(component.command, payload)
    return _unknown(payload) if command is None else _attributes(component.cluster, command)


def _unknown(payload: bytes) -> Named:
    return ((leaf("payload_of_unknown_command", "octets"), payload),) if payload else ()


def _attributes(cluster: int, command: AttributeCommand) -> Named:
    match command:
        case ReadAttributesResponse(readings):
            return tuple([_reading(cluster, reading) for reading in readings])
        case DefaultResponse():
            return (
                (leaf("to_command", "command"), command.command),
                (leaf("status", "zcl_status"), command.status),
            )
        case ReadAttributes(attributes):
            return tuple([(_asked(cluster, attribute), attribute) for attribute in attributes])
        case WriteAttributes(values):
            return tuple([_told(cluster, attribute, value) for attribute, value in values])
    return tuple([(_refused(cluster, one.attribute), one.status) for one in command.failures])


@lru_cache(maxsize=1024)
def _asked(cluster: int, attribute: int) -> Leaf:
    return Leaf(attribute_name(cluster, attribute), "attribute")


@lru_cache(maxsize=1024)
def _refused(cluster: int, attribute: int) -> Leaf:
    return Leaf(attribute_name(cluster, attribute), "zcl_status")


@lru_cache(maxsize=1024)
def _valued(cluster: int, attribute: int, kind: str) -> Leaf:
    return Leaf(attribute_name(cluster, attribute), kind)


def _reading(cluster: int, reading: AttributeReading) -> NamedValue:
    if reading.value is None:
        return _refused(cluster, reading.attribute), reading.status
    return _told(cluster, reading.attribute, reading.value)


def _told(cluster: int, attribute: int, value: AttributeValue) -> NamedValue:
    return _valued(cluster, attribute, value.type.name.lower()), value.value


def alert(value: GbzAlert) -> Named:
    """Return an alert.

    Raises:
        MalformedFrameError: A billing alert does not hold one component.
    """
    head: Named = (
        (leaf("alert_code", "alert_code"), value.alert_code),
        (leaf("at", "moment"), value.at),
    )
    return head + _content(value)


def _content(value: GbzAlert) -> Named:
    reference = alerts.command_reference_of(value)
    if reference is not None:
        return command_reference(reference)
    image_hash = alerts.image_hash_of(value)
    if image_hash is not None:
        return ((leaf("manufacturer_image_hash", "octets"), image_hash),)
    if value.alert_code == AlertCode.BILLING_DATA_LOG:
        return message(gbz.component_of(value))
    content = value.content
    if value.alert_code == AlertCode.COMMAND_NOT_SUPPORTED and content:
        prefixed = content[0] in {Tag.OCTETS, 0x0A} and len(content) > 10
        refused = unsupported_command(content[-10:] if prefixed else content)
        if refused:
            return refused
    if value.alert_code == AlertCode.INTEGRITY_ISSUE:
        return ((leaf("integrity_issue", "octets"), content),)
    return ((leaf("content", "octets"), content),) if content else ()
