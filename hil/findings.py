"""What is wrong with a bench, each with its remedy and the next command."""

import enum
from dataclasses import asdict, dataclass
from typing import Any


class Level(enum.StrEnum):
    """How bad a finding is."""

    FAULT = "fault"  # it will not work like this
    WARNING = "warning"  # it may fail, or fail one day


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is missing or in the way.

    Attributes:
        code: Word for the kind of finding; the table is in docs/bench.md.
        level: How bad it is.
        where: Role, port or program.
        what: What is wrong, one sentence.
        remedy: What to do, one sentence.
        next_command: The command to type next.
    """

    code: str
    level: Level
    where: str
    what: str
    remedy: str
    next_command: str

    def row(self) -> dict[str, Any]:
        """Return the finding as JSON values."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Return the finding as lines for a terminal."""
        return [
            f"{self.level}: {self.what}  [{self.code}]",
            f"  where: {self.where}",
            f"  remedy: {self.remedy}",
            f"  next: {self.next_command}",
        ]
