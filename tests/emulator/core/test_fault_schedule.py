"""A run's faults at work: which frames and which notes they strike."""

import pytest

from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.effects import Value
from emulator.core.errors import IllegalEventError
from emulator.core.fault_schedule import FaultSchedule, Frame, percent_of
from emulator.core.faults import PowerCut, parse


def schedule(*texts: str, seed: int = 1) -> FaultSchedule:
    return FaultSchedule([parse(text) for text in texts], Chance(seed))


def struck(plan: FaultSchedule, count: int, label: str = "x", link: str = "han") -> list[int]:
    """Numbers (from 1) of the frames that are lost among ``count``."""
    frames = [Frame(link, b"frame", label, "chf", "esme") for _ in range(count)]
    return [n for n, frame in enumerate(frames, 1) if not plan.cross(frame).copies]


@pytest.mark.parametrize(
    ("keys", "lost"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        (":n=3", [3]),
        (":every=2", [2, 4, 6]),
        (":every=2,times=2", [2, 4]),
        (":times=1", [1]),
        (":kind=x", [1, 2, 3, 4, 5, 6]),
        (":kind=y", []),
        (":kind=*,n=2", [2]),
        (":from=chf,n=2", [2]),
        (":from=esme", []),
        (":to=esme,times=1", [1]),
        (":to=chf", []),
        (":p=0", []),
        (":p=1", [1, 2, 3, 4, 5, 6]),
    ],
)
def test_selectors_choose_frames(keys: str, lost: list[int]) -> None:
    assert struck(schedule(f"drop{keys}@han"), 6) == lost


def test_only_matching_frames_are_counted() -> None:
    plan = schedule("drop:kind=b,n=2@han")
    labels = ["a", "b", "a", "a", "b", "b"]
    kept = [bool(plan.cross(Frame("han", b"f", label)).copies) for label in labels]
    assert kept == [True, True, True, True, False, True]


@pytest.mark.parametrize(
    ("link", "crossed", "lost"),
    [
        ("wan", "wan-in", 1),
        ("wan", "wan-out", 1),
        ("wan-in", "wan-out", 0),
        ("csp", "csp-in", 1),
        ("csp-out", "csp-out", 1),
        ("han", "csp-in", 0),
        ("line", "line-in", 1),
        ("line", "line-out", 1),
        ("line-in", "line-out", 0),
    ],
)
def test_a_line_without_direction_means_both(link: str, crossed: str, lost: int) -> None:
    plan = schedule(f"drop@{link}")
    assert plan.touches(crossed) == bool(lost)
    assert len(struck(plan, 1, link=crossed)) == lost


def test_chance_comes_from_the_seed_alone() -> None:
    first, again, other = (struck(schedule("drop:p=0.5@han", seed=seed), 200) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert 60 < len(first) < 140


def test_adding_a_fault_moves_no_other_fault() -> None:
    alone = struck(schedule("drop:p=0.3,kind=x@han"), 100)
    both = struck(schedule("drop:p=0.3,kind=x@han", "corrupt:p=0.5,kind=y@han"), 100)
    assert alone == both


def test_faults_work_on_what_those_before_them_left() -> None:
    plan = schedule("duplicate:gap_ms=1@han", "delay:ms=10@han", "truncate:keep=2@han")
    crossing = plan.cross(Frame("han", b"frame", "x"))
    assert [(copy.frame, copy.delay_us) for copy in crossing.copies] == [
        (b"fr", 10_000), (b"fr", 11_000)
    ]  # fmt: skip
    assert crossing.faults == tuple(fault.text for fault in plan.faults)


def test_an_untouched_frame_names_no_fault() -> None:
    crossing = schedule("drop:n=2@han").cross(Frame("han", b"frame", "x"))
    assert (crossing.copies[0].frame, crossing.faults) == (b"frame", ())


def test_counts_and_chance_survive_a_dump() -> None:
    texts = ("drop:p=0.5@han", "drop:every=3@han", "power-cycle:state=A@esme")
    chance = Chance(1)
    plan = FaultSchedule([parse(text) for text in texts], chance)
    struck(plan, 50)
    plan.noted("esme", "k", [("state", "A")])
    counts, positions = plan.dump(), chance.dump()
    went_on = struck(plan, 50)
    other = FaultSchedule([parse(text) for text in texts], Chance.restore(1, positions))
    other.load(counts)
    assert struck(other, 50) == went_on
    assert other.noted("esme", "k", [("state", "A")]) == []


def test_counts_of_other_faults_are_refused() -> None:
    with pytest.raises(ValueError, match="other faults"):
        schedule("drop@han").load([])


def test_timed_faults_say_when_they_come() -> None:
    plan = schedule(
        "drop@han", "power-cycle:after_s=1.5@esme", "power-loss:at=2026-01-05T10:00@chf"
    )
    assert plan.timed(UtcMs(1000)) == [(2500, 1), (1_767_607_200_000, 2)]
    assert plan.act(1)[1] == PowerCut(5)
    with pytest.raises(IllegalEventError):
        plan.act(0)


def test_a_fault_waits_for_its_state_and_its_percent() -> None:
    plan = schedule("power-loss:state=downloading,percent=50@esme")
    assert plan.watches("esme")
    assert not plan.watches("gsme")
    steps: list[tuple[str, str, list[tuple[str, Value]]]] = [
        ("esme", "ota_state", [("state", "QUERIED"), ("offset", 0)]),
        ("esme", "ota_progress", [("percent", 60)]),  # another state
        ("esme", "ota_state", [("state", "DOWNLOADING"), ("offset", 0)]),
        ("gsme", "ota_progress", [("percent", 70)]),  # another device
        ("esme", "ota_progress", [("percent", 49)]),
        ("esme", "ota_progress", [("offset", 50), ("size", 100)]),
        ("esme", "ota_progress", [("percent", 51)]),  # once is enough
    ]
    assert [plan.noted(*step) for step in steps] == [[], [], [], [], [], [0], []]


def test_a_fault_can_wait_for_a_kind_of_note_and_strike_more_than_once() -> None:
    plan = schedule("power-cycle:note=message_sent,times=2@esme")
    kinds = ["power", "message_sent", "message_sent", "message_sent"]
    assert [plan.noted("esme", kind, []) for kind in kinds] == [[], [0], [0], []]


def test_a_state_alone_strikes_when_it_is_entered_and_not_at_later_notes() -> None:
    plan = schedule("power-cycle:state=IDLE,times=9@esme")
    notes: list[list[tuple[str, str | int]]] = [[("state", "IDLE")], [("percent", 1)]]
    assert [plan.noted("esme", "k", note) for note in notes] == [[0], []]


@pytest.mark.parametrize(
    ("fields", "percent"),
    [
        ({"percent": 5}, 5.0),
        ({"offset": 1, "size": 4}, 25.0),
        ({"offset": 1}, None),
        ({"offset": 1, "size": 0}, None),
        ({"percent": "5"}, None),
        ({}, None),
    ],
)
def test_how_much_of_an_image_a_note_speaks_of(
    fields: dict[str, int | str], percent: float | None
) -> None:
    assert percent_of(dict(fields)) == percent
