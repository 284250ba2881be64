"""The disturbance ``flood``: hubs that are cut off tell of it, again and again.

Written ``flood:alerts=10,over_s=600``: each hub of the SMETS2+ homes raises so many alerts, spread
evenly over that time. A stand-in for the event of 26 February 2023 (migration.md 4.4).
"""

from dataclasses import dataclass
from typing import Final, Self

from emulator.core.clock import UtcMs
from harness.errors import UsageError

NAME: Final = "flood"
_MOST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Flood:
    """How much is told.

    Attributes:
        alerts: Alerts of each hub.
        over_s: Seconds over which they are spread.
    """

    alerts: int = 1
    over_s: int = 600

    @classmethod
    def parse(cls, order: str) -> Self:
        """Read an order.

        Raises:
            UsageError: It is none.
        """
        name, _colon, rest = order.partition(":")
        try:
            given = dict(word.split("=", 1) for word in rest.split(",") if word)
            found = cls(**{key: int(text) for key, text in given.items()})
        except (TypeError, ValueError) as error:
            raise _no_flood(order) from error
        if name != NAME or not 0 < found.alerts <= _MOST or not 0 < found.over_s <= _MOST:
            raise _no_flood(order)
        return found

    def moments(self, now: UtcMs, hub: int, hubs: int) -> list[UtcMs]:
        """Return when a hub tells, one moment an alert; hubs take turns."""
        step = self.over_s * 1000 / self.alerts
        first = step * (hub + 1) / (hubs + 1)
        return [UtcMs(now + 1 + round(first + step * number)) for number in range(self.alerts)]


def _no_flood(order: str) -> UsageError:
    return UsageError(
        f"not a disturbance of the door: {order[:60]!r}",
        where="--disturb",
        cause="a mistyped order, or one of a bench",
        next_command="--disturb flood:alerts=10,over_s=600",
    )
