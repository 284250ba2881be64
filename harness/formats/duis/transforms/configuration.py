"""Load limit, gas conversion and flow, billing calendar, tamper state, block reset: 6.4 to 6.26.

Source:
    RTDS 4.5.0 ECS30, ECS30a, GCS25a, GCS24, ECS81. ECS28a, ECS48, GCS23, GCS24a, GCS25 and what
    words mean as numbers: use-case tables, inferred.
"""

from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import price, snapshots
from emulator.codecs.zcl.price import (
    PublishBillingPeriod,
    PublishBlockPeriod,
    PublishCalorificValue,
    PublishConversionFactor,
)
from emulator.codecs.zcl.snapshots import SetSupplyStatus, SetUncontrolledFlowThreshold
from harness.formats.duis.transforms.calendar_bodies import (
    Daily,
    ElectricityBilling,
    GasBilling,
    Monthly,
    Months,
    Weekly,
)
from harness.formats.duis.transforms.dlms_data import array, date, structure, time
from harness.formats.duis.transforms.other_bodies import SetGasFlow, SetLoadLimit, WholeFlow
from harness.formats.duis.transforms.payloads import (
    Asked,
    Payload,
    commanded,
    gas_seconds,
    written,
    wrong_device,
)

_LOCKED: Final = "Locked"
#: States of a gas supply. Source: RTDS GCS24 (3, 0); names known (Smart Energy 1.2).
_SUPPLY_OFF, _UNCHANGED = 0, 3
_CUBIC_METRES: Final = 1
_TEN_THOUSANDTHS: Final = 10_000
#: Decimal places in the high nibble. Source: places of the DUIS schema; inferred.
_ONE_PLACE, _FIVE_PLACES = 0x10, 0x50
_MJ_PER_M3: Final = 1
#: Duration and unit (days, weeks, months; where it begins: not said). Source: RTDS GCS25a (6, 23).
_GAS_PERIODS: Final = {
    "Daily": (1, 0x21),
    "Weekly": (1, 0x22),
    "Monthly": (1, 0x23),
    "Quarterly": (3, 0x23),
    "SixMonthly": (6, 0x23),
    "Yearly": (12, 0x23),
}
_SHORT_PERIODS: Final = frozenset({"Daily", "Weekly", "Monthly"})
_BLOCK_CONTROL: Final = 0x02
_BLOCK_RESOLUTION: Final = 1
_ANY: Final = 0xFF


def set_load_limit(asked: Asked) -> Payload:
    """Return ECS28a."""
    body: SetLoadLimit = asked.body
    values = {
        "passive_load_limit_supply_state": body.supply == "Disable",
        "passive_load_limit_threshold_w": body.threshold_w,
        "passive_load_limit_period_s": body.period_s,
        "passive_load_limit_restoration_s": body.restoration_s,
        "load_limit_supply_state_activation": asked.activation,
        "load_limit_threshold_w_activation": asked.activation,
        "load_limit_period_s_activation": asked.activation,
        "load_limit_restoration_s_activation": asked.activation,
    }
    return written(asked, MessageCode.ECS28A, values)


def set_conversion(asked: Asked) -> Payload:
    """Return GCS23."""
    event = asked.issuer_event
    factor = PublishConversionFactor(event, 0, asked.body.conversion, _FIVE_PLACES)
    energy = PublishCalorificValue(event, 0, asked.body.calorific, _MJ_PER_M3, _ONE_PLACE)
    return commanded(MessageCode.GCS23, [(price.COMMANDS, factor), (price.COMMANDS, energy)])


def set_gas_flow(asked: Asked) -> Payload:
    """Return GCS24 or GCS24a."""
    body: SetGasFlow = asked.body
    whole = isinstance(body.flow, WholeFlow)
    threshold = SetUncontrolledFlowThreshold(
        0,
        asked.issuer_event,
        body.flow.rate,
        _CUBIC_METRES,
        1,
        1 if whole else _TEN_THOUSANDTHS,
        body.stabilisation,
        body.measurement_s,
    )
    status = SetSupplyStatus(
        asked.issuer_event,
        _state(body.tamper),
        _state(body.depletion),
        _SUPPLY_OFF,
        _UNCHANGED,
    )
    code = MessageCode.GCS24 if whole else MessageCode.GCS24A
    return commanded(code, [(snapshots.COMMANDS, threshold), (snapshots.COMMANDS, status)])


def _state(word: str) -> int:
    return _SUPPLY_OFF if word == _LOCKED else _UNCHANGED


def set_billing(asked: Asked) -> Payload:
    """Return ECS30 or ECS30a."""
    calendar = asked.body.calendar
    if not isinstance(calendar, ElectricityBilling):
        raise wrong_device(asked, DeviceType.GSME)
    short = isinstance(calendar.period, Daily | Weekly | Monthly) and not asked.device.later
    rows = [structure(time(calendar.at), date(on)) for on in _billing_days(calendar)]
    code = MessageCode.ECS30 if short else MessageCode.ECS30A
    return written(asked, code, {"billing_calendar": array(rows)})


def _billing_days(calendar: ElectricityBilling) -> list[bytes]:
    match calendar.period:
        case Weekly(day=day):
            return [_date(_ANY, _ANY, day)]
        case Monthly(day=day):
            return [_date(_ANY, day, _ANY)]
        case Months() as period:
            months = sorted(
                (period.month - 1 + step) % 12 + 1 for step in range(0, 12, period.STEP)
            )
            return [_date(month, period.day, _ANY) for month in months]
    return [_date(_ANY, _ANY, _ANY)]


def _date(month: int, day: int, weekday: int) -> bytes:
    return bytes((_ANY, _ANY, month, day, weekday))


def set_gas_billing(asked: Asked) -> Payload:
    """Return GCS25 or GCS25a."""
    calendar = asked.body.calendar
    if not isinstance(calendar, GasBilling):
        raise wrong_device(asked, DeviceType.ESME)
    duration, unit = _GAS_PERIODS[calendar.period]
    head = 0, asked.issuer_event, gas_seconds(calendar.start), duration
    billing = PublishBillingPeriod(*head, unit, 0)
    block = PublishBlockPeriod(*head, _BLOCK_CONTROL, unit, 0, _BLOCK_RESOLUTION)
    short = calendar.period in _SHORT_PERIODS and not asked.device.later
    code = MessageCode.GCS25 if short else MessageCode.GCS25A
    return commanded(code, [(price.COMMANDS, billing), (price.COMMANDS, block)])


def set_tamper_state(asked: Asked) -> Payload:
    """Return ECS81."""
    values = {"supply_tamper_state": asked.body.state == _LOCKED}
    return written(asked, MessageCode.ECS81, values)


def set_daily_reset(asked: Asked) -> Payload:
    """Return ECS48."""
    rows = [["00:00:00", "*-*-*"]] if asked.body.daily else []
    return written(asked, MessageCode.ECS48, {"block_reset_calendar": rows})
