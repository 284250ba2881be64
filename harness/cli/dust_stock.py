"""``smetsbench dust stock``: migrates remaining test homes before their cohort closes (R-142)."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from harness.cli.migration_run import jobs_of, shown
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.dust.definition import load_definition
from harness.dust.stock import Stocked, take_stock
from harness.words import counted


def register(dust: typer.Typer) -> None:
    """Add ``dust stock``."""
    dust.command("stock")(stock)


def stock(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: Annotated[Path, typer.Argument(help="The run definition.")],
    out: Annotated[Path, typer.Option(help="Stock file (JSON); one that is there is added to.")],
    data: DataOption = None,
    jobs: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes; all processors when left out.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Migrate the homes of a definition into stock: 0 all migrated, 1 some did not.

    A cohort that is closed enrols no new test devices; its stock stays usable: name the file as
    run.stock and set from_stock = true in the device sets.
    """
    definition = load_definition(file, overlays(data))
    with reading_data(), shown("homes", quiet=quiet or as_json) as progress:
        found = take_stock(definition, out, jobs=jobs_of(jobs), progress=progress)
    if as_json:
        emit_json(_json(found, out))
    else:
        _show(found, out, file)
    raise typer.Exit(1 if found.why else 0)


def _json(found: Stocked, out: Path) -> dict[str, object]:
    return {
        "stock": str(out),
        "cohort": found.stock.cohort,
        "usable": len(found.stock.usable),
        "known": list(found.known),
        "new": [
            {
                "ref": one.installation.ref,
                "set": one.set,
                "enrolled_on": one.enrolled_on.isoformat(),
                "state": one.state.value,
                "why": found.why.get(one.installation.ref, ""),
            }
            for one in found.new
        ],
        "run": None if found.folder is None else str(found.folder),
    }


def _show(found: Stocked, out: Path, file: Path) -> None:
    screen = console()
    migrated = counted(len(found.new) - len(found.why), "home")
    told = f"{migrated} migrated now, {len(found.known)} in stock already"
    screen.print(Text(f"stock  {out}: {told}, {len(found.stock.usable)} usable"))
    for ref, why in found.why.items():
        screen.print(Text(f"note   {ref} is not usable: {why}"))
    if found.folder is not None:
        screen.print(Text(f"run    {found.folder / 'migration'}"))
    if found.why:
        again = f"smetsbench dust stock {file} --out {out}"
        screen.print(Text(f"next   mend these homes, then {again}   (adds what is missing)"))
