"""One end of block transfer on a link: long messages out in blocks, blocks in as messages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from emulator.codecs.gbcs import envelope, gbt
from emulator.codecs.gbcs.gbt import GbtBlock, GbtSettings
from emulator.codecs.gbcs.gbt_receiver import GbtReceiver, StreamKey
from emulator.codecs.gbcs.gbt_sender import GbtSender, SenderState
from emulator.core.clock import UtcMs
from emulator.core.errors import MalformedFrameError

#: Messages that are on their way in blocks at a time. Source: invented.
_MOST_SENDERS = 16


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a block.

    Attributes:
        message: A whole message, or None.
        frames: Blocks to send.
        why: Why something was dropped, or empty.
    """

    message: bytes | None = None
    frames: tuple[bytes, ...] = ()
    why: str = ""


class GbtEnd:
    """Sends and takes messages in blocks; it performs nothing, what it returns is to be sent.

    Attributes:
        settings: Limits; a message of at most ``block_bytes`` octets goes as it is (which limit
            decides that is not established: unverified, as all of them).
    """

    def __init__(self, settings: GbtSettings) -> None:
        self.settings = settings
        self._senders: dict[StreamKey, tuple[bytes, GbtSender]] = {}
        self._receiver = GbtReceiver(settings)

    @classmethod
    def of(cls, block_bytes: int | None) -> "GbtEnd | None":
        """Return an end with a profile's limit; None where it has none: no blocks at all."""
        return None if block_bytes is None else cls(replace(GbtSettings(), block_bytes=block_bytes))

    def send(self, message: bytes, now: UtcMs) -> tuple[bytes, ...]:
        """Return what is to be put on the link for a message."""
        if len(message) <= self.settings.block_bytes:
            return (message,)
        try:
            header = envelope.decode(message).header
        except MalformedFrameError:  # not ours to cut
            return (message,)
        sender = GbtSender(message, header, self.settings)
        self._tidy()
        key = header.originator.octets, header.cra, header.counter
        self._senders[key] = message, sender
        return _encoded(sender.start(now))

    def take(self, frame: bytes, now: UtcMs) -> Taken:
        """Take one block, or an acknowledgement."""
        try:
            block = gbt.decode(frame)
        except MalformedFrameError as error:
            return Taken(why=str(error))
        if block.is_acknowledgement:
            return Taken(frames=self._acknowledged(block, now))
        received = self._receiver.take(block, now)
        why = "" if received.refusal is None else received.refusal.value
        return Taken(received.message, _encoded(received.answers), why)

    def _acknowledged(self, block: GbtBlock, now: UtcMs) -> tuple[bytes, ...]:
        found = self._senders.get((block.target.octets, block.cra, block.counter))
        return () if found is None else _encoded(found[1].acknowledged(block, now))

    def pass_time(self, now: UtcMs) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
        """Return what is to be sent again, and what was given up, in words."""
        frames: list[bytes] = []
        over: list[str] = []
        for _, sender in list(self._senders.values()):
            frames += _encoded(sender.timeout(now))
            if sender.state is SenderState.GIVEN_UP:
                over.append(sender.state.value)
        over += [one.refusal.value for one in self._receiver.pass_time(now) if one.refusal]
        self._tidy()
        return tuple(frames), tuple(over)

    def next_deadline(self) -> UtcMs | None:
        """Return when ``pass_time`` is due; None where nothing is awaited."""
        waiting = [sender.deadline for _, sender in self._senders.values()]
        moments = [at for at in (*waiting, self._receiver.next_deadline()) if at is not None]
        return min(moments, default=None)

    def forget(self) -> None:
        """Lose what only volatile memory holds: everything."""
        self._senders.clear()
        self._receiver = GbtReceiver(self.settings)

    def _tidy(self) -> None:
        """Drop transfers that are over, and the oldest where there are too many."""
        self._senders = {key: one for key, one in self._senders.items() if not one[1].is_over}
        for key in [*self._senders][: max(len(self._senders) - _MOST_SENDERS + 1, 0)]:
            del self._senders[key]

    def dump(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        sending = [
            {"message": message.hex(), "sender": sender.dump()}
            for message, sender in self._senders.values()
        ]
        return {"sending": sending, "receiver": self._receiver.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped state; the settings stay as constructed."""
        self._receiver.load(state["receiver"])
        self._senders = {}
        for row in state["sending"]:
            message = bytes.fromhex(row["message"])
            header = envelope.decode(message).header
            sender = GbtSender(message, header, self.settings)
            sender.load(row["sender"])
            key = header.originator.octets, header.cra, header.counter
            self._senders[key] = message, sender


def _encoded(blocks: list[GbtBlock] | tuple[GbtBlock, ...]) -> tuple[bytes, ...]:
    return tuple([gbt.encode(block) for block in blocks])
