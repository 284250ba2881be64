"""``smetsbench migration run|resubmit``, ``resume`` and ``report`` on the command line."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from device_profiles.words import SupplyShape
from harness.cli.main import main
from tests.harness.migration.volume_kit import SILENT, homes_file


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Ended]


@pytest.fixture
def smetsbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*words: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["smetsbench", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    return homes_file(folder, 1, shape=SupplyShape.ELECTRICITY_ONLY)


def test_a_run_prints_its_contract_and_a_report_can_be_written_again(
    smetsbench: Command, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("migration", "run", "--cohort", "EA", "--installations", str(home), "--seed", "3")
    ended = smetsbench(*words, "--out", str(out), "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["totals"]["by_state"] == {"Migrated": 1}
    assert {"ref", "state", "attempts", "stranded_cause", "history"} <= told["installations"][
        0
    ].keys()
    assert told["seed"] == 3
    (out / "report.html").unlink()
    again = smetsbench("report", str(out))
    assert again.returncode == 0, again.stderr
    assert (out / "report.html").is_file()
    assert "1 Migrated" in again.stdout
    whole = smetsbench("resume", str(out), "-q")
    assert whole.returncode == 0, whole.stderr


def test_a_stranded_run_exits_with_1_and_is_completed(
    smetsbench: Command, home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    words = ("migration", "run", "--cohort", "EA", "--installations", str(home))
    ended = smetsbench(*words, "--out", str(out), "--fault", SILENT, "-q")
    assert ended.returncode == 1, ended.stderr
    assert "NoCHFComms" in ended.stdout
    assert "migration resubmit" in ended.stdout
    done = smetsbench("migration", "resubmit", str(out), "--judgement", "heard again", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["installations"][0]["judgement"] == "heard again"
    assert [one["kind"] for one in told["rounds"]] == ["migrate", "resubmit"]
    refused = smetsbench("migration", "resubmit", str(out), "--judgement", "once more")
    assert refused.returncode == 2
    assert "no installation of the run is stranded" in refused.stderr


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--cohort", "ZZ"), "no cohort of this key"),
        (("--cohort", "EA", "--fault", "mute@moon"), "a fault means nothing"),
        (("--cohort", "EA", "--defect", "s1-esme-sings"), "s1-esme-sings"),
        (("--cohort", "EA", "--order", "Z"), "no order"),
    ],
)
def test_what_cannot_be_used_exits_with_2_and_makes_no_folder(
    smetsbench: Command, home: Path, tmp_path: Path, more: tuple[str, ...], why: str
) -> None:
    out = tmp_path / "run"
    ended = smetsbench("migration", "run", "--installations", str(home), "--out", str(out), *more)
    assert ended.returncode == 2, ended.stdout
    assert why in ended.stderr
    assert not out.exists()
