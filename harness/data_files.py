"""Data files for the command line: which overlays are in use, and their errors made readable."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from device_profiles import errors as data_errors
from device_profiles.metadata_checks import LayoutFault
from device_profiles.overlay import DATA_VARIABLE, overlays_of
from harness.errors import UsageError

#: Option ``--data`` of every command that reads data files.
DataOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        help=f"Overlay folder whose values win (also: {DATA_VARIABLE}); repeatable, the last wins.",
    ),
]

_CAUSES: Final = {
    "unknown-name": "a misspelt name, or a file that is not in the overlay",
    "unreadable-file": "a wrong path, or a file of another kind",
    "invalid-value": "a typing error, or a file written for another version",
    "unmarked-value": "a value was added without saying where it comes from",
    "bad-mark": "a misspelt mark, or a mark for a value that was removed",
    "broken-overlay": "the folder above or below the right one",
    "inconsistent": "values copied from another file that do not go together",
    "bilingual-same-version": "one device model entered twice without its own SMETS1 version",
    "duplicate-entry": "a row was copied and not changed",
    "dangling-reference": "a misspelt identifier, or a row that was left out of the export",
    **{str(fault): "one line of a metadata layout changed, others not" for fault in LayoutFault},
}

#: Where another command than the one that failed helps on; it reads no overlay that may be broken.
_NEXT: Final[Mapping[type[data_errors.DataError], str]] = {
    data_errors.UnknownProfileError: "smetsbench profiles",
    data_errors.OverlayError: "smetsbench data status --help",
}


@contextmanager
def reading_data() -> Iterator[None]:
    """Turn errors of data files into errors for people.

    Raises:
        UsageError: A data file cannot be used; says which, where and what to try.
    """
    try:
        yield
    except data_errors.DataError as error:
        raise usage_error(error) from error


def usage_error(error: data_errors.DataError) -> UsageError:
    """Return a data file's error as one for people."""
    where = f"{error.file}, {error.key}" if error.key else error.file
    return UsageError(
        f"{error.code}: {error.why}",
        where=where,
        cause=_CAUSES.get(error.code, ""),
        next_command=_NEXT.get(type(error), ""),
    )


def overlays(option: Sequence[Path] | None) -> tuple[Path, ...]:
    """Return the overlay folders in use, weakest first: ``SMETSBENCH_DATA``, then every ``--data``.

    Raises:
        UsageError: One of them is not shaped like ``device_profiles``.
    """
    with reading_data():
        return overlays_of(option or (), os.environ)
