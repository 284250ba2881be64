"""Every rule has a witness; switching it off, forcing or overriding it changes the verdict."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from device_profiles.errors import DataError, UnknownNameError
from device_profiles.evidence import EvidenceKind, Mark
from device_profiles.files import SHIPPED
from harness.rules.counters import COUNTER_CHECKS
from harness.rules.migration_rulebook import Judge, Switches, load_rule_book
from harness.rules.outcomes import Refusal, Result, rejection, supplier_view
from tests.harness.rules.rule_witnesses import DAY, OF_FILES, book, judge, witnesses

RULES = sorted(witnesses())


def test_every_rule_of_the_table_has_a_witness() -> None:
    shown = set(witnesses()) | {"7.3.2"} | OF_FILES
    assert shown <= set(book().rules)
    rest = [row.step for rule, row in book().rules.items() if rule not in shown]
    assert all(step[0] in "HTRMC" for step in rest), "those of devices: the scenarios show them"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_accepts_what_is_well_and_refuses_its_witness(rule: str) -> None:
    witness, row = witnesses()[rule], book().rules[rule]
    assert witness.ask(rule, witness.good, judge()).result is Result.PASSED
    refused = witness.ask(rule, witness.bad, judge())
    assert refused.result is Result.REJECTED
    assert refused.sub_code == witness.sub_code
    assert refused.code in {row.code, "GT01"}
    assert (refused.step, refused.clause) == (row.step, row.clause)
    assert refused.text
    Mark.parse(refused.evidence)
    assert book().codes.find(refused.code, refused.sub_code) is not None


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_is_switched_off_refuses_nothing(rule: str) -> None:
    witness = witnesses()[rule]
    off = witness.ask(rule, witness.bad, judge(disabled=frozenset({rule})))
    assert (off.result, off.code, off.sub_code) == (Result.SKIPPED, "", "")
    assert "switched off" in off.text


@pytest.mark.parametrize("rule", RULES)
def test_an_overridden_rejection_is_a_warning_that_says_so(rule: str) -> None:
    witness = witnesses()[rule]
    told = witness.ask(rule, witness.bad, judge(overridden=frozenset({rule})))
    assert told.result is Result.WARNED
    assert told.code
    assert told.text.startswith("overridden by the operator")


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_holds_on_its_days_only_unless_it_is_forced(rule: str) -> None:
    witness, row = witnesses()[rule], book().rules[rule]
    dated = row.model_copy(update={"valid_from": date(2021, 3, 1), "valid_to": date(2021, 3, 2)})
    changed = replace(book(), rules={**book().rules, rule: dated})
    expected = {1: Result.REJECTED, 2: Result.REJECTED, 3: Result.SKIPPED}
    for day, result in expected.items():
        by = Judge(changed, date(2021, 3, day))
        assert witness.ask(rule, witness.bad, by).result is result
    early = Judge(changed, date(2021, 2, 28))
    assert witness.ask(rule, witness.bad, early).result is Result.SKIPPED
    forced = Judge(changed, date(2021, 2, 28), Switches(forced=frozenset({rule})))
    assert witness.ask(rule, witness.bad, forced).result is Result.REJECTED


@pytest.mark.parametrize("rule", RULES)
def test_suppliers_see_the_sub_code_of_every_rejection_but_no_counter(rule: str) -> None:
    witness = witnesses()[rule]
    refused = witness.ask(rule, witness.bad, judge())
    (seen,) = supplier_view([refused])
    if rule in {"5.9.5", "5.9.6", "5.9.7"}:
        assert (seen.code, seen.sub_code, seen.text) == ("X-SEQUENCE", "", "file sequencing error")
        shown = str(seen.as_json())
        assert not any(text in shown for text in ("5.9", "40", "41", "42", "counter"))
        assert refused.internal
        assert "40" not in repr(refused)
    else:
        assert (seen.code, seen.sub_code) == (refused.code, refused.sub_code)
        assert seen.text


def test_a_supplier_sees_nothing_of_rules_that_were_met() -> None:
    met = [w.ask(rule, w.good, judge()) for rule, w in witnesses().items()]
    assert supplier_view(met) == ()
    assert rejection(met) is None


def test_rules_are_asked_in_the_order_of_the_table_and_stop_when_told_to() -> None:
    bad = witnesses()["5.9.5"].bad
    bad = replace(bad, mvf=1, mef=2)
    every = judge().run(COUNTER_CHECKS, bad)
    assert [one.rule for one in every] == ["5.9.5", "5.9.6", "5.9.7"]
    assert all(one.rejected for one in every)
    assert [one.rule for one in judge().run(COUNTER_CHECKS, bad, stop=True)] == ["5.9.5"]
    swapped = dict(reversed(list(book().rules.items())))
    by = Judge(replace(book(), rules=swapped), DAY)
    assert [one.rule for one in by.run(COUNTER_CHECKS, bad)] == ["5.9.7", "5.9.6", "5.9.5"]
    assert rejection(every) is every[0]


def test_a_rule_id_that_no_rule_has_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"5\.9\.11"):
        Switches(disabled=frozenset({"5.9.11"})).refuse_unknown(book())
    with pytest.raises(UnknownNameError):
        judge().ask("5.9.11", lambda _facts: None, None)
    with pytest.raises(UnknownNameError):
        judge().run({"5.9.11": lambda _facts: None}, None)
    Switches(forced=frozenset(book().rules)).refuse_unknown(book())


def test_invented_codes_are_prefixed_and_the_two_real_ones_are_verbatim() -> None:
    for code, sub_code in book().codes.codes:
        if not code.startswith("X-"):
            assert code in {"MA110", "GT01"}
            assert not sub_code or sub_code.startswith("X-")
    for row in book().rules.values():
        assert row.code == "MA110" or row.code.startswith("X-")


def test_every_row_of_every_table_carries_a_mark() -> None:
    found = book()
    rows = [*found.rules.values(), *found.codes.codes.values(), *found.codes.classes.values()]
    rows += [*found.exclusions, *found.split_supply.values(), *found.tmad, *found.links.values()]
    rows += [row for appendix in found.appendices.values() for row in appendix]
    kinds = {Mark.parse(row.evidence).kind for row in rows}
    assert kinds <= {EvidenceKind.SOURCE, EvidenceKind.INFERRED, EvidenceKind.STAND_IN}


def overlay(folder: Path, name: str, text: str) -> tuple[Path, ...]:
    catalogues = folder / "catalogues"
    catalogues.mkdir(parents=True, exist_ok=True)
    (catalogues / name).write_text(text, "utf-8")
    return (folder,)


def test_real_codes_take_the_place_of_ours_when_someone_has_them(tmp_path: Path) -> None:
    head = "code,sub_code,real_code,real_sub_code,evidence\n"
    text = f"{head}X-5.9.10,01,QQ17,03,\nX-1.3,,QQ18,,\n"
    folders = overlay(tmp_path, "migration-real-codes.csv", text)
    codes = load_rule_book(folders).codes
    assert codes.shown("X-5.9.10", "01") == ("QQ17", "03")
    assert codes.shown("X-1.3", "02") == ("QQ18", "02")
    assert codes.shown("X-5.8", "01") == ("X-5.8", "01")
    stand_in = overlay(tmp_path, "migration-real-codes.csv", f"{head}X-1.3,,Q,,known\n")
    with pytest.raises(DataError, match="bad-mark"):
        load_rule_book(stand_in)


def test_an_overlay_swaps_a_table_and_marks_its_rows(tmp_path: Path) -> None:
    head = "version,from_day,expires_on,says,evidence\n"
    folders = overlay(tmp_path, "migration-tmad.csv", f"{head}1,2020-01-01,2020-06-30,mine,\n")
    (row,) = load_rule_book(folders).tmad
    assert Mark.parse(row.evidence).kind is EvidenceKind.USER


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("migration-rules.csv", ("5.9.10,", "5.8,"), "duplicate-entry"),
        ("migration-rules.csv", (",file,", ",folder,"), "invalid-value"),
        ("migration-codes.csv", ("X-5.8,01", "Y-5.8,01"), "invalid-value"),
        ("migration-codes.csv", ("MA110,X-01", "MA110,01"), "invalid-value"),
        ("migration-codes.csv", ("X-5.8,01", "X-1.3,01"), "duplicate-entry"),
        ("migration-codes.csv", ("X-5.8,01,data", "X-5.8,01,fate"), "dangling-reference"),
        ("migration-split-supply.csv", ("dual,same,all-null,yes", "dual,same,all-null,no"), "dupl"),
        ("migration-split-supply.csv", ("pass,", "perhaps,"), "invalid-value"),
        ("migration-settings.csv", ("party_octet_last,7", "party_octet_last,9"), "inconsistent"),
        ("migration-settings.csv", ("party_octet_last,7", "party_octet_last,x"), "invalid-value"),
        ("migration-settings.csv", ("party_octet_last", "party_octet_end"), "invalid-value"),
        ("migration-tmad.csv", ("2020-09-18", "2020-07-24"), "duplicate-entry"),
        ("migration-appendix-b.csv", ("same-as", "like"), "invalid-value"),
    ],
)
def test_each_wrong_table_has_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, change: tuple[str, str], code: str
) -> None:
    shipped = tmp_path / "shipped"
    (shipped / "catalogues").mkdir(parents=True)
    for path in (SHIPPED / "catalogues").glob("migration-*.csv"):
        (shipped / "catalogues" / path.name).write_bytes(path.read_bytes())
    path = shipped / "catalogues" / name
    text = path.read_text("utf-8")
    assert change[0] in text
    path.write_text(text.replace(*change), "utf-8")
    monkeypatch.setattr("harness.rules.migration_tables.SHIPPED", shipped)
    with pytest.raises(DataError) as caught:
        load_rule_book()
    assert caught.value.code.startswith(code)


def test_a_truth_table_with_a_hole_is_refused(tmp_path: Path) -> None:
    path = SHIPPED / "catalogues" / "migration-split-supply.csv"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = "".join(line for line in lines if not line.startswith("dual,different,some-null,yes"))
    text = kept.replace("stand-in", "").replace('"source:S000 §3.1, §5"', "")
    with pytest.raises(DataError, match="dangling-reference"):
        load_rule_book(overlay(tmp_path, path.name, text))


def test_attempts_count_as_the_failure_classes_say() -> None:
    codes = book().codes
    comms, device, data, file = (
        ("X-H4-7D", "01"),
        ("X-16.9.2", "06"),
        ("X-5.9.10", "01"),
        ("X-5.9.5", "01"),
    )
    assert codes.counted_attempts([comms, device, data, file, device]) == 3
    assert codes.counted_attempts([("unknown", "")]) == 1
    assert codes.counted_attempts([]) == 0


def test_a_refusal_with_a_code_of_its_own_keeps_it_for_suppliers() -> None:
    row = book().rules["5.9.5"]
    outcome = judge().refused(row, Refusal("", code="GT01", detail="no gas"))
    assert supplier_view([outcome])[0].code == "GT01"
