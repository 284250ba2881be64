"""States of many worlds, one behind the other: each comes back, and the same one is packed once."""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import pytest

from emulator.runtime import snapshot
from emulator.runtime.marks import Mark
from emulator.runtime.snapshot import Kept, SnapshotError
from emulator.runtime.snapshots import Snapshots, Source, unpack

STATES = {
    "dual-001": {"now": 5, "frames": [b"\x00\xff", (1, None)]},
    "häuschen": [1, "two", {"three": b""}],
    "": {},
}


def sources(states: Mapping[str, Any], marks: Mapping[str, Mark | None]) -> Iterator[Source]:
    """Yield states with the marks that their names have."""
    for name in states:
        yield name, partial(marks.get, name), partial(states.__getitem__, name)


def unmarked(states: Mapping[str, Any]) -> Iterator[Source]:
    return sources(states, {})


def test_states_come_back_under_their_names_and_in_their_order() -> None:
    found = unpack(Snapshots().pack(unmarked(STATES)))
    assert found == STATES
    assert [*found] == [*STATES]


def test_only_what_has_another_mark_or_none_is_packed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packing, device = Snapshots(), Kept({"on": True})
    marks: dict[str, Mark | None] = {name: Mark("as it was", (device,)) for name in STATES}
    first = packing.pack(sources(STATES, marks))
    packed: list[Any] = []
    whole = snapshot.pack

    def noted(state: Any) -> bytes:
        packed.append(state)
        return whole(state)

    monkeypatch.setattr(snapshot, "pack", noted)
    marks = {name: Mark("as it was", (device,)) for name in STATES}
    assert packing.pack(sources(dict.fromkeys(STATES), marks)) == first
    assert packed == []
    others = (None, Mark("another", (device,)), Mark("as it was", (Kept(device),)))
    for number, other in enumerate(others):
        changed = {**STATES, "dual-001": {"now": number}}
        assert unpack(packing.pack(sources(changed, {**marks, "dual-001": other}))) == changed
    assert packed == [{"now": number} for number in range(len(others))]
    packing.clear()
    assert unpack(packing.pack(sources(STATES, marks))) == STATES


@pytest.mark.parametrize("octets", [b"\x00", b"\x00\x01", b"\x00\x01a\x00\x00\x00\x05ab"])
def test_octets_that_break_off_are_no_states(octets: bytes) -> None:
    with pytest.raises(SnapshotError):
        unpack(octets)


def test_octets_cut_anywhere_are_told_or_hold_whole_states_alone() -> None:
    whole = Snapshots().pack(unmarked(STATES))
    for end in range(len(whole)):
        try:
            found = unpack(whole[:end])
        except SnapshotError:
            continue
        assert [*found.items()] == [*STATES.items()][: len(found)]


def test_a_state_that_is_kept_is_written_once_and_reads_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inner = Kept({"deep": (b"\x01", "\N{BULLET}"), "list": [1, None, True, 1.5]})
    device = Kept({"inner": inner, "quote": 'a "b" \\ c'})
    plain = {"inner": dict(inner), "quote": device["quote"]}
    states = [{"boxes": [{"device": one, "awake": 1} for one in (device, inner, device)]}, device]
    alike = [{"boxes": [{"device": one, "awake": 1} for one in (plain, inner, plain)]}, plain]
    assert snapshot.text_of(states) == snapshot.text_of(alike)
    assert snapshot.unpack(snapshot.pack(states)) == alike
    written: list[Any] = []
    whole = json.dumps

    def noted(it: Any, **how: Any) -> str:
        written.append(it)
        return whole(it, **how)

    monkeypatch.setattr(json, "dumps", noted)
    assert snapshot.text_of(states) == snapshot.text_of(states)
    assert len(written) == 2  # what stands around it, each time; itself no more
