"""Rules of planning beyond eligibility: class, capacity, authorisation, prepayment (P1 to P6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType, InstallationClass, PaymentMode
from emulator.core.values import quick
from harness.formats.migration_files.words import MeterStatus
from harness.rules.migration_capacity import Demand, allocate
from harness.rules.migration_installation import class_of
from harness.rules.migration_rulebook import RuleBook, Settings
from harness.rules.outcomes import Check, NotApplicable, Refusal
from harness.rules.split_supply import party_of

_METERS: Final = (DeviceType.ESME, DeviceType.GSME)
_ALWAYS: Final = (date.min, date.max)


@quick
@dataclass(frozen=True, slots=True)
class PlanFacts:
    """What is known of an installation when it is planned and authorised.

    Attributes:
        cohort: Its cohort.
        home: The installation as the SMSO's inventory has it.
        day: The day, UTC.
        has_place: Whether the day's capacity has a place for it.
        withheld: Parties (two octets as hex digits) that gave no Migration Authorisation.
        unnotified: Parties that got no dormant schedule notification.
        window: First and last day that was authorised.
        in_credit: Meters, by EUI-64, that their supplier has put in credit mode.
        step: Step at which the prepayment rule is asked.
    """

    cohort: Cohort
    home: Installation
    day: date
    has_place: bool = True
    withheld: frozenset[str] = frozenset()
    unnotified: frozenset[str] = frozenset()
    window: tuple[date, date] = _ALWAYS
    in_credit: frozenset[str] = frozenset()
    step: str = "P6"


@dataclass(frozen=True, slots=True)
class Needed:
    """Whose leave a migration needs, as party octets (MAM 7.2.2).

    Attributes:
        authorises: Parties that must authorise: of active meters.
        notified: Parties that must be notified: of dormant meters.
    """

    authorises: frozenset[str] = field(default_factory=frozenset)
    notified: frozenset[str] = field(default_factory=frozenset)


def meters_of(home: Installation) -> tuple[InstalledDevice, ...]:
    """Return the meters of an installation, electricity first."""
    return tuple(device for role in _METERS for device in home.of(role))


def status_of(home: Installation, device: InstalledDevice) -> MeterStatus:
    """Return whether a meter is operated by its supplier today.

    A meter with a cause of dormancy is dormant. Where the file gives no cause at all, the class
    decides; of a Mixed installation the gas meter is then the dormant one.

    Source:
        invented (which meter, where the file does not say).
    """
    if any(one.dormancy is not None for one in home.devices):
        return MeterStatus.ACTIVE if device.dormancy is None else MeterStatus.DORMANT
    if home.installation_class is InstallationClass.MIXED:
        return MeterStatus.DORMANT if device.role is DeviceType.GSME else MeterStatus.ACTIVE
    dormant = home.installation_class is InstallationClass.DORMANT
    return MeterStatus.DORMANT if dormant else MeterStatus.ACTIVE


def needed(home: Installation, cohort: Cohort, settings: Settings) -> Needed:
    """Return whose leave a migration needs: Active MA, Dormant notification, Mixed both.

    Where the electricity import supplier coordinates, it alone authorises the active meters, as
    long as its own is one of them (R-026).
    """
    active: list[tuple[DeviceType, str]] = []
    dormant: set[str] = set()
    for meter in meters_of(home):
        party = party_of(meter.supplier, settings)
        if status_of(home, meter) is MeterStatus.DORMANT:
            dormant.add(party)
        else:
            active.append((meter.role, party))
    if cohort.cohort.coordinated_by_eis and any(role is DeviceType.ESME for role, _ in active):
        active = [one for one in active if one[0] is DeviceType.ESME]
    return Needed(frozenset(party for _, party in active), frozenset(dormant))


def check_class(facts: PlanFacts) -> Refusal | None:
    """The class is the one that the meters' statuses make (R-007)."""
    found = class_of(status_of(facts.home, meter) for meter in meters_of(facts.home))
    if found is facts.home.installation_class:
        return None
    return Refusal("01", f"{facts.home.installation_class}; the meters make it {found}")


def check_capacity(facts: PlanFacts) -> Refusal | None:
    """The installation has a place in the day's capacity."""
    return None if facts.has_place else Refusal("01", str(facts.day))


def check_leave(book: RuleBook, facts: PlanFacts) -> Refusal | None:
    """Active meters are authorised, and suppliers of dormant ones are notified (P5)."""
    due = needed(facts.home, facts.cohort, book.settings)
    lacking = due.authorises & facts.withheld
    if lacking:
        return Refusal("01", f"party {', '.join(sorted(lacking))}")
    untold = due.notified & facts.unnotified
    if untold:
        return Refusal("02", f"party {', '.join(sorted(untold))}")
    first, last = facts.window
    if first <= facts.day <= last:
        return None
    return Refusal("03", f"{first} to {last}; the day is {facts.day}")


def mode_change_due(settings: Settings, step: str) -> bool:
    """Say whether a prepayment meter must be in credit mode by a step (4.49(e)).

    Source:
        S000 §3.1 for the obligation; from which step on it bites is a setting.
    """
    return _rank(step) >= _rank(settings.prepayment_mode_change_at)


def check_mode_change(book: RuleBook, facts: PlanFacts) -> Refusal | NotApplicable | None:
    """A prepayment meter is in credit mode where the obligation bites by this step (4.49(e))."""
    prepay = [m for m in meters_of(facts.home) if m.payment_mode is PaymentMode.PREPAYMENT]
    if not prepay:
        return NotApplicable("no meter prepays")
    if not mode_change_due(book.settings, facts.step):
        return NotApplicable(f"it bites from {book.settings.prepayment_mode_change_at} on")
    left = [meter for meter in prepay if meter.eui64 not in facts.in_credit]
    if not left:
        return None
    sub_code = "01" if facts.step.startswith("P") else "02"
    return Refusal(sub_code, ", ".join(f"{meter.role} {meter.eui64}" for meter in left))


def plan_checks(book: RuleBook) -> dict[str, Check[PlanFacts]]:
    """Return the checks of planning, by rule."""
    return {
        "CLASS": check_class,
        "P4": check_capacity,
        "P5": partial(check_leave, book),
        "4.49(e)": partial(check_mode_change, book),
    }


def places(homes: Iterable[Installation], capacity: int, settings: Settings) -> Mapping[str, bool]:
    """Share a day's capacity out: installations with a dormant meter first (TMAD 4.24, P4).

    Args:
        homes: Installations in the order in which they were asked for.
        capacity: What the Requesting Party can do on the day, in installations.
        settings: Flat allocation and party octets.

    Returns:
        Ref -> whether it has a place.
    """
    dormant: list[str] = []
    active: dict[str, list[str]] = {}
    for home in homes:
        if home.installation_class is not InstallationClass.ACTIVE:
            dormant.append(home.ref)
            continue
        meters = meters_of(home)
        party = party_of(meters[0].supplier, settings) if meters else ""
        active.setdefault(party, []).append(home.ref)
    demand = Demand(len(dormant), {party: len(refs) for party, refs in sorted(active.items())})
    given = allocate(demand, capacity, settings.dmin_installations_per_day)
    found = {ref: number < given.dormant for number, ref in enumerate(dormant)}
    for party, refs in active.items():
        found |= {ref: number < given.active[party] for number, ref in enumerate(refs)}
    return found


_PHASES: Final = "PVHTC"


def _rank(step: str) -> tuple[int, int]:
    return _PHASES.index(step[0]), int(step[1:])
