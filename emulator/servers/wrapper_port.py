"""The DLMS wrapper on one TCP connection of a meter."""

from typing import Any, Final

from emulator.codecs.dlms import wrapper
from emulator.codecs.dlms.dumped import Dumped
from emulator.codecs.dlms.hdlc_link import Reason
from emulator.codecs.dlms.wrapper import WrapperFrame, WrapperSplitter
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, SendDlms
from emulator.servers.application import Application
from emulator.servers.line_parts import HangUp, LineOutput, Transmit

#: Clients that may speak on one connection. Source: invented, so that memory stays bounded.
MAX_CLIENTS: Final = 16
_DUMPED: Final = frozenset({"splitter", "clients", "heard_ms", "over"})
_CLIENT: Final = frozenset({"client"})


class WrapperPort:
    """Frames of one connection; it is closed on the first that means nothing here.

    The wrapper has no word of refusal and a stream no mark to go on from, so a wrong version, a
    length beyond the limit and a port nobody listens at end the connection.
    """

    baud: Final = None

    def __init__(self, application: Application) -> None:
        self._application = application
        self._splitter = WrapperSplitter(application.max_apdu_bytes)
        self._clients: set[int] = set()
        self._heard_ms: int | None = None
        self._over = False

    @property
    def kept_bytes(self) -> int:
        """Nothing that silence could give up: TCP loses no octets."""
        return 0

    @property
    def deadline_ms(self) -> int | None:
        """When the connection has been without a whole frame for too long."""
        if self._over or self._heard_ms is None:
            return None
        return self._heard_ms + self._application.inactivity_ms

    def begin(self, now: UtcMs) -> None:
        """Note that the connection was made."""
        self._heard_ms = now

    def receive(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        """Take octets of the connection."""
        out: list[LineOutput] = []
        for frame in self._splitter.feed(octets):
            out += self._one(frame, now)
        if self._splitter.broken is not None:
            out += self._hang_up(self._splitter.broken.why)
        return out

    def silence(self, now: UtcMs) -> list[LineOutput]:  # noqa: ARG002 -- one signature for all ports
        """Nothing: silence means nothing on TCP."""
        return []

    def expire(self, now: UtcMs) -> list[LineOutput]:
        """Note that time has passed."""
        deadline = self.deadline_ms
        if deadline is None or now < deadline:
            return []
        return self._hang_up(Reason.INACTIVITY.value)

    def close(self, order: CloseDlms, now: UtcMs) -> list[LineOutput]:  # noqa: ARG002 -- as above
        """Close the connection when the device drops a client of it."""
        channel = order.channel
        mine = bool(self._clients) if channel is None else channel.client in self._clients
        if not mine:
            return []
        if channel is None:
            self._clients.clear()
        else:
            self._clients.discard(channel.client)
        return self._hang_up(Reason.OWN.value)

    def tell(self, order: SendDlms) -> list[LineOutput]:
        """Send an APDU that nobody asked for."""
        return [] if self._over else [self._transmit(order.channel.client, order.apdu)]

    def lost(self, now: UtcMs) -> list[LineOutput]:
        """Tell the device of every client that the connection is gone."""
        server = self._application.section.logical_device
        out: list[LineOutput] = []
        for client in sorted(self._clients):
            out += self._application.gone(client, server, now)
        self.reset()
        self._over = True
        return out

    def reset(self) -> None:
        """Forget everything."""
        self._splitter = WrapperSplitter(self._application.max_apdu_bytes)
        self._clients.clear()
        self._heard_ms = None
        self._over = False

    def dump(self) -> dict[str, Any]:
        """Return everything as JSON-able data."""
        return {
            "splitter": self._splitter.dump(),
            "clients": [{"client": client} for client in sorted(self._clients)],
            "heard_ms": self._heard_ms,
            "over": self._over,
        }

    def load(self, state: Any, path: str) -> None:
        """Take over a ``dump``."""
        dumped = Dumped(state, path, _DUMPED)
        rows = dumped.rows("clients", _CLIENT, MAX_CLIENTS)
        clients = {row.number("client", 0, 0xFFFF) for row in rows}
        heard_ms, over = dumped.optional_number("heard_ms"), dumped.flag("over")
        self._splitter.load(dumped.raw("splitter"), f"{path}.splitter")
        self._clients, self._heard_ms, self._over = clients, heard_ms, over

    def _one(self, frame: WrapperFrame, now: UtcMs) -> list[LineOutput]:
        if self._over:
            return []
        self._heard_ms = now
        server = self._application.section.logical_device
        if frame.destination != server:
            return self._hang_up(f"nobody listens at wrapper port {frame.destination}")
        if not frame.apdu:
            return self._hang_up("a frame without an APDU")
        self._clients.add(frame.source)
        if len(self._clients) > MAX_CLIENTS:
            self._clients.discard(frame.source)
            return self._hang_up(f"more than {MAX_CLIENTS} clients on one connection")
        reply = self._application.ask(frame.source, server, frame.apdu, now)
        answered = [] if reply.apdu is None else [self._transmit(frame.source, reply.apdu)]
        return [*answered, *reply.rest]

    def _transmit(self, client: int, apdu: bytes) -> Transmit:
        server = self._application.section.logical_device
        return Transmit(wrapper.encode(WrapperFrame(server, client, apdu)), None)

    def _hang_up(self, why: str) -> list[LineOutput]:
        """Ask for the connection to be closed, once."""
        hang_up: list[LineOutput] = [] if self._over else [HangUp(why)]
        self._over = True
        return hang_up
