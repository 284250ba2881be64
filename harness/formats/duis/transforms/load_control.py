"""Auxiliary loads and controllers: 6.14, 7.5, 7.6, 7.8, 7.12, 7.13, 7.16.

Source:
    RTDS 4.5.0 ECS47, ECS47a, ECS47e; the calendar by ECS46c. ECS47Reset, ECS46a, ECS46d and ECS38
    have no message at hand: the use-case tables and the emulator's scripts.
"""

from typing import Any, Final

from emulator.codecs.dlms.axdr import Data
from emulator.codecs.gbcs.use_cases import MessageCode
from harness.formats.duis.transforms.dlms_data import (
    ScheduleRow,
    array,
    bits,
    special_day_rows,
)
from harness.formats.duis.transforms.load_bodies import (
    ActivateLoad,
    ControllerLevel,
    DeactivateLoad,
    Row,
    SetControllerCalendar,
)
from harness.formats.duis.transforms.outcome import Refusal, TransformError
from harness.formats.duis.transforms.payloads import (
    Asked,
    Payload,
    date_time_data,
    written,
)

#: Orders of ECS47; the low octet of its script. Source: RTDS ECS47; reset: as the emulator has it.
_ACTIVATE: Final = 0x11
_DEACTIVATE: Final = 0x12
_RESET: Final = 0x20
#: High nibble of a level's script: what flows out of the load's controller, or in.
#: Source: inferred of RTDS ECS47a (1564, 2332).
_OUTWARD: Final = 1
_INWARD: Final = 2
_CONTROLLERS: Final = "0-0:10.0.103.255"
_EVERY_DAY: Final = range(7)


def activate(asked: Asked) -> Payload:
    """Return ECS47 of 7.5."""
    body: ActivateLoad = asked.body
    return _timed(asked, "begin", body.load.index, body.load.duration_min, _ACTIVATE)


def deactivate(asked: Asked) -> Payload:
    """Return ECS47 of 7.6."""
    body: DeactivateLoad = asked.body
    return _timed(asked, "end", body.load.index, body.load.duration_min, _DEACTIVATE)


def _timed(asked: Asked, edge: str, index: int, duration_min: int, order: int) -> Payload:
    values = {
        f"aux_controller_{index}_{edge}": duration_min,
        "controller_script": index << 8 | order,
    }
    return written(asked, MessageCode.ECS47, values)


def reset(asked: Asked) -> Payload:
    """Return ECS47 of 7.8."""
    script = asked.body.load.index << 8 | _RESET
    return written(asked, MessageCode.ECS47, {"controller_script": script})


def set_offset_limit(asked: Asked) -> Payload:
    """Return ECS38."""
    values = {"randomised_offset_limit_s": asked.body.limit_s}
    return written(asked, MessageCode.ECS38, values)


def set_level(asked: Asked) -> Payload:
    """Return ECS47a."""
    body: ControllerLevel = asked.body
    return written(
        asked,
        MessageCode.ECS47A,
        _level(body, f"aux_controller_{body.controller}", "controller_script"),
    )


def limit_level(asked: Asked) -> Payload:
    """Return ECS47e."""
    body: ControllerLevel = asked.body
    return written(
        asked, MessageCode.ECS47E, _level(body, f"apc_{body.controller}_limit", "apc_limit_script")
    )


def _level(body: ControllerLevel, name: str, script: str) -> dict[str, Any]:
    if body.end <= body.begin:
        raise TransformError(Refusal.OUT_OF_RANGE, "the span ends before it begins")
    return {
        f"{name}_begin": date_time_data(body.begin),
        f"{name}_end": date_time_data(body.end),
        script: _selector(body.controller, body.level, inward=body.inward is not None),
    }


def _selector(controller: int, level: int, *, inward: bool) -> int:
    return (_INWARD if inward else _OUTWARD) << 12 | controller << 8 | level


def set_descriptions(asked: Asked) -> Payload:
    """Return ECS46a."""
    names = sorted(asked.body.descriptions, key=lambda one: one.index)
    values = {f"aux_controller_{one.index}_description": one.name for one in names}
    return written(asked, MessageCode.ECS46A, values)


def set_calendar(asked: Asked) -> Payload:
    """Return ECS46d."""
    body: SetControllerCalendar = asked.body
    days = sorted(body.special_days.days, key=lambda one: one.number)
    values = {
        "passive_controller_special_days": special_day_rows(
            [(one.number, one.octets, one.number) for one in days]
        ),
        "passive_controller_calendar": array(
            _row(index, row, len(days)) for index, row in enumerate(body.rows, 1)
        ),
        "controller_calendar_activation": asked.activation,
        "controller_special_days_activation": asked.activation,
    }
    return written(asked, MessageCode.ECS46D, values)


def _row(index: int, row: Row, special_days: int) -> Data:
    action, span = row.action, row.span
    days = _EVERY_DAY if row.weekdays is None else [one.number for one in row.weekdays.days]
    return ScheduleRow(
        _CONTROLLERS,
        _selector(action.controller, action.level, inward=action.inward is not None),
        span.at,
        bits(7, days),
        bits(special_days, [one.number - 1 for one in row.special_days]),
        (span.begin.octets, span.end.octets),
    ).data(index)
