"""Firmware of dormant homes updated before their EPCL entry: the gates, the order, the way."""

import enum
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from device_profiles.dmc import Combination, Dmc
from device_profiles.words import InstallationClass
from harness.rules.eligibility import Instructor, Lists, dormant_first, is_tested
from harness.rules.migration_rulebook import RuleBook


class EarlyRefusal(enum.StrEnum):
    """Why an early update is refused, each gate by its own name."""

    NOT_INSTRUCTED_BY_DCC = "not-instructed-by-dcc"
    BEFORE_TMAD_7 = "before-tmad-7"
    AFTER_TMAD = "after-tmad"
    ACTIVE_INSTALLATION = "active-installation"
    NO_COMBINATION = "no-combination"
    ALREADY_ELIGIBLE = "already-eligible"
    EQUIVALENCE_MISSING = "equivalence-missing"
    TESTS_NOT_COMPLETE = "tests-not-complete"
    NO_WAN = "no-wan"
    NO_CAPACITY = "no-capacity"


#: Why one device of a home that is updated stays as it is.
DEVICE_ACTIVE: Final = "device-active"


@dataclass(frozen=True, slots=True)
class EarlyCase:
    """One home whose firmware is to be updated early.

    Attributes:
        ref: What it is called.
        installation_class: Active, Dormant or Mixed.
        devices: Device -> whether the meter it belongs to is dormant; the hub and displays of a
            home belong to its electricity meter.
        combination: The device models after the update.
        group_id: GroupID.
        csp: Communications service provider.
        equivalence_argued: Whether the update relies on substantive equivalence.
        wan_connected: Whether the hub can be reached over the WAN.
        instructor: Who asks.
        day: The day, UTC.
    """

    ref: str
    installation_class: InstallationClass
    devices: Mapping[str, bool]
    combination: Combination
    group_id: str
    csp: str
    day: date
    equivalence_argued: bool = False
    wan_connected: bool = True
    instructor: Instructor = Instructor.DCC


@dataclass(frozen=True, slots=True)
class EarlyRuling:
    """What becomes of it.

    Attributes:
        devices: Devices to update.
        left_out: Device -> why it stays as it is.
        refusal: Why nothing is updated, or None.
        detail: One sentence; empty where all is well.
        relies_on: Combination whose tests allow it, or empty.
    """

    devices: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    refusal: EarlyRefusal | None = None
    detail: str = ""
    relies_on: str = ""

    @property
    def instructs(self) -> str:
        """Who gives the instruction; the SMSO carries it out."""
        return "" if self.refusal else f"{Instructor.DCC} instructs, {Instructor.SMSO} executes"


Gate = Callable[[EarlyCase, Lists, RuleBook], str | None]


def judge_early(
    case: EarlyCase,
    lists: Lists,
    book: RuleBook,
    gates: "Mapping[EarlyRefusal, Gate] | None" = None,
) -> EarlyRuling:
    """Say whether a home's firmware may be updated before its EPCL entry (F-102, F-103, F-105).

    Args:
        case: The home.
        lists: The lists in force.
        book: The rules in force: the days of the TMAD.
        gates: Gates in order; ``GATES`` when left out.

    Source:
        S004 §4.1.1, S000 §1. That the active devices of a Mixed home stay as they are while its
        dormant ones are updated: inferred. No WAN: DCC-var1.
    """
    for name, gate in (GATES if gates is None else gates).items():
        if (why := gate(case, lists, book)) is not None:
            return EarlyRuling(refusal=name, detail=why)
    left_out = {device: DEVICE_ACTIVE for device, dormant in case.devices.items() if not dormant}
    chosen = tuple(device for device, dormant in case.devices.items() if dormant)
    dmc = _dmc(case, lists)
    return EarlyRuling(chosen, left_out, relies_on="" if dmc is None else dmc.dmc_id)


def _instructed(case: EarlyCase, _lists: Lists, _book: RuleBook) -> str | None:
    """The DCC instructs; a decision of SMSO or supplier does not do (S004 §4.1.1)."""
    if case.instructor is Instructor.DCC:
        return None
    return f"the instruction comes from the {case.instructor}, not from the DCC"


def _begun(case: EarlyCase, _lists: Lists, book: RuleBook) -> str | None:
    first = book.settings.early_firmware_from
    return f"clause 4.26 is in force from {first}" if case.day < first else None


def _not_ended(case: EarlyCase, _lists: Lists, book: RuleBook) -> str | None:
    """F-103: nothing is done under the TMAD after it ceases."""
    last = max(row.expires_on for row in book.tmad)
    return f"the TMAD ceased on {last}" if case.day > last else None


def _dormant(case: EarlyCase, _lists: Lists, _book: RuleBook) -> str | None:
    active = case.installation_class is InstallationClass.ACTIVE
    if not active and any(case.devices.values()):
        return None
    return f"no meter of {case.ref} is dormant ({case.installation_class})"


def _listed(case: EarlyCase, lists: Lists, _book: RuleBook) -> str | None:
    if _dmc(case, lists) is not None:
        return None
    return "no list of tested combinations has these device models"


def _not_eligible_yet(case: EarlyCase, lists: Lists, _book: RuleBook) -> str | None:
    """With an entry on the EPCL the ordinary rules hold (FM-55)."""
    aligned = lists.epcl.align(case.combination, group_id=case.group_id, csp=case.csp, day=case.day)
    if aligned.entry is None:
        return None
    return f"{aligned.entry.epcl_id} is on the EPCL: ordinary rules hold"


def _equivalence(case: EarlyCase, lists: Lists, _book: RuleBook) -> str | None:
    """Substantive equivalence names the combination it relies on."""
    dmc = _dmc(case, lists)
    if not case.equivalence_argued or dmc is None or dmc.equivalent_of is not None:
        return None
    return f"{dmc.dmc_id} names no combination that it is equivalent to"


def _tested(case: EarlyCase, lists: Lists, _book: RuleBook) -> str | None:
    """MT/SIT complete or a DMCT EPCL Report, of the combination or of the one relied on."""
    dmc = _dmc(case, lists)
    if dmc is None or is_tested(lists.dmcs, dmc, case.day):
        return None
    return f"{dmc.dmc_id}: tests not complete, and no DMCT EPCL Report, on {case.day}"


def _reachable(case: EarlyCase, _lists: Lists, _book: RuleBook) -> str | None:
    return None if case.wan_connected else f"the hub of {case.ref} has no WAN"


#: The gates, in order.
GATES: Final[Mapping[EarlyRefusal, Gate]] = MappingProxyType(
    {
        EarlyRefusal.NOT_INSTRUCTED_BY_DCC: _instructed,
        EarlyRefusal.BEFORE_TMAD_7: _begun,
        EarlyRefusal.AFTER_TMAD: _not_ended,
        EarlyRefusal.ACTIVE_INSTALLATION: _dormant,
        EarlyRefusal.NO_COMBINATION: _listed,
        EarlyRefusal.ALREADY_ELIGIBLE: _not_eligible_yet,
        EarlyRefusal.EQUIVALENCE_MISSING: _equivalence,
        EarlyRefusal.TESTS_NOT_COMPLETE: _tested,
        EarlyRefusal.NO_WAN: _reachable,
    }
)


@dataclass(frozen=True, slots=True)
class EarlyBatch:
    """A day's early updates.

    Attributes:
        planned: Homes to update, in order, with what is updated.
        waiting: Homes that wait for another day.
        refused: Homes that a gate keeps out.
    """

    planned: tuple[tuple[str, EarlyRuling], ...]
    waiting: tuple[tuple[str, EarlyRuling], ...]
    refused: tuple[tuple[str, EarlyRuling], ...]


def order_batch(
    cases: Iterable[EarlyCase], capacity: int, lists: Lists, book: RuleBook
) -> EarlyBatch:
    """Plan a day's early updates: homes with dormant meters first, as many as can be done (F-104).

    Args:
        cases: The homes, in the order they were asked for.
        capacity: Homes that can be done.
        lists: The lists in force.
        book: The rules in force.

    Source:
        S004 §4.1.1 (TMAD 4.24); wholly dormant homes before Mixed ones: inferred.
    """
    found = [(case, judge_early(case, lists, book)) for case in cases]
    allowed = sorted((one for one in found if one[1].refusal is None), key=_rank)
    refused = tuple((case.ref, ruling) for case, ruling in found if ruling.refusal is not None)
    planned = tuple((case.ref, ruling) for case, ruling in allowed[:capacity])
    late = EarlyRuling(
        refusal=EarlyRefusal.NO_CAPACITY, detail=f"{capacity} homes can be done on the day"
    )
    return EarlyBatch(planned, tuple((case.ref, late) for case, _ in allowed[capacity:]), refused)


def _rank(one: tuple[EarlyCase, EarlyRuling]) -> tuple[int, bool]:
    case, _ruling = one
    mixed = case.installation_class is InstallationClass.MIXED
    return dormant_first(case.installation_class), mixed


def _dmc(case: EarlyCase, lists: Lists) -> Dmc | None:
    return lists.dmcs.find(case.combination, group_id=case.group_id, csp=case.csp)
