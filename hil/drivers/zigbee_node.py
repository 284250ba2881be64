"""A node of the bench on a Zigbee dongle: the device seam `HanNode` on bellows.

bellows and zigpy have no application for that role, so this works on bellows' EZSP object: scan,
check of the target, join under the key of an install code, key establishment as initiator, sealed
traffic in fragments both ways.
"""

import contextlib
from collections.abc import Sequence
from typing import Final, Self

from harness.errors import NotPermittedError, UsageError
from harness.han_ports import HanEvent, HanEventKind, HanNetwork, JoinOutcome
from hil.drivers.dongle_end import DongleEnd
from hil.drivers.zigbee_node_radio import NodeRadio
from hil.drivers.zigbee_node_settings import NodeSettings, refuse_foreign

_KEY_OCTETS: Final = 16


class DongleNode(DongleEnd[NodeRadio]):
    """`harness.han_ports.HanNode` on a dongle.

    A dongle that comes back goes on with its network; where that is gone, ``LEFT`` is told before
    ``BACK``. A closed one keeps its network, for whoever opens it next.
    """

    def __init__(self, settings: NodeSettings) -> None:
        """Make it; people call ``open``."""
        super().__init__(settings.dongle, settings.reopen_s, "node")
        self.settings = settings
        self._unsealed = 0
        self._network: HanNetwork | None = None
        self._sealed = False
        self._radio = self._new_radio()

    @classmethod
    async def open(cls, settings: NodeSettings) -> Self:
        """Connect to the dongle and configure it; a network it keeps stays unused.

        Raises:
            DongleError: Nothing there, nothing that answers, or nothing that fits.
        """
        return await cls(settings).connect()

    @property
    def unsealed(self) -> int:
        """How many messages were dropped because they came without the seal that was due."""
        return self._unsealed + self._radio.unsealed

    async def networks(self, channels: Sequence[int]) -> Sequence[HanNetwork]:
        """Scan; returns the networks whose beacons were heard.

        Raises:
            DongleError: The dongle is lost, or refuses.
            UsageError: A channel is none.
        """
        self._check()
        return await self._thread.run(self._radio.scan(list(channels)))

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join under the key of the node's install code; the network is checked first.

        Raises:
            NotPermittedError: The network is not one of the bench's (safety guard 6).
            UsageError: The node is on a network, or the key is none.
            DongleError: The dongle is lost.
        """
        self._check()
        refuse_foreign(network, self.settings)
        if len(link_key) != _KEY_OCTETS:
            raise UsageError("a link key has 16 octets", where=str(network.extended_pan_id))
        return await self._thread.run(self._radio.join(network, link_key))

    async def resume(self, network: HanNetwork, *, sealed: bool) -> bool:
        """Go on with the network the dongle keeps; says whether it is this one, and up.

        Args:
            network: The network the node was on; it is checked first.
            sealed: Whether it had agreed on a link key with the hub.

        Raises:
            NotPermittedError: The network is not one of the bench's (safety guard 6).
            DongleError: The dongle is lost.
        """
        self._check()
        refuse_foreign(network, self.settings)
        try:
            return await self._thread.run(self._radio.resume(network, sealed=sealed))
        except NotPermittedError:  # the dongle was on another's network: the node has left it
            return False

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key (CBKE), as initiator.

        Raises:
            NotPermittedError: The dongle's certificate may be a production one (guard 9).
            DongleError: The dongle is lost, or its image does not do what the settings say.
        """
        self._check()
        return await self._thread.run(self._radio.establish_key())

    async def leave(self) -> None:
        """Leave the network.

        Raises:
            DongleError: The dongle is lost, or does not leave.
        """
        self._check()
        await self._thread.run(self._radio.leave())

    # -- in the radio's thread -----------------------------------------------------------------

    def _new_radio(self) -> NodeRadio:
        return NodeRadio(self.settings, self._mailbox.put, self._on_lost)

    async def _reopen(self) -> None:
        before = self._radio
        self._network, self._sealed = before.network, before.sealed
        self._unsealed += before.unsealed
        await super()._reopen()

    async def _go_on(self, radio: NodeRadio) -> Sequence[HanEvent]:
        """Be on the network again; where it is gone, or another's, the node has left it."""
        network = self._network
        if network is None:
            return ()
        with contextlib.suppress(NotPermittedError):
            if await radio.resume(network, sealed=self._sealed):
                return ()
        return (HanEvent(HanEventKind.LEFT, network.extended_pan_id),)
