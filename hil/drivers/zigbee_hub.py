"""A hub of the bench on a Zigbee dongle: the device seam `HanHub` on bellows and zigpy."""

from collections.abc import Sequence
from typing import Any, Self

from emulator.core.ids import Eui64
from harness.han_ports import Delivery, HanEvent, HanNetwork, Permit
from hil.drivers.dongle_end import DongleEnd
from hil.zigbee.hub_hearing import HubKnown
from hil.zigbee.hub_radio import HubRadio
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.nodes import NodeBook
from hil.zigbee.permits import Permits


class DongleHub(DongleEnd[HubRadio]):
    """`harness.han_ports.HanHub` on a dongle.

    Nodes and what is left of permissions are kept while the dongle is lost. Closing withdraws
    permissions; the network stays in the dongle, and it must be the same when that is back.
    """

    def __init__(self, settings: HubSettings) -> None:
        """Make it; people call ``open``."""
        super().__init__(settings.dongle, settings.reopen_s, "hub")
        self._settings = settings
        endpoints = frozenset(one.endpoint for one in settings.endpoints)
        self._book = NodeBook()
        self._known = HubKnown(self._book, Permits(), endpoints, self._mailbox.put)
        self._channel: int | None = None
        self._radio = self._new_radio()

    @classmethod
    async def open(cls, settings: HubSettings) -> Self:
        """Connect to the dongle; its radio stays as it is.

        Raises:
            DongleError: Nothing there, nothing that answers, or nothing that fits.
        """
        return await cls(settings).connect()

    async def form(self, channel: int) -> HanNetwork:
        """Form the network whose extended PAN identifier is ``eui64``, or resume it.

        Raises:
            DongleError: The dongle keeps another network, refuses, or is lost.
            UsageError: There is no such channel.
        """
        self._check()
        network = await self._thread.run(self._radio.begin(channel))
        self._channel = channel
        return network

    async def permit(self, permit: Permit) -> None:
        """Let one device join for at most a minute.

        Raises:
            UsageError: For longer, or with a key that is none.
            DongleError: The dongle refuses, or is lost.
        """
        self._check()
        await self._thread.run(self._radio.permit(permit))

    async def nodes(self) -> Sequence[Eui64]:
        """Return who has joined."""
        self._check()
        return tuple(node.eui64 for node in self._book if node.joined)

    async def dismiss(self, device: Eui64) -> Delivery:
        """Ask a node to leave; ``LEFT`` tells that it has."""
        self._check()
        return await self._thread.run(self._radio.dismiss(device))

    def dump(self) -> dict[str, Any]:
        """Return what the hub knows of its nodes as plain data; there are no keys in it."""
        return {"eui64": self._eui64.hex, "nodes": self._book.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Put it back, before ``form``."""
        self._book.load(state["nodes"])

    # -- in the radio's thread -----------------------------------------------------------------

    def _new_radio(self) -> HubRadio:
        return HubRadio(self._settings, self._known, self._on_lost)

    async def _go_on(self, radio: HubRadio) -> Sequence[HanEvent]:
        if self._channel is not None:
            await radio.begin(self._channel)
        return ()
