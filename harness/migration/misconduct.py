"""Defects of parties built into a course: everywhere, or at some of its homes alone."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from device_profiles.cohort import Cohort
from harness.parties.migration_defects import DEFECTS, MigrationDefect
from harness.rules.in_hand import home_in_hand
from harness.rules.migration_rulebook import RuleBook, Switches, load_rule_book

if TYPE_CHECKING:
    from harness.migration.course import Course

#: Between a defect and the one home that it is meant for.
AT: Final = "@"
_INSTALLATION: Final = "installation"
#: Rules of installations that ``ma check`` asks of a whole paper, and nobody of a home later.
_OF_PAPERS: Final = frozenset({"7.3.2", "UNIQUE", "DATES", "P1", "MAM-4", "MAM-6", "4.26"})
#: Methods that parties call while one home is in hand.
_FOR_ONE_HOME: Final = frozenset(
    {
        "office.dco.countersign",
        "office.smso.drop",
        "office.smso.take_update",
        "office.post.hand_over",
        "commissioning.world.party.prenotification",
    }
)


@dataclass(frozen=True, slots=True)
class Misconduct:
    """Defects of parties that a run has built in.

    Attributes:
        everywhere: Those of all homes.
        at_homes: Name of a defect -> the homes at which alone it shows.
    """

    everywhere: tuple[MigrationDefect, ...] = ()
    at_homes: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, names: Iterable[str]) -> "Misconduct":
        """Return the defects of parties among names (``NAME``, or ``NAME@REF`` for one home)."""
        everywhere: dict[str, MigrationDefect] = {}
        at_homes: dict[str, frozenset[str]] = {}
        for told in names:
            name, _at, ref = told.partition(AT)
            if name in DEFECTS and not ref:
                everywhere[name] = DEFECTS[name]
            elif name in DEFECTS:
                at_homes[name] = at_homes.get(name, frozenset()) | {ref}
        return cls(tuple(everywhere.values()), at_homes)

    def switches(self, given: Switches) -> Switches:
        """Return what the run changes in the rules, and what these defects do."""
        off = frozenset(rule for one in self.everywhere for rule in one.rules_off)
        off_at = dict(given.off_at)
        for name, refs in self.at_homes.items():
            for rule in DEFECTS[name].rules_off:
                off_at[rule] = off_at.get(rule, frozenset()) | refs
        heeded = not any(one.forgets_overrides for one in self.everywhere)
        return replace(
            given,
            disabled=given.disabled | off,
            off_at=off_at,
            overridden=given.overridden if heeded else frozenset(),
        )

    def book(self, book: RuleBook) -> RuleBook:
        """Return the rules with numbers that are taken for others."""
        for one in self.everywhere:
            book = replace(book, settings=replace(book.settings, **one.settings))
        return book

    def cohort(self, cohort: Cohort) -> Cohort:
        """Return the cohort as parties take it to be."""
        for one in self.everywhere:
            cohort = with_values(cohort, one.cohort)
        return cohort

    @property
    def omits(self) -> frozenset[str]:
        """Steps that are left out, as a script has them."""
        whole = {step for one in self.everywhere for step in one.omits}
        some = {
            f"{step}{AT}{ref}"
            for name, refs in self.at_homes.items()
            for step in DEFECTS[name].omits
            for ref in refs
        }
        return frozenset(whole | some)

    def put_wrong(self, course: "Course") -> None:
        """Replace what parties do by what they do wrongly."""
        for one in self.everywhere:
            for path, override in one.wrong.items():
                part, name = part_of(course, path)
                setattr(part, name, override(course, getattr(part, name)))
        for told, refs in self.at_homes.items():
            for path, override in DEFECTS[told].wrong.items():
                part, name = part_of(course, path)
                right = getattr(part, name)
                setattr(part, name, _at(refs, override(course, right), right))


def _at(refs: Collection[str], wrong: Callable[..., Any], right: Callable[..., Any]) -> Any:
    """Return what does wrong while one of some homes is in hand, and right otherwise."""

    def either(*args: Any, **named: Any) -> Any:
        return (wrong if home_in_hand() in refs else right)(*args, **named)

    return either


def part_of(course: "Course", path: str) -> tuple[object, str]:
    """Return the object and the method that a path of a defect names.

    Paths begin at the course: ``office.smso.drop``, ``files.rp.common``.
    """
    *parts, name = path.split(".")
    part: object = course
    for one in parts:
        part = getattr(part, one)
    return part, name


def with_values(cohort: Cohort, changes: Mapping[str, object]) -> Cohort:
    """Return a cohort with other values, each by its key path (``rollback.enabled``)."""
    for path, value in changes.items():
        section, _dot, leaf = path.partition(".")
        part = getattr(cohort, section).model_copy(update={leaf: value})
        cohort = cohort.model_copy(update={section: part})
    return cohort


def is_without_effect(name: str) -> str:
    """Return why a run in which nobody overrides a rule does not show a defect; empty: it may."""
    one = DEFECTS[name]
    if one.forgets_overrides:
        return "a run overrides no rule: there is nothing to forget"
    if one.prepayment:
        return "nobody asks about the duty of 4.49(e) after a run"
    return ""


def is_for_all(name: str) -> str:
    """Return why a defect cannot be that of one home; empty: it can."""
    one = DEFECTS[name]
    if one.settings or one.cohort:
        return "it is about the rules of a whole cohort"
    rules = load_rule_book().rules
    if any(rules[rule].scope != _INSTALLATION for rule in one.rules_off):
        return "its rule is asked of whole files"
    if one.rules_off & _OF_PAPERS:
        return "its rule is asked of whole papers"
    if one.wrong.keys() - _FOR_ONE_HOME:
        return "it is about what a party does with whole files, or with everybody"
    return ""
