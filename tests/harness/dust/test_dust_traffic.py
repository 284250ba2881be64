"""What passes the doors of a run: floods of alerts, refusals, what the simulated supplier asks."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from harness.door.flood import NAME as FLOOD
from harness.dust.asks import SERVICES
from harness.dust.definition import load_definition
from harness.dust.definition_words import ASKED
from harness.dust.engine import resume
from harness.dust.events import DustEvent, read_events
from harness.dust.record import DustRecord
from harness.errors import UsageError
from harness.verdict import Verdict
from tests.harness.dust.dust_runs import SMALL, killed_run, run, written
from tests.harness.dust.test_dust_run import same

pytestmark = pytest.mark.timeout(300)
ALERTS = 10
TROUBLED = SMALL.replace(
    '[[entry]]\nid = "E1"',
    f"""[[fault]]
day = 1
faults = ["flood:alerts={ALERTS},over_s=600"]
[[mistake]]
refs = ["dual-001"]
what = "replayed-request"
[[mistake]]
refs = ["dual-002"]
what = "unsigned-request"
[[case]]
id = "C-004"
title = "a hub in trouble"
family = "other"
refs = ["dual-001"]
expect = [{{alert = "N55"}}, {{alert = "X-S1SP-HUB-TROUBLE"}}, {{request = "7.4", answer = "I0"}}]
[[entry]]
id = "E1\"""",
    1,
)


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, DustRecord]:
    """A run with a flood, a replayed and an unsigned request."""
    folder = tmp_path_factory.mktemp("troubled")
    file = written(folder, TROUBLED)
    return file, folder / "run", run(file, folder / "run")


def events_of(folder: Path, kind: str) -> list[DustEvent]:
    return [one for one in read_events(folder / "events.jsonl") if one.kind == kind]


def test_every_alert_of_a_flood_is_an_event_of_its_home_and_a_file(
    troubled: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = troubled
    alerts = [one for one in events_of(out, "alert") if one.code == "N55"]
    migrated = [one.ref for one in record.installations if one.state.value == "Migrated"]
    assert Counter(one.ref for one in alerts) == dict.fromkeys(migrated, ALERTS)
    assert len({one.file for one in alerts}) == len(alerts)
    assert all((out / one.file).is_file() for one in alerts)
    assert {one.told["s1sp"] for one in alerts} == {"X-S1SP-HUB-TROUBLE"}
    drop = [*(out / "drop" / "out").glob("alert-*.xml")]
    assert len(drop) >= len(alerts)
    assert record.verdict is Verdict.PASS, record.reason


def test_what_a_door_refused_is_in_the_evidence_in_its_place(
    troubled: tuple[Path, Path, DustRecord],
) -> None:
    _file, out, record = troubled
    refused = events_of(out, "door-refused")
    assert [one.code for one in refused] == ["replayed-counter", "missing-signature"]
    kept = {one.path: one for one in record.files if one.kind == "refused at the door"}
    assert [one.file for one in refused] == sorted(kept)
    assert kept[refused[1].file].result == "missing-signature"


def test_a_run_killed_in_a_flood_leaves_the_same_pack(
    troubled: tuple[Path, Path, DustRecord], tmp_path: Path
) -> None:
    file, out, _record = troubled
    numbers = [one.number for one in events_of(out, "alert")]
    cut = tmp_path / "cut"
    assert killed_run(file, cut, event=numbers[len(numbers) // 2]) == signal.SIGKILL
    resume(cut)
    assert same(out, cut) == []


@pytest.mark.soak
def test_a_run_killed_among_refusals_leaves_the_same_pack(
    troubled: tuple[Path, Path, DustRecord], tmp_path: Path
) -> None:
    file, out, _record = troubled
    cut = tmp_path / "cut"
    number = events_of(out, "door-refused")[0].number
    assert killed_run(file, cut, event=number) == signal.SIGKILL
    resume(cut)
    assert same(out, cut) == []


def test_what_is_asked_is_what_the_definition_says(tmp_path: Path) -> None:
    text = SMALL.replace("sealed = true", 'sealed = true\nasks = ["7.4", "4.1.1"]')
    assert load_definition(written(tmp_path, text)).participant.asks == ("7.4", "4.1.1")
    assert load_definition(written(tmp_path)).participant.asks == ASKED
    with pytest.raises(UsageError, match=r"no 9\.9"):
        load_definition(written(tmp_path, text.replace("7.4", "9.9")))
    assert set(SERVICES) == set(ASKED)


@pytest.mark.parametrize("order", [f"{FLOOD}:alerts=0", f"{FLOOD}:hubs=3"])
def test_a_flood_that_means_nothing_is_refused_with_its_key(tmp_path: Path, order: str) -> None:
    text = TROUBLED.replace(f"{FLOOD}:alerts={ALERTS},over_s=600", order)
    with pytest.raises(UsageError, match="flood"):
        load_definition(written(tmp_path, text))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_twenty_homes_flooded_each_migrated_one_tells_ten_times(tmp_path: Path) -> None:
    text = TROUBLED.replace("count = 3", "count = 20").replace("per_day = 3", "per_day = 20")
    record = run(written(tmp_path, text), tmp_path / "run")
    told = Counter(one.ref for one in events_of(tmp_path / "run", "alert") if one.code == "N55")
    migrated = {one.ref for one in record.installations if one.state.value == "Migrated"}
    assert len(migrated) == 19
    assert len(told) >= 10  # those that had migrated by that evening
    assert set(told) <= migrated
    assert set(told.values()) == {ALERTS}
