"""What the work on files needs of the office that the parties of a run share."""

from typing import Protocol

from device_profiles.cohort import Cohort
from device_profiles.files import Folders
from device_profiles.installation import Installation
from emulator.core.chance import Chance
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.handover import SecretsOf
from harness.formats.migration_files.schema import MigrationSchema
from harness.parties.post import Post
from harness.ports import Clock
from harness.rules.eligibility import Lists
from harness.rules.migration_rulebook import RuleBook, Switches


class _Terms(Protocol):
    """Choices of a run that files depend on."""

    @property
    def switches(self) -> Switches:
        """Rules that are switched off, forced or overridden."""
        ...

    @property
    def first_counter(self) -> int:
        """Counter of the first file set."""
        ...


class FileOffice(Protocol):
    """What the work on files needs of the office that the parties share."""

    @property
    def cohort(self) -> Cohort:
        """The cohort, with the order of hand-over that holds."""
        ...

    @property
    def terms(self) -> _Terms:
        """What the run chose."""
        ...

    @property
    def chance(self) -> Chance:
        """The parties' chance."""
        ...

    @property
    def clock(self) -> Clock:
        """The days of the migration."""
        ...

    @property
    def post(self) -> Post:
        """Every message between parties."""
        ...

    @property
    def book(self) -> RuleBook:
        """The rules."""
        ...

    @property
    def lists(self) -> Lists:
        """CPL, EPCL and combinations."""
        ...

    @property
    def keys(self) -> Keys:
        """Keys of all parties."""
        ...

    @property
    def schema(self) -> MigrationSchema:
        """The migration schema."""
        ...

    @property
    def overlays(self) -> Folders:
        """Overlay folders, weakest first."""
        ...

    @property
    def installations(self) -> tuple[Installation, ...]:
        """All installations of the run."""
        ...

    @property
    def secrets_of(self) -> SecretsOf:
        """Secrets of each device as the SMSO gives them to its Requesting Party."""
        ...
