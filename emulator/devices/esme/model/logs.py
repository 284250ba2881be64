"""Rows of an ESME's logs: what its profile says, then what the device lived through."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

from emulator.codecs.common import MAX_LENGTH
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.plain_scalars import Scalar
from emulator.codecs.dlms.shapes import Choice, Compact, Fields, Rows, Shape, compact, shape_of
from emulator.codecs.gbcs.dates import decode_date_time
from emulator.core.clock import UtcMs, from_zigbee_seconds, to_zigbee_seconds
from emulator.devices.access_engine import AccessFailedError
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS, Kind
from emulator.devices.esme.model.ledger import Snapshot
from emulator.devices.esme.model.tariff import BLOCK_TOUS, BLOCKS, TOUS
from emulator.devices.esme.model.voltage import millivolts
from emulator.devices.log_selection import Span

if TYPE_CHECKING:
    from device_profiles.gbcs_objects import MemberRow
    from emulator.devices.esme.model.model import EsmeModel

#: Plain rows; the first element of each is when, in seconds since 2000.
Plain = Iterable[tuple["int | tuple[int, ...]", ...]]
WHOLE: Final[Span] = (0, 0xFFFF_FFFF)
#: Days kept of what is worked out anew. Source: known (SMETS2: 13 months, 731 days).
PROFILE_DAYS: Final = 396
CONSUMPTION_DAYS: Final = 731
#: A register begins again after 32 bits.
_WRAP: Final = 1 << 32


def span_between(begin: bytes | None, end: bytes | None) -> Span:
    """Return the span of two DLMS date-times; all there is where they are not said.

    Raises:
        MalformedFrameError: One of them names no moment.
    """
    if begin is None or end is None:
        return WHOLE
    return to_zigbee_seconds(decode_date_time(begin)[0]), to_zigbee_seconds(
        decode_date_time(end)[0]
    )


def read_log(model: "EsmeModel", row: "MemberRow", span: Span, now: UtcMs) -> Data:
    """Return the rows of a log within a span, both ends included.

    Raises:
        AccessFailedError: They fit no message.
    """
    shape = _row_shape(row.type, model.elements)
    published = [item for item in model.store.rows(row.name) if _within(item, span)]
    lived = [
        _made(shape, plain)
        for plain in LOGS[row.argument](model, span, now)
        if isinstance(plain[0], int) and span[0] <= plain[0] <= span[1]
    ]
    found = tuple(published + lived)
    if found and len(found) * len(axdr.encode(compact(shape, found[:1]))) > MAX_LENGTH:
        raise AccessFailedError
    return compact(shape, found)


def _row_shape(word: str, elements: int) -> Fields:
    shape = shape_of(word)
    if isinstance(shape, Choice):
        shape = shape.options[min(elements, len(shape.options)) - 1]
    if not isinstance(shape, Compact) or not isinstance(shape.row, Fields):
        raise AccessFailedError
    return shape.row


def _within(row: Data, span: Span) -> bool:
    at = row.value[0].value if isinstance(row.value, tuple) else None
    return isinstance(at, int) and span[0] <= at <= span[1]


def _made(shape: Fields, plain: tuple["int | tuple[int, ...]", ...]) -> Data:
    """Return a row whose numbers are already those of the wire."""
    made = [_cell(one, value) for (_, one), value in zip(shape.elements, plain, strict=True)]
    return Data(Tag.STRUCTURE, tuple(made))


def _cell(shape: Shape, value: "int | tuple[int, ...]") -> Data:
    if isinstance(shape, Rows) and isinstance(value, tuple):
        return Data(Tag.ARRAY, tuple([_cell(shape.element, number) for number in value]))
    if not isinstance(shape, Scalar) or isinstance(value, tuple):
        raise TypeError(f"a log gives {value!r} where its row has {shape}")
    return Data(shape.tag, value % _WRAP if shape.tag is Tag.UINT32 else value)


# -- rows ----------------------------------------------------------------------------------------


def _registers(model: "EsmeModel", one: Snapshot) -> tuple["int | tuple[int, ...]", ...]:
    blocks = [
        tuple(one.block.get(block * BLOCK_TOUS + tou, 0) for tou in range(BLOCK_TOUS))
        for block in range(BLOCKS)
    ]
    tous = tuple(one.tou.get(place, 0) for place in range(TOUS))
    if model.elements == 1:
        return (to_zigbee_seconds(one.at), one.import_wh, tous, *blocks)
    second = tuple(model.store.numbers("second_tou_wh", 4))
    return (
        to_zigbee_seconds(one.at),
        one.import_wh,
        model.store.number("second_import_wh"),
        tous,
        second,
        *blocks,
    )


def _balances(one: Snapshot) -> tuple[int, ...]:
    return (to_zigbee_seconds(one.at), *one.account)


def _of_snapshots(
    rows: Callable[["EsmeModel"], list[Snapshot]],
    shown: Callable[["EsmeModel", Snapshot], tuple["int | tuple[int, ...]", ...]],
) -> Callable[["EsmeModel", Span, UtcMs], Plain]:
    def read(model: "EsmeModel", _span: Span, now: UtcMs) -> Plain:
        model.ledger.settle(now)
        return [shown(model, one) for one in rows(model)]

    return read


def _profile(kind: Kind) -> Callable[["EsmeModel", Span, UtcMs], Plain]:
    def read(model: "EsmeModel", span: Span, now: UtcMs) -> Plain:
        for end in _ends(model, span, now, HALF_HOUR_MS, PROFILE_DAYS):
            energy = model.consumption.energy_wh(kind, end)
            energy -= model.consumption.energy_wh(kind, UtcMs(end - HALF_HOUR_MS))
            second = (0,) if kind is Kind.IMPORT and model.elements > 1 else ()
            yield (to_zigbee_seconds(end), energy, *second)

    return read


def _daily_consumption(model: "EsmeModel", span: Span, now: UtcMs) -> Plain:
    for end in _ends(model, span, now, DAY_MS, CONSUMPTION_DAYS):
        energy = model.consumption.energy_wh(Kind.IMPORT, end)
        energy -= model.consumption.energy_wh(Kind.IMPORT, UtcMs(end - DAY_MS))
        second = (0,) if model.elements > 1 else ()
        yield (to_zigbee_seconds(end), energy, *second)


def _ends(
    model: "EsmeModel", span: Span, now: UtcMs, step_ms: int, most_days: int
) -> Iterable[UtcMs]:
    """Yield the ends of the periods in a span that the device lived through."""
    since = model.ledger.base_at
    earliest = model.consumption.start if since is None else since
    first = max(earliest, now - most_days * DAY_MS, from_zigbee_seconds(span[0]) - step_ms)
    last = min(now, from_zigbee_seconds(span[1]))
    for end in range((first // step_ms + 1) * step_ms, last + 1, step_ms):
        yield UtcMs(end)


def _voltage(phase: int) -> Callable[["EsmeModel", Span, UtcMs], Plain]:
    def read(model: "EsmeModel", span: Span, now: UtcMs) -> Plain:
        period_ms = max(model.store.number(f"voltage_period_{phase}_s"), 1) * 1000
        rows = max(1, min(4320, DAY_MS * 90 // period_ms))
        earliest = UtcMs(now - rows * period_ms)
        later = (max(span[0], to_zigbee_seconds(earliest)), span[1])
        for end in _ends(model, later, now, period_ms, PROFILE_DAYS):
            middle = UtcMs(end - period_ms // 2 + phase - 1)
            yield to_zigbee_seconds(end), millivolts(model, middle) // 1000

    return read


def _events(model: "EsmeModel", _span: Span, _now: UtcMs) -> Plain:
    return [(to_zigbee_seconds(e.at), e.code) for e in model.device.event_log]


def _security(model: "EsmeModel", _span: Span, _now: UtcMs) -> Plain:
    return [(to_zigbee_seconds(e.at), e.code) for e in model.device.security_log]


def _controllers(model: "EsmeModel", _span: Span, _now: UtcMs) -> Plain:
    return [(to_zigbee_seconds(UtcMs(at)), script, 0, at // 1000) for at, script in model.orders]


def _power(model: "EsmeModel", _span: Span, _now: UtcMs) -> Plain:
    return [(to_zigbee_seconds(UtcMs(at)), code) for at, code in model.power_events]


def _payments(model: "EsmeModel", _span: Span, now: UtcMs) -> Plain:
    model.ledger.settle(now)
    account = model.ledger.account
    return [(to_zigbee_seconds(UtcMs(at)), amount) for at, amount in account.payments]


def _credits(model: "EsmeModel", _span: Span, now: UtcMs) -> Plain:
    model.ledger.settle(now)
    account = model.ledger.account
    return [(to_zigbee_seconds(UtcMs(at)), amount) for at, amount in account.credits]


def _boosts(model: "EsmeModel", _span: Span, _now: UtcMs) -> Plain:
    return [(to_zigbee_seconds(UtcMs(at)), code) for at, code in model.boost.entries]


#: Log word of the catalogue -> rows the device lived through.
LOGS: Final[Mapping[str, Callable[["EsmeModel", Span, UtcMs], Plain]]] = {
    "billing-registers": _of_snapshots(lambda model: model.ledger.billing, _registers),
    "billing-balances": _of_snapshots(
        lambda model: model.ledger.billing, lambda _, one: _balances(one)
    ),
    "tariff-changes": _of_snapshots(
        lambda model: model.ledger.changes,
        lambda model, one: (*_registers(model, one), *one.account),
    ),
    "daily-registers": _of_snapshots(lambda model: model.ledger.daily, _registers),
    "daily-balances": _of_snapshots(
        lambda model: model.ledger.daily, lambda _, one: _balances(one)
    ),
    "daily-export": _of_snapshots(
        lambda model: model.ledger.daily,
        lambda _, one: (to_zigbee_seconds(one.at), one.export_wh),
    ),
    "daily-consumption": _daily_consumption,
    "profile-import": _profile(Kind.IMPORT),
    "profile-export": _profile(Kind.EXPORT),
    "profile-reactive-import": _profile(Kind.REACTIVE_IMPORT),
    "voltage-1": _voltage(1),
    "voltage-2": _voltage(2),
    "voltage-3": _voltage(3),
    "events": _events,
    "security": _security,
    "power": _power,
    "controllers": _controllers,
    "debt-payments": _payments,
    "credits": _credits,
    "boost": _boosts,
}
