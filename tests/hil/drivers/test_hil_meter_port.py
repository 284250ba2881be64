import asyncio
import threading
import time
from collections.abc import Callable, Coroutine

import pytest

from emulator.codecs.dlms.apdu_action import MethodOutcome
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import octets
from harness.meter import Silence, Unanswered
from harness.ports import MeterPort
from hil.drivers.serial_meter import HilMeterPort
from hil.errors import PortLostError
from hil.verbs import Verb
from tests.harness.dlms.scripted import METHOD, NAME, public
from tests.hil.drivers.live_meter import RefusedError, Rig, TestGuard, rig
from tests.hil.lines import SOON_S

MINE = octets(b"SBC0000000000001")


def play(bench: Rig, scene: Callable[[MeterPort], Coroutine[None, None, None]]) -> None:
    """Run a scene in a real-time loop of its own."""

    async def run() -> None:
        await scene(HilMeterPort(bench.meter))

    asyncio.run(run())


def test_every_verb_of_the_port_works() -> None:
    async def scene(port: MeterPort) -> None:
        assert (await port.sign_on()).answered
        assert (await port.associate(public())).accepted
        assert await port.get([NAME]) == (MINE,)
        assert await port.set([(NAME, MINE)]) == (DataAccessResult.SUCCESS,)
        assert await port.has_taken([(NAME, MINE)], None) is True
        assert await port.action(METHOD) == MethodOutcome(ActionResult.SUCCESS)
        assert isinstance(await port.exchange(bytes.fromhex("c001c1000100002a0000ff0200")), bytes)
        await port.release()
        assert isinstance(await port.get([NAME]), Unanswered)

    with rig("pty-optical") as bench:
        play(bench, scene)


def test_the_read_out_can_be_asked_for() -> None:
    async def scene(port: MeterPort) -> None:
        assert (await port.sign_on(read_out=True)).read_out

    with rig("pty-optical") as bench:
        play(bench, scene)


def test_verbs_that_are_asked_for_at_once_take_turns() -> None:
    async def scene(port: MeterPort) -> None:
        await port.associate(public())
        found = await asyncio.gather(*(port.get([NAME]) for _ in range(10)))
        assert found == [(MINE,)] * 10

    with rig("pty-hdlc") as bench:
        play(bench, scene)


def test_a_refusal_of_the_guard_and_a_lost_port_reach_the_scenario() -> None:
    async def scene(port: MeterPort) -> None:
        await port.associate(public())
        with pytest.raises(RefusedError):
            await port.action(METHOD)
        assert bench.plugged is not None
        bench.plugged.unplug()
        with pytest.raises(PortLostError):
            await port.get([NAME])

    with rig("pty-hdlc", guard=TestGuard(frozenset(Verb))) as bench:
        play(bench, scene)


def test_a_cancelled_verb_leaves_no_thread_and_a_usable_port() -> None:
    async def scene(port: MeterPort) -> None:
        plugged = bench.plugged
        assert plugged is not None
        await port.associate(public())
        plugged.mute = True
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await port.get([NAME])
        assert time.monotonic() - begun < SOON_S
        plugged.mute = False
        gone = await port.get([NAME])
        assert isinstance(gone, Unanswered)
        assert gone.why is Silence.LINK_LOST
        assert (await port.associate(public())).accepted
        assert await port.get([NAME]) == (MINE,)

    with rig("pty-hdlc") as bench:
        play(bench, scene)


def test_a_cancelled_wait_for_the_port_to_come_back_ends_at_once() -> None:
    async def scene(port: MeterPort) -> None:
        assert bench.plugged is not None
        bench.plugged.unplug()
        with pytest.raises(PortLostError):
            await port.associate(public())
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await port.associate(public())
        assert time.monotonic() - begun < SOON_S

    with rig("pty-hdlc", reopen_s=60) as bench:
        play(bench, scene)


def test_a_verb_cancelled_twice_still_waits_for_its_thread() -> None:
    async def scene(port: MeterPort) -> None:
        assert bench.plugged is not None
        await port.associate(public())
        bench.plugged.mute = True
        task = asyncio.ensure_future(port.get([NAME]))
        await asyncio.sleep(0.05)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        bench.plugged.mute = False
        assert (await port.associate(public())).accepted

    with rig("pty-hdlc") as bench:
        play(bench, scene)


def test_a_loop_that_is_stopped_with_a_verb_under_way_ends_it() -> None:
    async def scene(port: MeterPort) -> None:
        assert bench.plugged is not None
        await port.associate(public())
        bench.plugged.mute = True
        kept.append(asyncio.ensure_future(port.get([NAME])))
        await asyncio.sleep(0.05)

    kept: list[asyncio.Future[object]] = []
    before = threading.active_count()
    with rig("pty-hdlc") as bench:
        begun = time.monotonic()
        play(bench, scene)
        assert time.monotonic() - begun < SOON_S
        assert kept[0].cancelled()
    assert threading.active_count() <= before
