"""A meter's HDLC port: octets of one line in, links to several clients kept apart."""

from dataclasses import dataclass
from typing import Final

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.dlms.hdlc import Address, Frame
from emulator.codecs.dlms.hdlc_control import Kind
from emulator.codecs.dlms.hdlc_link import (
    Drop,
    Dropped,
    LinkSettings,
    Output,
)
from emulator.codecs.dlms.hdlc_server import ServerLink, ServerState
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.core.errors import MalformedFrameError

#: Upper and lower address of all stations, by bits of the address.
_ALL_STATIONS: Final = {1: 0x7F, 2: 0x7F, 4: 0x3FFF}
_DUMPED: Final = frozenset({"splitter", "links"})
_LINK: Final = frozenset({"client", "called", "link"})

#: A link's name: the client's address and the address it called the server by.
LinkKey = tuple[Address, Address]


@dataclass(frozen=True, slots=True)
class LinkOutput:
    """What one link put out.

    Attributes:
        key: Which link, to answer it by.
        output: What.
    """

    key: LinkKey
    output: Output


class Station:
    """All links of one meter on one line.

    A server is called by 1, 2 or 4 octets as each client likes; it answers in the form it was
    called by. A frame to all stations is heard when it is a UI frame, and never answered.

    Attributes:
        splitter: Where the line's octets go first; its counters tell about noise.
        links: The links by client and called address.
    """

    def __init__(
        self,
        settings: LinkSettings,
        logical_devices: frozenset[int],
        physical_device: int | None = None,
        max_links: int = 4,
    ) -> None:
        """Make a station.

        Args:
            settings: What every link offers.
            logical_devices: Upper addresses served.
            physical_device: Lower address; None takes any.
            max_links: Clients that may be connected at once; more get no answer.
        """
        self.splitter = FrameSplitter()
        self.links: dict[LinkKey, ServerLink] = {}
        self._settings = settings
        self._logical_devices = logical_devices
        self._physical_device = physical_device
        self._max_links = max_links

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        deadlines = [link.deadline_ms for link in self.links.values()]
        return min((at for at in deadlines if at is not None), default=None)

    def feed(self, octets: bytes, now_ms: int) -> list[LinkOutput]:
        """Take octets of the line."""
        return self._receive(self.splitter.feed(octets), now_ms)

    def silence(self, now_ms: int) -> list[LinkOutput]:
        """Note that the line was silent for an inter-octet time-out."""
        return self._receive(self.splitter.silence(), now_ms)

    def expire(self, now_ms: int) -> list[LinkOutput]:
        """Note that time has passed."""
        out = [
            LinkOutput(key, output)
            for key, link in self.links.items()
            for output in link.expire(now_ms)
        ]
        self._forget()
        return out

    def dump(self) -> State:
        """Return the splitter and every link, as JSON-able data."""
        links: list[Json] = [
            {
                "client": hdlc.encode_address(client).hex(),
                "called": hdlc.encode_address(called).hex(),
                "link": link.dump(),
            }
            for (client, called), link in self.links.items()
        ]
        return {"splitter": self.splitter.dump(), "links": links}

    def load(self, state: Json, path: str = "station") -> None:
        """Take over a ``dump`` of a station with the same settings.

        Raises:
            DumpedStateError: A value is missing, mistyped or beyond the limits, or a link is to
                another station; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        links: dict[LinkKey, ServerLink] = {}
        for row in dumped.rows("links", _LINK, self._max_links):
            client, called = _read_address(row, "client"), _read_address(row, "called")
            if not self._is_here(called) or _is_to_all(called):
                row.refuse("called", "not an address of this station")
            if (client, called) in links:
                row.refuse("called", "a second link of the same name")
            link = ServerLink(self._settings, called, client)
            link.load(row.raw("link"), f"{row.path}.link")
            links[client, called] = link
        splitter = FrameSplitter()
        splitter.load(dumped.raw("splitter"), f"{path}.splitter")
        self.splitter, self.links = splitter, links

    def _receive(self, frames: list[Frame], now_ms: int) -> list[LinkOutput]:
        return [output for frame in frames for output in self._one(frame, now_ms)]

    def _one(self, frame: Frame, now_ms: int) -> list[LinkOutput]:
        called = frame.destination
        key = (frame.source, called)
        if not self._is_here(called):
            return [LinkOutput(key, Dropped(Drop.NOT_FOR_US))]
        fresh = ServerLink(self._settings, called, frame.source)
        if _is_to_all(called):
            if frame.control.kind is not Kind.UI:
                return [LinkOutput(key, Dropped(Drop.NOT_EXPECTED))]
            return [LinkOutput(key, output) for output in fresh.receive(frame, now_ms)]
        self._forget()
        link = self.links.get(key, fresh)
        connects = frame.control.kind is Kind.SNRM and key not in self.links
        if connects and len(self.links) >= self._max_links:
            return [LinkOutput(key, Dropped(Drop.TOO_MANY_LINKS))]
        outputs = link.receive(frame, now_ms)
        self.links[key] = link
        self._forget()
        return [LinkOutput(key, output) for output in outputs]

    def _forget(self) -> None:
        for key, link in list(self.links.items()):
            if link.state is ServerState.DISCONNECTED:
                del self.links[key]

    def _is_here(self, called: Address) -> bool:
        every = _ALL_STATIONS[called.size]
        if called.upper != every and called.upper not in self._logical_devices:
            return False
        if called.lower is None or self._physical_device is None:
            return True
        return called.lower in {self._physical_device, every}


def _read_address(row: Dumped, name: str) -> Address:
    try:
        return hdlc.decode_address(row.octets(name))
    except MalformedFrameError as error:
        row.refuse(name, error.why)


def _is_to_all(called: Address) -> bool:
    return _ALL_STATIONS[called.size] in {called.upper, called.lower}
