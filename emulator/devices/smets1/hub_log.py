"""The distribution log of a SMETS1 hub: what became of each image it was offered.

Stand-in throughout: nothing public says what a SMETS1 hub tells of the images it takes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

from emulator.codecs.dlms import hub_image
from emulator.codecs.dlms.hub_image import OUTCOMES, DistributionRow, ImageTicket, Reason, Stage
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.saved import Json, Saved, State


@dataclass(slots=True)
class Entry:
    """One image in the log.

    Attributes:
        ticket: The image.
        stage: Where it stands.
        reason: Why, where it came to nothing.
        served: Octets given to the target.
        since: COSEM date-time at which it came to that stage, 12 octets.
        told: Whether somebody has read how it ended.
    """

    ticket: ImageTicket
    stage: Stage
    reason: Reason
    served: int
    since: bytes
    told: bool = True

    @property
    def over(self) -> bool:
        """Whether nothing more happens of itself."""
        return self.stage in OUTCOMES

    def row(self) -> DistributionRow:
        """Return it as the log shows it."""
        return DistributionRow(self.ticket, self.stage, self.reason, self.served, self.since)

    def dump(self) -> State:
        """Return it as JSON values."""
        return {
            "ticket": hub_image.encode_ticket(self.ticket).hex(),
            "stage": int(self.stage),
            "reason": int(self.reason),
            "served": self.served,
            "at": self.since.hex(),
            "told": self.told,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """Return the entry a dump describes."""
        return cls(
            hub_image.decode_ticket(saved.octets("ticket")),
            Stage(saved.number("stage")),
            Reason(saved.number("reason")),
            saved.number("served"),
            saved.octets("at"),
            saved.flag("told"),
        )


class DistributionLog:
    """The latest images, oldest first; the oldest that is over goes when the log is full.

    Attributes:
        limit: Rows it holds.
        entries: The images.
    """

    def __init__(self, limit: int, moment: Callable[[UtcMs], bytes]) -> None:
        """Take its size, and what the hub's clock shows at an instant, in 12 octets."""
        self.limit = limit
        self.entries: list[Entry] = []
        self._moment = moment

    def begin(self, ticket: ImageTicket, now: UtcMs) -> Entry:
        """Enter an image that is offered."""
        entry = Entry(ticket, Stage.STAGING, Reason.NONE, 0, self._moment(now))
        self.entries.append(entry)
        if len(self.entries) > self.limit:
            over = (at for at, one in enumerate(self.entries[:-1]) if one.over)
            del self.entries[next(over, 0)]
        return entry

    def move(self, entry: Entry, stage: Stage, now: UtcMs, reason: Reason = Reason.NONE) -> None:
        """Bring an image to another stage; how it ends has to be told."""
        if (entry.stage, entry.reason) == (stage, reason):
            return
        entry.stage, entry.reason, entry.since = stage, reason, self._moment(now)
        entry.told = stage not in OUTCOMES

    def drop(self, ticket: ImageTicket) -> None:
        """Forget that an image is coming in."""
        entry = self.find(ticket, Stage.STAGING)
        if entry is not None:
            self.entries.remove(entry)

    def of(self, target: Eui64) -> Iterator[Entry]:
        """Yield the images for a device, the latest first."""
        return (one for one in reversed(self.entries) if one.ticket.target == target)

    def find(self, ticket: ImageTicket, *stages: Stage) -> Entry | None:
        """Return the latest row of an image, of those in these stages (none: in any)."""
        for one in self.of(ticket.target):
            if one.ticket.names_same(ticket) and (not stages or one.stage in stages):
                return one
        return None

    def untold(self) -> list[Entry]:
        """Return the outcomes that nobody has read."""
        return [one for one in self.entries if not one.told]

    def read(self) -> list[DistributionRow]:
        """Return all rows to somebody who reads them."""
        for one in self.entries:
            one.told = True
        return [one.row() for one in self.entries]

    def dump(self) -> Json:
        """Return the log as JSON values."""
        return [one.dump() for one in self.entries]

    def load(self, rows: list[Saved]) -> None:
        """Take over a dumped log."""
        self.entries = [Entry.restore(row) for row in rows]
