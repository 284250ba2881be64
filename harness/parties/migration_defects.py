"""Named defects of the parties and rules of a migration: saboteurs, and misconduct of rows."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from harness.migration.step_table import load_steps
from harness.rules.migration_rulebook import RuleBook, load_rule_book

#: Takes the right method, bound, and returns the wrong one.
Override = Callable[[Callable[..., Any]], Callable[..., Any]]
_RULE_OFF: Final = "rule-off-"
#: Steps that are taken device by device.
_PER_DEVICE: Final = frozenset({"H2", "R1"})
_DEVICES: Final = ("CHF", "ESME", "GSME")


@dataclass(frozen=True, slots=True)
class MigrationDefect:
    """One way in which a migration is done wrong.

    Attributes:
        sentence: Who does what wrong.
        rules_off: Rules that nobody asks.
        rules_forced: Rules that are asked on days on which they do not hold.
        forgets_overrides: Whether what the run overrides is not heeded.
        omits: Steps (``H2``, ``H2/GSME``) that their party says it took and did not.
        wrong: ``part.method`` -> what makes it wrong; parts as ``PARTS`` of the scenarios name them.
    """

    sentence: str
    rules_off: frozenset[str] = frozenset()
    rules_forced: frozenset[str] = frozenset()
    forgets_overrides: bool = False
    omits: frozenset[str] = frozenset()
    wrong: Mapping[str, Override] = field(default_factory=lambda: MappingProxyType({}))


def rule_off(rule: str) -> str:
    """Return the name of the defect under which nobody asks a rule."""
    return f"{_RULE_OFF}{rule.lower().replace('(', '').replace(')', '')}"


def _rules_off(book: RuleBook) -> Iterator[tuple[str, MigrationDefect]]:
    for rule, row in book.rules.items():
        said = f"nobody asks whether {row.says}"
        yield rule_off(rule), MigrationDefect(said, rules_off=frozenset({rule}))


def _omissions() -> Iterator[tuple[str, MigrationDefect]]:
    for step, row in load_steps().items():
        said = f"{row.actor} says that {step} was done, and does nothing"
        yield f"omits-{step.lower()}", MigrationDefect(said, omits=frozenset({step}))
        for device in _DEVICES if step in _PER_DEVICE else ():
            one = f"{said} to the {device}"
            name = f"omits-{step.lower()}-{device.lower()}"
            yield name, MigrationDefect(one, omits=frozenset({f"{step}/{device}"}))


#: What a party does wrong beyond leaving out a step.
_ROWS: Final[Mapping[str, MigrationDefect]] = {}


def _table() -> Mapping[str, MigrationDefect]:
    return MappingProxyType({**dict(_rules_off(load_rule_book())), **dict(_omissions()), **_ROWS})


#: Every defect by name.
DEFECTS: Final = _table()
