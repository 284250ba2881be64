"""Dormant homes in a run: their suppliers are told when, and what firmware they get before."""

from pathlib import Path

import pytest

from harness.dust.events import DustEvent
from harness.dust.record import DustRecord
from harness.formats.authorisation.dormant_schedule import read_notification
from harness.formats.migration_files.notifications import DormantFirmwareLine, DormantMeterLine
from harness.migration.states import State
from tests.harness.dust.dust_runs import SMALL, USER, run, written

HEAD, _, REST = SMALL.partition("[[devices]]")
DORMANT = f"""{HEAD}[[devices]]
name = "old"
count = 2
class = "Dormant"
ppmid = "none"
models = "ESME=demo-s1-esme-earlier"
[[devices]]
name = "both"
class = "Mixed"
ppmid = "none"
[[early_firmware]]
set = "old"
to = "10000001"
[[early_firmware]]
refs = ["both-001"]
to = "01000001"
[[case]]
id = "C-001"
title = "dormant homes migrate without anybody's leave"
family = "happy-path"
set = "old"
expect = [{{state = "Migrated"}}, {{code = "none"}}]
"""


class Played:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.events: list[DustEvent] = []
        self.record: DustRecord = run(written(folder, DORMANT), self.folder, self.events.append)

    def files(self, kind: str) -> list[str]:
        return [one.path for one in self.record.files if one.kind == kind]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    return Played(tmp_path_factory.mktemp("dormant"))


def test_suppliers_of_dormant_meters_are_told_when_they_migrate(played: Played) -> None:
    kept = played.files("dormant schedule notification")
    lines = [
        line for path in kept for line in read_notification(DormantMeterLine, played.folder / path)
    ]
    assert sorted({line.ref for line in lines}) == ["both-001", "old-001", "old-002"]
    starts = {ref: day.day for day in played.record.days for ref in day.refs}
    assert all(line.earliest == starts[line.ref] for line in lines)
    told = [one for one in played.events if one.kind == "notice"]
    assert {one.receiver for one in told} == {line.user_id for line in lines}
    assert {one.file for one in told} >= set(kept)
    assert all(one.turn == 0 for one in told), "before the first turn is open"


def test_the_smso_is_ordered_to_update_dormant_meters_and_no_active_one(played: Played) -> None:
    orders = {one.ref: one for one in played.events if one.kind == "early-firmware"}
    assert {ref: one.code for ref, one in orders.items()} == {
        "old-001": "",
        "old-002": "",
        "both-001": "X-4.26",
    }
    assert {(one.party, one.receiver) for one in orders.values()} == {("DCC", "SMSO")}
    letters = "".join((played.folder / path).read_text() for path in played.files("messages"))
    assert letters.count("update firmware of") == 2
    [path] = played.files("dormant firmware notification")
    lines = read_notification(DormantFirmwareLine, played.folder / path)
    assert [(one.ref, one.to_version) for one in lines] == [
        ("old-001", "10000001"),
        ("old-002", "10000001"),
    ]


def test_the_devices_run_their_new_version_before_they_migrate(played: Played) -> None:
    done = {one.ref: one.told for one in played.events if one.kind == "early-firmware-done"}
    assert {ref: (one["before"], one["after"]) for ref, one in done.items()} == {
        "old-001": ("10000000", "10000001"),
        "old-002": ("10000000", "10000001"),
    }
    assert len(played.files("firmware image")) == 2


def test_what_is_the_participant_s_goes_out_with_the_first_turn(played: Played) -> None:
    outs = [one for one in played.files("turn file") if "DMSN" in one or "DFWN" in one]
    of_user = [one for one in outs if USER in one or USER.replace("-", "") in one]
    assert outs
    assert outs == of_user


def test_record_report_and_pack_show_them(played: Played) -> None:
    page = (played.folder / "report.html").read_text("utf-8")
    for kind in ("dormant schedule notification", "dormant firmware notification"):
        for path in played.files(kind):
            assert Path(path).name in page
    assert {one.state for one in played.record.installations} == {State.MIGRATED}


def test_homes_that_are_all_dormant_need_no_authorisation_and_get_none(tmp_path: Path) -> None:
    """The simulated supplier hands in no paper without a line: it would be its own defect."""
    sets = '[[devices]]\nname = "old"\nclass = "Dormant"\nppmid = "none"\n'
    text = f"{HEAD}{sets}{DORMANT[DORMANT.index('[[case]]') :]}"
    record = run(written(tmp_path, text), tmp_path / "run")
    assert {one.state for one in record.installations} == {State.MIGRATED}
    assert record.defects == ()
    assert not [one for one in record.files if one.kind == "MA"]
