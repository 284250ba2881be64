"""An office of nothing but what file work and planning need, with a clock that tests move."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from device_profiles.cohort import Cohort, HandoverOrder, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.installation import Installation
from device_profiles.words import InstallationClass, SupplyShape
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.pki import TestPki
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.handover import SecretsOf, factory_secrets
from harness.formats.migration_files.key_choice import made_keys
from harness.formats.migration_files.parties import TEST_PARTIES, Role, party_entries
from harness.formats.migration_files.schema import MigrationSchema, load_schema
from harness.migration.file_work import FileWork
from harness.migration.record import InstallationRecord
from harness.new_installations import Order, generate
from harness.parties.post import Post
from harness.rules.eligibility import Lists
from harness.rules.migration_rulebook import RuleBook, Switches, load_rule_book

AT = from_datetime(datetime(2021, 6, 7, 6, tzinfo=UTC))
DAY_MS = 86_400_000
OTHER_RP = Eui64.parse("02-53-42-00-00-E1-00-02")
A, B = HandoverOrder.BEFORE_FILE_PROCESSING, HandoverOrder.AFTER_COMMON_FILE


class Hands:
    """A clock whose hands a test moves."""

    def __init__(self) -> None:
        self.at = AT

    def now(self) -> UtcMs:
        return self.at

    async def sleep_until(self, at: UtcMs) -> None:
        self.at = max(self.at, at)

    def move(self, by_ms: int) -> None:
        self.at = UtcMs(self.at + by_ms)


@dataclass
class Choices:
    switches: Switches = field(default_factory=Switches)
    first_counter: int = 41


@cache
def lists() -> Lists:
    cpl = load_cpl()
    dmcs = load_dmcs(cpl)
    return Lists(cpl, load_epcl(cpl, dmcs), dmcs)


@cache
def shipped() -> RuleBook:
    return load_rule_book()


@cache
def keys_for(seed: int) -> KeyStore:
    homes = generate(Order(1, seed, "EA", SupplyShape.SPLIT_SUPPLY))
    own = made_keys(seed, AT, homes)
    pki = TestPki.new(Chance(seed).stream("another RP").octets, AT)
    return own.merged(KeyStore(party_entries(pki, Role.REQUESTING_PARTY, OTHER_RP)))


@dataclass
class FewerOffice:
    """What the parties share, and no device."""

    cohort: Cohort
    installations: tuple[Installation, ...]
    terms: Choices = field(default_factory=Choices)
    chance: Chance = field(default_factory=lambda: Chance(1))
    clock: Hands = field(default_factory=Hands)
    book: RuleBook = field(default_factory=shipped)
    lists: Lists = field(default_factory=lists)
    keys: Keys = field(default_factory=lambda: Keys(keys_for(1)))
    schema: MigrationSchema = field(default_factory=load_schema)
    overlays: tuple[Any, ...] = ()
    post: Post = field(init=False)

    def __post_init__(self) -> None:
        self.post = Post(self.clock)

    @property
    def secrets_of(self) -> SecretsOf:
        return factory_secrets(1, self.cohort.envelope)


def office(  # noqa: PLR0913 -- what tests vary, each with a default
    key: str = "EA",
    count: int = 2,
    shape: SupplyShape = SupplyShape.SPLIT_SUPPLY,
    *,
    order: HandoverOrder | None = None,
    of_class: InstallationClass = InstallationClass.ACTIVE,
    disabled: tuple[str, ...] = (),
) -> FewerOffice:
    cohort = load_cohort(key)
    if order is not None:
        handover = cohort.handover.model_copy(update={"order": order})
        cohort = cohort.model_copy(update={"handover": handover})
    homes = generate(Order(count, 1, key, shape, of_class))
    return FewerOffice(cohort, homes, Choices(Switches(disabled=frozenset(disabled))))


def of_another_party(first: FewerOffice) -> FewerOffice:
    """The same installations, as another Requesting Party names them."""
    parties = {**TEST_PARTIES, Role.REQUESTING_PARTY: OTHER_RP}
    own = Keys(first.keys.store, parties)
    return FewerOffice(first.cohort, first.installations, keys=own, clock=first.clock)


def records(of: FewerOffice) -> list[InstallationRecord]:
    return [
        InstallationRecord(
            home.ref,
            of.cohort.key,
            of.cohort.cohort.group_id,
            home.installation_class.value,
            home.shape.value,
        )
        for home in of.installations
    ]


def worked(of: FewerOffice, work: FileWork | None = None) -> FileWork:
    """All of V1 to V6 for every installation."""
    files = work or FileWork(of)
    hand = files.send_common(records(of))
    files.validate(hand)
    files.send_group(hand)
    files.check(hand)
    return files
