"""Sets of migration files for tests: made-up homes, keys of a test PKI, everything seeded."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lxml import etree

from device_profiles.cohort import CohortEnvelope
from device_profiles.words import CspRegion, DeviceType, InstallationClass, PaymentMode
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore, KeyUsage
from emulator.crypto.pki import TestPki
from harness.formats.migration_files.building import (
    BuiltFile,
    Keys,
    SetBuilder,
    SetPlan,
    build_set,
)
from harness.formats.migration_files.checking import (
    DeliveryReport,
    InstallationCheck,
    check_delivery,
    files_alone,
)
from harness.formats.migration_files.commissioning_file import (
    AssociatedCertificates,
    CommissioningDevice,
    CommissioningFile,
    CommissioningInstallation,
)
from harness.formats.migration_files.common_file import (
    CommonInstallation,
    HubDetail,
    MeterDetail,
    PpmidDetail,
)
from harness.formats.migration_files.counters import Ledger
from harness.formats.migration_files.devices import NULL_CERTIFICATE_ID, DeviceModel
from harness.formats.migration_files.document import octets
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.groups import load_groups
from harness.formats.migration_files.handover import factory_secrets
from harness.formats.migration_files.opening import Opener
from harness.formats.migration_files.parties import (
    TEST_NETWORK_OPERATOR,
    TEST_PARTIES,
    Directory,
    Role,
    certificate_id,
    party_entries,
    role_keys,
)
from harness.formats.migration_files.reading import CheckedFile, Context, check_octets
from harness.formats.migration_files.result_files import (
    DeviceOutcome,
    InstallationOutcome,
    OutcomeFile,
    ViableFile,
    ViableInstallation,
)
from harness.formats.migration_files.schema import load_schema
from harness.formats.migration_files.signing import sign, strip, xml_key
from harness.formats.migration_files.words import (
    Commissioning,
    FileType,
    MeterStatus,
    ProcessingMode,
    Viability,
)
from harness.formats.migration_files.xml_input import parse
from harness.rules.outcomes import Outcome
from harness.rules.outcomes import Result as RuleResult

SEED = 7
AT = from_datetime(datetime(2021, 6, 7, 6, tzinfo=UTC))
GROUPS = load_groups()
SCHEMA = load_schema()
EIS = Eui64.parse("70-B3-D5-1F-30-00-A0-08")
GIS = Eui64.parse("70-B3-D5-1F-30-00-B3-08")
MODEL = DeviceModel("FFF1", "0101", "0100", "10000001")
USES = (KeyUsage.DS, KeyUsage.KA)
OTHER_RP = Eui64.parse("02-53-42-00-00-E1-00-02")


@cache
def store() -> KeyStore:
    """Keys of every role, and of a second Requesting Party with a PKI of its own."""
    keys = role_keys(
        Chance(SEED).stream("keys").octets,
        AT,
        suppliers=[EIS, GIS],
        network_operators=[TEST_NETWORK_OPERATOR],
    )
    pki = TestPki.new(Chance(SEED).stream("another pki").octets, AT)
    return keys.merged(KeyStore(party_entries(pki, Role.REQUESTING_PARTY, OTHER_RP)))


@cache
def context() -> Context:
    return Context(SCHEMA, Directory(store()), GROUPS, Opener.of(store(), TEST_PARTIES))


def device(kind: int, number: int) -> Eui64:
    return Eui64(bytes((0x02, 0x53, kind, 0, 0, 0, 0, number)))


def meter(kind: int, number: int, mpxn: str, supplier: Eui64) -> MeterDetail:
    ids = [certificate_id(store().find(TEST_NETWORK_OPERATOR, use)) for use in USES]
    return MeterDetail(
        device(kind, number),
        MODEL,
        mpxn,
        supplier,
        NULL_CERTIFICATE_ID,
        NULL_CERTIFICATE_ID,
        ids[0],
        ids[1],
        PaymentMode.PREPAYMENT,
        MeterStatus.ACTIVE,
    )


def home(number: int, *, gas: bool = True) -> CommonInstallation:
    """One split-supply home, or an ESME-only one."""
    return CommonInstallation(
        f"home-{number}",
        InstallationClass.ACTIVE,
        HubDetail(device(2, number), MODEL, CspRegion.SMETS1),
        meter(1, number, f"{9900000000000 + number:013d}", EIS),
        meter(0, number, f"{990000 + number}", GIS) if gas else None,
        None,
        (PpmidDetail(device(5, number), MODEL),),
    )


@dataclass(frozen=True)
class Wanted:
    """Which set; hashable, so that a set is made once."""

    group: str = "EA"
    counter: int = 41
    homes: int = 1
    mode: ProcessingMode = ProcessingMode.FULL
    at: UtcMs = AT
    plaintext: bool = False
    envelope: CohortEnvelope | None = None
    gas: bool = True
    requesting_party: Eui64 = TEST_PARTIES[Role.REQUESTING_PARTY]


USUAL = Wanted()


def builder(wanted: Wanted = USUAL) -> SetBuilder:
    cohort = GROUPS[wanted.group]
    if wanted.envelope is not None:
        cohort = cohort.model_copy(update={"envelope": wanted.envelope})
    plan = SetPlan(cohort, "BG", wanted.counter, wanted.at, wanted.mode)
    parties = {**TEST_PARTIES, Role.REQUESTING_PARTY: wanted.requesting_party}
    return SetBuilder(plan, Keys(store(), parties), SCHEMA)


@cache
def built(wanted: Wanted = USUAL) -> tuple[BuiltFile, ...]:
    """MCF, MVF, MGF, MEF and manifest of one set."""
    draw = Chance(SEED).stream("envelope").octets
    homes = [home(number, gas=wanted.gas) for number in range(1, wanted.homes + 1)]
    return build_set(
        builder(wanted), homes, factory_secrets(SEED), draw, plaintext=wanted.plaintext
    )


def one(kind: FileType, wanted: Wanted = USUAL) -> BuiltFile:
    return next(file for file in built(wanted) if file.file.header.file_type is kind)


def checked(*files: BuiltFile, at: Context | None = None) -> list[CheckedFile]:
    return [check_octets(file.name, file.octets, at or context()) for file in files]


def delivered(
    *files: BuiltFile,
    ledger: Ledger | None = None,
    at: Context | None = None,
    installation_check: InstallationCheck = files_alone,
) -> DeliveryReport:
    where = at or context()
    return check_delivery(checked(*files, at=where), where, ledger or Ledger(), installation_check)


def refusing(code: str = "X-5.9.10", sub_code: str = "01", text: str = "split") -> Outcome:
    """What a rule of installations says when it refuses."""
    return Outcome(code, RuleResult.REJECTED, "V4", code, sub_code, "", "stand-in", text)


def codes(report: DeliveryReport) -> list[str]:
    """What each file was refused with, code and sub-code; empty for an accepted one."""
    return [
        "" if row.error is None else f"{row.error.check.code} {row.error.sub_code}"
        for row in report.files
    ]


def installation_codes(report: DeliveryReport) -> list[str]:
    return [
        f"{row.findings[0].code} {row.findings[0].sub_code}" if row.findings else ""
        for row in report.installations
    ]


def signed_as(role: Role, root: etree._Element, party: Eui64 | None = None) -> bytes:
    """Sign a tree anew with the key of a role; returns the document."""
    strip(root)
    entry = store().find(party or TEST_PARTIES[role], KeyUsage.XML)
    assert entry is not None
    sign(root, xml_key(entry))
    return octets(root, SCHEMA)


def resigned(
    file: BuiltFile,
    change: Callable[[etree._Element], Any],
    role: Role = Role.REQUESTING_PARTY,
    *,
    name: str = "",
    party: Eui64 | None = None,
) -> BuiltFile:
    """Change the tree of a file and sign it anew: what its maker could have sent."""
    root = parse(file.octets, SCHEMA.namespace)
    change(root)
    return replace(file, name=name or file.name, octets=signed_as(role, root, party))


def find(root: etree._Element, name: str) -> etree._Element:
    element = next(root.iter(f"{{{SCHEMA.namespace}}}{name}"), None)
    assert element is not None, name
    return element


def put(name: str, text: str) -> Callable[[etree._Element], None]:
    """Return a change that gives the first element of that name another text."""

    def change(root: etree._Element) -> None:
        find(root, name).text = text

    return change


def seconds(count: int) -> UtcMs:
    return UtcMs(AT + 1000 * count)


@cache
def answers() -> tuple[BuiltFile, ...]:
    """The answers of later steps to the usual set: VIF, SCF, COF."""
    make, mcf, mef = builder(), one(FileType.MCF), one(FileType.MEF)
    failed = Finding("T3", "X-T3", "01", "the ESME does not answer the S1SP's key")
    viable = ViableFile((ViableInstallation("home-1", Viability.VIABLE),))
    one_home = home(1)
    devices = [CommissioningDevice(one_home.hub.device, DeviceType.CHF, MODEL)]
    devices += [
        CommissioningDevice(
            meter_of.device,
            kind,
            MODEL,
            one_home.hub.device,
            AssociatedCertificates(
                meter_of.critical_supplier,
                meter_of.non_critical_supplier,
                meter_of.critical_network_operator,
                meter_of.non_critical_network_operator,
            ),
        )
        for kind, meter_of in zip((DeviceType.ESME, DeviceType.GSME), one_home.meters, strict=True)
    ]
    s1sp = TEST_PARTIES[Role.S1SP]
    row = CommissioningInstallation("home-1", s1sp, tuple(devices))
    outcome = InstallationOutcome(
        "home-1",
        Commissioning.FAILED,
        (
            DeviceOutcome(device(2, 1), Commissioning.MIGRATED),
            DeviceOutcome(device(1, 1), Commissioning.FAILED, (failed,)),
        ),
    )
    vif = make.publish(FileType.VIF, viable, after_s=3600, answers=mef)
    scf = make.publish(FileType.SCF, CommissioningFile((row,)), after_s=3601, answers=mcf)
    cof = make.publish(FileType.COF, OutcomeFile((outcome,)), after_s=7200, answers=scf)
    return vif, scf, cof
