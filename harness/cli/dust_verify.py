"""``smetsbench dust verify``: whether a pack of evidence is as its run wrote it."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from harness.cli.output import console, emit_json, errors
from harness.cli.tables import folded
from harness.dust.verify import Verified
from harness.dust.verify import verify as check
from harness.live.terminal import stepping

_MARKS: Final = {True: "ok", False: "FAILED", None: "not judged"}


def register(dust: typer.Typer) -> None:
    """Add ``verify``."""
    dust.command("verify")(verify)


def verify(
    pack: Annotated[Path, typer.Argument(metavar="PACK.zip", help="evidence.zip of a run.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Rebuild a pack, compare every octet, render its reports anew; 1 when a part fails."""
    with stepping(errors(), quiet=as_json) as on_step:
        found = check(pack, on_step)
    if as_json:
        emit_json(found.to_json())
    else:
        _show(found)
    raise typer.Exit(0 if found.intact else 1)


def _show(found: Verified) -> None:
    screen = console()
    rows = folded("part", "", "what was found", keep=2)
    for one in found.parts:
        rows.add_row(Text(one.name), _MARKS[one.ok], Text(one.says))
    screen.print(rows)
    failed = [one.name for one in found.parts if one.ok is False]
    told = f"FAILED: {', '.join(dict.fromkeys(failed))}" if failed else f"intact: run {found.run}"
    screen.print(Text(f"{told}; SHA-256 {found.sha256}"))
    if found.identifiers:
        screen.print(Text(f"identifiers: {found.identifiers}"))
