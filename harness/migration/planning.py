"""Planning and authorisation (P1 to P6): which installations migrate, and with whose leave."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final

from device_profiles.announced import announced_in_smets1, resolve_in_smets1
from device_profiles.dmc import Combination, Dmc
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.loader import load_profile
from device_profiles.words import DeviceType, Dormancy, InstallationClass, SupplyShape
from emulator.core.clock import to_datetime
from harness.errors import UsageError
from harness.formats.migration_files.checking import Result
from harness.formats.migration_files.checks import Level
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.notifications import (
    AuthorisedMeterLine,
    DormantFirmwareLine,
    DormantMeterLine,
    render,
)
from harness.formats.migration_files.words import MeterStatus
from harness.migration.file_office import FileOffice
from harness.migration.record import InstallationRecord
from harness.migration.verdicts import InstallationVerdict, Stage
from harness.rules.eligibility import (
    EarlyUpdateFacts,
    EligibilityFacts,
    Instructor,
    early_update_checks,
    eligibility_checks,
    migrating,
)
from harness.rules.in_hand import in_hand
from harness.rules.migration_calendar import FileDayFacts, calendar_checks
from harness.rules.migration_installation import class_of
from harness.rules.migration_planning import (
    PlanFacts,
    meters_of,
    needed,
    places,
    plan_checks,
    status_of,
)
from harness.rules.migration_rulebook import Judge
from harness.rules.outcomes import Outcome
from harness.rules.outcomes import Result as RuleResult
from harness.rules.split_supply import party_of

_KIND: Final = "migration-file"
_ORDER: Final = "order"
_MCC, _SMSO, _EIS, _GIS = "MCC", "SMSO", "EIS", "GIS"
_NAMES: Final = {DeviceType.ESME: _EIS, DeviceType.GSME: _GIS}
#: Rules of days that keep an installation out of every file (R-005, R-017, R-018).
_DAY_RULES: Final = ("GROUP", "1.3", "RELEASE", "RP")
_PLANS: Final = ("P1", "P2", "P3", "P4")


@dataclass(frozen=True, slots=True)
class Arrangements:
    """What suppliers and the MCC have arranged; by default all is well.

    Attributes:
        exclusions: Ref -> excluded categories that hold for it.
        statements: Refs whose supplier states that dormant meters cannot be migrated.
        withheld: Parties (two octets as hex digits) that gave no Migration Authorisation.
        unnotified: Parties that got no dormant schedule notification.
        windows: Ref -> first and last day authorised; a ref that is not there: any day.
        capacity: Installations a day; None: no limit.
        in_credit: Meters, by EUI-64, that their supplier has put in credit mode beforehand.
    """

    exclusions: Mapping[str, frozenset[str]] = field(default_factory=dict)
    statements: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    unnotified: frozenset[str] = frozenset()
    windows: Mapping[str, tuple[date, date]] = field(default_factory=dict)
    capacity: int | None = None
    in_credit: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class FirmwareOrder:
    """One firmware update before migration: who instructed it, and who carried it out (R-016).

    Attributes:
        ref: The installation.
        device: EUI-64, printed form.
        instructed_by: The DCC, for a dormant device.
        executed_by: The SMSO.
        outcome: What rule 4.26 says; SKIPPED where the EPCL has the combination already.
    """

    ref: str
    device: str
    instructed_by: str
    executed_by: str
    outcome: Outcome


class Planning:
    """Plans and authorises installations of one run; a participant with a memory.

    Args:
        office: What the parties share.
        arrangements: What suppliers and the MCC have arranged.

    Attributes:
        arrangements: See above; a scenario may change it between steps.
        updates: Early firmware updates that were asked for, in order.
    """

    def __init__(self, office: FileOffice, arrangements: Arrangements | None = None) -> None:
        self._office = office
        self.arrangements = arrangements or Arrangements()
        self._homes = {home.ref: home for home in office.installations}
        self._eligible = eligibility_checks(office.book, office.lists)
        self._planned = plan_checks(office.book)
        self.updates: list[FirmwareOrder] = []

    @property
    def today(self) -> date:
        """The day, UTC."""
        return to_datetime(self._office.clock.now()).date()

    def plan(self, records: Sequence[InstallationRecord]) -> dict[str, InstallationVerdict]:
        """Take P1 to P4: inventory and class, eligibility, firmware, capacity.

        The cause of dormancy is written into each record. What may not migrate asks for no place.
        """
        found = {record.ref: self._planned_with(record, has_place=True) for record in records}
        capacity = self.arrangements.capacity
        if capacity is None:
            return found
        asking = [self._homes[ref] for ref, row in found.items() if row.result is Result.ACCEPTED]
        has_place = places(asking, capacity, self._office.book.settings)
        for record in records:
            if not has_place.get(record.ref, True):
                found[record.ref] = self._planned_with(record, has_place=False)
        return found

    def _planned_with(self, record: InstallationRecord, *, has_place: bool) -> InstallationVerdict:
        home = self._homes.get(record.ref)
        if home is None:
            return self._unknown(record.ref)
        record.dormancy = dormancy_of(home)
        with in_hand(home.ref):
            return self._verdict(home.ref, self._plan(self._facts(home, has_place), record))

    def authorise(self, records: Sequence[InstallationRecord]) -> dict[str, InstallationVerdict]:
        """Take P5 and P6: authorisation or notification, and the prepayment pre-condition."""
        found = {}
        for record in records:
            home = self._homes[record.ref]
            checks = {rule: self._planned[rule] for rule in ("P5", "4.49(e)")}
            with in_hand(home.ref):
                self._exchange(home)
                facts = self._facts(home, has_place=True)
                found[record.ref] = self._verdict(record.ref, self._judge().run(checks, facts))
        return found

    def early_update(
        self,
        record: InstallationRecord,
        device: str,
        dmc: Dmc | None,
        *,
        instructor: Instructor = Instructor.DCC,
        versions: tuple[str, str] = ("", ""),
    ) -> FirmwareOrder:
        """Ask for a firmware update before migration (4.26), and write down who ordered it.

        Args:
            record: The installation.
            device: EUI-64 of the device, printed form.
            dmc: The combination after the update; None where no list has it.
            instructor: Who asks for it.
            versions: Running and wanted version, for the notification.

        Raises:
            KeyError: The installation is not known.
        """
        office, home = self._office, self._homes[record.ref]
        target = next((one for one in home.devices if one.eui64 == device), None)
        meter = target if target is not None and target.role in _NAMES else None
        # Hub and displays belong to the electricity meter, as in judge_early (F-102).
        meter = meter or next(iter(home.of(DeviceType.ESME)), None)
        dormant = (
            home.installation_class is not InstallationClass.ACTIVE
            if meter is None
            else status_of(home, meter) is MeterStatus.DORMANT
        )
        facts = EarlyUpdateFacts(
            home.installation_class,
            dormant,
            instructor,
            dmc,
            office.cohort.cohort.group_id,
            str(home.csp),
            self.today,
        )
        checks = early_update_checks(office.book, office.lists)
        outcome = self._judge().ask("4.26", checks["4.26"], facts)
        order = FirmwareOrder(record.ref, device, str(instructor), _SMSO, outcome)
        self.updates.append(order)
        if not outcome.rejected:
            line = DormantFirmwareLine(record.ref, device, *versions, self.today)
            octets = render(DormantFirmwareLine, [line])
            sender = _MCC if instructor is Instructor.DCC else str(instructor)
            office.post.hand_over(sender, _SMSO, _ORDER, octets, f"update firmware of {device}")
        return order

    def _plan(self, facts: PlanFacts, record: InstallationRecord) -> tuple[Outcome, ...]:
        judge = self._judge()
        days = calendar_checks(self._office.book)
        outcomes = judge.run(
            {rule: days[rule] for rule in _DAY_RULES}, FileDayFacts(facts.cohort, facts.day)
        )
        eligible = judge.run(self._eligible, self._eligibility(facts, record))
        planned = judge.run({rule: self._planned[rule] for rule in ("CLASS", "P4")}, facts)
        return (*(_at_planning(one) for one in outcomes), *eligible, *planned)

    def _eligibility(self, facts: PlanFacts, record: InstallationRecord) -> EligibilityFacts:
        home, lists = facts.home, self._office.lists
        whole = combination_of(home, self._office)
        combination = migrating(whole, facts.cohort, lists.cpl)
        held = set(self.arrangements.exclusions.get(home.ref, frozenset()))
        if record.exclusion:
            held.add(record.exclusion)
        if home.ref in self.arrangements.statements and Dormancy.CONTRACT_END in _causes(home):
            held.add("contract_ended")
        rows = lists.dmcs.entries.values()
        if any(dmc.uneconomic and dmc.combination == combination for dmc in rows):
            held.add("uneconomic_to_test")
        if any(
            row.blocks == "gsme" and row.category in held for row in self._office.book.exclusions
        ):
            combination = replace(combination, gsme=None)
        failures = tuple((code, sub) for code, sub in record.failures)
        return EligibilityFacts(
            facts.cohort, facts.day, combination, str(home.csp), frozenset(held), failures
        )

    def _facts(self, home: Installation, has_place: bool) -> PlanFacts:
        arranged = self.arrangements
        window = arranged.windows.get(home.ref, (date.min, date.max))
        return PlanFacts(
            self._office.cohort,
            home,
            self.today,
            has_place,
            arranged.withheld,
            arranged.unnotified,
            window,
            arranged.in_credit,
        )

    def _exchange(self, home: Installation) -> None:
        """Send what suppliers of active meters authorise, and what those of dormant ones get."""
        settings, arranged = self._office.book.settings, self.arrangements
        due = needed(home, self._office.cohort, settings)
        first, last = arranged.windows.get(home.ref, (self.today, self.today))
        for meter in meters_of(home):
            party, name = party_of(meter.supplier, settings), _NAMES[meter.role]
            line = (home.ref, meter.mpxn or "", meter.supplier, first, last)
            dormant = status_of(home, meter) is MeterStatus.DORMANT
            if dormant and party not in arranged.unnotified:
                octets = render(DormantMeterLine, [DormantMeterLine(*line)])
                told = f"dormant schedule notification, {home.ref}"
                self._office.post.hand_over(_MCC, name, _KIND, octets, told)
            elif not dormant and party in due.authorises - arranged.withheld:
                octets = render(AuthorisedMeterLine, [AuthorisedMeterLine(*line)])
                told = f"Migration Authorisation, {home.ref}"
                self._office.post.hand_over(name, _MCC, _KIND, octets, told)

    def _judge(self) -> Judge:
        return Judge(self._office.book, self.today, self._office.terms.switches)

    def _verdict(self, ref: str, outcomes: Sequence[Outcome]) -> InstallationVerdict:
        refused = sorted((one for one in outcomes if one.rejected), key=lambda one: one.step)
        warned = [one for one in outcomes if one.code and not one.rejected]
        return InstallationVerdict(
            ref,
            Stage.PLANNING,
            Result.REFUSED if refused else Result.ACCEPTED,
            Level.INSTALLATION,
            tuple(Finding.of(one) for one in refused),
            tuple(Finding.of(one) for one in warned),
        )

    def _unknown(self, ref: str) -> InstallationVerdict:
        told = Finding("P1", "X-P1", "01", f"{ref} is not on the SMSO's inventory")
        return InstallationVerdict(ref, Stage.PLANNING, Result.REFUSED, findings=(told,))

    def dump(self) -> dict[str, Any]:
        """Return its memory as JSON values."""
        return {"updates": [asdict(one) for one in self.updates]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take over a dumped memory."""
        self.updates = [
            FirmwareOrder(**{**one, "outcome": Outcome(**_outcome(one["outcome"]))})
            for one in state["updates"]
        ]


def _outcome(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "result": RuleResult(row["result"]), "subject": tuple(row["subject"])}


def _at_planning(outcome: Outcome) -> Outcome:
    """Return the outcome of a rule of files as planning finds it: before any file."""
    return outcome if outcome.step in _PLANS else replace(outcome, step="P2")


def _causes(home: Installation) -> list[Dormancy]:
    return list(dict.fromkeys(one.dormancy for one in home.devices if one.dormancy is not None))


def dormancy_of(home: Installation) -> str:
    """Return why meters of an installation are dormant; empty where none is.

    Where the file gives no cause, it is the usual one: a change of supplier.

    Source:
        S002 §2 and DCC-a2d name the two causes; which is usual: inferred.
    """
    causes = _causes(home)
    if not causes and home.installation_class is not InstallationClass.ACTIVE:
        causes = [Dormancy.CHANGE_OF_SUPPLIER]
    return ", ".join(causes)


def combination_of(home: Installation, office: FileOffice) -> Combination:
    """Return the CPL rows of an installation's models; a model without one stands for itself."""
    cpl, overlays = office.lists.cpl, office.overlays

    def entry(device: InstalledDevice) -> str:
        return device.cpl_entry or _resolved(device)

    def _resolved(device: InstalledDevice) -> str:
        profile = load_profile(device.profile, overlays)
        found = resolve_in_smets1(cpl, profile, device.role).entry
        if found is not None:
            return found.cpl_entry_id
        identity, (version, _smets) = profile.identity, announced_in_smets1(profile)
        return f"{identity.manufacturer_hex}:{identity.model_hex}:{version}"

    def first(role: DeviceType) -> str | None:
        return next((entry(device) for device in home.of(role)), None)

    return Combination(
        first(DeviceType.CHF) or "none",
        first(DeviceType.ESME) or "none",
        first(DeviceType.GSME),
        tuple(entry(device) for device in home.of(DeviceType.PPMID)),
    )


def without_dormant_gsme(home: Installation, office: FileOffice) -> Installation:
    """Let the SMSO de-register a dormant GSME before any migration (R-074).

    It is the SMSO's own business: no other party hears of it, and what is left migrates as any
    ESME-only installation does.

    Raises:
        UsageError: There is no GSME, it is active, or the group's SMSO does not do so.

    Source:
        S002 §2 (Secure); which groups do it is a setting.
    """
    group = office.cohort.cohort.group_id
    gas = home.of(DeviceType.GSME)
    if group not in office.book.settings.gsme_deregistration_groups:
        raise _not_deregistered(home, f"the SMSO of GroupID {group} does not de-register meters")
    if not gas or status_of(home, gas[0]) is not MeterStatus.DORMANT:
        raise _not_deregistered(home, "it has no dormant gas meter")
    octets = gas[0].eui64.encode()
    office.post.hand_over(_SMSO, _SMSO, _ORDER, octets, f"de-register dormant GSME, {home.ref}")
    kept = tuple(device for device in home.devices if device.role is not DeviceType.GSME)
    statuses = [status_of(home, meter) for meter in home.of(DeviceType.ESME)]
    return home.model_copy(
        update={
            "devices": kept,
            "shape": SupplyShape.ELECTRICITY_ONLY,
            "installation_class": class_of(statuses),
        }
    )


def _not_deregistered(home: Installation, why: str) -> UsageError:
    return UsageError(
        f"its gas meter cannot be de-registered beforehand: {why}",
        where=home.ref,
        cause="an installation of another cohort or class",
        next_command="smetsbench migration run --help",
    )
