"""``smetsbench demo``: the product's main job in under a minute, with nothing to prepare."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from harness.cli.output import console
from harness.cli.progress_lines import styled
from harness.cli.run import exit_code, tell, watcher
from harness.report.model import RunRecord
from harness.run_folder import RunFolder
from harness.run_options import RunOptions
from harness.runner import start

#: What the demo shows, with the sentence that says why.
SHOWN: Final = {
    "FM-01": "an ESME takes new firmware: DUIS 11.1, blocks over Zigbee OTA, 8F72, CS06, ECS52",
    "FM-03": "a future date is set and taken back; days pass in milliseconds",
    "FM-07": "a wrong signature: the meter throws the image away and says so (8F1C)",
    "FM-09": "an image too large for the hub never reaches the HAN",
    "FM-15": "a sleeping GSME takes 256 KiB in its wake windows",
    "FM-19": "a PPMID is updated by one request (11.4) and tells how it went (CS09)",
    "MIG-024": "a SMETS1 home with two suppliers (FOC, split supply) migrates: files, keys, SIM",
}


def register(app: typer.Typer) -> None:
    """Add ``demo``."""
    app.command("demo")(demo)


def demo(
    out: Annotated[
        Path, typer.Option(help="Run folder; an earlier demo in it is replaced.")
    ] = Path("runs/demo"),
    seed: Annotated[int, typer.Option(min=0, help="Seed of every octet of chance.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="No progress.")] = False,
) -> None:
    """Upgrade and migrate made-up devices, byte by byte, and write one report to read."""
    if not as_json and not quiet:
        _announce()
    folder, record = start(
        tuple(SHOWN), RunOptions(seed=seed), out=out, watcher=watcher(quiet=quiet or as_json)
    )
    if as_json:
        tell(folder, record, as_json=True)
    else:
        _tell(folder, record)
    raise typer.Exit(exit_code(record))


def _announce() -> None:
    screen = console()
    screen.print("Emulated devices, real octets: six firmware upgrades and a migration,")
    screen.print("in virtual time:")
    for scenario, sentence in SHOWN.items():
        screen.print(Text.assemble((f"  {scenario}  ", "bold"), sentence))


def _tell(folder: RunFolder, record: RunRecord) -> None:
    screen = console()
    verdict = Text("none") if record.verdict is None else styled(record.verdict)
    screen.print(Text.assemble("\nverdict  ", verdict))
    screen.print(f"report   {folder.file('report')}   (open it in a browser; no network needed)")
    screen.print(f"capture  {folder.file('capture')}   (open it in Wireshark)")
    screen.print(
        "next     smetsbench scenarios   ·   smetsbench run FM-04   ·   smetsbench explain CS06"
    )
    screen.print(
        "         smetsbench installations new --cohort EA --count 20 --out homes.toml   ·"
        "   smetsbench migration run --cohort EA --installations homes.toml --out runs/first"
    )
