"""What a run of migrations is free to choose: data folders, rules, lists, order, first day."""

from dataclasses import dataclass, field
from pathlib import Path

from device_profiles.cohort import HandoverOrder
from emulator.core.clock import UtcMs
from emulator.crypto.keystore import KeyStore
from harness.rules.eligibility import Lists
from harness.rules.migration_rulebook import RuleBook, Switches


@dataclass(frozen=True, slots=True)
class Terms:
    """Choices of a run; what is None is read from the shipped data and the overlays.

    Attributes:
        overlays: Overlay folders, weakest first.
        switches: Rules that are switched off, forced or overridden.
        order: Where the hand-over stands; None: as the cohort's file says.
        start: First moment of the migration; None: a day on which the cohort migrates.
        lists: CPL, EPCL and combinations.
        book: The rules.
        keystore: Keys of the parties.
        first_counter: Counter of the first file set.
    """

    overlays: tuple[Path, ...] = ()
    switches: Switches = field(default_factory=Switches)
    order: HandoverOrder | None = None
    start: UtcMs | None = None
    lists: Lists | None = None
    book: RuleBook | None = None
    keystore: KeyStore | None = field(default=None, repr=False)
    first_counter: int = 1
