"""Appendices B and C: every check fails alone, in order; the links between them can be swapped."""

from dataclasses import replace

import pytest

from device_profiles.errors import UnknownNameError
from harness.rules import migration_appendices as appendices
from harness.rules.migration_appendices import CLAUSES, DeviceFacts, ask, called_by
from harness.rules.migration_rulebook import Judge
from harness.rules.migration_tables import AppendixRow
from harness.rules.outcomes import Result, supplier_view
from tests.harness.rules.rule_witnesses import DAY, SEEN, book, judge

ROWS = [(clause, row) for clause in CLAUSES for row in called_by(book(), clause)]
WELL = DeviceFacts(SEEN, has_gsme_detail=True)


def wrong(row: AppendixRow) -> appendices.Value:
    return {"true": False, "false": True}.get(row.test, "something else")


@pytest.mark.parametrize("clause", CLAUSES)
def test_devices_that_are_well_pass(clause: str) -> None:
    outcome, finding = ask(judge(), clause, WELL)
    assert outcome.result is Result.PASSED
    assert finding is None


@pytest.mark.parametrize(("clause", "row"), ROWS, ids=[f"{c} {r.fact}" for c, r in ROWS])
def test_each_check_fails_alone_with_its_code_and_reaches_the_supplier(
    clause: str, row: AppendixRow
) -> None:
    for seen in ({**SEEN, row.fact: wrong(row)}, {k: v for k, v in SEEN.items() if k != row.fact}):
        outcome, finding = ask(judge(), clause, DeviceFacts(seen, has_gsme_detail=True))
        assert outcome.rejected
        assert (outcome.code, outcome.sub_code) == (row.code, row.sub_code)
        assert finding is not None
        assert finding.row is row
        (told,) = supplier_view([outcome])
        assert told.sub_code == row.sub_code
        assert row.supplier_says in told.text
        assert row.fact not in told.text


def test_the_first_failing_check_of_the_table_is_the_one_that_counts() -> None:
    for clause in CLAUSES:
        rows = called_by(book(), clause)
        seen = SEEN | {row.fact: wrong(row) for row in rows}
        _, finding = ask(judge(), clause, DeviceFacts(seen, has_gsme_detail=True))
        assert finding is not None
        assert finding.row is rows[0]


def test_gas_checks_are_made_where_there_is_a_gsme_detail_alone() -> None:
    esme_only = {name: value for name, value in SEEN.items() if name.startswith("esme")}
    facts = DeviceFacts(esme_only, has_gsme_detail=False)
    assert ask(judge(), "16.9.2", facts)[0].result is Result.SKIPPED
    assert ask(judge(), "16.10.2", facts)[0].result is Result.PASSED
    assert ask(judge(), "16.9.2", replace(facts, has_gsme_detail=True))[0].code == "GT01"


def test_the_two_links_can_be_swapped_as_data() -> None:
    links = book().links
    swapped = {
        "16.9.2": links["16.9.2"].model_copy(update={"appendix": "C"}),
        "16.10.2": links["16.10.2"].model_copy(update={"appendix": "B"}),
    }
    by = Judge(replace(book(), links=swapped), DAY)
    failing = DeviceFacts({**SEEN, "gsme.mprn": "9"}, has_gsme_detail=True)
    assert ask(judge(), "16.9.2", failing)[0].rejected
    assert not ask(by, "16.9.2", failing)[0].rejected
    outcome, _ = ask(by, "16.10.2", failing)
    assert (outcome.rule, outcome.code, outcome.sub_code) == ("16.10.2", "X-16.9.2", "04")


def test_gas_failures_on_the_han_can_leave_the_gas_meter_out() -> None:
    _, finding = ask(judge(), "16.9.2", DeviceFacts({**SEEN, "gsme.answered": False}, True))
    assert finding is not None
    assert (finding.row.code, finding.row.on_failure) == ("GT01", "exclude-gsme")


def test_values_may_be_compared_with_words_of_the_table() -> None:
    row = called_by(book(), "16.10.2")[0]
    equals = row.model_copy(update={"test": "equals", "value": "yes"})
    one_of = row.model_copy(update={"test": "one-of", "value": "a; b"})
    for changed, good in ((equals, "yes"), (one_of, "b")):
        seen = DeviceFacts({row.fact: good}, has_gsme_detail=True)
        assert appendices.first_failure((changed,), seen) is None
        other = DeviceFacts({row.fact: "c"}, has_gsme_detail=True)
        assert appendices.first_failure((changed,), other) is not None


def test_a_clause_that_no_table_links_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        called_by(book(), "16.11.2")
