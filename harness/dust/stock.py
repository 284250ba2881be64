"""Migrates the remaining test homes of a cohort while it is open, into a stock file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from device_profiles.installation import Installation, render_toml
from emulator.core.clock import to_datetime
from harness.dust.closing import run_days
from harness.dust.definition import Definition
from harness.dust.definition_homes import homes
from harness.dust.stock_file import Stock, StockHome, load_stock
from harness.errors import UsageError
from harness.files import refuse_same, write_octets
from harness.migration import volume
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from harness.migration.volume import Progress
from harness.migration.volume_journal import VolumeJournal
from harness.migration.volume_options import VolumeOptions

#: Folder beside the stock file with the run that migrated it.
_RUN: Final = ".run"
_HOMES: Final = "stock-installations.toml"


@dataclass(frozen=True, slots=True)
class Stocked:
    """What a stock-taking came to.

    Attributes:
        stock: The stock file's content.
        new: Homes that were migrated now.
        known: Homes that were in stock already.
        why: Ref -> why it was not migrated, for new homes that were not.
        folder: The run that migrated them; None where there was nothing to migrate.
    """

    stock: Stock
    new: tuple[StockHome, ...]
    known: tuple[str, ...]
    folder: Path | None
    why: Mapping[str, str] = field(default_factory=dict)


def take_stock(
    definition: Definition, out: Path, *, jobs: int = 1, progress: Progress | None = None
) -> Stocked:
    """Migrate the homes of a definition that are not in stock yet, and write the stock file.

    Homes are migrated as the definition has them, but without its faults and mistakes: the stock is
    for later.

    Args:
        definition: The definition; its days must be open.
        out: The stock file; one that is there is added to.
        jobs: Processes.
        progress: Told after each home.

    Raises:
        UsageError: The cohort is closed, the file is another cohort's, or cannot be written.
        DataError: The stock file is none.
    """
    refuse_same(out, definition.path)
    run_days(definition)  # a closed cohort enrols no new test device
    stock = load_stock(out) if out.exists() else Stock(cohort=definition.cohort.key)
    if stock.cohort != definition.cohort.key:
        raise UsageError(
            f"the stock is of cohort {stock.cohort}, the definition of {definition.cohort.key}",
            where=str(out),
            cause="another stock file",
            next_command=f"smetsbench dust stock {definition.path} --out ANOTHER.json",
        )
    made = [home for home in homes(definition) if not definition.set_of(home.ref).from_stock]
    enrolled = {one.installation.ref for one in stock.usable}
    left = [home for home in made if home.ref not in enrolled]
    known = tuple(home.ref for home in made if home.ref in enrolled)
    if not left:
        return Stocked(stock, (), known, None)
    folder = out.with_name(f"{out.stem}{_RUN}")
    records = _migrated(definition, left, folder, jobs, progress)
    new = tuple(_in_stock(definition, home, records[home.ref]) for home in left)
    whole = stock.with_homes(new)
    write_octets(out, whole.render(), made_from=[definition.path])
    failed = [one.installation.ref for one in new if one.state is not State.MIGRATED]
    return Stocked(whole, new, known, folder, {ref: _why(records[ref]) for ref in failed})


def _migrated(
    definition: Definition,
    left: Sequence[Installation],
    folder: Path,
    jobs: int,
    progress: Progress | None,
) -> dict[str, InstallationRecord]:
    """Migrate homes by the volume engine; returns what is kept of each."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder cannot be made: {error.strerror}", where=str(folder)) from (
            error
        )
    path = folder / _HOMES
    write_octets(path, render_toml(left).encode())
    named = definition.run.cohort
    options = VolumeOptions(
        cohort=str(definition.place(named)) if named.endswith(".toml") else named,
        installations=str(path),
        seed=definition.run.seed,
        data=definition.overlays,
        captured=0,
    )
    run = volume.start(options, out=folder / "migration", jobs=jobs, progress=progress)
    journal = VolumeJournal.open(run.file("journal"))
    try:
        return {record.ref: record for record in journal.records()}
    finally:
        journal.close()


def _why(record: InstallationRecord) -> str:
    """Return where a home rests, and the last thing that went wrong on its way there."""
    wrong = [entry for entry in record.history if entry.code]
    told = f"{wrong[-1].text} ({wrong[-1].code})" if wrong else record.history[-1].text
    return f"{record.state.value}: {told}"


def _in_stock(definition: Definition, home: Installation, record: InstallationRecord) -> StockHome:
    """Return a home as the stock file has it: enrolled on the day its migration ended."""
    ended = to_datetime(record.history[-1].at).date()
    return StockHome(
        set=definition.set_of(home.ref).name,
        enrolled_on=ended,
        state=record.state,
        run=definition.run.id,
        installation=home,
    )
