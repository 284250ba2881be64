"""``smetsbench epcl``: which installations may migrate, and what must be upgraded before."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from device_profiles import epcl as epcl_lists
from device_profiles.cohort import load_cohort
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import COLUMNS, MAP_NAME, Epcl, load_epcl
from device_profiles.files import Folders
from device_profiles.installation import Installation, load_many
from harness.cli.cpl_lists import CplMapOption, CplOption, column_map, day_of, products, tell
from harness.cli.epcl_output import as_json_object, print_judgement
from harness.cli.output import console, emit_json
from harness.data_files import DataOption, overlays, reading_data
from harness.errors import UsageError
from harness.rules.epcl_judgement import Desk, Judgement

_JSON = Annotated[bool, typer.Option("--json", help="Print JSON.")]
#: Installations printed; all of them are in the JSON.
MAX_PRINTED = 50


_INSTALLATION = Annotated[
    str, typer.Option("--installation", help="Installation file, or shipped one.")
]
_COHORT = Annotated[
    str | None, typer.Option(help="Cohort key or file; left out: as the installation says.")
]
_CSP = Annotated[str, typer.Option(help="Service provider; left out: as the installation says.")]
_ON = Annotated[
    str, typer.Option("--on", help="Day, YYYY-MM-DD; left out: the last the EPCL names.")
]
_EPCL = Annotated[
    Path | None, typer.Option("--epcl", help="EPCL (CSV); left out: the one in force.")
]
_EPCL_MAP = Annotated[
    Path | None, typer.Option("--epcl-map", help="Column map of --epcl, when not beside it.")
]


def register(app: typer.Typer) -> None:
    """Add ``epcl`` and its commands."""
    epcl = typer.Typer(help="SMETS1 Eligible Product Combinations.", no_args_is_help=True)
    epcl.command("eligible")(eligible)
    epcl.command("check")(check)
    app.add_typer(epcl, name="epcl")


def eligible(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    installation: _INSTALLATION,
    cohort: _COHORT = None,
    csp: _CSP = "",
    on: _ON = "",
    epcl: _EPCL = None,
    epcl_map: _EPCL_MAP = None,
    cpl: CplOption = None,
    cpl_map: CplMapOption = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Compare installations with the EPCL, and plan upgrades: 0 all eligible, 1 not."""
    folders = overlays(data)
    with reading_data():
        homes = load_many(installation, folders)
        listed = products(cpl, cpl_map, folders)
        combinations = _combinations(epcl, epcl_map, listed, folders)
    desk = Desk(listed, combinations, _day(on, combinations), folders)
    found = [_judged(home, desk, cohort, csp) for home in homes]
    count = sum(one.eligible for one in found)
    if as_json:
        emit_json(
            {
                "on": desk.day.isoformat(),
                "cpl": listed.file,
                "epcl": combinations.file,
                "totals": {"eligible": count, "not_eligible": len(found) - count},
                "installations": [as_json_object(one, desk) for one in found],
            }
        )
    else:
        for one in found[:MAX_PRINTED]:
            print_judgement(one, desk)
        if len(found) > MAX_PRINTED:
            console().print(f"… {len(found) - MAX_PRINTED} more installations", markup=False)
        told = f"{count} of {len(found)} eligible on {desk.day}"
        console().print(f"{told} ({combinations.file})", markup=False)
    raise typer.Exit(0 if count == len(found) else 1)


def _combinations(file: Path | None, asked: Path | None, cpl: Any, folders: Folders) -> Epcl:
    if file is None:
        if asked is not None:
            raise UsageError("--epcl-map is the map of --epcl, which is not given")
        return load_epcl(cpl, load_dmcs(cpl, folders), folders)
    return epcl_lists.load(file, cpl, None, column_map(asked, file, MAP_NAME, COLUMNS))


def _day(text: str, combinations: Epcl) -> date:
    """Return the day asked for; else the last on which the list says that anything changed."""
    asked = day_of(text)
    if asked is not None:
        return asked
    rows = combinations.entries.values()
    days = [day for row in rows for day in (row.added_on, row.removed_on) if day is not None]
    if not days:
        raise UsageError(
            "the EPCL is empty, so it names no day",
            where=combinations.file,
            cause="an export of headings alone",
            next_command="smetsbench epcl eligible … --on YYYY-MM-DD",
        )
    return max(days)


def _judged(home: Installation, desk: Desk, cohort: str | None, csp: str) -> Judgement:
    key = cohort or home.cohort
    if key is None:
        raise UsageError(
            f"installation {home.ref} is of no cohort",
            where="--installation",
            cause="it always was SMETS2+, or the file leaves the cohort out",
            next_command="smetsbench epcl eligible … --cohort KEY",
        )
    with reading_data():
        return desk.judge(home, load_cohort(key, desk.overlays), csp or str(home.csp))


def check(  # noqa: PLR0913, PLR0917 -- one argument for each option of the command
    file: Annotated[Path, typer.Argument(help="The list: CSV, ours or an export.")],
    map_file: Annotated[
        Path | None,
        typer.Option("--map", help=f"TOML column map; left out: a {MAP_NAME} beside the file."),
    ] = None,
    cpl: CplOption = None,
    cpl_map: CplMapOption = None,
    data: DataOption = None,
    as_json: _JSON = False,
) -> None:
    """Check every row of an EPCL against the Central Products List: 0 clean, 1 not."""
    with reading_data():
        listed = products(cpl, cpl_map, overlays(data))
        used = column_map(map_file, file, MAP_NAME, COLUMNS)
        found = epcl_lists.scan(file, listed, None, used)
    more = {"cpl": listed.file}
    tell(found, more, lambda: f"{len(found.rows)} combinations", as_json=as_json)
