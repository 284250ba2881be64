"""``smetsbench cpl``: a Central Products List checked, its pathways and bilingual models."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.cpl import COLUMNS, MAP_NAME, Cpl, CplEntry, scan
from harness.cli.cpl_lists import CplMapOption, CplOption, column_map, day_of, products, tell
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.words import counted

#: Why the SMETS2+ entry of a pair holds the version that executes.
EXECUTING: Final = "source:S003 §2 (the SMETS1 entry does not show what is in operation)"
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add ``cpl`` and its commands."""
    cpl = typer.Typer(help="The Central Products List.", no_args_is_help=True)
    cpl.command("check")(check)
    cpl.command("pathway")(pathway)
    cpl.command("bilingual")(bilingual)
    app.add_typer(cpl, name="cpl")


def check(
    file: Annotated[Path, typer.Argument(help="The list: CSV, ours or an export.")],
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help=f"TOML column map; left out: a {MAP_NAME} beside the file."),
    ] = None,
    as_json: _JSON = False,
) -> None:
    """Check every row of a list, and the rows against each other: 0 clean, 1 not."""
    with reading_data():
        found = scan(file, column_map(map_file, file, MAP_NAME, COLUMNS))
    totals = _totals(found.rows)
    clean = Cpl(found.rows, found.file, checked=True) if not found.faults else None
    pairs = [] if clean is None else [_pair(one, other) for one, other in clean.bilingual()]
    more = {"totals": totals, "bilingual": pairs}

    def line() -> str:
        told = ", ".join(f"{count} {word}" for word, count in sorted(totals["status"].items()))
        rows, both = counted(len(found.rows), "row"), counted(len(pairs), "bilingual pair")
        return f"{rows}: {told or 'none'}; {both}"

    tell(found, more, line, as_json=as_json)


def _totals(rows: Iterable[CplEntry]) -> dict[str, dict[str, int]]:
    held = list(rows)
    return {
        "status": dict(Counter(row.status.value for row in held)),
        "device_type": dict(Counter(row.device_type.value for row in held)),
        "smets": dict(Counter(row.smets.value for row in held)),
        "hash": dict(
            Counter("listed" if row.manufacturer_image_hash else "not listed" for row in held)
        ),
        "hash_scope": dict(Counter(row.image_hash_scope.value for row in held)),
    }


def _pair(smets1: CplEntry, smets2: CplEntry) -> dict[str, object]:
    hashes = smets1.manufacturer_image_hash, smets2.manufacturer_image_hash
    return {
        "device_type": smets1.device_type.value,
        "manufacturer": smets1.manufacturer_id,
        "model": smets1.model_hex,
        "smets1": {"cpl_entry": smets1.cpl_entry_id, "version": smets1.firmware_version},
        "smets2": {"cpl_entry": smets2.cpl_entry_id, "version": smets2.firmware_version},
        "same_hash": bool(hashes[0]) and hashes[0] == hashes[1],
        "executing": {"version": smets2.firmware_version, "evidence": EXECUTING},
    }


def bilingual(
    cpl: CplOption = None,
    cpl_map: CplMapOption = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """List models of both generations: their entries, versions, hashes, and what executes."""
    with reading_data():
        pairs = products(cpl, cpl_map, overlays(data)).bilingual()
    if as_json:
        emit_json({"bilingual": [_pair(one, other) for one, other in pairs]})
        return
    for one, other in pairs:
        told = "equal" if _pair(one, other)["same_hash"] else "different or not listed"
        lines = (
            f"{one.device_type} {one.manufacturer_id} {one.model_hex}",
            f"  SMETS1   {one.firmware_version}  {one.cpl_entry_id}  (nominal)",
            f"  SMETS2+  {other.firmware_version}  {other.cpl_entry_id}  (executes)",
            f"  hash     {told}",
        )
        console().print("\n".join(lines), markup=False)
    count = f"{len(pairs)} pairs; which one executes: {EXECUTING}"
    console().print(count, markup=False)


def pathway(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    start: Annotated[str, typer.Argument(help="CPL entry of what runs now.")],
    goal: Annotated[str, typer.Argument(help="CPL entry of what is to run.")],
    cpl: CplOption = None,
    cpl_map: CplMapOption = None,
    on: Annotated[
        str, typer.Option("--on", help="Day, YYYY-MM-DD, on which every step must be Active.")
    ] = "",
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Show the shortest chain of upgrades from one entry to another: 0 found, 1 none."""
    day = day_of(on)
    with reading_data():
        listed = products(cpl, cpl_map, overlays(data))
        chain = listed.pathway(start, goal, day)
    steps = [listed.entry(entry_id) for entry_id in chain or ()]
    if as_json:
        emit_json(
            {
                "from": start,
                "to": goal,
                "on": None if day is None else day.isoformat(),
                "pathway": None if chain is None else [step_row(row) for row in steps],
            }
        )
    elif chain is None:
        told = "" if day is None else f" whose steps are Active on {day}"
        console().print(f"no pathway from {start} to {goal}{told}", markup=False)
    else:
        for row in steps:
            told = f"{row.cpl_entry_id}  {row.firmware_version}  {row.status}"
            console().print(told, markup=False)
    raise typer.Exit(1 if chain is None else 0)


def step_row(row: CplEntry) -> dict[str, str]:
    """Return one row of a pathway as a JSON object."""
    return {
        "cpl_entry": row.cpl_entry_id,
        "firmware_version": row.firmware_version,
        "status": row.status.value,
    }
