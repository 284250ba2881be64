"""Association LN (class 15), version 1: what this client sees, who it is, its secret.

A row's value may name an association; without one it is that of whoever asks.
"""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms import AssociationSection, Authentication
from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.acse import ApplicationContext, Mechanism
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, BitString, Data, Tag
from emulator.codecs.dlms.initiate import DLMS_VERSION
from emulator.devices.smets1.binding import Binding, octets_of, refused
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import Access, CosemObject, Moment
from emulator.devices.smets1.security_setup import security_of

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: joint-iso-ccitt country(16) country-name(756) identified-organization(5) DLMS-UA(8): its octets
#: as structures of arcs. Source: IEC 62056-6-2 Association LN, application_context_name (known).
_ARCS: Final = (2, 16, 756, 5, 8)
_CONTEXT: Final = 1
_MECHANISM: Final = 2
_ASSOCIATED: Final = 2
_PENDING: Final = 1
_NOT_ASSOCIATED: Final = 0
_MECHANISMS: Final = {
    Authentication.NONE: Mechanism.NONE,
    Authentication.LLS: Mechanism.LLS,
    Authentication.HLS_GMAC: Mechanism.HLS_GMAC,
    Authentication.HLS_ECDSA: Mechanism.HLS_ECDSA,
}
_PROFILE_CLASS: Final = 7
_BUFFER: Final = 2
#: Shortest and longest secret. Source: invented.
SECRET_BYTES: Final = (8, 64)


def object_list(meter: "Meter", at: Moment) -> Data:
    """Return the association view: every object that this client may do anything with."""
    word = at.client.rights
    rows = []
    for item in meter.tree.objects():
        access = {
            n: meter.tree.rights(item, n, word) for n in (*item.attributes(), *item.methods())
        }
        if any(each.read or each.write or each.invoke for each in access.values()):
            rows.append(_element(item, access))
    return Data(Tag.ARRAY, tuple(rows))


def _element(item: CosemObject, access: dict[int, Access]) -> Data:
    attributes = [
        axdr.structure(
            Data(Tag.INT8, index),
            Data(Tag.ENUM, attribute_mode(access[index])),
            _selectors(item, index),
        )
        for index in item.attributes()
    ]
    methods = [
        axdr.structure(Data(Tag.INT8, index), Data(Tag.ENUM, method_mode(access[index])))
        for index in item.methods()
    ]
    return axdr.structure(
        axdr.uint16(item.class_id),
        Data(Tag.UINT8, item.version),
        axdr.octets(item.obis),
        axdr.structure(Data(Tag.ARRAY, tuple(attributes)), Data(Tag.ARRAY, tuple(methods))),
    )


def _selectors(item: CosemObject, index: int) -> Data:
    if item.class_id != _PROFILE_CLASS or index != _BUFFER:
        return NULL
    return Data(Tag.ARRAY, (Data(Tag.INT8, 1), Data(Tag.INT8, 2)))


def attribute_mode(access: Access) -> int:
    """Return the access mode of an attribute: 0 to 3 plain, 4 to 6 authenticated."""
    mode = access.read + 2 * access.write
    return mode + 3 if access.protected and mode else mode


def method_mode(access: Access) -> int:
    """Return the access mode of a method: 0 none, 1 access, 2 authenticated access."""
    return access.invoke + (access.guarded and access.invoke)


def _section(meter: "Meter", row: CatalogueRow, at: Moment) -> AssociationSection | None:
    name = row.value or at.client.name
    return next((each for each in meter.dlms.associations if each.name == name), None)


def _name(arc: int, last: int) -> Data:
    country, first = Data(Tag.UINT8, _ARCS[1]), Data(Tag.UINT8, _ARCS[0])
    return axdr.structure(
        first,
        country,
        axdr.uint16(_ARCS[2]),
        Data(Tag.UINT8, _ARCS[3]),
        Data(Tag.UINT8, _ARCS[4]),
        Data(Tag.UINT8, arc),
        Data(Tag.UINT8, last),
    )


def _partners(meter: "Meter", row: CatalogueRow, at: Moment) -> Data | DataAccessResult:
    section = _section(meter, row, at)
    if section is None:
        return DataAccessResult.OBJECT_UNAVAILABLE
    return axdr.structure(Data(Tag.INT8, section.client), axdr.uint16(meter.dlms.logical_device))


def _context(meter: "Meter", row: CatalogueRow, at: Moment) -> Data | DataAccessResult:
    section = _section(meter, row, at)
    if section is None:
        return DataAccessResult.OBJECT_UNAVAILABLE
    context = ApplicationContext.LN_CIPHERED if section.ciphered else ApplicationContext.LN
    return _name(_CONTEXT, context)


def _mechanism(meter: "Meter", row: CatalogueRow, at: Moment) -> Data | DataAccessResult:
    section = _section(meter, row, at)
    if section is None:
        return DataAccessResult.OBJECT_UNAVAILABLE
    return _name(_MECHANISM, _MECHANISMS[section.authentication])


def _xdlms(_meter: "Meter", _row: CatalogueRow, at: Moment) -> Data:
    client = at.client
    bits = BitString(24, client.conformance.to_bytes(3, "big"))
    return axdr.structure(
        Data(Tag.BIT_STRING, bits),
        axdr.uint16(client.server_pdu_bytes),
        axdr.uint16(client.client_pdu_bytes),
        Data(Tag.UINT8, DLMS_VERSION),
        Data(Tag.INT8, 0),
        axdr.octets(b""),
    )


def _status(_meter: "Meter", row: CatalogueRow, at: Moment) -> int:
    if row.value and row.value != at.client.name:
        return _NOT_ASSOCIATED
    return _PENDING if at.client.pending else _ASSOCIATED


def _setup(_meter: "Meter", _row: CatalogueRow, _at: Moment) -> bytes:
    return bytes((0, 0, 43, 0, 0, 255))


def _accept_secret(
    meter: "Meter", row: CatalogueRow, secret: bytes | None, at: Moment
) -> DataAccessResult:
    section = _section(meter, row, at)
    if secret is None:
        return DataAccessResult.TYPE_UNMATCHED
    if section is None or section.authentication is Authentication.NONE:
        return DataAccessResult.OBJECT_UNAVAILABLE
    if not SECRET_BYTES[0] <= len(secret) <= SECRET_BYTES[1]:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    security_of(at).replace_secret(section.name, secret)
    meter.log(EventCode.SECRET_CHANGED, at.now)
    return DataAccessResult.SUCCESS


def _set_secret(meter: "Meter", row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    return _accept_secret(meter, row, octets_of(value), at)


def _change_secret(
    meter: "Meter", row: CatalogueRow, data: Data | None, at: Moment
) -> MethodOutcome:
    result = _accept_secret(meter, row, octets_of(data), at)
    return MethodOutcome(ActionResult(int(result)))


def _reply(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    reply = octets_of(data)
    if reply is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    ours = meter.answer_hls(reply, at)
    if ours is None:
        return refused(ActionResult.OTHER_REASON)
    return MethodOutcome(ActionResult.SUCCESS, axdr.octets(ours))


def _sap_list(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    name = meter.dlms.logical_device_name.encode()
    row = axdr.structure(axdr.uint16(meter.dlms.logical_device), axdr.octets(name))
    return Data(Tag.ARRAY, (row,))


#: Binding word -> what it does.
BINDINGS: Final = {
    "association.objects": Binding(lambda meter, _row, at: meter.object_list(at)),
    "association.partners": Binding(_partners),
    "association.context": Binding(_context),
    "association.xdlms": Binding(_xdlms),
    "association.mechanism": Binding(_mechanism),
    "association.secret": Binding(write=_set_secret),
    "association.status": Binding(_status),
    "association.setup": Binding(_setup),
    "association.reply": Binding(invoke=_reply),
    "association.change-secret": Binding(invoke=_change_secret),
    "sap.list": Binding(_sap_list),
}
