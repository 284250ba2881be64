"""Stand-ins in use: every value that no source supports, and what would replace it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from device_profiles.cohort import cohort_names, load_cohort
from device_profiles.cpl import load_cpl
from device_profiles.evidence import EvidenceKind, Mark, covers
from device_profiles.files import Folders
from device_profiles.loader import load_profile, profile_names
from device_profiles.rows import (
    load_alert_notes,
    load_clauses,
    load_duis_codes,
    load_replacements,
    load_words,
)
from harness.formats.migration_files.schema import load_schema
from harness.profile_values import shown, shown_values
from harness.standins_firmware import firmware_rows
from harness.standins_migration import migration_rows

#: How weak a mark must be to stand in the list.
_WEAK: Final = (EvidenceKind.STAND_IN, EvidenceKind.INFERRED)
_UNKNOWN: Final = "the real value"

_SCHEMA: Final = "migration schema"
#: Stand-ins that are no value of a data file: name -> (what it is, what would replace it).
OTHER_STAND_INS: Final[Mapping[str, tuple[str, str]]] = {
    "CSP image transfer": (
        "chunk format between CSP and hub: own frames on an interface of their own in captures",
        "the CSP's specification of the transfer",
    ),
    "hub's own image (CS05a)": (
        "inner layout of wan-provider images: seeded octets after the OTA header",
        "the hub maker's image format",
    ),
    "SMETS1 metadata layouts": (
        "the defects metadata-for-another-maker and metadata-truncated use an invented block",
        "the two diagrams missing from S003 §5",
    ),
    "made-up identifiers": (
        "EUI-64s beginning 02-53 (locally administered), MPxNs beginning 99, test keys",
        "an installation file and key store of your own",
    ),
    _SCHEMA: (
        "structure, namespace and order of all migration files (schemas/migration-standin.xsd)",
        "the SMETS1 Migration Schema, as schemas/migration.xsd in an overlay folder",
    ),
    "migration file names and signatures": (
        "names of all migration files, and the form of their signatures",
        "the text of the TMAD",
    ),
    "migration envelopes": (
        (
            "cipher layout, additional data and plain texts of encrypted group information, and"
            " which secrets go to S1SP, S1SPDP and DCO"
        ),
        "TMAD section 11 and the tables of the groups",
    ),
    "role octets of migration parties": (
        (
            "OU of the certificates of SMSO, Requesting Party, S1SP, S1SPDP, DCO, DSP,"
            " Commissioning Party and MCC"
        ),
        "the certificate policy of the parties",
    ),
    "migration notifications": (
        "columns of dormant schedule and dormant firmware schedule notifications",
        "the published workbooks",
    ),
    "recipes": (
        "content of every test image: one line of text, then octets of the recipe's seed",
        "a real image, given with --image",
    ),
}


@dataclass(frozen=True, slots=True)
class StandIn:
    """One weak value.

    Attributes:
        file: Which file, e.g. ``models/gfi-esme``.
        path: Key path or row.
        value: The value, for a reader.
        mark: Its evidence mark.
        replaced_by: What real fact would take its place.
        where: Where a user finds that fact.
    """

    file: str
    path: str
    value: str
    mark: Mark
    replaced_by: str
    where: str


def others(overlays: Folders = ()) -> dict[str, tuple[str, str]]:
    """Return the stand-ins in use that are no value of a data file: what it is, what is better.

    Args:
        overlays: Folders whose values win; a migration schema in one takes the shipped one's place.

    Raises:
        UsageError: The schema cannot be used.
    """
    own = not load_schema(overlays).is_stand_in
    return {name: row for name, row in OTHER_STAND_INS.items() if name != _SCHEMA or not own}


def collect(overlays: Folders = (), *, inferred: bool = True) -> list[StandIn]:
    """Return every stand-in of the data files in use, in the order of the files.

    Args:
        overlays: Folders whose values win.
        inferred: Whether inferred values are listed too.

    Raises:
        DataError: A data file cannot be used.
    """
    kinds = _WEAK if inferred else _WEAK[:1]
    found = [*_of_profiles(overlays), *_of_cohorts(overlays), *_of_rows(overlays)]
    return [stand_in for stand_in in found if stand_in.mark.kind in kinds]


def _of_profiles(overlays: Folders) -> Iterable[StandIn]:
    replacements = load_replacements(overlays)
    for name in profile_names(overlays):
        profile = load_profile(name, overlays)
        values = shown_values(profile)
        for path, mark in profile.evidence.items():
            row = next(
                (replacements[key] for key in _longest_first(replacements) if covers(key, path)),
                None,
            )
            yield StandIn(
                f"models/{name}",
                path,
                values[path][0],
                mark,
                _UNKNOWN if row is None else row.says,
                "" if row is None else row.where,
            )


def _of_cohorts(overlays: Folders) -> Iterable[StandIn]:
    for key in cohort_names(overlays):
        cohort = load_cohort(key, overlays)
        for path, mark in cohort.evidence.items():
            section, _, name = path.partition(".")
            value = getattr(getattr(cohort, section), name)
            yield StandIn(f"cohorts/{key}", path, shown(value), mark, _UNKNOWN, "")


def _of_rows(overlays: Folders) -> Iterable[StandIn]:
    prose = "the text of the document"
    for clause in load_clauses(overlays).values():
        yield StandIn("clauses", clause.id, clause.title, _mark(clause.evidence), prose, "")
    for code in load_duis_codes(overlays).values():
        yield StandIn(
            "catalogues/duis_codes", code.id, code.says, _mark(code.evidence), "DUIS prose", "SECAS"
        )
    for alert in load_alert_notes(overlays).values():
        yield StandIn("catalogues/alert_codes", alert.id, "", _mark(alert.evidence), "GBCS", "")
    for word in load_words(overlays).values():
        yield StandIn("catalogues/words", word.id, word.says, _mark(word.evidence), _UNKNOWN, "")
    for entry in load_cpl(overlays).entries.values():
        yield StandIn(
            "catalogues/cpl",
            entry.cpl_entry_id,
            entry.manufacturer_image_hash[:16] or "no hash",
            _mark(entry.evidence),
            "your export of the Central Products List",
            "an overlay folder with catalogues/cpl.csv and cpl_columns.toml",
        )
    tables = (*migration_rows(overlays), *firmware_rows(overlays))
    for file, row, says, mark, replaced_by, where in tables:
        yield StandIn(file, row, says, _mark(mark), replaced_by, where)


def _mark(text: str) -> Mark:
    return Mark.parse(text)


def _longest_first(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=len, reverse=True)


def render() -> str:
    """Return ``docs/stand-ins.md``: every stand-in and inferred value that is shipped."""
    lines = [
        "# Stand-ins and inferences",
        "",
        "Generated from the evidence marks of the shipped data files by",
        "`smetsbench data stand-ins --out docs/stand-ins.md`; do not edit.",
        "A run lists those it used under *what this run does not prove*. An overlay folder",
        "(`--data DIR`, `SMETSBENCH_DATA`) replaces any of them with your own values;",
        "`smetsbench data status` shows what is left.",
        "",
        "## Not in data files",
        "",
        "| what | stand-in | what would replace it |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {a} | {b} |" for name, (a, b) in OTHER_STAND_INS.items()]
    lines += ["", *_profile_tables(collect())]
    return "\n".join(lines) + "\n"


def _profile_tables(found: list[StandIn]) -> list[str]:
    """Return one table a path and mark, so that like values of many profiles are one row."""
    by_place: dict[tuple[str, str], list[StandIn]] = defaultdict(list)
    for stand_in in found:
        folder = stand_in.file.split("/")[0]
        place = stand_in.path if folder in {"models", "cohorts"} else stand_in.file
        by_place[folder if folder in {"models", "cohorts"} else "rows", place].append(stand_in)
    lines: list[str] = []
    headings = {
        "models": ("## Device profiles", "value"),
        "cohorts": ("## Cohorts", "value"),
        "rows": ("## Rows of catalogues and clauses", "row"),
    }
    for group, (heading, _) in headings.items():
        lines += [heading, ""]
        for (kind, place), rows in by_place.items():
            if kind == group:
                lines += _table(place, rows, group)
    return lines


def _table(place: str, rows: list[StandIn], group: str) -> list[str]:
    lines = [f"### `{place}`", ""]
    first = rows[0]
    if group == "models" and first.where:
        lines += [f"Replaced by: {first.replaced_by}. Where: {first.where}.", ""]
    elif first.replaced_by != _UNKNOWN:
        lines += [f"Replaced by: {first.replaced_by}.", ""]
    lines += ["| mark | value | in |", "|---|---|---|"]
    by_value: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        owner = row.path if group == "rows" else row.file.partition("/")[2]
        shown = "" if group == "rows" else row.value
        by_value[str(row.mark), shown].append(owner)
    for (mark, shown), owners in by_value.items():
        lines.append(f"| {mark} | {shown} | {', '.join(owners)} |")
    return [*lines, ""]
