"""Homes of a DUST run that stand on benches: octets on a line, refusals, losses, going on."""

import json
import re
import shlex
import sys
import zipfile
from pathlib import Path

import pytest

from harness.cli import main as command_line
from harness.dust import pack
from harness.dust.engine import resume
from harness.dust.events import DustEvent
from harness.errors import BenchError
from harness.migration.states import State
from harness.verdict import Verdict
from tests.harness.dust.dust_runs import killed_run
from tests.hil.dust_on_benches import (
    BESIDE,
    DESK,
    RUN,
    children,
    killer,
    on_desk,
    page_examples,
    played,
)
from tests.hil.test_migration_on_a_line import hdlc_frames, one_real_meter

#: Children start slowly, and migrations are long, on a busy machine.
pytestmark = pytest.mark.timeout(900)


def test_a_home_on_a_bench_migrates_with_octets_on_its_line(tmp_path: Path) -> None:
    record = played(on_desk(tmp_path), tmp_path / "run")
    assert [(one.verdict, one.reason) for one in record.cases] == [(Verdict.PASS, "as expected")]
    assert record.verdict is Verdict.PASS
    assert hdlc_frames(tmp_path / "run") > 80
    told = record.header.benches["line-001"]
    assert told == "bench desk: ESME on loopback:demo-s1-esme; all else emulated"
    (entry,) = [one for one in record.criteria if one.id == "E1"]
    (home,) = record.installations
    assert entry.verdict is Verdict.PASS
    assert "ESME says 02-53-01-" in entry.reason
    assert home.state is State.MIGRATED
    for name in ("report.html", "report.md", "report.json"):
        text = (tmp_path / "run" / name).read_text("utf-8")
        assert "bench desk" in text
        assert "not claimed" in text
    with zipfile.ZipFile(tmp_path / "run" / pack.NAME) as evidence:
        assert json.loads(evidence.read("environment.json"))["benches"] == {"line-001": told}
        assert told in evidence.read("cover.md").decode()


@pytest.mark.soak
def test_the_page_s_example_runs_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = page_examples(tmp_path)
    for line in ran:
        monkeypatch.setattr(sys, "argv", shlex.split(line))
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        told = capsys.readouterr()
        assert ended.value.code == 0, (line, told.out, told.err)
        assert line.startswith("smetsbench dust verify") or "bench desk: ESME on" in told.out
    assert len(ran) == 3


@pytest.mark.soak
def test_both_meters_of_several_homes_stand_on_lines_beside_an_emulated_home(
    tmp_path: Path,
) -> None:
    desk = DESK + '\n[roles.GSME]\nendpoint = "loopback:demo-s1-gsme"\nlisten = "tcp"\n'
    run = RUN.replace("count = 1", "count = 2").replace("ESME-only", "split supply")
    record = played(on_desk(tmp_path, BESIDE, desk=desk, run=run), tmp_path / "run")
    assert [one.verdict for one in record.cases] == [Verdict.PASS, Verdict.PASS]
    assert {one.state for one in record.installations} == {State.MIGRATED}
    assert sorted(record.header.benches) == ["line-001", "line-002"]


@pytest.mark.soak
def test_faults_and_defects_of_a_home_on_a_bench_are_its_own(tmp_path: Path) -> None:
    more = """
[[fault]]
refs = ["line-002"]
faults = ["before:T3/mute:role=esme@han", "after:T3/clear@han"]
[[fault]]
refs = ["line-003"]
defects = ["s1-esme-other-serial"]
[[case]]
id = "C-002"
title = "a test fails"
family = "rollback"
refs = ["line-002"]
expect = [{code = "X-16.10.2"}]
[[case]]
id = "C-003"
title = "another serial number"
family = "happy-path"
refs = ["line-003"]
expect = [{device = "ESME", shows = "serial"}]
[retry]
policy = "never"
"""
    run = RUN.replace("count = 1", "count = 3").replace(
        'set = "line"\nexpect', 'refs = ["line-001"]\nexpect'
    )
    record = played(on_desk(tmp_path, more, run=run), tmp_path / "run")
    assert [one.verdict for one in record.cases] == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]


@pytest.mark.soak
def test_a_killed_run_goes_on_with_its_meter_as_it_was(tmp_path: Path) -> None:
    file = on_desk(tmp_path, BESIDE)
    whole = played(file, tmp_path / "whole")
    assert killed_run(file, tmp_path / "killed", event=60) == 9
    record = resume(tmp_path / "killed")
    assert record.cases == whole.cases
    assert record.verdict is Verdict.PASS
    first, again = ((tmp_path / name / "events.jsonl").read_bytes() for name in ("whole", "killed"))
    assert first == again
    assert not (tmp_path / "killed" / "lines").exists()  # keys of devices are not left behind


@pytest.mark.soak
def test_a_line_that_goes_away_is_an_error_of_the_bench_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    file, out = on_desk(tmp_path), tmp_path / "run"
    with children() as born, pytest.raises(BenchError) as caught:
        played(file, out, killer(born, "H2"))
    assert [one.is_running for one in born] == [False]
    error = caught.value
    assert error.what
    assert "demo-s1-esme" in error.where
    assert error.next_command.endswith(f"smetsbench resume {out}")
    record = resume(out)
    assert record.verdict is Verdict.PASS
    assert [one.verdict for one in record.cases] == [Verdict.PASS]


@pytest.mark.soak
def test_a_real_meter_that_nobody_armed_is_read_and_its_home_is_skipped(tmp_path: Path) -> None:
    desk = one_real_meter(tmp_path).read_text("utf-8")
    told: list[DustEvent] = []
    record = played(on_desk(tmp_path, BESIDE, desk=desk), tmp_path / "run", told.append)
    on_line, beside = record.cases
    assert on_line.verdict is Verdict.SKIPPED
    assert on_line.reason.startswith("KEYS refused (unarmed)")
    assert f"smetsbench bench arm {tmp_path / 'desk.toml'}" in on_line.reason
    assert beside.verdict is Verdict.PASS
    assert record.reason.endswith("not played: line-001")
    assert record.verdict is Verdict.INCONCLUSIVE
    assert "SKIPPED: KEYS refused" in record.header.benches["line-001"]
    assert record.defects == ()
    states = {one.ref: one.state for one in record.installations}
    assert states == {"line-001": State.ROLLED_BACK, "beside-001": State.MIGRATED}
    assert [event.text for event in told if event.kind == "skipped"] == [on_line.reason]
    tries = [event for event in told if (event.ref, event.step) == ("line-001", "V1")]
    assert len(tries) == 1  # a home is not tried again where the guard refused


def test_a_meter_that_is_not_there_ends_the_run_with_the_next_command(tmp_path: Path) -> None:
    desk = one_real_meter(tmp_path).read_text("utf-8")
    gone = desk.replace('/head"', '/gone"')
    assert gone != desk
    with pytest.raises(BenchError) as caught:
        played(on_desk(tmp_path, desk=gone), tmp_path / "run")
    error = caught.value
    assert "/gone" in error.where + error.what
    assert error.cause
    assert error.next_command


@pytest.mark.soak
def test_a_run_whose_port_was_not_there_goes_on_once_it_is(tmp_path: Path) -> None:
    desk = one_real_meter(tmp_path).read_text("utf-8")
    port = re.findall(r'endpoint = "serial:(\S+)"', desk)[0]
    head, out = tmp_path / "head", tmp_path / "run"
    with pytest.raises(BenchError):
        played(on_desk(tmp_path, BESIDE, desk=desk.replace(port, str(head))), out)
    head.symlink_to(port)
    record = resume(out)
    on_line, beside = record.cases
    assert on_line.reason.startswith("KEYS refused (unarmed)")
    assert (on_line.verdict, beside.verdict) == (Verdict.SKIPPED, Verdict.PASS)


def test_another_meter_than_the_home_s_ends_the_run(tmp_path: Path) -> None:
    desk = one_real_meter(tmp_path).read_text("utf-8")
    other = "02-53-01-00-01-00-00-02"
    wrong = desk.replace('eui64 = "02-53-01-00-01-00-00-01"', f'eui64 = "{other}"')
    with pytest.raises(BenchError) as caught:
        played(on_desk(tmp_path, desk=wrong), tmp_path / "run")
    assert f"is 02-53-01-00-01-00-00-01, and the home has {other}" in caught.value.what
    assert caught.value.next_command == f"smetsbench bench probe {tmp_path / 'desk.toml'}"
