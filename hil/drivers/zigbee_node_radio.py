"""A node on a dongle, in the radio's thread: one connection's life of it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import bellows.types as bt

from emulator.codecs.zcl import key_establishment as key_cluster
from emulator.core.ids import Eui64
from harness.errors import HarnessError, UsageError
from harness.han_ports import (
    SMART_ENERGY,
    Delivery,
    HanEvent,
    HanEventKind,
    HanFrame,
    HanNetwork,
    JoinOutcome,
)
from hil.drivers import zigbee_node_joining as joining
from hil.drivers import zigbee_scan
from hil.drivers.zigbee_node_keys import NodeKeys
from hil.drivers.zigbee_node_objects import DEVICE_OBJECTS, DeviceObjects
from hil.drivers.zigbee_node_settings import NodeKind, NodeSettings
from hil.zigbee.application import KEY_ROWS
from hil.zigbee.errors import FOREIGN, lost, silent, translated
from hil.zigbee.ezsp import PATIENCE_S, QUIET_S, DongleEzsp, silence_watch
from hil.zigbee.guard import Guard, Role
from hil.zigbee.messages import Incoming
from hil.zigbee.nodes import NodeBook
from hil.zigbee.traffic import ApsTraffic, Happening, Outgoing

#: Short address of every network's coordinator.
HUB_SHORT: Final = 0x0000
#: Until the stack must say that the network it keeps is up again, seconds.
_RESUME_S: Final = 20.0
_QUARTER_S: Final = 0.25
_MAX_MISSED_POLLS: Final = 10
_GONE: Final = frozenset({bt.sl_Status.NETWORK_DOWN, bt.sl_Status.NOT_JOINED})


class NodeRadio:
    """One connection of a node.

    Attributes:
        eui64: The dongle's own address, once it is open.
        network: The network it is on, or None.
        unsealed: Messages dropped because they came without the seal that was due.
    """

    def __init__(
        self,
        settings: NodeSettings,
        tell: Callable[[Happening], None],
        gone: Callable[[HarnessError], None],
    ) -> None:
        """Make it; ``open`` connects.

        Args:
            settings: The node.
            tell: Takes frames and events.
            gone: Called once when the dongle is lost, with the error that says so.
        """
        self.eui64 = Eui64(bytes(8))
        self.network: HanNetwork | None = None
        self.unsealed = 0
        self._settings = settings
        self._tell = tell
        self._gone: Callable[[HarnessError], None] | None = gone
        self._book = NodeBook()
        self._ezsp = DongleEzsp(settings.dongle, Guard(Role.NODE), settings.tap)
        self._status = joining.StackStatus()
        self._inbox: asyncio.Queue[Incoming] = asyncio.Queue()
        self._traffic: ApsTraffic | None = None
        self._objects: DeviceObjects | None = None
        self._keys: NodeKeys | None = None
        self._tasks: list[asyncio.Task[None]] = []

    # -- life ----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Connect, configure the dongle, show the node's endpoints; its network stays unused.

        Raises:
            DongleError: Nothing there, or nothing that fits.
        """
        ezsp, settings = self._ezsp, self._settings
        await ezsp.connect()
        ezsp.lost = self._on_lost
        try:
            with translated(settings.dongle.path):
                await ezsp.write_config({"CONFIG_KEY_TABLE_SIZE": KEY_ROWS})
            await self._show_endpoints()
            self.eui64 = await ezsp.read_eui64()
            self._traffic = ApsTraffic(ezsp, ours=self._is_ours, deliver=self._arrived)
            await self._traffic.begin()
        except BaseException:
            await self.drop()
            raise
        self._objects = DeviceObjects(ezsp, self._traffic)
        ezsp.add_callback(self._called)
        loop = asyncio.get_running_loop()
        watch = silence_watch(ezsp, QUIET_S, PATIENCE_S, self._on_silence)
        self._tasks = [loop.create_task(self._work()), loop.create_task(watch)]

    async def _show_endpoints(self) -> None:
        for one in self._settings.endpoints:
            await self._ezsp.checked(
                "addEndpoint",
                endpoint=one.endpoint,
                profileId=one.profile,
                deviceId=one.device,
                deviceVersion=one.version,
                inputClusterCount=len(one.inputs),
                outputClusterCount=len(one.outputs),
                inputClusterList=list(one.inputs),
                outputClusterList=list(one.outputs),
            )

    async def close(self) -> None:
        """Close the line once what is on its way has arrived; a dead dongle is not waited for."""
        for task in self._tasks:
            task.cancel()
        if self._gone is not None:
            with contextlib.suppress(HarnessError, *FOREIGN):
                async with asyncio.timeout(PATIENCE_S):
                    await self._ezsp.nop()
        await self.drop()

    async def drop(self) -> None:
        """Close the line and stop all that runs; the dongle keeps its network."""
        self._gone = None
        self._ezsp.lost = None
        for task in self._tasks:
            task.cancel()
        if self._keys is not None:
            self._keys.close()
        with contextlib.suppress(*FOREIGN):
            await self._ezsp.disconnect()

    def _on_lost(self, reason: BaseException | None) -> None:
        self._lose(lost(self._settings.dongle.path, reason))

    def _on_silence(self, seconds: float) -> None:
        self._lose(silent(self._settings.dongle.path, seconds))

    def _lose(self, error: HarnessError) -> None:
        gone, self._gone = self._gone, None
        if gone is None:
            return
        if self._traffic is not None:
            self._traffic.fail(error)
        if self._keys is not None:
            self._keys.fail(error)
        gone(error)

    # -- networks ------------------------------------------------------------------------------

    async def scan(self, channels: list[int]) -> tuple[HanNetwork, ...]:
        """Scan for networks.

        Raises:
            DongleError: The dongle is lost, or refuses.
            UsageError: A channel is none.
        """
        return await zigbee_scan.networks(self._ezsp, channels)

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join; whoever calls has checked that the network is the bench's.

        Raises:
            NotPermittedError: It turned out to be another's; the node has left it.
            UsageError: The node is on a network.
            DongleError: The dongle is lost.
        """
        if self.network is not None:
            raise UsageError(
                "the node is on a network already",
                where=str(self.network.extended_pan_id),
                cause="it must leave before it joins another, or the same one anew",
            )
        refusal = await joining.is_there(self._ezsp, network)
        if refusal is not None:
            return refusal
        outcome = await joining.join(self._ezsp, self._status, network, link_key, self._settings)
        if outcome.done:
            await joining.refuse_stranger(self._ezsp, network)
            await self._arrive(network)
        return outcome

    async def resume(self, network: HanNetwork, *, sealed: bool) -> bool:
        """Go on with the network the dongle keeps; says whether it is this one, and up.

        Raises:
            NotPermittedError: It is another.
            DongleError: The dongle is lost.
        """
        with self._status:
            with translated(self._settings.dongle.path):
                answer = await self._ezsp.initialize_network()
            if bt.sl_Status.from_ember_status(answer) != bt.sl_Status.OK:
                return False
            if await self._status.end(_RESUME_S) != bt.sl_Status.NETWORK_UP:
                return False
        await joining.refuse_stranger(self._ezsp, network)
        await self._arrive(network)
        self._book.put(network.extended_pan_id, HUB_SHORT).sealed = sealed
        return True

    async def _arrive(self, network: HanNetwork) -> None:
        """Be on a network: its hub is known by the network's name."""
        self.network = network
        self._book.put(network.extended_pan_id, HUB_SHORT)
        if self._settings.kind is NodeKind.SLEEPY:
            await self._poll()

    async def _poll(self) -> None:
        """Have the dongle ask its parent regularly for what waits."""
        ask: Any = self._ezsp.__getattr__("pollForData")  # bellows' own waits for one to end
        quarters = max(1, round(self._settings.poll_s / _QUARTER_S))
        units = bt.EmberEventUnits.EVENT_QS_TIME
        with translated(self._settings.dongle.path):
            await ask(interval=quarters, units=units, failureLimit=_MAX_MISSED_POLLS)

    async def leave(self) -> None:
        """Leave the network, where there is one.

        Raises:
            DongleError: The dongle is lost, or does not leave.
        """
        if self.network is not None:
            self._depart()
            await joining.leave(self._ezsp)

    def _depart(self) -> None:
        self.network = None
        self._book = NodeBook()
        if self._keys is not None:
            self._keys.close()
            self._keys = None

    @property
    def sealed(self) -> bool:
        """Whether a link key was established with the hub."""
        hub = self._book.at(HUB_SHORT)
        return hub is not None and hub.sealed

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key.

        Raises:
            NotPermittedError: The dongle's certificate may be a production one.
            DongleError: The dongle is lost, or does not do what its settings say.
        """
        if self.network is None or self._objects is None:
            return JoinOutcome(False, "no-network", "the node has not joined a network")
        if self._keys is None:
            self._keys = await NodeKeys.made(self._ezsp, self.eui64, self._settings, self._send_to)
        outcome = await self._keys.establish(self.network.extended_pan_id, self._objects)
        if outcome.done:
            hub = self._book.put(self.network.extended_pan_id, HUB_SHORT)
            hub.sealed = self._settings.sealed
        return outcome

    async def _send_to(self, peer: Eui64, endpoint: int, octets: bytes) -> Delivery:
        """Send a frame of the Key Establishment cluster."""
        ours = self._settings.endpoints[0].endpoint
        return await self.send(HanFrame(peer, key_cluster.CLUSTER, octets, endpoint, ours))

    # -- messages ------------------------------------------------------------------------------

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame; returns when its fate is known.

        Raises:
            DongleError: The dongle is lost.
        """
        traffic, objects = self._traffic, self._objects
        if traffic is None or objects is None or self.network is None:
            return Delivery(False, "no-such-node")
        node = self._book.find(frame.peer)
        if node is None:
            short = await objects.short_of(frame.peer)
            if short is None:
                return Delivery(False, "no-such-node")
            node = self._book.put(frame.peer, short)
        sealed = frame.profile == SMART_ENERGY and self._book.seals(node, frame.cluster)
        message = Outgoing.of(frame, node.short, acknowledged=acknowledged, sealed=sealed)
        return await traffic.send(message)

    def _is_ours(self, message: Incoming) -> bool:
        return message.profile in {SMART_ENERGY, DEVICE_OBJECTS}

    def _arrived(self, message: Incoming) -> None:
        if message.profile != DEVICE_OBJECTS:
            self._inbox.put_nowait(message)
        elif self._objects is not None:
            self._objects.heard(message)

    async def _work(self) -> None:
        """Take messages in the order they came; a new sender's address may have to be asked."""
        while True:
            message = await self._inbox.get()
            with contextlib.suppress(HarnessError):  # that the dongle is lost is told elsewhere
                await self._take(message)

    async def _take(self, message: Incoming) -> None:
        node = self._book.at(message.sender)
        if node is None and self._objects is not None:
            peer = await self._objects.sender_of(message)
            node = None if peer is None else self._book.put(peer, message.sender)
        if node is None or self.network is None:
            return
        if not self._book.accepts(node, message):
            self.unsealed += 1
        elif message.cluster == key_cluster.CLUSTER and self._keys is not None:
            self._keys.heard(node.eui64, message.payload)
        else:
            ends = (message.source_endpoint, message.endpoint, message.profile)
            self._tell(HanFrame(node.eui64, message.cluster, message.payload, *ends))

    def _called(self, name: str, arguments: list[Any]) -> None:
        if name != "stackStatusHandler":
            return
        status = bt.sl_Status.from_ember_status(arguments[0])
        network = self.network
        if self._status.waiting:
            self._status.tell(status)
        elif status in _GONE and network is not None:
            self._depart()
            self._tell(HanEvent(HanEventKind.LEFT, network.extended_pan_id))
