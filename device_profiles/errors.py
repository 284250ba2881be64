"""Errors of data files: which file, which key, what is wrong with it."""

from pathlib import Path


class DataError(Exception):
    """A data file cannot be used.

    Attributes:
        code: Name of the kind of error, e.g. ``unmarked-value``; each kind has its own.
        file: The file, or the folder for an overlay.
        key: Key path, column and row, or empty when the file as a whole is wrong.
        why: What is wrong and what would be right.
    """

    code = "data"

    def __init__(self, why: str, *, file: Path | str, key: str = "") -> None:
        at = f" at {key}" if key else ""
        super().__init__(f"{self.code}: {file}{at}: {why}")
        self.file = str(file)
        self.key = key
        self.why = why


class UnknownNameError(DataError):
    """No file of that name is shipped or in an overlay."""

    code = "unknown-name"


class UnknownProfileError(UnknownNameError):
    """No device profile of that name is shipped or in an overlay."""


class UnreadableFileError(DataError):
    """The file is not there, is too large, or is not the text it should be."""

    code = "unreadable-file"


class InvalidValueError(DataError):
    """A value has the wrong type, width or word, or a key is missing or not known."""

    code = "invalid-value"


class UnmarkedValueError(DataError):
    """A value carries no evidence mark."""

    code = "unmarked-value"


class BadMarkError(DataError):
    """An evidence mark is not one of the vocabulary, or marks nothing."""

    code = "bad-mark"


class OverlayError(DataError):
    """An overlay folder is not shaped like ``device_profiles``."""

    code = "broken-overlay"


class InconsistentDataError(DataError):
    """Each value is fine, but they contradict each other."""

    code = "inconsistent"


class BilingualVersionError(DataError):
    """A model is listed as SMETS1 and as SMETS2+ with one firmware version (F-061)."""

    code = "bilingual-same-version"


class DuplicateEntryError(DataError):
    """Two rows describe the same thing."""

    code = "duplicate-entry"


class DanglingReferenceError(DataError):
    """A row names another that is not there."""

    code = "dangling-reference"
