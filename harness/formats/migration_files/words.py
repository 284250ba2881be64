"""The words that stand in migration files."""

import enum


class FileType(enum.StrEnum):
    """Kinds of migration files, by abbreviation.

    Source:
        MCF, MVF, MGF, MEF: S000 §5; VIF, SCF, RFS, COF: invented.
    """

    MCF = "MCF"
    MVF = "MVF"
    MGF = "MGF"
    MEF = "MEF"
    VIF = "VIF"
    SCF = "SCF"
    RFS = "RFS"
    COF = "COF"


class ProcessingMode(enum.StrEnum):
    """How a Migration Common File is to be processed.

    Source:
        invented words for what S000 §5 describes: 5.8A skips rotation and SIM migration.
    """

    FULL = "Full"
    COMPLETE = "Complete5.8A"


class MeterStatus(enum.StrEnum):
    """Whether a meter is operated by its supplier today."""

    ACTIVE = "Active"
    DORMANT = "Dormant"


class Validity(enum.StrEnum):
    """Result of data validation."""

    VALID = "Valid"
    INVALID = "Invalid"


class Viability(enum.StrEnum):
    """Result of device testing."""

    VIABLE = "Viable"
    NOT_VIABLE = "NotViable"


class Commissioning(enum.StrEnum):
    """Result of commissioning."""

    MIGRATED = "Migrated"
    FAILED = "Failed"
