"""``ma write|password|sign|verify|paper``, and a MAM file under ``ma check``."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from device_profiles.installation import render_toml
from harness.cli import ma
from harness.errors import UsageError
from harness.formats.authorisation import sealed
from harness.formats.authorisation.dormant_schedule import render_workbook
from harness.formats.migration_files.faults import MigrationFileError
from harness.formats.migration_files.notifications import DormantMeterLine
from tests.harness.cli.command_line import run, run_json
from tests.harness.dust.definitions_given import ME
from tests.harness.formats.authorisation.papers_given import DAY, OTHER, Given


class Desk:
    """A folder with homes and everybody's keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.given = Given(folder)
        self.homes = folder / "homes.toml"
        self.homes.write_text(render_toml(self.given.homes), encoding="utf-8")
        self.keys = folder / "keys"
        self.keys.mkdir()
        self.given.keys.to_folder(self.keys)

    def write(self, *more: str) -> Path:
        """Write an authorisation of all homes."""
        window = ("--earliest", "2023-01-27", "--latest", "2023-02-09")
        code, output = run(
            ma.register,
            "ma",
            "write",
            str(self.homes),
            "--cohort",
            "EA",
            "--supplier",
            ME,
            *window,
            "--keys",
            str(self.keys),
            "--out",
            str(self.folder),
            *more,
        )
        assert code == 0, output
        return next(self.folder.glob("MA_BG_*.csv" if "--csv" in more else "MA_BG_*.xlsx"))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize("more", [(), ("--csv",)])
def test_what_is_written_is_clean_in_a_check(desk: Desk, more: tuple[str, ...]) -> None:
    path = desk.write(*more)
    assert path.stem == f"MA_BG_{ME}_20230127_060000"
    found = run_json(ma.register, "ma", "check", str(path), "--out", str(desk.folder / "checked"))
    assert found["clean"]
    assert found["totals"]["accepted"] == len(desk.given.homes)


def test_a_mapassword_file_seals_and_opens_its_authorisation(desk: Desk) -> None:
    path = desk.write()
    run(ma.register, "ma", "password", str(path), "--phrase", "correct horse")
    beside = path.with_name(f"{path.stem.replace('MA_', 'MAPASSWORD_')}.csv")
    assert sealed.read_phrase(beside) == "correct horse"
    run(ma.register, "ma", "seal", str(path), "--password", str(beside))
    plain = path.read_bytes()
    path.unlink()
    run(ma.register, "ma", "open", f"{path}.sealed")
    assert path.read_bytes() == plain


def test_a_signed_paper_is_verified_and_another_s_refused(desk: Desk) -> None:
    path, key = desk.write(), str(desk.keys)
    run(ma.register, "ma", "sign", str(path), "--key", key, "--party", ME)
    told = ("ma", "verify", f"{path}.signed", "--keys", key)
    found = run_json(ma.register, *told, "--party", ME, "--out", str(desk.folder / "back.xlsx"))
    assert (found["name"], found["signer"]) == (path.name, ME)
    assert (desk.folder / "back.xlsx").read_bytes() == path.read_bytes()
    with pytest.raises(MigrationFileError, match="X-SIG-SIGNER"):
        run(ma.register, *told, "--party", str(OTHER))
    with pytest.raises(MigrationFileError, match="X-SIG-NONE") as caught:
        run(ma.register, "ma", "verify", str(path), "--keys", key)
    assert (caught.value.exit_code, caught.value.where) == (1, str(path))
    assert f"smetsbench ma sign {path} --key {key}" in caught.value.next_command


def test_a_pass_phrase_is_read_from_a_file_and_never_asked_for_without_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    phrase, out = tmp_path / "phrase.txt", tmp_path / "out.csv"
    phrase.write_text("correct horse\n")
    told = ("ma", "password", str(tmp_path / "any.xlsx"), "--out", str(out))
    with pytest.raises(UsageError, match="no terminal") as caught:
        run(ma.register, *told)
    assert "--phrase-file" in caught.value.next_command
    assert capsys.readouterr().out == ""
    assert not out.exists()
    run(ma.register, *told, "--phrase-file", str(phrase))
    assert sealed.read_phrase(out) == "correct horse"
    with pytest.raises(UsageError, match="twice"):
        run(ma.register, *told, "--phrase-file", str(phrase), "--phrase", "correct horse")


def test_a_dormant_schedule_is_checked_against_the_inventory(desk: Desk) -> None:
    gas = next(h for h in desk.given.homes if h.ref == "mixed-001").devices[3]
    lines = [DormantMeterLine("mixed-001", gas.mpxn or "", ME, DAY, DAY)]
    path = desk.folder / f"DMSN_BG_{ME}_20230127_060000.xlsx"
    path.write_bytes(render_workbook(DormantMeterLine, lines))
    told = ("ma", "paper", str(path), "--inventory", str(desk.homes))
    assert run_json(ma.register, *told)["lines"] == 1
    code, output = run(ma.register, *told, "--on", "2023-01-28")
    assert code == 1
    assert "X-DMSN 02" in output


def test_papers_of_every_other_kind_are_read(desk: Desk) -> None:
    papers = desk.given.papers
    for name, octets in (papers.write_demand({DAY: 4}), papers.write_password(DAY)[0]):
        (desk.folder / name).write_bytes(octets)
        assert run_json(ma.register, "ma", "paper", str(desk.folder / name))["lines"] == 1
    bad = desk.folder / "DR_A_02-53-42-00-00-01-00-00_BG_20230127.csv"
    bad.write_text("on,demand,evidence\n2023-01-27,many,x\n", encoding="utf-8")
    with pytest.raises(UsageError, match="no number"):
        run(ma.register, "ma", "paper", str(bad))
    with pytest.raises(UsageError, match="nothing more") as caught:
        run(ma.register, "ma", "paper", str(desk.write()))
    assert "ma check" in caught.value.next_command


def test_a_mam_file_decides_its_own_rules_and_not_the_tmad_s(desk: Desk) -> None:
    window = desk.write("--csv")
    text = window.read_text(encoding="utf-8").replace("2023-02-09", "2023-01-26")
    window.write_text(text, encoding="utf-8")
    mam = desk.folder / "mam.csv"
    mam.write_text(
        "rule,clause,effect\nDATES,MAM 7.3.2,warns\n5.9.10,MAM 6,not-asked\n", encoding="utf-8"
    )
    told = ("ma", "check", str(window), "--out", str(desk.folder / "checked"), "--json")
    assert json.loads(run(ma.register, *told)[1])["totals"]["refused"] == len(desk.given.homes)
    app = typer.Typer()
    ma.register(app)
    result = CliRunner().invoke(app, [*told, "--mam", str(mam)])
    assert json.loads(result.stdout)["totals"]["refused"] == 0
    assert "TMAD 5.9.10 prevails" in result.stderr
