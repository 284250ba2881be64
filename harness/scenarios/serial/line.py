"""What the line itself does to a conversation: noise, silence and a dropped link; SER-010, 018."""

from collections import Counter
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.selective import EntrySelection, selection_of
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    associate,
    dlms,
    items,
    meter,
    number,
    octets,
    pause,
    read,
    read_value,
    word_of,
)
from harness.scenarios.serial.objects import (
    ASSOCIATION,
    ASSOCIATION_LN,
    DATA,
    EVENT_LOG,
    PROFILE,
    SERIAL_NUMBER,
    attribute,
)
from harness.scenarios.serial.registers import write_clock
from harness.scenarios.serial.row import meter_row

_SERIAL: Final = attribute(DATA, SERIAL_NUMBER)
_LOG_ROWS: Final = attribute(PROFILE, EVENT_LOG, 7)
#: Times the same is read over a noisy line. Source: invented.
_TIMES: Final = 12


@step(
    "Over a noisy line every answer is right or there is none", "IEC 62056-46", timeout_s=4 * 3600
)
async def right_or_none(run: Run) -> None:
    """Read the object list and the serial number again and again; no answer may differ."""
    await associate(run)
    serial = octets(await read_value(run, "the serial number", _SERIAL))
    view = items(await read_value(run, "the object list", attribute(ASSOCIATION_LN, ASSOCIATION)))
    wrong: list[str] = []
    silent = 0
    for _ in range(_TIMES):
        answer = await read(run, _SERIAL)
        if octets(answer) == serial:
            continue
        silent += 1
        wrong += [word_of(answer)] if word_of(answer) == "a value" else []
        await associate(run)
    again = items(await read_value(run, "the object list", attribute(ASSOCIATION_LN, ASSOCIATION)))
    run.check("answers that are wrong", [], wrong)
    run.check("object list, read again", len(view), len(again))
    run.event("noise-survived", silent=silent)
    run.outcome("RIGHT-OR-NONE")


@step("What is written over a noisy line is executed once", "IEC 62056-46", timeout_s=3600)
async def executed_once(run: Run) -> None:
    """Every write the meter takes leaves one entry of a kind in its log; repeats leave none."""
    await associate(run, "management")
    before = number(await read_value(run, "entries of the log", _LOG_ROWS)) or 0
    taken = await _counted_writes(run)
    chosen = selection_of(EntrySelection(before + 1))
    wanted = Attribute(attribute(PROFILE, EVENT_LOG).descriptor, chosen)
    rows = items(await read_value(run, "the new entries", wanted))
    kinds = Counter(number(part) for row in rows for part in items(row)[1:2])
    run.check("new entries of each kind", [taken], sorted(set(kinds.values())))
    run.event("writes-counted", taken=taken)
    await meter(run).release()


async def _counted_writes(run: Run) -> int:
    taken = 0
    for ahead_s in (120, 240, 0):
        taken += await write_clock(run, ahead_s) == "success"
    return taken


SER_010: Final = meter_row(
    id="SER-010",
    title="A noisy line",
    outcome="RIGHT-OR-NONE",
    steps=(right_or_none, executed_once),
    saboteur="s1-esme-executes-repeats",
    needs=frozenset({"noise"}),
    faults=("corrupt:p=0.04@line", "drop:p=0.04@line", "duplicate:p=0.04@line"),
    expected_events=("noise-survived", "writes-counted"),
)


@step("A link nobody uses is dropped after the inactivity time-out", "IEC 62056-46", timeout_s=3600)
async def drops_the_link(run: Run) -> None:
    """Associate, say nothing for longer than the time-out: the association is gone."""
    await associate(run)
    run.check("reading at once", "a value", word_of(await read(run, _SERIAL)))
    await pause(run, dlms(run).hdlc.inactivity_s + 5)
    answer = await read(run, _SERIAL)
    run.check("reading after the time-out", True, octets(answer) is None)
    run.event("link-dropped")
    await associate(run)
    run.check("reading after associating anew", "a value", word_of(await read(run, _SERIAL)))
    run.outcome("DROPPED")
    await meter(run).release()


SER_018: Final = meter_row(
    id="SER-018",
    title="A link nobody uses",
    outcome="DROPPED",
    steps=(drops_the_link,),
    saboteur="s1-esme-keeps-idle-links",
    expected_events=("link-dropped",),
)
