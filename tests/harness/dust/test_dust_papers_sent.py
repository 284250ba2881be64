"""What the DCC sends before a run's days reconciles with the plan, and is clean to its reader."""

from datetime import timedelta
from pathlib import Path

from emulator.core.ids import Eui64
from harness.dust.closing import run_days
from harness.dust.definition_homes import homes
from harness.dust.papers_sent import PapersSent
from harness.dust.plan import plan
from harness.formats.authorisation.demand_file import COMMITMENT, DemandName, read_demand
from harness.formats.authorisation.dormant_schedule import (
    check_firmware,
    check_schedule,
    read_notification,
)
from harness.formats.authorisation.file_name import AuthorisationName
from harness.formats.authorisation.paper_kind import PaperKind, kind_of_paper, stem_of
from harness.formats.migration_files.notifications import DormantFirmwareLine, DormantMeterLine
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.dust.definitions_given import ME, given

SETS = """
[[devices]]
name = "old"
count = 2
class = "Dormant"
[[devices]]
name = "both"
class = "Mixed"
shape = "split supply"
[[devices]]
name = "dual"
count = 3
"""


def _sent(folder: Path) -> PapersSent:
    more = '[capacity]\nper_day = 4\nother_demand = {"SUPPLIER-B" = 1}\n'
    definition = given(folder, more, sets=SETS)
    return PapersSent(definition, plan(definition, homes(definition), run_days(definition)))


def test_a_commitment_is_the_participant_s_line_of_the_plan(tmp_path: Path) -> None:
    sent = _sent(tmp_path)
    name, octets = sent.commitment()
    named = DemandName.parse(stem_of(name))
    assert named is not None
    assert (named.kind, str(named.user_id), named.tag) == (COMMITMENT, ME, "SEC")
    assert named.day == sent.plan.days[0].day
    assert kind_of_paper(name, octets) is PaperKind.DEMAND_COMMITMENT
    found = read_demand(COMMITMENT, octets, name)
    assert [one.on for one in found] == [one.day for one in sent.plan.days]
    assert sum(one.committed or 0 for one in found) == 3
    assert (found[0].demand, found[0].committed) == (3, 1)


def test_every_supplier_of_dormant_meters_is_told_of_its_own_and_no_other(tmp_path: Path) -> None:
    sent = _sent(tmp_path)
    made = homes(sent.definition)
    day = sent.plan.days[0].day - timedelta(days=1)
    papers = sent.dormant_schedules(made, day)
    assert papers == sent.dormant_schedules(made, day)
    told: dict[str, list[str]] = {}
    for supplier, name, octets in papers:
        path = tmp_path / name
        path.write_bytes(octets)
        parsed = AuthorisationName.parse(path.stem)
        assert parsed is not None
        lines = read_notification(DormantMeterLine, path)
        assert check_schedule(lines, parsed.user_id, day, made) == ()
        assert supplier == str(parsed.user_id)
        told[supplier] = [one.ref for one in lines]
    assert told.pop(ME) == ["old-001", "old-001", "old-002", "old-002"]
    assert list(told.values()) == [["both-001"]]  # the gas supplier's dormant meter


def test_a_firmware_notification_is_read_back_and_clean(tmp_path: Path) -> None:
    sent = _sent(tmp_path)
    made = homes(sent.definition)
    day = sent.plan.days[0].day
    device = made[0].devices[0].eui64
    line = DormantFirmwareLine("old-001", device, "10000001", "10000002", day)
    name, octets = sent.dormant_firmware(ME, [line], day)
    path = tmp_path / name
    path.write_bytes(octets)
    assert kind_of_paper(name, octets) is PaperKind.DORMANT_FIRMWARE
    assert read_notification(DormantFirmwareLine, path) == (line,)
    assert check_firmware([line], load_rule_book(), made) == ()
    assert name.startswith(f"DFWN_SEC_{Eui64.parse(ME)}")
