"""From a service request to what its equivalent steps need."""

from collections.abc import Callable, Mapping
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.han_log import encode_entry
from emulator.codecs.dlms.selective import CaptureObject
from harness.dlms.clock import clock_data
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis import smets1_tariff
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.faults import DuisError
from harness.smets1.arguments import Arguments, Period

_CREDIT: Final = 1
_PREPAYMENT: Final = 2
_CLOCK: Final = CaptureObject(8, parse_obis("0-0:1.0.0.255"), 2)
#: What a price is of: kilo, register class, total active import, its value.
_KILO: Final = 3
_REGISTER: Final = 3
_TOTAL_IMPORT: Final = parse_obis("1-0:1.8.0.255")
_VALUE: Final = 2
#: Name of a calendar whose seasons have none. Source: invented.
_NAMELESS: Final = "1.1.1"
#: Name of the steps that take a device out of a hub's log; 8.11 is one service for both ways.
REMOVE: Final = "8.11-remove"


def steps_name(service: str, body: RequestBody) -> str:
    """Return under which name the equivalent steps of a request stand in their table."""
    removes = isinstance(body, bodies.UpdateHanDeviceLog) and body.change is bodies.LogChange.REMOVE
    return REMOVE if removes else service


def arguments_of(body: RequestBody, added: DeviceType | None = None) -> Arguments:
    """Return what the steps of a request need; nothing for one that needs nothing.

    Args:
        body: The request.
        added: For 8.11: type of the device that is added.
    """
    if isinstance(body, bodies.UpdateHanDeviceLog):
        return _log_change(body, added)
    build = _BUILD.get(type(body))
    return Arguments() if build is None else build(body)


def _log_change(body: bodies.UpdateHanDeviceLog, added: DeviceType | None) -> Arguments:
    if body.change is bodies.LogChange.REMOVE or added is None:
        return Arguments(leaver=body.device.octets)
    return Arguments(entry=encode_entry(body.device, added.value))


def _mode(body: RequestBody) -> Arguments:
    prepays = isinstance(body, bodies.UpdatePaymentMode) and isinstance(
        body.mode, bodies.Prepayment
    )
    return Arguments(mode=_PREPAYMENT if prepays else _CREDIT)


def _clock(body: RequestBody) -> Arguments:
    if not isinstance(body, bodies.SynchroniseClock):
        raise TypeError(type(body).__name__)
    octets = clock_data(body.now).value
    return Arguments(clock=octets if isinstance(octets, bytes) else b"")


def _period(body: RequestBody) -> Arguments:
    if not isinstance(body, bodies.ReadActiveImportProfileData):
        raise TypeError(type(body).__name__)
    first, last = (clock_data(at) for at in (body.period.first, body.period.last))
    return Arguments(period=Period(first, last, _CLOCK))


def refusal_of(body: RequestBody) -> str:
    """Return why no steps carry what a request holds; empty where they do.

    A request that only part of which could be carried out is not begun.
    """
    if not isinstance(body, bodies.UpdateImportTariff):
        return ""
    try:
        price = smets1_tariff.flat_price(body.prices)
    except DuisError as error:
        return f"1.1.1: {error.why}"
    held = price if isinstance(price, str) else "a standing charge" if price.standing else ""
    steps = "the equivalent steps carry one electricity price for all times, and nothing else"
    return f"1.1.1 with {held} is not supported: {steps}" if held else ""


def _tariff(body: RequestBody) -> Arguments:
    if not isinstance(body, bodies.UpdateImportTariff):
        raise TypeError(type(body).__name__)
    price = smets1_tariff.flat_price(body.prices)
    if isinstance(price, str):
        raise TypeError(price)
    row = axdr.structure(axdr.octets(b""), Data(Tag.INT16, price.price))
    scaling = axdr.structure(Data(Tag.INT8, _KILO), Data(Tag.INT8, price.scale))
    of_import = axdr.structure(
        axdr.uint16(_REGISTER), axdr.octets(_TOTAL_IMPORT), Data(Tag.INT8, _VALUE)
    )
    charge = axdr.structure(scaling, of_import, Data(Tag.ARRAY, (row,)))
    name = smets1_tariff.season_name(body.electricity)
    return Arguments(name=name or _NAMELESS, price=charge)


_BUILD: Final[Mapping[type, Callable[[RequestBody], Arguments]]] = {
    bodies.UpdateImportTariff: _tariff,
    bodies.UpdatePaymentMode: _mode,
    bodies.SynchroniseClock: _clock,
    bodies.CommissionDevice: _clock,
    bodies.ReadActiveImportProfileData: _period,
}
