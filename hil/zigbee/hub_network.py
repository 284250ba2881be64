"""The hub's network on a dongle: formed once, with the hub's address as its name, and resumed."""

import asyncio
from typing import Any, Final

import bellows.types as bt
import zigpy.types as zt

from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from harness.errors import UsageError
from harness.han_ports import HanNetwork
from hil.zigbee.errors import refused, translated, unfit
from hil.zigbee.ezsp import DongleEzsp, eui64_of, ieee_of

#: Channels of the 2.4 GHz band.
CHANNELS: Final = range(11, 27)
#: Transmit power of a network that is formed, dBm. Source: invented (a dongle's usual default).
POWER_DBM: Final = 8
_UP_S: Final = 10.0
_PAN_LIMIT: Final = 0xFFFE
_COORDINATOR: Final = 1
_SECURITY: Final = (
    bt.EmberInitialSecurityBitmask.TRUST_CENTER_GLOBAL_LINK_KEY
    | bt.EmberInitialSecurityBitmask.HAVE_PRECONFIGURED_KEY
    | bt.EmberInitialSecurityBitmask.HAVE_NETWORK_KEY
    | bt.EmberInitialSecurityBitmask.REQUIRE_ENCRYPTED_KEY
)


async def resumed(ezsp: DongleEzsp) -> HanNetwork | None:
    """Go on with the network the dongle keeps; None: it keeps none.

    Raises:
        DongleError: It does not come up, or is not a coordinator's.
    """
    path = ezsp.settings.path
    with translated(path):
        (state,) = await ezsp.networkState()
        if state != bt.EmberNetworkStatus.JOINED_NETWORK:
            with ezsp.wait_for_stack_status(bt.sl_Status.NETWORK_UP) as up:
                status = await ezsp.initialize_network()
                if status == bt.sl_Status.NOT_JOINED:
                    return None
                if status != bt.sl_Status.OK:
                    raise refused(path, "to go on with its network", status)
                async with asyncio.timeout(_UP_S):
                    await up
    node_type, parameters = await ezsp.checked("getNetworkParameters")
    if node_type != _COORDINATOR:
        raise unfit(
            path,
            "the dongle is a node of somebody else's network",
            "it was used as a node before",
            "use it as a node, or let it leave that network first",
        )
    return HanNetwork(
        eui64_of(parameters.extendedPanId), int(parameters.panId), int(parameters.radioChannel)
    )


async def formed(ezsp: DongleEzsp, own: Eui64, channel: int, chance: Stream) -> HanNetwork:
    """Form the network whose extended PAN identifier is the hub's own address.

    Args:
        ezsp: The dongle, on no network.
        own: Its address.
        channel: 11 to 26.
        chance: Where PAN identifier and keys come from.

    Raises:
        UsageError: There is no such channel.
        DongleError: The dongle refuses, or its network does not come up.

    Source:
        GBCS (extended PAN identifier = the hub's EUI-64), by reference zigbee-dongle.md 5.2.
    """
    if channel not in CHANNELS:
        raise UsageError(f"there is no channel {channel}", cause="channels are 11 to 26")
    pan_id = chance.below(_PAN_LIMIT - 1) + 1
    security = bt.EmberInitialSecurityState(
        bitmask=_SECURITY,
        preconfiguredKey=bt.KeyData(chance.octets(16)),
        networkKey=bt.KeyData(chance.octets(16)),
        networkKeySequenceNumber=0,
        preconfiguredTrustCenterEui64=ieee_of(Eui64(bytes(8))),
    )
    await ezsp.checked("setInitialSecurityState", state=security)
    parameters: Any = bt.EmberNetworkParameters(
        extendedPanId=zt.ExtendedPanId.deserialize(own.octets[::-1])[0],
        panId=pan_id,
        radioTxPower=POWER_DBM,
        radioChannel=channel,
        joinMethod=bt.EmberJoinMethod.USE_MAC_ASSOCIATION,
        nwkManagerId=0,
        nwkUpdateId=0,
        channels=bt.Channels.from_channel_list([channel]),
    )
    with translated(ezsp.settings.path):
        await ezsp.formNetwork(parameters=parameters)
    return HanNetwork(own, pan_id, channel)


async def left(ezsp: DongleEzsp) -> None:
    """Leave a network that is not this hub's (the guard must have been told that it may)."""
    with translated(ezsp.settings.path):
        await ezsp.leaveNetwork()


def not_ours(path: str, network: HanNetwork) -> Exception:
    """Return the error for a dongle that keeps another network."""
    return unfit(
        path,
        f"the dongle keeps the network {network.extended_pan_id}, which is not this hub's",
        "it served another application; to form this hub's network it must leave that one",
        "use another dongle, or say replaces = true for this one",
    )
