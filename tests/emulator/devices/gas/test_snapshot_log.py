"""A packed log of snapshots gives back what was entered, and no more rows than it may hold."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.clock import UtcMs
from emulator.devices.gsme.model.snapshot_log import Snapshot, SnapshotLog
from tests.emulator.devices.gas.gas_kit import Home
from tests.sampling import examples

NUMBER = st.integers(-(2**47), 2**47)


def parts(count: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.tuples(*[NUMBER] * count)


SNAPSHOTS = st.builds(Snapshot, NUMBER.map(UtcMs), NUMBER, NUMBER, parts(4), parts(4), parts(6))


@settings(max_examples=examples(60))
@given(st.lists(SNAPSHOTS, max_size=9), st.integers(1, 5))
def test_the_last_rows_are_kept_as_they_were(rows: list[Snapshot], most: int) -> None:
    log, kept = SnapshotLog(most, rows), rows[-most:]
    assert [*log] == log[:] == kept
    assert len(log) == len(kept)
    assert [log[place] for place in range(-len(kept), len(kept))] == kept * 2
    if kept:
        assert log.take_last() == kept[-1]
        assert [*log] == kept[:-1]


def test_a_row_of_another_width_and_a_place_that_is_not_there_are_refused() -> None:
    log = SnapshotLog(3)
    with pytest.raises(ValueError, match="17 numbers"):
        log.enter(Snapshot(UtcMs(0), 1, 2, (0,), (0,) * 4, (0,) * 6))
    with pytest.raises(IndexError):
        log.take_last()


@pytest.mark.parametrize("days", [0, 0.3, 1, 7.5, 500])
def test_samples_since_a_moment_are_the_last_ones_of_all_samples(days: float) -> None:
    home = Home()
    model, now = home.meter.model, home.now
    since = UtcMs(now - round(days * 86_400_000))
    whole, late = model.series("profile", 1800, now), model.series("profile", 1800, now, since)
    assert whole is not None
    starts = [whole.start_s + 1800 * place for place in range(len(whole.samples))]
    since_s = since // 1000 - 946_684_800
    wanted = [(at, one) for at, one in zip(starts, whole.samples, strict=True) if at > since_s]
    found = (
        []
        if late is None
        else [(late.start_s + 1800 * place, one) for place, one in enumerate(late.samples)]
    )
    assert found == wanted
