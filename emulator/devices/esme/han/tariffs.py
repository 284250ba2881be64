"""The Price cluster of an ESME: the tariff its registers go by."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from emulator.codecs.zcl import price
from emulator.codecs.zcl.foundation import AttributeValue, Status, ZclType
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import Effect
from emulator.devices.consumption import DAY_MS
from emulator.devices.esme.han.answers import MOST_U32, NO_PROVIDER, Request, unsigned
from emulator.devices.esme.model.reports import next_billing
from emulator.devices.esme.model.tariff import (
    BLOCK_TOUS,
    BLOCKS,
    FIRST_BLOCK,
    FIRST_TOU,
    TOUS,
    Switch,
    day_of,
    is_block,
)

if TYPE_CHECKING:
    from emulator.devices.esme.model.model import EsmeModel

_STANDING_CHARGE: Final = 0x0301
_UNIT, _CURRENCY, _DIGITS = 0x0615, 0x0616, 0x0617
#: First tier's price; those of the others follow by 16. Source: RTDS GCS21f.
_TIER_PRICE: Final = 0x0410
_TIERS: Final = 15
_THRESHOLD: Final = 0x0100
#: Prices have five decimal places: thousandths of a penny. Source: RTDS ECS24 (scale -5).
_FIVE_DIGITS: Final = 0x50
_POUND, _EURO = 826, 978
_KWH: Final = 0
_ENDLESS_MIN: Final = 0xFFFF
#: Identifier of the only tariff. Source: invented.
TARIFF_ID: Final = 1
_PAIRS_AT_ONCE: Final = 12
_TOU_SCHEME, _BLOCK_SCHEME = 0x00, 0x10
_BY_TIERS: Final = 1
_DAYS, _WEEKS, _MONTHS = 1, 2, 3
_UNSAID: Final = 0xFF


def attributes(model: "EsmeModel", now: UtcMs) -> Mapping[int, AttributeValue]:  # noqa: ARG001 - table
    """Return the attributes."""
    tariff = model.ledger.tariff
    served = {
        _STANDING_CHARGE: unsigned(tariff.standing_charge),
        _UNIT: AttributeValue(ZclType.ENUM8, _KWH),
        _CURRENCY: AttributeValue(ZclType.UINT16, _currency(model)),
        _DIGITS: AttributeValue(ZclType.BITMAP8, _FIVE_DIGITS),
    }
    for tier in range(_TIERS):
        served[_TIER_PRICE + 16 * tier] = unsigned(tariff.price_of(FIRST_TOU + tier))
    for place, limit in enumerate(model.store.numbers("tariff_thresholds_1_wh", 0)[:3]):
        served[_THRESHOLD + place] = AttributeValue(ZclType.UINT48, max(limit, 0))
    return served


def _currency(model: "EsmeModel") -> int:
    return _POUND if model.store.number("currency_is_pound", 1) else _EURO


def take(model: "EsmeModel", request: Request, command: Any) -> list[Effect]:
    """Take a command."""
    answer = _ANSWERS.get(type(command))
    if answer is None:
        return [request.default(Status.UNSUP_CLUSTER_COMMAND)]
    return answer(model, request, command)


# -- prices --------------------------------------------------------------------------------------


def _switches(model: "EsmeModel", now: UtcMs, days: range) -> list[Switch]:
    tariff = model.ledger.tariff
    found = [tariff.switches(day_of(UtcMs(now + day * DAY_MS))) for day in days]
    return [switch for each in found for switch in each]


def _current(model: "EsmeModel", now: UtcMs) -> Switch | None:
    past = [one for one in _switches(model, now, range(-1, 1)) if one.at <= now]
    return past[-1] if past else None


def _coming(model: "EsmeModel", now: UtcMs) -> list[Switch | None]:
    later = [one for one in _switches(model, now, range(2)) if one.at > now]
    return [_current(model, now), *later]


def _publish(
    model: "EsmeModel", request: Request, switches: list[Switch | None], most: int
) -> list[Effect]:
    known = [switch for switch in switches if switch is not None][: most or None]
    if not known:
        return [request.default(Status.NOT_FOUND)]
    return [request.answer(_priced(model, switch, request.now)) for switch in known]


def _priced(model: "EsmeModel", switch: Switch, now: UtcMs) -> price.PublishPrice:
    """Return the price from a switch on: the one that DLMS reads, where it counts now."""
    model.ledger.settle(now)
    later = [one.at for one in _switches(model, switch.at, range(2)) if one.at > switch.at]
    length = min(later) - switch.at if later else _ENDLESS_MIN * 60_000
    counts_now = switch == _current(model, now)
    amount = model.ledger.price(now) if counts_now else model.ledger.price(switch.at)
    first = FIRST_BLOCK if is_block(switch.selector) else FIRST_TOU
    tier = min(switch.selector - first + 1, _TIERS)
    return price.PublishPrice(
        NO_PROVIDER, b"", _issued(model), to_zigbee_seconds(model.device.local_time(now)), _KWH,
        _currency(model), _FIVE_DIGITS | max(tier, 0), _TIERS << 4 | max(tier, 0),
        to_zigbee_seconds(switch.at), min(length // 60_000, _ENDLESS_MIN), max(amount, 0),
    )  # fmt: skip


def _issued(model: "EsmeModel") -> int:
    """Return the number of the tariff's issue: one more at each change."""
    return len(model.ledger.changes) + 1


def _tariff(model: "EsmeModel") -> price.PublishTariffInformation:
    tariff = model.ledger.tariff
    selectors = {selector for rows in tariff.days.values() for _, selector in rows}
    blocks = any(map(is_block, selectors))
    return price.PublishTariffInformation(
        NO_PROVIDER, _issued(model), TARIFF_ID, 0, _BLOCK_SCHEME if blocks else _TOU_SCHEME, b"",
        min(len(selectors), 0xFF), BLOCKS - 1 if blocks else 0, _KWH, _currency(model),
        _FIVE_DIGITS, max(tariff.standing_charge, 0), 0, 1, 1000,
    )  # fmt: skip


def _matrix(model: "EsmeModel", request: Request) -> list[Effect]:
    tariff = model.ledger.tariff
    pairs = [(tier + 1, max(tariff.price_of(FIRST_TOU + tier), 0)) for tier in range(TOUS)]
    parts = [pairs[at : at + _PAIRS_AT_ONCE] for at in range(0, TOUS, _PAIRS_AT_ONCE)]
    return [
        request.answer(
            price.PublishPriceMatrix(
                NO_PROVIDER, _issued(model), 0, TARIFF_ID, index, len(parts), _BY_TIERS,
                tuple(part),
            )
        )
        for index, part in enumerate(parts)
    ]  # fmt: skip


def _thresholds(model: "EsmeModel", request: Request) -> list[Effect]:
    return [
        request.answer(
            price.PublishBlockThresholds(
                NO_PROVIDER, _issued(model), 0, TARIFF_ID, tou, BLOCK_TOUS, 0, tou + 1,
                tuple(model.store.numbers(f"tariff_thresholds_{tou + 1}_wh", 0)[:15]),
            )
        )
        for tou in range(BLOCK_TOUS)
    ]  # fmt: skip


# -- billing -------------------------------------------------------------------------------------


def _billing(model: "EsmeModel", request: Request) -> list[Effect]:
    """Publish the next billing period."""
    rows = model.store.items("billing_calendar")
    at = next_billing(model.device, request.now)
    if at is None:
        return [request.default(Status.NOT_FOUND)]
    cells = rows[0].value if isinstance(rows[0].value, tuple) else ()
    on = cells[1].value if len(cells) > 1 else b""
    unit = _unit_of(on) if isinstance(on, bytes) and len(on) == 5 else _MONTHS
    start_s = min(to_zigbee_seconds(at), MOST_U32)
    period = price.PublishBillingPeriod(NO_PROVIDER, _issued(model), start_s, 1, unit, 0)
    return [request.answer(period)]


def _unit_of(on: bytes) -> int:
    if on[4] != _UNSAID:
        return _WEEKS
    return _MONTHS if on[3] != _UNSAID else _DAYS


#: Command -> its answers.
_ANSWERS: Final[Mapping[type, Callable[["EsmeModel", Request, Any], list[Effect]]]] = {
    price.GetCurrentPrice: lambda model, request, _: _publish(
        model, request, [_current(model, request.now)], 1
    ),
    price.GetScheduledPrices: lambda model, request, asked: _publish(
        model, request, _coming(model, request.now), asked.most
    ),
    price.GetTariffInformation: lambda model, request, _: [request.answer(_tariff(model))],
    price.GetPriceMatrix: lambda model, request, _: _matrix(model, request),
    price.GetBlockThresholds: lambda model, request, _: _thresholds(model, request),
    price.GetBillingPeriod: lambda model, request, _: _billing(model, request),
}
