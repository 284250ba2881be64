"""The TMAD prevails over the MAM: a MAM file decides its own rules and no other (R-027)."""

from pathlib import Path

import pytest

from device_profiles.errors import DataError, UnknownNameError
from harness.rules.migration_precedence import Effect, MamProvision, load_provisions, settle
from harness.rules.migration_rulebook import Switches, load_rule_book


def _provision(rule: str, effect: Effect) -> MamProvision:
    return MamProvision(rule=rule, clause="MAM 6", effect=effect, evidence="user:0123456789abcdef")


def test_the_mam_cannot_switch_off_what_the_tmad_defines() -> None:
    found = settle(load_rule_book(), [_provision("5.9.10", "not-asked")], Switches())
    assert found.switches == Switches()
    assert [one.clause for one in found.overruled] == ["TMAD 5.9.10"]
    assert found.overruled[0].text().endswith("TMAD 5.9.10 prevails")


@pytest.mark.parametrize(
    ("effect", "switches"),
    [
        ("not-asked", Switches(disabled=frozenset({"MAM-6"}))),
        ("warns", Switches(overridden=frozenset({"MAM-6"}))),
        ("asked", Switches(forced=frozenset({"MAM-6"}))),
    ],
)
def test_the_mam_decides_its_own_rules(effect: Effect, switches: Switches) -> None:
    found = settle(load_rule_book(), [_provision("MAM-6", effect)], Switches())
    assert found.switches == switches
    assert not found.overruled


def test_no_rule_of_any_other_document_follows_the_mam() -> None:
    book = load_rule_book()
    others = [rule for rule, row in book.rules.items() if not row.clause.startswith("MAM")]
    assert {"1.3", "5.8", "5.9.10", "MA110", "P4"} <= set(others)
    found = settle(book, [_provision(rule, "warns") for rule in others], Switches())
    assert found.switches == Switches()
    assert len(found.overruled) == len(others)


def test_what_the_operator_chose_stays() -> None:
    mine = Switches(disabled=frozenset({"5.9.10"}))
    found = settle(load_rule_book(), [_provision("MAM-6", "not-asked")], mine)
    assert found.switches.disabled == {"5.9.10", "MAM-6"}


def test_a_provision_about_no_rule_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        settle(load_rule_book(), [_provision("MAM-99", "asked")], Switches())


def test_a_mam_file_is_read_and_its_rows_are_marked_as_the_user_s(tmp_path: Path) -> None:
    path = tmp_path / "mam.csv"
    path.write_text("rule,clause,effect\nMAM-6,MAM 6.1,warns\n", encoding="utf-8")
    (found,) = load_provisions(path)
    assert (found.rule, found.effect) == ("MAM-6", "warns")
    assert found.evidence.startswith("user:")
    path.write_text("rule,clause,effect\nMAM-6,MAM 6.1,perhaps\n", encoding="utf-8")
    with pytest.raises(DataError):
        load_provisions(path)
