"""bellows as published connects to the emulated dongle, forms a network and finds it again."""

import asyncio
from typing import Any

import bellows.config
import bellows.ezsp
import bellows.types as t
import pytest
import zigpy.config

from emulator.codecs.ezsp.protocol import VERSIONS
from emulator.ncp.dongle import Dongle
from tests.emulator.ncp.ncp_given import DONGLE, HUB, a_dongle, on_pty

_KEY = bytes(range(16))


async def _connected(path: str) -> Any:
    ezsp = bellows.ezsp.EZSP(
        {
            zigpy.config.CONF_DEVICE_PATH: path,
            zigpy.config.CONF_DEVICE_BAUDRATE: 115200,
            zigpy.config.CONF_DEVICE_FLOW_CONTROL: None,
        }
    )
    await ezsp.connect(use_thread=False)
    await ezsp.write_config({})
    return ezsp


def _run(dongle: Dongle, play: Any) -> None:
    async def whole() -> None:
        async with on_pty(dongle) as path:
            ezsp = await _connected(path)
            try:
                await play(ezsp)
            finally:
                await ezsp.disconnect()

    asyncio.run(asyncio.wait_for(whole(), 40))


def _ok(status: Any) -> bool:
    return bool(t.sl_Status.from_ember_status(status) == t.sl_Status.OK)


async def _form(ezsp: Any) -> None:
    state = t.EmberInitialSecurityState(
        bitmask=t.EmberInitialSecurityBitmask.HAVE_NETWORK_KEY
        | t.EmberInitialSecurityBitmask.HAVE_PRECONFIGURED_KEY,
        preconfiguredKey=t.KeyData(b"ZigBeeAlliance09"),
        networkKey=t.KeyData(_KEY),
        networkKeySequenceNumber=7,
        preconfiguredTrustCenterEui64=t.EUI64.convert("00:00:00:00:00:00:00:00"),
    )
    (status,) = await ezsp.setInitialSecurityState(state=state)
    assert _ok(status)
    await ezsp.formNetwork(
        t.EmberNetworkParameters(
            extendedPanId=t.ExtendedPanId.convert("90:b3:d5:1f:00:00:00:01"),
            panId=t.EmberPanId(0x1234),
            radioTxPower=t.uint8_t(8),
            radioChannel=t.uint8_t(15),
            joinMethod=t.EmberJoinMethod.USE_MAC_ASSOCIATION,
            nwkManagerId=t.EmberNodeId(0),
            nwkUpdateId=t.uint8_t(0),
            channels=t.Channels.ALL_CHANNELS,
        )
    )


async def _is_formed(ezsp: Any) -> None:
    status, node_type, parameters = await ezsp.getNetworkParameters()
    assert _ok(status)
    assert node_type == t.EmberNodeType.COORDINATOR
    assert (parameters.panId, parameters.radioChannel) == (0x1234, 15)
    key = await ezsp.get_network_key()
    assert (key.key.serialize(), key.seq) == (_KEY, 7)
    link_key = await ezsp.get_tc_link_key()
    assert link_key.key.serialize() == b"ZigBeeAlliance09"
    status, state = await ezsp.getCurrentSecurityState()
    assert str(state.trustCenterLongAddress) == str(DONGLE).replace("-", ":").lower()


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_forms_a_network_and_resumes_it_after_a_reset_and_a_loss_of_power(
    version: int,
) -> None:
    dongle = a_dongle(version)

    async def first(ezsp: Any) -> None:
        assert ezsp.ezsp_version == version
        assert not _ok(await ezsp.initialize_network())
        await _form(ezsp)
        await _is_formed(ezsp)
        ezsp.stop_ezsp()
        await ezsp.startup_reset()
        await ezsp.write_config({})
        assert (await ezsp.networkState())[0] == t.EmberNetworkStatus.NO_NETWORK
        with ezsp.wait_for_stack_status(t.sl_Status.NETWORK_UP) as up:
            assert _ok(await ezsp.initialize_network())
            await asyncio.wait_for(up, 40)
        await _is_formed(ezsp)

    _run(dongle, first)
    later = a_dongle(version)
    later.load(dongle.dump())
    later.power_on(0)

    async def again(ezsp: Any) -> None:
        assert _ok(await ezsp.initialize_network())
        await _is_formed(ezsp)
        await ezsp.leaveNetwork()
        assert (await ezsp.networkState())[0] == t.EmberNetworkStatus.NO_NETWORK

    _run(later, again)


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_scans_and_finds_the_hub_by_its_extended_pan_id(version: int) -> None:
    async def scan(ezsp: Any) -> None:
        found = await ezsp.startScan(
            t.EzspNetworkScanType.ACTIVE_SCAN, t.Channels.from_channel_list([14, 15]), 0
        )
        ((network, lqi, rssi),) = found
        assert str(network.extendedPanId) == str(HUB).replace("-", ":").lower()
        assert (lqi, rssi, network.allowingJoin) == (200, -50, t.Bool.true)
        energy = await ezsp.startScan(
            t.EzspNetworkScanType.ENERGY_SCAN, t.Channels.from_channel_list([14, 15]), 0
        )
        assert [tuple(int(part) for part in one) for one in energy] == [(14, -100), (15, -40)]

    _run(a_dongle(version), scan)


@pytest.mark.parametrize("version", VERSIONS)
def test_bellows_reads_what_its_start_needs(version: int) -> None:
    async def read(ezsp: Any) -> None:
        manufacturer, board, firmware = await ezsp.get_board_info()
        assert (manufacturer, board) == ("Bench", "Emulated dongle")
        assert firmware is not None
        assert len(await ezsp.read_counters()) >= 41
        assert [key async for key in ezsp.read_link_keys()] == []
        assert [child async for child in ezsp.read_child_data()] == []
        assert [row async for row in ezsp.read_address_table()] == []
        with pytest.raises(bellows.ezsp.InvalidCommandError):
            await ezsp._command("sendPanIdUpdate", newPan=t.EmberPanId(1))
        await ezsp.nop()

    _run(a_dongle(version), read)
