"""What the migration pack has to cover, read off its rows as data."""

import itertools
import re
from pathlib import Path

import pytest

from device_profiles.cohort import HandoverOrder, cohort_names, load_cohort
from device_profiles.rows import load_clauses
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from harness.migration.states import State, StrandedCause
from harness.rules.migration_rulebook import load_rule_book
from harness.scenarios.catalogue import CATALOGUE
from harness.scenarios.migration.homes import cohort_of, order_of
from harness.scenarios.migration.row import (
    GasSupplier,
    Home,
    Kind,
    MigrationRow,
    SupplierIds,
)
from tests.scenarios.played import scenario

FOLDER = Path(__file__).resolve().parent.parent.parent / "harness" / "scenarios" / "migration"
ROWS: dict[str, MigrationRow] = {
    name: scenario(name).settings["row"]
    for name in CATALOGUE
    if name.startswith("MIG-") and "row" in scenario(name).settings
}
MIGRATABLE = [name for name in cohort_names() if load_cohort(name).cohort.migratable]
CLEAN = [
    (row, home)
    for row in ROWS.values()
    for home in row.homes
    if len(row.stages) == 1 and row.stages[0].ends.get(home.ref, row) != row
    if row.stages[0].ends[home.ref].state is State.MIGRATED
]


def shape_of(row: MigrationRow, home: Home) -> str:
    if row.stages[0].ends[home.ref].excluded_gas:
        return "gas excluded"
    return home.shape.value


def ends() -> list[tuple[MigrationRow, str, int]]:
    return [
        (row, ref, number)
        for row in ROWS.values()
        for number, stage in enumerate(row.stages)
        for ref in stage.ends
    ]


def test_there_are_at_least_sixty_rows_with_ids_of_their_own() -> None:
    assert len(ROWS) >= 60
    assert [row.id for row in ROWS.values()] == [*ROWS]


@pytest.mark.parametrize(
    ("cohort", "shape"),
    list(itertools.product(MIGRATABLE, ["dual-fuel", "split-supply", "electricity-only"]))
    + [(cohort, "gas excluded") for cohort in MIGRATABLE],
)
def test_every_migratable_cohort_migrates_in_every_shape(cohort: str, shape: str) -> None:
    assert [
        row.id
        for row, home in CLEAN
        if cohort_of(row, home) == cohort and shape_of(row, home) == shape
    ]


def test_every_class_and_both_orders_migrate() -> None:
    assert {home.of_class for _row, home in CLEAN} == set(InstallationClass)
    assert {order_of(row) for row, _home in CLEAN} >= set(HandoverOrder)


def test_the_truth_table_is_complete() -> None:
    table = ROWS["MIG-054"]
    kinds = {
        (home.shape is SupplyShape.ELECTRICITY_ONLY, home.gas_supplier, home.supplier_ids)
        for home in table.homes
    }
    ids = (SupplierIds.NULL, SupplierIds.ONE_OWN, SupplierIds.OWN)
    assert kinds == {
        *((True, GasSupplier.SAME, which) for which in ids),
        *((False, GasSupplier.SAME, which) for which in ids),
        *((False, GasSupplier.OTHER_PARTY, which) for which in ids),
    }
    assert any(home.gas_supplier is GasSupplier.OTHER_USER_ID for home in ROWS["MIG-055"].homes)


def test_every_cause_of_stranding_is_completed_by_5_8a_where_the_cohort_has_it() -> None:
    completed = {
        row.stages[number - 1].ends[ref].cause
        for row, ref, number in ends()
        if row.stages[number].kind is Kind.RESUBMIT
        and row.stages[number].ends[ref].state is State.MIGRATED
        and ref in row.stages[number - 1].ends
    }
    assert completed == {
        StrandedCause.FILE_ERROR,
        StrandedCause.NO_CHF_COMMS,
        StrandedCause.ROLLBACK_FAILED,
    }
    assert StrandedCause.TESTING_FAILED in {
        row.stages[number].ends[ref].cause for row, ref, number in ends()
    }


def test_a_rollback_fails_at_every_holder_at_the_sim_and_at_the_proof() -> None:
    stopped = {
        (end.back, frozenset(end.but))
        for row, ref, number in ends()
        if (end := row.stages[number].ends[ref]).back != ("", "")
    }
    steps = {back for back, _restored in stopped}
    assert steps >= {("R1", "02"), ("R1", "03"), ("R1", "04"), ("R2", "01"), ("R3", "01")}
    restored = {names for back, names in stopped if back[0] == "R1"}
    gas, meters = frozenset({DeviceType.GSME}), frozenset({DeviceType.GSME, DeviceType.ESME})
    assert restored >= {frozenset(), gas, meters}


def test_5_8a_is_refused_from_every_state_that_can_rest_and_is_not_stranded() -> None:
    refused = {
        row.stages[number].ends[ref].state
        for row in ROWS.values()
        for number, stage in enumerate(row.stages[:-1])
        for ref in stage.ends
        if row.stages[number + 1].kind is Kind.REFUSED
    }
    assert refused >= {State.REJECTED, State.ROLLED_BACK, State.MIGRATED, State.NOT_PLANNED}


def test_every_clause_of_the_migration_is_shown_by_a_row() -> None:
    mine = (FOLDER.parents[2] / "device_profiles" / "clauses" / "migration.toml").read_text("utf-8")
    ids = set(re.findall(r'^id = "(.*)"$', mine, re.MULTILINE))
    assert ids <= set(load_clauses())
    shown = {ref.id for name in ROWS for ref in scenario(name).clauses}
    assert ids - shown == {"MAM 7.2.2"} - shown


def test_the_codes_that_rows_expect_stand_in_the_tables() -> None:
    known = load_rule_book().codes
    for row, ref, number in ends():
        end = row.stages[number].ends[ref]
        if end.code:
            found = known.find(end.code, end.sub_code)
            assert found is not None, (row.id, end.code, end.sub_code)


def test_no_module_of_the_pack_asks_for_a_cohort_or_a_group() -> None:
    for path in FOLDER.glob("*.py"):
        text = path.read_text("utf-8")
        assert not re.search(r"(group_id|cohort(\.key)?)\s*(==|!=|in)\s*[\"'({]", text), path.name
