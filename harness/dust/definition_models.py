"""The tables of a run definition, strictly: a key that nobody knows is refused."""

from datetime import date
from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from device_profiles.schema import EuiText
from device_profiles.sections import Flag, Section
from device_profiles.words import DeviceType, Dormancy, InstallationClass
from harness.dust.definition_expect import Expect
from harness.dust.definition_words import (
    ASKED,
    MAX_SEED,
    ChangeMoment,
    EntryCheck,
    Environment,
    Family,
    Mistake,
    Mode,
    Payment,
    SetPpmid,
    SetShape,
    named_models,
)
from harness.rules.roles import UserRole

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
SetName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]
Ref = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Count = Annotated[int, Field(strict=True, ge=1, le=5_000)]
Whole = Annotated[int, Field(strict=True, ge=0, le=MAX_SEED)]


class RunTable(Section):
    """``[run]``: identity.

    Attributes:
        id: Identifier of the run.
        title: One line for a reader.
        cohort: Cohort key.
        environment: ``UIT-emulated``, or ``HIL`` with devices on the bench.
        as_of: Day on which the run is to be over; None: the cohort's last open day.
        seed: Seed of every octet of chance.
        stock: Stock file of ``dust stock``, for sets that take their homes from it; or empty.
    """

    id: Id
    title: Text
    cohort: Annotated[str, Field(min_length=1, max_length=200)]
    environment: Environment = Environment.EMULATED
    as_of: date | None = None
    seed: Whole = 1
    stock: str = ""


class ParticipantTable(Section):
    """``[participant]``: whose system is tested.

    Attributes:
        name: Its name.
        mode: ``simulated``, or ``drop``: a system outside, by file drop and HTTP.
        user_ids: Its User IDs; the first supplies the homes.
        roles: ``IS`` and ``GS``: which fuels it supplies.
        trust: Folder of keys, relative to the definition.
        drop: Folder of the file drop, likewise; empty: none.
        listen: ``HOST:PORT`` for HTTP, port 0: any; or ``off``.
        call_back: URL on this machine that answers and alerts are posted to; empty: none.
        patience_s: Wall seconds of silence after which a turn of its ends.
        sealed: Whether the simulated one seals its authorisations, with a MAPASSWORD file.
        signed: Whether papers must be signed (MAM 7.5.3); unsigned ones are then refused.
        asks: Services that the simulated one asks of homes that have migrated.
    """

    name: Text
    mode: Mode = Mode.SIMULATED
    user_ids: Annotated[tuple[EuiText, ...], Field(min_length=1, max_length=20)]
    roles: Annotated[tuple[UserRole, ...], Field(min_length=1, max_length=2)] = (
        UserRole.IMPORT_SUPPLIER,
        UserRole.GAS_SUPPLIER,
    )
    trust: str = "trust"
    drop: str = "drop"
    listen: str = "127.0.0.1:0"
    call_back: str = ""
    patience_s: Annotated[float, Field(gt=0, le=604_800)] = 120.0
    sealed: Flag = False
    signed: Flag = True
    asks: Annotated[tuple[str, ...], Field(max_length=40)] = ASKED

    @model_validator(mode="after")
    def _asks_what_it_can(self) -> Self:
        unknown = [one for one in self.asks if one not in ASKED]
        if unknown:
            raise ValueError(f"asks: no {unknown[0]} (there are: {', '.join(ASKED)})")
        return self

    @model_validator(mode="after")
    def _is_a_supplier(self) -> Self:
        suppliers = {UserRole.IMPORT_SUPPLIER, UserRole.GAS_SUPPLIER}
        if not set(self.roles) <= suppliers or len(set(self.roles)) < len(self.roles):
            raise ValueError("roles are IS, GS or both, each once")
        if len(set(self.user_ids)) < len(self.user_ids):
            raise ValueError("a User ID stands twice")
        return self


class CapacityTable(Section):
    """``[capacity]``: what the Requesting Party can do, and who else wants it.

    Attributes:
        per_day: Installations a day.
        dmin: Flat allocation of each supplier, installations a day; None: the rules' setting.
        remainder: Name of the rule that shares out what is left.
        other_demand: ``dormant``, or another supplier -> installations a day.
        days: Migration days.
    """

    per_day: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 50
    dmin: Whole | None = None
    remainder: Text = "largest-remainder"
    other_demand: dict[Annotated[str, Field(min_length=1, max_length=60)], Whole] = Field(
        default_factory=dict
    )
    days: Annotated[int, Field(strict=True, ge=1, le=60)] = 5


class DeviceSet(Section):
    """``[[devices]]``: homes that are alike.

    Attributes:
        name: Its name; homes are called ``NAME-001`` and so on.
        count: How many homes.
        installation_class: Active, Mixed or Dormant; key ``class``.
        dormancy: Why its dormant meters are.
        shape: Which fuels, and what of them migrates.
        payment_mode: credit or prepayment.
        ppmid: own (of the cohort), third-party (of another maker than the hub) or none.
        models: Device type -> profile in the cohort's stead.
        bench: Bench binding of a HIL run (an offer of ``--bench``); empty: emulated.
        installations: Installation file with its homes, relative to the definition (real devices
            have EUI-64s of their own); empty: they are made up.
        from_stock: Whether its homes are taken from the stock file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: SetName
    count: Count = 1
    installation_class: Annotated[InstallationClass, Field(alias="class")] = (
        InstallationClass.ACTIVE
    )
    dormancy: Dormancy = Dormancy.CHANGE_OF_SUPPLIER
    shape: SetShape = SetShape.DUAL_FUEL
    payment_mode: Payment = Payment.CREDIT
    ppmid: SetPpmid = SetPpmid.OWN
    models: dict[DeviceType, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    bench: str = ""
    installations: str = ""
    from_stock: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _models_in_one_text(cls, table: object) -> object:
        if isinstance(table, dict) and isinstance(table.get("models"), str):
            return {**table, "models": named_models(table["models"])}
        return table

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        mixed = self.installation_class is InstallationClass.MIXED
        if mixed and self.shape is SetShape.ESME_ONLY:
            raise ValueError("a Mixed home has two meters, an ESME-only one has one")
        if mixed and self.shape is SetShape.GSME_EXCLUDED:
            raise ValueError("of a Mixed home the gas meter is the dormant one: it is not left out")
        if self.from_stock and self.installations:
            raise ValueError("homes come from the stock, or from a file, not from both")
        if DeviceType.GPF in self.models:
            raise ValueError("models: a GPF has its hub's profile")
        return self

    @property
    def refs(self) -> tuple[str, ...]:
        """What its homes are called."""
        return tuple(f"{self.name}-{number:03d}" for number in range(1, self.count + 1))


class About(Section):
    """What several tables share: homes of a set, or some by ref.

    Attributes:
        set: Name of a device set; empty: none is named.
        refs: Homes by ref; with a set: some of it.
    """

    set: str = ""
    refs: tuple[Ref, ...] = ()


class SupplierChange(About):
    """``[[change_of_supplier]]``: homes that change their supplier under way.

    Attributes:
        count: How many of the set, from its first on; with ``refs``: all of them.
        after: ``authorisation``, or ``handover``; before commissioning in any case.
        to: User ID of the new supplier; empty: one that is made up.
    """

    count: Count = 1
    after: ChangeMoment = ChangeMoment.AUTHORISATION
    to: EuiText | None = None


class FaultsTable(Section):
    """``[faults]``: what goes wrong everywhere, in the words of ``migration run``.

    Attributes:
        faults: As with ``--fault``.
        defects: As with ``--defect``.
    """

    faults: tuple[Text, ...] = ()
    defects: tuple[Text, ...] = ()


class FaultTable(About):
    """``[[fault]]``: what goes wrong in some homes, or in the files of one day.

    Attributes:
        count: How many of the set, from its first on; None: all of it.
        faults: As with ``--fault``; ``file:TYPE/WORD`` is about the whole file of a day.
        defects: As with ``--defect``.
        day: Migration day, from 1, whose files are meant; None: every day's.
    """

    count: Count | None = None
    faults: tuple[Text, ...] = ()
    defects: tuple[Text, ...] = ()
    day: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if not self.faults and not self.defects:
            raise ValueError("name faults, or defects")
        if self.count is not None and (not self.set or self.refs):
            raise ValueError("count is of a set: name the set, and no refs")
        if self.defects and self.day is not None:
            raise ValueError("day is about faults: a defect is there from the beginning on")
        return self


class MistakeTable(About):
    """``[[mistake]]``: what the simulated supplier does wrong.

    Attributes:
        what: The mistake.
        mended: Whether it corrects it when it is told.
    """

    what: Mistake
    mended: Flag = True


class RetryTable(Section):
    """``[retry]``: how often, and by which rows.

    Attributes:
        max_attempts: Failed attempts after which a home is excluded; None: the rules' setting.
        policy: Rows of the retry table that hold.
    """

    max_attempts: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    policy: Text = "default"


class DisabledCheck(Section):
    """``[[disabled_checks]]``: a rule that is not asked from a day on (R-036).

    Attributes:
        id: The rule.
        from_day: First day; key ``from``.
        why: Why.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: Text
    from_day: Annotated[date, Field(alias="from")]
    why: Text


class EntryCriterion(Section):
    """``[[entry]]``: what must be so before the run begins.

    Attributes:
        id: Identifier.
        check: What is looked at.
    """

    id: Id
    check: EntryCheck


class Case(About):
    """``[[case]]``: a numbered case.

    Attributes:
        id: Its number.
        title: One line.
        family: Family of cases.
        mandatory: Whether the run fails without it.
        clause: Clause it is about; may be empty.
        severity: Of the defect that its failure is, 1 (worst) to 5.
        expect: What it expects; all of it of every home.
    """

    id: Id
    title: Text
    family: Family
    mandatory: Flag = True
    clause: str = ""
    severity: Annotated[int, Field(strict=True, ge=1, le=5)] = 3
    expect: Annotated[tuple[Expect, ...], Field(min_length=1)]


class Waiver(Section):
    """``[[waiver]]``: a case that may fail.

    Attributes:
        case: Its number.
        owner: Who answers for it.
        review: Day on which it is looked at again.
        why: Why.
    """

    case: Id
    owner: Text
    review: date
    why: Text


class ExitTable(Section):
    """``[exit]``: what makes the run pass.

    Attributes:
        mandatory_cases: Whether every mandatory case must be passed or waived.
        open_defects_below: No open defect may have a severity number below this one.
        terminal_states: Whether every home must rest in a terminal state.
        evidence_complete: Whether all evidence must be there.
    """

    mandatory_cases: Flag = True
    open_defects_below: Annotated[int, Field(strict=True, ge=1, le=6)] = 3
    terminal_states: Flag = True
    evidence_complete: Flag = True
