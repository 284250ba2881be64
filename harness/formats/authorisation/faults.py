"""What makes a whole authorisation file unusable."""

from typing import Final

FILE_CODE: Final = "X-MA-FILE"
COLUMN_CODE: Final = "X-MA-COLUMN"
NOTE_CODE: Final = "X-MA-NOTE"


class AuthorisationFileError(Exception):
    """The file cannot be read as an authorisation.

    Attributes:
        code: ``X-MA-FILE`` or ``X-MA-COLUMN``.
        sub_code: Which kind of fault, each its own.
        why: What is wrong.
        where: Part of the file, sheet or cell; may be empty.
    """

    def __init__(self, sub_code: str, why: str, *, where: str = "", code: str = FILE_CODE) -> None:
        super().__init__(f"{code} {sub_code}: {why}" + (f" ({where})" if where else ""))
        self.code = code
        self.sub_code = sub_code
        self.why = why
        self.where = where


def unreadable(why: str, where: str = "") -> AuthorisationFileError:
    """Return the fault of a file that is no authorisation at all."""
    return AuthorisationFileError("01", why, where=where)


def too_large(why: str, where: str = "") -> AuthorisationFileError:
    """Return the fault of a file beyond the limits."""
    return AuthorisationFileError("02", why, where=where)


def with_declaration(where: str = "") -> AuthorisationFileError:
    """Return the fault of XML that declares a document type or entities."""
    return AuthorisationFileError("03", "it declares a document type or entities", where=where)


def damaged(why: str, where: str = "") -> AuthorisationFileError:
    """Return the fault of a workbook that is encrypted or damaged."""
    return AuthorisationFileError("04", why, where=where)


def column_fault(sub_code: str, why: str, where: str = "") -> AuthorisationFileError:
    """Return a fault of the headings."""
    return AuthorisationFileError(sub_code, why, where=where, code=COLUMN_CODE)
