"""The two ends of an ASH link: the NCP, which is reset, and the host, which resets."""

from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp import ash
from emulator.codecs.ezsp.ash import ErrorFrame, ResetCode, RstAckFrame, RstFrame
from emulator.codecs.ezsp.ash_actions import Action, LinkState, LinkUp, Write
from emulator.codecs.ezsp.ash_link import AshEnd
from emulator.codecs.ezsp.ash_octets import CANCEL

#: DATA frames that may be unacknowledged: the NCP's choice, and what a host of one command needs.
NCP_WINDOW: Final = 5
HOST_WINDOW: Final = 1
#: How long the host waits for the NCP to start anew, and how often it asks.
T_RSTACK_MS: Final = 3200
RESET_ATTEMPTS: Final = 3
#: CANCELs in front of a reset: they end whatever the line was in the middle of.
_CANCELS: Final = 32
_DUMPED: Final = frozenset({"end", "attempts", "ready"})


class AshNcp(AshEnd):
    """The dongle's end: every RST starts it anew; broken, it answers ERROR until one comes."""

    def __init__(self, window: int = NCP_WINDOW) -> None:
        """Take how many DATA frames may be unacknowledged."""
        super().__init__(window)

    def start(self, code: int = ResetCode.POWER_ON, *, announce: bool = True) -> list[Action]:
        """Start anew for a reason of the NCP's own.

        Args:
            code: What the RSTACK tells.
            announce: Send the RSTACK. A host that opens its port later never sees it.
        """
        self._receiver.clear()
        self._forget()
        self.state, self.code = LinkState.CONNECTED, code
        told: list[Action] = [Write(ash.encode_fresh(RstAckFrame(code)))] if announce else []
        return [LinkUp(code), *told]

    def fail(self, code: int) -> list[Action]:
        """Break the link: the host gets an ERROR now and for whatever it sends before its RST."""
        return self._fail(code)

    def _on_control(self, frame: RstFrame | RstAckFrame | ErrorFrame, now: int) -> list[Action]:
        if isinstance(frame, RstFrame) and self.state is not LinkState.DOWN:
            return self.start(ResetCode.SOFTWARE)
        return self._on_ignored()  # an RSTACK or ERROR can only be an echo

    def _on_ignored(self) -> list[Action]:
        if self.state is not LinkState.FAILED:
            return []
        return [Write(ash.encode(ErrorFrame(self.code)))]

    def _fail(self, code: int) -> list[Action]:
        return [*super()._fail(code), Write(ash.encode_fresh(ErrorFrame(code)))]


class AshHost(AshEnd):
    """The host's end: it opens the link with a reset and never mends one by itself."""

    def __init__(self, window: int = HOST_WINDOW) -> None:
        """Take how many DATA frames may be unacknowledged."""
        super().__init__(window)
        self._attempts = 0
        self._ready = True

    def connect(self, now: int) -> list[Action]:
        """Reset the NCP; a `LinkUp` or a `LinkFailed` follows in time."""
        self._receiver.clear()
        self._forget()
        self.state = LinkState.RESETTING
        self._attempts = 0
        return self._ask(now)

    def set_ready(self, *, ready: bool) -> list[Action]:
        """Let the NCP send callbacks, or ask it to hold them for a second.

        Returns:
            The ACK that says so; nothing while the link does not stand.
        """
        self._ready = ready
        return [self._acknowledgement()] if self.state is LinkState.CONNECTED else []

    def dump(self) -> State:
        """Return everything as JSON-able data; times stay times of the same clock."""
        return {"end": super().dump(), "attempts": self._attempts, "ready": self._ready}

    def load(self, state: Json, path: str = "ash") -> None:
        """Take over a ``dump``.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        dumped = Dumped(state, path, _DUMPED)
        attempts, ready = dumped.number("attempts", 0, RESET_ATTEMPTS), dumped.flag("ready")
        super().load(dumped.raw("end"), f"{path}.end")
        self._attempts, self._ready = attempts, ready

    def _ask(self, now: int) -> list[Action]:
        self._attempts += 1
        self._window.timeout_at = now + T_RSTACK_MS
        return [Write(bytes((CANCEL,)) * _CANCELS + ash.encode(RstFrame()))]

    def _on_timeout(self, now: int) -> list[Action]:
        if self.state is not LinkState.RESETTING:
            return super()._on_timeout(now)
        if self._attempts >= RESET_ATTEMPTS:
            return self._fail(ResetCode.RESET_FAILED)
        return self._ask(now)

    def _on_control(self, frame: RstFrame | RstAckFrame | ErrorFrame, now: int) -> list[Action]:
        if isinstance(frame, RstFrame) or self.state in {LinkState.DOWN, LinkState.FAILED}:
            return []
        if isinstance(frame, ErrorFrame):
            # While resetting it answers what was sent before the RST.
            return [] if self.state is LinkState.RESETTING else self._fail(frame.code)
        if self.state is LinkState.CONNECTED:
            return self._fail(frame.code)  # nobody asked: what the NCP knew is gone
        if frame.version != ash.ASH_VERSION:
            return self._fail(ResetCode.VERSION)
        self._forget()
        self.state, self.code = LinkState.CONNECTED, frame.code
        return [LinkUp(frame.code)]

    def _not_ready(self) -> bool:
        return not self._ready
