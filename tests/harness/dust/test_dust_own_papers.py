"""What a participant outside needs to write its papers, by commands alone."""

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from device_profiles.installation import load_many
from emulator.core.ids import Eui64
from harness.cli import dust_plan, ma_papers
from harness.door.ports import Paper, PaperFinding, PaperOutcome
from harness.door.trust import participants_keys, trust_of, write_public
from harness.dust.choices import Choices
from harness.dust.definition import load_definition
from harness.dust.definition_homes import homes
from harness.dust.engine import start
from harness.dust.papers import Desk, PaperOffice
from harness.errors import UsageError
from harness.formats.authorisation.sealed import render_phrase
from harness.formats.migration_files.parties import TEST_NETWORK_OPERATOR, TEST_PARTIES, Role
from tests.harness.cli.command_line import run as command
from tests.harness.dust import dust_runs

EIS = "02-53-42-00-00-01-00-00"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A definition, and beside it the keys that its run would have laid out."""
    found = dust_runs.written(tmp_path)
    named = (one.supplier for home in homes(load_definition(found)) for one in home.devices)
    suppliers = dict.fromkeys(Eui64.parse(one) for one in named)
    keys = participants_keys(tmp_path / "trust", suppliers, 3)
    write_public(tmp_path / "trust", trust_of(keys, suppliers, TEST_PARTIES[Role.DSP], 3).store)
    return found


def planned(file: Path, out: Path, *more: str) -> None:
    status, _told = command(
        dust_plan.register, "plan", str(file), "--installations", str(out), *more
    )
    assert status == 0


def authorised(homes_file: Path, keys: Path, out: Path) -> tuple[list[dict[str, str]], str]:
    """Write an authorisation of homes; returns its lines."""
    days = ("--earliest", "2024-12-18", "--latest", "2024-12-30")
    named = ("--cohort", "EA", "--supplier", EIS, "--keys", str(keys), "--out", str(out), "--csv")
    app = typer.Typer()
    ma_papers.register(app)
    done = CliRunner().invoke(app, ["write", str(homes_file), *days, *named])
    assert done.exit_code == 0, done.output
    (paper,) = out.glob("MA_*.csv")
    with paper.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines)), done.stderr


def test_the_plan_hands_out_the_homes_of_the_run(file: Path, tmp_path: Path) -> None:
    planned(file, tmp_path / "homes.toml")
    assert load_many(str(tmp_path / "homes.toml")) == homes(load_definition(file))
    planned(file, tmp_path / "other.toml", "--seed", "99")
    assert load_many(str(tmp_path / "other.toml")) == homes(load_definition(file).with_seed(99))


def test_the_homes_are_not_written_over_the_definition(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(UsageError, match="would replace what it is made from"):
        planned(file, file)
    assert file.read_bytes() == before


def test_an_authorisation_names_certificates_only_where_they_are_held(
    file: Path, tmp_path: Path
) -> None:
    planned(file, tmp_path / "homes.toml")
    made, trust = tmp_path / "made" / "by" / "the command", tmp_path / "trust"
    whole, said = authorised(tmp_path / "homes.toml", trust / "dcc", made)
    lacking, noted = authorised(tmp_path / "homes.toml", trust / "participant", tmp_path / "other")
    column = "NetworkOperatorElecCriticalCertSerial"
    assert all(int(one[column]) for one in whole)
    assert not any(int(one[column]) for one in lacking)
    assert "note" not in said
    assert f"no certificates of {TEST_NETWORK_OPERATOR}" in noted.replace("\n", " ")


def test_a_run_into_a_file_s_place_names_its_own_command(file: Path, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(UsageError) as caught:
        start(Choices(file, tmp_path), tmp_path / "taken")
    assert caught.value.next_command == f"smetsbench dust run {file} --out OTHER-FOLDER"


class Waiting(PaperOffice):
    """An office on whose desk a sealed authorisation waits, of which one thing will be found."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(waiting={"MA_1.xlsx.sealed": "kept"})
        self._chronicle: Any = SimpleNamespace(folder=folder, octets=lambda _path: b"")

    def _opened(self, name: str, octets: bytes, path: str) -> PaperOutcome:
        assert (name, octets, path) == ("MA_1.xlsx.sealed", b"", "kept")
        return PaperOutcome(False, "refused", (PaperFinding("X-1", "wrong", "dual-001 S2"),))

    def hand_in(self, paper: Paper) -> PaperOutcome:
        return self._password(paper, paper.name)


def test_what_is_found_once_the_password_is_there_names_the_authorisation(tmp_path: Path) -> None:
    (tmp_path / "MAPASSWORD_1.csv").write_bytes(render_phrase("correct horse 1A").encode())
    office = Waiting(tmp_path)
    outcome = office.hand_in(Paper(1, 1, "http", "MAPASSWORD_1.csv", "", b"", 1))
    assert (outcome.accepted, office.desk.waiting) == (True, {})
    assert [one.where for one in outcome.findings] == ["MA_1.xlsx.sealed dual-001 S2"]
