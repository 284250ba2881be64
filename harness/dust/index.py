"""The list of a run's files: ``index.csv``."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from harness.dust.record import DustRecord

NAME: Final = "index.csv"
COLUMNS: Final = (
    *("path", "size_bytes", "sha256", "from", "to", "kind", "at", "result", "signature", "refs"),
)


def render(record: DustRecord) -> bytes:
    """Return ``index.csv``: a row a file, in order of paths."""
    rows = [
        (
            *(one.path, one.size_bytes, one.sha256, one.sender, one.receiver, one.kind, one.at),
            *(one.result, one.signature, " ".join(one.refs)),
        )
        for one in sorted(record.files, key=lambda one: one.path)
    ]
    return table(COLUMNS, rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as CSV, one form only."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return out.getvalue().encode()
