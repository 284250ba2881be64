"""Tables of rows that explain words of the field: clauses, codes, outcome words."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field

from device_profiles.errors import DuplicateEntryError, InvalidValueError
from device_profiles.evidence import Mark, refuse_foreign
from device_profiles.files import (
    SHIPPED,
    DataFile,
    Folders,
    checked,
    layers,
    once,
    read_toml,
    unknown_keys,
)
from device_profiles.sections import MarkText, Section
from device_profiles.toml_rows import with_mark
from device_profiles.words import MeaningStatus

Sentence = Annotated[str, Field(min_length=3)]


class Clause(Section):
    """A clause, or a passage of a source that scenarios cite like one.

    Attributes:
        id: Document and place, as a reader would look it up.
        title: What it is about.
        says: What it says, in our own words.
        document: The document in full.
        evidence: Where we know it from.
    """

    id: str
    title: Sentence
    says: Sentence
    document: Sentence
    evidence: MarkText


class DuisCode(Section):
    """A response code or DCC alert code of DUIS.

    Attributes:
        id: The code.
        services: Service references it belongs to; empty where it belongs to no single one.
        category: What oracles compare: ``hash-mismatch``, ``bad-list`` … (F-023).
        says: Its meaning, or the best guess.
        meaning_status: Whether the meaning was read in a source.
        evidence: Where we know it from.
    """

    id: str
    services: tuple[str, ...]
    category: str
    says: Sentence
    meaning_status: MeaningStatus
    evidence: MarkText


class AlertNote(Section):
    """What is known of a GBCS alert code besides its meaning.

    Attributes:
        id: Four hex digits.
        sender: Device types that send it.
        recipient: To whom it goes.
        carries: What it carries besides code and time.
        evidence: Where we know it from.
    """

    id: Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")]
    sender: Sentence
    recipient: Sentence
    carries: Sentence
    evidence: MarkText


class Word(Section):
    """A word of ours or of the field: an outcome, a verdict, a finding.

    Attributes:
        id: The word.
        group: ``outcome``, ``verdict``, ``image-error``, ``signature`` or ``cpl``.
        says: What it means.
        evidence: Where we know it from.
    """

    id: str
    group: str
    says: Sentence
    evidence: MarkText


class Replacement(Section):
    """What would replace a stand-in value.

    Attributes:
        id: Key path of profiles that it is about; covers what lies below.
        says: What real fact would take the value's place.
        where: Where a user finds that fact.
        evidence: Always ``stand-in``: it is our own judgement.
    """

    id: str
    says: Sentence
    where: Sentence
    evidence: MarkText


Row = TypeVar("Row", Clause, DuisCode, AlertNote, Word, Replacement)

#: Tables that stand beside clauses in their files: device_profiles/s1sr.py reads them.
_S1SR_TABLES: Final = ("annex", "effect")
_DUIS_CODES: Final = "duis_codes.toml"
_ALERTS: Final = "alert_codes.toml"
_WORDS: Final = "words.toml"
_REPLACEMENTS: Final = "replacements.toml"


def load_clauses(overlays: Folders = ()) -> Mapping[str, Clause]:
    """Load every clause, by identifier.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    paths = [
        path
        for folder in (SHIPPED, *overlays)
        for path in sorted((folder / "clauses").glob("*.toml"))
    ]
    return _load(Clause, "clause", paths, overlays, others=_S1SR_TABLES)


def load_duis_codes(overlays: Folders = ()) -> Mapping[str, DuisCode]:
    """Load response and alert codes of DUIS, by code.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    return once(
        ("duis codes", tuple(overlays)),
        lambda: _load(DuisCode, "code", _catalogue(_DUIS_CODES, overlays), overlays),
    )


def load_alert_notes(overlays: Folders = ()) -> Mapping[str, AlertNote]:
    """Load what is known of GBCS alert codes, by four hex digits.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    return _load(AlertNote, "alert", _catalogue(_ALERTS, overlays), overlays)


def load_words(overlays: Folders = ()) -> Mapping[str, Word]:
    """Load outcome words and the like.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    return _load(Word, "word", _catalogue(_WORDS, overlays), overlays)


def load_replacements(overlays: Folders = ()) -> Mapping[str, Replacement]:
    """Load what would replace stand-ins, by key path.

    Raises:
        DataError: A file cannot be read, or a row is wrong or unmarked.
    """
    return _load(Replacement, "replacement", _catalogue(_REPLACEMENTS, overlays), overlays)


def _catalogue(name: str, overlays: Folders) -> list[Path]:
    return layers("catalogues", name, overlays)


def _load(
    row: type[Row],
    key: str,
    paths: Iterable[Path],
    overlays: Folders,
    others: tuple[str, ...] = (),
) -> dict[str, Row]:
    found: dict[str, Row] = {}
    own: dict[str, Path] = {}
    for path in paths:
        file = read_toml(path, is_overlay=path.parents[1] in overlays)
        unknown_keys(file.table, (key, *others), path)
        tables = file.table.get(key, [])
        if not isinstance(tables, list):
            raise InvalidValueError(f"must be [[{key}]] tables", file=path, key=key)
        for number, table in enumerate(tables):
            entry = _row(row, table, file, f"{key}.{number}")
            layer = path.parents[1]
            if own.get(entry.id) == layer:
                raise DuplicateEntryError("this identifier stands twice", file=path, key=entry.id)
            found[entry.id], own[entry.id] = entry, layer
    return found


def _row(row: type[Row], table: Any, file: DataFile, where: str) -> Row:
    marked = with_mark(table, file, where) if isinstance(table, dict) else table
    entry = checked(row, marked, file.path, where)
    if file.is_overlay:
        refuse_foreign(Mark.parse(entry.evidence), file.path, where)
    return entry
