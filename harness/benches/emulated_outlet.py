"""Carries the frames of an emulated home to and from nodes behind a Zigbee radio, and back."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from emulator.core.effects import SendZcl, ZclIndication
from emulator.core.ids import Eui64
from emulator.han.address_book import AddressBook, Place
from emulator.han.labels import label_of, wants_ack
from emulator.han.outputs import Settled
from emulator.runtime.driver import Driver, Moving
from emulator.runtime.world import World
from harness.errors import BenchError
from harness.han_ports import Delivery, HanEnd, HanEvent, HanEventKind, HanFrame

T = TypeVar("T")
W = TypeVar("W", bound=Moving)
#: How long one wait for a frame lasts, in seconds of the wall. Source: invented.
_LISTEN_S: Final = 1.0
#: Frames that wait for one node; more are refused. Source: invented.
_MAX_WAITING: Final = 256
#: Reasons of a failed delivery after which the other side may have the frame all the same.
_UNSURE: Final = frozenset({"no-acknowledgement"})


class OutletDriver(Driver[W]):
    """Moves a world (or homes) all the time, and tells whoever waits that the radio has failed.

    Attributes:
        failure: Why the bench cannot go on; None: it can.
    """

    def __init__(self, world: W, moving: Moving | None = None) -> None:
        """Take what is built, and what moves of it."""
        super().__init__(world, moving)
        self.failure: BenchError | None = None

    async def keep_moving(self) -> None:
        """Move the world whatever happens; ends by being cancelled."""
        await super().wait_for(_never)

    async def wait_for(
        self, ready: Callable[[], T | None], until_us: int | None = None, of: object = None
    ) -> T | None:
        """Wait until ``ready`` returns something.

        Raises:
            BenchError: The radio failed, before or meanwhile.
        """

        def checked() -> T | None:
            self.check()
            return ready()

        return await super().wait_for(checked, until_us, of)

    def check(self) -> None:
        """Return while the radio works.

        Raises:
            BenchError: It has failed.
        """
        if self.failure is not None:
            raise self.failure

    def fail(self, failure: BenchError | None) -> None:
        """Take notice that the radio has failed, or (None) that it is back."""
        self.failure = failure
        self.attend()


@dataclass(slots=True)
class _Waiting:
    """A frame on its way to a node."""

    frame: HanFrame
    source: Eui64
    handle: int
    acknowledged: bool


class RadioOutlet:
    """An ``emulator.runtime.outlet.Outlet`` over one end of a HAN.

    Frames to one node go out one after the other; those to different nodes do not wait for each
    other. A node is answered at the endpoint from which it spoke last on that cluster, because
    nothing obliges it to live where its profile says.

    Attributes:
        events: Takes what happens on the HAN besides frames.
    """

    def __init__(self) -> None:
        """Make one that leads nowhere yet; people call ``bind`` and ``begin``."""
        self.events: Callable[[HanEvent], None] = _ignore
        self._driver: OutletDriver[Any] | None = None
        self._world: World | None = None
        self._book = AddressBook(0, ())
        self._roles: Mapping[Eui64, str] = {}
        self._end: HanEnd | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._queues: dict[Eui64, deque[_Waiting]] = {}
        self._spoke_from: dict[tuple[Eui64, int], int] = {}

    def bind(
        self, driver: OutletDriver[Any], world: World, roles: Mapping[Eui64, str] | None = None
    ) -> None:
        """Take the world that the frames are of.

        Args:
            driver: What moves it.
            world: The world; who is where in its home, its hub knows.
            roles: What each device behind the radio is, in the words of faults.
        """
        self._driver = driver
        self._world = world
        self._book = world.boxes[0].node.book
        self._roles = roles or {}

    def role_of(self, device: Eui64) -> str:
        """Return what a device behind the radio is, in the words of faults; empty: unknown."""
        return self._roles.get(device, "")

    def begin(self, end: HanEnd) -> None:
        """Let frames pass, and the world move, until ``stop``."""
        self._end = end
        driver = self._bound()
        self._spawn(self._listen(end))
        self._spawn(driver.keep_moving())

    async def stop(self) -> None:
        """Let nothing pass any more."""
        tasks, self._tasks = list(self._tasks), set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- outwards ------------------------------------------------------------------------------

    def send(self, order: SendZcl, handle: int) -> None:
        """Send one ZCL frame of the world."""
        source = order.source or order.to
        there, here = self._book.find(order.to), self._book.find(source)
        if there is None or here is None or self._end is None:
            self._later(source, handle, Delivery(False, "no-such-node"))
            return
        peer = self._radio(there)
        endpoint = self._spoke_from.get((peer, order.cluster), there.endpoint)
        if peer == self._radio(self._hub()):
            endpoint = there.endpoint  # two applications live there: each is where it is
        frame = HanFrame(peer, order.cluster, order.frame, endpoint, here.endpoint)
        asks = bool(handle) or wants_ack(label_of(order.cluster, order.frame))
        queue = self._queues.setdefault(peer, deque())
        if len(queue) >= _MAX_WAITING:
            self._later(source, handle, Delivery(False, "refused"))
            return
        queue.append(_Waiting(frame, source, handle, asks))
        if len(queue) == 1:
            self._spawn(self._work(queue))

    def cancel(self, handle: int) -> None:
        """Give up what has not gone out yet; what has settles by itself."""
        for queue in self._queues.values():
            for number, waiting in enumerate(queue):
                if waiting.handle == handle and number:
                    queue.remove(waiting)
                    self._home().settled(waiting.source, Settled(handle, False, 0))
                    return

    async def _work(self, queue: deque[_Waiting]) -> None:
        end = self._end
        while queue and end is not None:
            waiting = queue[0]
            try:
                fate = await end.send(waiting.frame, acknowledged=waiting.acknowledged)
            except BenchError as error:
                self._bound().fail(error)
                fate = Delivery(False, "no-acknowledgement")
            queue.popleft()
            self._settle(waiting.source, waiting.handle, fate)

    def _later(self, source: Eui64, handle: int, fate: Delivery) -> None:
        if handle:
            asyncio.get_running_loop().call_soon(self._settle, source, handle, fate)

    def _settle(self, source: Eui64, handle: int, fate: Delivery) -> None:
        if not handle:
            return
        driver = self._bound()
        driver.catch_up()
        sent = int(fate.delivered or fate.why in _UNSURE)
        self._home().settled(source, Settled(handle, fate.delivered, sent))
        driver.disturbed()

    # -- inwards -------------------------------------------------------------------------------

    async def _listen(self, end: HanEnd) -> None:
        while True:
            try:
                got = await end.received(_LISTEN_S)
            except BenchError as error:
                self._bound().fail(error)
                await asyncio.sleep(_LISTEN_S)
                continue
            if isinstance(got, HanFrame):
                self._heard(got)
            elif got is not None:
                self._happened(got)

    def _heard(self, frame: HanFrame) -> None:
        self._spoke_from[frame.peer, frame.cluster] = frame.peer_endpoint
        source = self._application(frame.peer, frame.peer_endpoint)
        here = self._application(self._own(), frame.endpoint)
        driver = self._bound()
        driver.catch_up()
        self._home().heard(ZclIndication(source, here, frame.cluster, frame.octets))
        driver.disturbed()

    def _happened(self, event: HanEvent) -> None:
        if event.kind is HanEventKind.LOST:
            self._bound().fail(lost(event.why))
        elif event.kind is HanEventKind.BACK:
            self._bound().fail(None)
        self.events(event)

    # -- who is where --------------------------------------------------------------------------

    def _application(self, radio: Eui64, endpoint: int) -> Eui64:
        """Return who lives at an endpoint of a radio; its first application where nobody does."""
        place = self._book.find(radio)
        if place is None:
            return radio
        found = self._book.at(place.short, endpoint)
        return radio if found is None else found.eui64

    def _radio(self, place: Place) -> Eui64:
        return self._book.of_node(place.short)[0].eui64

    def _own(self) -> Eui64:
        return self._home().boxes[0].eui64

    def _hub(self) -> Place:
        return self._book.of_node(0)[0]

    def _home(self) -> World:
        if self._world is None:
            raise LookupError("an outlet that is bound to no world")
        return self._world

    def _bound(self) -> OutletDriver[Any]:
        if self._driver is None:
            raise LookupError("an outlet that is bound to no world")
        return self._driver

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            why = f"{type(task.exception()).__name__}: {task.exception()}"
            self._bound().fail(BenchError("the way to the radio broke", cause=why))


def lost(why: str) -> BenchError:
    """Return what is said when the dongle is lost in the middle of a run."""
    return BenchError(
        f"the dongle is lost: {why or 'its driver says no more'}",
        cause="it was unplugged, reset itself, or does not answer",
        next_command="smetsbench bench doctor FILE   (then smetsbench resume RUN, or run again)",
    )


def _ignore(_event: HanEvent) -> None:
    """Nobody wants to know."""


def _never() -> None:
    """Nothing is waited for."""
