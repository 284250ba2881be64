"""Files that answer with results: validation, viability, outcome of commissioning."""

from dataclasses import dataclass
from typing import Final

from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.migration_files import kinds
from harness.formats.migration_files.faults import Finding
from harness.formats.migration_files.words import Commissioning, Validity, Viability
from harness.formats.migration_files.xml_table import Column, Record, attribute, many, text


@quick
@dataclass(frozen=True, slots=True)
class ValidatedInstallation:
    """What data validation says of one installation.

    Attributes:
        ref: The Requesting Party's reference.
        result: Valid or Invalid.
        findings: Why it is invalid.
    """

    ref: str
    result: Validity
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ValidationFile:
    """Content of a Migration Validation File.

    Attributes:
        result: Of the Migration Common File as a whole.
        findings: Why that is invalid.
        installations: One row an installation; none where the file is invalid.
    """

    result: Validity
    findings: tuple[Finding, ...] = ()
    installations: tuple[ValidatedInstallation, ...] = ()


@dataclass(frozen=True, slots=True)
class ViableInstallation:
    """What device testing says of one installation.

    Attributes:
        ref: The Requesting Party's reference.
        result: Viable or NotViable.
        findings: The steps that failed.
    """

    ref: str
    result: Viability
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ViableFile:
    """Content of an S1SP Viable Installation File.

    Attributes:
        installations: One row an installation.
    """

    installations: tuple[ViableInstallation, ...]


@quick
@dataclass(frozen=True, slots=True)
class DeviceOutcome:
    """What became of one device.

    Attributes:
        device: Its EUI-64.
        result: Migrated or Failed.
        findings: Why it failed.
    """

    device: Eui64
    result: Commissioning
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class InstallationOutcome:
    """What became of one installation.

    Attributes:
        ref: The Requesting Party's reference.
        result: Migrated or Failed.
        devices: One row a device.
    """

    ref: str
    result: Commissioning
    devices: tuple[DeviceOutcome, ...]


@dataclass(frozen=True, slots=True)
class OutcomeFile:
    """Content of a Commissioning Outcome File.

    Attributes:
        installations: One row an installation.
    """

    installations: tuple[InstallationOutcome, ...]


_FINDING: Final = Record(
    Finding,
    (
        attribute("Step", "step", kinds.STEP),
        attribute("ErrorCode", "code", kinds.CODE),
        attribute("SubCode", "sub_code", kinds.SUB_CODE),
        text("text", kinds.TEXT),
    ),
)
_FINDINGS: Final = many("Finding", "findings", _FINDING)
_REF: Final = attribute("InstallationRef", "ref", kinds.NAME)
_VALIDITY: Final = attribute("Result", "result", kinds.words(Validity))
_VALIDATED: Final = Record(ValidatedInstallation, (_REF, _VALIDITY, _FINDINGS))
_VIABLE: Final = Record(
    ViableInstallation,
    (_REF, attribute("Result", "result", kinds.words(Viability)), _FINDINGS),
)
_COMMISSIONED: Final = attribute("Result", "result", kinds.words(Commissioning))
_DEVICE: Final = Record(
    DeviceOutcome, (attribute("DeviceID", "device", kinds.EUI64), _COMMISSIONED, _FINDINGS)
)
_OUTCOME: Final = Record(
    InstallationOutcome, (_REF, _COMMISSIONED, many("Device", "devices", _DEVICE))
)

VALIDATION_FILE: Final = Record(
    ValidationFile,
    (
        Column("Result", "result", kinds.words(Validity)),
        _FINDINGS,
        many("Installation", "installations", _VALIDATED),
    ),
)
VIABLE_FILE: Final = Record(ViableFile, (many("Installation", "installations", _VIABLE),))
OUTCOME_FILE: Final = Record(OutcomeFile, (many("Installation", "installations", _OUTCOME),))
