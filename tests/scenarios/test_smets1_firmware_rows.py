"""Every SMETS1 firmware and PPMID row passes when all is right, and fails under its saboteur."""

from pathlib import Path

import pytest

from emulator.devices.defects import DEFECTS as DEVICE_DEFECTS
from harness.parties.firmware_defects import DEFECTS as FIRMWARE_DEFECTS
from harness.parties.image_defects import DEFECTS as IMAGE_DEFECTS
from harness.scenarios.catalogue import CATALOGUE
from harness.verdict import ExpectationKind, Verdict
from tests.scenarios.played import play, scenario

#: firmware.md, matrix 11.2: the rows of SMETS1 homes, and those of both worlds.
WANTED = [*(f"FM-{n}" for n in (*range(30, 45), *range(50, 56))), "FM-63", "FM-68"]
PPMIDS = [f"PPMID-{n:03}" for n in range(1, 32)]
ROWS = [*WANTED, *PPMIDS]
#: One row of each kind that runs every day; the rest runs in the soak.
DAILY = ["FM-31", "FM-52", "PPMID-010"]
SOAK = [row for row in ROWS if row not in DAILY]
EVERY = [*DAILY, *(pytest.param(row, marks=pytest.mark.soak) for row in SOAK)]


def test_the_catalogue_holds_the_rows_of_the_matrix() -> None:
    assert {row for row in CATALOGUE if row in ROWS} == set(ROWS)
    assert [row for row in CATALOGUE if row.startswith("PPMID-")] == PPMIDS
    assert sum(row.startswith("FM-") for row in CATALOGUE) == 53


@pytest.mark.parametrize("row", ROWS)
def test_a_row_says_what_it_claims(row: str) -> None:
    found = scenario(row)
    assert found.id == row
    assert found.expected_events
    assert found.silent
    assert found.saboteur in {*DEVICE_DEFECTS, *IMAGE_DEFECTS, *FIRMWARE_DEFECTS}
    assert {ref.id for ref in found.clauses} == {c for step in found.steps for c in step.clauses}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("row", EVERY)
def test_a_row_passes_when_all_do_right(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run")
    assert (result.verdict, result.reason) == (Verdict.PASS, result.reason)
    if scenario(row).expectation.kind is not ExpectationKind.UNCERTAIN:
        assert result.outcome in scenario(row).expectation.outcomes


@pytest.mark.timeout(120)
@pytest.mark.parametrize("row", EVERY)
def test_a_row_fails_under_its_saboteur(row: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run", defects=(scenario(row).saboteur,))
    assert result.verdict is Verdict.FAIL, result.reason


#: Further things a row rests on: a clause, a rule of the data, a limit, a layout field.
ALSO = [
    ("FM-31", "data-ignored-has-the-metadata"),
    ("FM-32", "data-ignored-fits-the-store"),
    ("FM-32", "s1-chf-oversize-blocks-for-good"),
    ("FM-33", "store-taken-for-larger"),
    ("FM-35", "data-ignored-own-make"),
    ("FM-36", "layout-altered-l-foc-t1-digest20"),
    ("FM-40", "s1-chf-keeps-old-version"),
    ("FM-42", "s1-esme-keeps-old-version"),
    ("FM-63", "smets2-dsp-targets-strays"),
]


@pytest.mark.soak
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("row", "defect"), ALSO)
def test_a_row_misses_no_part_of_what_it_rests_on(row: str, defect: str, tmp_path: Path) -> None:
    _, result = play(row, tmp_path / "run", defects=(defect,))
    assert result.verdict is Verdict.FAIL, result.reason


def test_a_success_that_the_clauses_call_unlikely_is_flagged(tmp_path: Path) -> None:
    _, result = play("FM-30", tmp_path / "run")
    assert (result.verdict, result.outcome) == (Verdict.PASS, "ACTIVATED")
    assert result.unexpected_success
    off = tuple(name for name in FIRMWARE_DEFECTS if name.startswith("clause-off-s1sr-18.63d"))
    _, without = play("FM-30", tmp_path / "off", defects=off)
    assert without.verdict is Verdict.PASS
    assert not without.unexpected_success


def test_a_clause_that_an_overlay_withdraws_changes_the_expectation_without_code(
    tmp_path: Path,
) -> None:
    """18.63(c) off: 18.63(d) is left, which calls a success unlikely and demands nothing."""
    folder = tmp_path / "data" / "clauses"
    folder.mkdir(parents=True)
    text = '[[effect]]\nid = "S1SR 18.63(c) third-party"\nstatus = "withdrawn"\n'
    (folder / "ours.toml").write_text(text, encoding="utf-8")
    _, shipped = play("FM-35", tmp_path / "shipped")
    _, result = play("FM-35", tmp_path / "run", data=(tmp_path / "data",))
    kinds = [one.declared["expectation"]["kind"] for one in (shipped, result)]
    assert kinds == ["exact", "unlikely"]
    assert result.outcome == shipped.outcome == "NOT_SUPPORTED"


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_what_nobody_knows_ends_in_more_than_one_way_and_never_fails(tmp_path: Path) -> None:
    """FM-38: whether such a display takes an image is drawn from the seed."""
    ends = set()
    for seed in range(1, 9):
        _, result = play("FM-38", tmp_path / str(seed), seed=seed)
        assert result.verdict is Verdict.PASS, result.reason
        ends.add(result.outcome)
    assert len(ends) > 1
    assert "ACTIVATED" in ends


@pytest.mark.soak
@pytest.mark.timeout(300)
def test_where_the_documents_are_silent_the_dsp_is_seen_to_do_both(tmp_path: Path) -> None:
    ends = {play("FM-41", tmp_path / str(seed), seed=seed)[1].outcome for seed in (1, 4)}
    assert ends == {"allowed", "refused"}


@pytest.mark.timeout(120)
@pytest.mark.soak
@pytest.mark.parametrize("row", ["FM-31", "FM-43"])
def test_the_same_seed_gives_the_same_octets_and_another_seed_others(
    row: str, tmp_path: Path
) -> None:
    one, _ = play(row, tmp_path / "one")
    again, _ = play(row, tmp_path / "again")
    other, result = play(row, tmp_path / "other", seed=2)
    captured = [folder.file("capture").read_bytes() for folder in (one, again, other)]
    assert captured[0] == captured[1]
    assert captured[0] != captured[2]
    assert result.verdict is Verdict.PASS, result.reason
