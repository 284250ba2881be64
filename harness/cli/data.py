"""``smetsbench data``: which stand-ins are in use, and what would replace them."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from device_profiles.files import Folders
from firmware_images.synthetic_cpl import render_file
from harness import standins
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.files import write_octets
from harness.standins import StandIn

_OUT = Annotated[Path, typer.Option("--out", help="File to write.")]


def register(app: typer.Typer) -> None:
    """Add ``data`` and its commands."""
    data = typer.Typer(help="Data files, evidence and overlays.", no_args_is_help=True)
    data.command("status")(status)
    data.command("stand-ins")(stand_ins)
    data.command("synthetic-cpl")(synthetic_cpl)
    app.add_typer(data, name="data")


def status(
    data: DataOption = None,
    inferred: Annotated[
        bool, typer.Option("--inferred", help="List inferred values as well.")
    ] = False,
    file: Annotated[
        str, typer.Option("--file", help="Only files that begin so, e.g. models/demo-esme.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the stand-ins in use and what would replace each."""
    folders = overlays(data)
    with reading_data():
        found = [s for s in standins.collect(folders, inferred=inferred) if s.file.startswith(file)]
    if as_json:
        emit_json(
            {
                "overlays": [str(folder) for folder in folders],
                "stand_ins": [_row(stand_in) for stand_in in found],
                "other": {
                    name: {"stand_in": what, "replaced_by": by}
                    for name, (what, by) in standins.others(folders).items()
                },
            }
        )
        return
    _print(found, folders)


def _row(stand_in: StandIn) -> dict[str, str]:
    return {
        "file": stand_in.file,
        "path": stand_in.path,
        "value": stand_in.value,
        "evidence": str(stand_in.mark),
        "replaced_by": stand_in.replaced_by,
        "where": stand_in.where,
    }


def _print(found: list[StandIn], folders: Folders) -> None:
    screen = console()
    screen.print(f"overlays: {', '.join(map(str, folders)) or 'none'}", markup=False)
    file = ""
    for stand_in in found:
        if stand_in.file != file:
            file = stand_in.file
            screen.print(f"\n{file}", style="bold", markup=False)
        told = f"  {stand_in.path} = {stand_in.value}  [{stand_in.mark}]"
        where = f" (from {stand_in.where})" if stand_in.where else ""
        screen.print(f"{told}\n    replaced by: {stand_in.replaced_by}{where}", markup=False)
    screen.print()
    counts = Counter(s.file.split("/")[0] for s in found)
    told = ", ".join(f"{count} in {name}" for name, count in sorted(counts.items()))
    screen.print(f"{len(found)} stand-ins in data files: {told or 'none'}", markup=False)
    for name, (what, by) in standins.others(folders).items():
        screen.print(f"{name}: {what}; would be replaced by {by}", markup=False)


def stand_ins(out: _OUT) -> None:
    """Write the list of all shipped stand-ins as Markdown (docs/stand-ins.md)."""
    with reading_data():
        content = standins.render()
    _write(out, content)


def synthetic_cpl(out: _OUT) -> None:
    """Write the synthetic Central Products List from profiles and recipes."""
    with reading_data():
        content = render_file()
    _write(out, content)


def _write(out: Path, content: str) -> None:
    write_octets(out, content.encode())
    console().print(f"wrote {out}", markup=False)
