"""Long messages of a device: they go out in blocks, and come in so, where its profile says it."""

from abc import abstractmethod
from typing import ClassVar, Final, TypeVar

from device_profiles.schema import DeviceProfile
from emulator.codecs.gbcs import envelope, gbt
from emulator.core.clock import UtcMs
from emulator.core.effects import CancelTimer, Effect, Note, SendGbcs, SendWan, SetTimer
from emulator.core.errors import MalformedFrameError
from emulator.core.ids import Eui64
from emulator.devices.gbt_end import GbtEnd
from emulator.devices.network import Network
from emulator.devices.saved import Saved, State
from emulator.devices.zcl_side import ZclSide

Sent = TypeVar("Sent", SendGbcs, SendWan)
_FIELDS: Final = "why"


class BlockSide(ZclSide):
    """The part of a device that cuts its messages and puts others' together.

    Attributes:
        blocks: Its end of block transfer; None where its profile says no limit.
    """

    #: Timer of what is awaited next.
    blocks_timer: ClassVar[str] = "gbt"
    timers: dict[str, UtcMs]

    def __init__(self, eui64: Eui64, profile: DeviceProfile, network: Network) -> None:
        super().__init__(eui64, profile, network)
        self.blocks = GbtEnd.of(profile.limits.gbt_block_bytes)

    @abstractmethod
    def on_message(self, message: bytes, now: UtcMs) -> list[Effect]:
        """Take a whole message."""

    @abstractmethod
    def outgoing(self, message: bytes) -> Effect:
        """Return the effect that puts a frame of the device's own on its way."""

    def on_frame(self, frame: bytes, now: UtcMs) -> list[Effect]:
        """Take a message, or a block of one."""
        if self.blocks is None or not gbt.is_block(frame):
            return self.on_message(frame, now)
        taken = self.blocks.take(frame, now)
        effects = [self.outgoing(one) for one in taken.frames]
        if taken.why:
            effects.append(Note("gbt_block_refused", ((_FIELDS, taken.why),)))
        if taken.message is not None:
            effects += self.on_message(taken.message, now)
        return effects

    def in_blocks(self, effects: list[Effect], now: UtcMs) -> list[Effect]:
        """Put blocks in place of the device's own long messages, and set the timer."""
        if self.blocks is None:
            return effects
        found: list[Effect] = []
        for effect in effects:
            if isinstance(effect, SendGbcs | SendWan) and self._is_long(effect.message):
                found += [self.outgoing(one) for one in self.blocks.send(effect.message, now)]
            else:
                found.append(effect)
        due, awaited = self.blocks.next_deadline(), self.timers.get(self.blocks_timer)
        if due is not None and due != awaited:
            found.append(SetTimer(self.blocks_timer, due))
        elif due is None and awaited is not None:
            found.append(CancelTimer(self.blocks_timer))
        return found

    def _is_long(self, message: bytes) -> bool:
        """Say whether a message is the device's own and above the limit."""
        if self.blocks is None or len(message) <= self.blocks.settings.block_bytes:
            return False
        try:
            return envelope.decode(message).header.originator == self.eui64
        except MalformedFrameError:
            return False

    def on_time_timer(self, name: str, now: UtcMs) -> list[Effect]:
        """Take the timer of blocks, or one of the clock."""
        if name != self.blocks_timer or self.blocks is None:
            return super().on_time_timer(name, now)
        frames, over = self.blocks.pass_time(now)
        notes = [Note("gbt_given_up", ((_FIELDS, why),)) for why in over]
        return [*map(self.outgoing, frames), *notes]

    def forget_blocks(self) -> list[Effect]:
        """Lose unfinished transfers with the power."""
        if self.blocks is not None:
            self.blocks.forget()
        return []

    def dump_zcl(self) -> State:
        """Return the state of this side, too."""
        held = None if self.blocks is None else self.blocks.dump()
        return {**super().dump_zcl(), "blocks": held}

    def load_zcl(self, saved: Saved) -> None:
        """Take over a dumped state."""
        super().load_zcl(saved)
        if self.blocks is not None and saved.has("blocks"):
            self.blocks.load(saved.table("blocks"))
