"""States and records: which may follow which, memories, the table of steps, no cohort in steps."""

import ast
import re
from pathlib import Path

import pytest

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.migration.record import (
    DeviceRecord,
    Entry,
    IllegalMoveError,
    InstallationRecord,
)
from harness.migration.states import FOLLOWS, RESTING, Owner, State, StrandedCause
from harness.migration.step_table import load_steps
from harness.migration.steps import Case
from tests.harness.migration.engine_play import Play, in_virtual_time, opened

ENTRY = Entry(UtcMs(0), "S1SP", "T1", "state", "a move")
FOLDER = Path(__file__).parents[3] / "harness" / "migration"


def record(state: State) -> InstallationRecord:
    return InstallationRecord("HOME", "EA", "EA", "Active", "dual-fuel", state)


@pytest.mark.parametrize("state", State)
def test_a_state_is_followed_by_those_of_the_table_and_no_other(state: State) -> None:
    for to in State:
        one = record(state)
        cause = StrandedCause.FILE_ERROR if to is State.STRANDED else None
        if to in FOLLOWS[state]:
            one.move(to, ENTRY, cause=cause)
            assert one.state is to
            assert one.history[-1].state == to.value
        else:
            with pytest.raises(IllegalMoveError):
                one.move(to, ENTRY, cause=cause)
            assert (one.state, one.history) == (state, [])


def test_stranded_has_a_cause_and_nothing_else_has() -> None:
    with pytest.raises(IllegalMoveError):
        record(State.TESTING).move(State.STRANDED, ENTRY)
    with pytest.raises(IllegalMoveError):
        record(State.TESTING).move(State.VIABLE, ENTRY, cause=StrandedCause.FILE_ERROR)
    one = record(State.TESTING)
    one.move(State.STRANDED, ENTRY, cause=StrandedCause.TESTING_FAILED)
    one.move(State.IN_VALIDATION, ENTRY)
    assert one.stranded_cause is None


def test_every_state_is_reached_and_every_way_ends_in_rest() -> None:
    reached, waiting = {State.PLANNED}, [State.PLANNED]
    while waiting:
        for to in FOLLOWS[waiting.pop()] - reached:
            reached.add(to)
            waiting.append(to)
    assert reached == set(State)
    assert all(FOLLOWS[one] for one in set(State) - RESTING)


def test_a_record_survives_a_memory() -> None:
    one = record(State.TESTING)
    one.devices = [
        DeviceRecord(
            Eui64.parse("02-53-01-00-00-00-00-31"),
            DeviceType.ESME,
            holder=True,
            owner=Owner.S1SP,
            certificate_ids={"critical_supplier": ("12", "an issuer")},
        )
    ]
    one.failures = [("X-H4-7D", "01")]
    one.move(State.STRANDED, ENTRY, cause=StrandedCause.NO_CHF_COMMS)
    assert InstallationRecord.restore(one.dump()) == one


def test_a_case_survives_a_memory() -> None:
    async def story() -> None:
        _bench, _office, sites = opened(Play())
        case = Case(sites[0], record(State.AWAITING_CHF))
        case.begin_attempt()
        case.since, case.heard = UtcMs(5), UtcMs(6)
        case.take_back = ("V4", "X-5.8", "01", "why")
        case.facts = {"esme.answered": True}
        case.left_out = {"00": "GT01"}
        case.done = ["plan"]
        assert Case.restore(sites[0], case.dump()) == case

    in_virtual_time(story)


def test_there_are_thirty_steps_and_those_of_rollback_and_resubmission() -> None:
    steps = load_steps()
    numbers = {"P": 6, "V": 6, "H": 4, "T": 7, "C": 7, "R": 3, "M": 3}
    expected = [f"{letter}{n}" for letter, count in numbers.items() for n in range(1, count + 1)]
    assert list(steps) == expected
    assert sum(numbers[one] for one in "PVHTC") == 30
    assert all(row.evidence and row.clause for row in steps.values())


MODULES = sorted(FOLDER.glob("*.py"))
COHORTS = re.compile(r"^(IOC|MDS|DA|EA|EB|EC|AA|BA|CA)$")


def test_no_step_asks_for_a_cohort_or_a_group() -> None:
    assert len(MODULES) > 20
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not COHORTS.match(node.value), f"{module.name} line {node.lineno}"
            if isinstance(node, ast.Compare):
                asked = ast.unparse(node)
                assert "group_id" not in asked, f"{module.name} line {node.lineno}: {asked}"
