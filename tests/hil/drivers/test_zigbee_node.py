"""A node on a dongle joins a hub on another, agrees on a key, and talks: both through bellows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from emulator.core.ids import Eui64
from emulator.ncp.radio_frames import Announcement
from harness.errors import BenchError, NotPermittedError, UsageError
from harness.han_ports import (
    HanEvent,
    HanEventKind,
    HanFrame,
    HanNetwork,
    JoinOutcome,
    Permit,
)
from hil.drivers.zigbee_hub import DongleHub
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeKind, NodeSettings
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.settings import DongleSettings
from tests.hil.drivers.two_dongles import (
    HUB,
    HUB_ENDPOINT,
    HUB_SHOWS,
    NODE,
    NODE_ENDPOINT,
    NODE_SHOWS,
    Pair,
    credentials,
    two_dongles,
)

KEY = bytes.fromhex("66B6900981E1EE3CA4206B6B861C02BB")
METERING = 0x0702
soak = pytest.mark.soak
#: Who computes, and the version of EZSP: one every day, the rest in ``make soak``.
WAYS = [
    ("host", 13),
    *(
        pytest.param(cbke, version, marks=soak)
        for cbke, version in (
            ("ncp", 13),
            ("ncp", 14),
            ("host", 14),
            ("host", 8),
            ("ncp", 8),
            ("host", 18),
            ("ncp", 18),
            ("host", 19),
            ("ncp", 19),
        )
    ),
]


def play(scene: Awaitable[None], seconds: float = 90) -> None:
    asyncio.run(asyncio.wait_for(scene, seconds))


def hub_settings(pair: Pair, **changes: Any) -> HubSettings:
    settings = HubSettings(
        DongleSettings(pair.hub_path, "hub"), HUB_SHOWS, cbke="host", credentials=credentials
    )
    return replace(settings, **changes)


def node_settings(pair: Pair, **changes: Any) -> NodeSettings:
    settings = NodeSettings(
        DongleSettings(pair.node_path, "node"),
        frozenset({HUB}),
        NODE_SHOWS,
        cbke="host",
        credentials=credentials,
    )
    return replace(settings, **changes)


@contextlib.asynccontextmanager
async def both(
    version: int = 13,
    hub: dict[str, Any] | None = None,
    node: dict[str, Any] | None = None,
    **dongles: Any,
) -> AsyncIterator[tuple[Pair, DongleHub, DongleNode]]:
    """Open a hub that has formed its network, and a node beside it."""
    async with two_dongles(version, **dongles) as pair:
        there = await DongleHub.open(hub_settings(pair, **(hub or {})))
        try:
            await there.form(15)
            here = await DongleNode.open(node_settings(pair, **(node or {})))
            try:
                yield pair, there, here
            finally:
                await here.close()
        finally:
            await there.close()


async def found(node: DongleNode) -> HanNetwork:
    (network,) = await node.networks([14, 15])
    return network


async def joined(hub: DongleHub, node: DongleNode, key: bytes = KEY) -> JoinOutcome:
    await hub.permit(Permit(NODE, KEY))
    return await node.join(await found(node), key)


async def frame_at(end: DongleHub | DongleNode, seconds: float = 30) -> HanFrame:
    """Return the next frame, events left aside."""
    async with asyncio.timeout(seconds):
        while True:
            got = await end.received(5)
            if isinstance(got, HanFrame):
                return got


async def event_at(
    end: DongleHub | DongleNode, kind: HanEventKind, seconds: float = 30
) -> HanEvent:
    """Return the next event of a kind."""
    async with asyncio.timeout(seconds):
        while True:
            got = await end.received(5)
            if isinstance(got, HanEvent) and got.kind is kind:
                return got


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(("cbke", "version"), WAYS)
def test_a_node_joins_agrees_on_a_key_and_talks_in_both_directions(cbke: str, version: int) -> None:
    async def scene() -> None:
        how = {"cbke": cbke}
        async with both(version, hub=how, node=how) as (_pair, hub, node):
            assert node.eui64 == NODE
            assert (await found(node)).extended_pan_id == HUB
            assert await joined(hub, node) == JoinOutcome(True)
            assert await node.establish_key() == JoinOutcome(True)
            await event_at(hub, HanEventKind.KEY_ESTABLISHED)
            for size in (20, 1200):
                up = bytes((0x01, size % 256, 0x0A)) + bytes(range(200)) * 6
                sent = HanFrame(HUB, METERING, up[:size], HUB_ENDPOINT, NODE_ENDPOINT)
                assert (await node.send(sent)).delivered
                got = await frame_at(hub)
                assert (got.peer, got.cluster, got.octets) == (NODE, METERING, up[:size])
                down = HanFrame(NODE, METERING, up[:size], NODE_ENDPOINT, HUB_ENDPOINT)
                assert (await hub.send(down)).delivered
                got = await frame_at(node)
                assert (got.peer, got.octets) == (HUB, up[:size])
                assert (got.peer_endpoint, got.endpoint) == (HUB_ENDPOINT, NODE_ENDPOINT)
            assert node.unsealed == 0

    play(scene())


@soak
def test_a_key_of_another_install_code_lets_nobody_in_and_has_its_word() -> None:
    async def scene() -> None:
        async with both() as (_pair, hub, node):
            outcome = await joined(hub, node, bytes(16))
            assert (outcome.done, outcome.why) == (False, "wrong-key")
            frame = HanFrame(HUB, METERING, b"\x01\x01\x0a", HUB_ENDPOINT, NODE_ENDPOINT)
            assert (await node.send(frame)).why == "no-such-node"
            assert (await node.establish_key()).why == "no-network"
            assert await joined(hub, node) == JoinOutcome(True)  # and the right one still does

    play(scene())


def test_closed_joining_and_a_network_that_is_not_there_have_their_words() -> None:
    async def scene() -> None:
        async with both() as (pair, _hub, node):
            network = await found(node)
            assert not network.permits
            outcome = await node.join(network, KEY)
            assert (outcome.done, outcome.why) == (False, "not-permitted")
            elsewhere = replace(network, channel=20)
            assert (await node.join(elsewhere, KEY)).why == "no-network"
            assert (await node.join(replace(network, pan_id=1), KEY)).why == "no-network"
            assert pair.ether.node.place is None

    play(scene())


def test_a_network_that_is_not_the_benchs_is_refused_before_a_word_is_said() -> None:
    stranger = Eui64.parse("00-DB-12-34-56-78-90-A1")

    async def scene() -> None:
        async with both() as (pair, _hub, node):
            pair.ether.others.append(Announcement(stranger, 0x2222, 15, True, stranger, bytes(16)))
            networks = {one.extended_pan_id: one for one in await node.networks([15])}
            assert set(networks) == {HUB, stranger}
            before = len(pair.ether.hub.arrived)
            with pytest.raises(NotPermittedError, match="not one this bench may join"):
                await node.join(networks[stranger], KEY)
            assert len(pair.ether.hub.arrived) == before
            assert pair.ether.node.place is None

    play(scene())


@soak
def test_a_hub_that_is_another_than_its_beacon_said_is_left_at_once() -> None:
    async def scene() -> None:
        alias = Eui64.parse("00-DB-12-34-56-78-90-A1")
        async with both(node={"allowed": frozenset({HUB, alias})}) as (pair, hub, node):
            await hub.permit(Permit(NODE, KEY))
            real = pair.ether.announced
            assert real is not None
            pair.ether.announced = replace(real, extended_pan_id=alias)
            network = await found(node)
            assert network.extended_pan_id == alias
            with pytest.raises(NotPermittedError, match="not the one of hub"):
                await node.join(network, KEY)
            await until(lambda: pair.ether.node.place is None)

    play(scene())


@pytest.mark.parametrize(
    ("side", "authority", "why"),
    [
        ("node", "other", "bad-certificate"),
        pytest.param("node", "impostor", "wrong-key", marks=soak),
        pytest.param("hub", "other", "bad-certificate", marks=soak),
    ],
)
def test_a_certificate_of_another_authority_has_its_word(
    side: str, authority: str, why: str
) -> None:
    def of_another(eui64: Eui64) -> Any:
        return credentials(eui64, authority)

    async def scene() -> None:
        theirs = {"credentials": of_another}
        there, here = (theirs, None) if side == "hub" else (None, theirs)
        async with both(hub=there, node=here) as (_pair, hub, node):
            assert (await joined(hub, node)).done
            outcome = await node.establish_key()
            assert (outcome.done, outcome.why) == (False, why)
            await event_at(hub, HanEventKind.KEY_REFUSED)

    play(scene())


@soak
def test_a_certificate_that_may_be_a_production_one_is_not_used() -> None:
    async def scene() -> None:
        unknown = {"issuers": frozenset({b"SOMEBODY"})}
        async with both(node=unknown) as (_pair, hub, node):
            assert (await joined(hub, node)).done
            with pytest.raises(NotPermittedError, match="test authority"):
                await node.establish_key()

    play(scene())


@soak
def test_a_stock_image_that_is_told_to_compute_is_not_what_the_bench_file_says() -> None:
    async def scene() -> None:
        async with both(node={"cbke": "ncp"}, libraries=frozenset()) as (_pair, hub, node):
            assert (await joined(hub, node)).done
            with pytest.raises(BenchError, match="establishes no keys"):
                await node.establish_key()
        async with both(node={"cbke": None}) as (_pair, hub, node):
            assert (await joined(hub, node)).done
            assert (await node.establish_key()).why == "unsupported"

    play(scene())


@soak
def test_a_node_leaves_when_it_wants_and_when_it_is_told_and_comes_back() -> None:
    async def scene() -> None:
        async with both() as (pair, hub, node):
            assert (await joined(hub, node)).done
            with pytest.raises(UsageError, match="already"):
                await node.join(await found(node), KEY)
            await node.leave()
            assert pair.ether.node.place is None
            assert (await event_at(hub, HanEventKind.LEFT)).peer == NODE
            assert (await joined(hub, node)).done
            await hub.dismiss(NODE)
            assert await event_at(node, HanEventKind.LEFT) == HanEvent(HanEventKind.LEFT, HUB)
            frame = HanFrame(HUB, METERING, b"\x01\x01\x0a", HUB_ENDPOINT, NODE_ENDPOINT)
            assert (await node.send(frame)).why == "no-such-node"
            assert (await joined(hub, node)).done

    play(scene())


@soak
def test_after_the_key_is_agreed_upon_what_comes_unsealed_is_dropped() -> None:
    async def scene() -> None:
        async with both() as (_pair, hub, node):
            assert (await joined(hub, node)).done
            unsealed = HanFrame(NODE, METERING, b"\x01\x01\x0a", NODE_ENDPOINT, HUB_ENDPOINT)
            assert (await hub.send(unsealed)).delivered
            assert (await frame_at(node)).octets == unsealed.octets
            assert (await node.establish_key()).done
            await event_at(hub, HanEventKind.KEY_ESTABLISHED)
            for one in hub._book:
                one.sealed = False  # a hub that forgot
            assert (await hub.send(unsealed)).delivered
            await until(lambda: node.unsealed == 1)
            basic = replace(unsealed, cluster=0x0000)
            assert (await hub.send(basic)).delivered
            assert (await frame_at(node)).cluster == 0x0000

    play(scene())


@soak
def test_a_sleepy_node_gets_what_waits_for_it() -> None:
    async def scene() -> None:
        sleepy = {"kind": NodeKind.SLEEPY, "poll_s": 0.25}
        async with both(node=sleepy) as (_pair, hub, node):
            assert (await joined(hub, node)).done
            assert (await node.establish_key()).done
            await event_at(hub, HanEventKind.KEY_ESTABLISHED)
            octets = bytes((0x01, 0x01, 0x0A)) + bytes(300)
            frame = HanFrame(NODE, METERING, octets, NODE_ENDPOINT, HUB_ENDPOINT)
            assert (await hub.send(frame)).delivered
            assert (await frame_at(node)).octets == octets

    play(scene())


@soak
def test_a_dongle_that_is_unplugged_is_told_of_and_goes_on_when_it_is_back() -> None:
    async def scene() -> None:
        async with both() as (pair, hub, node):
            assert (await joined(hub, node)).done
            assert (await node.establish_key()).done
            pair.node.unplug()
            assert (await event_at(node, HanEventKind.LOST)).why
            with pytest.raises(BenchError):
                await node.networks([15])
            await event_at(node, HanEventKind.BACK)
            sent = HanFrame(HUB, METERING, b"\x01\x01\x0a", HUB_ENDPOINT, NODE_ENDPOINT)
            assert (await node.send(sent)).delivered
            assert (await frame_at(hub)).octets == sent.octets

    play(scene())


@soak
def test_a_dongle_that_falls_silent_while_somebody_waits_is_an_error_of_the_bench() -> None:
    async def scene() -> None:
        async with both() as (pair, hub, node):
            assert (await joined(hub, node)).done
            pair.node.fall_silent(silent=True)
            frame = HanFrame(HUB, METERING, b"\x01\x01\x0a", HUB_ENDPOINT, NODE_ENDPOINT)
            loop = asyncio.get_running_loop()
            begun = loop.time()
            with pytest.raises(BenchError):
                await node.send(frame)
            assert loop.time() - begun < 40  # 15 s on an idle machine
            pair.node.fall_silent(silent=False)
            await event_at(node, HanEventKind.BACK, 60)

    play(scene(), 150)
