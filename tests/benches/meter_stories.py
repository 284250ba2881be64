"""Stories on an emulated meter, played in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from harness.benches import emulated
from harness.benches.emulated_meter import EmulatedMeterBench
from harness.dlms import obis
from harness.ports import MeterPort

T = TypeVar("T")


SLOW_CLOCK = obis.attribute(8, "0-0:1.0.0", 3)


def play(bench: EmulatedMeterBench, story: Callable[[EmulatedMeterBench], Awaitable[T]]) -> T:
    async def whole() -> T:
        return await story(bench)

    with asyncio.Runner(loop_factory=emulated.new_event_loop) as runner:
        return runner.run(whole())


async def associated(bench: EmulatedMeterBench, name: str = "management") -> MeterPort:
    port = bench.meter("ESME")
    joined = await port.associate(bench.credentials("ESME", name))
    assert joined.accepted, joined
    return port
