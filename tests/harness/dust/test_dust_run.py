"""A whole run: from workbooks to evidence, the same each time, whatever interrupts it."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from emulator.runtime.world import World
from harness.benches.emulated_smets1 import EmulatedSmets1Bench
from harness.cli.main import build_app
from harness.dust import verify
from harness.dust.choices import Choices
from harness.dust.engine import resume, start
from harness.dust.events import read_events
from harness.dust.record import DustRecord, RunState
from harness.dust.record_form import load
from harness.dust.run_doors import Opened, Watchers
from harness.errors import UsageError
from harness.migration.states import State
from harness.verdict import Verdict
from tests.harness.dust.dust_runs import SMALL, killed_run, run, written

#: Generous: the machine may be busy.
pytestmark = pytest.mark.timeout(300)
#: What two runs must have octet for octet.
SAME = ("events.jsonl", "wire.pcapng", "evidence.zip", "run.json", "report.html", "index.csv")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, DustRecord]:
    """Run the small definition by the command line, once for all tests here."""
    folder = tmp_path_factory.mktemp("whole")
    file, out = written(folder), folder / "run"
    done = CliRunner().invoke(
        build_app("dust"), ["dust", "run", str(file), "--out", str(out), "--json"]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["verdict"], told["evidence"]) == ("PASS", str(out / "evidence.zip"))
    return file, out, load((out / "run.json").read_text())


def same(one: Path, other: Path) -> list[str]:
    """Return what differs between two run folders."""
    names = [*SAME, *(str(p.relative_to(one)) for p in one.glob("files/*/*"))]
    theirs = {str(p.relative_to(other)) for p in other.glob("files/*/*")}
    missing = sorted({name for name in names if name.startswith("files/")} ^ theirs)
    return missing + [
        name
        for name in names
        if (other / name).is_file() and (one / name).read_bytes() != (other / name).read_bytes()
    ]


def test_a_simulated_run_goes_from_workbook_to_a_pack_that_verifies(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = whole
    assert (record.state, record.verdict) == (RunState.DONE, Verdict.PASS), record.reason
    assert {one.id: one.verdict for one in record.cases} == {
        "C-001": Verdict.PASS,
        "C-002": Verdict.PASS,
        "C-003": Verdict.PASS,
    }
    assert [one.state for one in record.installations] == [
        State.MIGRATED,
        State.MIGRATED,
        State.ROLLED_BACK,
    ]
    found = verify.verify(out / "evidence.zip")
    assert found.intact, found


def test_the_record_and_every_file_of_it_are_in_the_folder(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = whole
    kinds = {one.kind for one in record.files}
    assert {"MCF", "MVF", "MGF", "MEF", "VIF", "SCF", "COF"} <= kinds
    assert {"signed paper", "MAPASSWORD", "DR", "MA outcome", "DUIS request"} <= kinds
    assert all((out / one.path).stat().st_size == one.size_bytes for one in record.files)


def test_every_line_of_every_history_is_an_event_in_its_order(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = whole
    events = list(read_events(out / "events.jsonl"))
    assert [one.number for one in events] == list(range(1, len(events) + 1))
    for one in record.installations:
        told = [
            event.step
            for event in events
            if event.ref == one.ref and event.kind in {"step", "state"}
        ]
        assert told == [entry.step for entry in one.history]


def test_the_participant_gets_notices_outcomes_and_answers_at_its_doors(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, _record = whole
    names = {path.name for path in (out / "drop" / "out").iterdir()}
    assert {"turn-001.json", "outcomes-003.csv", "notice-00001.xml"} <= names
    refused = next(path for path in sorted((out / "drop/out").glob("MA_*.outcome.json")))
    told = json.loads(refused.read_text())
    assert told["code"] == "refused"
    assert any("dual-002" in one["where"] for one in told["findings"])


def test_two_runs_of_one_seed_are_the_same_octet_for_octet(
    whole: tuple[Path, Path, DustRecord], tmp_path: Path
) -> None:
    file, out, _record = whole
    run(file, tmp_path / "again")
    assert same(out, tmp_path / "again") == []


@pytest.mark.parametrize(
    ("commit", "event"),
    [
        (9, 0),
        (0, 150),
        pytest.param(1, 0, marks=pytest.mark.soak),
        pytest.param(2, 0, marks=pytest.mark.soak),
        pytest.param(17, 0, marks=pytest.mark.soak),
        pytest.param(31, 0, marks=pytest.mark.soak),
        pytest.param(44, 0, marks=pytest.mark.soak),
        pytest.param(0, 3, marks=pytest.mark.soak),
        pytest.param(0, 330, marks=pytest.mark.soak),
    ],
)
def test_a_run_killed_anywhere_goes_on_and_leaves_the_same_pack(
    whole: tuple[Path, Path, DustRecord], tmp_path: Path, commit: int, event: int
) -> None:
    file, out, _record = whole
    cut = tmp_path / "cut"
    assert killed_run(file, cut, commit=commit, event=event) == signal.SIGKILL
    assert not (cut / "evidence.zip").exists()
    assert resume(cut).verdict is Verdict.PASS
    assert same(out, cut) == []


def test_homes_at_rest_are_not_dumped_at_every_turn_and_the_pack_is_the_same(
    whole: tuple[Path, Path, DustRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, out, record = whole
    made, state = list[World](), World.state
    turns, dump = [0], EmulatedSmets1Bench.dump

    def noted(self: World) -> dict[str, Any]:
        made.append(self)
        return state(self)

    def counted(self: EmulatedSmets1Bench) -> bytes:
        turns[0] += 1
        return dump(self)

    monkeypatch.setattr(World, "state", noted)
    monkeypatch.setattr(EmulatedSmets1Bench, "dump", counted)
    run(file, tmp_path / "again")
    assert turns[0] > 3
    homes = len(record.installations)
    assert homes <= len(made) <= homes * (turns[0] - 2)
    assert same(out, tmp_path / "again") == []


def test_a_run_that_is_over_is_packed_again_the_same(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = whole
    before = (out / "evidence.zip").read_bytes()
    assert resume(out) == record
    assert (out / "evidence.zip").read_bytes() == before


def test_an_interrupted_run_is_not_replaced_and_a_strange_folder_is_left_alone(
    tmp_path: Path,
) -> None:
    file = written(tmp_path)
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no run"):
        start(Choices(file, tmp_path), strange)
    half = tmp_path / "half"
    half.mkdir()
    (half / "definition.toml").write_text(SMALL)
    (half / "begun.json").write_text("{}")
    with pytest.raises(UsageError, match="can be resumed"):
        start(Choices(file, tmp_path), half)
    assert (strange / "mine.txt").read_text() == "mine"


@pytest.mark.soak
def test_a_run_that_is_over_is_replaced_by_force_alone_and_what_is_not_its_own_stays(
    whole: tuple[Path, Path, DustRecord],
) -> None:
    file, out, record = whole
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="is over"):
        run(file, out)
    heard: list[Opened] = []
    again = start(Choices(file, file.parent), out, Watchers(on_open=heard.append), force=True)
    assert (again, heard) == (record, [])  # a supplier in this process needs no telling
    assert (out / "mine.txt").read_text() == "mine"
