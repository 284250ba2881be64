"""Orders to a served device: its clock put forward, faults put into force, each answered."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect, Payload, SetTimer
from emulator.servers.control import ControlPipe
from emulator.servers.device_clock import DeviceClock
from emulator.servers.served_meter import ServedMeter
from tests.emulator.servers.line_kit import ANSWER, START, HdlcClient
from tests.emulator.servers.serving import Served, dial, served, until

HOUR_MS = 3_600_000


def pipe_of(home: Served) -> tuple[ControlPipe, list[str]]:
    answers: list[str] = []
    return ControlPipe(home.service.meter, lambda: None, answers.append), answers


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story()

    asyncio.run(whole())


def test_a_clock_of_factor_0_stands_still_until_it_is_told() -> None:
    async def story() -> None:
        async with served("pty", factor=0) as home:
            clock = home.service.clock
            await asyncio.sleep(0.05)
            assert clock.now() == START
            assert clock.line_now() > START  # link time-outs belong to the line
            pipe, answers = pipe_of(home)
            pipe.data_received(f"clock {START + HOUR_MS}\n".encode())
            assert clock.now() == START + HOUR_MS
            pipe.data_received(f"clock {START}\n".encode())  # never back
            assert clock.now() == START + HOUR_MS
            assert answers == [f"clock {START + HOUR_MS}", f"clock {START}"]

    run(story)


def stored_at(state: Path) -> int:
    now: int = json.loads(state.read_bytes())["now_ms"]
    return now


def test_a_memory_is_written_when_it_is_ordered_where_there_is_a_file(tmp_path: Path) -> None:
    async def story(state: Path | None) -> list[str]:
        answers: list[str] = []
        async with served("pty", factor=0, state=state) as home:
            service = home.service
            service.meter.put_forward(UtcMs(START + HOUR_MS))
            pipe = ControlPipe(service.meter, lambda: None, answers.append, service.saved)
            pipe.data_received(b"save\n")
            if state is not None:
                assert stored_at(state) == START + HOUR_MS
        return answers

    assert asyncio.run(story(tmp_path / "meter.state")) == ["save"]
    assert asyncio.run(story(None)) == ["refused save"]


class Alarms:
    """A device whose timers set timers; remembers when each fell due."""

    def __init__(self, home: Served) -> None:
        self.rung: list[tuple[str, int]] = []
        self.meter: ServedMeter = home.service.meter
        home.device.handle = self._handle  # type: ignore[method-assign]  # for this test alone

    def _handle(self, event: DeviceEvent, payload: Payload, now: UtcMs) -> list[Effect]:
        if event is not DeviceEvent.TIMER:
            return []
        self.rung.append((str(payload), now - START))
        return [SetTimer("third", UtcMs(now + 1000))] if payload == "first" else []


@pytest.mark.parametrize("factor", [0, 0.001])
def test_what_falls_due_on_the_way_happens_then_and_in_order(factor: float) -> None:
    async def story() -> None:
        async with served("pty", factor=factor) as home:
            alarms = Alarms(home)
            for name, at in (("second", 5000), ("first", 2000), ("late", 90_000)):
                alarms.meter.perform(SetTimer(name, UtcMs(START + at)))
            alarms.meter.put_forward(UtcMs(START + 60_000))
            assert [name for name, _at in alarms.rung] == ["first", "third", "second"]
            assert [at for _name, at in alarms.rung] == [2000, 3000, 5000]
            alarms.meter.put_forward(UtcMs(START + 90_000))
            assert alarms.rung[-1] == ("late", 90_000)

    run(story)


def test_a_power_cut_lasts_by_the_device_s_clock() -> None:
    async def story() -> None:
        async with served("pty", factor=0) as home:
            pipe, answers = pipe_of(home)
            pipe.data_received(b"power-cut 3600\n")
            assert home.device.power == [True, False]
            home.service.meter.put_forward(UtcMs(START + HOUR_MS - 1))
            assert home.device.power == [True, False]
            home.service.meter.put_forward(UtcMs(START + HOUR_MS))
            assert home.device.power == [True, False, True]
            assert answers == ["power-cut 3600"]

    run(story)


def test_a_fault_is_put_into_force_and_ended_by_order() -> None:
    async def story() -> None:
        async with served("tcp://:0") as home:
            pipe, answers = pipe_of(home)
            client = HdlcClient()
            line = await dial(home.addresses[0])
            pipe.data_received(b"disturb mute@line-out\n")
            line.write(client.snrm())
            assert await line.silent(0.1)
            pipe.data_received(b"disturb clear@line-out\n")
            line.write(client.snrm())
            await line.frame()
            line.write(client.ask())
            assert (await line.frame()).information[3:] == ANSWER
            pipe.data_received(b"disturb power-loss:after_s=0,off_s=0@esme\n")
            await until(lambda: home.device.power == [True, False])
            assert answers[0] == "disturb mute@line-out"
            assert len(answers) == 3
            line.close()

    run(story)


@pytest.mark.parametrize("link", ["line-in", "line-out", "line"])
def test_an_ordered_fault_strikes_who_is_connected_already(link: str) -> None:
    async def story() -> None:
        async with served("tcp://:0") as home:
            pipe, _answers = pipe_of(home)
            client = HdlcClient()
            line = await dial(home.addresses[0])
            line.write(client.snrm())
            await line.frame()
            pipe.data_received(f"disturb mute@{link}\n".encode())
            line.write(client.snrm())
            assert await line.silent(0.3)
            assert "fault" in home.kinds()
            pipe.data_received(f"disturb clear@{link}\n".encode())
            line.write(client.snrm())
            await line.frame()
            line.write(client.ask())
            assert (await line.frame()).information[3:] == ANSWER
            line.close()

    run(story)


def test_a_frame_that_waits_for_its_rest_when_a_fault_ends_is_heard_whole() -> None:
    async def story() -> None:
        async with served("tcp://:0", faults=["mute:n=9@line-in"]) as home:
            pipe, _answers = pipe_of(home)
            client = HdlcClient()
            line = await dial(home.addresses[0])
            asked = client.snrm()
            line.write(asked[:4])
            assert await line.silent(0.1)
            pipe.data_received(b"disturb clear@line-in\n")
            line.write(asked[4:])
            await line.frame()
            line.close()

    run(story)


@pytest.mark.parametrize(
    "line",
    [
        "clock",
        "clock soon",
        "clock -1",
        "clock 99999999999999999",
        "disturb",
        "disturb x@y",
        "jump 1",
    ],
)
def test_what_is_no_order_is_answered_as_that(line: str) -> None:
    async def story() -> None:
        async with served("pty", factor=0) as home:
            pipe, answers = pipe_of(home)
            pipe.data_received(f"{line}\n\n".encode())
            assert answers == [f"refused {line}"]
            assert "control_refused" in home.kinds()
            assert home.service.clock.now() == START

    run(story)


def test_no_clock_goes_back() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        with pytest.raises(ValueError, match="goes forward"):
            DeviceClock(loop, START, -1)
        assert DeviceClock(loop, START, 0).loop_time(UtcMs(START + 1)) == float("inf")

    run(story)
