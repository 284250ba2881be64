"""Each check, counter, step and rule left out in turn changes the verdict of at least one row.

What is some row's own saboteur is played there: ``test_migration_rows``. Here is the rest.
"""

from pathlib import Path
from typing import Final

import pytest

from harness.parties import image_defects, telling_defects
from harness.parties.migration_defects import DEFECTS, rule_off
from harness.rules.migration_rulebook import load_rule_book
from harness.scenarios.catalogue import CATALOGUE
from harness.scenarios.migration.row import End, MigrationRow
from harness.verdict import Verdict
from tests.scenarios.played import play, scenario

ROWS: dict[str, MigrationRow] = {
    name: scenario(name).settings["row"]
    for name in CATALOGUE
    if name.startswith("MIG-") and "row" in scenario(name).settings
}
#: Defects that are no row's own saboteur.
OTHERS: Final = [name for name in DEFECTS if all(row.saboteur != name for row in ROWS.values())]
#: Rows in which every step is taken: order B, order A, folded, a rollback, a resubmission.
WHOLE: Final = ("MIG-001", "MIG-029", "MIG-009", "MIG-028")
#: Rows that notice a defect which is no row's own saboteur.
ALSO: Final = {
    "mcc-never-excludes": "MIG-084",
    "mcc-refuses-split-supply": "MIG-056",
    "mcc-resubmits-for-every-cohort": "MIG-085",
    "omits-r3": "MIG-073",
    "s1sp-knows-every-make": "MIG-097",
    "s1sp-never-rolls-back": "MIG-029",
    "s1sp-restores-the-hub-first": "MIG-029",
}
#: Defects that no row notices, and why: nothing is silently fine.
UNNOTICED: Final = {
    **dict.fromkeys(
        ["rule-off-7.3.2", "rule-off-dates", "rule-off-p1", "rule-off-mam-4"],
        "asked by `ma check` alone: tests/harness/rules",
    ),
    **dict.fromkeys(
        ["rule-off-entity", "rule-off-b64", "rule-off-sig-cert", "rule-off-key"],
        "no row has such a file: tests/harness/formats/migration_files",
    ),
    "rule-off-value": "what cannot be read as a value is refused with or without the rule",
    "rule-off-4.15": "another week is found as X-SET/03 before it: tests/harness/rules",
    "rule-off-4.49e": "as shipped the duty begins with commissioning: tests/harness/rules",
    **dict.fromkeys(
        [name for name in image_defects.DEFECTS if name != "s1sp-knows-every-make"],
        "about images, which no row of the migration sends: tests/harness/parties",
    ),
    **dict.fromkeys(
        telling_defects.DEFECTS,
        "about what service users are told afterwards: cases of runs, tests/harness/dust",
    ),
    "dcc-orders-no-update": "no row updates firmware beforehand: cases of runs, tests/harness/dust",
    "rule-off-h1": "nothing makes the SMSO fail to let go: a step that never fails",
}


def codes(end: End) -> set[str]:
    step = end.back[0]
    return {end.code, f"X-{step}" if step else ""} - {""}


def candidates(name: str) -> list[str]:
    """Rows that may notice a defect, the likeliest first."""
    also = [ALSO[name]] if name in ALSO else []
    of_rule = [
        row.id
        for rule, entry in load_rule_book().rules.items()
        if rule_off(rule) == name
        for row in ROWS.values()
        for stage in row.stages
        if any(entry.code in codes(end) for end in stage.ends.values())
    ]
    misconduct = [
        row.id for row in ROWS.values() if any(name in stage.misconduct for stage in row.stages)
    ]
    step = name.removeprefix("omits-").split("-")[0].upper() if name.startswith("omits-") else ""
    of_step = [
        row.id
        for row in ROWS.values()
        for stage in row.stages
        if any(step and end.step == step for end in stage.ends.values())
    ]
    whole = list(WHOLE) if step else []
    return list(dict.fromkeys([*also, *of_rule, *misconduct, *of_step, *whole]))[:7]


def is_noticed(name: str, out: Path) -> bool:
    """Whether a row does not pass any more; one that has the defect anyway must need it."""
    for row in candidates(name):
        _, result = play(row, out / row, defects=(name,))
        if result.verdict is not Verdict.PASS:
            return True
    return False


def test_what_goes_unnoticed_is_told_once_and_exists() -> None:
    assert set(UNNOTICED) <= set(OTHERS)


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", OTHERS)
def test_a_defect_changes_a_verdict_or_is_listed(name: str, tmp_path: Path) -> None:
    if any(name in stage.misconduct for row in ROWS.values() for stage in row.stages):
        return  # it is what those rows are about: without it they would not pass
    assert is_noticed(name, tmp_path) is (name not in UNNOTICED)
