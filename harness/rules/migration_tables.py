"""Tables of the migration rules: CSV catalogues, a mark on every row, replaceable by overlay."""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, TypeVar, cast

from pydantic import Field

from device_profiles.csv_rows import whole_lines
from device_profiles.errors import (
    DuplicateEntryError,
    UnmarkedValueError,
)
from device_profiles.evidence import EvidenceKind, Mark, refuse_foreign
from device_profiles.files import (
    SHIPPED,
    Folders,
    checked,
    digest_of,
    read_csv,
    read_text,
    unknown_keys,
)
from device_profiles.sections import MarkText, Section

Word = Annotated[str, Field(min_length=1, max_length=60)]


class TableRow(Section):
    """One row of any of these tables.

    Attributes:
        evidence: Where the row comes from.
    """

    evidence: MarkText


class RuleRow(TableRow):
    """One rule.

    Attributes:
        rule: Its identifier: the clause, or a word of ours.
        order: Rules are asked in this order.
        scope: Whether it judges a file or one installation.
        step: Step of migration.md 5.1 in which it is asked.
        clause: Where it stands.
        code: Code of its rejections.
        supplier_code: What a supplier sees instead of code and clause; empty: the same.
        valid_from: First day on which it holds, or None.
        valid_to: Last day, or None.
        says: What it demands.
    """

    rule: Word
    order: int
    scope: Literal["file", "installation"]
    step: Word
    clause: Word
    code: Word
    supplier_code: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    says: Annotated[str, Field(min_length=1)]

    def in_force(self, day: date) -> bool:
        """Say whether the rule holds on a day."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day <= self.valid_to)


class CodeRow(TableRow):
    """One code.

    Attributes:
        code: The code.
        sub_code: Its sub-code; empty for any.
        failure_class: Row of the failure classes that says what may follow.
        says: What it means.
        supplier_says: What a supplier is told; empty: the same.
    """

    code: Word
    sub_code: str = ""
    failure_class: Word
    says: Annotated[str, Field(min_length=1)]
    supplier_says: str = ""


class FailureClassRow(TableRow):
    """What may follow a failure (MEHRS as data).

    Attributes:
        failure_class: Its name.
        retry: How to try again.
        counts_from: From which such failure on it counts as an attempt; None: never.
        says: The same in a sentence.
    """

    failure_class: Word
    retry: Word
    counts_from: Annotated[int, Field(ge=1)] | None = None
    says: Annotated[str, Field(min_length=1)]


class RealCodeRow(TableRow):
    """What a code of ours is called in the true text.

    Attributes:
        code: Our code.
        sub_code: Our sub-code; empty for any.
        real_code: The code of the TMAD or MEHRS.
        real_sub_code: Its sub-code.
    """

    code: Word
    sub_code: str = ""
    real_code: Word
    real_sub_code: str = ""


class ExclusionRow(TableRow):
    """One excluded category (TMAD clause 18).

    Attributes:
        category: Its name.
        number: Its number in migration.md 7.2.
        sub_code: Sub-code of the rejection; empty for a category of the gas meter alone.
        blocks: What is left out: the installation, or its GSME.
        says: What it means.
    """

    category: Word
    number: int
    sub_code: str = ""
    blocks: Literal["installation", "gsme"]
    says: Annotated[str, Field(min_length=1)]


class SplitSupplyRow(TableRow):
    """One row of the truth table of 5.9.10.

    Attributes:
        meters: Which meters there are.
        parties: Whether EIS and GIS are one party.
        supplier_ids: How many of the supplier Certificate IDs are Null.
        null_required: Whether the group demands Null Certificate IDs in split supply.
        result: What the check says.
        says: Why.
    """

    meters: Literal["esme-only", "dual"]
    parties: Literal["none", "same", "different"]
    supplier_ids: Literal["all-null", "some-null", "no-null"]
    null_required: bool
    result: Literal["pass", "fail"]
    says: Annotated[str, Field(min_length=1)]

    @property
    def key(self) -> tuple[str, str, str, bool]:
        """What tells rows apart."""
        return self.meters, self.parties, self.supplier_ids, self.null_required


class TmadRow(TableRow):
    """One version of the TMAD, or one change of the day on which it ceases to apply.

    Attributes:
        version: Its number or year.
        from_day: First day on which it holds.
        expires_on: Last day on which the TMAD applies, as this version says.
        says: What it brought.
    """

    version: Word
    from_day: date
    expires_on: date
    says: Annotated[str, Field(min_length=1)]


class SettingRow(TableRow):
    """One number or day of the rules.

    Attributes:
        key: Its name.
        value: Its value.
        says: What it is.
    """

    key: Word
    value: Word
    says: Annotated[str, Field(min_length=1)]


class AppendixLinkRow(TableRow):
    """Which appendix a table's row calls: swappable, for the text is ambiguous (R-049).

    Attributes:
        clause: Table that calls.
        appendix: Letter of the appendix.
        title: What the appendix is called there.
        needs_gsme_detail: Whether the call is made only where there is a GSMEDetail.
    """

    clause: Word
    appendix: Annotated[str, Field(pattern=r"^[A-Z]$")]
    title: Annotated[str, Field(min_length=1)]
    needs_gsme_detail: bool


class AppendixRow(TableRow):
    """One check of an appendix.

    Attributes:
        order: Checks are made in this order.
        fact: Name of the observation it looks at.
        test: ``true``, ``false``, ``equals`` a value, ``same-as`` another observation, ``one-of``
            values with semicolons.
        value: Value or name of the other observation; empty for true and false.
        code: Code when it fails.
        sub_code: Sub-code when it fails.
        on_failure: What follows.
        says: What must hold.
        supplier_says: What a supplier is told when it does not.
    """

    order: int
    fact: Word
    test: Literal["true", "false", "equals", "same-as", "one-of"]
    value: str = ""
    code: Word
    sub_code: str = ""
    on_failure: Literal["rollback", "exclude-gsme", "reject"]
    says: Annotated[str, Field(min_length=1)]
    supplier_says: Annotated[str, Field(min_length=1)]


Row = TypeVar("Row", bound=TableRow)


def load_table(row: type[Row], name: str, overlays: Folders = ()) -> tuple[Row, ...]:
    """Load one table: the strongest overlay's own, else the shipped one.

    Args:
        row: What its rows are.
        name: File name in ``catalogues``.
        overlays: Folders whose files win, weakest first. Rows of theirs without a mark are
            marked ``user:`` with the hash of the file.

    Raises:
        DataError: The file cannot be read, a column is not known, a row is wrong or unmarked.
    """
    for folder in reversed(overlays):
        if os.path.lexists(path := folder / "catalogues" / name):
            return read_table(row, path, is_overlay=True)
    return read_table(row, SHIPPED / "catalogues" / name, is_overlay=False)


def read_table(row: type[Row], path: Path, *, is_overlay: bool) -> tuple[Row, ...]:
    """Read one table from its file.

    Raises:
        DataError: The file cannot be read, a column is not known, a row is wrong or unmarked.
    """
    text = read_text(path)
    kept = _KEPT.get((row, path, is_overlay))
    if kept is None or kept[0] != text:
        kept = _KEPT[row, path, is_overlay] = (text, _read(row, path, text, is_overlay=is_overlay))
    return cast(tuple[Row, ...], kept[1])


#: Tables read before: row type, file and whether it overlays -> its text and its rows. A run of
#: migrations asks for the same few tables for every home.
_KEPT: Final[dict[tuple[type[TableRow], Path, bool], tuple[str, tuple[TableRow, ...]]]] = {}


def _read(row: type[Row], path: Path, text: str, *, is_overlay: bool) -> tuple[Row, ...]:
    headings, lines = read_csv(path)
    unknown_keys(headings, row.model_fields, path, "column")
    _refuse_twice(headings, path)
    mark = f"{EvidenceKind.USER}:{digest_of(text.encode())}" if is_overlay else ""
    return tuple(_row(row, cells, mark, path, where) for where, cells in whole_lines(path, lines))


def _row(row: type[Row], cells: Mapping[str, str], mark: str, path: Path, where: str) -> Row:
    content = {name: text.strip() for name, text in cells.items() if text.strip()}
    content.setdefault("evidence", mark)
    if not content["evidence"]:
        raise UnmarkedValueError("the row carries no evidence mark", file=path, key=where)
    found = checked(row, content, path, where)
    if mark:
        refuse_foreign(Mark.parse(found.evidence), path, where)
    return found


def _refuse_twice(headings: Sequence[str], path: Path) -> None:
    for heading in headings:
        if headings.count(heading) > 1:
            raise DuplicateEntryError(
                "this column stands twice", file=path, key=f"column {heading}"
            )
