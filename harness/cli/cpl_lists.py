"""What ``smetsbench cpl`` and ``epcl`` share: column maps, lists of faults, days."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from device_profiles.column_map import ColumnMap, load_column_map
from device_profiles.cpl import COLUMNS as CPL_COLUMNS
from device_profiles.cpl import MAP_NAME as CPL_MAP
from device_profiles.cpl import Cpl, load, load_cpl
from device_profiles.files import Folders
from device_profiles.list_faults import ListFault, Scan
from harness.cli.output import console, emit_json
from harness.errors import UsageError
from harness.words import counted

#: Option ``--cpl`` of commands that look rows up.
CplOption = Annotated[
    Path | None,
    typer.Option("--cpl", help="Central Products List (CSV); left out: the one in force."),
]
CplMapOption = Annotated[
    Path | None, typer.Option("--cpl-map", help="Column map of --cpl, when not beside it.")
]
#: Faults printed; all of them are in the JSON.
MAX_PRINTED: Final = 100


def column_map(
    asked: Path | None, file: Path, beside: str, columns: tuple[str, ...]
) -> ColumnMap | None:
    """Return the column map of a list: the one asked for, else one beside the file, else none.

    Raises:
        DataError: The map cannot be used.
    """
    path = file.with_name(beside) if asked is None else asked
    if asked is None and not path.is_file():
        return None
    return load_column_map(path, columns)


def products(file: Path | None, asked: Path | None, folders: Folders) -> Cpl:
    """Return the Central Products List: the file named, else the one in force.

    Raises:
        DataError: A list or map cannot be used.
        UsageError: A map without the list it is of.
    """
    if file is None and asked is not None:
        raise UsageError(
            "--cpl-map is the map of --cpl, which is not given", where=f"--cpl-map {asked}"
        )
    if file is None:
        return load_cpl(folders)
    return load(file, column_map(asked, file, CPL_MAP, CPL_COLUMNS))


def day_of(text: str) -> date | None:
    """Return the day of ``--on``; None where it is left out.

    Raises:
        UsageError: It is no day.
    """
    if not text:
        return None
    try:
        # A calendar day has no zone.
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - see above
    except ValueError as error:
        raise UsageError(
            f"{text!r} is no day", where="--on", cause="write it like 2021-03-31"
        ) from error


def tell(
    found: Scan[Any], more: Mapping[str, object], line: Callable[[], str], *, as_json: bool
) -> None:
    """Print what is wrong with a list and end the command: 0 clean, 1 not.

    Args:
        found: The list, read to its end.
        more: What else is said of it in JSON.
        line: Says in one line what the list holds.
        as_json: Whether JSON is printed.

    Raises:
        typer.Exit: Always.
    """
    faults = sorted(found.faults, key=lambda one: (one.line, one.column))
    clean = not faults
    if as_json:
        emit_json(
            {
                "file": found.file,
                "clean": clean,
                "rows": len(found.rows),
                "faults": [_row(one) for one in faults],
                "faults_left_out": found.left_out,
                **more,
            }
        )
        raise typer.Exit(0 if clean else 1)
    screen = console()
    for one in faults[:MAX_PRINTED]:
        value = f" [{one.value}]" if one.value else ""
        screen.print(f"{one.where}: {one.code}: {one.why}{value}", markup=False)
    hidden = len(faults) - MAX_PRINTED + found.left_out
    if hidden > 0:
        screen.print(f"… {hidden} more", markup=False)
    count = len(faults) + found.left_out
    screen.print(
        f"{found.file}: {'clean' if clean else counted(count, 'fault')}; {line()}", markup=False
    )
    raise typer.Exit(0 if clean else 1)


def _row(one: ListFault) -> dict[str, object]:
    return {
        "code": one.code,
        "line": one.line,
        "column": one.column,
        "heading": one.heading,
        "value": one.value,
        "why": one.why,
    }
