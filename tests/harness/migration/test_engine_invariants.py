"""Invariants see what parties only say they did; random scripts end in named states."""

from itertools import pairwise

import pytest

from device_profiles.words import DeviceType, SupplyShape
from emulator.core.chance import Chance
from harness.migration.course import Course
from harness.migration.invariants import InvariantBrokenError, Invariants
from harness.migration.ownership import owner_of, owners
from harness.migration.script import Script
from harness.migration.states import FOLLOWS, RESTING, Owner, State
from tests.harness.migration.engine_play import (
    CLEAR,
    FAIL_T3,
    Play,
    in_virtual_time,
    mended,
    opened,
    played,
)

SHORT = SupplyShape.ELECTRICITY_ONLY


@pytest.mark.parametrize(
    ("step", "shape"),
    [("R1/ESME", SHORT), ("R2", SHORT)]
    + [
        pytest.param(step, SupplyShape.DUAL_FUEL, marks=pytest.mark.soak)
        for step in ("R1/GSME", "R1/ESME", "R1/CHF", "R2")
    ],
)
def test_a_step_of_a_rollback_that_was_only_said_to_be_taken_is_seen(
    step: str, shape: SupplyShape
) -> None:
    script = Script(orders=FAIL_T3, omits=frozenset({step}))
    result = played(Play(script=script, shape=shape))
    assert result.record.state is not State.ROLLED_BACK
    assert result.record.history[-1].step == "R3"


@pytest.mark.parametrize("step", ["H2/ESME", "H2/CHF", "H3"])
def test_a_hand_over_that_was_only_said_to_happen_does_not_end_well(step: str) -> None:
    script = Script(omits=frozenset({step}))
    result = played(Play(script=script, shape=SupplyShape.ELECTRICITY_ONLY))
    assert result.record.state is not State.MIGRATED


def test_a_record_that_says_other_than_the_keys_is_seen_at_once() -> None:
    async def story() -> None:
        _bench, office, sites = opened(Play(shape=SupplyShape.ELECTRICITY_ONLY))
        invariants = Invariants(office, sites, strict=True)
        course = Course(office, sites)
        record = next(iter(course.records.values()))
        await invariants.watch("P1", record)
        record.devices[0].owner = Owner.S1SP
        with pytest.raises(InvariantBrokenError, match="the record says"):
            await invariants.watch("P1", record)

    in_virtual_time(story)


@pytest.mark.parametrize(
    ("smso", "s1sp", "owner"),
    [
        (True, True, Owner.BOTH),
        (True, False, Owner.SMSO),
        (False, True, Owner.S1SP),
        (False, False, Owner.NEITHER),
        (None, True, Owner.UNKNOWN),
        (False, None, Owner.UNKNOWN),
    ],
)
def test_an_owner_is_whose_key_opens_the_device(
    smso: bool | None, s1sp: bool | None, owner: Owner
) -> None:
    assert owner_of(smso, s1sp) is owner


def test_before_a_migration_every_holder_is_the_smsos_and_asking_leaves_no_trace() -> None:
    async def story() -> None:
        bench, office, sites = opened(Play())
        before = bench.dump()
        found = await owners(sites[0], office)
        assert found == dict.fromkeys(sites[0].holders(), Owner.SMSO)
        assert bench.dump() == before

    in_virtual_time(story)


# -- random scripts ----------------------------------------------------------------------------

ORDERS = (
    "mute@wan",
    "mute:role=esme@han",
    "mute:role=gsme@han",
    "mute@sim",
    "refuse@sim",
    "refuse:party=SMSO@sim",
    "drop:p=0.2@wan",
    "drop:p=0.1@han",
    "duplicate:p=0.2@wan-out",
    "delay:ms=4000,p=0.2@wan-in",
    "corrupt:p=0.05@wan-out",
    "key-write-cut:effect=taken,off_s=60@esme",
    "key-write-cut:effect=lost,off_s=60@chf",
    "power-cycle:after_s=1@gsme",
)
STEPS = ("H1", "H2", "H3", "H4", "T1", "T2", "T3", "T4", "T6", "C3", "R1", "R2", "R3")
DEVICES = ("", "CHF", "ESME", "GSME")


def random_script(seed: int) -> Script:
    """Return a script by chance: up to four disturbances, some of which end."""
    draw = Chance(seed).stream("script")
    orders: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for _number in range(1 + draw.below(4)):
        step, device = STEPS[draw.below(len(STEPS))], DEVICES[draw.below(len(DEVICES))]
        orders["before", step, device] = (ORDERS[draw.below(len(ORDERS))],)
        if draw.happens(0.5):
            orders["after", step, device] = CLEAR
    files = {"MEF": _cut} if draw.happens(0.1) else {}
    return Script(orders=orders, files=files)


def _cut(octets: bytes) -> bytes:
    return octets[:-40]


def _hold(seed: int) -> None:
    """Play a random script, resubmit what is stranded, and check everything."""

    async def then(course: Course) -> None:
        await mended(course)
        stranded = [ref for ref, one in course.records.items() if one.state is State.STRANDED]
        if stranded:
            await course.resubmit(stranded, "mended", roll_forward=seed % 2 == 0)

    result = played(Play(script=random_script(seed), watched=True), then)
    record = result.record
    assert record.state in RESTING, (seed, record.state)
    assert result.invariants.broken == [], (seed, result.invariants.broken[:3])
    states = [State.PLANNED, *(State(one.state) for one in record.history if one.state)]
    assert all(to in FOLLOWS[state] for state, to in pairwise(states))
    assert states[-1] is record.state
    times = [one.at for one in record.history]
    assert times == sorted(times)
    first = next((n for n, one in enumerate(record.history) if one.step == "M3"), len(times))
    later = [one for one in record.history[first:] if one.step in {"H2", "H3"}]
    assert all(one.result == "skipped" for one in later), seed


@pytest.mark.parametrize("seed", range(2))
def test_a_random_script_ends_in_a_named_state_and_hurts_no_invariant(seed: int) -> None:
    _hold(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
def test_many_random_scripts_end_in_named_states(seed: int) -> None:
    _hold(seed)


def test_holders_are_those_of_the_cohorts_data() -> None:
    async def story() -> None:
        _bench, _office, sites = opened(Play())
        assert sites[0].holders() == (DeviceType.CHF, DeviceType.ESME, DeviceType.GSME)

    in_virtual_time(story)
