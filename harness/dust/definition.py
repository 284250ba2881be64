"""The definition of a DUST run: one TOML file, read strictly, with where and why it is wrong."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError

from device_profiles.cohort import Cohort, cohort_names, load_cohort
from device_profiles.errors import DataError, InvalidValueError, UnknownNameError
from device_profiles.files import Folders, read_toml
from device_profiles.overlay import overlays_of
from device_profiles.sections import Section
from device_profiles.words import InstallationClass
from harness.data_files import usage_error
from harness.dust import definition_checks, definition_values
from harness.dust.definition_firmware import EarlyFirmware
from harness.dust.definition_models import (
    About,
    CapacityTable,
    Case,
    DeviceSet,
    DisabledCheck,
    EntryCriterion,
    ExitTable,
    FaultsTable,
    FaultTable,
    MistakeTable,
    ParticipantTable,
    RetryTable,
    RunTable,
    SupplierChange,
    Waiver,
)
from harness.dust.definition_refusals import meant, wrong_shape
from harness.errors import UsageError
from harness.files import read_octets

#: Largest definition read.
MAX_BYTES: Final = 4 * 1024 * 1024
#: Keys that stand at the top, and are also taken from the table that TOML puts them in when they
#: are written behind it.
_AT_THE_TOP: Final = {"rules_accepted": ("exit", "run"), "overlays": ("exit", "run")}
#: What a run without any Active or Mixed home is called instead (R-140). Source: S002 §2.
DORMANT_ONLY: Final = "Dormant-only run (not Migration DUST)"
DUST: Final = "Migration DUST"


class DefinitionFile(Section):
    """The file as TOML has it; see the tables of ``definition_models``."""

    run: RunTable
    participant: ParticipantTable
    capacity: CapacityTable = CapacityTable()
    devices: tuple[DeviceSet, ...] = Field(min_length=1)
    change_of_supplier: tuple[SupplierChange, ...] = ()
    early_firmware: tuple[EarlyFirmware, ...] = ()
    faults: FaultsTable = FaultsTable()
    fault: tuple[FaultTable, ...] = ()
    mistake: tuple[MistakeTable, ...] = ()
    retry: RetryTable = RetryTable()
    disabled_checks: tuple[DisabledCheck, ...] = ()
    entry: tuple[EntryCriterion, ...] = ()
    case: tuple[Case, ...] = ()
    waiver: tuple[Waiver, ...] = ()
    exit: ExitTable = ExitTable()
    rules_accepted: tuple[str, ...] = ()
    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A run definition, with everything it names found.

    Attributes:
        path: The file it was read from.
        folder: What relative names in it are relative to.
        octets: The file.
        overlays: Overlay folders, weakest first: the definition's own, then the command's.
        cohort: The cohort.
        run: ``[run]``.
        participant: ``[participant]``.
        capacity: ``[capacity]``.
        devices: ``[[devices]]``, in order.
        changes: ``[[change_of_supplier]]``.
        early_firmware: ``[[early_firmware]]``.
        faults: ``[faults]``.
        home_faults: ``[[fault]]``.
        mistakes: ``[[mistake]]``.
        retry: ``[retry]``.
        disabled_checks: ``[[disabled_checks]]``.
        entry: ``[[entry]]``.
        cases: ``[[case]]``, in order.
        waivers: ``[[waiver]]``.
        exit: ``[exit]``.
        rules_accepted: Ids of rules that the test manager accepted.
    """

    path: Path
    folder: Path
    octets: bytes = field(repr=False)
    overlays: tuple[Path, ...]
    cohort: Cohort = field(repr=False)
    run: RunTable
    participant: ParticipantTable
    capacity: CapacityTable
    devices: tuple[DeviceSet, ...]
    changes: tuple[SupplierChange, ...]
    early_firmware: tuple[EarlyFirmware, ...]
    faults: FaultsTable
    home_faults: tuple[FaultTable, ...]
    mistakes: tuple[MistakeTable, ...]
    retry: RetryTable
    disabled_checks: tuple[DisabledCheck, ...]
    entry: tuple[EntryCriterion, ...]
    cases: tuple[Case, ...]
    waivers: tuple[Waiver, ...]
    exit: ExitTable
    rules_accepted: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """SHA-256 of the file's octets, hex."""
        return hashlib.sha256(self.octets).hexdigest()

    @property
    def kind(self) -> str:
        """What the run is called: one without Active or Mixed homes is labelled otherwise."""
        classes = {one.installation_class for one in self.devices}
        return DORMANT_ONLY if classes == {InstallationClass.DORMANT} else DUST

    @property
    def refs(self) -> tuple[str, ...]:
        """Every home's ref, in the order of the sets."""
        return tuple(ref for one in self.devices for ref in one.refs)

    def set_of(self, ref: str) -> DeviceSet:
        """Return the set a home belongs to.

        Raises:
            KeyError: There is no such home.
        """
        found = next((one for one in self.devices if ref in one.refs), None)
        if found is None:
            raise KeyError(ref)
        return found

    def refs_of(self, about: About) -> tuple[str, ...]:
        """Return the homes a table is about: its refs, its set (or some of it), or all homes."""
        if about.refs:
            return about.refs
        if about.set:
            whole = next(one.refs for one in self.devices if one.name == about.set)
            return whole[: about.count] if isinstance(about, FaultTable) else whole
        return self.refs

    def place(self, name: str) -> Path:
        """Return a file or folder that the definition names."""
        return self.folder / name

    def with_seed(self, seed: int) -> "Definition":
        """Return the same run with another seed (``--seed``)."""
        return replace(self, run=self.run.model_copy(update={"seed": seed}))

    def dump(self) -> dict[str, Any]:
        """Return the definition as JSON values, every default written out; the cohort by key."""
        return {
            "run": _plain(self.run),
            "participant": _plain(self.participant),
            "capacity": _plain(self.capacity),
            "devices": [_plain(one) for one in self.devices],
            "change_of_supplier": [_plain(one) for one in self.changes],
            "early_firmware": [_plain(one) for one in self.early_firmware],
            "faults": _plain(self.faults),
            "fault": [_plain(one) for one in self.home_faults],
            "mistake": [_plain(one) for one in self.mistakes],
            "retry": _plain(self.retry),
            "disabled_checks": [_plain(one) for one in self.disabled_checks],
            "entry": [_plain(one) for one in self.entry],
            "case": [_plain(one) for one in self.cases],
            "waiver": [_plain(one) for one in self.waivers],
            "exit": _plain(self.exit),
            "rules_accepted": list(self.rules_accepted),
            "kind": self.kind,
            "sha256": self.sha256,
        }


def load_definition(
    path: Path, overlays: Folders = (), *, folder: Path | None = None
) -> Definition:
    """Read a run definition and see to it that everything it names is there.

    Args:
        path: The TOML file.
        overlays: Overlay folders of the command line, weakest first; they win over the
            definition's own.
        folder: What its relative names are relative to; None: where it lies.

    Raises:
        UsageError: It cannot be read, or something in it is wrong: says the file and key.
    """
    octets = read_octets(path, MAX_BYTES)
    if len(octets) > MAX_BYTES:
        raise UsageError(
            f"the file is longer than {MAX_BYTES:,} octets",
            where=str(path),
            cause="a file of another kind: a definition of 5,000 homes is shorter",
            next_command="smetsbench dust new EXAMPLE.toml --cohort KEY (a file that is right)",
        )
    base = path.parent if folder is None else folder
    try:
        told = _validated(path)
        own = overlays_of([base / name for name in told.overlays], {})
        folders = (*(one for one in own if one not in overlays), *overlays)
        found = _definition(path, octets, base, folders, told)
        definition_checks.check(found)
        definition_values.check(found)
    except DataError as error:
        raise _told(error, path) from error
    return found


def _definition(
    path: Path, octets: bytes, base: Path, folders: Folders, told: DefinitionFile
) -> Definition:
    named = told.run.cohort
    try:
        cohort = load_cohort(_beside(named, base), folders)
    except UnknownNameError as error:
        why = f"{named}: {error.why}{meant(named, cohort_names(folders))}"
        raise InvalidValueError(why, file=path, key="run.cohort") from error
    return Definition(
        path=path,
        folder=base,
        octets=octets,
        overlays=tuple(folders),
        cohort=cohort,
        run=told.run,
        participant=told.participant,
        capacity=told.capacity,
        devices=told.devices,
        changes=told.change_of_supplier,
        early_firmware=told.early_firmware,
        faults=told.faults,
        home_faults=told.fault,
        mistakes=told.mistake,
        retry=told.retry,
        disabled_checks=told.disabled_checks,
        entry=told.entry,
        cases=told.case,
        waivers=told.waiver,
        exit=told.exit,
        rules_accepted=told.rules_accepted,
    )


def _validated(path: Path) -> DefinitionFile:
    table = _lifted(read_toml(path, is_overlay=False).table, path)
    try:
        return DefinitionFile.model_validate(table)
    except ValidationError as error:
        raise wrong_shape(error, path, DefinitionFile) from error


def _lifted(table: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return the table with what belongs to its top put there."""
    found = dict(table)
    for key, places in _AT_THE_TOP.items():
        for place in places:
            inner = found.get(place)
            if not isinstance(inner, dict) or key not in inner:
                continue
            if key in found:
                raise InvalidValueError("it stands twice", file=path, key=f"{place}.{key}")
            found[key] = inner[key]
            found[place] = {name: value for name, value in inner.items() if name != key}
    return found


def _beside(cohort: str, base: Path) -> str:
    return str(base / cohort) if cohort.endswith(".toml") else cohort


def _told(error: DataError, path: Path) -> UsageError:
    found = usage_error(error)
    if str(error.file) == str(path):
        found.cause = found.cause or "a typing error"
        found.next_command = "smetsbench dust new EXAMPLE.toml --cohort KEY (a file that is right)"
    return found


def _plain(table: Section) -> dict[str, Any]:
    return table.model_dump(mode="json", by_alias=True)
