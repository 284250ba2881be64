"""What every hub and every node on a HAN must do, whatever carries their frames."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunneling
from emulator.codecs.zcl.tunneling import (
    RequestTunnel,
    RequestTunnelResponse,
    TransferData,
    TransferDataError,
)
from emulator.core.ids import Eui64
from emulator.runtime.dongle_hub import CHANNEL
from harness.han_ports import (
    Delivery,
    HanEnd,
    HanEvent,
    HanEventKind,
    HanFrame,
    HanHub,
    HanNode,
    Permit,
)
from tests.contract.han_adapters import (
    CHF,
    CHF_ENDPOINT,
    ESME,
    ESME_ENDPOINT,
    HUBS,
    KEYS,
    NODES,
)

STRANGER = Eui64.parse("02-53-77-00-00-00-00-77")
#: Longer than anything here needs on a loaded machine.
PATIENCE_S = 60
#: Long enough for a device to join that should not.
LOOK_S = 1.0

#: What takes the real stack seconds of waiting is for the long tests.
LATER = [
    pytest.param(name, marks=pytest.mark.soak) if name == "loopback" else name for name in HUBS
]
each_hub = pytest.mark.parametrize("hub", HUBS)
each_hub_later = pytest.mark.parametrize("hub", LATER)
each_node = pytest.mark.parametrize("node", NODES)
each_node_later = pytest.mark.parametrize("node", LATER)


def on_hub(name: str, scene: Callable[[HanHub], Awaitable[None]]) -> None:
    """Play a scene on a hub."""

    async def played() -> None:
        async with HUBS[name]() as hub:
            await scene(hub)

    asyncio.run(asyncio.wait_for(played(), PATIENCE_S))


def on_node(name: str, scene: Callable[[HanNode], Awaitable[None]]) -> None:
    """Play a scene on a node."""

    async def played() -> None:
        async with NODES[name]() as node:
            await scene(node)

    asyncio.run(asyncio.wait_for(played(), PATIENCE_S))


async def event(end: HanEnd, kind: HanEventKind) -> HanEvent:
    """Wait for an event, and let everything before it pass."""
    while True:
        got = await end.received(PATIENCE_S)
        assert got is not None
        if isinstance(got, HanEvent) and got.kind is kind:
            return got


async def tunnelled(end: HanEnd, wanted: type) -> tuple[HanFrame, object]:
    """Wait for a command of the Tunneling cluster, and let everything before it pass."""
    while True:
        got = await end.received(PATIENCE_S)
        assert got is not None
        if isinstance(got, HanFrame) and got.cluster == tunneling.CLUSTER:
            command = tunneling.decode(zcl_frame.decode(got.octets))
            if isinstance(command, wanted):
                return got, command


async def let_in(hub: HanHub) -> None:
    """Form the network and let the ESME in."""
    await hub.form(CHANNEL)
    await hub.permit(Permit(ESME, KEYS[ESME]))
    assert (await event(hub, HanEventKind.JOINED)).peer == ESME
    assert (await event(hub, HanEventKind.KEY_ESTABLISHED)).peer == ESME


def to_esme(command: TransferData, peer: Eui64 = ESME) -> HanFrame:
    octets = tunneling.encode(command, 9, server_to_client=True)
    return HanFrame(peer, tunneling.CLUSTER, octets, ESME_ENDPOINT, CHF_ENDPOINT)


@each_hub_later
def test_the_network_of_a_hub_bears_its_own_address_and_is_formed_once(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        network = await end.form(CHANNEL)
        assert (end.eui64, network.extended_pan_id, network.channel) == (CHF, CHF, CHANNEL)
        assert (await end.form(CHANNEL)).pan_id == network.pan_id

    on_hub(hub, scene)


@each_hub
def test_a_device_joins_when_it_may_under_its_own_code_and_speaks_to_the_hub(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await let_in(end)
        assert list(await end.nodes()) == [ESME]
        frame, _request = await tunnelled(end, RequestTunnel)
        assert (frame.peer, frame.endpoint, frame.peer_endpoint) == (
            ESME,
            CHF_ENDPOINT,
            ESME_ENDPOINT,
        )

    on_hub(hub, scene)


@each_hub
def test_a_device_is_told_long_frames_whole_and_answers(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await let_in(end)
        await tunnelled(end, RequestTunnel)  # it is awake
        for size in (10, 1200):
            fate = await end.send(to_esme(TransferData(0x7777, bytes(size))))
            assert fate == Delivery(True)
            _frame, error = await tunnelled(end, TransferDataError)
            assert isinstance(error, TransferDataError)
            assert error.tunnel_id == 0x7777

    on_hub(hub, scene)


@each_hub_later
def test_nobody_joins_unasked_or_under_another_code(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await end.form(CHANNEL)
        await end.permit(Permit(STRANGER, bytes(16)))
        await end.permit(Permit(ESME, bytes(range(16))))
        assert not isinstance(await end.received(LOOK_S), HanFrame)
        assert ESME not in await end.nodes()

    on_hub(hub, scene)


@each_hub_later
def test_a_frame_for_nobody_is_not_delivered_and_says_why(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await end.form(CHANNEL)
        fate = await end.send(to_esme(TransferData(1, b"x"), STRANGER))
        assert fate == Delivery(False, "no-such-node")

    on_hub(hub, scene)


@each_hub_later
def test_a_device_that_is_dismissed_leaves(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await let_in(end)
        assert (await end.dismiss(ESME)).delivered
        assert (await event(end, HanEventKind.LEFT)).peer == ESME
        assert ESME not in await end.nodes()
        assert not (await end.dismiss(ESME)).delivered

    on_hub(hub, scene)


@each_hub_later
def test_a_hub_that_hears_nothing_says_so_when_the_time_is_up(hub: str) -> None:
    async def scene(end: HanHub) -> None:
        await end.form(CHANNEL)
        assert await end.received(0.1) is None

    on_hub(hub, scene)


@each_node_later
def test_a_node_finds_the_hub_on_its_channel_alone(node: str) -> None:
    async def scene(end: HanNode) -> None:
        (network,) = await end.networks([CHANNEL])
        assert (network.extended_pan_id, network.channel) == (CHF, CHANNEL)
        assert network.permits
        assert list(await end.networks([CHANNEL + 1])) == []

    on_node(node, scene)


@each_node
def test_a_node_joins_agrees_on_a_key_and_gets_a_tunnel(node: str) -> None:
    async def scene(end: HanNode) -> None:
        assert end.eui64 == ESME
        (network,) = await end.networks([CHANNEL])
        assert (await end.join(network, KEYS[ESME])).done
        assert (await end.establish_key()).done
        command = RequestTunnel(max_incoming_bytes=1500)
        octets = tunneling.encode(command, 3, server_to_client=False)
        frame = HanFrame(CHF, tunneling.CLUSTER, octets, CHF_ENDPOINT, ESME_ENDPOINT)
        assert (await end.send(frame)).delivered
        answer, _response = await tunnelled(end, RequestTunnelResponse)
        assert (answer.peer, answer.peer_endpoint, answer.endpoint) == (
            CHF,
            CHF_ENDPOINT,
            ESME_ENDPOINT,
        )

    on_node(node, scene)


@each_node_later
def test_a_node_with_another_code_is_not_let_in_and_says_why(node: str) -> None:
    async def scene(end: HanNode) -> None:
        (network,) = await end.networks([CHANNEL])
        outcome = await end.join(network, bytes(range(16)))
        assert not outcome.done
        assert outcome.why in {"wrong-key", "no-answer", "not-permitted"}
        assert outcome.detail

    on_node(node, scene)


@each_node_later
def test_a_node_on_no_network_agrees_on_no_key(node: str) -> None:
    async def scene(end: HanNode) -> None:
        outcome = await end.establish_key()
        assert (outcome.done, outcome.why) == (False, "no-network")

    on_node(node, scene)
