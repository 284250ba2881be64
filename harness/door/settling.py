"""How long the world moves after a request: until all is answered, or it makes no sense to wait."""

from dataclasses import dataclass, field
from typing import Any, Final

from emulator.core.clock import UtcMs

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
#: Virtual time between two looks at what came: after something was said, and otherwise.
#: Source: invented.
LEG_MS: Final = 60_000
IDLE_LEG_MS: Final = 900_000
_BUSY_MS: Final = 300_000
_NEVER: Final = UtcMs(0)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the world waits for what.

    Attributes:
        answer_ms: For a device's answer, or for a device's word on an image: as a sleepy meter
            needs for a large image.
        quiet_ms: After the last thing that was said.
        ahead_ms: For a moment that a request names; what lies further ahead is not jumped to.

    Source:
        invented.
    """

    answer_ms: int = 10 * DAY_MS
    quiet_ms: int = HOUR_MS
    ahead_ms: int = 31 * DAY_MS


@dataclass(slots=True)
class Agenda:
    """What is still waited for.

    Attributes:
        patience: How long.
        awaited: RequestID -> when its answer is given up.
        images: RequestID -> when the devices' word on its image is given up.
        moments: Moments that requests named.
        heard_at: When something was said last.
    """

    patience: Patience = field(default_factory=Patience)
    awaited: dict[str, UtcMs] = field(default_factory=dict)
    images: dict[str, UtcMs] = field(default_factory=dict)
    moments: list[UtcMs] = field(default_factory=list)
    heard_at: UtcMs = _NEVER

    def expect(self, request_id: str, now: UtcMs, moment: UtcMs | None = None) -> None:
        """Wait for the answer to a request.

        Args:
            request_id: The request.
            now: The present moment.
            moment: When the request is to be carried out; None for at once.
        """
        since = now
        if moment is not None and now < moment <= now + self.patience.ahead_ms:
            self.moments.append(moment)
            since = moment
        self.awaited[request_id] = UtcMs(since + self.patience.answer_ms)

    def look_forward_to(self, moment: UtcMs, now: UtcMs) -> None:
        """Move on to a moment at which the DSP does something by itself, if it is not too far."""
        if now < moment <= now + self.patience.ahead_ms:
            self.moments.append(moment)

    def expect_image(self, request_id: str, now: UtcMs) -> None:
        """Wait for what devices say of an image."""
        self.images[request_id] = UtcMs(now + self.patience.answer_ms)

    def hear(self, request_id: str | None, now: UtcMs) -> None:
        """Take notice of a response or alert."""
        self.heard_at = now
        if request_id is not None:
            self.awaited.pop(request_id, None)

    def overdue(self, now: UtcMs) -> list[str]:
        """Return the requests whose answer is given up, in order; they are waited for no more."""
        given_up = [one for one, until in self.awaited.items() if until <= now]
        for one in given_up:
            del self.awaited[one]
        return given_up

    def at_rest(self, now: UtcMs, under_way: set[str]) -> bool:
        """Say whether nothing more is to be waited for.

        Args:
            now: The present moment.
            under_way: Requests whose images are on their way.
        """
        come = [moment for moment in self.moments if moment <= now]
        self.heard_at = max([self.heard_at, *come])  # what follows from it is still to come
        self.moments = [moment for moment in self.moments if moment > now]
        self.images = {
            one: until for one, until in self.images.items() if until > now and one in under_way
        }
        waits = self.moments or self.awaited or self.images
        return not waits and now >= self.heard_at + self.patience.quiet_ms

    def next_look(self, now: UtcMs) -> UtcMs:
        """Return how far to move before looking at what came: less where something was just said.

        Never past a moment that was named.
        """
        busy = now < self.heard_at + _BUSY_MS
        ahead = UtcMs(now + (LEG_MS if busy else IDLE_LEG_MS))
        return min([ahead, *(moment for moment in self.moments if moment > now)])

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "awaited": self.awaited,
            "images": self.images,
            "moments": self.moments,
            "heard_at": self.heard_at,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over a dumped one."""
        self.awaited = {one: UtcMs(until) for one, until in state["awaited"].items()}
        self.images = {one: UtcMs(until) for one, until in state["images"].items()}
        self.moments = [UtcMs(one) for one in state["moments"]]
        self.heard_at = UtcMs(state["heard_at"])
