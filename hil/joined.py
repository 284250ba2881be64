"""A device of ours on somebody's hub: it joins through a dongle, and answers as itself."""

import asyncio
import contextlib
from pathlib import Path
from typing import Final

from harness.benches.emulated_outlet_bench import OutletBench, outlet_bench
from harness.errors import BenchError, HarnessError, UsageError
from harness.han_ports import HanNetwork
from harness.ports import Observation
from harness.run import plain
from hil import locks
from hil.arming import ArmedGuard
from hil.dongle_guard import permit_joining
from hil.dongle_place import Place, place_of
from hil.drivers.zigbee_node import DongleNode
from hil.loopback_wan import LoopbackWan
from hil.node_plan import NodePlan, Wanted
from hil.node_state import NodeState
from hil.node_steps import Tell, ToldNode

#: How often the state is written while the device stands there, seconds of the wall.
_KEEP_S: Final = 5.0
_LOOK_S: Final = 0.25


class JoinedDevice:
    """A device on a hub's network.

    Attributes:
        bench: The device, and the way to its hub.
        role: Its device type.
        eui64: Its EUI-64.
        network: The network.
        resumed: Whether it went on where it was.
        sealed: Whether it has agreed on a key with its hub.
        place: Where the dongle is reached.
    """

    def __init__(
        self,
        plan: NodePlan,
        bench: OutletBench,
        place: Place,
        node: ToldNode,
        held: contextlib.AsyncExitStack,
    ) -> None:
        """Take what ``joined`` has opened, and what closes it."""
        self.bench = bench
        self.role = plan.role
        self.eui64 = plan.own
        self.network = HanNetwork(plan.hub, 0xFFFF, 0)
        self.place = place
        self._plan = plan
        self._node = node
        self._held = held

    @property
    def resumed(self) -> bool:
        """Whether it went on where it was."""
        return self._node.resumed

    @property
    def sealed(self) -> bool:
        """Whether it has agreed on a key with its hub."""
        return self._node.sealed

    @property
    def wan(self) -> LoopbackWan:
        """The WAN of its hub, where that is emulated beside a loopback dongle.

        Raises:
            UsageError: The hub is somebody's.
        """
        if self.place.child is not None:
            return LoopbackWan(self.place.child.child)
        raise UsageError(
            "nobody here has the hub's WAN",
            where=f"dongle {self._plan.name} ({self._plan.section.where})",
            cause="the hub is not emulated beside a loopback dongle",
            next_command="send commands by the hub's own WAN",
        )

    def keep(self) -> None:
        """Write what the device remembers, where there is a file for it.

        Raises:
            UsageError: It cannot be written.
        """
        path = self._plan.wanted.state
        if path is not None:
            world = self.bench.world.dump()
            seed = self._plan.options.seed
            NodeState(self.eui64, seed, self.network, self.sealed, world).write(path)

    async def stand(self, stopped: asyncio.Event, tell: Tell, seconds: float | None) -> None:
        """Stay on the network and answer, until stopped.

        A dongle that is lost may come back for as long as the bench file says.

        Args:
            stopped: Set by whoever wants it to end.
            tell: Takes one line for each thing that happens in the device.
            seconds: How long, of the wall; None: until stopped.

        Raises:
            BenchError: The dongle is lost and does not come back.
        """
        loop, wall = asyncio.get_running_loop(), self.bench.wall
        until = None if seconds is None else loop.time() + seconds * wall
        kept = lost_at = loop.time()
        failure: BenchError | None = None
        while not stopped.is_set() and (until is None or loop.time() < until):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_S * wall):
                    await stopped.wait()
            for one in self.bench.take_observations():
                tell(_line(one))
            before, failure = failure, self.bench.radio.failure
            if failure is not None and before is None:
                lost_at = loop.time()
                tell(f"{failure.what}; waiting for it")
            elif failure is None and before is not None:
                tell("the dongle is back")
            if failure is not None and loop.time() - lost_at > self._plan.reopen_s * wall:
                raise self.place.cause_of(failure)
            if loop.time() - kept > _KEEP_S * wall:
                kept = loop.time()
                self.keep()
        if failure is not None:
            raise self.place.cause_of(failure)

    async def close(self) -> None:
        """Write the state, close the line, and end what was started."""
        try:
            self.keep()
        finally:
            await self._held.aclose()


async def joined(wanted: Wanted, tell: Tell) -> JoinedDevice:
    """Have the device of a bench file join its hub: scan, install code, CBKE.

    A device whose state is kept, and whose dongle is still on its network, goes on there.

    Args:
        wanted: What is to join.
        tell: Takes one line for each step.

    Raises:
        UsageError: The bench file, installation, profile or state cannot be used.
        NotPermittedError: The bench is not armed, or the hub not on its list.
        BenchError: The dongle is not there or unfit, or the hub does not take the device.
    """
    plan = NodePlan.of(wanted)
    loaded, section = wanted.loaded, plan.section
    before = None if wanted.state is None else _before(plan, wanted.state)
    bench = outlet_bench(plan.options, plan.behind(), OutletBench)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(bench.close)
        if section.is_real:
            permit_joining(ArmedGuard(loaded, "bench join", ask=wanted.ask), [plan.hub])
            port = locks.port_name(section.where.target)
            stack.enter_context(locks.acquire(port, loaded.content.bench.operator))
        if before is not None:
            _taken_up(bench, before, wanted.state)
        bench.begin()
        place = await asyncio.to_thread(place_of, loaded.path, section, lambda: plan.around(bench))
        stack.push_async_callback(asyncio.to_thread, place.close)
        try:
            driver = await DongleNode.open(plan.settings(place.path, bench))
            stack.push_async_callback(driver.close)
            network = None if before is None else before.network
            node = ToldNode(driver, tell, network, sealed=before is not None and before.sealed)
            held = contextlib.AsyncExitStack()
            device = JoinedDevice(plan, bench, place, node, held)
            device.network = await bench.join(node, section.channels)
        except HarnessError as error:
            cause = place.cause_of(error)
            raise cause from (None if cause is error else error)
        device.keep()
        held.push_async_callback(stack.pop_all().aclose)
        return device


def _before(plan: NodePlan, path: Path) -> NodeState | None:
    return NodeState.read(path, plan.own, plan.options.seed)


def _taken_up(bench: OutletBench, before: NodeState, path: Path | None) -> None:
    try:
        bench.world.load(before.world)
    except (HarnessError, KeyError, TypeError, ValueError) as error:
        raise UsageError(
            "what the device remembers cannot be used",
            where=f"--state {path}",
            cause=f"it was kept with another bench file or version ({type(error).__name__})",
            next_command="--state NEW-FILE",
        ) from error


def _line(seen: Observation) -> str:
    told = " ".join(f"{name}={plain(value)}" for name, value in seen.fields)
    return f"{seen.kind} {told}".strip()
