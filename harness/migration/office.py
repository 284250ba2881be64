"""Everything the parties of one run share: data, keys, clock, message log, and the parties."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from device_profiles.cohort import Cohort, HandoverOrder
from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.dmves import Dmves, Equivalent, load_dmves
from device_profiles.epcl import load_epcl
from device_profiles.files import Folders
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyUsage
from harness.errors import UsageError
from harness.formats.migration_files.building import Keys
from harness.formats.migration_files.handover import SecretsOf
from harness.formats.migration_files.key_choice import made_keys
from harness.formats.migration_files.parties import Role
from harness.formats.migration_files.schema import MigrationSchema, load_schema
from harness.migration.calendar import Calendar, first_moment
from harness.migration.settings import Settings, load_settings
from harness.migration.step_table import StepRow, load_steps
from harness.migration.terms import Terms
from harness.parties.dco import Dco
from harness.parties.post import Post, Record
from harness.parties.s1sp import S1sp
from harness.parties.s1sp_gate import Gate, critical_services
from harness.parties.s1spdp import S1spdp
from harness.parties.smso import Smso
from harness.ports import Clock
from harness.rules.eligibility import Lists
from harness.rules.migration_rulebook import Judge, RuleBook, load_rule_book

#: Certificates of the parties are valid from this long before the first day. Source: invented.
_VALID_BEFORE_MS: Final = 30 * 86_400_000


@dataclass(slots=True)
class Office:
    """What the parties of one run share.

    Attributes:
        cohort: The cohort, with the order of hand-over that holds in this run.
        terms: What the run chose.
        chance: The parties' chance.
        clock: The days of the migration; moves with the bench.
        post: Every message between parties, in order.
        book: The rules.
        settings: Choices of our own where the sources are silent.
        lists: CPL, EPCL and combinations.
        keys: Signing and key-agreement keys of all parties.
        schema: The migration schema.
        dmves: Equivalent steps of each device model.
        steps: The steps of a migration by id.
        installations: All installations of the run.
        smso: The SMSO.
        s1sp: The S1SP.
        s1spdp: The S1SPDP.
        dco: The DCO.
    """

    cohort: Cohort
    terms: Terms
    chance: Chance
    clock: Calendar
    post: Post
    book: RuleBook = field(repr=False)
    settings: Settings
    lists: Lists = field(repr=False)
    keys: Keys = field(repr=False)
    schema: MigrationSchema = field(repr=False)
    dmves: Dmves = field(repr=False)
    steps: Mapping[str, StepRow] = field(repr=False)
    installations: tuple[Installation, ...]
    smso: Smso
    s1sp: S1sp
    s1spdp: S1spdp
    dco: Dco

    @classmethod
    def open(  # noqa: PLR0913, PLR0917 -- the bench, chance and data a run is made of
        cls,
        clock: Clock,
        chance: Chance,
        cohort: Cohort,
        installations: Sequence[Installation],
        terms: Terms | None = None,
        record: Record | None = None,
    ) -> "Office":
        """Open an office: load what is not given, make keys, seat the parties.

        Args:
            clock: The bench's clock.
            chance: Source of the parties' chance, e.g. ``run.chance``.
            cohort: The cohort.
            installations: All installations of the run.
            terms: What the run chose.
            record: What is told of each message, e.g. ``run.message``.

        Raises:
            DataError: A table or list cannot be used.
            UsageError: The key store lacks a key of a party.
        """
        terms = terms or Terms()
        start = terms.start if terms.start is not None else first_moment(cohort)
        calendar = Calendar.starting(clock, start)
        begins = UtcMs(start - _VALID_BEFORE_MS)
        store = terms.keystore or made_keys(chance.seed, begins, installations)
        keys = Keys(store)
        post = Post(calendar, record)
        kept = ordered(cohort, terms.order)
        seats = _seats(kept, keys, chance, post, terms.overlays)
        return cls(
            cohort=kept,
            terms=terms,
            chance=chance,
            clock=calendar,
            post=post,
            book=terms.book or load_rule_book(terms.overlays),
            settings=load_settings(terms.overlays),
            lists=terms.lists or load_lists(terms.overlays),
            keys=keys,
            schema=load_schema(terms.overlays),
            dmves=load_dmves(overlays=terms.overlays),
            steps=load_steps(terms.overlays),
            installations=tuple(installations),
            **seats,
        )

    @property
    def overlays(self) -> Folders:
        """Overlay folders, weakest first."""
        return self.terms.overlays

    @property
    def order(self) -> HandoverOrder:
        """Where the hand-over stands among the steps."""
        return self.cohort.handover.order

    @property
    def secrets_of(self) -> SecretsOf:
        """Secrets of each device as the SMSO gives them to its Requesting Party."""
        return self.smso.secrets_of

    def judge(self) -> Judge:
        """Return who asks the rules of the present day."""
        return Judge(self.book, self.clock.today(), self.terms.switches)

    def equivalent(self, model: str, device_type: DeviceType, service: str) -> Equivalent:
        """Return what a head end does on a device model for a service."""
        return self.dmves.find(model, device_type, service)

    def point(self, role: Role) -> bytes:
        """Return the key-agreement key of a role."""
        return self.keys.agreement_point(role)

    def dump(self) -> dict[str, Any]:
        """Return the parties' memories, the message log and the calendar as JSON values."""
        return {
            "ahead_ms": self.clock.ahead_ms,
            "post": self.post.dump(),
            "smso": self.smso.dump(),
            "s1sp": self.s1sp.dump(),
            "s1spdp": self.s1spdp.dump(),
            "dco": self.dco.dump(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over dumped memories."""
        self.clock = Calendar(self.clock.bench, state["ahead_ms"])
        self.post.clock = self.clock
        self.post.load(state["post"])
        self.smso.load(state["smso"])
        self.s1sp.load(state["s1sp"])
        self.s1spdp.load(state["s1spdp"])
        self.dco.load(state["dco"])


def ordered(cohort: Cohort, order: HandoverOrder | None) -> Cohort:
    """Return a cohort with another order of hand-over.

    Raises:
        UsageError: The cohort has no hand-over steps of its own to put elsewhere.
    """
    if order is None or order is cohort.handover.order:
        return cohort
    if HandoverOrder.FOLDED in {order, cohort.handover.order}:
        raise UsageError(
            f"the hand-over of {cohort.key} cannot stand {order}",
            where=f"cohort {cohort.key}",
            cause="its keys and SIM change hands within device testing, or must not",
            next_command="smetsbench profiles",
        )
    handover = cohort.handover.model_copy(update={"order": order})
    return cohort.model_copy(update={"handover": handover})


def load_lists(overlays: Folders = ()) -> Lists:
    """Load CPL, EPCL and combinations.

    Raises:
        DataError: One of them cannot be used.
    """
    cpl = load_cpl(overlays)
    dmcs = load_dmcs(cpl, overlays)
    return Lists(cpl, load_epcl(cpl, dmcs, overlays), dmcs)


def _seats(
    cohort: Cohort, keys: Keys, chance: Chance, post: Post, overlays: Folders
) -> dict[str, Any]:
    parties = keys.parties
    dco_party = parties[Role.DCO]
    dco = Dco(dco_party, _scalar(keys, dco_party, KeyUsage.DS), post)
    s1spdp = S1spdp(chance)
    gate = Gate(critical_services(overlays), dco_party, keys.store.public(), {})
    return {
        "smso": Smso(
            _scalar(keys, parties[Role.SMSO], KeyUsage.KA),
            chance,
            chance.seed,
            cohort.envelope,
            post,
        ),
        "s1sp": S1sp(parties[Role.S1SP], chance, gate, s1spdp, dco, post),
        "s1spdp": s1spdp,
        "dco": dco,
    }


def _scalar(keys: Keys, party: Eui64, usage: KeyUsage) -> int:
    entry = keys.store.find(party, usage)
    if entry is None or entry.private_scalar is None:
        raise UsageError(
            f"no private {usage} key of {party} is held",
            where="--keystore",
            cause="a key store that was made for other uses",
            next_command="smetsbench pki new",
        )
    return entry.private_scalar


#: Roles whose sealed letters carry keys back.
RECEIVERS: Final = (("S1SP", Role.S1SP), ("S1SPDP", Role.S1SPDP), ("DCO", Role.DCO))


def points(office: Office) -> tuple[tuple[str, bytes], ...]:
    """Return the key-agreement keys of those who get keys back."""
    return tuple((name, office.point(role)) for name, role in RECEIVERS)


def scalar_of(office: Office, role: Role) -> int:
    """Return the private key-agreement key of a role.

    Raises:
        UsageError: It is not held.
    """
    return _scalar(office.keys, office.keys.parties[role], KeyUsage.KA)
