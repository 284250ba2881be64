"""The named reasons for which a DUIS document is refused."""

import enum
from collections.abc import Iterator
from contextlib import contextmanager

from harness.errors import HarnessError


class DuisFault(enum.StrEnum):
    """Why a DUIS document (or a value to be written into one) is refused; each has its own name."""

    # before and while parsing
    TOO_LARGE = "too-large"
    NOT_UTF8 = "not-utf-8"
    DTD = "dtd"
    EXTERNAL_DTD = "external-dtd"
    ENTITY = "entity"
    EXTERNAL_ENTITY = "external-entity"
    TOO_DEEP = "too-deep"
    TOO_MANY_ELEMENTS = "too-many-elements"
    TOO_MANY_ATTRIBUTES = "too-many-attributes"
    NOT_WELL_FORMED = "not-well-formed"
    # structure
    WRONG_ROOT = "wrong-root"
    SCHEMA_VERSION = "schema-version"
    MISSING_ELEMENT = "missing-element"
    UNEXPECTED_ELEMENT = "unexpected-element"
    UNEXPECTED_TEXT = "unexpected-text"
    UNEXPECTED_ATTRIBUTE = "unexpected-attribute"
    UNSUPPORTED_SERVICE = "unsupported-service"
    WRONG_SERVICE_REFERENCE = "wrong-service-reference"
    WRONG_COMMAND_VARIANT = "wrong-command-variant"
    # values
    BAD_REQUEST_ID = "bad-request-id"
    BAD_EUI = "bad-eui"
    BAD_BASE64 = "bad-base64"
    IMAGE_TOO_LARGE = "image-too-large"
    BAD_HEX = "bad-hex"
    BAD_HASH_LENGTH = "bad-hash-length"
    BAD_FIRMWARE_VERSION = "bad-firmware-version"
    BAD_DEVICE_LIST = "bad-device-list"
    TOO_MANY_DEVICES = "too-many-devices"
    DUPLICATE_DEVICE = "duplicate-device"
    BAD_DATE_TIME = "bad-date-time"
    BAD_NUMBER = "bad-number"
    BAD_LENGTH = "bad-length"
    UNKNOWN_WORD = "unknown-word"
    # signature
    MISSING_SIGNATURE = "missing-signature"
    BAD_SIGNATURE = "bad-signature"


class DuisError(HarnessError):
    """A DUIS document is refused, or a value cannot be written as DUIS.

    Attributes:
        name: Which rule refused it.
        why: What is wrong, without name and place.
        line: Line of the document, counted from 1; 0 when there is none.
        element: Local name of the element at fault; empty when there is none.
    """

    def __init__(self, name: DuisFault, what: str, *, line: int = 0, where: str = "") -> None:
        place = f"line {line}" if line else ""
        super().__init__(
            f"{name}: {what}",
            where=": ".join(part for part in (where, place) if part),
            next_command="smetsbench duis check FILE",
        )
        self.name = name
        self.why = what
        self.line = line
        self.element = where

    def at(self, line: int, element: str) -> "DuisError":
        """Return the same refusal with the place in the document it belongs to."""
        return DuisError(self.name, self.why, line=line, where=element)


@contextmanager
def naming(document: str) -> Iterator[None]:
    """Add the name of the document to a refusal of what is read inside.

    Raises:
        DuisError: The refusal, its ``where`` beginning with the name.
    """
    try:
        yield
    except DuisError as error:
        error.where = f"{document}, {error.where}" if error.where else document
        error.cause = "an incomplete or edited document, or one of another kind"
        error.next_command = f"smetsbench duis check {document}"
        raise
