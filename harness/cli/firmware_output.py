"""What ``smetsbench firmware`` prints for people."""

from collections.abc import Mapping, Sequence

from rich.markup import escape

from harness.cli.output import console
from harness.cli.tables import folded

Figures = Mapping[str, object]


def print_inspection(figures: Figures) -> None:
    """Print the figures of ``firmware inspect``: the file, its header, each reading."""
    screen = console()
    for name in ("file", "kind", "size_bytes", "sha256"):
        screen.print(f"{_words(name)}: {figures[name]}", markup=False)
    for section in ("request", "header"):
        table = figures.get(section)
        if isinstance(table, Mapping):
            for name, value in table.items():
                screen.print(f"  {section} {_words(name)}: {_text(value)}", markup=False)
    readings = figures.get("readings")
    if isinstance(readings, Mapping):
        screen.print("nobody said which kind it is; read as each:", markup=False)
        for kind, reading in readings.items():
            _print_reading(reading, f"{kind}: ")
    else:
        _print_reading(figures, "")


def _print_reading(reading: Figures, prefix: str) -> None:
    screen = console()
    for name in (
        "manufacturer_image_bytes",
        "manufacturer_image_sha256",
        "force_replace",
        "signature",
        "signer",
    ):
        if reading.get(name) is not None:
            screen.print(f"{prefix}{_words(name)}: {reading[name]}", markup=False)
    errors = reading.get("errors")
    for error in errors if isinstance(errors, Sequence) else ():
        screen.print(f"{prefix}error {error['why']} (octet {error['offset']})", markup=False)


def print_lint(figures: Figures) -> None:
    """Print the figures of ``firmware lint``: the file, hubs, list entries, objections."""
    print_inspection(figures)
    screen = console()
    screen.print(f"metadata layout: {figures['metadata_layout']}", markup=False)
    hubs = figures["hubs"]
    if isinstance(hubs, Sequence) and hubs:
        table = folded("hub", "maker", "store", "fits", "updates type", "evidence of store")
        for hub in hubs:
            table.add_row(*(escape(_text(value)) for value in hub.values()))
        screen.print(table)
    entries = figures["cpl_entries"]
    found = ", ".join(entries) if isinstance(entries, Sequence) else ""
    screen.print(f"CPL entries with this hash: {found or 'none looked up or found'}", markup=False)
    objections = figures["objections"]
    for objection in objections if isinstance(objections, Sequence) else ():
        told = f"{objection['severity']}: {objection['word']}: {objection['detail']}"
        screen.print(told, markup=False)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
