"""Payloads out of named values: access requests, GBZ messages, ASN.1 trees."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from device_profiles.gbcs_objects import MemberRow, load_gbcs_objects
from device_profiles.words import DeviceType
from emulator.codecs import der
from emulator.codecs.der import Node
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, Operation
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.shapes import ShapeError, make, shape_of
from emulator.codecs.gbcs import access_items, gbz
from emulator.codecs.gbcs.dates import CANCEL_TIME, encode_date_time
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl.cluster import ClusterCommands, Command
from emulator.core.clock import UtcMs, to_zigbee_seconds
from harness.formats.duis import date_time
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.transforms.outcome import Context, Device, Refusal, TransformError

#: Start of a gas command that takes back an earlier one. Source: RTDS GCS02.
GAS_NEVER: Final = 0xFFFFFFFF
_LAST_GAS_MOMENT: Final = 0xFFFFFFFE


@dataclass(frozen=True, slots=True)
class Asked:
    """A request on its way.

    Attributes:
        identity: Originator, target and counter.
        body: What is asked for.
        context: What is known beside it.
        device: The target.
    """

    identity: RequestId
    body: Any
    context: Context
    device: Device

    @property
    def issuer_event(self) -> int:
        """The time now in seconds since 2000, by which gas commands are told apart."""
        return _gas_seconds(self.context.at)

    @property
    def start_s(self) -> int:
        """Execution time of the body as gas commands have it: 0 now, all ones never."""
        at = self.body.execution_time
        if at is None:
            return 0
        return GAS_NEVER if at == date_time.CANCEL else _gas_seconds(at)

    @property
    def activation(self) -> str | Data:
        """Execution time of the body as a DLMS date-time, in the plain form of one."""
        return dlms_moment(self.body.execution_time)

    @property
    def generalized(self) -> UtcMs | None:
        """Execution time of the body as ASN.1 commands have it; None: at once."""
        at: UtcMs | None = self.body.execution_time
        return CANCEL_TIME if at == date_time.CANCEL else at


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload and the use case it is of."""

    code: MessageCode
    octets: bytes


def dlms_moment(at: UtcMs | None) -> str | Data:
    """Return a DUIS moment as a DLMS date-time: ``now``, ``never``, or octets."""
    if at is None:
        return "now"
    return "never" if at == date_time.CANCEL else date_time_data(at)


def date_time_data(at: UtcMs) -> Data:
    """Return a moment as a DLMS date-time, whole seconds."""
    if at % 1000:
        raise TransformError(Refusal.OUT_OF_RANGE, "GBCS knows whole seconds only")
    return Data(Tag.OCTETS, encode_date_time(at))


def _gas_seconds(at: UtcMs) -> int:
    if at % 1000:
        raise TransformError(Refusal.OUT_OF_RANGE, "GBCS knows whole seconds only")
    seconds = to_zigbee_seconds(at)
    if not 0 < seconds <= _LAST_GAS_MOMENT:
        raise TransformError(Refusal.OUT_OF_RANGE, f"{date_time.write(at)} is no Zigbee time")
    return seconds


def gas_seconds(at: UtcMs) -> int:
    """Return a moment in seconds since 2000, as Zigbee has it."""
    return _gas_seconds(at)


# -- DLMS ----------------------------------------------------------------------------------------


def written(asked: Asked, code: MessageCode, values: Mapping[str, Any]) -> Payload:
    """Return an access request of a use case: its members by name, in the use case's own order.

    Args:
        asked: The request.
        code: The use case.
        values: Name of the catalogue -> plain value or DLMS value; the reads of the use case are
            added. Where no form of the use case has exactly these members, they stay in the order
            in which they are given.
    """
    named = _members()
    wanted = {named[name].key: (named[name], value) for name, value in values.items()}
    form = _form(code, set(wanted))
    if form is None:
        items = [_item(row, value) for row, value in wanted.values()]
    else:
        items = [_of_form(item, wanted) for item in form]
    payload = AccessRequest(invoke_id(asked.identity.counter), tuple(items))
    return Payload(code, access.encode_request(payload))


@cache
def _members() -> Mapping[str, MemberRow]:
    """Return the members of an ESME by name; read once."""
    return load_gbcs_objects("esme").named


def _form(code: MessageCode, keys: set[Any]) -> tuple[AccessItem, ...] | None:
    """Return the form of a use case that sets or invokes exactly these members."""
    for form in access_items.forms_of(code):
        told = {_key(item) for item in form if item.operation is not Operation.GET}
        if told == keys:
            return form
    return None


def _key(item: AccessItem) -> tuple[int, bytes, bool, int]:
    return item.class_id, item.obis, item.operation is Operation.ACTION, item.index


def _of_form(item: AccessItem, wanted: Mapping[Any, tuple[MemberRow, Any]]) -> AccessItem:
    return item if item.operation is Operation.GET else _item(*wanted[_key(item)])


def _item(row: MemberRow, value: Any) -> AccessItem:
    operation = Operation.ACTION if row.is_method else Operation.SET
    return AccessItem(operation, row.class_id, row.obis, row.index, _data(row, value))


def _data(row: MemberRow, value: Any) -> Data:
    if isinstance(value, Data):
        return value
    try:
        return make(shape_of(row.type), value, row.name)
    except ShapeError as error:
        raise TransformError(Refusal.OUT_OF_RANGE, str(error)) from error


# -- GBZ and ASN.1 -------------------------------------------------------------------------------


def commanded(code: MessageCode, parts: Iterable[tuple[ClusterCommands, Command]]) -> Payload:
    """Return a GBZ message of cluster commands, one a component."""
    components = []
    for number, (table, command) in enumerate(parts):
        try:
            octets = table.encode(command, number, disable_default_response=False)
        except ValueError as error:
            raise TransformError(Refusal.OUT_OF_RANGE, str(error)) from error
        components.append(GbzComponent(table.cluster, octets[0], octets[1], octets[2], octets[3:]))
    return Payload(code, gbz.encode(GbzMessage(tuple(components))))


def tree(code: MessageCode, node: Node) -> Payload:
    """Return an ASN.1 payload."""
    return Payload(code, der.encode(node))


def wrong_device(asked: Asked, wanted: DeviceType) -> TransformError:
    """Return the refusal of a body that is for another type of device."""
    found = asked.device.device_type
    return TransformError(Refusal.DEVICE_TYPE, f"the body is for a {wanted}, the target a {found}")
