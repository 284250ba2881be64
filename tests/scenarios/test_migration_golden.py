"""The worked traces of the reference, T-A to T-G: every word, and the moments that matter."""

from pathlib import Path
from typing import Any

import pytest

from harness.migration.course import Course
from harness.scenarios.migration import world as worlds
from harness.verdict import Verdict
from tests.scenarios.played import play, scenario

WEEK_MS = 7 * 86_400_000
PLANNED = "P1 P2 P3 P4 P5 P6 Authorised V1"
CHANGED_HANDS = "H1, HandedOver, H2 CHF, H2 ESME, H2 GSME, H3"
CHECKED = "V4 V5 V6"
COMMISSIONED = (
    "Commissioning, C1, C2 CHF, C3 CHF, C5 CHF,"
    " C2 ESME, C3 ESME, C3 ESME, C4 ESME, C5 ESME,"
    " C2 GSME, C3 GSME, C3 GSME, C4 GSME, C5 GSME,"
    " C2 PPMID, C3 PPMID, C3 PPMID, C5 PPMID, C6, C7, Migrated"
)
TESTED = "Testing, T1 CHF, T2, T3 ESME, T4 GSME, T5 PPMID, T6, T7, Viable"
RESTORED = "RollingBack, R1 GSME, R1 ESME, R1 CHF, R2, R3, RolledBack"
SKIPPED = "H1~, H2~, H3~, AwaitingCHF, H4"


def words(*parts: str) -> list[str]:
    """Words of a trace: parts without a comma are lists of single words."""
    told: list[str] = []
    for part in parts:
        told += part.split(", ") if "," in part else part.split()
    return told


GOLDEN = {
    "MIG-024": words(
        PLANNED,
        CHANGED_HANDS,
        "InValidation V2 V3",
        CHECKED,
        "AwaitingCHF H4",
        TESTED,
        COMMISSIONED,
    ),
    "MIG-025": [
        *words(PLANNED, "InValidation V2"),
        "V4! X-5.9.10/01",
        *words("Rejected", PLANNED, "InValidation V2", CHANGED_HANDS, "InValidation V3", CHECKED),
        *words("AwaitingCHF H4", TESTED, COMMISSIONED),
    ],
    "MIG-026": [
        *words(PLANNED, CHANGED_HANDS, "InValidation V2 V3"),
        "V4! X-5.9.10/01",
        *words("AwaitingCHF H4", RESTORED),
    ],
    "MIG-028": [
        *words(PLANNED, CHANGED_HANDS, "InValidation V2 V3", CHECKED, "AwaitingCHF H4"),
        *words("Testing, T1 CHF, T2, T3 ESME, T4! GSME X-16.9.2/08"),
        *words("RollingBack, R1! GSME X-R1/02, Stranded"),
        *words("M1 M2 InValidation V1 V2 V3", CHECKED, SKIPPED, TESTED, COMMISSIONED),
    ],
    "MIG-029": [
        *words(PLANNED, CHANGED_HANDS, "InValidation V2 V3", CHECKED, "AwaitingCHF H4"),
        *words("Testing, T1 CHF, T2, T3! ESME X-16.10.2/01", RESTORED),
    ],
}


@pytest.mark.parametrize("row", list(GOLDEN))
def test_the_pack_expects_the_golden_trace_word_for_word(row: str) -> None:
    assert list(scenario(row).expected_events) == GOLDEN[row]


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Course]:
    """The courses of the runs that are played from now on."""
    seen: list[Course] = []
    made = worlds.World._courses

    def courses(self: Any, *args: Any) -> Any:
        for key, course in made(self, *args):
            seen.append(course)
            yield key, course

    monkeypatch.setattr(worlds.World, "_courses", courses)
    return seen


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_t_c_times_out_after_seven_days_and_completes_the_whole_list_by_5_8a(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watched(monkeypatch)
    _, result = play("MIG-027", tmp_path / "run")
    assert result.verdict is Verdict.PASS, result.reason
    (course,) = seen
    assert sorted(course.records) == ["NORTH", "SOUTH", "WEST"]
    for record in course.records.values():
        moved = next(one.at for one in record.history if one.step == "H3")
        late = next(one.at for one in record.history if one.step == "H4" and one.code)
        # Judged by when the hub was heard; noted when the round over three hubs comes to it.
        assert 0 <= late - moved - WEEK_MS < 60_000
        assert not [one for one in record.history if one.step.startswith("R")]
        assert [one.result for one in record.history if one.step == "H2"][-1] == "skipped"
        assert record.attempts == 2
        assert record.judgement
    assert {hand.mode.value for hand in course.files.hands} == {"Full", "Complete5.8A"}
    first, second = (hand.counter for hand in course.files.hands)
    assert second > first


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_t_f_leaves_other_sets_alone_and_tells_the_supplier_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = watched(monkeypatch)
    _, result = play("MIG-030", tmp_path / "run")
    assert result.verdict is Verdict.PASS, result.reason
    first, second = (next(iter(course.records.values())) for course in seen)
    assert (first.state.value, second.state.value) == ("Migrated", "Stranded")
    hand = seen[1].files.hands[-1]
    view = hand.results["SECOND"].for_suppliers()
    assert [one.code for one in view.findings] == ["X-SEQUENCE"]
    assert not any(character.isdigit() for one in view.findings for character in one.text)


def test_t_g_is_the_trace_of_a_home_that_never_had_gas() -> None:
    found = scenario("MIG-031").expected_events
    twin = [word.removeprefix("TWIN ") for word in found if word.startswith("TWIN ")]
    home = [word.removeprefix("HOME ") for word in found if word.startswith("HOME ")]
    assert twin == home
    assert "T4~" in home
    assert not [word for word in home if word.endswith("GSME")]


@pytest.mark.timeout(120)
def test_a_boundary_lies_at_the_second() -> None:
    early, late = (scenario(name).settings["row"] for name in ("MIG-058", "MIG-059"))
    orders = [row.stages[0].script[0].orders[0] for row in (early, late)]
    assert orders == [f"late:s={WEEK_MS // 1000 - 1}@sim", f"late:s={WEEK_MS // 1000}@sim"]
    assert [row.stages[0].ends["HOME"].state.value for row in (early, late)] == [
        "Migrated",
        "Stranded",
    ]
