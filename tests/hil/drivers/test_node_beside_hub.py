"""The node driver joins the emulated hub of a dongle's surroundings: scan, code, CBKE, tunnel."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import envelope
from emulator.codecs.zcl import frame as zcl_frame
from emulator.codecs.zcl import tunneling
from emulator.codecs.zcl.tunneling import RequestTunnel, RequestTunnelResponse, TransferData
from emulator.codecs.zigbee.zdo import SimpleDescriptor
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.crypto.test_certificates import all_credentials
from emulator.ncp.identity import CBKE_LIBRARIES, Identity
from emulator.runtime.dongle_home import Joining, install_codes
from emulator.runtime.dongle_hub import CHANNEL, HubPlan, surround
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.han_ports import HanFrame, HanNetwork
from hil.drivers.zigbee_node import DongleNode
from hil.drivers.zigbee_node_settings import NodeSettings
from hil.zigbee.settings import DongleSettings
from tests.emulator.runtime.hub_home_given import SEED, START, a_plan, ask_version, device_of

CHF, ESME = device_of(DeviceType.CHF), device_of(DeviceType.ESME)
CHF_ENDPOINT, ENDPOINT = 123, 7
SERVED = (0x0000, 0x0702, 0x0800)
SHOWN = (SimpleDescriptor(ENDPOINT, 0x0109, 0x0501, 0, SERVED, (0x000A, 0x0704, 0x0800)),)
LIMIT_S = 60


@contextlib.asynccontextmanager
async def _beside_hub(
    version: int, cbke: str, authority: str = "test"
) -> AsyncIterator[tuple[DongleNode, DongleService, list[Note]]]:
    notes: list[Note] = []

    def log(_at: UtcMs, note: Note) -> None:
        notes.append(note)

    home = HubPlan(
        replace(a_plan(), elsewhere=frozenset({ESME})), ESME, True, Joining(authority=authority)
    )
    identity = Identity(
        ESME, version, libraries=CBKE_LIBRARIES, credentials=all_credentials(SEED, ESME)
    )
    plan = DonglePlan(identity, (), SEED, listen.parse("pty"), START, surround=surround(home))
    service = DongleService(plan, log)
    settings = NodeSettings(
        DongleSettings(await service.open(), "node"),
        frozenset({CHF}),
        SHOWN,
        cbke="host" if cbke == "host" else "ncp",
        credentials=lambda eui64: all_credentials(SEED, eui64),
    )
    try:
        node = await DongleNode.open(settings)
        try:
            yield node, service, notes
        finally:
            await node.close()
    finally:
        await service.close()


async def _in(node: DongleNode) -> HanNetwork:
    (network,) = await node.networks([CHANNEL])
    outcome = await node.join(network, install_codes(SEED, [ESME])[ESME].link_key())
    assert outcome.done, outcome
    return network


async def _tunnel(node: DongleNode, command: RequestTunnel | TransferData) -> None:
    octets = tunneling.encode(command, 1, server_to_client=False)
    frame = HanFrame(CHF, tunneling.CLUSTER, octets, CHF_ENDPOINT, ENDPOINT)
    assert (await node.send(frame)).delivered


async def _told(node: DongleNode) -> object:
    """Return the next command of the tunnel that comes from the hub."""
    while True:
        told = await node.received(LIMIT_S)
        assert told is not None
        if isinstance(told, HanFrame) and told.cluster == tunneling.CLUSTER:
            frame = zcl_frame.decode(told.octets)
            if frame.cluster_specific:
                return tunneling.decode(frame)


@pytest.mark.parametrize(
    ("version", "cbke"), [(13, "host"), pytest.param(8, "ncp", marks=pytest.mark.soak)]
)
def test_a_node_joins_by_install_code_agrees_on_a_key_and_gets_a_command_in_its_tunnel(
    version: int, cbke: str
) -> None:
    async def scene() -> None:
        async with _beside_hub(version, cbke) as (node, service, notes):
            network = await _in(node)
            assert (network.extended_pan_id, network.permits) == (CHF, True)
            outcome = await node.establish_key()
            assert outcome.done, outcome
            assert "key_established" in [note.kind for note in notes]
            await _tunnel(node, RequestTunnel(max_incoming_bytes=1500))
            answer = await _told(node)
            assert isinstance(answer, RequestTunnelResponse)
            command = ask_version(ESME)
            assert service.tell_home("gbcs", command.hex())
            got = await _told(node)
            assert isinstance(got, TransferData)
            assert got.data == command
            assert envelope.decode(got.data).header.target == ESME

    asyncio.run(asyncio.wait_for(scene(), 3 * LIMIT_S))


def test_a_hub_of_another_authority_is_refused() -> None:
    async def scene() -> None:
        async with _beside_hub(13, "host", "other") as (node, _service, notes):
            await _in(node)
            outcome = await node.establish_key()
            assert not outcome.done
            assert outcome.why == "bad-certificate"
            assert "key_established" not in [note.kind for note in notes]

    asyncio.run(asyncio.wait_for(scene(), 3 * LIMIT_S))
