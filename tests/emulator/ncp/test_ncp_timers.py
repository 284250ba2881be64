"""Timers that know their first: on any course of orders as a list that is looked through."""

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.ncp.timers import Timers
from tests.sampling import examples

_KIND = st.sampled_from(["air", "poll"])
_NAME = st.sampled_from(["one", "two", "three"])
_AT = st.integers(0, 20)
_ORDERS = st.lists(
    st.one_of(
        st.tuples(st.just("start"), _KIND, _NAME, _AT),
        st.tuples(st.just("stop"), _KIND, _NAME, _AT),
        st.tuples(st.just("stop_kind"), _KIND, _NAME, _AT),
        st.tuples(st.just("take"), _KIND, _NAME, _AT),
    ),
    max_size=30,
)


@settings(max_examples=examples(400))
@given(_ORDERS)
def test_deadline_and_what_is_due_are_those_of_a_plain_list(
    orders: list[tuple[str, str, str, int]],
) -> None:
    timers, plain = Timers(), dict[tuple[str, str], int]()
    for word, kind, name, at in orders:
        if word == "start":
            timers.start(kind, name, at)
            plain[kind, name] = at
        elif word == "stop":
            timers.stop(kind, name)
            plain.pop((kind, name), None)
        elif word == "stop_kind":
            timers.stop_kind(kind)
            plain = {key: due for key, due in plain.items() if key[0] != kind}
        else:
            due = [key for _at, key in sorted((due, key) for key, due in plain.items())]
            due = [key for key in due if plain[key] <= at]
            assert timers.is_due(at) == bool(due)
            assert timers.take(at) == due
            plain = {key: then for key, then in plain.items() if key not in due}
        assert timers.deadline == min(plain.values(), default=None)
