import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UsageError
from harness.recorder import ReplayError
from harness.resume import resume
from harness.run_folder import RunFolder
from harness.verdict import Verdict
from tests.harness.playing import SETTING, end_state, in_a_child, killed_at, play, resumed

IDS = ["TINY-01", "TINY-02"]


def operations(out: Path) -> list[Any]:
    with sqlite3.connect(out / "journal.sqlite") as db:
        rows = db.execute(
            "SELECT scenario, ordinal, step, kind, request, intent_at, outcome, outcome_at,"
            " capture_offset, capture_frames FROM operations ORDER BY scenario, ordinal"
        ).fetchall()
    db.close()
    return rows


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run nobody killed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert play(IDS, out).verdict is Verdict.PASS
    return out


def test_a_run_killed_at_any_commit_ends_as_if_never_killed(tmp_path: Path, whole: Path) -> None:
    expected, done = end_state(whole), operations(whole)
    number = 0
    while True:
        number += 1
        out = tmp_path / f"run{number}"
        if not killed_at(number, IDS, out):
            break
        record = resumed(out)
        assert record.verdict is Verdict.PASS, f"commit {number}"
        assert end_state(out) == expected, f"commit {number}"
        assert operations(out) == done, f"commit {number}"
    assert number > 2 * len(done)  # every intent and every outcome was a place to die


@pytest.mark.parametrize("second", [1, 2, 3, 5, 8])
def test_a_resumed_run_may_be_killed_again(tmp_path: Path, whole: Path, second: int) -> None:
    out = tmp_path / "run"
    assert killed_at(7, IDS, out)
    assert in_a_child(resumed, out, second) == -9
    assert resumed(out).verdict is Verdict.PASS
    assert end_state(out) == end_state(whole)


def test_a_capture_cut_in_the_middle_of_a_frame_is_made_whole(tmp_path: Path, whole: Path) -> None:
    out = tmp_path / "run"
    assert killed_at(12, IDS, out)
    with (out / "wire.pcapng").open("ab") as file:
        file.write(b"\x06\x00\x00\x00\x40\x00\x00\x00half")
    resumed(out)
    assert end_state(out)["capture"] == end_state(whole)["capture"]


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    out = tmp_path / "run"
    play(IDS, out)
    before, done = end_state(out), operations(out)
    assert resumed(out).verdict is Verdict.PASS
    assert (end_state(out), operations(out)) == (before, done)


def test_the_intent_is_committed_before_the_act_and_the_outcome_after(tmp_path: Path) -> None:
    # Commits: 1 run, 2 scenario, 3 step, 4 intent, 5 outcome.
    for number, outcome, taken in ((4, None, 0), (5, "{}", 1)):
        out = tmp_path / f"run{number}"
        assert killed_at(number, IDS, out)
        ((*_, kind, _, _, found, _, _, frames),) = operations(out)
        assert (kind, found, frames or 0) == ("hub.send", outcome, taken)


def real_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **env: str) -> dict[str, Any]:
    """Options of a run on a device that outlives the process."""
    file = tmp_path / "bench.toml"
    file.write_text('kind = "fake-real"\n')
    monkeypatch.setenv("FAKE_DEVICE_MEMORY", str(tmp_path / "memory.json"))
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    return {"bench": file}


def taken(tmp_path: Path) -> list[bytes]:
    memory = json.loads((tmp_path / "memory.json").read_text())
    return [bytes.fromhex(message) for message in memory["taken"]]


def test_a_message_a_real_device_already_took_is_not_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = real_bench(tmp_path, monkeypatch, FAKE_DEVICE_DIES_ON="hello")
    assert in_a_child(play, ["TINY-02"], tmp_path / "run", **options) == -9
    assert taken(tmp_path) == [b"hello"]
    monkeypatch.delenv("FAKE_DEVICE_DIES_ON")
    record = resumed(tmp_path / "run")
    assert record.verdict is Verdict.PASS
    assert taken(tmp_path) == [b"hello"]
    assert operations(tmp_path / "run")[0][6] == '{"settled":true}'


def test_a_message_a_real_device_never_took_is_sent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = real_bench(tmp_path, monkeypatch)
    assert killed_at(4, ["TINY-02"], tmp_path / "run", **options)
    assert not (tmp_path / "memory.json").exists()
    assert resumed(tmp_path / "run").verdict is Verdict.PASS
    assert taken(tmp_path) == [b"hello"]


def test_a_write_nobody_can_settle_is_inconclusive_and_stops_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = real_bench(
        tmp_path, monkeypatch, FAKE_DEVICE_DIES_ON="hello", FAKE_DEVICE_FORGETS="1"
    )
    assert in_a_child(play, ["TINY-03"], tmp_path / "run", **options) == -9
    record = resumed(tmp_path / "run")
    assert record.verdict is Verdict.INCONCLUSIVE
    assert "the bench cannot tell" in record.scenarios[0].reason
    assert [step.verdict for step in record.scenarios[0].steps] == [
        Verdict.INCONCLUSIVE,
        Verdict.SKIPPED,
    ]
    assert taken(tmp_path) == [b"hello"]


def test_a_repetition_of_earlier_octets_cannot_be_settled_by_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = real_bench(tmp_path, monkeypatch)
    # Commits: 1 run, 2 scenario, 3 step, 4-7 two operations, 8 step, 9 step, 10 intent.
    assert killed_at(10, ["TINY-03"], tmp_path / "run", **options)
    record = resumed(tmp_path / "run")
    assert record.verdict is Verdict.INCONCLUSIVE
    assert "the same octets were sent before" in record.scenarios[0].reason


def test_a_step_that_asks_for_something_else_when_replayed_is_an_internal_error(
    tmp_path: Path,
) -> None:
    out = tmp_path / "run"
    assert killed_at(7, IDS, out)
    with sqlite3.connect(out / "journal.sqlite") as db:
        db.execute("UPDATE operations SET request_sha256 = 'other' WHERE ordinal = 0")
    db.close()
    with pytest.raises(ReplayError, match=r"operation 0 was hub\.send") as refused:
        resumed(out)
    assert refused.value.exit_code == 5


def test_folders_that_hold_no_run_are_refused_distinctly(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such run folder"):
        resume(tmp_path / "nowhere", setting=SETTING)
    with pytest.raises(UsageError, match="holds no run"):
        resume(tmp_path, setting=SETTING)
    (tmp_path / "journal.sqlite").write_bytes(b"not a data base, by any means" * 40)
    with pytest.raises(UsageError, match="cannot be read") as refused:
        resume(tmp_path, setting=SETTING)
    assert str(tmp_path) in refused.value.where


def test_a_journal_of_another_format_is_refused(tmp_path: Path) -> None:
    play(["TINY-02"], tmp_path / "run")
    with sqlite3.connect(tmp_path / "run" / "journal.sqlite") as db:
        db.execute("UPDATE runs SET format = 99")
    db.close()
    with pytest.raises(UsageError, match="cannot be read") as refused:
        resumed(tmp_path / "run")
    assert "format [99]" in refused.value.where


def test_two_processes_never_work_in_one_folder(tmp_path: Path) -> None:
    out = tmp_path / "run"
    play(["TINY-02"], out)
    with RunFolder(out).lock(), pytest.raises(UsageError, match="another smetsbench"):
        resumed(out)


def test_a_new_run_replaces_a_finished_one_but_not_an_interrupted_one(tmp_path: Path) -> None:
    out = tmp_path / "run"
    play(["TINY-02"], out)
    assert play(["TINY-01"], out).scenarios[0].id == "TINY-01"
    other = tmp_path / "other"
    assert killed_at(6, IDS, other)
    with pytest.raises(UsageError, match="interrupted") as refused:
        play(IDS, other)
    assert f"smetsbench resume {other}" in refused.value.next_command


def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="cannot be made") as refused:
        play(["TINY-02"], tmp_path / "file" / "run")
    assert str(tmp_path) in refused.value.where


def test_a_folder_with_other_things_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="left as it is"):
        play(["TINY-02"], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
