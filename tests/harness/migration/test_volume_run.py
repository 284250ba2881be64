"""Runs of migrations: what they leave, resumed runs, resubmissions, and what is refused."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer

from device_profiles.words import SupplyShape
from emulator.crypto.dlms_factory import factory_keys
from harness.cli.compare import compare
from harness.errors import UsageError
from harness.journal import Journal
from harness.migration import volume
from harness.migration.states import State, StrandedCause
from harness.migration.volume_journal import VolumeJournal
from harness.migration.volume_options import VolumeOptions
from harness.report import pcapng
from harness.report.html import LIMIT_BYTES
from harness.report.migration_model import MigrationRecord
from harness.verdict import Verdict
from tests.harness.migration.volume_kit import (
    SILENT,
    end_of,
    homes_file,
    options,
    played,
    resubmitted,
    resumed,
)
from tests.harness.playing import in_a_child

NAMESPACE = "urn:x-bench:smets1-migration:1"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return homes_file(tmp_path_factory.mktemp("homes"))


@pytest.fixture(scope="module")
def clean(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MigrationRecord]:
    out = tmp_path_factory.mktemp("clean") / "run"
    return out, played(homes, out)


@pytest.fixture(scope="module")
def stranded(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, MigrationRecord]:
    out = tmp_path_factory.mktemp("stranded") / "run"
    return out, played(homes, out, SILENT)


def test_a_fault_at_a_step_that_the_cohort_passes_over_is_refused(tmp_path: Path) -> None:
    homes = homes_file(tmp_path, cohort="IOC")
    asked = VolumeOptions("IOC", str(homes), faults=("before:H2/mute@wan",))
    with pytest.raises(UsageError, match=r"there is no step H2; there are: .*V6, H4"):
        volume.start(asked, out=tmp_path / "run", progress=None)


def test_every_installation_is_migrated_and_the_totals_say_so(
    clean: tuple[Path, MigrationRecord],
) -> None:
    _out, run = clean
    assert run.verdict is Verdict.PASS
    assert [record.state for record in run.records] == [State.MIGRATED] * 2
    totals = run.totals()
    assert totals["by_state"] == {"Migrated": 2}
    assert totals["reached"]["handed_over"] == totals["reached"]["migrated"] == 2
    steps = {entry.step for record in run.records for entry in record.history}
    assert {"V1", "V2", "V3", "V4", "V5", "V6", "H1", "H2", "H3", "H4", "T1", "T4"} <= steps
    assert {"C1", "C2", "C5", "C7"} <= steps


def test_a_run_of_which_no_home_is_planned_sends_no_file_and_names_the_reason(
    tmp_path: Path,
) -> None:
    homes = homes_file(tmp_path)
    elsewhere = homes.read_text("utf-8").replace('csp = "SMETS1"', 'csp = "North"')
    homes.write_text(elsewhere, "utf-8")
    run = played(homes, tmp_path / "run")
    assert [record.state for record in run.records] == [State.NOT_PLANNED] * 2
    assert run.totals()["by_code"] == {"MA110": 2}
    assert not list((tmp_path / "run" / "files").glob("**/*.xml"))


def test_keys_and_sim_of_every_home_have_changed_hands(
    clean: tuple[Path, MigrationRecord],
) -> None:
    for record in clean[1].records:
        assert record.sim_owner.value == "S1SP"
        assert {device.owner.value for device in record.holders()} == {"S1SP"}


def test_json_has_the_contract_and_says_how_durable_the_run_is(
    clean: tuple[Path, MigrationRecord],
) -> None:
    run = json.loads((clean[0] / "run.json").read_text("utf-8"))
    assert run["durability"]["grade"] == "per-installation"
    for row in run["installations"]:
        assert {"ref", "state", "attempts", "stranded_cause", "history"} <= row.keys()
    assert run["totals"]["installations"] == 2


def test_every_artefact_that_holds_a_stand_in_says_so_in_its_own_form(
    clean: tuple[Path, MigrationRecord],
) -> None:
    out = clean[0]
    files = sorted((out / "files").glob("**/*.xml"))
    kinds = {path.name[:3] for path in files}
    assert {"MCF", "MVF", "MGF", "MEF", "RFS", "VIF", "SCF", "COF"} <= kinds
    for path in files:
        text = path.read_text("utf-8")
        assert re.search(r"<!--.*stand-in.*-->", text, re.DOTALL), path.name
        assert NAMESPACE in text, path.name
    with (out / "installations.csv").open(encoding="utf-8", newline="") as lines:
        assert {row["evidence"] for row in csv.DictReader(lines)} == {"stand-in"}
    page = (out / "report.html").read_text("utf-8")
    assert 'class="mark m-stand-in"' in page
    assert "http://" not in re.sub(r"http://www\.w3\.org/\S*", "", page)
    frames = list(pcapng.read(out / "wire.pcapng"))
    assert frames
    packets = (out / "wire.pcapng").read_bytes()
    assert packets.count(pcapng.WAN_STAND_IN.encode()) >= sum(
        one.link.startswith("wan") for one in frames
    )
    properties = (out / "junit.xml").read_text("utf-8")
    assert 'name="evidence" value="stand-in' in properties
    run = json.loads((out / "run.json").read_text("utf-8"))
    assert run["about"]["stand_ins"]
    assert any(mark.startswith("stand-in") for _path, _value, mark in run["about"]["evidence"])


def test_the_report_shows_grid_sequence_files_and_fits(
    clean: tuple[Path, MigrationRecord],
) -> None:
    page = (clean[0] / "report.html").read_text("utf-8")
    assert len(page.encode()) < LIMIT_BYTES
    assert "Installations by step" in page
    assert "Sequence of parties" in page
    for party in ("RP", "MCC", "S1SP", "SMSO"):
        assert f"<span>{party}</span>" in page
    for sent in clean[1].sent:
        assert sent.sha256 in page


def test_no_key_is_in_any_report(clean: tuple[Path, MigrationRecord]) -> None:
    out, run = clean
    keys = [
        key
        for record in run.records
        for device in record.holders()
        for made in (factory_keys(1, device.eui64).keys,)
        for key in (made.unicast, made.authentication, made.master)
    ]
    assert keys
    for name in ("run.json", "events.jsonl", "junit.xml", "report.html", "installations.csv"):
        text = (out / name).read_text("utf-8").lower()
        assert not any(key.hex() in text for key in keys), name


@pytest.mark.parametrize("commit", [2, 3, 4])
def test_a_killed_run_ends_as_if_nothing_had_happened(
    commit: int, homes: Path, tmp_path: Path, clean: tuple[Path, MigrationRecord]
) -> None:
    out = tmp_path / "run"
    assert in_a_child(played, homes, out, f"crash:commit={commit}@harness") == -9
    resumed(out)
    assert end_of(out) == end_of(clean[0])


def test_certificates_that_a_kill_left_half_written_are_made_whole(
    homes: Path, tmp_path: Path, clean: tuple[Path, MigrationRecord]
) -> None:
    out = tmp_path / "run"
    assert in_a_child(played, homes, out, "crash:commit=3@harness") == -9
    left = out / "files" / "keys.part"  # as when the kill had come later
    left.mkdir(parents=True)
    (left / "half.pem").write_text("-----BEGIN CERT", "ascii")
    resumed(out)
    names = {path.name for path in (clean[0] / "files" / "keys").iterdir()}
    assert {path.name for path in (out / "files" / "keys").iterdir()} == names
    assert not left.exists()


def test_a_killed_run_is_not_overwritten(homes: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert in_a_child(played, homes, out, "crash:commit=4@harness") == -9
    with pytest.raises(UsageError, match="can be resumed"):
        played(homes, out)


def test_silence_strands_and_a_resubmission_completes(
    stranded: tuple[Path, MigrationRecord], tmp_path: Path
) -> None:
    out, run = stranded
    assert {record.stranded_cause for record in run.records} == {StrandedCause.NO_CHF_COMMS}
    assert run.verdict is Verdict.INCONCLUSIVE
    copied = _copy(out, tmp_path)
    first = run.records[0].ref
    again = resubmitted(copied, first, judgement="the mast is up again")
    states = {record.ref: record.state for record in again.records}
    assert states.pop(first) is State.MIGRATED
    assert set(states.values()) == {State.STRANDED}
    record = again.records[0]
    assert record.attempts == 2
    assert record.judgement == "the mast is up again"
    skipped = {entry.step for entry in record.history if entry.result == "skipped"}
    assert {"H2", "H3"} <= skipped
    assert len(again.rounds) == 2
    assert {sent.round for sent in again.sent} == {0, 1}
    with pytest.raises(UsageError, match="stands in Migrated"):
        resubmitted(copied, first)
    assert resubmitted(copied).totals()["by_state"] == {"Migrated": 2}


def _copy(out: Path, tmp_path: Path) -> Path:
    copied = tmp_path / "copy"
    copied.mkdir(parents=True)
    (copied / "journal.sqlite").write_bytes((out / "journal.sqlite").read_bytes())
    (copied / "wire.pcapng").write_bytes((out / "wire.pcapng").read_bytes())
    return copied


@pytest.mark.parametrize("commit", [2, 3, 4])
def test_a_resubmission_that_is_killed_ends_as_if_nothing_had_happened(
    commit: int, stranded: tuple[Path, MigrationRecord], tmp_path: Path
) -> None:
    out, undisturbed = _copy(stranded[0], tmp_path / "a"), _copy(stranded[0], tmp_path / "b")
    assert in_a_child(_killed_resubmission, out, commit) == -9
    with pytest.raises(UsageError, match="not finished"):
        resubmitted(out)
    resumed(out)
    assert resubmitted(undisturbed).totals()["by_state"] == {"Migrated": 2}
    assert end_of(out) == end_of(undisturbed)


def _killed_resubmission(out: Path, commit: int) -> None:
    opened = VolumeJournal.open

    def opened_to_die(path: Path) -> VolumeJournal:
        journal = opened(path)
        journal.journal.crash_at = commit
        return journal

    VolumeJournal.open = opened_to_die  # type: ignore[method-assign]  # in a child of its own
    resubmitted(out)


@pytest.mark.parametrize(
    ("refs", "judgement", "why"),
    [
        ((), "likely", "no installation of the run is stranded"),
        (("NOBODY",), "likely", "no installation NOBODY"),
        ((), "  ", "needs the MCC's judgement"),
    ],
)
def test_a_resubmission_is_refused_with_its_reason(
    clean: tuple[Path, MigrationRecord], refs: tuple[str, ...], judgement: str, why: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(why)):
        resubmitted(clean[0], *refs, judgement=judgement)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("mute@nowhere", "mute@nowhere"),
        ("before:H2:FRIDGE/mute@wan", "FRIDGE is no device type"),
        ("before:H9/mute@wan", "there is no step H9; there are: P1, P2"),
        ("after:H3/mute", "mute"),
        ("file:XYZ/content", "XYZ is no migration file"),
        ("file:MEF/ink", "ink is none of"),
    ],
)
def test_a_fault_that_means_nothing_is_refused_before_a_folder_is_made(
    homes: Path, tmp_path: Path, fault: str, why: str
) -> None:
    with pytest.raises(UsageError) as refused:
        played(homes, tmp_path / "run", fault)
    assert why in f"{refused.value} {refused.value.where}"
    assert not (tmp_path / "run").exists()


def test_installations_of_another_cohort_and_orders_that_are_none_are_refused(
    homes: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="is of cohort EA, not EB"):
        volume.start(VolumeOptions("EB", str(homes)), out=tmp_path / "a", jobs=1, progress=None)
    with pytest.raises(UsageError, match="no order 'C'"):
        played(homes, tmp_path / "b", order="C")
    secure = homes_file(tmp_path, 1, cohort="DA", shape=SupplyShape.ELECTRICITY_ONLY)
    with pytest.raises(UsageError, match="no hand-over of its own"):
        volume.start(
            VolumeOptions("DA", str(secure), order="A"),
            out=tmp_path / "c",
            jobs=1,
            progress=None,
        )


def test_a_run_goes_on_only_with_the_installations_it_began_with(tmp_path: Path) -> None:
    homes = homes_file(tmp_path, 1)
    assert in_a_child(played, homes, tmp_path / "run", "crash:commit=3@harness") == -9
    homes.write_text(homes.read_text("utf-8") + "\n# edited\n", "utf-8")
    with pytest.raises(UsageError, match="another one than when the run began"):
        resumed(tmp_path / "run")


def test_a_spoilt_file_set_strands_after_hand_over_and_rejects_before_it(
    homes: Path, tmp_path: Path
) -> None:
    late = played(homes, tmp_path / "a", "file:MEF/signature", order="A")
    assert {record.stranded_cause for record in late.records} == {StrandedCause.FILE_ERROR}
    early = played(homes, tmp_path / "b", "file:MCF/signature", order="B")
    assert {record.state for record in early.records} == {State.REJECTED}
    assert all(record.sim_owner.value == "SMSO" for record in early.records)


def test_the_options_of_a_run_survive_its_journal(homes: Path) -> None:
    chosen = options(homes, SILENT, seed=7, order="B", captured=3, with_identifiers=True)
    assert VolumeOptions.load(json.loads(json.dumps(chosen.dump()))) == chosen


def compared(a: Path, b: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    with pytest.raises(typer.Exit) as ended:
        compare(a, b, as_json=True)
    return ended.value.exit_code, json.loads(capsys.readouterr().out)


def test_a_comparison_of_migrations_tells_of_each_home_what_became_otherwise(
    clean: tuple[Path, MigrationRecord],
    stranded: tuple[Path, MigrationRecord],
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, told = compared(clean[0], stranded[0], capsys)
    fields = {(one["part"], one["field"]) for one in told["changes"]}
    states = [one for one in told["changes"] if one["field"] == "state" and one["a"] == "Migrated"]
    assert (code, told["kind"], told["same"]) == (1, "migration", False)
    assert {("run", "faults"), ("installation", "state"), ("installation", "history")} <= fields
    assert {one["b"] for one in states} == {State.STRANDED.value}


def test_a_migration_is_the_same_as_itself(
    clean: tuple[Path, MigrationRecord], capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = compared(clean[0], clean[0], capsys)
    assert (code, told["same"], told["changes"]) == (0, True, [])
    assert told["compared"] == 2 + len(clean[1].records)


def test_a_migration_is_not_compared_with_a_run_of_scenarios(
    clean: tuple[Path, MigrationRecord], tmp_path: Path
) -> None:
    journal = Journal.create(tmp_path / "journal.sqlite")
    row = {"id": "r", "version": "0", "seed": 1, "options": {}, "bench": ""}
    journal.begin_run(row, [("FM-01", {})])
    journal.close()
    with pytest.raises(UsageError, match="the folder holds a run of scenarios, no migration run"):
        compare(clean[0], tmp_path)
