"""All that the files of a set say of one installation."""

from dataclasses import dataclass, field

from device_profiles.cohort import Cohort
from emulator.core.values import quick
from harness.formats.migration_files.common_file import CommonInstallation
from harness.formats.migration_files.encrypted_file import EncryptedInstallation
from harness.formats.migration_files.group_file import GroupInstallation
from harness.formats.migration_files.header import Header
from harness.formats.migration_files.opening import Opened
from harness.formats.migration_files.result_files import ValidatedInstallation


@quick
@dataclass(frozen=True, slots=True)
class InstallationView:
    """All that the files of a set say of one installation.

    Attributes:
        header: Header of the MCF.
        cohort: Cohort of its GroupID.
        common: Its part of the MCF.
        validated: Its part of the MVF; None where there is no MVF, likewise below.
        group: Its part of the MGF.
        encrypted: Its part of the MEF.
        opened: What the MEF's layers hold.
        beside: Every installation of the MCF, this one among them; the tuple of the file itself.
    """

    header: Header
    cohort: Cohort = field(repr=False)
    common: CommonInstallation
    validated: ValidatedInstallation | None = None
    group: GroupInstallation | None = None
    encrypted: EncryptedInstallation | None = None
    opened: Opened | None = None
    beside: tuple[CommonInstallation, ...] = field(default=(), repr=False)
