"""Attributes of an ESME that are worked out when they are read."""

from typing import TYPE_CHECKING, Final

from device_profiles.gbcs_objects import MemberRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.plain_scalars import TRUE
from emulator.core.clock import UtcMs
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.consumption import Kind
from emulator.devices.cosem import control_state
from emulator.devices.esme.model import boost
from emulator.devices.esme.model.schedules import Schedule
from emulator.devices.esme.model.tariff import BLOCK_TOUS, BLOCKS, SECOND_TOUS, TOUS

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

#: COSEM units. Source: RTDS 4.5.0 ECS17a to ECS17c.
_WH: Final = axdr.structure(Data(Tag.INT8, 0), Data(Tag.ENUM, 30))
_VARH: Final = axdr.structure(Data(Tag.INT8, 0), Data(Tag.ENUM, 32))
_W: Final = axdr.structure(Data(Tag.INT8, 0), Data(Tag.ENUM, 27))
_WRAP: Final = 1 << 32
_WHOLE: Final = 100
_OFFSETS: Final = 1 << 16


def _number(value: int) -> Data:
    """Return a register, which begins again after 32 bits."""
    return Data(Tag.UINT32, value % _WRAP)


def _array(values: list[int]) -> Data:
    return Data(Tag.ARRAY, tuple([_number(value) for value in values]))


# -- what the device is --------------------------------------------------------------------------


def firmware_version(model: "EsmeModel", _row: MemberRow, _turn: Turn) -> Data:
    """Return the version that runs."""
    return axdr.octets(model.device.reported_version())


def eui64(model: "EsmeModel", _row: MemberRow, _turn: Turn) -> Data:
    """Return the device's identifier."""
    return axdr.octets(model.device.eui64.octets)


def variant(model: "EsmeModel", row: MemberRow, _turn: Turn) -> Data:
    """Return the ESME variant: one letter."""
    said = model.store.published(row.name)
    return said or axdr.octets((model.device.profile.identity.esme_variant or "A").encode()[:1])


def model_type(model: "EsmeModel", row: MemberRow, _turn: Turn) -> Data:
    """Return the model as DUIS writes it: eight hex digits."""
    said = model.store.published(row.name)
    return said or axdr.octets(model.device.profile.identity.model_hex.encode())


def manufacturer(model: "EsmeModel", row: MemberRow, _turn: Turn) -> Data:
    """Return the manufacturer in three octets: the Zigbee code behind a zero (inferred)."""
    code = model.device.profile.identity.manufacturer_code
    return model.store.published(row.name) or axdr.octets(code.to_bytes(3, "big"))


def randomised_offset(model: "EsmeModel", row: MemberRow, _turn: Turn) -> Data:
    """Return the offset that limit and number make (a share of the limit: inferred)."""
    limit = model.store.number("randomised_offset_limit_s")
    share = limit * model.store.number("randomised_offset_number") // _OFFSETS
    return model.store.published(row.name) or Data(Tag.UINT16, share)


def mpans(model: "EsmeModel", _row: MemberRow, _turn: Turn) -> Data:
    """Return the import MPANs behind each other: one, or two of a twin element meter."""
    said = [model.store.find(name) for name in ("import_mpan", "second_import_mpan")]
    return axdr.octets(
        b"".join([one.value for one in said if one and isinstance(one.value, bytes)])
    )


# -- registers -----------------------------------------------------------------------------------


def register(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return a whole register."""
    return _number(model.ledger.register(Kind(row.argument), row.name, turn.now))


def registers(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return a collection of registers: ``import``, ``tou`` or ``block``."""
    ledger = model.ledger
    ledger.settle(turn.now)
    twin = model.elements > 1
    if row.argument == "import":
        reactive = ledger.register(Kind.REACTIVE_IMPORT, "reactive_import_varh", turn.now)
        second = [_number(model.store.number("second_import_wh"))] if twin else []
        return axdr.structure(
            _number(ledger.import_wh(turn.now)), _WH, _number(reactive), _VARH, *second
        )
    if row.argument == "tou":
        tous = [ledger.tou.get(place, 0) for place in range(TOUS)]
        second = [_array(model.store.numbers("second_tou_wh", SECOND_TOUS))] if twin else []
        return axdr.structure(_array(tous), *second)
    blocks = [
        [ledger.block.get(block * BLOCK_TOUS + tou, 0) for tou in range(BLOCK_TOUS)]
        for block in range(BLOCKS)
    ]
    return axdr.structure(*[_array(block) for block in blocks])


def power(model: "EsmeModel", _row: MemberRow, turn: Turn) -> Data:
    """Return the power that flows: on the first element, and on the second."""
    said = model.store.published("active_power_w")
    flowing = model.consumption.power_w(turn.now)
    second = model.store.number("second_power_w")
    return axdr.structure(said or _number(flowing), _W, _number(second))


def price(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return the price that counts: what the profile says until the tariff changes."""
    said = model.store.published(row.name)
    if said is not None:
        return said
    if row.argument == "second":
        return _number(model.second_tariff_price(turn.now))
    model.ledger.settle(turn.now)
    return _number(model.ledger.price(turn.now))


# -- account -------------------------------------------------------------------------------------


def account_part(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return one part of the account."""
    model.ledger.settle(turn.now)
    return Data(Tag.INT32, model.ledger.account.parts[row.argument])


def balances(model: "EsmeModel", _row: MemberRow, turn: Turn) -> Data:
    """Return balance, emergency credit, debts and their sum."""
    model.ledger.settle(turn.now)
    shown = model.ledger.account.shown()
    return axdr.structure(*[Data(Tag.INT32, amount) for amount in shown])


# -- switches ------------------------------------------------------------------------------------


def switch_state(model: "EsmeModel", _row: MemberRow, _turn: Turn) -> Data:
    """Return the state of the load switch."""
    return control_state(model.device.switch)


def controller_state(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return whether an auxiliary controller is on."""
    return Data(Tag.BOOLEAN, TRUE if level_of(model, int(row.argument), turn.now) else 0)


def level_of(model: "EsmeModel", number: int, now: UtcMs) -> int:
    """Return the level of an auxiliary controller: boosted, ordered, by the calendar, or 0.

    Source:
        RTDS ECS61d: scripts of the calendar as those of ECS47a, with the bit 80 set.
    """
    ordered = model.levels.get(number)
    limited = any(one.runs and one.controller & 0xF == number for one in model.limits)
    if boost.runs(model, number) and not limited:
        return _WHOLE
    if ordered is not None:
        return ordered
    schedule = Schedule(model.store, "controller_calendar", "controller_special_days")
    at = model.device.local_time(now)
    found = schedule.last(at, lambda selector: selector >> 8 & 0xF == number)
    return 0 if found is None else min(found & 0x7F, _WHOLE)


def controller_report(model: "EsmeModel", row: MemberRow, turn: Turn) -> Data:
    """Return what an auxiliary controller says of itself: its level in per cent (invented)."""
    said = model.store.published(row.name)
    if said is not None:
        return said
    number = int(row.argument)
    if number not in range(1, 6):
        raise AccessFailedError
    return Data(Tag.UTF8, f"{level_of(model, number, turn.now)}%".encode())
