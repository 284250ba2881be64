"""bellows as published joins a hub through the dongle, agrees on a key, and listens."""

import asyncio
from typing import Any

import bellows.types as t
import pytest

from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.codecs.zcl.key_establishment import KeySuite
from emulator.core.chance import Stream
from emulator.crypto.cbke import EphemeralKey, agree
from emulator.ncp.dongle import Dongle
from emulator.ncp.radio_frames import DataFrame, HeardPacket
from tests.emulator.ncp.hub_given import (
    CHANNEL,
    INSTALL_KEY,
    PAN,
    SHORT,
    HubAir,
    a_joiner,
    credentials,
)
from tests.emulator.ncp.ncp_given import HUB, on_pty
from tests.emulator.ncp.test_ncp_listening import PACKET
from tests.emulator.ncp.test_ncp_with_bellows import _connected, _ok

WAIT_S = 30


def _play(dongle: Dongle, play: Any) -> None:
    async def whole() -> None:
        async with on_pty(dongle) as path:
            ezsp = await _connected(path)
            try:
                await play(ezsp)
            finally:
                await ezsp.disconnect()

    asyncio.run(asyncio.wait_for(whole(), 60))


def _next(ezsp: Any, name: str) -> "asyncio.Future[Any]":
    """Return the parameters of the next callback of a name."""
    waiting: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def heard(frame: str, values: Any) -> None:
        if frame == name and not waiting.done():
            waiting.set_result(values)

    ezsp.add_callback(heard)
    return waiting


async def _told(waiting: "asyncio.Future[Any]") -> Any:
    return await asyncio.wait_for(waiting, WAIT_S)


async def _join(ezsp: Any, key: bytes = INSTALL_KEY) -> Any:
    """Scan, choose the hub by its extended PAN identifier, join; return the stack's status."""
    found = await ezsp.startScan(
        t.EzspNetworkScanType.ACTIVE_SCAN, t.Channels.from_channel_list([14, CHANNEL]), 0
    )
    ((network, _lqi, _rssi),) = found
    assert str(network.extendedPanId) == str(HUB).replace("-", ":").lower()
    state = t.EmberInitialSecurityState(
        bitmask=t.EmberInitialSecurityBitmask.HAVE_PRECONFIGURED_KEY
        | t.EmberInitialSecurityBitmask.REQUIRE_ENCRYPTED_KEY,
        preconfiguredKey=t.KeyData(key),
        networkKey=t.KeyData(bytes(16)),
        networkKeySequenceNumber=0,
        preconfiguredTrustCenterEui64=t.EUI64.convert("00:00:00:00:00:00:00:00"),
    )
    assert _ok((await ezsp.setInitialSecurityState(state=state))[0])
    told = _next(ezsp, "stackStatusHandler")
    (status,) = await ezsp.joinNetwork(
        nodeType=t.EmberNodeType.ROUTER,
        parameters=t.EmberNetworkParameters(
            extendedPanId=network.extendedPanId,
            panId=network.panId,
            radioTxPower=t.uint8_t(8),
            radioChannel=t.uint8_t(network.channel),
            joinMethod=t.EmberJoinMethod.USE_MAC_ASSOCIATION,
            nwkManagerId=t.EmberNodeId(0),
            nwkUpdateId=t.uint8_t(0),
            channels=t.Channels.ALL_CHANNELS,
        ),
    )
    assert _ok(status)
    (result,) = await _told(told)
    return t.sl_Status.from_ember_status(result)


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_joins_agrees_on_a_key_and_sends_under_it(version: int) -> None:
    air = HubAir()
    dongle = a_joiner(version, air)
    partner = credentials(HUB)[KeySuite.CBKE_283]
    theirs = EphemeralKey.draw(KeySuite.CBKE_283, Stream(5, "partner"))

    async def play(ezsp: Any) -> None:
        (library,) = await ezsp.getLibraryStatus(libraryId=0x0D)
        assert library & 0x80
        status, own = await ezsp.getCertificate283k1()
        assert _ok(status)
        assert await _join(ezsp) == t.sl_Status.NETWORK_UP
        status, kind, parameters = await ezsp.getNetworkParameters()
        assert (_ok(status), kind, parameters.panId) == (True, t.EmberNodeType.ROUTER, PAN)
        assert (await ezsp.getNodeId())[0] == SHORT
        generated = _next(ezsp, "generateCbkeKeysHandler283k1")
        (status,) = await ezsp.generateCbkeKeys283k1()
        assert t.sl_Status.from_ember_status(status) in {
            t.sl_Status.IN_PROGRESS,
            t.EmberStatus.OPERATION_IN_PROGRESS,
        }
        status, ours = await _told(generated)
        assert _ok(status)
        calculated = _next(ezsp, "calculateSmacsHandler283k1")
        await ezsp.calculateSmacs283k1(
            amInitiator=t.Bool.true,
            partnerCertificate=t.EmberCertificate283k1Data(partner.certificate),
            partnerEphemeralPublicKey=t.EmberPublicKey283k1Data(theirs.public),
        )
        status, mac_u, mac_v = await _told(calculated)
        assert _ok(status)
        ours, certificate = ours.serialize(), own.serialize()
        agreed = agree(partner, theirs, certificate, ours, initiator=False)
        assert (mac_u.serialize(), mac_v.serialize()) == (agreed.mac_u, agreed.mac_v)
        (status,) = await ezsp.clearTemporaryDataMaybeStoreLinkKey283k1(storeLinkKey=t.Bool.true)
        assert _ok(status)
        assert (await ezsp.get_tc_link_key()).key.serialize() == agreed.link_key
        sent = _next(ezsp, "messageSentHandler")
        status, _sequence = await ezsp.send_unicast(
            nwk=t.EmberNodeId(0),
            aps_frame=t.EmberApsFrame(
                profileId=0x0109,
                clusterId=0x0702,
                sourceEndpoint=1,
                destinationEndpoint=123,
                options=t.EmberApsOption.APS_OPTION_RETRY | t.EmberApsOption.APS_OPTION_ENCRYPTION,
                groupId=0,
                sequence=0,
            ),
            message_tag=9,
            data=b"\x00\x01\x00",
        )
        assert status == t.sl_Status.OK
        await _told(sent)
        assert air.of(DataFrame)[-1].link_key == agreed.link_key
        ezsp.stop_ezsp()
        await ezsp.startup_reset()
        await ezsp.write_config({})
        with ezsp.wait_for_stack_status(t.sl_Status.NETWORK_UP) as up:
            assert _ok(await ezsp.initialize_network())
            await asyncio.wait_for(up, WAIT_S)
        assert (await ezsp.get_tc_link_key()).key.serialize() == agreed.link_key
        down = _next(ezsp, "stackStatusHandler")
        await ezsp.leaveNetwork()
        (status,) = await _told(down)
        assert t.sl_Status.from_ember_status(status) == t.sl_Status.NETWORK_DOWN

    _play(dongle, play)


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_is_told_when_its_install_code_is_not_that_of_the_hub(version: int) -> None:
    dongle = a_joiner(version, HubAir(in_clear=True))

    async def play(ezsp: Any) -> None:
        told = await _join(ezsp)
        assert told == t.sl_Status.ZIGBEE_RECEIVED_KEY_IN_THE_CLEAR
        assert (await ezsp.networkState())[0] == t.EmberNetworkStatus.NO_NETWORK

    _play(dongle, play)


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_listens_and_may_not_send(version: int) -> None:
    air = HubAir()

    async def play(ezsp: Any) -> None:
        heard = _next(ezsp, "mfglibRxHandler")
        assert _ok((await ezsp.mfglibStart(rxCallback=True))[0])
        assert _ok((await ezsp.mfglibSetChannel(channel=CHANNEL))[0])
        air.packets.append(HeardPacket(PACKET, CHANNEL, -61, 180))
        await ezsp.nop()
        lqi, rssi, packet = await _told(heard)
        assert (int(lqi), int(rssi), bytes(packet)) == (180, -61, PACKET)
        for blocked in (
            ezsp.mfglibSendPacket(packetContents=t.LVBytes(PACKET)),
            ezsp.mfglibStartTone(),
            ezsp.mfglibStartStream(),
        ):
            (status,) = await blocked
            assert status in {t.EmberStatus.PHY_TX_BLOCKED, t.sl_Status.TRANSMIT_BLOCKED}
        assert _ok((await ezsp.mfglibEnd())[0])
        assert (air.raw, air.sent) == ([], [])

    _play(a_joiner(version, air), play)
