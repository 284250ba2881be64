"""What two runs of scenarios have differently: on the terminal, as JSON, as a page."""

import json
from pathlib import Path

from rich.text import Text

from harness.cli.output import console, emit_json
from harness.cli.tables import folded
from harness.differences_runs import Comparison
from harness.files import make_folder, write_octets
from harness.report.differences_page import headline, render


def write_comparison(folder: Path, found: Comparison) -> tuple[Path, Path]:
    """Write a comparison as JSON and as a page.

    Raises:
        UsageError: They cannot be written.
    """
    make_folder(folder)
    table, page = folder / "differences.json", folder / "differences.html"
    content = json.dumps(found.to_json(), indent=2, ensure_ascii=False) + "\n"
    write_octets(table, content.encode())
    write_octets(page, render(found).encode())
    return table, page


def show(found: Comparison, *, as_json: bool) -> None:
    """Print a comparison."""
    if as_json:
        emit_json(found.to_json())
        return
    screen = console()
    if found.differences:
        rows = folded("where", "what", "a", "b", keep=1)
        for one in found.differences:
            times = f" ({one.times} times)" if one.times > 1 else ""
            rows.add_row(one.where, one.subject + times, Text(one.a), Text(one.b))
        screen.print(rows)
    for name, first, second in found.verdicts:
        screen.print(Text(f"verdict of {name}: a {first}, b {second}"))
    for line in found.unmatched:
        screen.print(Text(line))
    left_out = f" ({len(found.volatile)} volatile ones left out)" if found.volatile else ""
    screen.print(Text(headline(found) + left_out))
