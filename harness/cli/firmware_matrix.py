"""``smetsbench firmware matrix``: what clauses say, what the data imply, what was observed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles.metadata_layout import MetadataMode
from harness.cli.cpl_lists import CplMapOption, CplOption, day_of, products
from harness.cli.firmware_matrix_table import print_matrix
from harness.cli.output import console, emit_json, progress
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.files import write_octets
from harness.firmware_cells import MatrixCell, default_cells
from harness.firmware_matrix_world import DEFAULT_DAY, cells_of_image, load_world
from harness.firmware_observation import OBSERVERS, observer
from harness.report.firmware_matrix_model import MatrixReport, MatrixRow
from harness.report.firmware_matrix_page import render
from harness.setting import version

_DIFFERS: Final = 1
_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]


_IMAGE = Annotated[
    str | None,
    typer.Option("--image", help="Image file, DUIS request, or recipe; left out: made-up images."),
]
_MODE = Annotated[MetadataMode | None, typer.Option("--mode", help="One mode; left out: both.")]
_COHORT = Annotated[
    list[str] | None,
    typer.Option("--cohort", help="Cohort, or SMETS2+; repeatable; left out: all."),
]
_HUB = Annotated[
    str | None, typer.Option("--hub", help="Hub profile in the place of the cohorts' own.")
]
_VERIFY = Annotated[
    bool, typer.Option("--verify", help="Play every cell and compare what is observed.")
]
_BENCH = Annotated[
    str, typer.Option("--on-bench", help=f"Where --verify plays: {', '.join(OBSERVERS)}.")
]
_SEED = Annotated[int, typer.Option("--seed", min=0, help="Seed of --verify.")]
_ON = Annotated[str, typer.Option("--on", help=f"Day, YYYY-MM-DD; left out: {DEFAULT_DAY}.")]
_OUT = Annotated[
    Path | None,
    typer.Option("--out", help="Folder for matrix.html, matrix.json and matrix.csv."),
]


def add(firmware: typer.Typer) -> None:
    """Add the command to ``firmware``."""
    firmware.command("matrix")(matrix)


def matrix(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    image: _IMAGE = None,
    mode: _MODE = None,
    cohort: _COHORT = None,
    hub: _HUB = None,
    verify: _VERIFY = False,
    bench: _BENCH = "emulated",
    seed: _SEED = 1,
    cpl: CplOption = None,
    cpl_map: CplMapOption = None,
    on: _ON = "",
    out: _OUT = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Show, for images, hubs, devices and cohorts, what clauses say and what the data imply."""
    folders = overlays(data)
    modes = tuple(MetadataMode) if mode is None else (mode,)
    day = day_of(on) or DEFAULT_DAY
    with reading_data():
        listed = products(cpl, cpl_map, folders)
        world = load_world(folders, listed, day, cohorts=tuple(cohort or ()), hub=hub)
        cells = list(
            default_cells(world, modes)
            if image is None
            else cells_of_image(image, world, folders, modes)
        )
    if not cells:
        raise _no_cells(image, cohort or [])
    report = _observed(cells, bench, seed) if verify else _implied(cells)
    if out is not None:
        _write(report, out)
    if as_json:
        emit_json(report.figures())
    else:
        print_matrix(report)
        if out is not None:
            console().print(f"written: {out}/matrix.html, .json, .csv", markup=False)
    if report.disagreeing:
        raise typer.Exit(_DIFFERS)


def _implied(cells: Sequence[MatrixCell]) -> MatrixReport:
    return MatrixReport(tuple(MatrixRow(cell) for cell in cells))


def _observed(cells: Sequence[MatrixCell], bench: str, seed: int) -> MatrixReport:
    """Play every cell."""
    observe = observer(bench)
    rows: list[MatrixRow] = []
    with progress(len(cells), "cells") as advance:
        for cell in cells:
            rows.append(MatrixRow(cell, observe(cell, seed)))
            advance(1)
    return MatrixReport(tuple(rows), bench)


def _write(report: MatrixReport, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"the folder cannot be made: {error.strerror}",
            where=f"--out {folder}",
            cause="a file in its place, or a folder that is not yours",
        ) from error
    pages = {
        "matrix.html": render(report, version()),
        "matrix.json": json.dumps(report.figures(), indent=2, ensure_ascii=False) + "\n",
        "matrix.csv": report.csv(),
    }
    for name, text in pages.items():
        write_octets(folder / name, text.encode())


def _no_cells(image: str | None, cohorts: Sequence[str]) -> UsageError:
    asked = [f"--image {image}"] if image else []
    asked += [f"--cohort {one}" for one in cohorts]
    return UsageError(
        "there is no cell: the device stands in none of these homes",
        where=" ".join(asked) or "the matrix",
        cause="a SMETS2+ device in SMETS1 homes, or the other way round",
        next_command="smetsbench profiles",
    )
