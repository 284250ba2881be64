"""Defects of devices and parties in a run: of all homes or of some, strictly read, never lost."""

from pathlib import Path

import pytest

from harness.dust.definition import load_definition
from harness.dust.definition_defects import can_be_of_one_home, of_devices, of_parties
from harness.dust.definition_faults import defects_of, trouble_of
from harness.dust.engine import resume
from harness.dust.pack import NAME as PACK
from harness.dust.record import DustRecord
from harness.errors import UsageError
from harness.migration.misconduct import Misconduct
from harness.migration.states import State
from harness.rules.in_hand import in_hand
from harness.rules.migration_rulebook import Switches
from tests.harness.dust import dust_runs
from tests.harness.dust.definitions_given import given

FAULT = "[[fault]]\n%s\ndefects = [%s]\n"
ONE = FAULT % ('set = "dual"\ncount = 1', "%s")
#: A definition's part -> the key that is named, and a word of what is said.
REFUSED = {
    '[faults]\ndefects = ["s1-esme-other-seriel"]\n': ("faults.defects", "s1-esme-other-serial"),
    '[faults]\ndefects = ["omits-h9"]\n': ("faults.defects", "smetsbench faults --defects"),
    '[faults]\ndefects = ["esme-ignores-hash"]\n': ("faults.defects", "SMETS2+"),
    '[faults]\ndefects = ["dsp-no-n60"]\n': ("faults.defects", "SMETS2+"),
    '[faults]\ndefects = ["clause-off-18.63c"]\n': ("faults.defects", ""),
    '[faults]\ndefects = ["mcc-allows-99-days"]\n': ("faults.defects", "nobody asks"),
    '[faults]\ndefects = ["mcc-forgets-overrides"]\n': ("faults.defects", "nothing to forget"),
    ONE % '"rule-off-sig-bad"': ("fault.0.defects", "whole files"),
    ONE % '"rule-off-7.3.2"': ("fault.0.defects", "whole papers"),
    ONE % '"s1sp-never-rolls-back"': ("fault.0.defects", "whole cohort"),
    ONE % '"rp-uses-a-counter-twice"': ("fault.0.defects", "whole files"),
    FAULT % ('set = "elec"', '"s1-gsme-other-serial"'): ("fault.0.defects", "has a GSME"),
    FAULT % ('set = "elec"', '"s1-ppmid-other-firmware"'): ("fault.0.defects", "has a PPMID"),
    FAULT % ("count = 1", '"omits-h2"'): ("fault.0", "count is of a set"),
    FAULT % ('set = "dual"\nday = 1', '"omits-h2"'): ("fault.0", "day is about faults"),
    FAULT % ('set = "duel"', '"omits-h2"'): ("fault.0.set", "dual, split, elec, mixed"),
    FAULT % ('set = "dual"', '"omits-h2"'): ("fault.0.defects", "no hand-over steps"),
    '[[fault]]\nset = "dual"\n': ("fault.0", "name faults, or defects"),
}


@pytest.mark.parametrize(("more", "told"), REFUSED.items())
def test_a_defect_that_cannot_be_is_refused_with_its_key(
    tmp_path: Path, more: str, told: tuple[str, str]
) -> None:
    key, word = told
    with pytest.raises(UsageError) as caught:
        given(tmp_path, more)
    assert key in (caught.value.where or "")
    assert word in " ".join(caught.value.lines())


def test_homes_are_meant_by_set_by_count_and_by_ref(tmp_path: Path) -> None:
    told = (
        '[faults]\ndefects = ["omits-t6"]\n'
        + FAULT % ('set = "dual"\ncount = 2', '"omits-t3", "omits-t6"')
        + FAULT % ('refs = ["split-001"]', '"s1-esme-other-serial"')
        + FAULT % ('set = "mixed"', '"rule-off-h2"')
    )
    definition = given(tmp_path, told)
    assert defects_of(definition) == (
        *("omits-t6", "omits-t3@dual-001", "omits-t3@dual-002"),
        *("s1-esme-other-serial@split-001", "rule-off-h2@mixed-001"),
    )
    omits = trouble_of(definition, 1, definition.refs).trouble.script.omits
    assert omits == {"T6", "T3@dual-001", "T3@dual-002"}


def test_a_fault_of_some_homes_of_a_set_is_no_fault_of_the_others(tmp_path: Path) -> None:
    more = '[[fault]]\nset = "dual"\ncount = 2\nfaults = ["before:H3/mute@sim"]\n'
    orders = trouble_of(given(tmp_path, more), 1, given(tmp_path).refs).trouble.script.orders
    assert {place for _moment, _step, place in orders} == {"@dual-001", "@dual-002"}


def test_a_rule_is_off_at_its_home_alone() -> None:
    switches = Misconduct.of(["rule-off-h2@a", "rule-off-t2"]).switches(Switches())
    assert switches.is_off("T2")
    assert not switches.is_off("H2")
    with in_hand("a"):
        assert switches.is_off("H2")
    with in_hand("b"):
        assert not switches.is_off("H2")


def test_the_list_tells_what_can_be_that_of_some_homes() -> None:
    listed = of_devices() | of_parties()
    assert len(listed) > 200
    some = {name for name in listed if can_be_of_one_home(name)}
    assert {
        "s1-chf-log-lacks-ppmid",
        "omits-r1-gsme",
        "rule-off-5.9.10",
        "dco-signs-nothing",
    } <= some
    assert not some & {"s1sp-never-rolls-back", "rule-off-xsd", "mcc-never-excludes"}


def small(folder: Path, more: str) -> Path:
    return dust_runs.written(folder, dust_runs.SMALL + more)


def states(record: DustRecord) -> dict[str, State]:
    return {one.ref: one.state for one in record.installations}


@pytest.mark.timeout(300)
def test_a_party_does_wrong_at_the_homes_that_are_meant_and_a_killed_run_keeps_it(
    tmp_path: Path,
) -> None:
    file = small(tmp_path, FAULT % ('set = "dual"\ncount = 1', '"omits-h2-esme"'))
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    record = dust_runs.run(file, whole)
    assert states(record)["dual-001"] is State.ROLLED_BACK
    assert states(record)["dual-002"] is State.MIGRATED
    assert "omits-h2-esme@dual-001" in " ".join(record.header.not_proven)
    half = len((whole / "events.jsonl").read_text(encoding="utf-8").splitlines()) // 2
    assert dust_runs.killed_run(file, cut, event=half) == 9
    resume(cut)
    assert (cut / PACK).read_bytes() == (whole / PACK).read_bytes()


def test_a_party_does_wrong_at_all_homes(tmp_path: Path) -> None:
    file = small(tmp_path, '[faults]\ndefects = ["omits-t3", "s1sp-never-rolls-back"]\n')
    record = dust_runs.run(file, tmp_path / "out")
    assert set(states(record).values()) == {State.MIGRATED}  # the ESME that fails T3 is not asked


def test_a_definition_of_before_needs_no_change(tmp_path: Path) -> None:
    definition = load_definition(dust_runs.written(tmp_path))
    assert defects_of(definition) == ()
    assert [len(table.faults) for table in definition.home_faults] == [2]
