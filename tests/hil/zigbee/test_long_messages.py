"""Fragments on the host's side: apart and together, in whatever order they come."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from hil.zigbee.fragments import PATIENCE_S, REMEMBERED_S, Reassembler, group_of, split
from hil.zigbee.messages import ApsOption, Incoming
from tests.sampling import examples

FIRST = Incoming(0x1234, 0x0109, 0x0704, 1, 123, b"", ApsOption.FRAGMENT | ApsOption.RETRY)


def parts(payload: bytes, most: int = 60, sequence: int = 5) -> list[Incoming]:
    """Return the fragments of a message; the count stands in the first alone."""
    pieces = split(payload, most)
    return [
        replace(
            FIRST,
            payload=piece,
            sequence=sequence,
            group=group_of(index, len(pieces)) if index == 0 else index,
        )
        for index, piece in enumerate(pieces)
    ]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Return the present moment."""
        return self.now


@settings(max_examples=examples(100))
@given(st.binary(min_size=1, max_size=1500), st.integers(1, 90), st.randoms(use_true_random=False))
def test_what_is_taken_apart_comes_together_in_any_order_with_repeats(
    payload: bytes, most: int, order: object
) -> None:
    pieces = split(payload, most)
    assert b"".join(pieces) == payload
    assert all(len(piece) <= most for piece in pieces)
    told = parts(payload, most)
    if len(told) > 255:
        return
    mixed = [*told, *told[: len(told) // 2]]
    order.shuffle(mixed)  # type: ignore[attr-defined] # hypothesis' Random
    reassembler, whole = Reassembler(Clock()), []
    for part in mixed:
        acknowledge, found = reassembler.take(part)
        assert acknowledge
        whole += [found] if found is not None else []
    assert whole == [payload]


def test_a_part_that_is_missing_is_waited_for_and_then_forgotten() -> None:
    clock = Clock()
    reassembler = Reassembler(clock)
    first, *rest = parts(bytes(300))
    assert reassembler.take(first) == (True, None)
    clock.now = PATIENCE_S + 1
    for part in rest:
        assert reassembler.take(part) == (True, None)
    assert reassembler.take(first) == (True, bytes(300))


def test_a_whole_message_is_told_once_and_its_counter_serves_another_later() -> None:
    clock = Clock()
    reassembler = Reassembler(clock)
    assert [reassembler.take(part)[1] for part in parts(bytes(100))] == [None, bytes(100)]
    assert [reassembler.take(part)[1] for part in parts(bytes(100))] == [None, None]
    other = bytes(range(100))
    assert [reassembler.take(part)[1] for part in parts(other)] == [None, other]
    clock.now = REMEMBERED_S + 1
    assert [reassembler.take(part)[1] for part in parts(other)] == [None, other]


def test_messages_of_two_nodes_do_not_mix() -> None:
    reassembler = Reassembler(Clock())
    mine, theirs = parts(b"m" * 100), [replace(one, sender=7) for one in parts(b"t" * 100)]
    assert [reassembler.take(one)[1] for one in (mine[0], theirs[0])] == [None, None]
    assert reassembler.take(mine[1])[1] == b"m" * 100
    assert reassembler.take(theirs[1])[1] == b"t" * 100


def test_a_sender_without_end_is_not_acknowledged_for_ever() -> None:
    reassembler = Reassembler(Clock())
    endless = [replace(FIRST, payload=bytes(250), group=index) for index in range(1, 255)]
    assert False in [reassembler.take(one)[0] for one in endless]
    beyond = replace(FIRST, payload=b"x", group=group_of(0, 2), sequence=9)
    assert reassembler.take(beyond) == (True, None)
    assert reassembler.take(replace(beyond, group=2)) == (False, None)
