"""One row of the migration pack as a value: homes, what goes wrong when, what must come of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from device_profiles.cohort import HandoverOrder
from device_profiles.words import DeviceType, InstallationClass, PaymentMode, SupplyShape
from harness.migration.states import Owner, State, StrandedCause
from harness.scenario import Step

#: The home of a row that has one.
HOME: Final = "HOME"


class SupplierIds(enum.Enum):
    """Which Certificate IDs the files give for the suppliers of a home."""

    OWN = "own"  # each supplier's own certificates
    NULL = "null"
    ONE_OWN = "one own"  # one of them its supplier's own, the others Null
    HALF = "half"  # a serial number without an issuer
    ANOTHERS = "another's"  # certificates of the other supplier party


class GasSupplier(enum.Enum):
    """Who supplies gas, beside the electricity supplier."""

    SAME = "same"
    OTHER_PARTY = "other party"
    OTHER_USER_ID = "another User ID of the same party"


@dataclass(frozen=True, slots=True)
class Home:
    """One installation of a row.

    Attributes:
        ref: What it is called.
        shape: Which fuels; split supply follows from the suppliers.
        of_class: Active, Dormant or Mixed.
        cohort: Its cohort key; empty: the row's.
        gas_supplier: Who supplies gas.
        supplier_ids: Certificate IDs of the suppliers; None: as the cohort's rule would have them.
        prepays: Which meters are in prepayment mode.
        ppmid: Whether there is a PPMID.
        third_party_ppmid: Whether it is not of the SMSO's own make.
        dormancy: Why a dormant meter is dormant, or empty.
        exclusions: Excluded categories of TMAD clause 18 it falls into.
        unlisted: Whether its combination of models stands on the EPCL for another provider only.
        deregistered: Whether the SMSO de-registers its gas meter beforehand, by itself.
        authorised: Whether its supplier has authorised the migration.
        without_operator: Meters for which the files lack the Network Operator's Certificate IDs.
        batch: Number of the batch it goes with; batches of a cohort share SMSO, S1SP and counters.
        twin_of: Ref of the home it is, under another Requesting Party; empty: a home of its own.
    """

    ref: str = HOME
    shape: SupplyShape = SupplyShape.DUAL_FUEL
    of_class: InstallationClass = InstallationClass.ACTIVE
    cohort: str = ""
    gas_supplier: GasSupplier = GasSupplier.SAME
    supplier_ids: SupplierIds | None = None
    prepays: frozenset[DeviceType] = frozenset()
    ppmid: bool = True
    third_party_ppmid: bool = False
    dormancy: str = ""
    exclusions: frozenset[str] = frozenset()
    unlisted: bool = False
    deregistered: bool = False
    authorised: bool = True
    without_operator: frozenset[DeviceType] = frozenset()
    batch: int = 0
    twin_of: str = ""

    def payment_mode(self, role: DeviceType) -> PaymentMode:
        """Return how a meter of the home is paid for."""
        return PaymentMode.PREPAYMENT if role in self.prepays else PaymentMode.CREDIT


@dataclass(frozen=True, slots=True)
class Disturbance:
    """What the bench does wrong at one step.

    Attributes:
        step: Step id, e.g. ``R1``.
        orders: Orders for ``Bench.disturb``; ``{ref}`` stands for the home.
        device: Device type the step is about; None: any.
        after: Whether at the step's end instead of its beginning.
        ref: The home it is about; empty: all.
        act: What somebody does at the home then (``acts.ACTS``); empty: nothing.
    """

    step: str
    orders: tuple[str, ...] = ()
    device: DeviceType | None = None
    after: bool = False
    ref: str = ""
    act: str = ""


class Owns(enum.Enum):
    """Who operates the holders of a home, in the words of a row."""

    SMSO = "SMSO"
    S1SP = "S1SP"


@dataclass(frozen=True, slots=True)
class End:
    """What one installation must come to.

    Attributes:
        state: The state it rests in.
        step: Step at which it left the way; empty when it did not.
        code: Code it left the way with; empty likewise.
        sub_code: Its sub-code.
        cause: Why it is stranded; only with that state.
        at: Device the step was taken on, where that does not follow from the step.
        back: Step and sub-code at which the rollback failed; both empty: it did not.
        owns: Who operates the holders.
        but: Holders that somebody else operates.
        sim: Whose the SIM is; None: the holders' operator.
        attempts: Attempts counted; None: not looked at.
        told: What the supplier is told instead of the code, where that differs.
        excluded_gas: Whether the gas meter was left out (GT01).
    """

    state: State
    step: str = ""
    code: str = ""
    sub_code: str = ""
    cause: StrandedCause | None = None
    at: DeviceType | None = None
    back: tuple[str, str] = ("", "")
    owns: Owns = Owns.S1SP
    but: Mapping[DeviceType, Owner] = field(default_factory=dict)
    sim: Owns | None = None
    attempts: int | None = None
    told: str = ""
    excluded_gas: bool = False

    def owner(self, device: DeviceType) -> Owner:
        """Return who must operate a holder."""
        return self.but.get(device, Owner(self.owns.value))

    def sim_owner(self) -> Owner:
        """Return whose the SIM must be."""
        return Owner((self.sim or self.owns).value)


MIGRATED: Final = End(State.MIGRATED)


class Kind(enum.Enum):
    """What a stage of a row does."""

    MIGRATE = "migrate"  # the phases of the cohort's order, with an MCF of mode Full
    RESUBMIT = "resubmit"  # 5.8A
    REFUSED = "refused"  # 5.8A asked for where it may not be
    STEPS = "steps"  # steps of the row's own


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of a row, from one resting point to the next.

    Attributes:
        kind: What it does.
        ends: Ref -> what the installation must come to.
        refs: The installations it is about; empty: all of the row.
        before: Orders for ``Bench.disturb`` before it begins.
        wait_s: Seconds it waits before it begins.
        judgement: What the MCC writes (5.8A).
        roll_forward: Whether restored devices are rolled forward first (5.8A).
        predicts: Step at which a file that skips rotation is predicted to fail; empty: none is.
        script: Further disturbances from this stage on.
        tampering: File type -> name of a way to tamper with it (``tampering.WAYS``).
        misconduct: Party defects that belong to the stage: what a participant does wrong.
        supplier_ids: Ref -> Certificate IDs the suppliers correct their data to, for this stage.
        like: Ref of an installation whose end those of the stage must equal; empty: none.
        since: Name of the first phase; empty: the first of all.
        until: Name of the last phase; empty: all of them.
        warns: Step -> event word of the warning it ends in.
        refusal: Event words of each installation for which 5.8A is refused.
        steps: Steps of the row's own, for ``Kind.STEPS``.
        events: Event words of these steps.
    """

    kind: Kind = Kind.MIGRATE
    ends: Mapping[str, End] = field(default_factory=lambda: {HOME: MIGRATED})
    refs: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    wait_s: float = 0
    judgement: str = ""
    roll_forward: bool = False
    predicts: str = ""
    script: tuple[Disturbance, ...] = ()
    tampering: Mapping[str, str] = field(default_factory=dict)
    misconduct: tuple[str, ...] = ()
    supplier_ids: Mapping[str, SupplierIds] = field(default_factory=dict)
    like: str = ""
    since: str = ""
    until: str = ""
    warns: Mapping[str, str] = field(default_factory=dict)
    refusal: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationRow:
    """One row.

    Attributes:
        id: ``MIG-…``.
        title: One line for tables.
        clause: The clause its outcome rests on.
        saboteur: Defect of a device, a party or a rule under which it must not pass.
        cohort: Cohort key.
        order: Where the hand-over stands; None: as the cohort's file says.
        homes: Its homes.
        stages: What happens, in order.
        trace: Event words in order, as ``Scenario.expected_events``; empty: told by the stages.
        day: Day the run begins (ISO 8601); empty: a day on which the cohort migrates.
        conditions: Device conditions (saboteur names that belong to the row).
        faults: Faults in force from the start.
        capacity: Installations that fit into a day; 0: any number.
        cohort_data: Key paths of the cohort's data -> what the row takes instead.
        closed: Day from which the Requesting Party is closed (ISO 8601), or empty.
        overrides: Dated rules that are overridden explicitly, by id.
        shows: Further clauses it shows.
        silent: What the sources do not settle and the row decided.
    """

    id: str
    title: str
    clause: str
    saboteur: str
    cohort: str = "EA"
    order: HandoverOrder | None = None
    homes: tuple[Home, ...] = (Home(),)
    stages: tuple[Stage, ...] = (Stage(),)
    trace: tuple[str, ...] = ()
    day: str = ""
    conditions: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    capacity: int = 0
    cohort_data: Mapping[str, object] = field(default_factory=dict)
    closed: str = ""
    overrides: frozenset[str] = frozenset()
    shows: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()

    def home(self, ref: str) -> Home:
        """Return the home of that ref.

        Raises:
            KeyError: There is none.
        """
        return {home.ref: home for home in self.homes}[ref]


def ends(**of: End) -> Mapping[str, End]:
    """Return what each installation must come to, by ref."""
    return MappingProxyType(of)
