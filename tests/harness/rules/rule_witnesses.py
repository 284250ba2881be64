"""For every rule of the migration: facts that it accepts, and facts that it alone refuses."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from device_profiles.cohort import Cohort, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.dmc import Combination, load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.installation import Installation
from device_profiles.words import DeviceType, Dormancy, InstallationClass, PaymentMode
from harness.formats.authorisation.columns import ColumnMap, load_layout
from harness.formats.authorisation.installation import AuthorisedInstallation
from harness.formats.authorisation.reading import read
from harness.formats.migration_files.checks import CHECKS
from harness.formats.migration_files.common_file import CommonFile
from harness.formats.migration_files.words import FileType
from harness.new_installations import Order, generate
from harness.rules import migration_appendices as appendices
from harness.rules.counters import COUNTER_CHECKS, CounterFacts, SequenceState
from harness.rules.eligibility import (
    EarlyUpdateFacts,
    EligibilityFacts,
    Instructor,
    Lists,
    early_update_checks,
    eligibility_checks,
)
from harness.rules.migration_authorisation import (
    AuthorisationFacts,
    InstalledDevices,
    Places,
    authorisation_checks,
    supply_facts,
)
from harness.rules.migration_calendar import (
    CONTACT_CHECKS,
    MS_A_DAY,
    ContactFacts,
    FileDayFacts,
    calendar_checks,
)
from harness.rules.migration_certificates import CertificateId, CertificateRegister
from harness.rules.migration_envelope import (
    ENVELOPE_CHECKS,
    STRUCTURES,
    EnvelopeFacts,
    Opened,
    Opening,
)
from harness.rules.migration_installation import COMMON_CHECKS, Claim, CommonFacts
from harness.rules.migration_planning import PlanFacts, plan_checks
from harness.rules.migration_rulebook import Judge, RuleBook, Switches, load_rule_book
from harness.rules.outcomes import Outcome
from harness.rules.split_supply import supply_checks
from tests.harness.formats import authorisations_made as made
from tests.harness.formats.migration_files.migration_given import one

DAY = date(2021, 3, 1)
S1SP, DP = STRUCTURES
CHF, ESME, GSME, PPMID = made.CPL.values()
WHOLE = Combination(CHF, ESME, GSME, (PPMID,))
SEEN: dict[str, appendices.Value] = {
    "esme.answered": True,
    "esme.device_id": "E",
    "esme.detail_device_id": "E",
    "esme.mpan": "1",
    "esme.detail_mpan": "1",
    "esme.firmware": "10000001",
    "esme.dmc_firmware": "10000001",
    "esme.s1sp_association": True,
    "esme.smso_association": False,
    "esme.mode_change_proved": True,
    "esme.payment_mode": "Credit",
    "esme.detail_payment_mode": "Credit",
    "gsme.han_log_entry": True,
    "gsme.answered": True,
    "gsme.device_id": "G",
    "gsme.detail_device_id": "G",
    "gsme.mprn": "2",
    "gsme.detail_mprn": "2",
    "gsme.firmware": "10000001",
    "gsme.dmc_firmware": "10000001",
    "gsme.s1sp_association": True,
    "gsme.smso_association": False,
    "gsme.payment_mode": "Prepayment",
    "gsme.detail_payment_mode": "Prepayment",
}


@cache
def book() -> RuleBook:
    return load_rule_book()


@cache
def lists() -> Lists:
    cpl = load_cpl()
    dmcs = load_dmcs(cpl)
    return Lists(cpl, load_epcl(cpl, dmcs), dmcs)


@cache
def cohort(key: str) -> Cohort:
    return load_cohort(key)


def with_dates(key: str, **dates: date | None) -> Cohort:
    found = cohort(key)
    return found.model_copy(update={"dates": found.dates.model_copy(update=dates)})


def judge(day: date = DAY, **switches: Any) -> Judge:
    return Judge(book(), day, Switches(**switches))


def authorised(**changes: Any) -> AuthorisedInstallation:
    """One authorised installation, through the reader."""
    return read_one(made.installation(**changes))


@cache
def _layout() -> Any:
    return load_layout(column_map=ColumnMap())


def read_one(values: Mapping[str, Any]) -> AuthorisedInstallation:
    with tempfile.TemporaryDirectory() as folder:
        path = made.write_csv(Path(folder) / "one.csv", made.lines([values]))
        (row,) = read(path, _layout()).rows
    assert row.installation is not None, row.findings
    return row.installation


@cache
def home() -> Installation:
    return generate(Order(1, 1, "EA"))[0]


def authorised_home() -> AuthorisedInstallation:
    """The authorisation of a generated installation that the inventory has."""
    by_role = {device.role.value: device for device in home().devices}
    return replace(
        authorised(),
        chf_device_id=by_role["CHF"].eui64,
        esme=replace(authorised().esme, device_id=by_role["ESME"].eui64),
        gsme=replace(_gsme(authorised()), device_id=by_role["GSME"].eui64),
    )


def _gsme(installation: AuthorisedInstallation) -> Any:
    assert installation.gsme is not None
    return installation.gsme


def facts_of(installation: AuthorisedInstallation, **changes: Any) -> AuthorisationFacts:
    """Facts with everything known, in which all is well."""
    values = {
        "installation": installation,
        "line": 2,
        "cohort": cohort("EA"),
        "day": DAY,
        "places": Places([(2, installation)]),
        "authoriser": made.EIS,
        "register": CertificateRegister(made.register_certificates()),
    }
    return AuthorisationFacts(**{**values, **changes})


@dataclass(frozen=True)
class Witness:
    """Facts for one rule."""

    good: Any
    bad: Any
    sub_code: str
    checks: Callable[[], Mapping[str, Any]]

    def ask(self, rule: str, facts: Any, by: Judge) -> Outcome:
        if rule in appendices.CLAUSES:
            return appendices.ask(by, rule, facts)[0]
        return by.ask(rule, self.checks()[rule], facts)


def _calendar() -> Mapping[str, Any]:
    return calendar_checks(book())


def _authorisation() -> Mapping[str, Any]:
    return authorisation_checks(book())


def _models() -> Mapping[str, Any]:
    return eligibility_checks(book(), lists())


def _eligible(**changes: Any) -> EligibilityFacts:
    values = {"cohort": cohort("EA"), "day": DAY, "combination": WHOLE, "csp": "SMETS1"}
    return EligibilityFacts(**{**values, **changes})


def _early(**changes: Any) -> EarlyUpdateFacts:
    values = {
        "installation_class": InstallationClass.DORMANT,
        "meter_dormant": True,
        "instructor": Instructor.DCC,
        "dmc": lists().dmcs.entries["SYN-DMC-EB-DUAL-PPMID"],
        "group_id": "EB",
        "csp": "SMETS1",
        "day": date(2021, 4, 20),
    }
    return EarlyUpdateFacts(**{**values, **changes})


def _envelope(**changes: Any) -> EnvelopeFacts:
    values = {
        "row": cohort("EA").envelope,
        "encrypted": Opened(Opening.VALID, S1SP),
        "protected": Opened(Opening.VALID, DP),
        "dco": Opened(Opening.VALID, "DecryptedDCOGroupInformation"),
    }
    return EnvelopeFacts(**{**values, **changes})


def _counters(**changes: Any) -> CounterFacts:
    state = SequenceState({("RP", "EA"): 40}, frozenset({("RP", "EA", 40)}))
    values = {"requesting_party": "RP", "group_id": "EA", "state": state, "mcf": 41}
    return CounterFacts(**{**values, "mvf": 41, "mgf": 41, "mef": 41, **changes})


def _supply(values: Mapping[str, Any]) -> Any:
    return supply_facts(read_one(values), cohort("EA"))


def _devices(**changes: appendices.Value) -> appendices.DeviceFacts:
    return appendices.DeviceFacts({**SEEN, **changes}, has_gsme_detail=True)


def _changed_esme(**changes: Any) -> AuthorisedInstallation:
    return replace(authorised(), esme=replace(authorised().esme, **changes))


#: Rules that judge octets and files that came together: ``test_migration_checks`` shows each.
OF_FILES = frozenset(check.rule for check in CHECKS)


def common_facts() -> CommonFacts:
    """One installation of the first MCF of a Requesting Party."""
    built = one(FileType.MCF)
    content = built.file.content
    assert isinstance(content, CommonFile)
    return CommonFacts(built.file.header, cohort("EA"), content.installations[0])


def _planning() -> Mapping[str, Any]:
    return plan_checks(book())


@cache
def witnesses() -> dict[str, Witness]:
    """Every rule but 7.3.2, which judges cells, and those of files and sets (``OF_FILES``)."""
    day = FileDayFacts(cohort("EA"), DAY)
    well = facts_of(authorised())
    at_home = facts_of(authorised_home(), installed=InstalledDevices([home()]))
    split = made.installation(GIS_UserID=made.GIS)
    open_split = replace(_supply(made.split()), allowed=True)
    other = CertificateId("9999", "Nobody")
    plan = PlanFacts(cohort("EA"), home(), DAY)
    misclassed = home().model_copy(update={"installation_class": InstallationClass.DORMANT})
    told = [
        one.model_copy(update={"dormancy": Dormancy.CHANGE_OF_SUPPLIER})
        if one.role is DeviceType.GSME
        else one
        for one in misclassed.devices
    ]
    misclassed = misclassed.model_copy(update={"devices": tuple(told)})
    paying = [
        one.model_copy(update={"payment_mode": PaymentMode.PREPAYMENT})
        if one.payment_mode is not None
        else one
        for one in home().devices
    ]
    prepaying = home().model_copy(update={"devices": tuple(paying)})
    meters = frozenset(one.eui64 for one in paying if one.payment_mode is not None)
    common = common_facts()
    hub = str(common.installation.hub.device)
    claim = Claim("another Requesting Party", "EA", 7, "their-home")
    waited = ContactFacts(0, 7 * MS_A_DAY - 1, 7 * MS_A_DAY, 7)
    return {
        "GROUP": Witness(day, replace(day, cohort=cohort("EC")), "02", _calendar),
        "1.3": Witness(day, replace(day, day=date(2025, 1, 1)), "01", _calendar),
        "RELEASE": Witness(day, replace(day, day=date(2020, 12, 12)), "01", _calendar),
        "RP": Witness(
            day, replace(day, cohort=with_dates("EA", requesting_party_closed=DAY)), "01", _calendar
        ),
        "4.15": Witness(
            replace(day, started=DAY),
            FileDayFacts(cohort("DA"), date(2021, 3, 8), DAY),
            "01",
            _calendar,
        ),
        "5.9.5": Witness(_counters(), _counters(mcf=40), "01", lambda: COUNTER_CHECKS),
        "5.9.6": Witness(_counters(), _counters(mgf=42), "01", lambda: COUNTER_CHECKS),
        "5.9.7": Witness(_counters(), _counters(mef=40), "01", lambda: COUNTER_CHECKS),
        "UNIQUE": Witness(
            well,
            facts_of(authorised(), places=Places([(2, authorised()), (3, authorised())])),
            "01",
            _authorisation,
        ),
        "DATES": Witness(
            well,
            facts_of(replace(authorised(), latest=date(2021, 2, 1))),
            "01",
            _authorisation,
        ),
        "P1": Witness(
            at_home,
            facts_of(authorised(), installed=InstalledDevices([home()])),
            "01",
            _authorisation,
        ),
        "CPL": Witness(
            _eligible(), _eligible(combination=Combination("NONE", ESME)), "01", _models
        ),
        "MA110": Witness(
            _eligible(), _eligible(combination=Combination(CHF, ESME, ESME)), "X-01", _models
        ),
        "18": Witness(
            _eligible(), _eligible(exclusions=frozenset({"missing_master_keys"})), "01", _models
        ),
        "4.26": Witness(
            _early(),
            _early(meter_dormant=False),
            "01",
            lambda: early_update_checks(book(), lists()),
        ),
        "MAM-4": Witness(well, facts_of(authorised(), authoriser=made.GIS), "02", _authorisation),
        "NULL": Witness(
            well,
            facts_of(_changed_esme(critical_supplier=CertificateId("0", "A"))),
            "02",
            _authorisation,
        ),
        "4.47": Witness(
            well,
            facts_of(_changed_esme(critical_network_operator=CertificateId("0", ""))),
            "01",
            _authorisation,
        ),
        "4.48": Witness(
            well,
            facts_of(
                replace(
                    authorised(),
                    gsme=replace(_gsme(authorised()), non_critical_network_operator=other),
                )
            ),
            "02",
            _authorisation,
        ),
        "MAM-6": Witness(
            well, facts_of(_changed_esme(critical_supplier=other)), "01", _authorisation
        ),
        "CLASS": Witness(plan, replace(plan, home=misclassed), "01", _planning),
        "P4": Witness(plan, replace(plan, has_place=False), "01", _planning),
        "P5": Witness(plan, replace(plan, withheld=frozenset({"0100"})), "01", _planning),
        "4.49(e)": Witness(
            replace(plan, home=prepaying, step="C5", in_credit=meters),
            replace(plan, home=prepaying, step="C5"),
            "02",
            _planning,
        ),
        "OPEN": Witness(common, replace(common, claims={hub: claim}), "01", lambda: COMMON_CHECKS),
        "5.8A": Witness(
            replace(common, stranded=frozenset()),
            replace(common, stranded=frozenset({common.installation.ref})),
            "03",
            lambda: COMMON_CHECKS,
        ),
        "5.8": Witness(
            open_split, replace(open_split, allowed=False), "01", lambda: supply_checks(book())
        ),
        "5.9.10": Witness(
            _supply(made.split()), _supply(split), "01", lambda: supply_checks(book())
        ),
        "11.1": Witness(
            _envelope(),
            _envelope(encrypted=Opened(), plaintext=Opened(Opening.VALID, S1SP)),
            "01",
            lambda: ENVELOPE_CHECKS,
        ),
        "5.23(a)": Witness(
            _envelope(),
            _envelope(encrypted=Opened(Opening.NOT_DECRYPTED)),
            "02",
            lambda: ENVELOPE_CHECKS,
        ),
        "5.23(b)": Witness(
            _envelope(),
            _envelope(encrypted=Opened(Opening.INVALID, S1SP)),
            "02",
            lambda: ENVELOPE_CHECKS,
        ),
        "11.2.1": Witness(
            _envelope(),
            _envelope(encrypted=Opened(Opening.VALID, DP)),
            "01",
            lambda: ENVELOPE_CHECKS,
        ),
        "15.3": Witness(_envelope(), _envelope(protected=Opened()), "01", lambda: ENVELOPE_CHECKS),
        "DCO": Witness(_envelope(), _envelope(dco=Opened()), "01", lambda: ENVELOPE_CHECKS),
        "H4": Witness(waited, replace(waited, heard_ms=7 * MS_A_DAY), "01", lambda: CONTACT_CHECKS),
        "16.10.2": Witness(_devices(), _devices(**{"esme.mode_change_proved": False}), "07", dict),
        "16.9.2": Witness(_devices(), _devices(**{"gsme.answered": False}), "", dict),
    }
