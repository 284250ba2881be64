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
    metadata = reading.get("metadata")
    if isinstance(metadata, Mapping):
        print_metadata(metadata, prefix)
    errors = reading.get("errors")
    for error in errors if isinstance(errors, Sequence) else ():
        screen.print(f"{prefix}error {error['why']} (octet {error['offset']})", markup=False)


def print_metadata(metadata: Figures, prefix: str = "") -> None:
    """Print the metadata of an image: the layout, and each field with its octets."""
    screen = console()
    note = f", {metadata['note']}" if metadata.get("note") else ""
    told = f"{metadata['layout']} {metadata['status']}{note}"
    screen.print(f"{prefix}metadata: {told}", markup=False)
    for name in ("position", "metadata_bytes", "bare_image_bytes", "hash_at_this_hub"):
        if name in metadata:
            screen.print(f"{prefix}  {_words(name)}: {metadata[name]}", markup=False)
    fields = metadata.get("fields")
    for field in fields if isinstance(fields, Sequence) else ():
        wrong = f"  WRONG: {field['wrong']}" if field["wrong"] else ""
        value = f"{_held(field)} ({field['unit']})"
        screen.print(
            f"{prefix}  octet {field['offset']:>3} {field['name']}: {value},"
            f" {field['from']}{wrong}",
            markup=False,
        )
    objections = metadata.get("objections")
    for one in objections if isinstance(objections, Sequence) else ():
        field = f" in {one['field']}" if one["field"] else ""
        screen.print(f"{prefix}  {one['reason']}{field}: {one['why']}", markup=False)


def _held(field: Figures) -> str:
    """Return a value for reading: numbers that count nothing in hex."""
    value = field["value"]
    if isinstance(value, int) and field["unit"] == "number":
        return f"{value:0{len(str(field['octets']))}X}"
    return str(value)


def print_lint(figures: Figures) -> None:
    """Print the figures of ``firmware lint``: the file, hubs, list entries, objections."""
    print_inspection(figures)
    screen = console()
    screen.print(f"metadata layout: {figures['metadata_layout']}", markup=False)
    hubs = figures["hubs"]
    if isinstance(hubs, Sequence) and hubs:
        table = folded("hub", "store", "fits", "updates type", "metadata", "evidence of store")
        for hub in hubs:
            shown = ("profile", "store_bytes", "fits", "updates_this_type", "metadata", "evidence")
            table.add_row(*(escape(_text(hub[name])) for name in shown))
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
