"""Ten thousand commands through bellows and a dongle's own process, over a line that spoils some.

The dongle draws its random numbers from its seed, one after the other. So a command that was lost
and asked again by nobody, or carried out twice, shows in every number behind it.
"""

import asyncio

import pytest

from emulator.core.chance import Stream
from hil.children import Child
from hil.dongle_child import _OURS
from hil.zigbee.ezsp import DongleEzsp
from hil.zigbee.guard import Guard, Role
from hil.zigbee.settings import DongleSettings
from tests.hil.drivers.lossy_line import FAULT_SHARE, KINDS, LossyLine, lossy_line

SEED = 5
PATIENCE_S = 3_600


async def _numbers(address: str, count: int, line: LossyLine | None = None) -> list[int]:
    ezsp = DongleEzsp(DongleSettings(address), Guard(Role.OBSERVER))
    await ezsp.connect()
    if line is not None:
        line.clean = False
    try:
        return [int((await ezsp.checked("getRandomNumber"))[0]) for _ in range(count)]
    finally:
        if line is not None:
            line.clean = True
        await ezsp.disconnect()


async def _asked(count: int, line: LossyLine | None) -> list[int]:
    words = [*_OURS, "--listen", "tcp://127.0.0.1:0", "--seed", str(SEED), "--quiet"]
    child = await asyncio.to_thread(Child.start, [*words, "--until-stdin-closes"])
    try:
        if line is None:
            return await _numbers(child.address, count)
        async with lossy_line(line, child.address):
            return await _numbers(line.address, count, line)
    finally:
        await asyncio.to_thread(child.stop)


def _line(kind: str, number: int) -> LossyLine:
    kinds = KINDS if kind == "all" else (kind,)
    return LossyLine(kinds, Stream(SEED, f"lossy/{kind}/{number}"))


@pytest.mark.soak
@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.parametrize(
    ("lines", "commands"),
    [
        ([("all", 60)], 60),
        ([*((kind, 1_250) for kind in KINDS), ("all", 1_250), ("all", 1_250)], 10_000),
    ],
    ids=["few", "ten thousand"],
)
def test_over_a_bad_line_no_command_is_lost_and_none_is_carried_out_twice(
    lines: list[tuple[str, int]], commands: int
) -> None:
    async def scene() -> tuple[list[int], list[list[int]], list[LossyLine]]:
        clean = await _asked(max(count for _kind, count in lines), None)
        made = [_line(kind, number) for number, (kind, _count) in enumerate(lines)]
        runs = (_asked(count, line) for (_kind, count), line in zip(lines, made, strict=True))
        return clean, list(await asyncio.gather(*runs)), made

    clean, found, made = asyncio.run(asyncio.wait_for(scene(), PATIENCE_S))
    assert len(set(clean)) > len(clean) // 2
    assert sum(map(len, found)) == commands
    for numbers in found:
        assert numbers == clean[: len(numbers)]
    assert sum(sum(line.made.values()) for line in made) > commands * FAULT_SHARE
    if commands > 1_000:
        assert {kind for line in made for kind in line.made} == set(KINDS)
