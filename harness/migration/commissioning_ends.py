"""What commissioning does besides requests: enrolment, certificates, notices, outcome."""

from collections.abc import Iterator, Mapping

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis.smets1_bodies import Credit, UpdatePaymentMode
from harness.formats.migration_files.building import BuiltFile
from harness.formats.migration_files.commissioning_file import (
    CommissioningDevice,
    CommissioningInstallation,
)
from harness.formats.migration_files.common_file import CommonInstallation, MeterDetail
from harness.formats.migration_files.devices import CertificateId as FileId
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.result_files import DeviceOutcome, InstallationOutcome
from harness.formats.migration_files.words import Commissioning as Word
from harness.formats.migration_files.words import MeterStatus
from harness.migration import commissioning_notice as notices
from harness.migration.collaborators import Files
from harness.migration.commissioning_result import CommissioningResult
from harness.migration.commissioning_world import CommissioningWorld
from harness.migration.file_set import SetInHand
from harness.migration.office import Office
from harness.parties.import_supplier import EIS, GIS, NOTICE
from harness.parties.s1sp_desk_records import (
    CRITICAL_NETWORK_OPERATOR,
    CRITICAL_SUPPLIER,
    NON_CRITICAL_NETWORK_OPERATOR,
    NON_CRITICAL_SUPPLIER,
    DeskRecord,
)
from harness.rules.migration_association import AssociationFacts, associated, why_null
from harness.rules.migration_certificates import CertificateId
from harness.rules.migration_prepayment import Duty, Fulfilment, PrepaymentRule
from harness.rules.roles import UserRole

#: Who writes notices to suppliers, in a trace.
_TELLER = "MCC"


def supplied(part: CommonInstallation) -> Iterator[tuple[MeterDetail, UserRole, str]]:
    """Yield every meter with the role and name of who supplies it."""
    roles = ((UserRole.IMPORT_SUPPLIER, EIS), (UserRole.GAS_SUPPLIER, GIS))
    for meter, (role, name) in zip(part.meters, roles, strict=False):
        yield meter, role, name


def taken_over_by(meter: MeterDetail, incoming: Mapping[str, Eui64]) -> Eui64 | None:
    """Return the supplier that is to take a dormant meter over; None for any other meter."""
    return incoming.get(meter.mpxn) if meter.status is MeterStatus.DORMANT else None


def enrol(
    world: CommissioningWorld, listed: CommissioningInstallation, part: CommonInstallation
) -> None:
    """Have the S1SP's desk keep records of an installation's devices."""
    own = part.hub.model.manufacturer
    world.desk.enrol(
        DeskRecord(
            device.device,
            device.device_type,
            part.hub.device,
            declared=device.model.firmware_version,
            own_make=device.model.manufacturer == own,
        )
        for device in listed.devices
    )


def _rule_id(identity: FileId) -> CertificateId:
    return CertificateId(identity.serial, identity.issuer)


def _is_split(part: CommonInstallation) -> bool:
    return len({meter.supplier for meter in part.meters}) > 1


def associate(
    world: CommissioningWorld,
    office: Office,
    part: CommonInstallation,
    device: CommissioningDevice,
    record: DeskRecord,
) -> str:
    """Notify a meter's Certificate IDs; returns why those of the supplier stay Null, or nothing."""
    meter = next(one for one in part.meters if one.device == device.device)
    named = device.certificates
    if named is None:
        return "the file names no certificates"
    ids = (_rule_id(named.critical_supplier), _rule_id(named.non_critical_supplier))
    holders = tuple(world.desk.party_of(one) for one in ids)
    rules = office.cohort.split_supply
    facts = AssociationFacts(
        authorised=meter.status is MeterStatus.ACTIVE,
        signed=True,  # the Commissioning Party believes no other SCF
        supplier=str(meter.supplier),
        holders=tuple(None if one is None else str(one) for one in holders),
        split=_is_split(part) and rules.require_null_supplier_certificates,
    )
    critical, non_critical = associated(ids, facts)
    record.notified[CRITICAL_SUPPLIER] = critical
    record.notified[NON_CRITICAL_SUPPLIER] = non_critical
    record.notified[CRITICAL_NETWORK_OPERATOR] = _rule_id(named.critical_network_operator)
    record.notified[NON_CRITICAL_NETWORK_OPERATOR] = _rule_id(named.non_critical_network_operator)
    return why_null(facts)


def association_summary(
    world: CommissioningWorld, part: CommonInstallation
) -> tuple[tuple[str, ...], str]:
    """Return which supplier Certificate IDs stand, and why others stay Null."""
    standing: list[str] = []
    null: list[str] = []
    for meter in part.meters:
        for name in (CRITICAL_SUPPLIER, NON_CRITICAL_SUPPLIER):
            known = world.desk.records[meter.device].notified[name]
            (null if known.is_null else standing).append(f"{name} of {meter.device}")
    return tuple(standing), f"Null: {', '.join(null)}" if null else ""


def tell(
    world: CommissioningWorld,
    office: Office,
    part: CommonInstallation,
    incoming: Mapping[str, Eui64],
) -> tuple[tuple[str, Eui64], ...]:
    """Tell each supplier of its own meter, and of a dormant one the incoming supplier too.

    Source:
        S001 Table 2 row 5; the incoming supplier: stand-in.
    """
    told: list[tuple[str, Eui64]] = []
    for meter, role, name in supplied(part):
        receivers = [(meter.supplier, False)]
        coming = taken_over_by(meter, incoming)
        if coming is not None:
            receivers.append((coming, True))
        for supplier, is_incoming in receivers:
            user = world.seat(supplier, [role], name)
            stands = not world.desk.records[meter.device].notified[CRITICAL_SUPPLIER].is_null
            notice = notices.Notice(
                supplier,
                name,
                meter.device,
                meter.mpxn,
                is_incoming,
                stands and not is_incoming,
                office.clock.now(),
            )
            octets = notices.write(notice)
            summary = f"{name}: meter {meter.device} is commissioned"
            office.post.hand_over(_TELLER, name, NOTICE, octets, summary)
            user.hear(octets)
            told.append((f"incoming {name}" if is_incoming else name, meter.device))
    return tuple(told)


def outcome(
    files: Files, hand: SetInHand, result: CommissioningResult, answers: BuiltFile
) -> bytes:
    """Make and send the outcome of commissioning by an SCF; returns its octets."""
    row = outcome_row(result)
    return files.outcome(hand, [row], answers).octets


def outcome_row(result: CommissioningResult) -> InstallationOutcome:
    """Return what the outcome file says of an installation."""
    rows = tuple(
        DeviceOutcome(
            one.device,
            Word.MIGRATED if one.commissioned else Word.FAILED,
            () if one.commissioned else (Finding(one.step, one.code, one.sub_code, one.text),),
        )
        for one in result.devices
    )
    word = Word.MIGRATED if result.commissioned else Word.FAILED
    return InstallationOutcome(result.ref, word, rows)


def prepayment_duties(part: CommonInstallation, rule: PrepaymentRule, since: UtcMs) -> list[Duty]:
    """Return the duties of 4.49(e) that begin when an installation is commissioned."""
    kinds = (DeviceType.ESME, DeviceType.GSME)
    return [
        Duty(meter.supplier, meter.device, since)
        for kind, meter in zip(kinds, part.meters, strict=False)
        if rule.concerns(kind, meter.payment_mode)
    ]


def fulfilments(world: CommissioningWorld) -> list[Fulfilment]:
    """Return every change to credit that a supplier asked for and an S1SP carried out."""
    done = []
    for eui64, user in world.suppliers.items():
        for asked, answer in user.carried_out(UpdatePaymentMode):
            body = asked.body
            if isinstance(body, UpdatePaymentMode) and isinstance(body.mode, Credit):
                meter = asked.request_id.target
                done.append(Fulfilment(eui64, meter, asked.header.variant, answer.at))
    return done
