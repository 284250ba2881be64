"""HDLC on a meter's line: several clients' links to one application."""

from collections.abc import Sequence
from typing import Any

from emulator.codecs.dlms import hdlc_link
from emulator.codecs.dlms.dumped import Dumped
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Connected,
    Disconnected,
    Drop,
    Dropped,
    LinkSettings,
    Reason,
    Send,
)
from emulator.codecs.dlms.hdlc_parameters import Parameters
from emulator.codecs.dlms.hdlc_server import ServerLink
from emulator.codecs.dlms.hdlc_station import LinkKey, LinkOutput, Station
from emulator.core.clock import UtcMs
from emulator.core.effects import CloseDlms, Note, SendDlms
from emulator.servers.application import Application
from emulator.servers.line_parts import HangUp, LineOutput, Transmit

_DUMPED = frozenset({"station", "heard_ms"})


class HdlcPort:
    """The station of one line, and what its links ask the application.

    Attributes:
        baud: Speed it transmits and listens at; None where the line has none.
        ended: Why links ended in the last call, for whoever shares the line.
    """

    def __init__(
        self, application: Application, baud: int | None = None, *, hangs_up: bool = True
    ) -> None:
        """Make a station.

        Args:
            application: The line's door to the device.
            baud: Speed of the line, if it has one.
            hangs_up: Whether a line without a good frame for the inactivity time is closed.
        """
        self.baud = baud
        self.ended: list[Reason] = []
        self._application = application
        self._hangs_up = hangs_up
        self._heard_ms: int | None = None
        self._station = self._new_station()

    def _new_station(self) -> Station:
        section = self._application.section.hdlc
        size, window = section.max_information_bytes, section.window
        settings = LinkSettings(
            Parameters(size, size, window, window),
            max_apdu_bytes=self._application.max_apdu_bytes,
            inactivity_ms=self._application.inactivity_ms,
        )
        devices = frozenset({self._application.section.logical_device})
        return Station(settings, devices, section.physical_address, section.max_links)

    @property
    def connected(self) -> bool:
        """Whether any client has a link."""
        return bool(self._station.links)

    @property
    def kept_bytes(self) -> int:
        """Octets of an unfinished frame."""
        return self._station.splitter.kept_bytes

    @property
    def idle_ms(self) -> int | None:
        """When a line without any link has been without a good frame for too long, or None."""
        if self.connected or self._heard_ms is None:
            return None
        return self._heard_ms + self._application.inactivity_ms

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due, or None."""
        idle = self.idle_ms if self._hangs_up else None
        return min((at for at in (idle, self._station.deadline_ms) if at is not None), default=None)

    def begin(self, now: UtcMs) -> None:
        """Note that the line is there."""
        self._heard_ms = now

    def receive(self, octets: bytes, now: UtcMs) -> list[LineOutput]:
        """Take octets of the line."""
        return self._perform(self._station.feed(octets, now), now)

    def silence(self, now: UtcMs) -> list[LineOutput]:
        """Give up an unfinished frame."""
        return self._perform(self._station.silence(now), now)

    def expire(self, now: UtcMs) -> list[LineOutput]:
        """Note that time has passed: links end, polls are answered, a dead line is hung up."""
        out = self._perform(self._station.expire(now), now, heard=False)
        idle = self.idle_ms
        if self._hangs_up and idle is not None and now >= idle:
            self._heard_ms = None
            out.append(HangUp(Reason.INACTIVITY.value))
        return out

    def close(self, order: CloseDlms, now: UtcMs) -> list[LineOutput]:
        """Drop the links of one channel, or all, without a word; later polls get DM."""
        out: list[LineOutput] = []
        for key in list(self._station.links):
            channel = order.channel
            if channel is None or self._saps(key) == (channel.client, channel.server):
                out += self._end_quietly(key, now, tell_device=False)
        return out

    def tell(self, order: SendDlms) -> list[LineOutput]:
        """Send an APDU in a UI frame; the note says so when it cannot be sent."""
        wanted = (order.channel.client, order.channel.server)
        link = next(
            (link for key, link in self._station.links.items() if self._saps(key) == wanted), None
        )
        if link is None:
            return [_unsent("the client has no link")]
        if len(order.apdu) + hdlc_link.LLC_BYTES > link.agreed.transmit_bytes:
            return [_unsent("it does not fit one frame")]
        told = link.notify(order.apdu)
        return [Transmit(sent.octets, self.baud) for sent in told if isinstance(sent, Send)]

    def lost(self, now: UtcMs) -> list[LineOutput]:
        """End every link: the line itself is gone."""
        out: list[LineOutput] = []
        for key in list(self._station.links):
            out += self._end_quietly(key, now, tell_device=True)
        self.reset()
        return out

    def reset(self) -> None:
        """Forget everything."""
        self._station = self._new_station()
        self._heard_ms = None
        self.ended = []

    def dump(self) -> dict[str, Any]:
        """Return the station and when it heard a good frame."""
        return {"station": self._station.dump(), "heard_ms": self._heard_ms}

    def load(self, state: Any, path: str) -> None:
        """Take over a ``dump``."""
        dumped = Dumped(state, path, _DUMPED)
        heard_ms = dumped.optional_number("heard_ms")
        self._station.load(dumped.raw("station"), f"{path}.station")
        self._heard_ms = heard_ms

    # -- what the station puts out -------------------------------------------------------------

    def _perform(
        self, outputs: Sequence[LinkOutput], now: UtcMs, *, heard: bool = True
    ) -> list[LineOutput]:
        self.ended = []
        if outputs and heard:
            self._heard_ms = now
        return [done for item in outputs for done in self._one(item.key, item.output, now)]

    def _one(self, key: LinkKey, output: hdlc_link.Output, now: UtcMs) -> list[LineOutput]:
        match output:
            case Send():
                return [Transmit(output.octets, self.baud)]
            case ApduReceived():
                return self._ask(key, output, now)
            case Connected():
                return [*self._displace(key, now), _link_note(key, "open", "SNRM")]
            case Disconnected():
                return self._ended(key, output.reason, now)
            case Dropped():
                dropped = Note("line_frame_dropped", (("why", output.why.value),))
                if output.why is not Drop.REPEATED:
                    return [dropped]
                return [dropped, *self._application.repeated(*self._saps(key), now)]

    def _ask(self, key: LinkKey, message: ApduReceived, now: UtcMs) -> list[LineOutput]:
        client, server = self._saps(key)
        reply = self._application.ask(client, server, message.apdu, now)
        out: list[LineOutput] = []
        link = self._station.links.get(key)
        if message.numbered and link is not None:  # what comes in a UI frame is never answered
            for output in link.answer(reply.apdu, now):
                out += self._one(key, output, now)
        return [*out, *reply.rest]

    def _ended(self, key: LinkKey, reason: Reason, now: UtcMs) -> list[LineOutput]:
        self.ended.append(reason)
        client, server = self._saps(key)
        told = self._application.gone(client, server, now)
        return [_link_note(key, "closed", reason.value), *told]

    def _displace(self, new: LinkKey, now: UtcMs) -> list[LineOutput]:
        """End a link of the same client that called the server by another form of its address."""
        out: list[LineOutput] = []
        for key in list(self._station.links):
            if key != new and self._saps(key) == self._saps(new):
                out += self._end_quietly(key, now, tell_device=True)
        return out

    def _end_quietly(self, key: LinkKey, now: UtcMs, *, tell_device: bool) -> list[LineOutput]:
        link: ServerLink = self._station.links.pop(key)
        if not link.close():
            return []
        if tell_device:
            return self._ended(key, Reason.OWN, now)
        self.ended.append(Reason.OWN)
        return [_link_note(key, "closed", Reason.OWN.value)]

    def _saps(self, key: LinkKey) -> tuple[int, int]:
        """Return client and server access point; whoever is called here, one device is meant."""
        client, _called = key
        return client.upper, self._application.section.logical_device


def _link_note(key: LinkKey, state: str, why: str) -> Note:
    client, called = key
    fields = (("state", state), ("client", client.upper), ("server", called.upper), ("why", why))
    return Note("line_link", fields)


def _unsent(why: str) -> Note:
    return Note("line_unsent", (("why", why),))
