"""A dongle that is lost in the middle: said within 15 s, taken up again with all that was known."""

import asyncio
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest

from emulator.core.ids import Eui64
from harness.errors import BenchError
from harness.han_ports import HanEventKind, HanFrame, Permit
from hil.drivers.zigbee_hub import DongleHub
from hil.zigbee.errors import DongleLostError, DongleSilentError, DongleUnfitError
from tests.emulator.ncp.home_given import CHF_ENDPOINT, ENDPOINT, METER, SLEEPER, a_plan
from tests.hil.drivers.hub_given import (
    CODE,
    METERING,
    ask,
    event,
    hub_on,
    join,
    read_register,
    secured,
    served,
)

KEY = CODE.link_key()
#: What the contract of the issue grants, in seconds.
TOLD_WITHIN_S = 15
soak = pytest.mark.soak


def play(scene: Awaitable[None], seconds: float = 100) -> None:
    """Run a scene to its end."""
    asyncio.run(asyncio.wait_for(scene, seconds))


async def _refuses(hub: DongleHub, kind: type[BenchError]) -> None:
    """Every method but ``received`` says that the dongle is lost."""
    frame = HanFrame(METER, METERING, read_register(), ENDPOINT, CHF_ENDPOINT)
    for asked in (
        hub.send(frame),
        hub.nodes(),
        hub.permit(Permit(METER, KEY)),
        hub.form(15),
        hub.dismiss(METER),
    ):
        with pytest.raises(kind) as refused:
            await asked
        assert refused.value.where
        assert refused.value.next_command


async def _given_up(hub: DongleHub) -> None:
    """Listen until the driver says that it waits no more."""
    while True:
        assert await hub.received(20) is None


@pytest.mark.parametrize(
    ("order", "place", "kind", "word"),
    [
        ("reset", "tcp", DongleLostError, "has reset or failed"),
        ("unplug", "pty", DongleLostError, "went away"),
        pytest.param("fail", "pty", DongleLostError, "has reset or failed", marks=soak),
        pytest.param("unplug", "tcp", DongleLostError, "went away", marks=soak),
        pytest.param("silence on", "pty", DongleSilentError, "has not answered", marks=soak),
        pytest.param("silence on", "tcp", DongleSilentError, "has not answered", marks=soak),
    ],
)
def test_a_lost_dongle_is_told_in_time_and_taken_up_again(
    order: str, place: str, kind: type[BenchError], word: str, tmp_path: Path
) -> None:
    address = "tcp://127.0.0.1:0" if place == "tcp" else f"pty:{tmp_path / 'dongle'}"

    async def scene() -> None:
        async with served(secured(a_plan(key=KEY)), place=address) as dongle:
            path = dongle.address if place == "tcp" else str(tmp_path / "dongle")
            async with hub_on(path, "host") as hub:
                await join(hub, METER, key=KEY)
                await event(hub, HanEventKind.KEY_ESTABLISHED, METER)
                began = time.monotonic()
                dongle.order(order)
                lost = await event(hub, HanEventKind.LOST)
                assert time.monotonic() - began < TOLD_WITHIN_S
                assert word in lost.why
                if order.startswith("silence"):
                    await _refuses(hub, kind)
                    dongle.order("silence off")
                await event(hub, HanEventKind.BACK)
                assert await hub.nodes() == (METER,)
                assert (await ask(hub, METER, read_register())).octets[1] == 1

    play(scene())


def test_who_waits_for_a_delivery_is_told_that_the_dongle_is_lost() -> None:
    async def scene() -> None:
        async with served(a_plan(key=KEY)) as dongle, hub_on(dongle.address) as hub:
            await join(hub, METER, key=KEY)
            long = HanFrame(METER, METERING, bytes(15_000), ENDPOINT, CHF_ENDPOINT)
            sending = asyncio.create_task(hub.send(long))
            await asyncio.sleep(0.05)
            dongle.order("reset")
            with pytest.raises(DongleLostError):
                await sending
            await event(hub, HanEventKind.LOST)

    play(scene())


def test_leave_to_join_outlives_a_loss() -> None:
    async def scene() -> None:
        plans = (a_plan(key=KEY), a_plan(SLEEPER, key=KEY))
        async with served(*plans) as dongle, hub_on(dongle.address) as hub:
            await join(hub, METER, key=KEY)
            await hub.permit(Permit(SLEEPER, KEY))
            dongle.order("reset")
            await event(hub, HanEventKind.LOST)
            await event(hub, HanEventKind.JOINED, SLEEPER)
            assert set(await hub.nodes()) == {METER, SLEEPER}

    play(scene())


def test_a_dongle_that_does_not_come_back_is_given_up_in_words() -> None:
    async def scene() -> None:
        async with served(a_plan()) as dongle, hub_on(dongle.address, reopen_s=0.2) as hub:
            await dongle.end()
            await event(hub, HanEventKind.LOST)
            with pytest.raises(BenchError, match="is not there"):
                await _given_up(hub)
            await _refuses(hub, BenchError)

    play(scene())


def test_another_dongle_in_its_place_is_not_taken_for_it(tmp_path: Path) -> None:
    other = Eui64.parse("90-B3-D5-1F-00-00-00-02")
    place = f"pty:{tmp_path / 'dongle'}"

    async def scene() -> None:
        path = str(tmp_path / "dongle")
        async with served(place=place) as dongle, hub_on(path, reopen_s=3) as hub:
            await dongle.end()
            async with served(place=place, eui64=other):
                await event(hub, HanEventKind.LOST)
                with pytest.raises(DongleUnfitError, match="another dongle"):
                    await _given_up(hub)

    play(scene())
