"""Both ends of a HAN without any dongle: the ports of ``harness.han_ports`` over emulated homes."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from device_profiles.words import DeviceType
from emulator.core.effects import SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.crypto.install_code import WELL_KNOWN_LINK_KEY
from emulator.han.address_book import AddressBook
from emulator.han.outputs import Settled
from emulator.runtime.driver import Driver
from emulator.runtime.installation import Plan
from emulator.runtime.world import World
from harness.benches.emulated_plan import built
from harness.errors import BenchError
from harness.han_ports import (
    Delivery,
    HanEvent,
    HanEventKind,
    HanFrame,
    HanNetwork,
    JoinOutcome,
    Permit,
)

#: From permission to a device having joined, and from there to its key, in seconds. Source:
#: invented.
JOIN_S: Final = 0.3
KEY_S: Final = 0.2
_MICRO: Final = 1_000_000
_NO_NODE: Final = Delivery(False, "no-such-node")


class _Ether:
    """The outlet of the world on the other side: its frames come out here, at once."""

    def __init__(self, take: Callable[[SendZcl], bool]) -> None:
        self._take = take
        self.world: World | None = None

    def send(self, order: SendZcl, handle: int) -> None:
        """Hand a frame over; what nobody takes was not delivered."""
        taken = self._take(order)
        if handle and self.world is not None and order.source is not None:
            self.world.settled(order.source, Settled(handle, taken, int(taken)))

    def cancel(self, handle: int) -> None:
        """Give nothing up: what was sent has settled."""
        del handle


class EmulatedEnd:
    """What both ends share: a world on the other side of the air, and what comes out of it.

    Attributes:
        eui64: The radio's own address.
    """

    def __init__(self, plan: Plan, eui64: Eui64, elsewhere: frozenset[Eui64]) -> None:
        """Build the other side.

        Args:
            plan: The home.
            eui64: The radio's own address.
            elsewhere: Devices of the home that are on this side.
        """
        ether = _Ether(self._comes)
        emulation = built(replace(plan, elsewhere=elsewhere), ether)
        self.eui64 = eui64
        self._world = ether.world = emulation.world
        self._driver: Driver[World] = Driver(emulation.world)
        self._book: AddressBook = emulation.world.boxes[0].node.book
        self._come: deque[HanFrame | HanEvent] = deque()
        self._failure: BenchError | None = None
        self._timers: list[asyncio.TimerHandle] = []

    def _comes(self, order: SendZcl) -> bool:
        source, to = self._book.find(order.source or order.to), self._book.find(order.to)
        if source is None or to is None or self._failure is not None:
            return False
        radio = self._book.of_node(source.short)[0].eui64
        if not self._is_heard(radio) or self._book.of_node(to.short)[0].eui64 != self.eui64:
            return False
        self._tell(HanFrame(radio, order.cluster, order.frame, source.endpoint, to.endpoint))
        return True

    def _is_heard(self, radio: Eui64) -> bool:
        """Say whether a node of the other side is on one network with us."""
        return radio is not None

    def _tell(self, news: HanFrame | HanEvent) -> None:
        self._come.append(news)
        self._driver.attend()

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(seconds, act))

    # -- mishaps, for tests --------------------------------------------------------------------

    def break_off(self, why: str) -> None:
        """Let the radio be lost."""
        self._failure = BenchError(f"the emulated radio is lost: {why}", where="emulated HAN")
        self._tell(HanEvent(HanEventKind.LOST, why=why))

    def mend(self) -> None:
        """Let the radio be back."""
        self._failure = None
        self._tell(HanEvent(HanEventKind.BACK))

    # -- the port ------------------------------------------------------------------------------

    async def received(self, seconds: float) -> HanFrame | HanEvent | None:
        """Return the next frame or event, in order; None when ``seconds`` have passed."""
        until_us = self._driver.now_us() + round(seconds * _MICRO)
        return await self._driver.wait_for(self._next, until_us)

    async def send(self, frame: HanFrame, *, acknowledged: bool = True) -> Delivery:
        """Send one ZCL frame; it arrives whole, or not at all.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        self._driver.catch_up()
        box = next((one for one in self._world.boxes if one.eui64 == frame.peer), None)
        here = self._book.find(self.eui64)
        if box is None or here is None or not self._is_heard(frame.peer):
            return _NO_NODE
        if not (box.powered and box.awake):
            return Delivery(not acknowledged, "" if not acknowledged else "no-acknowledgement")
        there = self._book.at(box.node.short, frame.peer_endpoint)
        source = self._book.at(here.short, frame.endpoint)
        if there is not None and source is not None:  # the radio acknowledges it all the same
            told = ZclIndication(source.eui64, there.eui64, frame.cluster, frame.octets)
            self._world.heard(told)
            self._driver.disturbed()
        return Delivery(True)

    async def close(self) -> None:
        """Let nobody join any more, and stop moving the world."""
        for timer in self._timers:
            timer.cancel()
        self._driver.detach()

    def _next(self) -> HanFrame | HanEvent | None:
        return self._come.popleft() if self._come else None

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure


class EmulatedHanHub(EmulatedEnd):
    """A coordinator of whom only the radio is there; around it stand emulated devices."""

    def __init__(self, plan: Plan, link_keys: Mapping[Eui64, bytes]) -> None:
        """Build the devices of a home, without power.

        Args:
            plan: The home.
            link_keys: Device -> key of its install code; others have the well-known one.
        """
        own, inside = _hub_of(plan)
        super().__init__(plan, own, inside)
        self._link_keys = link_keys
        self._network: HanNetwork | None = None
        self._joined: list[Eui64] = []
        self._world.run_until(self._world.now_us + _MICRO)  # they are switched on one by one
        for box in self._world.boxes:
            self._world.cut_power(box.eui64, 0)
        self._world.run_until(self._world.now_us)

    def _is_heard(self, radio: Eui64) -> bool:
        return radio in self._joined

    async def form(self, channel: int) -> HanNetwork:
        """Form the network, or return the one there is.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        if self._network is None:
            self._network = HanNetwork(self.eui64, self._book.pan_id, channel)
        return self._network

    async def permit(self, permit: Permit) -> None:
        """Let one device join for a while.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        known = self._link_keys.get(permit.device, WELL_KNOWN_LINK_KEY)
        fits = known == (WELL_KNOWN_LINK_KEY if permit.link_key is None else permit.link_key)
        here = any(box.eui64 == permit.device for box in self._world.boxes)
        if self._network is not None and fits and here and permit.seconds >= JOIN_S:
            self._later(JOIN_S, lambda: self._join(permit.device))

    def _join(self, device: Eui64) -> None:
        if device in self._joined:
            return
        self._joined.append(device)
        self._tell(HanEvent(HanEventKind.JOINED, device))
        self._driver.catch_up()
        self._world.cut_power(device, 2 * KEY_S)  # it wakes up behind its key
        self._driver.disturbed()
        self._later(KEY_S, lambda: self._tell(HanEvent(HanEventKind.KEY_ESTABLISHED, device)))

    async def nodes(self) -> Sequence[Eui64]:
        """Return who has joined.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        return tuple(self._joined)

    async def dismiss(self, device: Eui64) -> Delivery:
        """Ask a node to leave.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        if device not in self._joined:
            return _NO_NODE
        self._joined.remove(device)
        self._driver.catch_up()
        self._world.cut_power(device, 0)
        self._driver.disturbed()
        self._tell(HanEvent(HanEventKind.LEFT, device))
        return Delivery(True)


class EmulatedHanNode(EmulatedEnd):
    """A node of whom only the radio is there; its hub is emulated.

    Attributes:
        permits: Whether the hub lets anybody join.
    """

    def __init__(self, plan: Plan, role: DeviceType, link_key: bytes, channel: int) -> None:
        """Build the hub of a home.

        Args:
            plan: The home.
            role: Which of its devices the radio is of.
            link_key: Key of its install code, as it stands in the hub's device log.
            channel: The network's.
        """
        _hub, inside = _hub_of(plan)
        devices = {Eui64.parse(one.eui64) for one in plan.installation.devices}
        own = next(one for one in plan.installation.devices if one.role is role)
        super().__init__(plan, Eui64.parse(own.eui64), frozenset(devices - inside))
        self.permits = True
        self._link_key = link_key
        self._channel = channel
        self._stage = 0  # 0: on no network, 1: joined, 2: with a key

    def _is_heard(self, radio: Eui64) -> bool:
        return self._stage > 1 and radio in self._world.boxes[0].eui64s

    async def networks(self, channels: Sequence[int]) -> Sequence[HanNetwork]:
        """Scan; returns the hub's network where its channel is among those asked for.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        return [self._network()] if self._channel in channels else []

    async def join(self, network: HanNetwork, link_key: bytes) -> JoinOutcome:
        """Join under the key of the node's install code.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        if network.extended_pan_id != self._network().extended_pan_id:
            return JoinOutcome(False, "no-network", "no beacon of that network was heard")
        if not self.permits:
            return JoinOutcome(False, "not-permitted", "the hub permits nobody to join")
        if link_key != self._link_key:
            return JoinOutcome(False, "wrong-key", "the network key came, and could not be read")
        self._stage = max(self._stage, 1)
        return JoinOutcome(True)

    async def establish_key(self) -> JoinOutcome:
        """Agree with the hub on a link key; there is no arithmetic to it here.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        if not self._stage:
            return JoinOutcome(False, "no-network", "the node has joined no network")
        self._stage = 2
        return JoinOutcome(True)

    async def leave(self) -> None:
        """Leave the network.

        Raises:
            BenchError: The radio is lost.
        """
        self._check()
        self._stage = 0

    def _network(self) -> HanNetwork:
        hub = self._world.boxes[0].eui64
        return HanNetwork(hub, self._book.pan_id, self._channel, permits=self.permits)


def _hub_of(plan: Plan) -> tuple[Eui64, frozenset[Eui64]]:
    """Return the EUI-64 of a home's CHF, and those of CHF and GPF."""
    both = {DeviceType.CHF, DeviceType.GPF}
    found = {one.role: Eui64.parse(one.eui64) for one in plan.installation.devices}
    return found[DeviceType.CHF], frozenset(found[role] for role in both & found.keys())
