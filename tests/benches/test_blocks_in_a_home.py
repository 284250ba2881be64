"""Long messages travel in blocks between parties and devices of a home, lost ones twice."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest, AccessResponse, Operation
from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.dlms import invoke_id
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.payload import decode_payload
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode, Protection
from emulator.core.clock import UtcMs
from emulator.crypto.protection import KeyRing, seal
from emulator.devices.esme.model.store import esme_objects
from harness.benches import emulated
from harness.benches.emulated import EmulatedBench, open_home
from harness.benches.emulated_plan import EmulatedOptions

BLOCK = 100
TARIFF = [row for row in esme_objects().rows if "ECS24" in row.read]


def in_blocks(folder: Path, *models: str) -> Path:
    """An overlay whose models know blocks."""
    (folder / "models").mkdir(parents=True)
    for name in models:
        text = f"[limits]\ngbt_block_bytes = {BLOCK}\n"
        (folder / "models" / f"{name}.toml").write_text(text, "utf-8")
    return folder


def play(bench: EmulatedBench, story: Callable[[EmulatedBench], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story(bench)

    with asyncio.Runner(loop_factory=emulated.new_event_loop) as runner:
        runner.run(whole())


def tariff_request(bench: EmulatedBench, counter: int) -> bytes:
    """ECS24: a command and a response of several hundred octets."""
    items = [AccessItem(Operation.GET, row.class_id, row.obis, row.index) for row in TARIFF]
    payload = access.encode_request(AccessRequest(invoke_id(counter), tuple(items)))
    supplier = bench.parties.suppliers[0]
    other = OtherInformation(int(MessageCode.ECS24))
    header = GroupingHeader(Cra.COMMAND, counter, supplier, bench.role("ESME"), other)
    ring = KeyRing(bench.public_keys.merged(bench.party_keys(bench.acb)))
    return seal(Envelope(header, payload), ring, protection=Protection.MAC, acb=bench.acb)


async def read_tariff(bench: EmulatedBench, counter: int) -> AccessResponse:
    """Ask, and wait for the response; what comes is whole."""
    await bench.hub.send(tariff_request(bench, counter))
    return await answered(bench, counter)


async def answered(bench: EmulatedBench, counter: int) -> AccessResponse:
    """Wait for the response to a command."""
    until = UtcMs(bench.clock.now() + 600_000)
    while True:
        message = await bench.hub.received(until)
        assert message is not None, "no response"
        found = envelope.decode(message)
        if found.header.cra is Cra.RESPONSE and found.header.counter == counter:
            break
    value = decode_payload(MESSAGES[MessageCode.ECS24], Cra.RESPONSE, found.payload)
    assert isinstance(value, AccessResponse)
    return value


MODELS_OF_HOME = ("demo-chf", "demo-esme")
FAULTS = [
    (),
    ("drop:p=0.2@wan",),
    ("duplicate:p=0.5@wan",),
    ("delay:ms=3000,p=0.3@wan-out",),
    ("drop:p=0.1@han", "duplicate:p=0.2@wan-in"),
]


@pytest.mark.parametrize("faults", FAULTS, ids=[" ".join(one) or "none" for one in FAULTS])
def test_a_long_read_comes_back_whole_whatever_happens_to_blocks(
    faults: tuple[str, ...], tmp_path: Path
) -> None:
    plain, cut = (
        open_home(EmulatedOptions(data_dirs=dirs, faults=which))
        for dirs, which in (((), ()), ((in_blocks(tmp_path / "o", *MODELS_OF_HOME),), faults))
    )
    answers = []

    async def story(bench: EmulatedBench) -> None:
        answers.append(await read_tariff(bench, 7))

    play(plain, story)
    play(cut, story)
    assert answers[0] == answers[1]
    assert len(answers[0].results) == len(TARIFF)


def test_both_directions_go_in_blocks_and_a_home_without_the_parameter_knows_none(
    tmp_path: Path,
) -> None:
    overlay = in_blocks(tmp_path / "o", *MODELS_OF_HOME)
    for dirs, expected in (((overlay,), True), ((), False)):
        bench = open_home(EmulatedOptions(data_dirs=dirs))

        async def story(bench: EmulatedBench) -> None:
            await read_tariff(bench, 3)

        play(bench, story)
        crossed = list(bench.take_frames())
        for direction in (Cra.COMMAND, Cra.RESPONSE):
            sent = [
                one
                for one in (frame.frame for frame in crossed)
                if gbt.is_block(one) and gbt.decode(one).cra is direction
            ]
            assert bool(sent) == expected, direction


@pytest.mark.parametrize("after_ms", [200, 1500, 4000])
def test_a_home_that_is_put_back_in_the_middle_goes_on(after_ms: int, tmp_path: Path) -> None:
    overlay = in_blocks(tmp_path / "o", *MODELS_OF_HOME)
    options = EmulatedOptions(data_dirs=(overlay,), faults=("delay:ms=400@wan",))
    first, again = open_home(options), open_home(options)
    answers = []

    async def begin(bench: EmulatedBench) -> None:
        await bench.hub.send(tariff_request(bench, 5))
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + after_ms))
        again.restore(bench.dump())
        answers.append(await answered(bench, 5))

    async def go_on(bench: EmulatedBench) -> None:
        answers.append(await answered(bench, 5))

    play(first, begin)
    play(again, go_on)
    assert answers[0] == answers[1]
