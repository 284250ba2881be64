"""``smetsbench faults``: what can go wrong on purpose, and how to order it."""

from importlib import import_module
from typing import Annotated, Any, Final

import typer

from emulator.core.fault_keys import KEYS, ROLES
from emulator.core.faults import (
    DEVICE_TRIGGERS,
    FAULTS,
    FRAME_SELECTORS,
    LINKS,
    SIM,
    SIM_SELECTORS,
    FaultRow,
)
from harness.cli.output import console, emit_json
from harness.cli.tables import print_hanging, print_listing

#: The harness's own fault, which kills the run at a commit of its journal.
_CRASH: Final[dict[str, Any]] = {
    "name": "crash",
    "does": "Kill the run at the n-th commit of its journal, to try resume.",
    "links": ["harness"],
    "keys": {"commit": "number of the commit, from 1"},
    "example": "crash:commit=5@harness",
}
_DEFECTS: Final = "harness.dust.definition_defects"
#: Faults that do not work on every link of their sort.
_NARROW: Final = frozenset(name for name, row in FAULTS.items() if row.only) | {_CRASH["name"]}


def register(app: typer.Typer) -> None:
    """Add ``faults``."""
    app.command("faults")(faults)


def faults(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    defects: Annotated[
        bool, typer.Option("--defects", help="List the defects of DUST runs instead.")
    ] = False,
) -> None:
    """List the faults: what each does, its keys, and an order that works."""
    if defects:
        _show_defects(as_json=as_json)
        return
    rows = [*(_row(name, row) for name, row in FAULTS.items()), _CRASH]
    if as_json:
        emit_json(
            {
                "form": "NAME[:key=value,...]@LINK",
                "faults": rows,
                "frame_selectors": _meanings(FRAME_SELECTORS),
                "device_triggers": _meanings(DEVICE_TRIGGERS),
                "sim_selectors": _meanings(SIM_SELECTORS),
                "frame_links": list(LINKS),
                "device_links": list(ROLES),
                "sim_links": [SIM],
            }
        )
        return
    _show(rows)


def _show_defects(*, as_json: bool) -> None:
    known = import_module(_DEFECTS)  # loads every device: only when asked for
    rows: list[dict[str, Any]] = [
        {"name": name, "does": said, "of_one_home": known.can_be_of_one_home(name)}
        for name, said in (known.of_devices() | known.of_parties()).items()
    ]
    if as_json:
        emit_json({"defects": rows})
        return
    screen = console()
    screen.print("Defects of a DUST run's definition: all homes by [faults] defects,", markup=False)
    screen.print("some by [[fault]] defects (not those with a * behind the name).", markup=False)
    lines = [(row["name"] + ("" if row["of_one_home"] else " *"), row["does"]) for row in rows]
    print_listing(screen, ("defect", "what it does"), lines, beside=1)


def _row(name: str, row: FaultRow) -> dict[str, Any]:
    return {
        "name": name,
        "does": row.sentence.replace("``", ""),
        "links": list(row.links),
        "keys": _meanings(row.keys + row.selectors),
        "example": row.example,
    }


def _meanings(keys: tuple[str, ...]) -> dict[str, str]:
    return {key: KEYS[key].meaning for key in keys}


def _show(rows: list[dict[str, Any]]) -> None:
    screen = console()
    screen.print("Order with --fault NAME[:key=value,...]@LINK (repeatable).", markup=False)
    for row in rows:
        print_hanging(screen, f"{row['name']:16} ", row["does"])
        screen.print(f"{'':16} --fault {row['example']}", markup=False)
        if row["name"] in _NARROW:
            screen.print(f"{'':16} only on: {', '.join(row['links'])}", markup=False)
    print_hanging(screen, "Faults of frames work on: ", f"{', '.join(LINKS)}.")
    _show_keys("Which frames (all that match, unless told otherwise):", FRAME_SELECTORS)
    screen.print(f"Faults of devices work on: {', '.join(ROLES)}.", markup=False)
    _show_keys("When (one of at, after_s, state, note must be given):", DEVICE_TRIGGERS)
    screen.print(f"Faults of the SIM of a SMETS1 hub work on: {SIM}.", markup=False)
    _show_keys("Which moves of it (mute: which attempts to attach):", SIM_SELECTORS)
    own = sorted({key for row in FAULTS.values() for key in row.keys})
    _show_keys("Keys of single faults:", tuple(own))


def _show_keys(title: str, keys: tuple[str, ...]) -> None:
    console().print(title, markup=False)
    for key, meaning in _meanings(keys).items():
        print_hanging(console(), f"  {key:8} ", meaning)
