"""Faults put into force and ended while a run goes on; faults of the SIM; their notation."""

import pytest

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.fault_schedule import SIM_ATTACH, SIM_MOVE, FaultSchedule, Frame
from emulator.core.faults import (
    FAULTS,
    Deaf,
    FaultError,
    FaultLinkError,
    FaultValueError,
    Inject,
    Late,
    Refusal,
    UnknownFaultKeyError,
    cleared_home,
    in_home,
    parse,
    parse_clear,
)

NOW = UtcMs(1_000)


def schedule(*texts: str) -> FaultSchedule:
    return FaultSchedule([parse(text) for text in texts], Chance(1))


def crosses(plan: FaultSchedule, source: str = "", destination: str = "chf") -> bool:
    frame = Frame("wan-in", b"octets", "wrapper.aarq", source, destination)
    return bool(plan.cross(frame).copies)


def test_every_example_of_the_table_is_an_order_that_works() -> None:
    for name, row in FAULTS.items():
        assert parse(row.example).name == name
        assert row.sentence


def test_a_mute_loses_what_a_role_sends_and_what_is_for_it() -> None:
    plan = schedule("mute:role=esme@wan")
    assert not crosses(plan, destination="esme")
    assert not crosses(plan, source="esme", destination="")
    assert crosses(plan, destination="chf")


def test_a_fault_put_into_force_later_works_from_then_on_and_clear_ends_it() -> None:
    plan = schedule()
    assert crosses(plan)
    assert plan.order("mute@wan", NOW) is None
    assert not crosses(plan)
    plan.order("clear@wan", NOW)
    assert crosses(plan)
    assert not plan.touches("wan-in")


def test_clear_of_a_link_ends_what_the_run_began_with_too_and_leaves_other_links_alone() -> None:
    plan = schedule("mute@wan", "mute@han")
    plan.order("clear@wan", NOW)
    assert crosses(plan)
    assert plan.touches("han")


def test_clear_of_both_directions_ends_faults_of_one() -> None:
    plan = schedule("mute@wan-in", "mute@wan-out")
    assert plan.clear("wan-out") == 1
    assert not crosses(plan)
    assert plan.clear("wan") == 1
    assert crosses(plan)


def test_a_device_fault_comes_when_it_says_counted_from_the_order() -> None:
    plan = schedule()
    assert plan.order("power-loss:after_s=2@esme", NOW) == (UtcMs(3_000), 0)
    assert plan.order("power-loss:note=keys_changed@esme", NOW) is None
    assert plan.watches("esme")
    assert plan.order("clear@esme", NOW) is None
    assert plan.is_over(0)
    assert not plan.watches("esme")


def test_a_cut_of_a_key_write_lies_in_wait_from_the_order_on() -> None:
    plan = schedule()
    assert plan.order("key-write-cut:effect=taken,off_s=9@gsme", NOW) == (NOW, 0)
    assert plan.act(0)[1] == Inject("key-write-cut:taken:9.0")
    assert schedule("key-write-cut@esme").timed(NOW) == [(NOW, 0)]


def test_faults_put_into_force_are_part_of_the_dumped_state() -> None:
    plan = schedule("drop:n=2@wan-in")
    plan.order("mute:times=1@wan", NOW)
    plan.order("mute@han", NOW)
    plan.order("clear@han", NOW)
    assert not crosses(plan)
    other = schedule("drop:n=2@wan-in")
    other.load(plan.dump())
    assert other.dump() == plan.dump()
    assert [crosses(plan), crosses(plan)] == [crosses(other), crosses(other)] == [False, True]
    assert not other.touches("han")


def test_a_state_of_other_faults_is_refused() -> None:
    with pytest.raises(ValueError, match="other faults"):
        schedule("drop@wan").load(schedule("drop@han").dump())


def test_moves_and_attempts_of_the_sim_are_struck_by_their_own_faults() -> None:
    plan = schedule("refuse@sim", "late:s=5@sim", "mute@sim")
    assert [act for _fault, act in plan.sim(SIM_MOVE, "S1SP")] == [Refusal(), Late(5.0)]
    assert [act for _fault, act in plan.sim(SIM_ATTACH, "S1SP")] == [Deaf()]


def test_a_fault_of_one_party_s_network_leaves_the_other_alone() -> None:
    plan = schedule("refuse:party=S1SP,times=1@sim")
    assert plan.sim(SIM_MOVE, "SMSO") == []
    assert plan.sim(SIM_MOVE, "S1SP")
    assert plan.sim(SIM_MOVE, "S1SP") == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("late@sim", FaultValueError),
        ("late:s=-1@sim", FaultValueError),
        ("refuse@wan", FaultLinkError),
        ("mute@esme", FaultLinkError),
        ("drop@sim", FaultLinkError),
        ("mute:from=esme@sim", UnknownFaultKeyError),
        ("refuse:party=DCO@sim", FaultValueError),
        ("key-write-cut@ppmid", FaultLinkError),
        ("key-write-cut:effect=perhaps@esme", FaultValueError),
        ("key-write-cut:after_s=1@esme", UnknownFaultKeyError),
    ],
)
def test_orders_that_mean_nothing_are_refused_by_kind(text: str, error: type[FaultError]) -> None:
    with pytest.raises(error):
        parse(text)


def test_clear_is_no_fault_of_its_own_and_names_a_link_or_a_role() -> None:
    assert parse_clear("clear@sim") == "sim"
    assert parse_clear("clear@gsme") == "gsme"
    assert parse_clear("mute@sim") is None
    assert parse_clear("clear:home=A-1@han") == "han"
    assert [cleared_home(text) for text in ("clear@han", "clear:home=A-1@han")] == ["", "A-1"]
    assert parse_clear("clear:role=esme@han") is None
    with pytest.raises(FaultLinkError, match="no link 'sky'"):
        parse_clear("clear@sky")
    with pytest.raises(FaultError):
        parse("clear@sim")


def test_faults_of_one_home_are_for_that_home_alone() -> None:
    faults = [parse("mute@wan"), parse("mute:home=B-2@wan"), parse("late:s=1,home=B-3@sim")]
    assert [fault.text for fault in in_home(faults, "B-2")] == ["mute@wan", "mute:home=B-2@wan"]


def test_faults_of_a_link_that_rest_let_everything_pass_and_strike_again_afterwards() -> None:
    plan = schedule("mute@wan", "mute@han")
    plan.rest("wan-in", on=True)
    assert crosses(plan)
    assert not plan.touches("wan-in")
    assert plan.touches("han")
    plan.rest("wan-in", on=False)
    assert not crosses(plan)


def test_who_looks_at_the_links_that_are_struck_sees_every_change() -> None:
    plan = schedule("mute@han")
    struck = plan.struck
    assert struck == {"han"}
    plan.rest("han", on=True)
    plan.order("mute@wan", NOW)
    assert struck == {"wan-in", "wan-out"}
    plan.rest("han", on=False)
    plan.order("clear@wan", NOW)
    assert struck == {"han"}
    other = schedule("mute@han")
    plan.order("clear@han", NOW)
    seen = other.struck
    other.load(plan.dump())
    assert seen == plan.struck == set()
