"""Messages in blocks as a hub sees them: it routes block by block, and listens for its GPF."""

from collections.abc import Mapping
from typing import Any, Final

from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.envelope import GroupingHeader
from emulator.codecs.gbcs.gbt import GbtSettings
from emulator.codecs.gbcs.gbt_receiver import GbtReceiver
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

#: Limits it keeps to while it listens. Source: unverified, as all of them.
_SETTINGS: Final = GbtSettings()


def header_of(frame: bytes) -> GroupingHeader:
    """Return the header of a message, or of the message that a block is part of.

    Raises:
        MalformedFrameError: It is neither.
    """
    if gbt.is_block(frame):
        return gbt.header_of(gbt.decode(frame))
    return envelope.decode(frame).header


class Listener:
    """Puts together messages that pass in blocks; it asks for nothing, and answers nothing."""

    def __init__(self) -> None:
        self._receiver = GbtReceiver(_SETTINGS)

    def whole(self, frame: bytes, now: UtcMs) -> bytes | None:
        """Return the message that a frame is, or completes; None where there is none yet."""
        if not gbt.is_block(frame):
            return frame
        try:
            block = gbt.decode(frame)
        except MalformedFrameError:
            return None
        self._receiver.pass_time(now)
        return None if block.is_acknowledgement else self._receiver.take(block, now).message

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        return self._receiver.dump()

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state."""
        self._receiver.load(state)
