"""The emulated meter under power loss, noise, kill and restore: same octets, no hang."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from harness.benches.emulated_meter import EmulatedMeterBench, open_bench
from harness.benches.emulated_meter_build import MeterPlan
from harness.dlms import obis, reading, selection
from harness.dlms.settings import Framing
from harness.meter import Silence, Unanswered
from harness.ports import CapturedFrame, MeterPort
from tests.benches.meter_stories import SLOW_CLOCK, associated, play


@pytest.mark.parametrize("framing", list(Framing))
def test_a_power_loss_ends_the_link_and_the_next_association_opens_anew(framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench)
        await bench.power.cycle(bench.role("ESME"), 5)
        answer = await port.get([obis.SERIAL_NUMBER])
        assert isinstance(answer, Unanswered)
        assert answer.why in {Silence.LINK_LOST, Silence.NO_ANSWER}
        port = await associated(bench)
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan(framing=framing)), story)


def test_a_power_loss_in_the_middle_of_an_answer_is_told_and_nothing_hangs() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        begun = bench.clock.now()
        cycle = asyncio.ensure_future(bench.power.cycle(bench.role("ESME"), 30))
        answer = await port.get([selection.buffer(obis.LOAD_PROFILE)])
        assert isinstance(answer, Unanswered)
        assert bench.clock.now() - begun < 60_000
        await cycle
        await associated(bench, "public")

    play(open_bench(MeterPlan()), story)


FAULTS = ("drop:p=0.08@line", "corrupt:p=0.08@line", "duplicate:p=0.08@line")


async def busy(bench: EmulatedMeterBench) -> list[CapturedFrame]:
    """A little of everything on a bad line."""
    port = bench.meter("ESME")
    await port.sign_on(read_out=True)
    for name in ("public", "management"):
        await port.associate(bench.credentials("ESME", name))
        await port.get((*reading.identity(), *reading.register(obis.IMPORT)))
        await port.get([selection.buffer(obis.LOAD_PROFILE, selection.entries(1, 20))])
    await port.set([(SLOW_CLOCK, Data(Tag.INT16, 60))])
    await port.action(obis.CLOCK_SHIFT, Data(Tag.INT16, 1))
    await port.release()
    return list(bench.take_frames())


def test_two_runs_of_one_seed_capture_the_same_octets() -> None:
    first, again, other = (
        play(open_bench(MeterPlan(seed=seed, faults=FAULTS)), busy) for seed in (1, 1, 2)
    )
    assert len(first) > 60
    assert first == again
    assert [frame.frame for frame in first] != [frame.frame for frame in other]
    assert {frame.link for frame in first} == {"line-in", "line-out"}
    assert any(frame.comment.startswith("fault") for frame in first)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("framing", [Framing.OPTICAL, Framing.HDLC])
def test_on_a_noisy_line_every_answer_is_true_or_none(seed: int, framing: Framing) -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = bench.meter("ESME")
        begun = bench.clock.now()
        truth = None
        for _ in range(12):
            joined = await port.associate(bench.credentials("ESME", "public"))
            answer = await port.get([obis.SERIAL_NUMBER])
            if joined.accepted and not isinstance(answer, Unanswered):
                truth = truth or answer
                assert answer == truth
        assert truth is not None
        assert bench.clock.now() - begun < 12 * 120_000

    faults = ("drop:p=0.1@line", "corrupt:p=0.1@line", "noise:p=0.1@line")
    play(open_bench(MeterPlan(seed=seed, faults=faults, framing=framing)), story)


Step = Callable[[MeterPort, EmulatedMeterBench], Awaitable[object]]


STORY: list[Step] = [
    lambda port, bench: port.associate(bench.credentials("ESME", "management")),
    lambda port, _bench: port.get(reading.register(obis.IMPORT)),
    lambda port, _bench: port.set([(SLOW_CLOCK, Data(Tag.INT16, 60))]),
    lambda port, _bench: port.get([selection.buffer(obis.LOAD_PROFILE, selection.entries(1, 9))]),
    lambda _port, bench: bench.clock.sleep_until(UtcMs(bench.clock.now() + 61_000)),
    lambda port, _bench: port.get([obis.CLOCK_TIME]),
    lambda port, bench: port.associate(bench.credentials("ESME", "reader")),
    lambda port, _bench: port.get(reading.identity()),
    lambda port, _bench: port.release(),
    lambda port, _bench: port.sign_on(read_out=True),
]


@pytest.mark.parametrize("framing", list(Framing))
def test_a_bench_restored_in_the_middle_goes_on_with_the_same_octets(framing: Framing) -> None:
    plan = MeterPlan(framing=framing, faults=("drop:p=0.02@line", "duplicate:p=0.05@line"))
    if framing is Framing.WRAPPER:
        plan = MeterPlan(framing=framing)

    def whole() -> tuple[list[object], list[CapturedFrame]]:
        async def story(bench: EmulatedMeterBench) -> list[object]:
            return [await step(bench.meter("ESME"), bench) for step in STORY]

        bench = open_bench(plan)
        return play(bench, story), list(bench.take_frames())

    def pieces() -> tuple[list[object], list[CapturedFrame]]:
        answers: list[object] = []
        bench = open_bench(plan)
        for step in STORY:
            state = bench.dump()
            bench = open_bench(plan)
            bench.restore(state)

            async def act(bench: EmulatedMeterBench, step: Step = step) -> object:
                return await step(bench.meter("ESME"), bench)

            answers.append(play(bench, act))
        return answers, list(bench.take_frames())

    assert whole() == pieces()


def test_a_step_whose_time_is_up_leaves_a_line_that_works() -> None:
    async def story(bench: EmulatedMeterBench) -> None:
        port = await associated(bench, "public")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await port.get([selection.buffer(obis.LOAD_PROFILE)])
        bench.restore(bench.dump())
        answer = await port.get([obis.SERIAL_NUMBER])
        assert isinstance(answer, Unanswered)
        port = await associated(bench, "public")
        assert not isinstance(await port.get([obis.SERIAL_NUMBER]), Unanswered)

    play(open_bench(MeterPlan()), story)
