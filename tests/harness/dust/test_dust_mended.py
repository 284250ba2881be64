"""What an audit of runs found: evidence kept, days behind the TMAD, codes of an attempt, causes."""

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.cli import dust_door
from harness.dust import mrr, traffic
from harness.dust.choices import Choices
from harness.dust.closing import run_days
from harness.dust.definition_homes import homes, stock_of
from harness.dust.engine import start
from harness.dust.stock_file import Stock, StockHome
from harness.dust.traffic import Traffic
from harness.errors import UsageError
from harness.formats.duis.faults import DuisError
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import State, StrandedCause
from harness.verdict import Verdict
from tests.harness.cli.command_line import run as command
from tests.harness.dust.definitions_given import given
from tests.harness.dust.dust_runs import SMALL, written
from tests.harness.dust.test_dust_cases import AT, CASE, facts, judged
from tests.harness.dust.test_dust_closing import STOCKED

ME = Eui64.parse("02-53-42-00-00-01-00-00")
LATE = 'stock = "stock.json"\nas_of = 2025-03-01'


def test_a_run_that_is_over_keeps_its_evidence_unless_forced(tmp_path: Path) -> None:
    file, out = written(tmp_path), tmp_path / "run"
    out.mkdir()
    (out / "definition.toml").write_text(SMALL)
    (out / "begun.json").write_text("{}")
    (out / "evidence.zip").write_bytes(b"signed")
    with pytest.raises(UsageError, match="is over") as caught:
        start(Choices(file, tmp_path), out)
    assert (out / "evidence.zip").read_bytes() == b"signed"
    assert f"--out {out} --force" in caught.value.next_command
    assert caught.value.where == str(out / "evidence.zip")
    assert caught.value.cause


# -- stock behind the TMAD's last day --------------------------------------------------------------


def stocked(folder: Path, more: str = "", run: str = LATE) -> Any:
    """A definition of stock homes alone, and its stock."""
    made = [one for one in homes(given(folder)) if one.ref.startswith("dual")]
    kept = tuple(
        StockHome(
            set="dual",
            enrolled_on=date(2022, 6, 1),
            state=State.MIGRATED,
            run="T-0",
            installation=one,
        )
        for one in made
    )
    (folder / "stock.json").write_bytes(Stock(cohort="DA", homes=kept).render())
    return given(folder, more, run=run, sets=STOCKED)


def test_stock_does_not_outlive_the_tmad(tmp_path: Path) -> None:
    definition = stocked(tmp_path)
    with pytest.raises(UsageError, match=r"X-1\.3") as caught:
        run_days(definition, stock=stock_of(definition))
    assert "2024-12-31" in caught.value.what
    assert caught.value.cause
    assert caught.value.next_command
    last = stocked(tmp_path, run='stock = "stock.json"\nas_of = 2024-12-31')
    assert not run_days(last, stock=stock_of(last)).historical


@pytest.mark.parametrize(("begins", "open_"), [("2025-02-01", True), ("2025-02-28", False)])
def test_stock_outlives_the_tmad_where_its_rule_is_off_by_then(
    tmp_path: Path, begins: str, open_: bool
) -> None:
    off = f'[[disabled_checks]]\nid = "1.3"\nfrom = {begins}\nwhy = "asked for"\n'
    definition = stocked(tmp_path, off)
    if open_:
        assert not run_days(definition, stock=stock_of(definition)).historical
    else:
        with pytest.raises(UsageError, match=r"X-1\.3"):
            run_days(definition, stock=stock_of(definition))


def test_stock_behind_the_tmad_may_be_meant(tmp_path: Path) -> None:
    definition = stocked(tmp_path)
    found = run_days(definition, historical=True, stock=stock_of(definition))
    assert found.historical
    assert any("TMAD 1.3" in one for one in found.remarks)


# -- codes of a home -------------------------------------------------------------------------------


def home(*lines: tuple[str, str, str]) -> InstallationRecord:
    """A home with a history of (result, code, state)."""
    found = InstallationRecord("dual-001", "DA", "DA", "Active", "dual fuel")
    for result, code, state in lines:
        found.note(Entry(AT, "S1SP", "T4", result, "it happened", code=code, state=state))
        found.state = State(state) if state else found.state
    return found


LEFT_BEHIND = (("state", "", "Testing"), ("warned", "GT01", ""), ("state", "", "Migrated"))
AGAIN = (
    *(
        ("state", "", "InValidation"),
        ("failed", "X-16.10.2", ""),
        ("state", "X-16.10.2", "Rejected"),
    ),
    *(("state", "", "Authorised"), ("ok", "", ""), ("state", "", "Migrated")),
)


@pytest.mark.parametrize(
    ("history", "code", "met"),
    [
        (LEFT_BEHIND, "GT01", True),
        (LEFT_BEHIND, "none", False),
        (AGAIN, "none", True),
        (AGAIN, "X-16.10.2", True),
        (AGAIN[:3], "X-16.10.2", True),
        (AGAIN[:3], "none", False),
    ],
)
def test_a_code_is_met_anywhere_and_none_is_said_of_the_latest_attempt(
    tmp_path: Path, history: Any, code: str, met: bool
) -> None:
    text = CASE.replace('{state = "Migrated"}, {code = "none"}', f'{{code = "{code}"}}')
    result = judged(given(tmp_path, text), facts(home(*history)))
    assert (result.verdict is Verdict.PASS) is met


# -- causes, levels, where it is -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ((("T1", "Stranded", ""), ("M1", "", "stranded: NoCHFComms")), "NoCHFComms"),
        (
            (("R1", "RollingBack", ""), ("R1", "Stranded", ""), ("X", "Excluded", "")),
            "RollbackFailed",
        ),
        ((("H4", "Stranded", ""), ("H4", "Excluded", "")), "NoCHFComms"),
        ((("V4", "Stranded", ""), ("V4", "Excluded", "")), "FileError"),
        ((("T4", "Stranded", ""), ("T4", "Excluded", "")), "TestingFailed"),
    ],
)
def test_an_earlier_stranding_is_told_in_the_words_of_causes(lines: Any, cause: str) -> None:
    one = InstallationRecord("dual-001", "DA", "DA", "Active", "dual fuel", State.EXCLUDED)
    for step, state, text in lines:
        one.note(Entry(AT, "S1SP", step, "ok", text, code="X-H4-7D", state=state))
    one.note(Entry(AT, "S1SP", "V1", "state", "again", state="InValidation"))
    (found,) = (move.why for move in mrr.moves_of(one) if move.column == "stranded")
    assert found == cause
    assert found in {*StrandedCause}


class Told:
    """Takes down levels in a chronicle's stead."""

    def __init__(self) -> None:
        self.levels: list[str] = []

    def keep(self, path: str, *_octets: Any, **_row: Any) -> Any:
        return SimpleNamespace(path=path)

    def tell(self, *_what: Any, **row: Any) -> None:
        self.levels.append(row["level"].value)


@pytest.mark.parametrize(("code", "level"), [("I0", "info"), ("E5", "warning"), ("N55", "warning")])
def test_a_schedule_s_answer_that_says_done_is_no_warning(
    monkeypatch: pytest.MonkeyPatch, code: str, level: str
) -> None:
    answer = SimpleNamespace(header=SimpleNamespace(request_id=None), body=None)
    monkeypatch.setattr(traffic, "read_response", lambda _document: answer)
    monkeypatch.setattr(traffic, "code_of", lambda _response: code)
    chronicle: Any = Told()
    Traffic(chronicle, ()).told(ME, b"answer", UtcMs(0))
    assert chronicle.levels == [level]


def test_what_is_no_request_is_told_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "request.bin"
    file.write_bytes(b"\xff\x00")
    with pytest.raises(DuisError) as caught:
        command(dust_door.register, "sign", str(file), "--out", str(tmp_path / "out"))
    assert str(file) in caught.value.where
    assert caught.value.next_command == f"smetsbench duis check {file}"
