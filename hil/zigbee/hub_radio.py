"""A hub on a dongle, in the radio's thread: one connection's life of it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Final

import bellows.types as bt

from emulator.core.chance import Stream
from emulator.core.ids import Eui64
from harness.errors import HarnessError
from harness.han_ports import Delivery, HanFrame, HanNetwork, Permit
from hil.zigbee import hub_network
from hil.zigbee.application import HubApplication
from hil.zigbee.cbke_engines import (
    CbkeEngine,
    HostEngine,
    NcpEngine,
    host_identity,
    ncp_identity,
)
from hil.zigbee.errors import FOREIGN, lost, silent, translated
from hil.zigbee.ezsp import (
    PATIENCE_S,
    QUIET_S,
    DongleEzsp,
    eui64_of,
    ieee_of,
    silence_watch,
)
from hil.zigbee.guard import Guard, Role, Verb
from hil.zigbee.hub_hearing import HubHearing, HubKnown
from hil.zigbee.hub_settings import HubSettings
from hil.zigbee.key_establishment import KeyEstablishment
from hil.zigbee.nodes import HubNode
from hil.zigbee.traffic import Outgoing

_UNKNOWN_SHORT: Final = 0xFFFF


class HubRadio:
    """One connection of a hub; the next one goes on with what is known.

    Attributes:
        eui64: The dongle's own address, once it is open.
    """

    def __init__(
        self,
        settings: HubSettings,
        known: HubKnown,
        gone: Callable[[HarnessError], None],
    ) -> None:
        """Take what outlives a connection; ``open`` connects.

        Args:
            settings: The hub.
            known: What the connection before this one left.
            gone: Called once when the dongle is lost, with the error that says so.
        """
        self.eui64 = Eui64(bytes(8))
        self._settings = settings
        self._known = known
        self._gone = gone
        self._app: HubApplication | None = None
        self._hearing: HubHearing | None = None
        self._watch: asyncio.Task[None] | None = None
        self._lost = False

    # -- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect and read the address; the radio stays as it is.

        Raises:
            DongleError: Nothing there, or nothing that fits.
        """
        settings = self._settings
        guard = Guard(Role.HUB, frozenset({Verb.LEAVE} if settings.replaces else ()))
        self._app = app = await HubApplication.made(settings, guard)
        app.lost = self._on_lost
        try:
            with translated(self._path, opening=True):
                await app.connect()
            self.eui64 = await app.ezsp.read_eui64()
        except BaseException:
            await self.drop()
            raise
        watch = silence_watch(app.ezsp, QUIET_S, PATIENCE_S, self._on_silence)
        self._watch = asyncio.get_running_loop().create_task(watch)

    async def begin(self, channel: int) -> HanNetwork:
        """Form the hub's network or resume it, and hear its nodes.

        Args:
            channel: Where it is formed; one that is resumed stays where it is.

        Raises:
            DongleError: The dongle keeps another network, or does not do it.
            UsageError: There is no such channel.
        """
        app = self._connected()
        ezsp = app.ezsp
        network = await hub_network.resumed(ezsp)
        if network is not None and self._hearing is not None:
            return network
        if network is not None and network.extended_pan_id != self.eui64:
            if not self._settings.replaces:
                raise hub_network.not_ours(self._path, network)
            await hub_network.left(ezsp)
            network = None
        if network is None:
            chance = Stream(self._settings.seed, f"zigbee-hub/{self.eui64.hex}")
            network = await hub_network.formed(ezsp, self.eui64, channel, chance)
        with translated(self._path):
            await app.start_network()
        hearing = HubHearing(ezsp, self._known, app.get_sequence)
        hearing.keys = await self._keys(ezsp, hearing)
        self._hearing = hearing
        await hearing.begin()
        await self._find_nodes(ezsp, hearing)
        await self._known.permits.restore(ezsp)
        return network

    async def _keys(self, ezsp: DongleEzsp, hearing: HubHearing) -> KeyEstablishment | None:
        settings = self._settings
        engine: CbkeEngine
        if settings.cbke == "ncp":
            identity = await ncp_identity(ezsp, self.eui64)
            engine = NcpEngine(ezsp)
        elif settings.cbke == "host":
            credentials = settings.credentials(self.eui64)
            identity = host_identity(self.eui64, credentials)
            chance = Stream(settings.seed, f"zigbee-hub/cbke/{self.eui64.hex}")
            engine = HostEngine(ezsp, credentials, chance)
        else:
            return None
        return KeyEstablishment(
            identity, engine, hearing.send_key_frame, hearing.admits, hearing.key_ended
        )

    async def _find_nodes(self, ezsp: DongleEzsp, hearing: HubHearing) -> None:
        """Learn who is on a network that was resumed: children, and partners of link keys."""
        with translated(self._path):
            async for short, ieee, kind in ezsp.read_child_data():
                node = self._known.book.put(eui64_of(ieee), int(short))
                node.joined = True
                node.sleepy = kind == bt.EmberNodeType.SLEEPY_END_DEVICE
            async for key in ezsp.read_link_keys():
                await self._found(ezsp, eui64_of(key.partner_ieee), joined=True)
            for node in self._known.book:
                if node.sleepy:
                    await hearing.be_patient(node)

    async def close(self) -> None:
        """Withdraw permissions, close the line. Never raises for a dongle that is gone."""
        app = self._app
        if app is not None and self._hearing is not None:
            with contextlib.suppress(HarnessError, *FOREIGN):
                async with asyncio.timeout(PATIENCE_S):
                    await self._known.permits.withdraw(app.ezsp)
        self._known.permits.stop()
        await self.drop()

    async def drop(self) -> None:
        """Close the line and stop all that runs; permissions stay as they are."""
        app, self._app = self._app, None
        if self._watch is not None:
            self._watch.cancel()
        if self._hearing is not None:
            self._hearing.stop()
        self._watch = self._hearing = None
        if app is not None:
            app.lost = None
            await app.shutdown()

    def _on_lost(self, reason: BaseException | None) -> None:
        self._lose(lost(self._path, reason))

    def _on_silence(self, seconds: float) -> None:
        self._lose(silent(self._path, seconds))

    def _lose(self, error: HarnessError) -> None:
        if self._app is None or self._lost:
            return
        self._lost = True
        self._known.permits.stop()
        if self._hearing is not None:
            self._hearing.traffic.fail(error)
            self._hearing.stop()
        self._gone(error)

    @property
    def _path(self) -> str:
        return self._settings.dongle.path

    def _connected(self) -> HubApplication:
        if self._app is None:
            raise lost(self._path, None, "it is not connected")
        return self._app

    # -- out -----------------------------------------------------------------------------------

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame; returns when its fate is known.

        Raises:
            DongleError: The dongle is lost.
        """
        app, hearing = self._connected(), self._hearing
        if hearing is None:
            return Delivery(False, "refused")
        node = self._known.book.find(frame.peer)
        if node is None:
            with translated(self._path):
                node = await self._found(app.ezsp, frame.peer)
        if node is None:
            return Delivery(False, "no-such-node")
        sealed = self._known.book.seals(node, frame.cluster)
        message = Outgoing.of(frame, node.short, acknowledged=acknowledged, sealed=sealed)
        return await hearing.traffic.send(message)

    async def permit(self, permit: Permit) -> None:
        """Let one device join for a while.

        Raises:
            UsageError: For longer than a minute, or with a key that is none.
            DongleError: The dongle refuses or is lost.
        """
        await self._known.permits.give(self._connected().ezsp, permit)

    async def dismiss(self, device: Eui64) -> Delivery:
        """Ask a node to leave.

        Raises:
            DongleError: The dongle is lost.
        """
        node = self._known.book.find(device)
        ezsp, ieee = self._connected().ezsp, ieee_of(device)
        if node is None:
            return Delivery(False, "no-such-node")
        with translated(self._path):
            (status,) = await ezsp.removeDevice(
                destShort=node.short, destLong=ieee, targetLong=ieee
            )
        done = bt.sl_Status.from_ember_status(status) == bt.sl_Status.OK
        return Delivery(True) if done else Delivery(False, "refused")

    async def _found(
        self, ezsp: DongleEzsp, eui64: Eui64, *, joined: bool = False
    ) -> HubNode | None:
        """Ask the dongle for a node's short address."""
        answer = await ezsp.lookupNodeIdByEui64(eui64=ieee_of(eui64))
        short = int(answer[-1])
        if short == _UNKNOWN_SHORT or eui64 == self.eui64:
            return None
        node = self._known.book.put(eui64, short)
        node.joined = node.joined or joined
        return node
