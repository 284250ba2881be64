"""A whole dongle: the NCP behind its end of the ASH link, octets in and octets out."""

from collections.abc import Iterable
from typing import Final

from emulator.codecs.dlms.dumped import Dumped, Json, State
from emulator.codecs.ezsp.ash import ResetCode
from emulator.codecs.ezsp.ash_actions import Action, Deliver, LinkState, LinkUp, Write
from emulator.codecs.ezsp.ash_ends import AshNcp
from emulator.ncp.core import Ncp, Said

_DUMPED: Final = frozenset({"ncp"})


class Dongle:
    """Octets of the line and time in, octets of the line out.

    ``now`` is a whole number of milliseconds of any clock that never goes back. Whoever owns the
    line calls ``tick`` when ``deadline`` is reached.

    Attributes:
        ncp: The firmware.
        link: Its end of the ASH link.
    """

    def __init__(self, ncp: Ncp) -> None:
        """Take the firmware."""
        self.ncp = ncp
        self.link = AshNcp()

    @property
    def deadline(self) -> int | None:
        """When ``tick`` has something to do; None: never."""
        first, at = self.ncp.deadline, self.link.deadline
        return at if first is None or (at is not None and at < first) else first

    def power_on(
        self, now: int, code: int = ResetCode.POWER_ON, *, announce: bool = False
    ) -> bytes:
        """Start, or start anew for a reason of the dongle's own.

        Args:
            now: Milliseconds.
            code: What the RSTACK tells.
            announce: Send it; nobody may be listening yet.
        """
        return self._perform(self.link.start(code, announce=announce), now)

    def fail(self, code: int, now: int) -> bytes:
        """Break the link, as firmware does that gives up: nothing but ERROR until the next RST."""
        return self._perform(self.link.fail(code), now)

    def receive(self, octets: bytes, now: int) -> bytes:
        """Take octets of the line; return those that go back at once."""
        return self._perform(self.link.receive(octets, now), now)

    def tick(self, now: int) -> bytes:
        """Do what time demands; return octets for the line."""
        out = self._perform(self.link.tick(now), now)
        said = self.ncp.tick(now)
        if self.link.state is LinkState.CONNECTED:
            out += self._say(said, now)
        return out

    def dump(self) -> State:
        """Return what survives a loss of power, as JSON-able data; keys are in the clear."""
        return {"ncp": self.ncp.dump()}

    def load(self, state: Json, path: str = "dongle") -> None:
        """Take over a ``dump``; the link has to be opened anew by ``power_on``.

        Raises:
            DumpedStateError: A value is missing or mistyped; nothing is taken.
        """
        self.ncp.load(Dumped(state, path, _DUMPED).raw("ncp"), f"{path}.ncp")

    def _perform(self, actions: Iterable[Action], now: int) -> bytes:
        out = b""
        for action in actions:
            if isinstance(action, Write):
                out += action.octets
            elif isinstance(action, Deliver):
                out += self._say(self.ncp.handle(action.payload, now), now)
            elif isinstance(action, LinkUp):
                self.ncp.reset()
        return out

    def _say(self, said: list[Said], now: int) -> bytes:
        out = b""
        for frame in said:
            octets = self.link.send_at_once(frame.octets, now)
            if octets:
                out += octets
                continue
            if frame.callback and not self.link.room:
                continue  # as on the chip: a host that does not listen loses callbacks
            for write in self.link.send(frame.octets, now, callback=frame.callback):
                out += write.octets
        return out
