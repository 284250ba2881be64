"""What the line itself does to a conversation: noise, silence and a dropped link; SER-010, 018."""

from collections import Counter
from typing import Final

from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.codecs.dlms.axdr import Data
from emulator.codecs.dlms.selective import EntrySelection, selection_of
from harness.run import Run
from harness.scenario import step
from harness.scenarios.serial.actions import (
    PUBLIC,
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
_VIEW: Final = attribute(ASSOCIATION_LN, ASSOCIATION)
_LOG_ROWS: Final = attribute(PROFILE, EVENT_LOG, 7)
#: Times the same is read over a noisy line. Source: invented.
_TIMES: Final = 12
#: Times the clock is written over it. Source: invented.
_WRITES: Final = 20
#: Attempts to associate, or to read, over it. Source: invented.
_ATTEMPTS: Final = 6
#: Not a client that ciphers: there the invocation counter would hide a repeat.
_WRITER: Final = "installer"


async def _associate(run: Run, name: str = PUBLIC) -> None:
    """Associate; over a noisy line that may take several attempts."""
    for _ in range(_ATTEMPTS - 1):
        if (await meter(run).associate(run.bench.credentials("ESME", name))).accepted:
            return
    await associate(run, name)


async def _stubbornly(run: Run, what: str, wanted: Attribute, name: str = PUBLIC) -> Data:
    """Read a value; where the line swallows the answer, associate anew and ask again."""
    for _ in range(_ATTEMPTS - 1):
        found = await read(run, wanted)
        if isinstance(found, Data):
            return found
        await _associate(run, name)
    return await read_value(run, what, wanted)


@step(
    "Over a noisy line every answer is right or there is none", "IEC 62056-46", timeout_s=4 * 3600
)
async def right_or_none(run: Run) -> None:
    """Read the object list and the serial number again and again; no answer may differ."""
    await _associate(run)
    serial = octets(await _stubbornly(run, "the serial number", _SERIAL))
    view = items(await _stubbornly(run, "the object list", _VIEW))
    wrong: list[str] = []
    silent = 0
    for _ in range(_TIMES):
        answer = await read(run, _SERIAL)
        if octets(answer) == serial:
            continue
        silent += 1
        wrong += [word_of(answer)] if word_of(answer) == "a value" else []
        await _associate(run)
    again = items(await _stubbornly(run, "the object list", _VIEW))
    run.check("answers that are wrong", [], wrong)
    run.check("object list, read again", len(view), len(again))
    run.event("noise-survived", silent=silent)
    run.outcome("RIGHT-OR-NONE")


@step("What is written over a noisy line is executed once", "IEC 62056-46", timeout_s=3600)
async def executed_once(run: Run) -> None:
    """Every write the meter takes leaves one entry of a kind in its log; repeats leave none."""
    await _associate(run, _WRITER)
    before = number(await _stubbornly(run, "entries of the log", _LOG_ROWS, _WRITER)) or 0
    taken = await _counted_writes(run)
    chosen = selection_of(EntrySelection(before + 1))
    wanted = Attribute(attribute(PROFILE, EVENT_LOG).descriptor, chosen)
    rows = items(await _stubbornly(run, "the new entries", wanted, _WRITER))
    kinds = Counter(number(part) for row in rows for part in items(row)[1:2])
    entries = max(kinds.values(), default=0)  # a write whose answer was lost left one, too
    run.measure("entries of one kind for the writes", entries, "entries", taken, _WRITES)
    run.event("writes-counted", taken=taken)
    await meter(run).release()


async def _counted_writes(run: Run) -> int:
    taken = 0
    for ahead_s in (*range(60, 60 * _WRITES, 60), 0):
        taken += await write_clock(run, ahead_s) == "success"
    return taken


SER_010: Final = meter_row(
    id="SER-010",
    title="A noisy line",
    outcome="RIGHT-OR-NONE",
    steps=(right_or_none, executed_once),
    saboteur="s1-esme-executes-repeats",
    needs=frozenset({"noise"}),
    faults=("corrupt:p=0.02@line", "drop:p=0.05@line-out", "duplicate:p=0.08,gap_ms=0@line-in"),
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
