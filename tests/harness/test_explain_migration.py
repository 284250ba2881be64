"""Every rule, code and step of a migration can be explained, and every stand-in row is listed."""

import re
from pathlib import Path

import pytest

import harness
from device_profiles.evidence import EvidenceKind
from device_profiles.files import SHIPPED
from device_profiles.participant_codes import load_participant_codes
from harness.door.errors import DoorCode
from harness.errors import UsageError
from harness.explain import explain
from harness.explain_migration import migration_meanings
from harness.migration.step_table import load_steps
from harness.parties.s1sp_desk_faults import DeskFault
from harness.rules.migration_rulebook import load_rule_book
from harness.standins import OTHER_STAND_INS, collect

BOOK = load_rule_book()
SOURCES = Path(harness.__file__).parent


def test_every_rule_code_and_step_has_a_meaning_with_its_mark() -> None:
    known = {(one.kind, one.id): one for one in migration_meanings()}
    for rule in BOOK.rules:
        assert known["migration rule", rule].details["step"]
    for code, sub_code in BOOK.codes.codes:
        assert known["migration code", f"{code} {sub_code}".strip()].details["retry"]
    for step in load_steps():
        assert known["migration step", step].details["actor"]
    assert all(one.says and one.evidence for one in known.values())


@pytest.mark.parametrize(
    ("term", "kind", "id_"),
    [
        ("MA110", "migration rule", "MA110"),
        ("ma110 x-01", "migration code", "MA110 X-01"),
        ("x-v3/09", "migration code", "X-V3 09"),
        ("X-16.9.2 06", "migration code", "X-16.9.2 06"),
        ("H4", "migration step", "H4"),
    ],
)
def test_a_term_is_explained_however_it_is_written(term: str, kind: str, id_: str) -> None:
    assert (kind, id_) in {(one.kind, one.id) for one in explain(term)}


def test_every_code_that_the_harness_can_give_stands_in_the_tables() -> None:
    """A code that is only in the program would be one that nobody can look up."""
    written = set()
    for path in SOURCES.rglob("*.py"):
        written |= set(re.findall(r'"(X-[0-9A-Z][0-9A-Z.-]*|MA110|GT01)"', path.read_text("utf-8")))
    known = {code for code, _sub_code in BOOK.codes.codes}
    known |= {row.code for row in BOOK.rules.values()}
    known |= {row.code for rows in BOOK.appendices.values() for row in rows}
    known |= {one.code for one in load_participant_codes().values() if one.kind == "paper"}
    # Alerts of the S1SP and sub-codes of MA110 are no codes of a migration.
    written = {one for one in written if not re.match(r"X-(S1SP|DCO-PART)-|X-\d\d$", one)}
    assert written <= known, sorted(written - known)


def test_stand_ins_of_the_migration_are_listed_with_what_replaces_them() -> None:
    found = [one for one in collect() if one.file.startswith("catalogues/")]
    files = {one.file for one in found}
    tables = {
        f"catalogues/{path.stem}" for path in (SHIPPED / "catalogues").glob("migration-*.csv")
    }
    unmarked = {name for name in tables if "real-codes" in name}  # empty until someone has them
    sourced = {"catalogues/migration-exclusions", "catalogues/migration-failure-classes"}
    assert tables - unmarked - sourced <= files
    assert {"catalogues/epcl", "catalogues/dmc"} <= files
    for one in found:
        assert one.mark.kind in {EvidenceKind.STAND_IN, EvidenceKind.INFERRED}
        if one.file.startswith("catalogues/migration-"):
            assert one.path
            assert one.replaced_by
            assert one.where.endswith(".csv")
    assert "migration schema" in OTHER_STAND_INS


def test_rows_of_an_overlay_without_a_mark_are_the_users_own_and_no_stand_ins(
    tmp_path: Path,
) -> None:
    catalogues = tmp_path / "catalogues"
    catalogues.mkdir()
    head = "version,from_day,expires_on,says,evidence\n"
    text = f"{head}1,2020-01-01,2024-12-31,mine,\n"
    (catalogues / "migration-tmad.csv").write_text(text, "utf-8")
    files = {one.file for one in collect((tmp_path,))}
    assert "catalogues/migration-tmad" not in files
    assert "catalogues/migration-rules" in files


def test_every_refusal_of_the_desk_and_of_the_door_is_explained() -> None:
    kinds = {"S1SP refusal", "refusal of the participant door"}
    for code in (*DeskFault, *DoorCode):
        found = [one for one in explain(str(code)) if one.kind in kinds]
        assert found, code
        assert all(one.says and one.evidence for one in found)


def test_a_clause_without_its_letter_is_answered_with_the_clauses_that_hold_it() -> None:
    with pytest.raises(UsageError) as refused:
        explain("18.63")
    assert "18.63(d)" in refused.value.cause
