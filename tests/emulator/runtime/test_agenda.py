"""What is to happen, and when."""

from emulator.runtime.agenda import Agenda


def drain(agenda: Agenda) -> list[tuple[int, str, object]]:
    seen = []
    while agenda.next_due() is not None:
        due, _sequence, kind, _box, what = agenda.pop()
        seen.append((due, kind, what))
    return seen


def test_entries_of_one_moment_come_in_the_order_they_were_made() -> None:
    agenda = Agenda()
    for what in ("b", "a", "c"):
        agenda.put(5, "air", 0, what)
    agenda.put(4, "air", 0, "first")
    assert [what for _due, _kind, what in drain(agenda)] == ["first", "b", "a", "c"]


def test_a_timer_replaces_the_one_of_its_name_and_can_be_stopped() -> None:
    agenda = Agenda()
    agenda.start_timer(5, "timer", 1, "x")
    agenda.start_timer(9, "timer", 1, "x")
    agenda.start_timer(6, "timer", 2, "x")
    agenda.start_timer(7, "node", 1, "x")
    agenda.stop_timer("node", 1, "x")
    agenda.stop_timer("node", 1, "never started")
    assert drain(agenda) == [(6, "timer", "x"), (9, "timer", "x")]


def test_stopping_the_timers_of_a_box_leaves_its_frames() -> None:
    agenda = Agenda()
    agenda.start_timer(5, "timer", 1, "x")
    agenda.put(6, "air", 1, "frame")
    agenda.start_timer(7, "timer", 2, "y")
    agenda.stop_timers_of(1)
    assert drain(agenda) == [(6, "air", "frame"), (7, "timer", "y")]


def test_a_loaded_agenda_goes_on_as_the_dumped_one() -> None:
    agenda, other = Agenda(), Agenda()
    agenda.put(5, "air", 0, b"frame")
    agenda.start_timer(5, "timer", 0, "old")
    agenda.start_timer(8, "timer", 0, "old")
    other.load(agenda.dump())
    assert other.dump() == agenda.dump()
    for one in (agenda, other):
        one.start_timer(6, "timer", 0, "old")
        one.put(5, "air", 0, b"later")
    assert drain(other) == drain(agenda)
