"""Of several worlds the one with the first thing to do is found without asking all of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.runtime.agenda import Agenda
from emulator.runtime.first_due import FirstDue
from tests.sampling import examples


class Small:
    """A world that is an agenda alone, and counts how often it is asked."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self.asked = 0

    def next_due(self) -> int | None:
        self.asked += 1
        return self.agenda.next_due()

    def call_on_entry(self, call: object) -> None:
        self.agenda.on_entry = call  # type: ignore[assignment] # a callable, as FirstDue gives it


ACTS = st.lists(
    st.tuples(
        st.integers(0, 3), st.sampled_from(["put", "timer", "stop", "pop"]), st.integers(0, 20)
    ),
    max_size=60,
)


@settings(max_examples=examples(200))
@given(ACTS)
def test_it_always_finds_what_asking_all_of_them_finds(
    acts: list[tuple[int, str, int]],
) -> None:
    worlds = [Small() for _ in range(4)]
    first = FirstDue(worlds)
    for number, act, at in acts:
        agenda = worlds[number].agenda
        if act == "put":
            agenda.put(at, "power", 0, None)
        elif act == "timer":
            agenda.start_timer(at, "timer", 0, f"t{at % 3}")
        elif act == "stop":
            agenda.stop_timer("timer", 0, f"t{at % 3}")
        elif (found := first.find()) is not None:
            worlds[found[1]].agenda.pop()
        due = [(one.agenda.next_due(), place) for place, one in enumerate(worlds)]
        expected = min(((at_us, place) for at_us, place in due if at_us is not None), default=None)
        assert first.find() == expected


def test_worlds_in_which_nothing_happens_are_not_asked() -> None:
    worlds = [Small() for _ in range(100)]
    first = FirstDue(worlds)
    for one in worlds:
        one.agenda.put(1_000, "power", 0, None)
    worlds[7].agenda.put(1, "power", 0, None)
    first.find()
    before = sum(one.asked for one in worlds)
    for at in range(2, 50):
        worlds[7].agenda.pop()
        worlds[7].agenda.put(at, "power", 0, None)
        assert first.find() == (at, 7)
    assert sum(one.asked for one in worlds) - before < 250
