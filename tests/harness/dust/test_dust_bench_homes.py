"""Homes of a run that are bound to benches: who stands there, who is skipped, and what is told."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from emulator.core.clock import UtcMs
from harness.cli import main as command_line
from harness.dust.bench_homes import BenchHomes, look_at, told_of
from harness.dust.cases import Facts, judge_cases
from harness.dust.choices import Choices, Prepared, prepare
from harness.dust.closing import run_days
from harness.dust.definition import Definition
from harness.dust.definition_homes import homes
from harness.dust.entry import Entry
from harness.dust.recording import header_of
from harness.errors import BenchError, UsageError
from harness.rules.migration_rulebook import load_rule_book
from harness.verdict import Verdict
from tests.harness.dust.definitions_given import given, text_of
from tests.harness.dust.definitions_given import written as write_definition

HIL = 'environment = "HIL"'
SETS = """
[[devices]]
name = "line"
count = 2
bench = "desk.toml"
[[devices]]
name = "beside"
"""
CASE = """
[[entry]]
id = "E1"
check = "bench"
[[case]]
id = "C-1"
title = "both"
family = "happy-path"
set = "line"
expect = [{state = "Migrated"}]
"""
HEAD = '[bench]\nname = "desk"\noperator = "A. Fitter"\n'
LOOPBACK = HEAD + '[roles.ESME]\nendpoint = "loopback:demo-s1-esme"\n'
METER = "02-53-01-00-01-00-00-01"
REAL = (
    HEAD
    + f"""[roles.ESME]
endpoint = "serial:/dev/serial/by-id/usb-head"
profile = "demo-s1-esme"
eui64 = "{METER}"
[roles.ESME.credentials.management]
keys = "file:keys.toml#management"
"""
)
RADIO = HEAD + '[dongles.stick]\nendpoint = "loopback:dongle"\nrole = "hub"\n'


def on(folder: Path, desk: str, *, sets: str = SETS) -> Definition:
    (folder / "desk.toml").write_text(desk)
    return given(folder, CASE, run=HIL, sets=sets)


def standing(folder: Path, desk: str) -> BenchHomes:
    definition = on(folder, desk)
    return look_at(definition, homes(definition))


def prepared(folder: Path, desk: str, *, sets: str = SETS) -> Prepared:
    (folder / "desk.toml").write_text(desk)
    file = write_definition(folder, text_of(CASE, run=HIL, sets=sets))
    return prepare(Choices(file, file.parent, historical=True))


def test_each_home_of_a_set_stands_on_a_loopback_bench_and_all_others_are_emulated(
    tmp_path: Path,
) -> None:
    there = standing(tmp_path, LOOPBACK)
    told = "bench desk: ESME on loopback:demo-s1-esme; all else emulated"
    assert there.told() == {"line-001": told, "line-002": told}
    assert there.files == dict.fromkeys(("line-001", "line-002"), tmp_path / "desk.toml")
    assert there.skipped == {}


def test_a_real_meter_is_the_first_home_s_and_the_next_home_is_skipped(tmp_path: Path) -> None:
    definition = on(tmp_path, REAL)
    made = homes(definition)
    meters = [one.eui64 for home in made for one in home.devices if one.role == "ESME"]
    assert meters[0] == METER
    assert meters.count(METER) == 1
    there = look_at(definition, made)
    assert list(there.files) == ["line-001"]
    assert "(real: read, never written to)" in there.told()["line-001"]
    assert f"{METER}, not {meters[1]}" in there.skipped["line-002"]


@pytest.mark.parametrize(
    ("desk", "why", "then"),
    [
        (RADIO, "dongle", "smetsbench run MIG-001 --bench"),
        (HEAD + '[roles.CHF]\nendpoint = "emulated:demo-s1-chf-sec"\n', "line", "bench check"),
        (LOOPBACK.replace("demo-s1-esme", "smets1"), "the bench's is a smets1", "bench check"),
        (REAL.replace(f'eui64 = "{METER}"\n', ""), "roles.ESME.eui64", "bench probe"),
        (REAL.partition("[roles.ESME.cred")[0], "credentials.management", "bench check"),
        (
            HEAD + '[roles.ESME]\nendpoint = "replay:old"\nprofile = "demo-s1-esme"\n',
            "a recording answers",
            "bench check",
        ),
    ],
    ids=["dongle", "no line", "model", "no EUI-64", "no keys", "recording"],
)
def test_what_a_bench_lacks_skips_its_homes_with_the_next_command(
    tmp_path: Path, desk: str, why: str, then: str
) -> None:
    there = standing(tmp_path, desk)
    assert there.files == {}
    for said in there.skipped.values():
        assert why in said
        assert f"(next: smetsbench {then.removeprefix('smetsbench ')}" in said
    (open_point, *_) = [one for one in there.not_proven() if "line-001" in one]
    assert open_point.startswith("Home line-001 was not played: bench desk: ")


def test_skipped_homes_get_no_day_and_the_others_are_planned(tmp_path: Path) -> None:
    run = prepared(tmp_path, REAL)
    assert [home.ref for home in run.homes] == ["line-001", "beside-001"]
    assert {one.ref for one in run.plan.homes} == {"line-001", "beside-001"}
    assert any(one.startswith("line-002: SKIPPED: bench desk") for one in run.plan.remarks)


def test_a_run_none_of_whose_homes_can_be_played_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(BenchError) as caught:
        prepared(tmp_path, RADIO, sets=SETS.partition('[[devices]]\nname = "beside"')[0])
    assert "no home of this run can be played" in caught.value.what
    assert caught.value.where == str(tmp_path / "desk.toml")
    assert caught.value.next_command.startswith("smetsbench run MIG-001")


def test_a_bench_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    definition = given(tmp_path, CASE, run=HIL, sets=SETS)
    with pytest.raises(UsageError) as caught:
        homes(definition)
    assert str(tmp_path / "desk.toml") in caught.value.where


def test_the_plan_tells_what_stands_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "desk.toml").write_text(LOOPBACK)
    file = write_definition(tmp_path, text_of(CASE, run=HIL, sets=SETS))
    words = ["smetsbench", "dust", "plan", str(file), "--historical", "--json"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        command_line.main()
    told = json.loads(capsys.readouterr().out)
    assert ended.value.code == 0
    assert set(told["benches"]) == {"line-001", "line-002"}
    assert f"line-001: {told['benches']['line-001']}" in told["remarks"]


# -- criteria, cases, headers ----------------------------------------------------------------------


def test_the_entry_criterion_says_who_answered_and_is_not_met_by_skipped_homes(
    tmp_path: Path,
) -> None:
    bench = SimpleNamespace(found={"line-001": {"ESME": METER}}, refused={})
    verdicts = []
    for desk in (LOOPBACK, REAL):
        definition = on(tmp_path, desk)
        there = look_at(definition, homes(definition)).found(bench)
        entry = Entry(definition, SimpleNamespace(), SimpleNamespace(), UtcMs(0), there)  # type: ignore[arg-type] # neither course nor keys are asked
        (one,) = entry.judge()
        assert f"ESME says {METER}" in one.reason
        verdicts.append(one.verdict)
    assert verdicts == [Verdict.PASS, Verdict.SKIPPED]


def test_a_case_some_of_whose_homes_were_not_played_says_so(tmp_path: Path) -> None:
    definition = on(tmp_path, REAL)
    there = look_at(definition, homes(definition))
    facts = Facts({}, (), (), load_rule_book(), frozenset())
    (result,) = judge_cases(definition, facts, there.skipped, run_days(definition).as_of)
    assert result.reason.endswith(f"line-002 was not played: {there.skipped['line-002']}")
    assert [row.what for row in result.expected] == ["state of line-001"]


def test_what_a_guard_refuses_is_skipped_from_then_on(tmp_path: Path) -> None:
    definition = on(tmp_path, REAL)
    made = homes(definition)
    there = look_at(definition, made)
    bench = SimpleNamespace(refused={"line-001": "KEYS refused (unarmed): x (next: y)"})
    header = header_of(definition, run_days(definition), made, there)
    late = told_of(header, there.not_played(bench))
    assert late.benches["line-001"].endswith("; SKIPPED: KEYS refused (unarmed): x (next: y)")
    assert late.benches["line-002"] == header.benches["line-002"]
    records = {ref: SimpleNamespace() for ref in ("line-001", "beside-001")}
    assert list(there.triable(records, bench)) == ["beside-001"]  # type: ignore[arg-type] # only names count


def test_a_run_on_no_bench_says_nothing_of_benches() -> None:
    none = BenchHomes()
    assert (none.told(), none.not_proven(), none.not_played(object())) == ({}, (), {})
