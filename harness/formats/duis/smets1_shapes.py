"""How the bodies of ``smets1_bodies`` are read and written."""

from typing import Final

from harness.formats.duis import kinds
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.kinds import Simple
from harness.formats.duis.shape import Choice, Embedded, Field, Shape
from harness.formats.duis.smets1_bodies import (
    UTRN_DIGITS,
    ActivateEmergencyCredit,
    ArmSupply,
    CertificatePath,
    CommissionDevice,
    Credit,
    DisableSupply,
    EnableSupply,
    JoinNonCritical,
    KrpCertificates,
    LogChange,
    LogName,
    LogPeriod,
    PartyRole,
    Prepayment,
    ReadActiveImportProfileData,
    ReadDeviceLog,
    ReadEventOrSecurityLog,
    ReadInstantaneousExportRegisters,
    ReadInstantaneousImportRegisters,
    ReadMeterBalance,
    ReadSecurityDetails,
    ReadSupplyStatus,
    ReplacementCertificates,
    RequestHandover,
    SynchroniseClock,
    TopUpDevice,
    UpdateCredentialsCos,
    UpdateCredentialsKrp,
    UpdateHanDeviceLog,
    UpdateImportTariff,
    UpdatePaymentMode,
    Whitelisting,
)

_CERTIFICATE_MOST: Final = 16_384


def _utrn(text: str) -> str:
    if len(text) != UTRN_DIGITS or not (text.isascii() and text.isdigit()):
        raise DuisError(DuisFault.BAD_LENGTH, f"a UTRN has {UTRN_DIGITS} digits")
    return text


def _install_code(octets: bytes) -> bytes:
    if not 6 <= len(octets) <= 16:
        raise DuisError(DuisFault.BAD_LENGTH, "an install code has 6 to 16 octets")
    return octets


def _certificate(octets: bytes) -> bytes:
    if not 1 <= len(octets) <= _CERTIFICATE_MOST:
        raise DuisError(
            DuisFault.BAD_LENGTH, f"a certificate has 1 to {_CERTIFICATE_MOST} octets here"
        )
    return octets


UTRN: Final = Simple("UTRN", _utrn, _utrn)
CERTIFICATE: Final = Simple(
    "Certificate",
    lambda text: _certificate(kinds.BASE64.read(text)),
    lambda octets: kinds.BASE64.write(_certificate(octets)),
)
_INSTALL_CODE: Final = Simple(
    "InstallCode",
    lambda text: _install_code(kinds.HEX.read(text)),
    lambda octets: kinds.HEX.write(_install_code(octets)),
)
_MPXN: Final = kinds.text("ImportMPxN", 1, 13)
_MPAN: Final = kinds.text("MPAN", 13, 13)
_FLOOR: Final = kinds.whole_number(0, 2**63 - 1)
_EXECUTION: Final = Field("ExecutionDateTime", "execution_time", kinds.DATE_TIME, optional=True)
_PERIOD: Final = Field(
    "ReadLogPeriod",
    "period",
    Shape(
        LogPeriod,
        (
            Field("StartDateTime", "first", kinds.DATE_TIME),
            Field("EndDateTime", "last", kinds.DATE_TIME),
        ),
    ),
)
_MODE: Final = Choice(
    (
        ("Credit", Shape(Credit), Credit),
        (
            "Prepayment",
            Shape(
                Prepayment,
                (
                    Field("SuspendDebtDisabled", "suspend_debt_disabled", kinds.BOOLEAN),
                    Field("SuspendDebtEmergency", "suspend_debt_emergency", kinds.BOOLEAN),
                    Field(
                        "DisablementThreshold",
                        "disablement_threshold_millipence",
                        kinds.whole_number(-(2**31), 2**31 - 1),
                    ),
                ),
            ),
            Prepayment,
        ),
    )
)
_CLOCK: Final = (
    Field("CurrentDateTime", "now", kinds.DATE_TIME),
    Field("TolerancePeriod", "tolerance_s", kinds.whole_number(0, 86_400)),
)


def _replacement(*, signing_optional: bool) -> Shape:
    return Shape(
        ReplacementCertificates,
        (
            Field("DigitalSigningCertificate", "signing", CERTIFICATE, optional=signing_optional),
            Field("KeyAgreementCertificate", "agreement", CERTIFICATE, optional=True),
            Field("KeyAgreementTopUpCertificate", "top_up", CERTIFICATE, optional=True),
        ),
    )


_PATH: Final = Field(
    "CertificationPathCertificates",
    "path",
    Shape(CertificatePath, (Field("Certificate", "certificates", CERTIFICATE, most=3),)),
)
_CHECKED: Final = Field("ApplyTimeBasedCPVChecks", "time_checked", kinds.BOOLEAN)
_ROLE: Final = (
    Field("RemotePartyRole", "role", kinds.words(PartyRole)),
    Field("RemotePartyFloorSeqNumber", "floor", _FLOOR, optional=True),
    Field("RemotePartyPrepaymentTopUpFloorSeqNumber", "top_up_floor", _FLOOR, optional=True),
)
_HANDOVER: Final = Shape(
    RequestHandover,
    (
        _EXECUTION,
        *_ROLE,
        Field("ReplacementCertificates", "certificates", _replacement(signing_optional=False)),
        _PATH,
        _CHECKED,
    ),
)
_KRP: Final = Shape(
    UpdateCredentialsKrp,
    (
        _EXECUTION,
        *_ROLE,
        Field(
            "ReplacementCertificates",
            "certificates",
            Shape(
                KrpCertificates,
                (
                    Field(
                        "SupplierOrNetworkOperatorCertificates",
                        "certificates",
                        _replacement(signing_optional=True),
                    ),
                ),
            ),
        ),
        _PATH,
        _CHECKED,
    ),
)
_COS: Final = Shape(
    UpdateCredentialsCos,
    (
        _EXECUTION,
        Field("SupplierFloorSeqNumber", "floor", _FLOOR),
        Field("SupplierPrepaymentTopUpFloorSeqNumber", "top_up_floor", _FLOOR, optional=True),
        Field(
            "SupplierReplacementCertificates",
            "certificates",
            _replacement(signing_optional=False),
        ),
        _PATH,
        _CHECKED,
        Field("ImportMPxN", "mpxn", _MPXN),
    ),
)
_WHITELISTING: Final = Shape(
    Whitelisting,
    (
        Field("JoinTimePeriod", "join_s", kinds.whole_number(1, 3600)),
        Field("InstallCode", "install_code", _INSTALL_CODE),
        Field("ImportMPxN", "mpxn", _MPXN, optional=True),
        Field("SecondaryImportMPAN", "second_mpan", _MPAN, optional=True),
        Field("ExportMPAN", "export_mpan", _MPAN, optional=True),
    ),
)
_DEVICE_LOG: Final = Shape(
    UpdateHanDeviceLog,
    (
        _EXECUTION,
        Field("DeviceID", "device", kinds.EUI),
        Field("RequestType", "change", kinds.words(LogChange)),
        Field("AddDeviceToCHFWhitelist", "whitelisting", _WHITELISTING, optional=True),
    ),
)
_PROFILE: Final = Shape(
    ReadActiveImportProfileData,
    (
        _EXECUTION,
        _PERIOD,
        Field("KAPublicSecurityCredentials", "key_agreement", CERTIFICATE, optional=True),
    ),
)
_READ_LOG: Final = Shape(
    ReadEventOrSecurityLog, (_PERIOD, Field("LogToRead", "log", kinds.words(LogName)))
)
_READ_DEVICE_LOG: Final = Shape(
    ReadDeviceLog,
    (
        _EXECUTION,
        Field("ReadSecurityDetails", "security", Shape(ReadSecurityDetails), optional=True),
    ),
)


_TARIFF: Final = Shape(
    UpdateImportTariff,
    (
        _EXECUTION,
        Field("ElecTariffElements", "electricity", Embedded(), optional=True),
        Field("GasTariffElements", "gas", Embedded(), optional=True),
        Field("PriceElements", "prices", Embedded()),
    ),
)


def _timed(make: type) -> Shape:
    return Shape(make, (_EXECUTION,))


#: Rows of the Body element of a request: element, shape, type.
ROWS: Final[tuple[tuple[str, Shape, type], ...]] = (
    ("UpdateImportTariffPrimaryElement", _TARIFF, UpdateImportTariff),
    (
        "UpdatePaymentMode",
        Shape(UpdatePaymentMode, (_EXECUTION, Field("", "mode", _MODE))),
        UpdatePaymentMode,
    ),
    ("TopUpDevice", Shape(TopUpDevice, (Field("UTRN", "utrn", UTRN),)), TopUpDevice),
    ("ActivateEmergencyCredit", Shape(ActivateEmergencyCredit), ActivateEmergencyCredit),
    (
        "ReadInstantaneousImportRegisters",
        _timed(ReadInstantaneousImportRegisters),
        ReadInstantaneousImportRegisters,
    ),
    (
        "ReadInstantaneousExportRegisters",
        _timed(ReadInstantaneousExportRegisters),
        ReadInstantaneousExportRegisters,
    ),
    ("ReadActiveImportProfileData", _PROFILE, ReadActiveImportProfileData),
    ("ReadMeterBalance", _timed(ReadMeterBalance), ReadMeterBalance),
    ("SynchroniseClock", Shape(SynchroniseClock, _CLOCK), SynchroniseClock),
    ("CommissionDeviceSynchroniseClock", Shape(CommissionDevice, _CLOCK), CommissionDevice),
    ("ReadEventOrSecurityLog", _READ_LOG, ReadEventOrSecurityLog),
    ("RequestHandoverOfDCCControlledDevice", _HANDOVER, RequestHandover),
    ("UpdateSecurityCredentialsKRP", _KRP, UpdateCredentialsKrp),
    ("UpdateSecurityCredentialsCoS", _COS, UpdateCredentialsCos),
    ("EnableSupply", Shape(EnableSupply), EnableSupply),
    ("DisableSupply", Shape(DisableSupply), DisableSupply),
    ("ArmSupply", Shape(ArmSupply), ArmSupply),
    ("ReadSupplyStatus", Shape(ReadSupplyStatus), ReadSupplyStatus),
    (
        "JoinServiceNonCritical",
        Shape(JoinNonCritical, (Field("OtherDeviceID", "other", kinds.EUI),)),
        JoinNonCritical,
    ),
    ("ReadDeviceLog", _READ_DEVICE_LOG, ReadDeviceLog),
    ("UpdateHANDeviceLog", _DEVICE_LOG, UpdateHanDeviceLog),
)
