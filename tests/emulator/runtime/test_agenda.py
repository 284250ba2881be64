"""What is to happen, and when."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.runtime.agenda import Agenda
from tests.sampling import examples


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


class Plain:
    """An agenda as it is meant: a list, looked through each time."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, str, int, Any]] = []
        self.sequence = 0

    def put(self, due_us: int, kind: str, box: int, what: Any) -> None:
        self.sequence += 1
        self.rows.append((due_us, self.sequence, kind, box, what))

    def stop_timer(self, kind: str, box: int, name: str) -> None:
        self.rows = [row for row in self.rows if row[2:] != (kind, box, name)]

    def start_timer(self, due_us: int, kind: str, box: int, name: str) -> None:
        self.stop_timer(kind, box, name)
        self.put(due_us, kind, box, name)

    def take(self, until_us: int) -> tuple[int, int, str, int, Any] | None:
        row = min((row for row in self.rows if row[0] <= until_us), default=None)
        if row is not None:
            self.rows.remove(row)
        return row


acts = st.tuples(
    st.sampled_from(["put", "start", "start", "stop", "take", "take back", "pop", "reload"]),
    st.integers(0, 9),
    st.sampled_from(["x", "y"]),
)


@settings(max_examples=examples(400))
@given(st.lists(acts, max_size=40))
def test_an_agenda_is_a_list_in_order_however_timers_are_moved(
    row: list[tuple[str, int, str]],
) -> None:
    agenda, plain = Agenda(), Plain()
    for act, at, name in row:
        if act == "put":
            agenda.put(at, "air", 0, b"frame")
            plain.put(at, "air", 0, b"frame")
        elif act == "start":
            agenda.start_timer(at, "timer", 0, name)
            plain.start_timer(at, "timer", 0, name)
        elif act == "stop":
            agenda.stop_timer("timer", 0, name)
            plain.stop_timer("timer", 0, name)
        elif act == "take":
            assert agenda.take(at) == plain.take(at)
        elif act == "take back":
            entry = agenda.take(at)
            if entry is not None:
                agenda.put_back(entry)
        elif act == "pop":
            if agenda.next_due() is not None:
                assert agenda.pop() == plain.take(99)
        else:
            agenda.load(agenda.dump())
        assert agenda.dump()["entries"] == [list(one) for one in sorted(plain.rows)]
        assert agenda.next_due() == min((one[0] for one in plain.rows), default=None)
        others = (one[0] for one in plain.rows if one[4] != "x")
        assert agenda.next_but("x") == min(others, default=None)
