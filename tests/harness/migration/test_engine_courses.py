"""Whole migrations: orders, boundary, stranding, rollback, resubmission (traces T-A to T-G)."""

from functools import lru_cache

import pytest

from device_profiles.cohort import Cohort, HandoverOrder
from device_profiles.words import SupplyShape
from harness.migration.course import Course
from harness.migration.phases import ORDERS
from harness.migration.script import Script
from harness.migration.states import Owner, State, StrandedCause
from tests.harness.migration.engine_play import (
    A,
    B,
    Play,
    Played,
    marks,
    mended,
    played,
    resubmitted,
    scripted,
)

PLANNED = ["P1", "P2", "P3", "P4", "P5", "P6"]
WEEK_S = 7 * 86_400


@lru_cache(maxsize=4)
def clean(key: str = "EA", order: HandoverOrder | None = None) -> Played:
    return played(Play(key, order, watched=order is not B))


def first_run(steps: list[str]) -> list[str]:
    """Return step ids without repetitions that follow each other."""
    return [one for number, one in enumerate(steps) if number == 0 or steps[number - 1] != one]


def test_order_a_hands_over_before_the_files_are_looked_at() -> None:
    steps = first_run(clean("EA", A).steps())
    expected = [*PLANNED, "V1", "H1", "H2", "H3", "V2", "V3", "V4", "V5", "V6", "H4", "T1", "T2"]
    assert steps[: len(expected)] == expected


def test_order_b_hands_over_after_the_common_file() -> None:
    steps = first_run(clean("EA", B).steps())
    expected = [*PLANNED, "V1", "V2", "H1", "H2", "H3", "V3", "V4", "V5", "V6", "H4", "T1", "T2"]
    assert steps[: len(expected)] == expected


def test_a_cohort_without_hand_over_steps_folds_them_into_testing() -> None:
    result = clean("DA")
    steps = result.steps()
    assert [one for one in steps if one.startswith("H") and "~" in one] == ["H1~", "H2~", "H3~"]
    assert steps.index("T1") > steps.index("V6")
    assert result.record.state is State.MIGRATED


@pytest.mark.parametrize(("key", "order"), [("EA", A), ("EA", B), ("DA", None)])
def test_a_clean_migration_ends_with_everything_the_s1sps(
    key: str, order: HandoverOrder | None
) -> None:
    result = clean(key, order)
    record = result.record
    assert (record.state, record.attempts, record.sim_owner) == (State.MIGRATED, 1, Owner.S1SP)
    assert set(result.owners().values()) == {Owner.S1SP}
    assert result.invariants.broken == []
    assert result.invariants.looked > 20 or order is B


def test_keys_change_hub_first_and_each_change_is_of_one_device() -> None:
    result = clean("EA", A)
    site = next(iter(result.course.sites.values()))
    changed = [one.device for one in result.record.history if one.step == "H2"]
    assert changed == [str(site.eui64(one)) for one in site.holders()]


def test_every_file_and_command_names_sender_and_receiver() -> None:
    letters = clean("EA", A).course.office.post.letters
    assert all(one.sender and one.receiver and one.kind for one in letters)
    pairs = {(one.sender, one.receiver) for one in letters}
    assert {
        ("RP", "MCC"),
        ("RP", "S1SP"),
        ("S1SP", "DCO"),
        ("DCO", "S1SP"),
        ("S1SP", "CP"),
    } <= pairs


def test_the_smso_has_dropped_its_records_of_what_migrated() -> None:
    course = clean("EA", A).course
    smso, ref = course.office.smso, next(iter(course.records))
    assert smso.dropped == [ref]
    assert not any(smso.keys.holds(one.eui64) for one in course.records[ref].holders())


# -- T-C: the hub is silent ------------------------------------------------------------------


def late(seconds: int) -> Script:
    return Script(orders={("before", "H3", ""): (f"late:s={seconds}@sim",)})


def test_a_hub_heard_in_the_last_second_is_in_time() -> None:
    result = played(Play(script=late(WEEK_S - 1), shape=SupplyShape.ELECTRICITY_ONLY))
    assert result.record.state is State.MIGRATED


def test_a_hub_heard_at_the_deadline_is_too_late_and_nothing_is_rolled_back() -> None:
    result = played(Play(script=late(WEEK_S), shape=SupplyShape.ELECTRICITY_ONLY))
    record = result.record
    assert (record.state, record.stranded_cause) == (State.STRANDED, StrandedCause.NO_CHF_COMMS)
    moved = next(one.at for one in record.history if one.step == "H3")
    ended = next(one.at for one in record.history if one.step == "H4" and one.result == "failed")
    assert ended - moved == WEEK_S * 1000
    assert not any(one.startswith("R") for one in result.steps())


def test_three_silent_hubs_are_resubmitted_as_a_list_and_migrate() -> None:
    script = Script(orders={("before", "H3", ""): ("mute@sim",)})
    shape = SupplyShape.ELECTRICITY_ONLY
    result = played(Play(script=script, count=3, shape=shape), resubmitted())
    for record in result.course.records.values():
        assert (record.state, record.attempts) == (State.MIGRATED, 2)
        last = marks(record.history)[-40:]
        assert {"H1~", "H2~", "H3~", "H4"} <= set(last)
        assert record.judgement == "the cause is gone"
    modes = [hand.mode.value for hand in result.course.files.hands]
    assert modes == ["Full", "Complete5.8A"]
    assert len(result.course.files.hands[1].refs) == 3


# -- T-D, T-E: rollback ----------------------------------------------------------------------


def test_a_failed_esme_check_is_rolled_back_and_the_devices_are_as_before() -> None:
    result = played(Play(script=scripted(), watched=True))
    record = result.record
    assert (record.state, record.sim_owner) == (State.ROLLED_BACK, Owner.SMSO)
    assert [one for one in result.steps() if one[0] == "R"] == ["R1", "R1", "R1", "R2", "R3"]
    site = next(iter(result.course.sites.values()))
    order = [one.device for one in record.history if one.step == "R1" and one.result == "ok"]
    assert order == [str(site.eui64(one)) for one in result.course.office.cohort.rollback.order]
    assert result.invariants.broken == []


def test_a_rolled_back_installation_migrates_with_a_new_normal_file() -> None:
    async def then(course: Course) -> None:
        await mended(course)
        await course.retry()
        await course.migrate()

    shape = SupplyShape.ELECTRICITY_ONLY
    result = played(Play(script=scripted(), shape=shape), then)
    assert (result.record.state, result.record.attempts) == (State.MIGRATED, 2)
    assert result.steps().count("H3") == 2


#: What fails -> owners of CHF, ESME, GSME and SIM afterwards, step that failed.
FAILING = {
    "R1_GSME": ("mute:role=gsme@han", ("S1SP", "S1SP", "S1SP", "S1SP"), "R1"),
    "R1_ESME": ("mute:role=esme@han", ("S1SP", "S1SP", "SMSO", "S1SP"), "R1"),
    "R1_CHF": ("mute@wan", ("S1SP", "SMSO", "SMSO", "S1SP"), "R1"),
    "R2": ("refuse:party=SMSO@sim", ("SMSO", "SMSO", "SMSO", "S1SP"), "R2"),
    "R3": ("mute@wan", ("SMSO", "SMSO", "SMSO", "SMSO"), "R3"),
}


QUICK = {"R1_CHF", "R3"}
WHERE = [pytest.param(one, marks=() if one in QUICK else pytest.mark.soak) for one in FAILING]


@pytest.mark.parametrize("where", WHERE)
def test_a_rollback_that_fails_stops_there_and_rolling_forward_completes_it(where: str) -> None:
    order, owned, step = FAILING[where]
    seen: list[tuple[str, ...]] = []
    mixed: list[str] = []

    async def then(course: Course) -> None:
        record = next(iter(course.records.values()))
        assert (record.state, record.stranded_cause) == (
            State.STRANDED,
            StrandedCause.ROLLBACK_FAILED,
        )
        owners = {one.device_type.value: one.owner.value for one in record.holders()}
        seen.append((*(owners[one] for one in ("CHF", "ESME", "GSME")), record.sim_owner.value))
        assert marks(record.history)[-1] == f"{step}!"
        await resubmitted(roll_forward=True)(course)
        mixed.extend(one.text for one in record.history if one.code == "X-5.8A-MIXED")

    result = played(Play(script=scripted(**{where: (order,)})), then)
    assert seen == [owned]
    assert bool(mixed) == ("SMSO" in owned)
    assert result.record.state is State.MIGRATED
    assert set(result.owners().values()) == {Owner.S1SP}
    assert result.steps().count("H3") == 1


def test_mixed_ownership_is_shown_and_the_predicted_step_is_where_it_fails() -> None:
    script = scripted(R1_ESME=("mute:role=esme@han",))
    result = played(Play(script=script), resubmitted())
    warned = next(one for one in result.record.history if one.code == "X-5.8A-MIXED")
    assert "GSME" in warned.text
    assert "T4" in warned.text
    assert (warned.step, warned.result) == ("M1", "warned")
    failed = [one.step for one in result.record.history if one.result == "failed"]
    assert failed == ["T3", "R1", "T4"]
    assert result.record.state is State.ROLLED_BACK


# -- hand-over that fails before the SIM moved -------------------------------------------------


@pytest.mark.soak
def test_a_rotation_that_fails_is_undone_by_the_smso_over_its_own_network() -> None:
    orders = {
        ("before", "H2", "ESME"): ("mute:role=esme@han",),
        ("after", "H2", "ESME"): ("clear@han",),
    }
    result = played(Play(script=Script(orders=orders), watched=True))
    assert result.record.state is State.ROLLED_BACK
    undone = [one for one in result.record.history if one.step == "R1" and one.result == "ok"]
    assert [one.actor for one in undone] == ["SMSO"]  # the CHF alone had changed hands
    assert "R2~" in result.steps()
    assert result.invariants.broken == []


@pytest.mark.parametrize(
    ("effect", "state"), [("taken", State.MIGRATED), ("lost", State.ROLLED_BACK)]
)
def test_a_key_write_cut_by_a_power_loss_is_settled_by_asking_the_device(
    effect: str, state: State
) -> None:
    orders = {("before", "H2", "ESME"): (f"key-write-cut:effect={effect},off_s=60@esme",)}
    result = played(Play(script=Script(orders=orders), shape=SupplyShape.ELECTRICITY_ONLY))
    assert result.record.state is state
    assert set(result.owners().values()) == {result.record.sim_owner}


# -- what files strand, and what is taken back --------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["MEF", *(pytest.param(one, marks=pytest.mark.soak) for one in ("MCF", "MGF"))],
)
def test_an_error_of_files_after_the_hand_over_strands(kind: str) -> None:
    script = Script(files={kind: lambda octets: octets[:-40]})
    shape = SupplyShape.ELECTRICITY_ONLY
    result = played(Play(order=A, script=script, shape=shape), resubmitted())
    stranded = [one for one in result.record.history if one.state == State.STRANDED.value]
    assert len(stranded) == 1
    assert (result.record.state, result.record.attempts) == (State.MIGRATED, 1)


def test_an_error_of_files_before_the_hand_over_leaves_every_device_untouched() -> None:
    script = Script(files={"MCF": spoilt_end})
    result = played(Play(order=B, script=script, watched=True))
    assert result.record.state is State.REJECTED
    assert result.frames == []
    assert result.invariants.broken == []


def spoilt_end(octets: bytes) -> bytes:
    return octets[:-40]


def no_split(cohort: Cohort) -> Cohort:
    rules = cohort.split_supply.model_copy(update={"allowed": False})
    return cohort.model_copy(update={"split_supply": rules})


def test_what_is_wrong_with_an_installation_alone_is_taken_back_when_its_hub_answers() -> None:
    play = Play(order=A, shape=SupplyShape.SPLIT_SUPPLY, cohort=no_split, watched=True)
    result = played(play)
    assert result.record.state is State.ROLLED_BACK
    assert next(one.code for one in result.record.history if one.code) == "X-5.8"
    assert not any(one.startswith("T") for one in result.steps())
    assert result.invariants.broken == []


@pytest.mark.soak
def test_it_is_stranded_where_its_hub_does_not_answer() -> None:
    script = Script(orders={("before", "H3", ""): ("mute@sim",)})
    play = Play(order=A, shape=SupplyShape.SPLIT_SUPPLY, cohort=no_split, script=script)
    result = played(play)
    assert result.record.stranded_cause is StrandedCause.NO_CHF_COMMS


# -- 5.8A, attempts, cohorts --------------------------------------------------------------------


def test_5_8a_is_refused_for_everything_that_is_not_stranded() -> None:
    async def then(course: Course) -> None:
        refused = await course.resubmit(list(course.records), "why not")
        assert list(refused) == list(course.records)

    result = played(Play(shape=SupplyShape.ELECTRICITY_ONLY), then)
    last = result.record.history[-1]
    assert (last.step, last.code, last.sub_code) == ("M1", "X-5.8A", "02")
    assert result.record.state is State.MIGRATED


def test_5_8a_needs_a_judgement_and_a_cohort_that_has_it() -> None:
    async def without_judgement(course: Course) -> None:
        assert await course.resubmit(list(course.records), "  ")

    script = Script(orders={("before", "H3", ""): ("mute@sim",)})
    shape = SupplyShape.ELECTRICITY_ONLY
    result = played(Play(script=script, shape=shape), without_judgement)
    assert (result.record.state, result.steps()[-1]) == (State.STRANDED, "M2!")

    async def elsewhere(course: Course) -> None:
        assert await course.resubmit(list(course.records), "likely")

    failing = Script(orders={("before", "T1", "CHF"): ("mute@wan",)})
    result = played(Play("DA", script=failing, shape=shape), elsewhere)
    assert result.record.history[-1].sub_code == "01"
    assert result.record.state is State.STRANDED


def test_a_cohort_without_rollback_is_stranded_by_a_failed_test() -> None:
    result = played(Play("DA", script=scripted(), shape=SupplyShape.ELECTRICITY_ONLY))
    assert result.record.stranded_cause is StrandedCause.TESTING_FAILED


def test_five_failed_attempts_exclude_an_installation() -> None:
    script = Script(
        orders={("before", "H2", ""): ("mute@wan",), ("after", "H2", ""): ("clear@wan",)}
    )

    async def then(course: Course) -> None:
        record = next(iter(course.records.values()))
        while record.state is State.ROLLED_BACK:
            await course.retry()
            await course.migrate()

    result = played(Play(script=script, shape=SupplyShape.ELECTRICITY_ONLY), then)
    assert (result.record.state, result.record.attempts) == (State.EXCLUDED, 5)
    assert result.record.exclusion == "failed_attempts"


def test_a_migration_completed_under_5_8a_leaves_the_devices_as_a_clean_one_does() -> None:
    late_hub = Script(orders={("before", "H3", ""): ("mute@sim",)})
    completed = played(Play(script=late_hub), resubmitted())
    assert completed.record.state is State.MIGRATED
    assert completed.memory == clean("EA", A).memory
    left, right = (one.record.dump() for one in (completed, clean("EA", A)))
    for name in ("state", "sim_owner", "exclusion", "skips_hand_over"):
        assert left[name] == right[name]
    assert left["devices"] == right["devices"]


@pytest.mark.soak
def test_a_silent_gas_meter_is_left_out_where_hand_over_is_part_of_testing_too() -> None:
    script = Script(orders={("before", "T1", "GSME"): ("mute:role=gsme@han",)})
    result = played(Play("DA", script=script, watched=True))
    assert result.record.state is State.MIGRATED
    assert {"T1^", "T4^"} <= set(result.steps())
    assert result.owners()["GSME"] is Owner.SMSO
    assert result.invariants.broken == []


def test_a_gas_meter_that_does_not_answer_is_left_out_and_the_rest_migrates() -> None:
    orders = {("before", "T4", ""): ("mute:role=gsme@han",), ("after", "T4", ""): ("clear@han",)}
    result = played(Play(script=Script(orders=orders), watched=True))
    assert result.record.state is State.MIGRATED
    assert "T4^" in result.steps()
    assert next(one.code for one in result.record.history if one.step == "T4") == "GT01"
    assert result.record.exclusion == "gas_han_failure"
    assert result.invariants.broken == []


def test_a_hub_that_falls_silent_leaves_no_gas_meter_out() -> None:
    """GT01 is an error of the home's own network; a lost WAN hides every device alike."""
    script = Script(orders={("before", "T4", ""): ("mute@wan",)})
    result = played(Play(script=script))
    failed = next(one for one in result.record.history if one.step == "T4")
    assert (failed.result, failed.code, failed.sub_code) == ("failed", "X-T1", "01")
    assert result.record.exclusion == ""
    assert result.record.stranded_cause is StrandedCause.ROLLBACK_FAILED


def _ppmid_step(play: Play) -> tuple[str, str, str, bool]:
    """Return result, code and text of T5, and whether a PPMID was pre-notified."""
    result = played(play)
    (told,) = [one for one in result.record.history if one.step == "T5" and not one.state]
    notified = any("12.2 for PPMID" in one.text for one in result.record.history)
    return told.result, told.code, told.text, notified


def test_t5_goes_by_what_the_common_file_names() -> None:
    """A Secure hub's maker makes no display here: the file leaves it out, and so does T5."""
    result, code, text, notified = _ppmid_step(Play("DA"))
    assert (result, code, notified) == ("ok", "", False)
    assert "is not migrated: of another make" in text
    result, code, text, notified = _ppmid_step(Play("EA"))
    assert (result, code, notified) == ("ok", "", True)
    assert text.endswith("is migrated")


def test_a_display_that_the_device_log_lacks_is_told_with_its_code() -> None:
    result, code, text, notified = _ppmid_step(Play(defects=("s1-chf-log-lacks-ppmid",)))
    assert (result, code, notified) == ("warned", "X-T5", False)
    assert "device log does not hold it" in text


def test_the_phases_are_those_of_the_cohorts_order() -> None:
    course = clean("EA", B).course
    assert tuple(name for name, _phase in course.phases()) == ORDERS[B]
