"""States of many worlds, one behind the other: each comes back, and the same one is packed once."""

import json
from typing import Any

import pytest

from emulator.runtime import snapshot
from emulator.runtime.snapshot import Kept, SnapshotError
from emulator.runtime.snapshots import Snapshots, unpack

STATES = {
    "dual-001": {"now": 5, "frames": [b"\x00\xff", (1, None)]},
    "häuschen": [1, "two", {"three": b""}],
    "": {},
}


def test_states_come_back_under_their_names_and_in_their_order() -> None:
    found = unpack(Snapshots().pack(STATES.items()))
    assert found == STATES
    assert [*found] == [*STATES]


def test_what_is_packed_again_is_the_same_and_only_what_changed_is_compressed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packing = Snapshots()
    first = packing.pack(STATES.items())
    packed: list[bytes] = []
    whole = snapshot.packed

    def noted(text: bytes) -> bytes:
        packed.append(text)
        return whole(text)

    monkeypatch.setattr(snapshot, "packed", noted)
    assert packing.pack(STATES.items()) == first
    assert packed == []
    changed = {**STATES, "dual-001": {"now": 6}}
    assert unpack(packing.pack(changed.items())) == changed
    assert packed == [b'{"now":6}']


@pytest.mark.parametrize("octets", [b"\x00", b"\x00\x01", b"\x00\x01a\x00\x00\x00\x05ab"])
def test_octets_that_break_off_are_no_states(octets: bytes) -> None:
    with pytest.raises(SnapshotError):
        unpack(octets)


def test_octets_cut_anywhere_are_told_or_hold_whole_states_alone() -> None:
    whole = Snapshots().pack(STATES.items())
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
