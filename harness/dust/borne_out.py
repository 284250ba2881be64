"""Steps that a party says it took, and the letters that bear them out.

A party can write into a history that it took a step. What it cannot do is have others get the
letter that goes with it: each such letter is known by its row in a table.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from pydantic import Field

from device_profiles.files import Folders
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from harness.dust.chronicle import BEARS
from harness.dust.events import DustEvent
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import State
from harness.migration.steps import OK
from harness.parties.post import Letter
from harness.rules.migration_tables import TableRow, Word, load_table

_TABLE: Final = "dust-letters.csv"
_REF: Final = "ref"
_BLANK: Final = re.compile(r"\{(ref|chf|esme|gsme)\}")
_SPELT: Final = r"[A-Za-z0-9._-]+"
#: Devices of which the inventory must say so before a notice of them is due.
_COMMISSIONED: Final = "C5"
_CONTACT, _MOVED, _NOTICE, _DROPPED = "H4", "H3", "C6", "C7"


class LetterRow(TableRow):
    """A letter that bears out a step.

    Attributes:
        step: The step.
        sender: Who writes it; ``{chf}``: the home's hub.
        receiver: Who gets it.
        kind: Kind of letter.
        summary: How its summary begins, with ``{ref}``, ``{chf}``, ``{esme}`` or ``{gsme}``.
        says: The letter, in words.
    """

    step: Word
    sender: str
    receiver: str
    kind: str
    summary: Annotated[str, Field(min_length=1)]
    says: str


def load_letters(overlays: Folders = ()) -> tuple[LetterRow, ...]:
    """Load the table.

    Raises:
        DataError: It cannot be used.
    """
    return load_table(LetterRow, _TABLE, overlays)


@dataclass(frozen=True, slots=True)
class Borne:
    """What a letter bears out.

    Attributes:
        step: The step.
        ref: The home.
        says: The letter, in words: which of the step's.
    """

    step: str
    ref: str
    says: str


@dataclass(frozen=True, slots=True)
class Bearings:
    """Knows the letters of homes.

    Attributes:
        rows: The table.
        refs: EUI-64 -> the home it stands in; a home's own ref likewise.
    """

    rows: Sequence[LetterRow]
    refs: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, homes: Iterable[Installation], overlays: Folders = ()) -> "Bearings":
        """Return what knows the letters of some homes."""
        known = {device.eui64: home.ref for home in homes for device in home.devices}
        return cls(load_letters(overlays), {**known, **{ref: ref for ref in known.values()}})

    def borne_by(self, letter: Letter) -> Borne | None:
        """Return what a letter bears out; None: nothing."""
        for row in self.rows:
            if row.kind != letter.kind or row.receiver != letter.receiver:
                continue
            hit = _pattern(row.summary).match(letter.summary)
            ref = None if hit is None else self.refs.get(next(iter(hit.groups()), ""))
            if ref is not None and _BLANK.sub(hit[1] if hit else "", row.sender) == letter.sender:
                return Borne(row.step, ref, row.says)
        return None


def _pattern(summary: str) -> re.Pattern[str]:
    head, blank, tail = (*_BLANK.split(summary, maxsplit=1), "", "")[:3]
    return re.compile(f"{re.escape(head)}({_SPELT if blank else ''}){re.escape(tail)}")


def missing(
    record: InstallationRecord, rows: Sequence[LetterRow], events: Iterable[DustEvent]
) -> tuple[str, ...]:
    """Return what no letter bears out of the steps that a home's history says were taken.

    Args:
        record: What is kept of the home.
        rows: The table.
        events: What happened at the home.
    """
    borne = {tuple(one.told[BEARS]) for one in events if BEARS in one.told}
    due = [row for row in rows if _is_due(record, row)]
    return tuple(f"{row.step}: {row.says}" for row in due if (row.step, row.says) not in borne)


def _is_due(record: InstallationRecord, row: LetterRow) -> bool:
    if row.step == _NOTICE:
        return _blank(row) in set(_commissioned(record))
    if row.step == _DROPPED:
        return record.state is State.MIGRATED
    taken = [n for n, one in enumerate(record.history) if (one.step, one.result) == (row.step, OK)]
    if row.step == _CONTACT:
        return any(_moved_before(record.history[:number]) for number in taken)
    return bool(taken)


def _moved_before(history: Sequence[Entry]) -> bool:
    """Say whether the hub's SIM moved in the same attempt: only then it announces itself."""
    last = next((one for one in reversed(history) if one.step == _MOVED), None)
    return last is None or "5.8A" not in last.text


def _blank(row: LetterRow) -> str:
    hit = _BLANK.search(row.summary)
    return _REF if hit is None else hit[1]


def _commissioned(record: InstallationRecord) -> Iterator[str]:
    """Yield the types of devices that the inventory calls Commissioned, in a table's words."""
    done = {one.device for one in record.history if (one.step, one.result) == (_COMMISSIONED, OK)}
    if record.state is not State.MIGRATED:
        return
    for kind in (DeviceType.ESME, DeviceType.GSME):
        known = record.device(kind)
        if known is not None and str(known.eui64) in done:
            yield kind.value.lower()
