"""What an authorised installation must meet before an MCF is made of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Final

from device_profiles.cohort import Cohort
from device_profiles.dmc import Combination
from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType, RemoteParty
from emulator.core.values import quick
from harness.formats.authorisation.installation import AuthorisedInstallation, AuthorisedMeter
from harness.rules.migration_calendar import tmad_on
from harness.rules.migration_certificates import CertificateId, CertificateRegister
from harness.rules.migration_rulebook import RuleBook
from harness.rules.outcomes import Check, NotApplicable, Refusal
from harness.rules.split_supply import SupplyFacts, party_of

_NO_REGISTER: Final = NotApplicable("no register of certificates was given")


class InstalledDevices:
    """The SMSO's inventory: which devices stand together."""

    def __init__(self, installations: Iterable[Installation]) -> None:
        self._found: dict[str, tuple[Installation, InstalledDevice]] = {
            device.eui64: (installation, device)
            for installation in installations
            for device in installation.devices
        }

    def find(self, device_id: str) -> tuple[Installation, InstalledDevice] | None:
        """Return a device and its installation, or None."""
        return self._found.get(device_id)

    def entry(self, device_id: str) -> str:
        """Return the CPL entry of a device; empty where it is not known."""
        found = self.find(device_id)
        return "" if found is None else found[1].cpl_entry or ""


class Places:
    """On which lines each reference, device and meter point stands."""

    def __init__(self, installations: Iterable[tuple[int, AuthorisedInstallation]]) -> None:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for line, installation in installations:
            for sub_code, _, value in identities(installation):
                found[sub_code, value].append(line)
        self._lines: Final[Mapping[tuple[str, str], Sequence[int]]] = found

    def lines(self, sub_code: str, value: str) -> Sequence[int]:
        """Return the lines of one identity, each time it stands there."""
        return self._lines.get((sub_code, value), ())


def identities(installation: AuthorisedInstallation) -> list[tuple[str, str, str]]:
    """Return what may stand in one installation only: sub-code of the clash, column, value."""
    found = [
        ("01", "InstallationRef", installation.ref),
        ("02", "CHFDeviceID", installation.chf_device_id),
        ("02", "ESMEDeviceID", installation.esme.device_id),
        ("03", "MPAN", f"electricity {installation.esme.mpxn}"),
    ]
    if installation.gsme is not None:
        found.append(("02", "GSMEDeviceID", installation.gsme.device_id))
        found.append(("03", "MPRN", f"gas {installation.gsme.mpxn.lstrip('0')}"))
    return found


@quick
@dataclass(frozen=True, slots=True)
class AuthorisationFacts:
    """What is known of one authorised installation.

    Attributes:
        installation: What the file says.
        line: On which line.
        cohort: Its cohort, or None where none was named.
        day: The day on which it is judged, UTC.
        places: Where everything of the file stands.
        authoriser: User ID of the supplier whose file it is; empty where it is not known.
        installed: The SMSO's inventory, or None.
        register: The certificates that are known, or None.
    """

    installation: AuthorisedInstallation
    line: int
    cohort: Cohort | None
    day: date
    places: Places
    authoriser: str = ""
    installed: InstalledDevices | None = None
    register: CertificateRegister | None = field(default=None, repr=False)


def check_unique(facts: AuthorisationFacts) -> Refusal | None:
    """No device, meter point or reference stands in two installations."""
    for sub_code, column, value in identities(facts.installation):
        lines = facts.places.lines(sub_code, value)
        if len(lines) > 1:
            others = sorted(set(lines) - {facts.line}) or [facts.line]
            shown = ", ".join(str(line) for line in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            return Refusal(
                sub_code,
                f"{value} also on line {shown}{more}",
                subject=(column,),
                repair="leave it on one line only",
            )
    return None


def check_dates(book: RuleBook, facts: AuthorisationFacts) -> Refusal | None:
    """The window of days is in order and open."""
    earliest, latest = facts.installation.earliest, facts.installation.latest
    both = ("EarliestMigrationDate", "LatestMigrationDate")
    if latest < earliest:
        detail = f"{earliest} to {latest}"
        return Refusal("01", detail, subject=both, repair="swap the two days, or correct one")
    if latest < facts.day:
        detail = f"it ended on {latest}; the day is {facts.day}"
        return Refusal("02", detail, subject=both[1:], repair="name a later window")
    version = tmad_on(book, facts.day)
    if version is not None and facts.day <= version.expires_on < latest:
        detail = f"{latest} lies after {version.expires_on}"
        return Refusal("03", detail, evidence=version.evidence, warns=True, subject=both[1:])
    return None


def check_installed(facts: AuthorisationFacts) -> Refusal | NotApplicable | None:
    """The SMSO's inventory has these devices in one installation (step P1)."""
    if facts.installed is None:
        return NotApplicable("no inventory was given")
    homes: dict[str, str] = {}
    for role, device_id in _devices(facts.installation):
        found = facts.installed.find(device_id)
        subject = (f"{role}DeviceID",)
        if found is None:
            return Refusal("01", f"{role} {device_id}", subject=subject)
        if found[1].role is not role:
            return Refusal("04", f"{device_id} is a {found[1].role} there", subject=subject)
        homes[f"{role}DeviceID"] = found[0].ref
    if len(set(homes.values())) > 1:
        detail = ", ".join(f"{column} in {ref}" for column, ref in homes.items())
        return Refusal("02", detail, subject=tuple(homes))
    found = facts.installed.find(facts.installation.esme.device_id)
    if facts.installation.gsme is None and found is not None and found[0].of(DeviceType.GSME):
        detail = f"installation {found[0].ref}"
        return Refusal("03", detail, warns=True, subject=("GSMEDeviceID",))
    return None


def check_coordinator(book: RuleBook, facts: AuthorisationFacts) -> Refusal | NotApplicable | None:
    """The authorisation comes from the supplier that coordinates the installation (R-026)."""
    if facts.cohort is None or not facts.authoriser:
        return NotApplicable("it is not known whose authorisation it is, or for which cohort")
    mine = party_of(facts.authoriser, book.settings)
    electricity = party_of(facts.installation.esme.user_id, book.settings)
    mark = facts.cohort.mark("cohort.coordinated_by_eis")
    evidence = "" if mark is None else str(mark)
    if facts.cohort.cohort.coordinated_by_eis:
        if mine == electricity:
            return None
        detail = f"the file is of party {mine}, the electricity import supplier is {electricity}"
        return Refusal(
            "01",
            detail,
            evidence=evidence,
            subject=("EIS_UserID",),
            repair="leave it to the electricity import supplier, or correct the EIS_UserID",
        )
    gsme = facts.installation.gsme
    parties = {electricity} | ({party_of(gsme.user_id, book.settings)} if gsme else set())
    if mine in parties:
        return None
    detail = f"the file is of party {mine}, the suppliers are {', '.join(sorted(parties))}"
    return Refusal("02", detail, evidence=evidence, subject=("EIS_UserID", "GIS_UserID"))


def check_whole_ids(facts: AuthorisationFacts) -> Refusal | None:
    """A Certificate ID is whole: serial and issuer, or the Null Certificate ID (R-052)."""
    for stem, identity in certificate_ids(facts.installation).items():
        subject = (f"{stem}Serial", f"{stem}Issuer")
        repair = "give serial and issuer, or serial 0 and no issuer for the Null Certificate ID"
        if identity.is_missing:
            return Refusal("01", stem, subject=subject, repair=repair)
        if identity.is_half:
            return Refusal("02", f"{stem}: {identity}", subject=subject, repair=repair)
    return None


def check_network_operator(fuel: str, facts: AuthorisationFacts) -> Refusal | NotApplicable | None:
    """A Network Operator's Certificate IDs are right (4.47, 4.48, R-028).

    Args:
        fuel: ``Elec`` or ``Gas``.
        facts: What is known.
    """
    if fuel == "Gas" and facts.installation.gsme is None:
        return NotApplicable("there is no gas meter")
    for stem, identity in certificate_ids(facts.installation).items():
        if not stem.startswith(f"NetworkOperator{fuel}"):
            continue
        subject = (f"{stem}Serial", f"{stem}Issuer")
        if identity.is_null:
            return Refusal(
                "01", stem, subject=subject, repair="give the Network Operator's Certificate ID"
            )
        if facts.register is None or identity.is_half or identity.is_missing:
            continue
        known = facts.register.find(identity)
        if known is None:
            return Refusal("02", f"{stem}: {identity}", subject=subject)
        if known.role is not RemoteParty.NETWORK_OPERATOR:
            return Refusal("03", f"{stem}: {identity}", subject=subject)
    return None


def check_own_certificates(
    book: RuleBook, facts: AuthorisationFacts
) -> Refusal | NotApplicable | None:
    """Supplier Certificate IDs are of that supplier's own certificates (MAM 6, R-029)."""
    if facts.register is None:
        return _NO_REGISTER
    for role, meter in _meters(facts.installation):
        for stem, identity in _supplier_ids(role, meter).items():
            if identity.is_null or identity.is_half or identity.is_missing:
                continue
            subject = (f"{stem}Serial", f"{stem}Issuer")
            known = facts.register.find(identity)
            if known is None:
                return Refusal("01", f"{stem}: {identity}", subject=subject)
            if known.role is not RemoteParty.SUPPLIER:
                return Refusal("02", f"{stem}: {identity}", subject=subject)
            party = party_of(known.party, book.settings)
            if party != party_of(meter.user_id, book.settings):
                detail = f"{stem}: the certificate is of party {party}"
                return Refusal("03", detail, subject=subject)
    return None


def authorisation_checks(book: RuleBook) -> dict[str, Check[AuthorisationFacts]]:
    """Return the checks of authorised installations, by rule."""
    return {
        "UNIQUE": check_unique,
        "DATES": partial(check_dates, book),
        "P1": check_installed,
        "MAM-4": partial(check_coordinator, book),
        "NULL": check_whole_ids,
        "4.47": partial(check_network_operator, "Elec"),
        "4.48": partial(check_network_operator, "Gas"),
        "MAM-6": partial(check_own_certificates, book),
    }


def supply_facts(installation: AuthorisedInstallation, cohort: Cohort) -> SupplyFacts:
    """Return what 5.8 and 5.9.10 judge."""
    ids: dict[str, CertificateId] = {}
    for role, meter in _meters(installation):
        ids |= _supplier_ids(role, meter)
    gsme = installation.gsme
    return SupplyFacts(
        eis_user_id=installation.esme.user_id,
        gis_user_id=None if gsme is None else gsme.user_id,
        has_gsme=gsme is not None,
        supplier_ids=ids,
        allowed=cohort.split_supply.allowed,
        null_required=cohort.split_supply.require_null_supplier_certificates,
    )


def combination_of(
    installation: AuthorisedInstallation, installed: InstalledDevices | None
) -> Combination | None:
    """Return the device models: as the file says, else as the inventory does, else None."""

    def entry(said: str, device_id: str) -> str:
        return said or ("" if installed is None else installed.entry(device_id))

    gsme = installation.gsme
    chf = entry(installation.chf_cpl_entry, installation.chf_device_id)
    esme = entry(installation.esme.cpl_entry, installation.esme.device_id)
    gas = "" if gsme is None else entry(gsme.cpl_entry, gsme.device_id)
    if not chf or not esme or (gsme is not None and not gas):
        return None
    ppmids = installation.ppmid_cpl_entries
    if not ppmids and installed is not None:
        found = installed.find(installation.esme.device_id)
        there = () if found is None else found[0].of(DeviceType.PPMID)
        if any(device.cpl_entry is None for device in there):
            return None
        ppmids = tuple(device.cpl_entry or "" for device in there)
    return Combination(chf, esme, gas or None, ppmids)


def certificate_ids(installation: AuthorisedInstallation) -> dict[str, CertificateId]:
    """Return every Certificate ID, by the beginning of its columns' names."""
    found: dict[str, CertificateId] = {}
    for role, meter in _meters(installation):
        fuel = "Elec" if role is DeviceType.ESME else "Gas"
        found |= _supplier_ids(role, meter)
        found[f"NetworkOperator{fuel}CriticalCert"] = meter.critical_network_operator
        found[f"NetworkOperator{fuel}NonCriticalCert"] = meter.non_critical_network_operator
    return found


def _supplier_ids(role: DeviceType, meter: AuthorisedMeter) -> dict[str, CertificateId]:
    return {
        f"{role}CriticalSupplierCert": meter.critical_supplier,
        f"{role}NonCriticalSupplierCert": meter.non_critical_supplier,
    }


def _meters(installation: AuthorisedInstallation) -> list[tuple[DeviceType, AuthorisedMeter]]:
    found = [(DeviceType.ESME, installation.esme)]
    if installation.gsme is not None:
        found.append((DeviceType.GSME, installation.gsme))
    return found


def _devices(installation: AuthorisedInstallation) -> list[tuple[DeviceType, str]]:
    return [
        (DeviceType.CHF, installation.chf_device_id),
        *((role, meter.device_id) for role, meter in _meters(installation)),
    ]
