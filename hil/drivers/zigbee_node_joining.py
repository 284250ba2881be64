"""Joining with a dongle: the network is looked for again, then asked, and every end has a word."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Self

import bellows.types as bt

from emulator.core.ids import Eui64
from harness.errors import NotPermittedError
from harness.han_ports import HanNetwork, JoinOutcome
from hil.drivers import zigbee_scan
from hil.drivers.zigbee_node_settings import NodeSettings, parameters_of, security_of
from hil.zigbee.errors import translated
from hil.zigbee.ezsp import DongleEzsp, eui64_of

#: Until a dongle must have told how joining ended, seconds. Source: known (association, and the
#: network key within some seconds); inferred, with much to spare.
JOIN_S: Final = 30.0
#: Status of the stack -> how the attempt ended, and the sentence for people. Source: EmberStatus
#: and sl_Status by name; which one a real NCP of v14 and later tells is not established
#: (reference 10).
ENDS: Final[Mapping[Any, tuple[str, str]]] = {
    bt.sl_Status.NO_BEACONS: ("no-network", "nobody answered with a beacon of this network"),
    bt.sl_Status.NOT_JOINED: ("not-permitted", "the network did not let the node in"),
    bt.sl_Status.ZIGBEE_NO_NETWORK_KEY_RECEIVED: (
        "wrong-key",
        "no network key came that the install code's key opens",
    ),
    bt.sl_Status.ZIGBEE_PRECONFIGURED_KEY_REQUIRED: (
        "wrong-key",
        "the hub wants another key than the install code's",
    ),
    bt.sl_Status.ZIGBEE_RECEIVED_KEY_IN_THE_CLEAR: (
        "wrong-key",
        "the network key came in the clear: the hub knows no key of this node",
    ),
    bt.sl_Status.ZIGBEE_NO_LINK_KEY_RECEIVED: ("wrong-key", "no link key came from the hub"),
}
_UP: Final = bt.sl_Status.NETWORK_UP
#: States of the stack that tell of the way and not of its end.
_ON_THE_WAY: Final = frozenset(
    {
        bt.sl_Status.ZIGBEE_NETWORK_OPENED,
        bt.sl_Status.ZIGBEE_NETWORK_CLOSED,
        bt.sl_Status.ZIGBEE_NODE_ID_CHANGED,
    }
)


class StackStatus:
    """The last words of the stack about the network, for whoever waits for them."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Any] = asyncio.Queue()
        self.waiting = False

    def tell(self, status: Any) -> None:
        """Take a status, ``sl_Status``."""
        self._told.put_nowait(status)

    async def end(self, seconds: float) -> Any | None:
        """Return the first status that is an end; None when none has come in time."""
        try:
            async with asyncio.timeout(seconds):
                while (status := await self._told.get()) in _ON_THE_WAY:
                    continue
        except TimeoutError:
            return None
        return status

    def __enter__(self) -> Self:
        self._told = asyncio.Queue()
        self.waiting = True
        return self

    def __exit__(self, *_: object) -> None:
        self.waiting = False


async def is_there(ezsp: DongleEzsp, network: HanNetwork) -> JoinOutcome | None:
    """Look for the network again; return how the attempt ended, or None: it may be joined.

    Raises:
        DongleError: The dongle is lost.
    """
    heard = await zigbee_scan.networks(ezsp, [network.channel])
    same = [
        one
        for one in heard
        if (one.extended_pan_id, one.pan_id) == (network.extended_pan_id, network.pan_id)
    ]
    if not same:
        return JoinOutcome(False, "no-network", f"no beacon on channel {network.channel}")
    if not any(one.permits for one in same):
        return JoinOutcome(False, "not-permitted", "the hub's beacon says that joining is closed")
    return None


async def join(
    ezsp: DongleEzsp,
    status: StackStatus,
    network: HanNetwork,
    link_key: bytes,
    settings: NodeSettings,
) -> JoinOutcome:
    """Join a network that was found; whoever calls has checked that it may be joined.

    Raises:
        DongleError: The dongle is lost, or refuses what the bench cannot do without.
    """
    await ezsp.checked("setInitialSecurityState", state=security_of(link_key))
    with status:
        parameters = parameters_of(network, settings)
        with translated(ezsp.settings.path):
            (answer,) = await ezsp.joinNetwork(nodeType=settings.kind.value, parameters=parameters)
        if bt.sl_Status.from_ember_status(answer) != bt.sl_Status.OK:
            return _outcome(bt.sl_Status.from_ember_status(answer))
        end = await status.end(JOIN_S)
    if end is None:
        return JoinOutcome(False, "no-answer", f"the dongle told no end within {JOIN_S:.0f} s")
    return JoinOutcome(True) if end == _UP else _outcome(end)


async def refuse_stranger(ezsp: DongleEzsp, network: HanNetwork) -> None:
    """Leave again, where the network that let the node in is another's than its beacon said.

    Raises:
        NotPermittedError: Its extended PAN identifier or its trust centre is another.
        DongleError: The dongle is lost.
    """
    _node_type, told = await ezsp.checked("getNetworkParameters")
    (state,) = await ezsp.checked("getCurrentSecurityState")
    joined = eui64_of(told.extendedPanId)
    centre = eui64_of(state.trustCenterLongAddress)
    if joined == network.extended_pan_id and centre in {joined, Eui64(bytes(8))}:
        return
    await leave(ezsp)
    raise NotPermittedError(
        f"the network that let the node in is not the one of hub {network.extended_pan_id}",
        where=f"extended PAN identifier {joined}, trust centre {centre}",
        cause="another coordinator uses the hub's name; in a GB HAN all three are one EUI-64",
        next_command="smetsbench bench observe FILE",
    )


async def leave(ezsp: DongleEzsp) -> None:
    """Leave the network and wait until the dongle has left it.

    Raises:
        DongleError: The dongle is lost, or does not leave.
    """
    with translated(ezsp.settings.path):
        await ezsp.leaveNetwork()


def _outcome(status: Any) -> JoinOutcome:
    word, sentence = ENDS.get(status, ("no-resources", "the dongle could not try"))
    return JoinOutcome(False, word, f"{sentence} ({getattr(status, 'name', status)})")
