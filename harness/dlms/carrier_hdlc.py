"""APDUs over one HDLC link, from the reading end."""

from typing import Any, Final

from emulator.codecs.dlms import hdlc
from emulator.codecs.dlms.hdlc import Address
from emulator.codecs.dlms.hdlc_client import ClientLink, ClientState
from emulator.codecs.dlms.hdlc_link import (
    ApduReceived,
    Connected,
    Disconnected,
    Dropped,
    Output,
    Reason,
    Send,
)
from emulator.codecs.dlms.hdlc_splitter import FrameSplitter
from emulator.core.errors import IllegalEventError
from harness.dlms.carrier import CarrierOutput, Gone, Heard, Stands
from harness.dlms.jobs import Write
from harness.dlms.settings import LineSettings, line_ms, paced
from harness.meter import Credentials, Silence

#: What is taken for the speed of a line of unknown speed when an answer is on its way.
_SLOW_BAUD: Final = 9_600
_LOST: Final = {
    Reason.OWN: "the link was closed",
    Reason.PEER: "the meter is not connected (DM): it dropped the link",
    Reason.REFUSED: "the meter would not connect (DM)",
    Reason.INACTIVITY: "nothing was said for so long that the link has ended",
    Reason.NO_ANSWER: "nothing came, repeats included",
    Reason.FRAME_REJECT: "the meter rejected a frame (FRMR)",
    Reason.BROKEN_RULES: "the meter broke the rules of HDLC numbering, length or negotiation",
    Reason.NEW_CONNECTION: "the link was opened anew",
}


class HdlcCarrier:
    """One HDLC link to one logical device.

    Attributes:
        dropped: Frames and messages of the line that changed nothing.
    """

    def __init__(self, settings: LineSettings, credentials: Credentials, baud: int | None) -> None:
        """Make a link that is not open yet.

        Raises:
            ValueError: An address does not fit the address size of the settings.
        """
        own = Address(credentials.client)
        peer = Address(credentials.server, settings.physical_address, settings.address_bytes)
        hdlc.encode_address(own), hdlc.encode_address(peer)
        link = paced(settings.link, baud, credentials.max_pdu_bytes)
        self.dropped = 0
        self._link = ClientLink(link, own, peer)
        self._splitter = FrameSplitter()
        self._silence_ms = settings.silence_ms
        self._longest_ms = line_ms(hdlc.MAX_BODY_BYTES, baud or _SLOW_BAUD)
        self._pause_ms: int | None = None  # when an unfinished frame is given up

    @property
    def deadline_ms(self) -> int | None:
        """When ``expire`` is due: the link's own, or the end of a pause inside a frame."""
        due, pause = self._link_due(), self._pause_ms
        if due is None or pause is None:
            return pause if due is None else due
        return min(due, pause)

    def _link_due(self) -> int | None:
        """Return the link's deadline; while a frame comes in, no repeat talks into it."""
        due, pause = self._link.deadline_ms, self._pause_ms
        if due is None or pause is None:
            return due
        return max(due, min(pause, due + self._longest_ms))

    def open(self, now_ms: int) -> list[CarrierOutput]:
        """Send SNRM."""
        return self._told(self._link.connect(now_ms))

    def send(self, apdu: bytes, now_ms: int) -> list[CarrierOutput]:
        """Send one APDU, in segments where it is long."""
        return self._told(self._link.send(apdu, now_ms))

    def listen(self, now_ms: int) -> list[CarrierOutput]:
        """Refuse: a meter speaks when it is asked.

        Raises:
            IllegalEventError: Always.
        """
        raise IllegalEventError(f"listen on an HDLC link at {now_ms}")

    def close(self, now_ms: int) -> list[CarrierOutput]:
        """Send DISC; where the link is gone already there is nothing to say."""
        if self._link.state is ClientState.DISCONNECTED:
            return [Gone(Silence.LINK_LOST, _LOST[Reason.OWN], orderly=True)]
        return self._told(self._link.disconnect(now_ms))

    def receive(self, octets: bytes, now_ms: int) -> list[CarrierOutput]:
        """Take octets of the line."""
        out = self._framed(self._splitter.feed(octets), now_ms)
        unfinished = self._splitter.kept_bytes > 1  # a flag alone is no frame
        self._pause_ms = now_ms + self._silence_ms if unfinished else None
        return out

    def silence(self, now_ms: int) -> list[CarrierOutput]:
        """Give up an unfinished frame."""
        self._pause_ms = None
        return self._framed(self._splitter.silence(), now_ms)

    def expire(self, now_ms: int) -> list[CarrierOutput]:
        """Note that time has passed."""
        out: list[CarrierOutput] = []
        if self._pause_ms is not None and now_ms >= self._pause_ms:
            out += self.silence(now_ms)
        due = self._link_due()
        if due is not None and now_ms >= due:
            out += self._told(self._link.expire(now_ms))
        return out

    def dump(self) -> dict[str, Any]:
        """Return link and splitter; the pause inside a frame is not kept, there is none."""
        return {"link": self._link.dump(), "splitter": self._splitter.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a ``dump``."""
        self._link.load(state["link"])
        self._splitter.load(state["splitter"])

    def _framed(self, frames: list[hdlc.Frame], now_ms: int) -> list[CarrierOutput]:
        out: list[CarrierOutput] = []
        for frame in frames:
            out += self._told(self._link.receive(frame, now_ms))
        return out

    def _told(self, outputs: list[Output]) -> list[CarrierOutput]:
        out: list[CarrierOutput] = []
        for output in outputs:
            match output:
                case Send():
                    out.append(Write(output.octets))
                case Connected():
                    out.append(Stands())
                case ApduReceived(apdu, numbered=True):
                    out.append(Heard(apdu))
                case Disconnected():
                    out.append(_gone(output.reason))
                case ApduReceived() | Dropped():  # told unasked, or not acted upon
                    self.dropped += 1
        return out


def _gone(reason: Reason) -> Gone:
    why = Silence.NO_ANSWER if reason is Reason.NO_ANSWER else Silence.LINK_LOST
    return Gone(why, _LOST[reason], orderly=reason is Reason.OWN)
