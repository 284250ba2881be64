"""Messaging and Device Management of an ESME: what suppliers write for customers to see."""

import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.gbcs.dates import decode_date_time
from emulator.codecs.zcl import device_management as notices
from emulator.codecs.zcl.foundation import AttributeValue, Status, ZclType
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect
from emulator.core.errors import MalformedFrameError
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.han.answers import NO_PROVIDER, Request

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

_PROVIDER: Final = 0x0100
_TENANCY: Final = 0x0200
#: Octets of a message that one command carries. Source: invented; fragments carry more.
_UNTIL_NEXT: Final = 0xFFFF


def attributes(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:  # noqa: ARG001 - table
    """Return the attributes of Device Management."""
    return {
        _PROVIDER: AttributeValue(ZclType.UINT32, NO_PROVIDER),
        _TENANCY: AttributeValue(ZclType.UTC_TIME, _tenancy_s(model)),
    }


def no_attributes(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:  # noqa: ARG001 - table
    """Return none: a Messaging server has no attributes."""
    return {}


def message_id(text: bytes) -> int:
    """Return the number of a message; a message of another text has another one."""
    return zlib.crc32(text)


def take_message(device: "Esme", request: Request, command: Any) -> list[Effect]:
    """Take a command of Messaging."""
    text = device.model.store.octets("supplier_message")
    if isinstance(command, notices.GetLastMessage):
        if not text:
            return [request.default(Status.NOT_FOUND)]
        shown = notices.DisplayMessage(message_id(text), 0, 0, _UNTIL_NEXT, text[:255], b"")
        return [request.answer(shown)]
    if command.message_id != message_id(text):
        return [request.default(Status.NOT_FOUND)]
    device.model.acknowledged = command.message_id
    told = happened(device, EventCode.MESSAGE_ACKNOWLEDGED, "", request.now)
    return [request.default(Status.SUCCESS), *told]


def take(model: "EsmeModel", request: Request, command: Any) -> list[Effect]:
    """Take a command of Device Management."""
    store = model.store
    if isinstance(command, notices.GetChangeOfTenancy):
        tenancy = notices.PublishChangeOfTenancy(NO_PROVIDER, 1, 0, _tenancy_s(model), 0)
        return [request.answer(tenancy)]
    if isinstance(command, notices.GetChangeOfSupplier):
        name, contact = store.octets("contact_name"), store.octets("contact_telephone")
        supplier = notices.PublishChangeOfSupplier(
            NO_PROVIDER, 1, 0, NO_PROVIDER, 0, 0, name[:255], contact[:255]
        )
        return [request.answer(supplier)]
    if isinstance(command, notices.GetSiteId):
        site = notices.UpdateSiteId(1, 0, NO_PROVIDER, store.octets("import_mpan")[:255])
        return [request.answer(site)]
    if isinstance(command, notices.GetCin):
        octets = store.octets("customer_identification_number")
        return [request.answer(notices.UpdateCin(1, 0, NO_PROVIDER, octets[:255]))]
    return [request.default(Status.UNSUP_CLUSTER_COMMAND)]


def _tenancy_s(model: "EsmeModel") -> int:
    """Return since when the customer's data are theirs, in seconds since 2000; 0: always."""
    try:
        at, _ = decode_date_time(model.store.octets("restrict_data_from"))
    except MalformedFrameError:
        return 0
    return max(to_zigbee_seconds(at), 0)
