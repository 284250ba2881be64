"""What every bench must do, whatever stands behind its ports."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from emulator.codecs.gbcs import envelope
from emulator.core.clock import UtcMs
from harness.errors import BenchError, HarnessError
from harness.ports import Bench, Clock, Hub, Power, StageOrder, StageOutcome
from tests.contract.adapters import (
    ADAPTERS,
    Adapter,
    KeyedBench,
    image_for,
    version_request,
)

Story = Callable[[KeyedBench], Awaitable[None]]


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return ADAPTERS[request.param]


def play(adapter: Adapter, story: Story) -> None:
    """Run a story in the loop its bench belongs in."""

    async def whole() -> None:
        bench = adapter.open()
        try:
            await story(bench)
        finally:
            await bench.close()

    with asyncio.Runner(loop_factory=adapter.new_loop) as runner:
        runner.run(whole())


def after(bench: Bench, seconds: float) -> UtcMs:
    return UtcMs(bench.clock.now() + round(seconds * 1000))


def test_a_bench_offers_every_port(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        whole: Bench = bench
        parts: tuple[Clock, Hub, Power] = (bench.clock, bench.hub, bench.power)
        assert whole.kind
        assert all(parts)

    play(adapter, story)


def test_the_clock_goes_on_while_someone_sleeps_and_never_back(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        begun = bench.clock.now()
        await bench.clock.sleep_until(UtcMs(begun - 1000))
        assert bench.clock.now() - begun < 1000
        await bench.clock.sleep_until(UtcMs(begun + 2500))
        assert 2500 <= bench.clock.now() - begun < 3500

    play(adapter, story)


def test_a_hub_that_has_nothing_to_say_is_waited_for_until_the_moment(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        until = after(bench, 3)
        assert await bench.hub.received(until) is None
        assert bench.clock.now() >= until

    play(adapter, story)


def test_a_hub_answers_in_the_order_it_was_asked(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        device = bench.role("ESME")
        for counter in (11, 12, 13):
            await bench.hub.send(version_request(bench, device, counter))
        counters = []
        for _ in range(3):
            message = await bench.hub.received(after(bench, 120))
            assert message is not None
            header = envelope.decode(message).header
            counters.append(header.counter)
            assert header.originator == device
        assert counters == [11, 12, 13]
        assert await bench.hub.received(after(bench, 5)) is None

    play(adapter, story)


def test_a_hub_says_what_it_has_taken_or_that_it_cannot_tell(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        message = version_request(bench, bench.role("ESME"), 21)
        assert await bench.hub.has_taken(message) in {False, None}
        await bench.hub.send(message)
        assert await bench.hub.has_taken(message) in {True, None}

    play(adapter, story)


def test_the_hub_is_the_chf(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        assert bench.hub.eui64 == bench.role("CHF")

    play(adapter, story)


def test_an_image_that_fits_is_held_and_brings_the_device_to_speak(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        device = bench.role("ESME")
        image = image_for(bench, device, 500)
        begun = bench.clock.now()
        outcome = await bench.hub.stage(StageOrder("request 1", image, (device,)))
        assert (outcome.delivered, outcome.reason) == (True, "held")
        assert begun <= outcome.at <= bench.clock.now()
        assert await bench.hub.has_taken(image) in {True, None}
        alert = await bench.hub.received(after(bench, 3600))
        assert alert is not None
        assert envelope.decode(alert).header.originator == device

    play(adapter, story)


@pytest.mark.parametrize("kind", ["too large", "no image", "for nobody here"])
def test_an_image_that_cannot_be_held_is_refused_with_a_reason(adapter: Adapter, kind: str) -> None:
    async def story(bench: KeyedBench) -> None:
        device = bench.role("ESME")
        order = {
            "too large": StageOrder("r", bytes(5_000_000), (device,)),
            "no image": StageOrder("r", b"no image at all", (device,)),
            "for nobody here": StageOrder("r", image_for(bench, device, 100), ()),
        }[kind]
        outcome: StageOutcome = await bench.hub.stage(order)
        assert not outcome.delivered
        assert outcome.reason not in {"", "held"}

    play(adapter, story)


def test_a_device_is_back_after_its_power_was_cut_and_answers(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        device = bench.role("ESME")
        await bench.clock.sleep_until(after(bench, 5))
        begun = bench.clock.now()
        await bench.power.cycle(device, 4)
        assert bench.clock.now() - begun >= 4000
        await bench.hub.send(version_request(bench, device, 31))
        assert await bench.hub.received(after(bench, 300)) is not None

    play(adapter, story)


def test_wrong_use_of_power_is_an_error_for_people(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        with pytest.raises(HarnessError):
            await bench.power.cycle(bench.acb, 1)
        with pytest.raises(HarnessError):
            await bench.power.cycle(bench.role("ESME"), 0)

    play(adapter, story)


def test_a_role_the_bench_has_not_is_an_error_for_people(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        for device_type in ("IHD", "TOASTER"):
            with pytest.raises(BenchError, match=f"no {device_type}"):
                bench.role(device_type)

    play(adapter, story)


def test_observations_and_frames_are_given_once_and_in_order(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        await bench.hub.send(version_request(bench, bench.role("ESME"), 41))
        await bench.hub.received(after(bench, 120))
        frames = bench.take_frames()
        assert frames
        assert [frame.at_us for frame in frames] == sorted(frame.at_us for frame in frames)
        assert all(frame.at_us <= bench.clock.now() * 1000 + 999 for frame in frames)
        assert {frame.link for frame in frames} >= {"wan-in", "wan-out"}
        facts = bench.take_observations()
        assert facts is None or [fact.at for fact in facts] == sorted(fact.at for fact in facts)
        assert not bench.take_frames()
        assert not bench.take_observations()

    play(adapter, story)


def test_every_device_is_described(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        described = bench.describe()
        assert len(described) >= 2
        assert all(row and all(row.values()) for row in described.values())

    play(adapter, story)


def test_a_bench_that_can_be_dumped_goes_on_from_there(adapter: Adapter) -> None:
    async def story(bench: KeyedBench) -> None:
        await bench.clock.sleep_until(after(bench, 5))
        state = bench.dump()
        if state is None:
            return
        then = bench.clock.now()
        message = version_request(bench, bench.role("ESME"), 51)
        await bench.hub.send(message)
        first = await bench.hub.received(after(bench, 120))
        bench.restore(state)
        assert bench.clock.now() == then
        assert not await bench.hub.has_taken(message)
        await bench.hub.send(message)
        assert await bench.hub.received(after(bench, 120)) == first

    play(adapter, story)
