"""Metadata channel, orders and distribution log of a hub as COSEM objects (class 1, our shapes)."""

from typing import TYPE_CHECKING, Final

from device_profiles.dlms_catalogue import CatalogueRow
from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.codecs.dlms.axdr import Data
from emulator.core.errors import MalformedFrameError
from emulator.devices.smets1.binding import Binding, octets_of
from emulator.devices.smets1.hub_images import HubImages
from emulator.devices.smets1.object_model import Moment

if TYPE_CHECKING:
    from emulator.devices.smets1.meter import Meter

#: Longest text for a display. Source: invented (SMETS2 has 116 characters).
MOST_MESSAGE_BYTES: Final = 116
_WRONG: Final = DataAccessResult.TYPE_UNMATCHED


def _images(meter: "Meter") -> HubImages:
    """Return the images of a hub.

    Raises:
        ValueError: The device is no hub: its catalogue does not fit it.
    """
    images = meter.hub_images()
    if images is None:
        raise ValueError(f"a SMETS1 {meter.device_type} takes no images for others")
    return images


def _metadata(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    try:
        record = hub_image.decode_metadata(octets_of(value) or b"")
    except MalformedFrameError:
        return _WRONG
    taken = _images(meter).metadata.take(record)
    return DataAccessResult.SUCCESS if taken else DataAccessResult.READ_WRITE_DENIED


def _order(meter: "Meter", _row: CatalogueRow, value: Data, at: Moment) -> DataAccessResult:
    try:
        ticket = hub_image.decode_ticket(octets_of(value) or b"")
    except MalformedFrameError:
        return _WRONG
    done = _images(meter).orders.order(ticket, at.now)
    meter.log_image_events(at.now)
    return DataAccessResult.SUCCESS if done else DataAccessResult.OBJECT_UNAVAILABLE


def _log(meter: "Meter", _row: CatalogueRow, _at: Moment) -> Data:
    return hub_image.encode_log(_images(meter).rows_of_log())


def _message(meter: "Meter", _row: CatalogueRow, value: Data, _at: Moment) -> DataAccessResult:
    text = octets_of(value)
    if text is None or len(text) > MOST_MESSAGE_BYTES:
        return DataAccessResult.SCOPE_OF_ACCESS_VIOLATED
    _images(meter).show(text)
    return DataAccessResult.SUCCESS


#: Binding word -> what it does.
BINDINGS: Final = {
    "hubimage.metadata": Binding(write=_metadata),
    "hubimage.order": Binding(write=_order),
    "hubimage.log": Binding(_log),
    "hubimage.message": Binding(write=_message),
}
