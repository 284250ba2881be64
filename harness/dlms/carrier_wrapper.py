"""APDUs over one connection with the DLMS wrapper, from the reading end."""

from typing import Any, Final

from emulator.codecs.dlms import data_notification, wrapper
from emulator.codecs.dlms.apdu_ciphered import SERVICE_TAGS
from emulator.codecs.dlms.wrapper import WrapperFrame, WrapperSplitter
from harness.dlms.carrier import CarrierOutput, Gone, Heard, Stands
from harness.dlms.jobs import Write
from harness.dlms.settings import LineSettings, line_ms
from harness.meter import Credentials, Silence

_EVENT_NOTIFICATION: Final = 0xC2
#: First octets of what a meter says unasked.
_UNASKED: Final = frozenset(
    {data_notification.TAG, _EVENT_NOTIFICATION, *SERVICE_TAGS[_EVENT_NOTIFICATION]}
)


class WrapperCarrier:
    """One client's frames on a connection that the owner has opened.

    TCP brings octets in order and whole or not at all, so nothing is repeated here.

    Attributes:
        is_broken: The stream cannot be read any more: the owner has to connect anew.
        dropped: Frames that nobody waits for.
    """

    def __init__(self, settings: LineSettings, credentials: Credentials) -> None:
        """Make one client's way to the meter."""
        port = settings.wrapper_port
        self.dropped = 0
        self._own, self._peer = credentials.client, credentials.server if port is None else port
        self._splitter = WrapperSplitter()
        self._patience_ms = settings.link.reply_timeout_ms + line_ms(
            3 * (credentials.max_pdu_bytes or wrapper.MAX_APDU_BYTES), settings.baud
        )
        self._due_ms: int | None = None

    @property
    def is_broken(self) -> bool:
        """Whether the stream of octets has lost its frames."""
        return self._splitter.broken is not None

    @property
    def deadline_ms(self) -> int | None:
        """When the answer waited for is overdue, or None."""
        return self._due_ms

    def open(self, now_ms: int) -> list[CarrierOutput]:  # noqa: ARG002 - as all carriers
        """Do nothing: the connection is the owner's."""
        return [Stands()]

    def send(self, apdu: bytes, now_ms: int) -> list[CarrierOutput]:
        """Send one APDU."""
        octets = wrapper.encode(WrapperFrame(self._own, self._peer, apdu))
        return [Write(octets), *self.listen(now_ms)]

    def listen(self, now_ms: int) -> list[CarrierOutput]:
        """Wait for an APDU."""
        self._due_ms = now_ms + self._patience_ms
        return []

    def close(self, now_ms: int) -> list[CarrierOutput]:  # noqa: ARG002 - as all carriers
        """Forget the meter; the connection stays the owner's."""
        self._due_ms = None
        return [Gone(Silence.LINK_LOST, "the connection was let go", orderly=True)]

    def receive(
        self,
        octets: bytes,
        now_ms: int,  # noqa: ARG002 - as all carriers
    ) -> list[CarrierOutput]:
        """Take octets of the connection."""
        out: list[CarrierOutput] = []
        for frame in self._splitter.feed(octets):
            waited_for = self._due_ms is not None and not out
            ours = (frame.source, frame.destination) == (self._peer, self._own)
            if not waited_for or not ours or not frame.apdu or frame.apdu[0] in _UNASKED:
                self.dropped += 1
                continue
            self._due_ms = None
            out.append(Heard(frame.apdu))
        broken = self._splitter.broken
        if broken is not None and not out:
            self._due_ms = None
            return [Gone(Silence.BROKEN, f"the stream cannot be read any more: {broken.why}")]
        return out

    def silence(self, now_ms: int) -> list[CarrierOutput]:  # noqa: ARG002 - as all carriers
        """Do nothing: a stream has no pauses."""
        return []

    def expire(self, now_ms: int) -> list[CarrierOutput]:
        """Note that time has passed."""
        if self._due_ms is None or now_ms < self._due_ms:
            return []
        self._due_ms = None
        return [Gone(Silence.NO_ANSWER, "nothing came")]

    def dump(self) -> dict[str, Any]:
        """Return what waits for the rest of its frame."""
        return {"splitter": self._splitter.dump()}

    def load(self, state: dict[str, Any]) -> None:
        """Take over a ``dump``."""
        self._splitter.load(state["splitter"])
