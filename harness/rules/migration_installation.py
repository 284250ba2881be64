"""The rules of one installation of a Migration Common File: what the MCC and the S1SP ask of it."""

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.dmc import Combination
from device_profiles.words import DeviceType, InstallationClass, SmetsVersion
from harness.formats.authorisation.installation import AuthorisedInstallation, AuthorisedMeter
from harness.formats.migration_files.common_file import CommonInstallation, MeterDetail
from harness.formats.migration_files.devices import DeviceModel
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.words import MeterStatus, ProcessingMode
from harness.rules.eligibility import EligibilityFacts, Lists, eligibility_checks
from harness.rules.in_hand import in_hand
from harness.rules.migration_authorisation import (
    AuthorisationFacts,
    Places,
    authorisation_checks,
    supply_facts,
)
from harness.rules.migration_certificates import CertificateRegister
from harness.rules.migration_rulebook import Judge, RuleBook, Switches
from harness.rules.outcomes import Check, NotApplicable, Outcome, Refusal
from harness.rules.split_supply import supply_checks

#: Rules of the MCF itself that the S1SP asks in V4.
_S1SP_RULES: Final = ("NULL", "4.47", "4.48", "5.8", "5.9.10")
_NO_DAY: Final = (date.min, date.max)


class Desk(enum.Flag):
    """Whose rules are asked."""

    MCC = enum.auto()  # step V2
    S1SP = enum.auto()  # step V4, the MCF's part
    BOTH = MCC | S1SP


@dataclass(frozen=True, slots=True)
class Claim:
    """Who has named a device in an MCF that is still open.

    Attributes:
        party: Requesting Party, printed form.
        group_id: GroupID of the file.
        counter: Its counter; internal.
        ref: The installation.
    """

    party: str
    group_id: str
    counter: int = field(repr=False)
    ref: str


@dataclass(frozen=True, slots=True)
class CommonFacts:
    """What is known of one installation of an MCF.

    Attributes:
        header: Header of the MCF.
        cohort: Its cohort.
        installation: Its part of the file.
        shared: Devices, and meter points, that stand twice in the file.
        claims: Device, printed form -> who named it in an open MCF.
        stranded: Refs that are stranded; None: nobody knows, as for files alone.
    """

    header: Header
    cohort: Cohort
    installation: CommonInstallation
    shared: frozenset[str] = frozenset()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    stranded: frozenset[str] | None = None


def class_of(statuses: Iterable[MeterStatus]) -> InstallationClass:
    """Return the class of an installation from the statuses of its meters (R-007).

    Source:
        S002 §2 names Active and Mixed, S004 Dormant; that the class follows so: known.
    """
    dormant = {status is MeterStatus.DORMANT for status in statuses}
    if dormant == {True, False}:
        return InstallationClass.MIXED
    return InstallationClass.DORMANT if dormant == {True} else InstallationClass.ACTIVE


def check_class(facts: CommonFacts) -> Refusal | None:
    """The class is the one that the meters' statuses make."""
    found = class_of(meter.status for meter in facts.installation.meters)
    if found is facts.installation.installation_class:
        return None
    return Refusal("01", f"{facts.installation.installation_class}; the meters make it {found}")


def check_shared(facts: CommonFacts) -> Refusal | None:
    """No device and no meter point stands twice in the file."""
    for device in facts.installation.devices:
        if str(device) in facts.shared:
            return Refusal("02", str(device))
    for meter in facts.installation.meters:
        if meter.mpxn in facts.shared:
            return Refusal("03", meter.mpxn)
    return None


def check_open(facts: CommonFacts) -> Refusal | None:
    """No device stands in another MCF that is still open."""
    mine = str(facts.header.requesting_party)
    for device in facts.installation.devices:
        claim = facts.claims.get(str(device))
        if claim is None or (claim.party, claim.counter) == (mine, facts.header.counter):
            continue
        inside = f"{claim.party} {claim.group_id} counter {claim.counter}, {claim.ref}"
        if claim.party != mine:
            return Refusal("01", str(device), internal=inside)
        if facts.header.mode is not ProcessingMode.COMPLETE:
            return Refusal("02", str(device), internal=inside)
    return None


def check_mode(facts: CommonFacts) -> Refusal | NotApplicable | None:
    """5.8A completes what is stranded, in cohorts that have it, and nothing else (R-069)."""
    completes = facts.header.mode is ProcessingMode.COMPLETE
    if completes and not facts.cohort.cohort.resubmission_5_8a:
        return Refusal("01", f"cohort {facts.cohort.key}")
    if facts.stranded is None:
        return NotApplicable("nobody here knows what is stranded")
    if completes == (facts.installation.ref in facts.stranded):
        return None
    return Refusal("02" if completes else "03", facts.installation.ref)


COMMON_CHECKS: Final[Mapping[str, Check[CommonFacts]]] = {
    "CLASS": check_class,
    "UNIQUE": check_shared,
    "OPEN": check_open,
    "5.8A": check_mode,
}


class InstallationRules:
    """Asks the rules of installations, in the order of the rule table.

    Args:
        book: The rules.
        lists: CPL, EPCL and tested combinations.
        register: The certificates that are known; None: what needs them is not asked.
        switches: What the run changes.
    """

    def __init__(
        self,
        book: RuleBook,
        lists: Lists,
        register: CertificateRegister | None = None,
        switches: Switches | None = None,
    ) -> None:
        self._book = book
        self._lists = lists
        self._register = register
        self._switches = switches or Switches()
        authorised = authorisation_checks(book)
        self._authorised = {rule: authorised[rule] for rule in ("NULL", "4.47", "4.48", "MAM-6")}
        self._supply = supply_checks(book)
        eligible = eligibility_checks(book, lists)
        self._eligible = {rule: eligible[rule] for rule in ("CPL", "MA110")}

    def ask(self, facts: CommonFacts, day: date, desk: Desk = Desk.BOTH) -> tuple[Outcome, ...]:
        """Ask the rules of one desk, or of both, on one day."""
        judge = Judge(self._book, day, self._switches)
        same, place = as_authorised(facts.installation), Places(())
        authorised = AuthorisationFacts(same, 0, facts.cohort, day, place, register=self._register)
        supply = supply_facts(same, facts.cohort)
        models = self._models(facts, day)
        asked: dict[str, Callable[[], Outcome]] = {}
        for rule, check in COMMON_CHECKS.items():
            asked[rule] = partial(judge.ask, rule, check, facts)
        for rule, of_authorised in self._authorised.items():
            asked[rule] = partial(judge.ask, rule, of_authorised, authorised)
        for rule, of_supply in self._supply.items():
            asked[rule] = partial(judge.ask, rule, of_supply, supply)
        for rule, of_models in self._eligible.items():
            asked[rule] = partial(judge.ask, rule, of_models, models)
        mine = [rule for rule in self._book.rules if rule in asked and _is_of(rule, desk)]
        with in_hand(facts.installation.ref):
            return tuple(asked[rule]() for rule in mine)

    def _models(self, facts: CommonFacts, day: date) -> EligibilityFacts:
        combination = combination_of(facts.installation, self._lists)
        csp = str(facts.installation.hub.csp)
        return EligibilityFacts(facts.cohort, day, combination, csp)


def _is_of(rule: str, desk: Desk) -> bool:
    return bool(desk & (Desk.S1SP if rule in _S1SP_RULES else Desk.MCC))


def shared_in(installations: Iterable[CommonInstallation]) -> frozenset[str]:
    """Return devices that stand twice, in one installation or two, and meter points likewise."""
    counted: Counter[str] = Counter()
    for installation in installations:
        counted.update(str(device) for device in installation.devices)
        counted.update(meter.mpxn for meter in installation.meters)
    return frozenset(value for value, times in counted.items() if times > 1)


def combination_of(installation: CommonInstallation, lists: Lists) -> Combination:
    """Return the CPL rows of an installation's models; a model without one stands for itself."""

    def entry(kind: DeviceType, model: DeviceModel) -> str:
        found = lists.cpl.resolve(
            manufacturer=model.manufacturer,
            model=model.model + model.hardware_version,
            device_type=kind,
            firmware_version=model.firmware_version,
            smets=SmetsVersion.SMETS1,
        )
        if found.entry is not None:
            return found.entry.cpl_entry_id
        parts = (model.manufacturer, model.model, model.hardware_version, model.firmware_version)
        return ":".join(parts)

    gsme = installation.gsme
    return Combination(
        entry(DeviceType.CHF, installation.hub.model),
        entry(DeviceType.ESME, installation.esme.model),
        None if gsme is None else entry(DeviceType.GSME, gsme.model),
        tuple(entry(DeviceType.PPMID, ppmid.model) for ppmid in installation.ppmids),
    )


def as_authorised(installation: CommonInstallation) -> AuthorisedInstallation:
    """Return an installation of an MCF as the rules of authorisations judge it."""
    gsme = installation.gsme
    return AuthorisedInstallation(
        installation.ref,
        str(installation.hub.device),
        _meter(installation.esme),
        None if gsme is None else _meter(gsme),
        *_NO_DAY,
    )


def _meter(meter: MeterDetail) -> AuthorisedMeter:
    return AuthorisedMeter(
        str(meter.device),
        meter.mpxn,
        str(meter.supplier),
        meter.critical_supplier,
        meter.non_critical_supplier,
        meter.critical_network_operator,
        meter.non_critical_network_operator,
        meter.payment_mode,
    )
