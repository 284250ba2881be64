"""Readings that were told against what the meter shows: registers, profiles, logs.

Source:
    stand-in: the illustrative devices' objects and event codes (``dmves.csv``, serial-dlms.md);
    how far a value may move between answer and look: invented.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from device_profiles.words import DeviceType
from emulator.codecs.dlms.apdu_parts import Attribute, DataAccessResult, Descriptor
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.han_log import LogRow, decode_log
from emulator.core.clock import UtcMs, iso
from emulator.core.errors import MalformedFrameError
from harness.dust.told import (
    ABOUT,
    PERIOD,
    PROFILE_CLASS,
    VALUE,
    Answer,
    Differs,
    Shown,
    Whose,
    whole,
)
from harness.dust.told_looked import (
    WORDS,
    Looked,
    decimal,
    name_of,
    of_events,
    plain,
    rows_between,
    time_of,
    with_rate,
)
from harness.formats.duis import smets1_bodies as bodies

#: What a meter enters into its event log. Source: stand-in (every maker has a list of its own).
_POWER_DOWN, _POWER_UP, _CLOCK_FROM, _CLOCK_TO = 1, 2, 4, 5
_HALF_HOUR_MS: Final = 1_800_000
_LOG: Final = 104
#: Last group but one of the logical name of an object that no model has: it is to be undefined.
_NOT_THERE: Final = 199


# -- registers -----------------------------------------------------------------------------------


def around(looked: Looked) -> tuple[Attribute, ...]:
    """Return the rows of the load profile around the moment of the answer."""
    table = looked.value(PROFILE_CLASS, "4.8.1")
    at = looked.answer.at
    return () if table is None else rows_between(table, at - _HALF_HOUR_MS, at + _HALF_HOUR_MS)


def of_register(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 4.1.1: total, rates, and the rows around the moment."""
    total = looked.total
    if total is None:
        return ()
    about = Descriptor(total.class_id, total.obis, ABOUT)
    nowhere = Descriptor(total.class_id, with_rate(total.obis, _NOT_THERE), VALUE)
    return (*whole((about, total, *looked.rates(), nowhere)), *around(looked))


def register(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield what is wrong with the register that was told."""
    total = looked.total
    if total is None:
        return
    yield from _papers(looked, shown, total)
    yield from _rates(looked, shown, total)
    yield from _undefined(shown, total)
    power, unit = looked.scaled()
    told, said = _told_register(looked.answer)
    now = shown.number(total)
    if now is None:
        return
    low, high = _between(looked, shown, total, now)
    least, most = (Decimal(one).scaleb(power) for one in (low, high))
    if said != unit or told is None or not least <= told <= most:
        seen = f"{plain(least)} to {plain(most)} {unit} at {iso(looked.answer.at)}"
        name = f"register {name_of(total)}"
        yield Differs(name, f"{plain(told)} {said}".strip(), seen, Whose.S1SP)


def _between(looked: Looked, shown: Shown, total: Descriptor, now: int) -> tuple[int, int]:
    """Return between which numbers the register stood at the moment of the answer."""
    table, low, high = looked.value(PROFILE_CLASS, "4.8.1"), 0, now
    for at, value in () if table is None else shown.rows(table, total):
        if at <= looked.answer.at:
            low = max(low, value)
        else:
            high = min(high, value)
    return low, high


def _told_register(answer: Answer) -> tuple[Decimal | None, str]:
    gas = answer.device_type is DeviceType.GSME
    name = "ConsumptionRegister" if gas else "ActiveImportRegister"
    unit = answer.text(name, "Unit" if gas else "ActiveEnergyUnit")
    return decimal(answer.text(name, "Value")), unit


def _papers(looked: Looked, shown: Shown, total: Descriptor) -> Iterator[Differs]:
    """Yield a scaler or unit that is not that of the model."""
    parts = shown.data(Descriptor(total.class_id, total.obis, ABOUT))
    held = None if parts is None else parts.value
    numbers = [one.value for one in held] if isinstance(held, tuple) else []
    if len(numbers) < VALUE:
        return
    power, unit = looked.scaled()
    word = WORDS.get(int(str(numbers[1])), str(numbers[1]))
    if (numbers[0], word) != (power, unit):
        what = f"scaler and unit of {name_of(total)}"
        yield Differs(
            what, f"10^{numbers[0]!r} {word}", f"10^{power} {unit} by its model", Whose.DEVICE
        )


def _rates(looked: Looked, shown: Shown, total: Descriptor) -> Iterator[Differs]:
    """Yield rates that do not add up; read one after another, each may be one further on."""
    found = [shown.number(one) for one in looked.rates()]
    numbers, now = [one for one in found if one is not None], shown.number(total)
    if not numbers or len(numbers) < len(found) or now is None:
        return
    if not 0 <= sum(numbers) - now <= len(numbers):
        rest = f"the total {now} of the same moment"
        yield Differs(f"rates of {name_of(total)}", f"{sum(numbers)} together", rest, Whose.DEVICE)


def _undefined(shown: Shown, total: Descriptor) -> Iterator[Differs]:
    """Yield a list that does not say of an object that is not there that it is undefined."""
    nowhere = Descriptor(total.class_id, with_rate(total.obis, _NOT_THERE), VALUE)
    if shown.is_whole and isinstance(shown.values.get(nowhere), DataAccessResult):
        return
    what = f"object {name_of(nowhere)}, which no model has"
    found = "a value" if shown.is_whole else "left out of the list in which it was asked for"
    yield Differs(what, found, "undefined is due", Whose.DEVICE)


# -- profiles and logs ----------------------------------------------------------------------------


def of_profile(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 4.8.1: the same part of the profile, its period, the events."""
    table, request = looked.value(PROFILE_CLASS), looked.answer.request
    if table is None or not isinstance(request, bodies.ReadActiveImportProfileData):
        return ()
    period = Attribute(Descriptor(table.class_id, table.obis, PERIOD))
    rows = rows_between(table, request.period.first, request.period.last)
    return (period, *rows, *of_events(looked))


def profile(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield rows that differ, lie outside of what was asked for, or are missing."""
    table, request = looked.value(PROFILE_CLASS), looked.answer.request
    if table is None or not isinstance(request, bodies.ReadActiveImportProfileData):
        return
    period = request.period
    held = dict(shown.rows(table, looked.total))
    told, name = _told_rows(looked), f"profile {name_of(table)}"
    outside = [at for at in held if not period.first <= at <= period.last]
    if outside:
        seen = f"{iso(period.first)} to {iso(period.last)} was asked for"
        yield Differs(f"rows of {name}", f"one of {iso(outside[0])}", seen, Whose.DEVICE)
    for at in sorted(told.keys() | held.keys()):
        if told.get(at) != held.get(at):
            one, other = (_row_says(rows.get(at)) for rows in (told, held))
            yield Differs(f"{name} at {iso(at)}", one, other, Whose.S1SP)
            break
    yield from _gaps(looked, shown, sorted(held), period)


def _row_says(value: int | None) -> str:
    return "no row" if value is None else str(value)


def _told_rows(looked: Looked) -> dict[UtcMs, int]:
    gas = looked.answer.device_type is DeviceType.GSME
    power = -looked.scaled()[0] if gas else 0
    found: dict[UtcMs, int] = {}
    for node in looked.answer.nodes("LogEntry"):
        value = decimal(node.find("Gas" if gas else "Electricity", "PrimaryValue") or "")
        at = time_of(node.find("Timestamp"))
        if at is not None and value is not None:
            found[at] = int(value.scaleb(power))
    return found


def _gaps(
    looked: Looked, shown: Shown, held: Sequence[UtcMs], period: bodies.LogPeriod
) -> Iterator[Differs]:
    """Yield the first row that is missing though the meter had power and its clock was not set."""
    table = looked.value(PROFILE_CLASS)
    step = None if table is None else shown.number(Descriptor(table.class_id, table.obis, PERIOD))
    if table is None or not step:
        return
    step_ms = step * 1000
    due = range(-(-period.first // step_ms) * step_ms, period.last + 1, step_ms)
    excuses = {_POWER_DOWN, _POWER_UP, _CLOCK_FROM, _CLOCK_TO}
    upset = [at for at, code in looked.entries(shown) if code in excuses]
    first = min(held, default=UtcMs(0))
    for at in due:
        near = any(abs(one - at) <= step_ms for one in upset)
        if at not in held and at >= first and not near:
            seen = f"a row every {step} s by its own capture period"
            yield Differs(
                f"profile {name_of(table)}", f"no row at {iso(UtcMs(at))}", seen, Whose.DEVICE
            )
            return


def of_log(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 6.13: both logs."""
    return whole([one for one in looked.reads(PROFILE_CLASS) if one.index == VALUE])


def log(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield entries of a log that are missing, or that were added."""
    tables, request = of_log(looked), looked.answer.request
    if not tables or not isinstance(request, bodies.ReadEventOrSecurityLog):
        return
    security = request.log in {bodies.LogName.SECURITY, bodies.LogName.GSME_SECURITY}
    table = tables[-1 if security else 0].descriptor
    held = [(at, code) for at, code in shown.rows(table) if at <= looked.answer.at]
    rows = [
        (time_of(one.find("Timestamp")), int(one.find("LogCode") or "0", 16))
        for one in looked.answer.nodes("LogEntry")
    ]
    told = [(at, code) for at, code in rows if at is not None and at <= looked.answer.at]
    alike = held[-len(told) :] if told else held
    missing = [one for one in alike if one not in told]
    added = [one for one in told if one not in held]
    for one, word in [(one, "missing") for one in missing[:1]] + [(o, "there") for o in added[:1]]:
        entry = f"entry {one[1]} of {iso(one[0])}"
        seen = "the entry" if word == "missing" else "no such entry"
        yield Differs(f"log {name_of(table)}", f"{entry} {word}", seen, Whose.S1SP)


def of_hub_log(looked: Looked) -> tuple[Attribute, ...]:
    """Return what is read for 8.9."""
    return whole(looked.reads(_LOG))


def hub_log(looked: Looked, shown: Shown) -> Iterator[Differs]:
    """Yield what is wrong with the device log that was told."""
    told = sorted(
        f"{node.find('DeviceType')} {node.find('DeviceID')}"
        for node in looked.answer.nodes("LogEntry")
    )
    data = next((shown.data(one) for one in looked.reads(_LOG)), None)
    rows = sorted(f"{row.device_type} {row.eui64}" for row in log_rows(data))
    if data is not None and told != rows:
        one, other = ", ".join(told) or "no device", ", ".join(rows) or "no device"
        yield Differs("device log", one, other, Whose.S1SP)


def log_rows(data: Data | None) -> tuple[LogRow, ...]:
    """Return the rows of a hub's device log; none where it cannot be read."""
    try:
        return () if data is None else decode_log(data)
    except MalformedFrameError:
        return ()
