"""Two DUST runs side by side, folders or packs, and the commands around packs."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cli import compare as compare_command
from harness.cli import dust_verify
from harness.dust import pack
from harness.dust.comparison import compare
from harness.dust.record import DustRecord
from harness.dust.record_form import render
from harness.dust.run_key import key_of_run
from harness.errors import UsageError
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from harness.verdict import Verdict
from tests.harness.cli.command_line import run, run_json
from tests.harness.dust import dust_sample


def folder_of(path: Path, record: DustRecord, name: str = "run.json") -> Path:
    path.mkdir(exist_ok=True)
    (path / name).write_text(render(record), "utf-8")
    return path


@pytest.fixture
def record() -> DustRecord:
    told = dust_sample.record(12)
    return replace(told, files=(dust_sample.kept("files/in/0001-MA.csv"),))


def test_a_run_is_like_itself_as_folder_and_as_pack(tmp_path: Path) -> None:
    told = dust_sample.filled(tmp_path / "a", 8)
    packed = pack.write(tmp_path / "a", told, key_of_run(told.header))
    for name in ("run.json", "record.json"):
        found = compare(folder_of(tmp_path / name, told, name), packed)
        assert found.same
        assert found.compared > 30


Change = Callable[[DustRecord], DustRecord]


def _verdict(told: DustRecord) -> DustRecord:
    return replace(told, verdict=Verdict.PASS)


def _case(told: DustRecord) -> DustRecord:
    one = replace(told.cases[0], verdict=Verdict.FAIL, reason="why not")
    return replace(told, cases=(one, *told.cases[1:]))


def _expectation(told: DustRecord) -> DustRecord:
    part = replace(told.cases[0].expected[0], actual="Stranded")
    one = replace(told.cases[0], expected=(part,))
    return replace(told, cases=(one, *told.cases[1:]))


def _defect(told: DustRecord) -> DustRecord:
    return replace(told, defects=told.defects[1:])


def _day(told: DustRecord) -> DustRecord:
    return replace(told, days=(replace(told.days[0], capacity=99), *told.days[1:]))


def _file(told: DustRecord) -> DustRecord:
    return replace(told, files=(replace(told.files[0], sha256="0" * 64),))


def _seed(told: DustRecord) -> DustRecord:
    return replace(told, header=replace(told.header, seed=8))


def _state(told: DustRecord) -> DustRecord:
    return replace(told, installations=(dust_sample.home(0, course=3), *told.installations[1:]))


CHANGES: dict[str, tuple[Change, set[tuple[str, str, str, str]]]] = {
    "verdict": (_verdict, {("run", "outcome", "verdict", "")}),
    "case": (_case, {("case", "C-001", "verdict", ""), ("case", "C-001", "reason", "")}),
    "expectation": (_expectation, {("expectation", "C-001", "state of home-0001", "")}),
    "defect": (_defect, {("defect", "D-001", "defect", "")}),
    "day": (_day, {("day", "2023-01-23", "capacity", "")}),
    "file": (_file, {("file", "files/in/0001-MA.csv", "sha256", "Example Supplier")}),
    "seed": (_seed, {("run", "header", "seed", "")}),
    "state": (
        _state,
        {("installation", "home-0001", name, "S1SP") for name in ("state", "code", "history")},
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_named_with_who_made_it(tmp_path: Path, record: DustRecord, what: str) -> None:
    change, expected = CHANGES[what]
    found = compare(folder_of(tmp_path / "a", record), folder_of(tmp_path / "b", change(record)))
    assert {(one.part, one.name, one.field, one.by) for one in found.changes} == expected
    assert found.to_json()["same"] is False


def test_an_installation_that_one_run_lacks_is_named(tmp_path: Path, record: DustRecord) -> None:
    other = replace(record, installations=record.installations[:-1])
    found = compare(folder_of(tmp_path / "a", record), folder_of(tmp_path / "b", other))
    assert [(one.name, one.a, one.b) for one in found.changes] == [
        ("home-0012", "RolledBack", "(absent)")
    ]


def test_the_command_ends_with_1_where_runs_differ(tmp_path: Path, record: DustRecord) -> None:
    a, b = folder_of(tmp_path / "a", record), folder_of(tmp_path / "b", _state(record))
    assert run_json(compare_command.register, "compare", str(a), str(a))["same"]
    code, output = run(compare_command.register, "compare", str(a), str(b), "--json")
    assert code == 1
    assert json.loads(output)["kind"] == "dust"
    out = tmp_path / "out"
    code, output = run(compare_command.register, "compare", str(a), str(b), "--out", str(out))
    assert code == 1
    assert "home-0001" in output
    assert json.loads((out / "differences.json").read_text("utf-8"))["changes"]


def test_what_is_no_dust_run_is_refused_for_people(tmp_path: Path, record: DustRecord) -> None:
    a = folder_of(tmp_path / "a", record)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no DUST run"):
        compare(a, tmp_path / "empty")
    (tmp_path / "x.zip").write_bytes(b"no pack")
    with pytest.raises(UsageError, match="not as it was written"):
        compare(a, tmp_path / "x.zip")


def test_verify_tells_machines_and_people(tmp_path: Path) -> None:
    told = dust_sample.filled(tmp_path, 4)
    path = pack.write(tmp_path, told, key_of_run(told.header))
    document = run_json(dust_verify.register, "verify", str(path))
    assert document["intact"]
    assert {one["part"] for one in document["parts"]} >= {"archive", "manifest.sig", "totals"}
    code, output = run(dust_verify.register, "verify", str(path))
    assert (code, "intact: run SEC-2022-A" in output) == (0, True)
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)
    code, output = run(dust_verify.register, "verify", str(path))
    assert code == 1
    assert "FAILED: files/in/0001-MA.csv" in output
    code, output = run(dust_verify.register, "verify", str(path), "--json")
    assert (code, json.loads(output)["intact"]) == (1, False)


def test_a_history_that_goes_on_longer_is_told(tmp_path: Path, record: DustRecord) -> None:
    home = InstallationRecord.restore(record.installations[0].dump())
    home.history.pop()
    home.state = State.COMMISSIONING
    other = replace(record, installations=(home, *record.installations[1:]))
    found = compare(folder_of(tmp_path / "a", record), folder_of(tmp_path / "b", other))
    assert [(one.field, one.b, one.by) for one in found.changes] == [
        ("state", "Commissioning", "SMSO"),
        ("history", "(its history has ended)", "SMSO"),
    ]
