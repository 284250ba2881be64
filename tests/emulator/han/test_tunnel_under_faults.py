"""Property: whatever frames are lost or damaged, no message arrives twice or altered."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.ids import Eui64
from emulator.runtime.world import World
from tests.emulator.runtime.small_world import (
    ESME,
    GSME,
    SECOND_US,
    Shape,
    message_for,
    meter,
    small_world,
)
from tests.sampling import examples

KINDS = ("*", "tunnel.transfer-data", "tunnel.re*", "aps.ack", "tunnel.*")
NAMES = ("drop", "duplicate", "corrupt", "truncate")


@st.composite
def frame_faults(draw: st.DrawFn) -> list[str]:
    faults = []
    for _ in range(draw(st.integers(1, 4))):
        name = draw(st.sampled_from(NAMES))
        kind = draw(st.sampled_from(KINDS))
        chance = draw(st.sampled_from(("p=0.05", "p=0.3", "p=0.7", "every=2", "every=3", "n=4")))
        more = ",gap_ms=2500" if name == "duplicate" and draw(st.booleans()) else ""
        faults.append(f"{name}:kind={kind},{chance}{more}@han")
    return faults


def run_counted(world: World, seconds: int) -> int:
    """Run, and count the events it took."""
    end_us, moved = world.now_us + seconds * SECOND_US, 0
    while (due := world.next_due()) is not None and due <= end_us:
        world.step()
        moved += 1
    return moved


@settings(max_examples=examples(25), deadline=None, derandomize=True)
@given(
    faults=frame_faults(),
    seed=st.integers(1, 1000),
    sizes=st.lists(st.integers(13, 400), min_size=1, max_size=6),
)
def test_each_message_arrives_at_most_once_and_unaltered(
    faults: list[str], seed: int, sizes: list[int]
) -> None:
    world = small_world(Shape(wake_s=60, window_s=30), faults=faults, seed=seed)
    sent: dict[Eui64, list[bytes]] = {ESME: [], GSME: []}
    for mark, size in enumerate(sizes):
        for device in (ESME, GSME):
            sent[device].append(message_for(device, size, mark))
            world.send_wan(sent[device][-1])
    moved = run_counted(world, 900)
    assert moved < 20_000, "nothing may run for ever"
    for device, messages in sent.items():
        heard = meter(world, device).heard
        hexes = [message.hex() for message in messages]
        assert heard == [text for text in hexes if text in heard], "not in order"
    answers = Counter(world.to_dsp)
    assert all(count == 1 for count in answers.values())
    assert set(answers) <= {message[::-1] for both in sent.values() for message in both}


def test_with_a_fifth_of_all_frames_lost_messages_still_get_through() -> None:
    world = small_world(faults=["drop:p=0.2@han"], seed=3)
    for mark in range(10):
        world.send_wan(message_for(ESME, 200, mark))
    world.run_until(world.now_us + 3600 * SECOND_US)
    assert len(meter(world, ESME).heard) == 10


def test_without_any_acknowledgement_nothing_is_delivered_twice_and_all_comes_to_rest() -> None:
    world = small_world(faults=["drop:kind=aps.ack@han"])
    world.send_wan(message_for(ESME, 200))
    world.run_until(world.now_us + 7200 * SECOND_US)
    assert len(meter(world, ESME).heard) <= 1
