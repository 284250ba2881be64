"""A node on a dongle joins the emulated hub of ``smetsbench dongle --hub emulated`` and uses it."""

import asyncio
from dataclasses import replace

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.zcl import foundation, time, tunneling
from emulator.codecs.zcl import frame as zcl
from emulator.codecs.zcl.foundation import ReadAttributes, ReadAttributesResponse
from emulator.codecs.zcl.tunneling import RequestTunnel, RequestTunnelResponse, TunnelStatus
from emulator.core.ids import Eui64
from emulator.crypto.test_certificates import all_credentials
from harness.han_ports import HanFrame, JoinOutcome
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.zigbee.hub_settings import Cbke
from hil.zigbee.settings import DongleSettings
from tests.hil.drivers.two_dongles import NODE_ENDPOINT, NODE_SHOWS
from tests.hil.test_dongle_command import program

DEMO_HUB = Eui64.parse("02-53-02-00-00-00-00-01")
DEMO_ESME = Eui64.parse("02-53-01-00-00-00-00-01")
pytestmark = pytest.mark.soak


@pytest.mark.parametrize(("cbke", "version"), [("host", 13), ("ncp", 14), ("host", 8), ("ncp", 19)])
def test_a_node_joins_the_emulated_hub_and_opens_a_tunnel(cbke: Cbke, version: int) -> None:
    endpoint = load_profile("demo-chf").radio.endpoint
    words = ("--listen", "tcp://127.0.0.1:0", "--hub", "emulated", "--show-secrets")

    async def asked(node: DongleNode, cluster: int, octets: bytes) -> zcl.ZclFrame:
        frame = HanFrame(DEMO_HUB, cluster, octets, endpoint, NODE_ENDPOINT)
        assert (await node.send(frame)).delivered
        answer = await node.received(30)
        assert isinstance(answer, HanFrame)
        assert (answer.peer, answer.cluster) == (DEMO_HUB, cluster)
        return zcl.decode(answer.octets)

    async def scene() -> None:
        async with program(*words, "--ezsp", str(version)) as running:
            settings = NodeSettings(
                DongleSettings(running.address, "node"),
                frozenset({DEMO_HUB}),
                NODE_SHOWS,
                cbke=cbke,
                credentials=lambda eui64: all_credentials(1, eui64),
            )
            async with asyncio.timeout(30):
                while not running.codes:  # noqa: ASYNC110 - a program's words set no event
                    await asyncio.sleep(0.05)
            key = next(key for role, _eui64, key in running.codes if role == "esme")
            node = await DongleNode.open(settings)
            try:
                assert node.eui64 == DEMO_ESME
                (network,) = await node.networks([15])
                assert (network.extended_pan_id, network.permits) == (DEMO_HUB, True)
                assert (await node.join(replace(network, channel=16), key)).why == "no-network"
                assert (await node.join(network, bytes(16))).why == "wrong-key"
                assert await node.join(network, key) == JoinOutcome(True)
                assert await node.establish_key() == JoinOutcome(True)
                told = await asked(node, tunneling.CLUSTER, tunneling.encode(RequestTunnel(), 1))
                opened = tunneling.decode(told)
                assert isinstance(opened, RequestTunnelResponse)
                assert opened.status is TunnelStatus.SUCCESS
                read = foundation.encode(ReadAttributes((0,)), 2, server_to_client=False)
                clock = foundation.decode(await asked(node, time.CLUSTER, read))
                assert isinstance(clock, ReadAttributesResponse)
                assert clock.readings[0].status == 0
                assert node.unsealed == 0
            finally:
                await node.close()

    asyncio.run(asyncio.wait_for(scene(), 150))
