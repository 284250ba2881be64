"""What an audit found: values nothing knows, doors that break, who is blamed for silence."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from emulator.core.clock import UtcMs
from harness.cli import dust_run
from harness.dust.cases import Facts, judge_cases
from harness.dust.choices import Choices
from harness.dust.comparison import record_of
from harness.dust.defects import find_defects, load_defect_rows
from harness.dust.definition import MAX_BYTES, load_definition
from harness.dust.definition_words import MAX_SEED
from harness.dust.engine import start
from harness.dust.record import Attribution
from harness.errors import UsageError
from harness.migration.record import Entry, InstallationRecord
from harness.migration.states import State
from harness.rules.migration_rulebook import load_rule_book
from tests.harness.cli.command_line import run as command
from tests.harness.dust import dust_runs
from tests.harness.dust.definitions_given import given, text_of, written

TODAY = date(2023, 1, 31)
BOOK = load_rule_book()
CASE = '[[case]]\nid = "C-1"\ntitle = "one"\nfamily = "happy-path"\nset = "dual"\nexpect = [{%s}]\n'
CHANGE = '[[change_of_supplier]]\nset = "dual"\nafter = "authorisation"\ncount = %d\n'
DROP = 'mode = "drop"\nlisten = "%s"\n'
#: What is misspelt -> the key that is named.
UNKNOWN = {
    '[retry]\npolicy = "sometimes"\n': "retry.policy",
    CASE % 'code = "X-TYPO"': "case.0.expect.0.code",
    CASE % 'step = "Q9"': "case.0.expect.0.step",
    '[faults]\ndefects = ["no-such"]\n': "faults.defects",
    '[faults]\ndefects = ["mcc-allows-99-days"]\n': "faults.defects",
    '[faults]\ndefects = ["esme-ignores-hash"]\n': "faults.defects",
    CHANGE % 4: "change_of_supplier.0.count",
    CASE % 'request = "4.1.9", answer = "I0"': "case.0.expect.0.request",
    CASE % 'request = "2.5", answer = "I0"': "case.0.expect.0.request",
    CASE % 'request = "4.1.1", answer = "OK"': "case.0.expect.0.answer",
    CASE % 'alert = "N999"': "case.0.expect.0.alert",
    CASE % 'file = "MA", result = "accepted"': "case.0.expect.0.file",
    CASE % 'file = "MCF", result = "fine"': "case.0.expect.0.result",
    (CASE % 'device = "GSME", shows = "serial"').replace("dual", "elec"): "case.0.expect.0.device",
    '[[fault]]\nfaults = ["before:T9/mute@han"]\n': "fault.0.faults",
}
#: What is written in another way -> the key, and what is said.
MISWRITTEN = {
    '[retry]\npolicies = "never"\n': ("retry.policies", "is policy meant?"),
    '[[fault]]\nfault = ["mute@han"]\n': ("fault.0.fault", "is faults meant?"),
    '[[faults]]\nfaults = ["mute@han"]\n': ("faults", "one table is due: [NAME]"),
    '[faults]\ndefects = "omits-h2"\n': ("faults.defects", "a list is due"),
    CASE % 'state = "migrated"': ("case.0.expect.0.state", "is Migrated meant?"),
    CASE % 'device = "ESME", shows = "serail"': ("case.0.expect.0.shows", "is serial meant?"),
    CASE % 'device = "PPMID", shows = "clock"': ("case.0.expect.0", "a PPMID shows firmware"),
    CASE % 'device = "ESME"': ("case.0.expect.0", "device goes with shows"),
    "[reporting]\nx = 1\n": ("reporting", "there is no key reporting"),
    '[[devices]]\nname = "Homes"\n': ("devices.4.name", "'Homes' is not of the form"),
}


@pytest.mark.parametrize(("more", "told"), MISWRITTEN.items())
def test_a_slip_is_told_with_its_key_and_what_is_meant(
    tmp_path: Path, more: str, told: tuple[str, str]
) -> None:
    key, says = told
    with pytest.raises(UsageError) as refused:
        given(tmp_path, more)
    assert f", {key}" in (refused.value.where or "")
    assert says in refused.value.what


def test_a_cohort_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"DA, EA, EB, EC, IOC, MDS\); is EA meant\?") as refused:
        given(tmp_path, cohort="ea")
    assert refused.value.where == f"{tmp_path / 'run.toml'}, run.cohort"


def test_a_seed_beyond_the_limit_is_refused_before_anything_is_read() -> None:
    told = ("run", "gone.toml", "--out", "gone", "--seed", str(MAX_SEED + 1))
    assert command(dust_run.register, *told)[0] == 2


@pytest.mark.parametrize(("more", "key"), UNKNOWN.items(), ids=UNKNOWN.values())
def test_what_no_table_knows_is_refused_before_a_run_begins(
    tmp_path: Path, more: str, key: str
) -> None:
    with pytest.raises(UsageError) as refused:
        given(tmp_path, more)
    assert key in (refused.value.where or "")


@pytest.mark.parametrize("listen", ["here", "0.0.0.0:0", "127.0.0.1:99999", "127.0.0.1:", "::1"])
def test_an_address_that_cannot_be_had_is_refused_before_a_run_begins(
    tmp_path: Path, listen: str
) -> None:
    with pytest.raises(UsageError) as refused:
        given(tmp_path, participant=DROP % listen)
    assert "participant.listen" in (refused.value.where or "")


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://example.com/", "x", "http://[:1"])
def test_answers_are_posted_to_no_other_machine(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError) as refused:
        given(tmp_path, participant=f'mode = "drop"\ncall_back = "{url}"\n')
    assert "participant.call_back" in (refused.value.where or "")


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:8123", "[::1]:0", "off"])
def test_an_address_of_this_machine_is_taken(tmp_path: Path, listen: str) -> None:
    assert given(tmp_path, participant=DROP % listen).participant.listen == listen


def test_codes_steps_policies_defects_and_changes_that_are_known_are_taken(tmp_path: Path) -> None:
    expect = 'code = "GT01"}, {code = "X-16.10.2"}, {code = "X-R1-02"}, {code = "none"}, {step="T3"'
    more = CASE % expect + CHANGE % 3 + '[retry]\npolicy = "never"\n'
    found = given(tmp_path, more + '[faults]\ndefects = ["s1-esme-rotation-refused"]\n')
    assert len(found.cases[0].expect) == 5


def test_a_file_longer_than_any_definition_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = written(tmp_path, "# x\n" * (MAX_BYTES // 4) + text_of())
    with pytest.raises(UsageError, match="longer than"):
        load_definition(path)


def test_a_run_whose_drop_cannot_be_made_is_no_run_that_passed(tmp_path: Path) -> None:
    (tmp_path / "drop").write_text("a file in the place of the drop")
    outside = 'mode = "drop"\npatience_s = 60\nname = "Example Supplier"'
    text = dust_runs.SMALL.replace('name = "Example Supplier"', outside)
    text = text.partition("[[mistake]]")[0] + "[[entry]]" + text.partition("[[entry]]")[2]
    with pytest.raises(UsageError, match="the drop cannot be made"):
        start(Choices(dust_runs.written(tmp_path, text), tmp_path), tmp_path / "out")
    assert not (tmp_path / "out" / "evidence.zip").exists()


def test_runs_that_are_not_there_are_not_called_runs_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such run folder or pack"):
        record_of(tmp_path / "gone")
    with pytest.raises(UsageError, match="this is no DUST run"):
        record_of(tmp_path)


def whose(folder: Path, record: InstallationRecord) -> Mapping[str, Attribution]:
    definition = given(folder, CASE % 'request = "4.1.1", answer = "I0"')
    facts = Facts({record.ref: record}, (), (), BOOK)
    results = judge_cases(definition, facts, {}, TODAY)
    found = find_defects(definition, results, facts, load_defect_rows(), {})
    return {one.ref: one.attribution for one in found if one.case == "C-1"}


def test_an_answer_that_no_device_could_give_is_not_the_participants_defect(tmp_path: Path) -> None:
    back = InstallationRecord("dual-001", "DA", "DA", "Active", "dual fuel", State.ROLLED_BACK)
    back.note(Entry(UtcMs(0), "S1SP", "H2", "failed", "keys refused", code="X-H2"))
    assert whose(tmp_path, back)["dual-001"] is Attribution.DEVICE


def test_silence_of_a_home_that_migrated_is_the_participants_defect(tmp_path: Path) -> None:
    home = InstallationRecord("dual-001", "DA", "DA", "Active", "dual fuel", State.MIGRATED)
    assert whose(tmp_path, home)["dual-001"] is Attribution.PARTICIPANT
