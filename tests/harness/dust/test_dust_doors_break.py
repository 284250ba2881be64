"""Doors that break are the bench's trouble: nobody calls it the participant's silence."""

import errno
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.door import drop_out
from harness.door.client import HttpWay
from harness.dust.choices import Choices
from harness.dust.engine import resume, start
from harness.dust.record import DustRecord
from harness.dust.run_doors import Opened, Watchers
from harness.errors import BenchError, UsageError
from harness.verdict import Verdict
from tests.harness.dust import dust_runs

#: Longest that anything is waited for.
_S = 60.0
ONE = """
[run]
id = "T-1"
title = "one home"
cohort = "EA"
[participant]
name = "Example Supplier"
user_ids = ["02-53-42-00-00-01-00-00"]
mode = "drop"
signed = false
patience_s = 300
listen = "%s"
[capacity]
days = 1
[[devices]]
name = "elec"
shape = "ESME-only"
ppmid = "none"
[[entry]]
id = "E1"
check = "participant-interface"
"""


def definition(folder: Path, listen: str = "127.0.0.1:0") -> Path:
    return dust_runs.written(folder, ONE % listen)


def until(seen: Callable[[], bool]) -> None:
    last = time.monotonic() + _S
    while not seen():
        assert time.monotonic() < last
        time.sleep(0.05)


def broken_by(folder: Path, act: Callable[[Path], None]) -> BenchError:
    """Play a run in which something happens to the drop once the first turn is open."""

    def meddle(opened: Opened) -> None:
        def work() -> None:
            drop = Path(opened.drop)
            until((drop / "out" / "turn-001.json").exists)
            act(drop)

        threading.Thread(target=work, daemon=True).start()

    choices = Choices(definition(folder), folder)
    with pytest.raises(BenchError) as caught:
        start(choices, folder / "run", Watchers(on_open=meddle))
    return caught.value


def says_done(opened: Opened) -> None:
    """Say in every turn, by HTTP, that the participant is done with it."""

    def work() -> None:
        host, _colon, port = opened.http.removeprefix("http://").partition(":")
        way = HttpWay(host, int(port))
        while True:
            status, body = way.ask("GET", "/turns/current")
            turn = json.loads(body)["turn"] if status == 200 else 0
            if turn is None:
                return
            if turn:
                way.ask("POST", f"/turns/{turn}/done", b"{}", "application/json")
            time.sleep(0.05)

    threading.Thread(target=work, daemon=True).start()


def gone_on(folder: Path) -> DustRecord:
    return resume(folder / "run", Watchers(on_open=says_done))


def interface(record: DustRecord) -> Verdict:
    return next(one.verdict for one in record.criteria if one.id == "E1")


def test_a_drop_that_was_taken_away_stops_the_run_which_can_go_on(tmp_path: Path) -> None:
    error = broken_by(tmp_path, shutil.rmtree)
    assert "out of reach" in error.what
    assert str(tmp_path / "drop") in error.where
    assert "taken away" in error.cause
    assert f"smetsbench resume {tmp_path / 'run'}" in error.next_command
    assert "was silent" not in (tmp_path / "run" / "events.jsonl").read_text()
    assert interface(gone_on(tmp_path)) is Verdict.PASS


def test_something_else_in_the_place_of_the_drop_is_told(tmp_path: Path) -> None:
    def replaced(drop: Path) -> None:
        shutil.rmtree(drop)
        drop.write_text("a file")

    assert "something else" in broken_by(tmp_path, replaced).cause


@pytest.mark.parametrize(
    ("number", "cause"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "can only be read")]
)
def test_a_drop_that_takes_nothing_more_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cause: str
) -> None:
    def full(path: Path, *_rest: object) -> None:
        raise OSError(number, "nothing goes in", str(path))

    def refused(drop: Path) -> None:
        for name in ("put", "put_json"):
            monkeypatch.setattr(drop_out, name, full)
        (drop / "in" / "paper.csv.part").write_bytes(b"no paper")
        (drop / "in" / "paper.csv.part").rename(drop / "in" / "paper.csv")

    error = broken_by(tmp_path, refused)
    assert cause in error.cause
    monkeypatch.undo()
    assert interface(gone_on(tmp_path)) is Verdict.PASS


def test_an_address_in_use_leaves_no_run_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        named = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UsageError, match="nothing can listen there") as caught:
            start(Choices(definition(tmp_path, named), tmp_path), tmp_path / "run")
    assert named in caught.value.where
    assert not (tmp_path / "run").exists()


def test_a_drop_that_cannot_be_made_leaves_no_run_behind(tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("a file in its place")
    with pytest.raises(UsageError, match="the drop cannot be made"):
        start(Choices(definition(tmp_path), tmp_path), tmp_path / "run")
    assert not (tmp_path / "run" / "begun.json").exists()
    (tmp_path / "drop").unlink()
    opened = Watchers(on_open=says_done)
    assert start(Choices(definition(tmp_path), tmp_path), tmp_path / "run", opened) is not None
