"""Stand-ins among the tables of the migration: rules, codes, settings, EPCL, DMC."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from device_profiles.cpl import load_cpl
from device_profiles.dmc import load_dmcs
from device_profiles.epcl import load_epcl
from device_profiles.files import SHIPPED, Folders, read_csv

#: File, row, what it says, evidence mark, what would replace it, where.
Row = tuple[str, str, str, str, str, str]

_PATTERNS: Final = ("migration-*.csv", "dust-*.csv")
_CODES, _REAL = "migration-codes.csv", "migration-real-codes.csv"
#: Which columns tell rows apart: the first of these whose first column the table has.
_KEYS: Final = (
    ("policy", "failure_class"),
    ("what", "step", "code"),
    ("rule",),
    ("code", "sub_code"),
    ("key",),
    ("id",),
    ("category",),
    ("failure_class",),
    ("version",),
    ("column",),
    ("clause",),
    ("order", "fact"),
    ("meters", "parties", "supplier_ids", "null_required"),
)
_SAYS: Final = ("says", "title", "value")
#: Beginning of a table's name -> what would replace its stand-ins; the longest that fits counts.
_REPLACED: Final[Mapping[str, str]] = {
    "migration-": "the text and tables of the TMAD, the MAM and the MEHRS",
    "dust-": "the MTAD, the DCC's guide to Migration DUST and the MEHRS",
    "migration-codes": "the error codes of the TMAD and the MEHRS (migration-real-codes.csv)",
    "migration-authorisation": "the columns of the published workbooks",
    "migration-settings": "the clause that gives the number or day",
    "migration-steps": "the steps as the TMAD and its cohorts have them",
}
_WHERE: Final = "an overlay folder with catalogues/{}"


def migration_rows(overlays: Folders = ()) -> Iterator[Row]:
    """Yield every row of the migration's tables with its mark.

    Raises:
        DataError: A table cannot be used.
    """
    for path in _tables(overlays):
        headings, lines = read_csv(path)
        key = next((keys for keys in _KEYS if keys[0] in headings), tuple(headings[:1]))
        says = next((name for name in _SAYS if name in headings), "")
        known = _known_codes(overlays) if path.name == _CODES else frozenset()
        for cells in lines:
            mark = (cells.get("evidence") or "").strip()
            if mark and (cells.get("code"), cells.get("sub_code") or "") not in known:
                name = " ".join(str(cells.get(part) or "") for part in key).strip()
                told = str(cells.get(says) or "")
                where = _WHERE.format(path.name)
                yield f"catalogues/{path.stem}", name, told, mark, _replaced(path.stem), where
    yield from _lists(overlays)


def _known_codes(overlays: Folders) -> frozenset[tuple[str, str]]:
    """Return our codes whose true names a table has: no stand-ins are left of these."""
    found = next((path for path in _tables(overlays) if path.name == _REAL), None)
    rows = () if found is None else read_csv(found)[1]
    named = {(row.get("code") or "", row.get("sub_code") or "") for row in rows}
    return frozenset(named)


def _lists(overlays: Folders) -> Iterator[Row]:
    cpl = load_cpl(overlays)
    dmcs = load_dmcs(cpl, overlays)
    for entry in load_epcl(cpl, dmcs, overlays).entries.values():
        yield (
            "catalogues/epcl",
            entry.epcl_id,
            f"{entry.basis}, added {entry.added_on}",
            entry.evidence,
            "your export of the SMETS1 Eligible Product Combinations",
            "an overlay folder with catalogues/epcl.csv and epcl_columns.toml",
        )
    for row in dmcs.entries.values():
        yield (
            "catalogues/dmc",
            row.dmc_id,
            f"MT complete {row.mt_complete_on or 'no'}, DMCT report {row.dmct_report_on or 'no'}",
            row.evidence,
            "your list of tested Device Model Combinations",
            "an overlay folder with catalogues/dmc.csv and dmc_columns.toml",
        )


def _tables(overlays: Folders) -> list[Path]:
    """Return every table once, the strongest overlay's own."""
    found: dict[str, Path] = {}
    for folder in (SHIPPED, *overlays):
        for pattern in _PATTERNS:
            for path in sorted((folder / "catalogues").glob(pattern)):
                if os.path.lexists(path):
                    found[path.name] = path
    return [found[name] for name in sorted(found)]


def _replaced(stem: str) -> str:
    fitting = [head for head in _REPLACED if stem.startswith(head)]
    return _REPLACED[max(fitting, key=len)]
