"""Which installations may migrate, and whose firmware may be updated before that."""

import enum
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.cpl import Cpl
from device_profiles.dmc import Combination, Dmc, DmcList
from device_profiles.epcl import Alignment, Epcl, Misalignment
from device_profiles.words import CplStatus, InstallationClass
from emulator.core.values import quick
from harness.rules.migration_rulebook import RuleBook
from harness.rules.outcomes import Check, NotApplicable, Refusal

_MA110_SUB_CODES: Final = {
    Misalignment.NO_ENTRY: "X-01",
    Misalignment.NOT_YET: "X-02",
    Misalignment.REMOVED: "X-03",
    Misalignment.ELSEWHERE: "X-04",
}


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists in force.

    Attributes:
        cpl: Central Products List.
        epcl: Eligible Product Combinations.
        dmcs: Combinations and their tests.
    """

    cpl: Cpl
    epcl: Epcl
    dmcs: DmcList


@quick
@dataclass(frozen=True, slots=True)
class EligibilityFacts:
    """What is known of an installation before it is planned.

    Attributes:
        cohort: Its cohort.
        day: The day of the plan, UTC.
        combination: Its device models; None where they are not known.
        csp: Its communications service provider.
        exclusions: Excluded categories that hold for it, by their names.
        failures: Code and sub-code of each failed attempt since the last success.
    """

    cohort: Cohort
    day: date
    combination: Combination | None
    csp: str
    exclusions: frozenset[str] = frozenset()
    failures: tuple[tuple[str, str], ...] = ()


def check_cpl(lists: Lists, facts: EligibilityFacts) -> Refusal | NotApplicable | None:
    """Each device is on the Central Products List, and its entry Active."""
    if facts.combination is None:
        return NotApplicable("the models of the devices are not known")
    for name, entry_id in _entries(facts.combination):
        entry = lists.cpl.entries.get(entry_id)
        subject = (f"{name}CplEntry",)
        if entry is None:
            return Refusal("01", f"{name} {entry_id}", subject=subject)
        status = entry.status_on(facts.day)
        if status is not CplStatus.ACTIVE:
            return Refusal("02", f"{name} {entry_id} is {status}", subject=subject)
    return None


def align(lists: Lists, facts: EligibilityFacts) -> Alignment | None:
    """Compare an installation with the EPCL; None where its models are not known."""
    if facts.combination is None:
        return None
    return lists.epcl.align(
        facts.combination,
        group_id=facts.cohort.cohort.group_id,
        csp=facts.csp,
        day=facts.day,
    )


def check_ma110(lists: Lists, facts: EligibilityFacts) -> Refusal | NotApplicable | None:
    """The combination of device models and provider is on the EPCL (R-009, R-010)."""
    checks = facts.cohort.checks
    if not checks.ma110:
        return NotApplicable("the cohort has no such check")
    if checks.ma110_from is not None and facts.day < checks.ma110_from:
        return NotApplicable(f"the cohort has this check from {checks.ma110_from}")
    alignment = align(lists, facts)
    if alignment is None:
        return Refusal("X-05")
    if alignment.why is None:
        return None
    return Refusal(
        _MA110_SUB_CODES[alignment.why],
        _nearest(alignment),
        subject=tuple(f"{name}CplEntry" for name, _, _ in alignment.differing),
        repair=upgrades_needed(lists.cpl, alignment),
    )


def upgrades_needed(cpl: Cpl, alignment: Alignment) -> str:
    """Return which firmware updates would bring an installation into the list, or empty (F-065)."""
    steps = []
    for name, mine, theirs in alignment.differing:
        known = mine in cpl.entries and theirs in cpl.entries
        pathway = cpl.pathway(mine, theirs) if known else None
        if pathway is None:
            return ""
        steps.append(f"{name}: {' to '.join(pathway)}")
    return "update before migration: " + "; ".join(steps) if steps else ""


def check_exclusions(book: RuleBook, facts: EligibilityFacts) -> Refusal | None:
    """The installation falls in no excluded category (TMAD 18, R-013, R-035)."""
    held = set(facts.exclusions)
    if book.codes.counted_attempts(facts.failures) >= book.settings.attempts_until_excluded:
        held.add("failed_attempts")
    gas_alone: Refusal | None = None
    for row in book.exclusions:
        if row.category not in held:
            continue
        detail = f"excluded category {row.number}"
        if row.blocks == "installation":
            return Refusal(row.sub_code, detail, evidence=row.evidence)
        gas_alone = gas_alone or Refusal(
            row.sub_code,
            detail,
            code="GT01",
            evidence=row.evidence,
            warns=True,
            subject=("GSMEDeviceID",),
            repair="migrate the electricity meter alone",
        )
    return gas_alone


def eligibility_checks(book: RuleBook, lists: Lists) -> dict[str, Check[EligibilityFacts]]:
    """Return the checks of a plan, by rule."""
    return {
        "CPL": partial(check_cpl, lists),
        "MA110": partial(check_ma110, lists),
        "18": partial(check_exclusions, book),
    }


class Instructor(enum.StrEnum):
    """Who instructs a firmware update before migration."""

    DCC = "DCC"
    SUPPLIER = "supplier"
    SMSO = "SMSO"


@dataclass(frozen=True, slots=True)
class EarlyUpdateFacts:
    """What is known of an early firmware update.

    Attributes:
        installation_class: Active, Dormant or Mixed.
        meter_dormant: Whether the meter that the device belongs to is dormant.
        instructor: Who asks for it.
        dmc: The combination after the update; None where no list has it.
        group_id: GroupID.
        csp: Communications service provider.
        day: The day, UTC.
    """

    installation_class: InstallationClass
    meter_dormant: bool
    instructor: Instructor
    dmc: Dmc | None
    group_id: str
    csp: str
    day: date


def check_early_update(
    book: RuleBook, lists: Lists, facts: EarlyUpdateFacts
) -> Refusal | NotApplicable | None:
    """Firmware may be updated before the EPCL entry is made (4.26, R-014, F-102).

    ``None`` allows the early update; a device whose combination is on the EPCL already needs no
    leave of this clause.

    Source:
        S004 §4.1.1. That an active device of a Mixed installation is left out and its dormant
        ones are not: inferred.
    """
    dormant = facts.installation_class is not InstallationClass.ACTIVE and facts.meter_dormant
    if not dormant:
        return Refusal("01", f"the installation is {facts.installation_class}")
    if facts.dmc is None:
        return Refusal("03")
    if _on_epcl(lists, facts.dmc, facts):
        return NotApplicable("the EPCL has the combination: ordinary rules hold")
    first, last = book.settings.early_firmware_from, max(row.expires_on for row in book.tmad)
    if not first <= facts.day <= last:  # F-103: nothing is done under the TMAD after it ceases
        return Refusal("06", f"it is in force from {first} to {last}")
    if facts.instructor is not Instructor.DCC:
        return Refusal("04", f"it comes from the {facts.instructor}")
    return None if is_tested(lists.dmcs, facts.dmc, facts.day) else Refusal("02", facts.dmc.dmc_id)


def is_tested(dmcs: DmcList, dmc: Dmc, day: date) -> bool:
    """Say whether a combination, or the one it is equivalent to, is tested on a day (7.3)."""
    tested = (dmc, dmcs.relied_on(dmc))
    return any(one is not None and (one.mt_complete(day) or one.dmct_report(day)) for one in tested)


def early_update_checks(book: RuleBook, lists: Lists) -> dict[str, Check[EarlyUpdateFacts]]:
    """Return the check of an early update, by rule."""
    return {"4.26": partial(check_early_update, book, lists)}


def dormant_first(installation_class: InstallationClass) -> int:
    """Return the rank that puts installations with a dormant meter first (TMAD 4.24).

    For ``sorted(key=…)``, which leaves the order within a rank as it was.

    Source:
        S004 §4.1.1: installations that contain Dormant Devices come first; Mixed ones do.
    """
    return 1 if installation_class is InstallationClass.ACTIVE else 0


def migrating(combination: Combination, cohort: Cohort, cpl: Cpl) -> Combination:
    """Return the part of a combination that migrates.

    Where the cohort leaves third-party PPMIDs behind, those whose maker is not the hub's go.

    Source:
        S003 §4 (third-party devices of Secure installations are not migrated); that the maker of
        the hub tells them apart: invented.
    """
    hub = cpl.entries.get(combination.chf)
    if cohort.ppmid.third_party_migrated or hub is None:
        return combination
    own = tuple(
        entry_id
        for entry_id in combination.ppmids
        if (entry := cpl.entries.get(entry_id)) is not None
        and entry.manufacturer_id == hub.manufacturer_id
    )
    return replace(combination, ppmids=own)


def _on_epcl(lists: Lists, dmc: Dmc, facts: EarlyUpdateFacts) -> bool:
    alignment = lists.epcl.align(
        dmc.combination, group_id=facts.group_id, csp=facts.csp, day=facts.day
    )
    return alignment.entry is not None


def _entries(combination: Combination) -> list[tuple[str, str]]:
    found = [("CHF", combination.chf), ("ESME", combination.esme)]
    if combination.gsme is not None:
        found.append(("GSME", combination.gsme))
    return [*found, *(("PPMID", entry) for entry in combination.ppmids)]


def _nearest(alignment: Alignment) -> str:
    if alignment.nearest is None:
        return "the list is empty"
    if alignment.why is Misalignment.NOT_YET:
        return f"{alignment.nearest.epcl_id} is added on {alignment.nearest.added_on}"
    if alignment.why is Misalignment.REMOVED:
        return f"{alignment.nearest.epcl_id} was removed on {alignment.nearest.removed_on}"
    differing = "; ".join(
        f"{key} {mine}, not {theirs}" for key, mine, theirs in alignment.differing
    )
    return f"nearest is {alignment.nearest.epcl_id}, which differs: {differing}"
