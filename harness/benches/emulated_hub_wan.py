"""The WAN side of emulated SMETS1 hubs: whose network, what came from it, sorted by receiver."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from emulator.codecs.dlms import data_notification, wrapper
from emulator.codecs.dlms.hub_alert import HubAlert
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError
from emulator.crypto.dlms_factory import FactoryKeys
from emulator.runtime.driver import Driver
from emulator.runtime.smets1_home import Smets1Emulation
from emulator.wan.sim_network import NETWORKS
from harness.benches.emulated_meter_port import EmulatedMeterPort
from harness.dlms.line import ReaderLine
from harness.errors import BenchError, UsageError
from harness.meter import Association, Credentials
from harness.ports import Notice, SimAnswer

_NOTIFICATION: Final = bytes((data_notification.TAG,))
#: What a party's head end has of one wrapper port.
_Place = tuple[str, int]


class Post:
    """Sorts what comes from one hub: answers by party and wrapper port, notices by party."""

    def __init__(self, emulation: Smets1Emulation) -> None:
        """Take the home."""
        self._world = emulation.world
        self._boxes: dict[_Place, deque[bytes]] = {}
        self._notices: dict[str, deque[Notice]] = {}
        self._alerts: list[tuple[str, Notice]] = []

    def take(self, party: str, port: int) -> list[bytes]:
        """Return the frames of a port for a party, in order; unreadable ones are dropped."""
        self._sort()
        waiting = self._boxes.pop((party, port), None) if self._boxes else None
        return [] if waiting is None else [*waiting]

    def notice(self, party: str, until: UtcMs) -> Notice | None:
        """Return the next notice for a party that arrived before ``until``."""
        self._sort()
        waiting = self._notices.get(party)
        return waiting.popleft() if waiting and waiting[0].at < until else None

    def alerts(self) -> list[tuple[str, Notice]]:
        """Return whom the hub told of trouble since the last call, and with what, in order."""
        self._sort()
        found, self._alerts = self._alerts, []
        return found

    def _sort(self) -> None:
        world = self._world
        arrived = world.take_arrived()
        while world.to_dsp:  # a hub without a SIM: its one head end is everybody's
            arrived.append((NETWORKS[0], world.now_us, world.to_dsp.popleft()))
        for party, at_us, octets in arrived:
            try:
                frame = wrapper.decode(octets)
            except MalformedFrameError:
                continue
            if frame.apdu[:1] == _NOTIFICATION:
                notice = Notice(UtcMs(at_us // 1000), frame.apdu)
                if HubAlert.read(frame.apdu) is not None:
                    self._alerts.append((party, notice))
                    continue
                self._notices.setdefault(party, deque()).append(notice)
            else:
                self._boxes.setdefault((party, frame.source), deque()).append(octets)

    def dump(self) -> dict[str, Any]:
        """Return what waits."""
        self._sort()
        return {
            "frames": [[*place, [*box]] for place, box in self._boxes.items()],
            "notices": {
                party: [[one.at, one.octets] for one in waiting]
                for party, waiting in self._notices.items()
            },
            "alerts": [[party, one.at, one.octets] for party, one in self._alerts],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over what waited."""
        self._boxes = {(party, port): deque(box) for party, port, box in state["frames"]}
        self._notices = {
            party: deque(Notice(UtcMs(at), octets) for at, octets in waiting)
            for party, waiting in state["notices"].items()
        }
        self._alerts = [(party, Notice(UtcMs(at), raw)) for party, at, raw in state["alerts"]]


class WanWire:
    """A head end's way to one device behind the hub: wrapper frames over its own network.

    Attributes:
        connected: A WAN is always there; what it cannot deliver stays unanswered.
        world: The home it leads into.
    """

    connected = True

    def __init__(self, emulation: Smets1Emulation, post: Post, port: int, party: str) -> None:
        """Take the home, its post, the wrapper port of the device, and whose head end it is."""
        self.world = emulation.world
        self._post = post
        self._port = port
        self._party = party
        self._splitter = wrapper.WrapperSplitter()

    def connect(self) -> bool:
        """Begin with no half frame from before."""
        self._splitter = wrapper.WrapperSplitter()
        return True

    def disconnect(self) -> None:
        """Forget half a frame."""
        self._splitter = wrapper.WrapperSplitter()

    def send(self, octets: bytes) -> None:
        """Send what the reader wrote: whole wrapper frames."""
        for frame in self._splitter.feed(octets):
            self.world.send_wan(wrapper.encode(frame), self._party)

    def take_received(self) -> list[tuple[int, bytes]]:
        """Return what came from the device, with the present moment in microseconds."""
        frames = self._post.take(self._party, self._port)
        if not frames:  # asked after each event: mostly nothing came
            return []
        now_us = self.world.now_us
        return [(now_us, octets) for octets in frames]


class HomePort(EmulatedMeterPort):
    """One head end's port of one device in a SMETS1 home.

    Where two head ends present themselves alike (one uses what the other was given), the second
    goes on counting where the first stands: a device takes no counter twice.
    """

    def __init__(
        self,
        driver: Driver[Any],
        wire: WanWire,
        line: ReaderLine,
        keys: FactoryKeys,
        others: Callable[[], Iterable[ReaderLine]],
    ) -> None:
        """Take what leads to the device.

        Args:
            driver: Moves the homes.
            wire: What leads to the device.
            line: The reading end.
            keys: What the bench's own clients of the device hold.
            others: Returns the lines of all head ends to this device.
        """
        super().__init__(driver, wire, line, keys)
        self._others = others
        self._of = wire.world

    async def associate(self, credentials: Credentials) -> Association:
        """Open the link where it is closed, and associate; ends what association there was.

        Raises:
            BenchError: The credentials lack a secret, keys or a title that they need.
        """
        keys, title = credentials.keys, credentials.title
        if keys is not None:
            last = max((one.last_counter(keys, title) for one in self._others()), default=0)
            self.line.resume_counter(keys, title, last)
        return await super().associate(credentials)


class EmulatedHubWan:
    """The WAN side of one emulated SMETS1 hub, as its mobile network knows it."""

    def __init__(self, driver: Driver[Any], emulation: Smets1Emulation, post: Post) -> None:
        """Take what moves the homes, the hub's home, and its post.

        Raises:
            BenchError: The hub's profile says nothing of a mobile network.
        """
        sim = emulation.world.sim
        if sim is None:
            raise BenchError(
                "the SIM of this hub cannot be moved",
                where=emulation.ref,
                cause="its profile has no [dlms.wan] section",
                next_command="smetsbench profiles demo-s1-chf",
            )
        self._driver = driver
        self._world = emulation.world
        self._sim = sim
        self._post = post

    async def sim_owner(self) -> str:
        """Return the party whose network carries the SIM."""
        self._driver.catch_up()
        return self._sim.owner

    async def change_sim(self, to: str) -> SimAnswer:
        """Have the SIM moved to another party's network; the hub attaches there by itself.

        Raises:
            UsageError: That party has no network.
        """
        _known(to)
        self._driver.catch_up()
        move = self._world.move_sim(to)
        self._driver.disturbed()
        return SimAnswer(move.done, move.why)

    async def notified(self, party: str, until: UtcMs) -> Notice | None:
        """Return the next notice of the hub to that party's head end; None at ``until``.

        Raises:
            UsageError: That party has no network.
        """
        _known(party)
        return await self._driver.wait_for(
            lambda: self._post.notice(party, until), until * 1000, self._world
        )


def _known(party: str) -> None:
    if party not in NETWORKS:
        raise UsageError(
            f"{party!r} has no mobile network",
            where="the SIM of a SMETS1 hub",
            cause=f"networks are those of {' and '.join(NETWORKS)}",
        )
