"""Bodies of the requests that SMETS1 devices know, beside those of ``bodies``.

Source:
    Shapes: DUIS 5.4 XSD; checked by reading the sample requests at hand and by validating what is
    written.
"""

import enum
from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick

UTRN_DIGITS: Final = 20


class LogName(enum.StrEnum):
    """Logs that 6.13 reads."""

    EVENT = "Event"
    ALCS_EVENT = "ALCSEvent"
    POWER_EVENT = "PowerEvent"
    SECURITY = "Security"
    GSME_EVENT = "GSMEEvent"
    GSME_SECURITY = "GSMESecurity"


class LogChange(enum.StrEnum):
    """What 8.11 does with a device."""

    ADD = "Add"
    REMOVE = "Remove"


class PartyRole(enum.StrEnum):
    """Remote party roles as DUIS spells them."""

    ACB = "ACB"
    NETWORK_OPERATOR = "NetworkOperator"
    RECOVERY = "Recovery"
    ROOT = "Root"
    SUPPLIER = "Supplier"
    TRANS_COS = "TransCoS"
    LOAD_CONTROLLER = "LoadController"


@dataclass(frozen=True, slots=True)
class Credit:
    """The credit mode of 1.6."""


@dataclass(frozen=True, slots=True)
class Prepayment:
    """The prepayment mode of 1.6.

    Attributes:
        suspend_debt_disabled: No debt is collected while supply is disabled.
        suspend_debt_emergency: No debt is collected while emergency credit is in use.
        disablement_threshold_millipence: Balance at which supply is disabled.
    """

    suspend_debt_disabled: bool = False
    suspend_debt_emergency: bool = False
    disablement_threshold_millipence: int = 0


@dataclass(frozen=True, slots=True)
class UpdatePaymentMode:
    """1.6: change the payment mode.

    Attributes:
        mode: Credit or prepayment.
        execution_time: None for now.
    """

    mode: Credit | Prepayment
    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class UpdateImportTariff:
    """1.1.1: a new tariff; its three parts are kept as they were written.

    Attributes:
        prices: The element ``PriceElements``, canonical XML; ``smets1_tariff`` reads it.
        electricity: The element ``ElecTariffElements`` (switching table, thresholds), or None.
        gas: The element ``GasTariffElements``, or None.
        execution_time: None for now.
    """

    prices: bytes
    electricity: bytes | None = None
    gas: bytes | None = None
    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class TopUpDevice:
    """2.2: top up a prepayment meter.

    Attributes:
        utrn: The code, 20 digits.
    """

    utrn: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActivateEmergencyCredit:
    """2.5: select emergency credit."""


@dataclass(frozen=True, slots=True)
class ReadInstantaneousImportRegisters:
    """4.1.1: read the import registers; ``execution_time`` None for now."""

    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class ReadInstantaneousExportRegisters:
    """4.2: read the export registers; ``execution_time`` None for now."""

    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class ReadMeterBalance:
    """4.18: read the balance; ``execution_time`` None for now."""

    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class LogPeriod:
    """A span of time.

    Attributes:
        first: Its begin.
        last: Its end.
    """

    first: UtcMs
    last: UtcMs


@dataclass(frozen=True, slots=True)
class ReadActiveImportProfileData:
    """4.8.1: read the load profile.

    Attributes:
        period: Which part.
        execution_time: None for now.
        key_agreement: Certificate of a user that the device does not know, DER, or None.
    """

    period: LogPeriod
    execution_time: UtcMs | None = None
    key_agreement: bytes | None = None


@dataclass(frozen=True, slots=True)
class SynchroniseClock:
    """6.11: set the clock.

    Attributes:
        now: What the clock is to show.
        tolerance_s: By how much it may be off, 0 to 86 400 s.
    """

    now: UtcMs
    tolerance_s: int = 10


@dataclass(frozen=True, slots=True)
class CommissionDevice(SynchroniseClock):
    """8.1.1: commission a meter by setting its clock."""


@dataclass(frozen=True, slots=True)
class ReadEventOrSecurityLog:
    """6.13: read a log.

    Attributes:
        period: Which part.
        log: Which log.
    """

    period: LogPeriod
    log: LogName


@dataclass(frozen=True, slots=True)
class ReplacementCertificates:
    """Certificates that replace a party's, DER; None where they stay.

    Attributes:
        signing: Digital signature.
        agreement: Key agreement.
        top_up: Key agreement for prepayment.
    """

    signing: bytes | None
    agreement: bytes | None = None
    top_up: bytes | None = None


@dataclass(frozen=True, slots=True)
class CertificatePath:
    """Certificates that lead to the root, DER, 1 to 3."""

    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class KrpCertificates:
    """The wrapping of 6.15.1 around its certificates."""

    certificates: ReplacementCertificates


@dataclass(frozen=True, slots=True)
class RequestHandover:
    """6.21: put a party's certificates where the DCC's stand.

    Attributes:
        role: Whose.
        certificates: The certificates.
        path: How they lead to the root.
        floor: Counter below which the party will not begin, or None.
        top_up_floor: The same of its top-up codes, or None.
        time_checked: Whether periods of validity count.
        execution_time: None for now.
    """

    role: PartyRole
    certificates: ReplacementCertificates
    path: CertificatePath
    floor: int | None = None
    top_up_floor: int | None = None
    time_checked: bool = True
    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class UpdateCredentialsKrp:
    """6.15.1: a party replaces its own certificates; fields as of 6.21."""

    role: PartyRole
    certificates: KrpCertificates
    path: CertificatePath
    floor: int | None = None
    top_up_floor: int | None = None
    time_checked: bool = True
    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class UpdateCredentialsCos:
    """6.23: the certificates of a new supplier.

    Attributes:
        mpxn: The meter point.
        certificates: The certificates.
        path: How they lead to the root.
        floor: Counter below which the supplier will not begin.
        top_up_floor: The same of its top-up codes, or None.
        time_checked: Whether periods of validity count.
        execution_time: None for now.
    """

    mpxn: str
    certificates: ReplacementCertificates
    path: CertificatePath
    floor: int = 0
    top_up_floor: int | None = None
    time_checked: bool = True
    execution_time: UtcMs | None = None


@dataclass(frozen=True, slots=True)
class EnableSupply:
    """7.1: restore supply."""


@dataclass(frozen=True, slots=True)
class DisableSupply:
    """7.2: cut supply."""


@dataclass(frozen=True, slots=True)
class ArmSupply:
    """7.3: allow the consumer to restore supply."""


@dataclass(frozen=True, slots=True)
class ReadSupplyStatus:
    """7.4: read whether supply is on."""


@dataclass(frozen=True, slots=True)
class JoinNonCritical:
    """8.7.2: have a device take another one as its partner.

    Attributes:
        other: The other device.
    """

    other: Eui64


@dataclass(frozen=True, slots=True)
class ReadSecurityDetails:
    """The wish for security details in 8.9."""


@dataclass(frozen=True, slots=True)
class ReadDeviceLog:
    """8.9: read the device log.

    Attributes:
        security: Asks for security details; None does not.
        execution_time: None for now.
    """

    security: ReadSecurityDetails | None = None
    execution_time: UtcMs | None = None


@quick
@dataclass(frozen=True, slots=True)
class Whitelisting:
    """How a device is let in.

    Attributes:
        join_s: For how long, 1 to 3,600 s.
        install_code: 6 to 16 octets.
        mpxn: Import meter point of a meter, or None.
        second_mpan: Second import MPAN, or None.
        export_mpan: Export MPAN, or None.
    """

    join_s: int
    install_code: bytes = field(repr=False)
    mpxn: str | None = None
    second_mpan: str | None = None
    export_mpan: str | None = None


@quick
@dataclass(frozen=True, slots=True)
class UpdateHanDeviceLog:
    """8.11: add a device to the hub's log, or remove it.

    Attributes:
        device: The device.
        change: What to do.
        whitelisting: How it is let in; None where it is removed.
        execution_time: None for now.
    """

    device: Eui64
    change: LogChange
    whitelisting: Whitelisting | None = None
    execution_time: UtcMs | None = None


Smets1Body = (
    UpdateImportTariff
    | UpdatePaymentMode
    | TopUpDevice
    | ActivateEmergencyCredit
    | ReadInstantaneousImportRegisters
    | ReadInstantaneousExportRegisters
    | ReadActiveImportProfileData
    | ReadMeterBalance
    | SynchroniseClock
    | CommissionDevice
    | ReadEventOrSecurityLog
    | RequestHandover
    | UpdateCredentialsKrp
    | UpdateCredentialsCos
    | EnableSupply
    | DisableSupply
    | ArmSupply
    | ReadSupplyStatus
    | JoinNonCritical
    | ReadDeviceLog
    | UpdateHanDeviceLog
)
