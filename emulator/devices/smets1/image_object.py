"""Attributes and methods of image transfer (class 18), bound to the transfer's state machine."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.effects import Note
from emulator.devices.smets1.binding import Binding, items_of, number_of, octets_of, refused
from emulator.devices.smets1.image import ImageState, ImageTransfer
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: States in which there is a judged image to tell about.
_JUDGED: Final = frozenset(
    {ImageState.VERIFIED, ImageState.ACTIVATE_INITIATED, ImageState.ACTIVATED}
)


def _done(
    meter: "Meter", transfer: ImageTransfer, result: ActionResult, at: Moment
) -> MethodOutcome:
    fields = (("state", transfer.state.name.lower()), ("result", result.name.lower()))
    at.outbox.put(Note("image_transfer", fields))
    meter.log_image_events(at.now)
    return MethodOutcome(result)


def _initiate(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    items = items_of(data, Tag.STRUCTURE, 2)
    identifier = octets_of(items[0]) if items else None
    size = number_of(items[1], Tag.UINT32) if items else None
    if identifier is None or size is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    return _done(meter, meter.image, meter.image.initiate(identifier, size), at)


def _block(meter: "Meter", _row: CatalogueRow, data: Data | None, at: Moment) -> MethodOutcome:
    items = items_of(data, Tag.STRUCTURE, 2)
    number = number_of(items[0], Tag.UINT32) if items else None
    octets = octets_of(items[1]) if items else None
    if number is None or octets is None:
        return refused(ActionResult.TYPE_UNMATCHED)
    result = meter.image.block(number, octets)
    if result is ActionResult.SUCCESS:  # a thousand of these are no news
        return MethodOutcome(result)
    return _done(meter, meter.image, result, at)


def _verify(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    return _done(meter, meter.image, meter.image.verify(at), at)


def _activate(meter: "Meter", _row: CatalogueRow, _data: Data | None, at: Moment) -> MethodOutcome:
    return _done(meter, meter.image, meter.image.activate(at), at)


def _enable(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    meter.image.enabled = bool(value.value)
    return DataAccessResult.SUCCESS


def _info(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    transfer = meter.image.transfer
    if transfer is None or meter.image.state not in _JUDGED:
        return Data(Tag.ARRAY, ())
    row = axdr.structure(
        Data(Tag.UINT32, transfer.size_bytes),
        axdr.octets(transfer.identifier),
        axdr.octets(meter.image.content_hash()),
    )
    return Data(Tag.ARRAY, (row,))


def _first_missing(meter: "Meter", _row: CatalogueRow, _at: Moment) -> int:
    transfer = meter.image.transfer
    return 0 if transfer is None else transfer.first_missing


#: Binding word -> what it does.
BINDINGS: Final = {
    "image.block-size": Binding(lambda meter, _row, _at: meter.image.section.block_bytes),
    "image.bitmap": Binding(lambda meter, _row, _at: meter.image.bitmap()),
    "image.first-missing": Binding(_first_missing),
    "image.enabled": Binding(lambda meter, _row, _at: int(meter.image.enabled), _enable),
    "image.state": Binding(lambda meter, _row, _at: int(meter.image.state)),
    "image.info": Binding(_info),
    "image.initiate": Binding(invoke=_initiate),
    "image.block": Binding(invoke=_block),
    "image.verify": Binding(invoke=_verify),
    "image.activate": Binding(invoke=_activate),
}
