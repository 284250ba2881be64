"""Limits of auxiliary proportional controllers: they begin and end at dates."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from emulator.codecs.gbcs.dates import NEVER
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect, Note
from emulator.devices.access_engine import AccessFailedError
from emulator.devices.dated import wait_for
from emulator.devices.esme.model.future import when
from emulator.devices.esme.model.reports import (
    LIMIT_CANCELLED,
    LIMIT_ENDED,
    tell_limit,
    tell_limit_end,
)
from emulator.devices.saved_row import SavedRow

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme
    from emulator.devices.esme.model.model import EsmeModel

#: Timer of the next limit that begins or ends.
LIMIT_TIMER: Final = "model.limits"
_FULL: Final = 100


@dataclass(frozen=True, slots=True)
class Limit(SavedRow):
    """One limit.

    Attributes:
        controller: Kind in the high nibble, number in the low one.
        begin: When it begins, by the device's clock; 0: at once.
        end: When it ends; None: when it is cancelled.
        level: Per cent.
        runs: Whether it has begun.
    """

    controller: int
    begin: UtcMs
    end: UtcMs | None
    level: int
    runs: bool = False


def order(model: "EsmeModel", selector: int, now: UtcMs) -> list[Effect]:
    """Take a Limit APC Level command: knLL, kind k, controller n, LL per cent.

    Raises:
        AccessFailedError: It has no dates.
    """
    controller, level = selector >> 8, selector & 0x7F
    number = controller & 0xF
    begin, end = (_date(model, number, edge) for edge in ("begin", "end"))
    effects = tell_limit(model.device, controller, (begin, end), level, now)
    running = _of(model, number)
    starts = when(begin)
    model.limits = [one for one in model.limits if one is not running]
    if starts is None:
        return [*effects, *_ended(model, running, LIMIT_CANCELLED, now), *wait(model.device, now)]
    ends = None if end == NEVER else when(end)
    model.limits.append(Limit(controller, starts, ends, level))
    return [*effects, *reached(model.device, now)]


def reached(device: "Esme", now: UtcMs) -> list[Effect]:
    """Begin and end the limits that are due, and set the timer to the next date."""
    model, shown = device.model, device.local_time(now)
    effects: list[Effect] = []
    for one in list(model.limits):
        if one.end is not None and one.end <= shown:
            model.limits.remove(one)
            effects += _ended(model, one, LIMIT_ENDED, now)
        elif not one.runs and one.begin <= shown:
            begun = Limit(one.controller, one.begin, one.end, one.level, runs=True)
            model.limits[model.limits.index(one)] = begun
            effects += _level(model, one.controller & 0xF, one.level)
    return [*effects, *wait(device, now)]


def wait(device: "Esme", now: UtcMs) -> list[Effect]:
    """Set the timer to the next date of a limit."""
    dates = [one.end if one.runs else one.begin for one in device.model.limits]
    return wait_for(device, LIMIT_TIMER, [at for at in dates if at is not None], now)


def _ended(model: "EsmeModel", limit: Limit | None, cause: int, now: UtcMs) -> list[Effect]:
    if limit is None:
        return []
    effects = _level(model, limit.controller & 0xF, _FULL) if limit.runs else []
    return [*effects, *tell_limit_end(model.device, limit.controller, cause, now)]


def _level(model: "EsmeModel", number: int, level: int) -> list[Effect]:
    model.levels[number] = level
    return [Note("auxiliary_controller", (("controller", number), ("level_percent", level)))]


def _of(model: "EsmeModel", number: int) -> Limit | None:
    return next((one for one in model.limits if one.controller & 0xF == number), None)


def _date(model: "EsmeModel", number: int, edge: str) -> bytes:
    found = model.store.find(f"apc_{number}_limit_{edge}")
    if found is None or not isinstance(found.value, bytes):
        raise AccessFailedError
    return found.value
