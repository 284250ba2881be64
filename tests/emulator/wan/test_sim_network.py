"""The SIM of a SMETS1 hub: moves, attaching, faults of both; every state with every event."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_profiles.dlms import WanSection
from emulator.core.chance import Chance
from emulator.core.fault_schedule import FaultSchedule
from emulator.core.faults import parse
from emulator.wan.line import LATENCY_US
from emulator.wan.sim_network import Move, SimNetwork

S = 1_000_000
WEEK_S = 7 * 86_400
SETTINGS = WanSection(
    attach_least_s=60, attach_most_s=120, retry_s=600, contact_repeat_s=900, queue_limit_s=60
)


def network(*faults: str, seed: int = 1) -> SimNetwork:
    chance = Chance(seed)
    schedule = FaultSchedule([parse(text) for text in faults], chance)
    return SimNetwork(SETTINGS, schedule, chance.stream("sim"))


def attached_at(sim: SimNetwork, now_us: int) -> int | None:
    """Let the hub seek until it is let in; the moment, or None where the network stays deaf."""
    for _attempt in range(5):
        due_us = sim.seek(now_us)
        if due_us is None:
            return now_us
        if sim.answer(due_us)[0]:
            return due_us
        now_us = due_us + SETTINGS.retry_s * S
    return None


def test_a_home_begins_on_the_network_of_the_smso() -> None:
    sim = network()
    assert (sim.owner, sim.attached) == ("SMSO", True)
    assert sim.serves("SMSO")
    assert not sim.serves("S1SP")
    assert sim.seek(0) is None


def test_a_moved_sim_is_with_its_new_owner_and_the_hub_is_on_no_network() -> None:
    sim = network()
    assert sim.move("S1SP", 0) == Move(True)
    assert sim.owner == "S1SP"
    assert not sim.serves("SMSO")
    assert not sim.serves("S1SP")


def test_the_hub_attaches_within_the_range_of_its_profile() -> None:
    waits = set()
    for seed in range(20):
        sim = network(seed=seed)
        sim.move("S1SP", 5 * S)
        due_us = attached_at(sim, 5 * S)
        assert due_us is not None
        waits.add((due_us - 5 * S) // S)
        assert sim.serves("S1SP")
    assert min(waits) >= SETTINGS.attach_least_s
    assert max(waits) <= SETTINGS.attach_most_s
    assert len(waits) > 5


@pytest.mark.parametrize("seconds", [WEEK_S - 1, WEEK_S, 1])
def test_a_late_hub_is_heard_to_the_second(seconds: int) -> None:
    sim = network(f"late:s={seconds}@sim")
    sim.move("S1SP", 7 * S)
    due_us = attached_at(sim, 7 * S)
    assert due_us is not None
    assert due_us + LATENCY_US == 7 * S + seconds * S


def test_a_hub_cannot_be_earlier_than_now() -> None:
    sim = network("late:s=0@sim")
    sim.move("S1SP", 7 * S)
    assert sim.seek(7 * S) == 7 * S


def test_a_refused_move_leaves_the_sim_where_it_is_and_says_why() -> None:
    sim = network("refuse:party=SMSO@sim")
    assert sim.move("S1SP", 0).done
    back = sim.move("SMSO", S)
    assert not back.done
    assert "refused" in back.why
    assert back.faults == ("refuse:party=SMSO@sim",)
    assert sim.owner == "S1SP"


def test_only_the_move_that_is_named_is_refused() -> None:
    sim = network("refuse:n=2@sim")
    moves = [sim.move(to, 0).done for to in ("S1SP", "SMSO", "SMSO", "S1SP")]
    assert moves == [True, False, True, True]


def test_a_muted_hub_never_attaches_and_a_mute_of_one_time_keeps_off_one_attempt() -> None:
    sim = network("mute@sim")
    sim.move("S1SP", 0)
    assert attached_at(sim, 0) is None
    sim = network("mute:times=1@sim")
    sim.move("S1SP", 0)
    due_us = attached_at(sim, 0)
    assert due_us is not None
    assert due_us > SETTINGS.retry_s * S


def test_a_move_to_where_the_sim_is_changes_nothing() -> None:
    sim = network("refuse@sim")
    assert sim.move("SMSO", 0) == Move(True)
    assert sim.attached
    assert sim.moves == 0


def test_a_party_without_a_network_gets_no_sim() -> None:
    with pytest.raises(ValueError, match="no network"):
        network().move("DCO", 0)


def test_an_answer_that_is_due_no_more_changes_nothing() -> None:
    sim = network()
    sim.move("S1SP", 0)
    due_us = sim.seek(0)
    assert due_us is not None
    sim.move("SMSO", 1)
    assert sim.answer(due_us) == (False, ())
    assert not sim.attached


#: What can happen to a network.
EVENTS: dict[str, Callable[[SimNetwork, int], Any]] = {
    "to the SMSO": lambda sim, now: sim.move("SMSO", now),
    "to the S1SP": lambda sim, now: sim.move("S1SP", now),
    "seek": lambda sim, now: sim.seek(now),
    "answer": lambda sim, now: sim.answer(sim.seek(now) or 0),
}
PATHS = {
    "with the SMSO": (),
    "gone": ("to the S1SP",),
    "awaited": ("to the S1SP", "seek"),
    "with the S1SP": ("to the S1SP", "answer"),
}
#: Event -> owner and attached afterwards, in the order of ``PATHS``.
TABLE = {
    "to the SMSO": (("SMSO", True), ("SMSO", False), ("SMSO", False), ("SMSO", False)),
    "to the S1SP": (("S1SP", False), ("S1SP", False), ("S1SP", False), ("S1SP", True)),
    "seek": (("SMSO", True), ("S1SP", False), ("S1SP", False), ("S1SP", True)),
    "answer": (("SMSO", True), ("S1SP", True), ("S1SP", True), ("S1SP", True)),
}


@pytest.mark.parametrize(("state", "event"), [*itertools.product(PATHS, EVENTS)])
def test_every_state_does_with_every_event_what_the_table_says(state: str, event: str) -> None:
    sim = network()
    for step in PATHS[state]:
        EVENTS[step](sim, 0)
    EVENTS[event](sim, S)
    assert (sim.owner, sim.attached) == TABLE[event][list(PATHS).index(state)]


@given(st.lists(st.sampled_from(sorted(EVENTS)), max_size=10), st.integers(0, 10))
def test_a_network_that_is_dumped_and_loaded_at_any_moment_goes_on_alike(
    events: list[str], cut: int
) -> None:
    chances = (Chance(3), Chance(3))
    sims = [
        SimNetwork(SETTINGS, FaultSchedule((), chance), chance.stream("sim")) for chance in chances
    ]
    for number, event in enumerate(events):
        if number == cut:
            fresh = SimNetwork(SETTINGS, FaultSchedule((), chances[1]), chances[1].stream("sim"))
            fresh.load(sims[1].dump())
            sims[1] = fresh
        outcomes = [EVENTS[event](sim, number * 90 * S) for sim in sims]
        assert outcomes[0] == outcomes[1]
    assert sims[0].dump() == sims[1].dump()
