"""One run for many pairs: a defect a home, and the case of ``dust new`` that notices it."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from harness.dust.definition_words import Mode
from harness.dust.new_definition import write_new
from harness.dust.record import DustRecord
from harness.verdict import Verdict
from tests.harness.dust import dust_runs

#: What stands in the place of a defect: a home that is right.
RIGHT: Final = ""
_BLOCK = re.compile(r"(?m)^(?=\[)")
_ABOUT = re.compile(r'(?m)^(?:set = "([a-z]+)"|refs = \["([a-z]+)-\d+"\])$')
_NAME = re.compile(r'(?m)^name = "([a-z]+)"$')
_COUNT = re.compile(r"(?m)^count = \d+$")
_ID = re.compile(r'(?m)^id = "C-\d+"$')
_TITLE = re.compile(r'(?m)^title = "(.*)"$')
#: Tables that are made anew, or left out.
_LEFT_OUT: Final = ("[[mistake]]", "[[change_of_supplier]]", "[[case]]", "[capacity]")


@dataclass(frozen=True)
class Pair:
    """A defect, and the title of the case that notices it."""

    defect: str
    title: str


@cache
def template(cohort: str) -> tuple[str, ...]:
    """Return the tables of what ``dust new`` writes, with the simulated supplier."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.toml"
        write_new(path, cohort, Mode.SIMULATED)
        return tuple(_BLOCK.split(path.read_text(encoding="utf-8")))


def cases(cohort: str) -> dict[str, str]:
    """Return the cases of a template: title -> table."""
    blocks = [one for one in template(cohort) if one.startswith("[[case]]")]
    return {_found(_TITLE, one): one for one in blocks}


def definition(cohort: str, pairs: tuple[Pair, ...], everywhere: str = "") -> str:
    """Return a definition with a home for each pair, and a defect of the whole run."""
    refs, counts = (
        _refs(cohort, pairs),
        Counter(ref.partition("-")[0] for ref in _all(cohort, pairs)),
    )
    return "".join(
        [
            *(_with(block, everywhere) for block in _kept(cohort, counts)),
            "\n[capacity]\nper_day = 500\ndays = 5\n",
            *(_case(cohort, pair, number, ref) for number, (pair, ref) in enumerate(refs.items())),
            *(_fault(pair, ref) for pair, ref in refs.items() if pair.defect),
        ]
    )


def _all(cohort: str, pairs: tuple[Pair, ...]) -> list[str]:
    return list(_refs(cohort, pairs).values())


def _refs(cohort: str, pairs: tuple[Pair, ...]) -> dict[Pair, str]:
    """Give each pair a home of the set that its case is about."""
    told, numbers, found = cases(cohort), Counter[str](), {}
    for pair in pairs:
        about = _ABOUT.search(told[pair.title])
        assert about is not None, pair
        name = about[1] or about[2]
        numbers[name] += 1
        found[pair] = f"{name}-{numbers[name]:03d}"
    return found


def _kept(cohort: str, counts: Mapping[str, int]) -> Iterator[str]:
    for block in template(cohort):
        if block.startswith("[[devices]]"):
            count = counts[_found(_NAME, block)]
            yield _COUNT.sub(f"count = {count}", block) if count else ""
        elif block.startswith(("[[fault]]", "[[early_firmware]]")):
            about = _ABOUT.search(block)
            yield block if about is not None and counts[about[1]] else ""
        elif not block.startswith(_LEFT_OUT):
            yield block


def _with(block: str, everywhere: str) -> str:
    if not everywhere or not block.startswith("[faults]"):
        return block
    return block.replace("defects = []", f'defects = ["{everywhere}"]')


def _case(cohort: str, pair: Pair, number: int, ref: str) -> str:
    block = cases(cohort)[pair.title]
    named = _ID.sub(f'id = "C-{number}"', block)
    return _ABOUT.sub(f'refs = ["{ref}"]', named) + "\n"


def _fault(pair: Pair, ref: str) -> str:
    return f'[[fault]]\nrefs = ["{ref}"]\ndefects = ["{pair.defect}"]\n'


def _found(pattern: re.Pattern[str], block: str) -> str:
    hit = pattern.search(block)
    assert hit is not None, block
    return hit[1]


def played(folder: Path, cohort: str, pairs: tuple[Pair, ...], everywhere: str = "") -> DustRecord:
    """Play a run for pairs."""
    folder.mkdir(parents=True, exist_ok=True)
    file = dust_runs.written(folder, definition(cohort, pairs, everywhere))
    return dust_runs.run(file, folder / "out")


def unnoticed(record: DustRecord, pairs: tuple[Pair, ...]) -> list[str]:
    """Return the defects whose case passes, and the right homes whose case does not."""
    failed = {one.id for one in record.cases if one.verdict > Verdict.PASS}
    return [
        f"{pair.defect or 'right'}: {pair.title}"
        for number, pair in enumerate(pairs)
        if (f"C-{number}" in failed) is not bool(pair.defect)
    ]
