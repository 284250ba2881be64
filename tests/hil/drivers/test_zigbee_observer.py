"""The observer looks and listens through bellows, and sends nothing but the scan."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

import pytest

from emulator.core.ids import Eui64
from emulator.ncp.radio_frames import Announcement, HeardPacket
from harness.errors import UsageError
from harness.han_ports import HanNetwork
from hil.drivers.zigbee_observer import ZigbeeObserver
from hil.zigbee.errors import DongleError, DongleMissingError
from hil.zigbee.guard import VERBS, GuardRefusedError, Role, Verb, refused_to
from hil.zigbee.settings import DongleSettings
from hil.zigbee_observation.capture_file import read
from hil.zigbee_observation.census import Census
from hil.zigbee_observation.heard import Heard
from hil.zigbee_observation.watching import Captured, Wishes, capture, census, channel_of
from tests.hil.drivers.line_told import LineTold
from tests.hil.drivers.two_dongles import HUB, NODE, Pair, two_dongles
from tests.hil.zigbee_observation.air_given import beacon, poll

OTHER = Eui64.parse("00-DB-12-34-56-78-90-A1")
START_SCAN, MFGLIB_START, MFGLIB_END, SET_CHANNEL = 0x1A, 0x83, 0x84, 0x8A
ACTIVE, ENERGY = 1, 0
#: All an observer tells: version, nop, tokens, address, custom frame, values, scan, mfglib.
MAY_BE_TOLD = {
    0x00,
    0x05,
    0x0B,
    0x26,
    0x47,
    0xAA,
    START_SCAN,
    MFGLIB_START,
    MFGLIB_END,
    SET_CHANNEL,
}
soak = pytest.mark.soak
VERSIONS = [13, 19, *(pytest.param(version, marks=soak) for version in (8, 14, 18))]


def play(scene: Awaitable[None], seconds: float = 90) -> None:
    asyncio.run(asyncio.wait_for(scene, seconds))


@contextlib.asynccontextmanager
async def observing(
    version: int = 13, **options: Any
) -> AsyncIterator[tuple[Pair, ZigbeeObserver, LineTold]]:
    """Open an observer beside a hub on channel 15 that lets nodes join, and one on 20."""
    told = LineTold()
    async with two_dongles(version) as pair:
        pair.ether.others += [
            Announcement(HUB, 0x1A62, 15, True, HUB, bytes(16)),
            Announcement(OTHER, 0x2222, 20, False, OTHER, bytes(16)),
        ]
        observer = ZigbeeObserver(DongleSettings(pair.node_path), told, **options)
        try:
            yield pair, observer, told
        finally:
            await observer.close()


def on_the_air(*frames: Heard, channel: int = 15) -> list[HeardPacket]:
    return [HeardPacket(frame.with_fcs, channel, -60, 180) for frame in frames]


async def captured(
    pair: Pair, observer: ZigbeeObserver, wishes: Wishes, frames: list[HeardPacket]
) -> Captured:
    """Capture until every frame has come."""
    stopped = asyncio.Event()

    def count(number: int) -> None:
        if number == len(frames):
            stopped.set()

    task = asyncio.create_task(capture(observer, 15, wishes, stopped, count))
    async with asyncio.timeout(30):
        while pair.ether.node.channel != 15:  # noqa: ASYNC110 - the dongle sets no event
            await asyncio.sleep(0.01)
        pair.ether.node.packets += frames
        return await task


@pytest.mark.parametrize("version", VERSIONS)
def test_the_census_finds_the_hub_by_its_name_and_the_capture_holds_what_was_heard(
    version: int, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with observing(version) as (pair, observer, told):
            dongle = await observer.open()
            assert (dongle.eui64, dongle.ezsp) == (NODE, version)
            wishes = Wishes((14, 15, 20), HUB, None, tmp_path / "han.pcapng")
            found = await census(observer, wishes)
            assert found.found == (HanNetwork(HUB, 0x1A62, 15, True, 200, -50),)
            assert [(one.extended_pan_id, one.permits) for one in found.networks] == [
                (HUB, True),
                (OTHER, False),
            ]
            assert found.energy == {14: -100, 15: -40, 20: -100}
            assert channel_of(found) == 15
            frames = [poll(0), beacon(), poll(1, sequence=2)]
            taken = await captured(pair, observer, wishes, on_the_air(*frames))
            assert [one.octets for one in taken.frames] == [one.octets for one in frames]
            assert {(one.channel, one.lqi, one.rssi_dbm) for one in taken.frames} == {
                (15, 180, -60)
            }
            assert taken.error is None
            assert list(read(tmp_path / "han.pcapng")) == taken.frames
            assert [one.at_us for one in taken.frames] == sorted(one.at_us for one in taken.frames)
            await observer.close()
            ids = [number for number, _parameters in told.commands]
            assert set(ids) <= MAY_BE_TOLD
            assert ids[-1] == MFGLIB_END
            scans = [given[0] for number, given in told.commands if number == START_SCAN]
            assert scans == [ENERGY, ACTIVE]
            assert pair.ether.hub.arrived == type(pair.ether.hub.arrived)()

    play(scene())


def test_listening_only_leaves_out_even_the_scan_and_the_guard_sees_to_it(tmp_path: Path) -> None:
    async def scene() -> None:
        async with observing(listen_only=True) as (pair, observer, told):
            await observer.open()
            wishes = Wishes((15,), HUB, None, tmp_path / "han.pcapng", listen_only=True)
            found = await census(observer, wishes)
            assert (found.networks, found.scanned, found.energy) == ((), False, {15: -40})
            with pytest.raises(GuardRefusedError):
                await observer.networks([15])
            taken = await captured(pair, observer, wishes, on_the_air(poll(0)))
            assert len(taken.frames) == 1
            scans = [given[0] for number, given in told.commands if number == START_SCAN]
            assert scans == [ENERGY]

    play(scene())


def test_no_command_that_transmits_passes_an_observers_guard() -> None:
    transmitting = {
        Verb.FORM,
        Verb.JOIN,
        Verb.LEAVE,
        Verb.PERMIT,
        Verb.SEND,
        Verb.TRANSMIT,
        Verb.RESUME,
    }
    ids = [number for number, verb in VERBS.items() if verb in transmitting]
    assert refused_to(Role.OBSERVER, ids) == ids
    assert not transmitting & {VERBS[number] for number in MAY_BE_TOLD}


def test_a_capture_that_loses_its_dongle_keeps_what_it_has(tmp_path: Path) -> None:
    async def scene() -> None:
        async with observing() as (pair, observer, _told):
            await observer.open()
            wishes = Wishes((15,), None, None, tmp_path / "han.pcapng")

            def count(number: int) -> None:
                if number == 2:
                    pair.node.unplug()

            task = asyncio.create_task(capture(observer, 15, wishes, asyncio.Event(), count))
            while pair.ether.node.channel != 15:  # noqa: ASYNC110 - the dongle sets no event
                await asyncio.sleep(0.01)
            pair.ether.node.packets += on_the_air(poll(0), poll(1, sequence=2))
            taken = await asyncio.wait_for(task, 30)
            assert isinstance(taken.error, DongleError)
            assert len(taken.frames) == 2
            assert list(read(tmp_path / "han.pcapng")) == taken.frames
            with pytest.raises(DongleError):
                await observer.heard(1)

    play(scene())


def test_a_capture_ends_with_its_time(tmp_path: Path) -> None:
    async def scene() -> None:
        async with observing() as (_pair, observer, _told):
            await observer.open()
            wishes = Wishes((15,), None, 0.3, tmp_path / "han.pcapng")
            taken = await asyncio.wait_for(capture(observer, 15, wishes, asyncio.Event()), 30)
            assert (taken.frames, taken.error) == ([], None)

    play(scene())


def test_where_no_dongle_is_the_error_says_so() -> None:
    async def scene() -> None:
        observer = ZigbeeObserver(DongleSettings("/dev/pts/nothing-here"))
        with pytest.raises(DongleMissingError):
            await observer.open()
        await observer.close()

    play(scene())


def test_the_channel_to_listen_to_is_the_hubs_or_must_be_named() -> None:
    here, there = HanNetwork(HUB, 1, 15), HanNetwork(OTHER, 2, 20)

    def chosen(
        channels: tuple[int, ...], networks: tuple[HanNetwork, ...], hub: Eui64 | None
    ) -> int:
        return channel_of(Census(channels, networks, {}, hub))

    assert chosen((15, 20), (here, there), HUB) == 15
    assert chosen((20,), (), HUB) == 20
    assert chosen((15, 20), (here,), None) == 15
    for networks, hub in (((here, there), None), ((there,), HUB), ((), None)):
        with pytest.raises(UsageError, match="which channel"):
            chosen((15, 20), networks, hub)
