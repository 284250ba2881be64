"""Registers, load profile, clock and lists; SER-003 to SER-006 and SER-013."""

import itertools
from typing import Final

from emulator.codecs.dlms import axdr, date_time
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.selective import (
    CaptureObject,
    EntrySelection,
    RangeSelection,
    read_capture_object,
    selection_of,
)
from emulator.core.clock import UtcMs
from harness.meter import Unanswered
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    HOUR_S,
    associate,
    dlms,
    items,
    meter,
    moment,
    number,
    octets,
    pause,
    read,
    read_moment,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    CLOCK,
    CLOCK_CLASS,
    DATA,
    IMPORT,
    LOAD_PROFILE,
    NOWHERE,
    PROFILE,
    RATES,
    REGISTER,
    SERIAL_NUMBER,
    attribute,
)
from harness.scenarios.serial.row import meter_row

#: COSEM unit of energy. Source: IEC 62056-6-2 (known; serial-dlms.md 8.2).
_WH: Final = 30
#: Seconds by which a meter's clock may be wrong. Source: invented.
CLOCK_LIMIT_S: Final = 60
#: Rows of the load profile compared with each other. Source: invented.
ROWS: Final = 48


@step("The registers add up", "COSEM register", "IEC 62056-5-3 GET", timeout_s=300)
async def adds_up(run: Run) -> None:
    """Total and rates in one list, so that they are of one instant; unit and scaler of both."""
    await associate(run, "management")
    wanted = [attribute(REGISTER, obis) for obis in (IMPORT, *RATES)]
    answer = await meter(run).get(wanted)
    run.require("answers to the list", " ".join(["a value"] * len(wanted)), word_of(answer))
    if isinstance(answer, Unanswered):
        return
    total, *rates = [number(item) or 0 for item in answer]
    run.check("sum of the rates", total, sum(rates))
    shapes = []
    for obis in (IMPORT, RATES[0]):
        shape = items(await read_value(run, "scaler and unit", attribute(REGISTER, obis, 3)))
        shapes.append([number(part) for part in shape])
    run.check("unit of the total", _WH, shapes[0][1] if len(shapes[0]) == 2 else None)
    run.check("scaler and unit of total and rates", shapes[0], shapes[1])
    run.facts["total"], run.facts["scaler"] = total, shapes[0][0]
    run.event("registers-read", total=total)


@step("Time passes, and the total does not fall", "COSEM register", timeout_s=600)
async def does_not_fall(run: Run) -> None:
    """Read the total again."""
    await pause(run, 5)
    again = number(await read_value(run, "total import", attribute(REGISTER, IMPORT)))
    run.measure("growth of the total", (again or 0) - run.facts["total"], "counts", 0, 10_000)


@step("Register and load profile agree", "COSEM profile", "COSEM register", timeout_s=600)
async def agrees_with_the_profile(run: Run) -> None:
    """The last captured total is at most the register, and not more than an hour's use below."""
    columns = await profile_columns(run)
    place = next((n for n, column in enumerate(columns) if column.class_id == REGISTER), None)
    run.require("the load profile captures a register", True, place is not None)
    rows = await entries(run, await rows_in_use(run), 0)
    run.require("the load profile has rows", True, len(rows) > 0)
    captured = number(items(rows[-1])[place or 0]) or 0
    scaler = 10.0 ** run.facts["scaler"]
    run.measure(
        "register less last captured value",
        round((run.facts["total"] - captured) * scaler),
        "Wh",
        0,
        20_000,
    )
    run.outcome("REGISTERS-READ")
    await meter(run).release()


async def profile_columns(run: Run) -> list[CaptureObject]:
    """Return what the load profile captures."""
    found = await read_value(run, "the profile's columns", attribute(PROFILE, LOAD_PROFILE, 3))
    return [read_capture_object(item) for item in items(found)]


async def rows_in_use(run: Run) -> int:
    """Return how many rows the load profile holds."""
    found = await read_value(run, "rows in use", attribute(PROFILE, LOAD_PROFILE, 7))
    return number(found) or 0


async def entries(run: Run, first: int, last: int) -> tuple[Data, ...]:
    """Return rows of the load profile by number, from 1; a last of 0 means the newest."""
    chosen = selection_of(EntrySelection(first, last))
    wanted = Attribute(attribute(PROFILE, LOAD_PROFILE).descriptor, chosen)
    return items(await read_value(run, f"rows {first} to {last or 'the newest'}", wanted))


SER_003: Final = meter_row(
    id="SER-003",
    title="Registers add up and agree with the load profile",
    outcome="REGISTERS-READ",
    steps=(adds_up, does_not_fall, agrees_with_the_profile),
    saboteur="s1-esme-tou-does-not-add-up",
    expected_events=("registers-read",),
)


@step("The load profile has a row for every period", "COSEM profile", timeout_s=HOUR_S)
async def has_every_row(run: Run) -> None:
    """Read the newest rows; their times lie one capture period apart."""
    await associate(run)
    columns = await profile_columns(run)
    run.facts["clock"] = next(
        (n for n, column in enumerate(columns) if column.class_id == CLOCK_CLASS), None
    )
    run.require("one column is the clock", True, run.facts["clock"] is not None)
    period = number(await read_value(run, "capture period", attribute(PROFILE, LOAD_PROFILE, 4)))
    run.check("capture period", dlms(run).capture_period_s, period)
    held = await rows_in_use(run)
    run.require("rows in use", True, held > 2)
    first = max(1, held - ROWS + 1)
    rows = await entries(run, first, held)
    run.check("number of rows", held - first + 1, len(rows))
    times = [moment(items(row)[run.facts["clock"]]) or UtcMs(0) for row in rows]
    steps = sorted({later - sooner for sooner, later in itertools.pairwise(times)})
    run.check("milliseconds from row to row", [1000 * (period or 0)], steps)
    run.facts["rows"] = [axdr.encode(row).hex() for row in rows]
    run.event("profile-read", rows=len(rows))


@step("By range the same rows come", "COSEM profile", timeout_s=HOUR_S)
async def same_by_range(run: Run) -> None:
    """Ask for the middle rows by their times, both ends included."""
    rows = [axdr.decode(bytes.fromhex(row)) for row in run.facts["rows"]]
    middle = rows[len(rows) // 4 : len(rows) // 2 + 1]
    place = run.facts["clock"]
    clock = (await profile_columns(run))[place]
    ends = [items(row)[place] for row in (middle[0], middle[-1])]
    chosen = selection_of(RangeSelection(clock, ends[0], ends[1]))
    wanted = Attribute(attribute(PROFILE, LOAD_PROFILE).descriptor, chosen)
    found = items(await read_value(run, "a range of rows", wanted))
    run.check("rows of the range", _hex(middle), _hex(found))
    run.event("range-read", rows=len(found))


@step("By columns the same values come", "COSEM profile", timeout_s=HOUR_S)
async def same_by_column(run: Run) -> None:
    """Ask for one column of some rows by number."""
    held = await rows_in_use(run)
    rows = await entries(run, held - 1, held)
    chosen = selection_of(EntrySelection(held - 1, held, 2, 2))
    wanted = Attribute(attribute(PROFILE, LOAD_PROFILE).descriptor, chosen)
    found = items(await read_value(run, "one column", wanted))
    expected = [items(row)[1] for row in rows]
    run.check("second column", _hex(expected), _hex([items(row)[0] for row in found if items(row)]))
    run.outcome("PROFILE-READ")
    await meter(run).release()


def _hex(rows: tuple[Data, ...] | list[Data]) -> list[str]:
    return [axdr.encode(row).hex() for row in rows]


SER_004: Final = meter_row(
    id="SER-004",
    title="Load profile: rows, range and columns tell the same",
    outcome="PROFILE-READ",
    steps=(has_every_row, same_by_range, same_by_column),
    saboteur="s1-esme-profile-gap",
    expected_events=("profile-read", "range-read"),
)


@step("The clock is right", "COSEM clock", timeout_s=120)
async def clock_is_right(run: Run) -> None:
    """Compare the meter's clock with the bench's."""
    await associate(run)
    told = await read_moment(run, "the clock", attribute(CLOCK_CLASS, CLOCK))
    wrong_s = (told - run.bench.clock.now()) / 1000
    run.measure("meter's clock less bench's", wrong_s, "s", -CLOCK_LIMIT_S, CLOCK_LIMIT_S)
    run.outcome("CLOCK-RIGHT")
    run.event("clock-read", wrong_s=str(wrong_s))
    await meter(run).release()


SER_005: Final = meter_row(
    id="SER-005",
    title="The meter's clock is right",
    outcome="CLOCK-RIGHT",
    steps=(clock_is_right,),
    saboteur="s1-esme-clock-adrift",
    expected_events=("clock-read",),
)


@step(
    "A list with an undefined object is answered item by item", "IEC 62056-5-3 GET", timeout_s=120
)
async def answers_each(run: Run) -> None:
    """Three attributes in one request, the middle one of an object nobody has."""
    await associate(run)
    wanted = [
        attribute(DATA, SERIAL_NUMBER),
        attribute(REGISTER, NOWHERE),
        attribute(CLOCK_CLASS, CLOCK),
    ]
    answer = await meter(run).get(wanted)
    run.require("number of answers", 3, 0 if isinstance(answer, Unanswered) else len(answer))
    run.check("answers in order", "a value object-undefined a value", word_of(answer))
    if not isinstance(answer, Unanswered):
        single = octets(await read(run, wanted[0]))
        run.check("first answer, asked alone", single, octets(answer[0]))
        run.check("last answer is a date-time", True, moment(answer[2]) is not None)
    run.event("list-answered")
    run.outcome("LIST-ANSWERED")
    await meter(run).release()


SER_006: Final = meter_row(
    id="SER-006",
    title="GET-with-list, an undefined object among them",
    outcome="LIST-ANSWERED",
    steps=(answers_each,),
    saboteur="s1-esme-list-drops-undefined",
    expected_events=("list-answered",),
)


@step("The clock is set ten minutes ahead", "IEC 62056-5-3 SET", "COSEM clock", timeout_s=120)
async def sets_ahead(run: Run) -> None:
    """Write the clock and read it back."""
    await associate(run, "management")
    await _set_clock(run, 600)


@step(
    "The clock is set right again", "COSEM clock", "IEC 62056-5-3 SET", timeout_s=120, always=True
)
async def sets_right(run: Run) -> None:
    """Write the bench's time, whatever went before."""
    await associate(run, "management")
    await _set_clock(run, 0)
    run.outcome("CLOCK-SET")
    await meter(run).release()


async def write_clock(run: Run, ahead_s: int) -> str:
    """Write the bench's time, so many seconds ahead; returns the answer's word."""
    aim = UtcMs(run.bench.clock.now() + ahead_s * 1000)
    value = Data(Tag.OCTETS, date_time.encode(date_time.of_moment(aim)))
    return word_of(await meter(run).set([(attribute(CLOCK_CLASS, CLOCK), value)]))


async def _set_clock(run: Run, ahead_s: int) -> None:
    run.require("answer to the new time", "success", await write_clock(run, ahead_s))
    told = await read_moment(run, "the clock", attribute(CLOCK_CLASS, CLOCK))
    wrong_s = (told - run.bench.clock.now()) / 1000 - ahead_s
    run.measure(f"clock less what was set ({ahead_s} s ahead)", wrong_s, "s", -10, 10)
    run.event("clock-set", ahead_s=ahead_s)


SER_013: Final = meter_row(
    id="SER-013",
    title="The clock is set, and is what it was set to",
    outcome="CLOCK-SET",
    steps=(sets_ahead, sets_right),
    saboteur="s1-esme-forgets-clock-set",
    expected_events=("clock-set", "clock-set"),
)
