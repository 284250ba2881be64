"""Faults that were ordered and never happened are told everywhere, and change no verdict."""

import json
from pathlib import Path
from typing import Any

import pytest

from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule, Frame
from emulator.core.faults import parse
from harness.cli import installations, main, migration
from harness.cli import run as run_command
from harness.migration.volume_faults import never_met
from tests.harness.cli.command_line import run

NEVER = "drop:n=99999@han"
SOON = "drop:n=3@han"


def test_a_schedule_knows_which_of_its_faults_never_happened() -> None:
    schedule = FaultSchedule([parse("drop:n=2@han"), parse("drop@wan")], Chance(1))
    frame = Frame("han", b"abc", "ota.x")
    assert schedule.idle() == ("drop:n=2@han", "drop@wan")
    schedule.cross(frame)
    assert schedule.idle() == ("drop:n=2@han", "drop@wan")
    schedule.cross(frame)
    assert schedule.idle() == ("drop@wan",)
    again = FaultSchedule(schedule.ordered, Chance(1))
    again.load(schedule.dump())
    assert again.idle() == ("drop@wan",)


def told(tmp_path: Path, *faults: str) -> tuple[int, Any, str]:
    words = ["run", "FM-04", "-q", "--json", "--out", str(tmp_path / "out")]
    for fault in faults:
        words += ["--fault", fault]
    code, output = run(run_command.register, *words)
    page = (tmp_path / "out/report.html").read_text("utf-8")
    return code, json.loads(output), page


def test_a_fault_that_never_happens_is_told_and_the_verdict_stays(tmp_path: Path) -> None:
    code, document, page = told(tmp_path, NEVER, SOON)
    assert (code, document["verdict"]) == (0, "PASS")
    said = f"the fault {NEVER} never happened: what it waits for did not come in FM-04"
    assert document["remarks"] == [said]
    assert said in page
    kept = json.loads((tmp_path / "out/run.json").read_text("utf-8"))
    assert kept["remarks"] == [said]


def test_a_fault_that_happens_is_not_remarked_on(tmp_path: Path) -> None:
    _, document, page = told(tmp_path, SOON)
    assert document["remarks"] == []
    assert "never happened" not in page


def test_people_read_it_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["smetsbench", "run", "FM-04", "-q", "--fault", NEVER, "--out", str(tmp_path / "o")]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit):
        main.main()
    assert f"note: the fault {NEVER} never happened" in " ".join(capsys.readouterr().err.split())


def test_a_migration_tells_of_steps_that_nobody_came_to(tmp_path: Path) -> None:
    homes = tmp_path / "homes.toml"
    run(installations.register, "installations", "new", "--cohort", "EA", "--out", str(homes))
    at_rollback, at_planning = "before:R1/mute@wan", "after:P1/delay:ms=1@wan"
    code, output = run(
        migration.register,
        *("migration", "run", "--cohort", "EA", "--installations", str(homes), "-q", "--json"),
        *("--fault", at_rollback, "--fault", at_planning, "--out", str(tmp_path / "out")),
    )
    document = json.loads(output)
    assert code == 0
    assert [one for one in document["remarks"] if "never happened" in one] == [
        f"the fault {at_rollback} never happened: no installation came to R1"
    ]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("before.2:C4:ESME/mute@wan", "no installation came to C4"),
        ("file:MVF/content", "no MVF was sent"),
        ("before:P1/mute@wan", ""),
        ("file:MCF/content", ""),
        ("mute@wan", ""),
    ],
)
def test_steps_and_files_are_compared_with_what_was_taken_and_sent(fault: str, why: str) -> None:
    met = never_met([fault, fault], {"P1", "P2"}, {"MCF"})
    assert met == ((f"the fault {fault} never happened: {why}",) if why else ())
