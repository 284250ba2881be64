"""The named reasons for which a DUIS document is refused."""

import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

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


#: What each refusal means, for ``smetsbench explain``.
SENTENCES: Final[Mapping[DuisFault, str]] = {
    DuisFault.TOO_LARGE: "the document has more octets than a full image and device list need",
    DuisFault.NOT_UTF8: "the octets, or the declared encoding, are not UTF-8",
    DuisFault.DTD: "the document has a document type declaration; DUIS documents have none",
    DuisFault.EXTERNAL_DTD: "the document names a document type elsewhere; nothing is fetched",
    DuisFault.ENTITY: "the document declares an entity; DUIS documents declare none",
    DuisFault.EXTERNAL_ENTITY: "the document declares an entity elsewhere; nothing is fetched",
    DuisFault.TOO_DEEP: "elements are nested deeper than any DUIS document nests them",
    DuisFault.TOO_MANY_ELEMENTS: "the document has more elements than any DUIS document",
    DuisFault.TOO_MANY_ATTRIBUTES: "an element has more attributes than any of DUIS",
    DuisFault.NOT_WELL_FORMED: "the document is no XML: cut short, edited, or of another kind",
    DuisFault.WRONG_ROOT: "the root element is not Request or Response of the DUIS namespace",
    DuisFault.SCHEMA_VERSION: "the document is written for another version of the DUIS schema",
    DuisFault.MISSING_ELEMENT: "an element that the schema demands is not there",
    DuisFault.UNEXPECTED_ELEMENT: "an element stands where the schema has none",
    DuisFault.UNEXPECTED_TEXT: "text stands where the schema has elements only",
    DuisFault.UNEXPECTED_ATTRIBUTE: "an element has an attribute that the schema does not know",
    DuisFault.UNSUPPORTED_SERVICE: "not a service that is played here; the document may be fine",
    DuisFault.WRONG_SERVICE_REFERENCE: "service reference and body do not belong together",
    DuisFault.WRONG_COMMAND_VARIANT: "the body does not travel under this command variant",
    DuisFault.BAD_REQUEST_ID: "the RequestID is not originator:target:counter",
    DuisFault.BAD_EUI: "an identifier is no EUI-64",
    DuisFault.BAD_BASE64: "text that should be base64 is not",
    DuisFault.IMAGE_TOO_LARGE: "the firmware image is larger than DUIS allows",
    DuisFault.BAD_HEX: "text that should be hex digits is not",
    DuisFault.BAD_HASH_LENGTH: "the firmware hash is not of 32 octets",
    DuisFault.BAD_FIRMWARE_VERSION: "the firmware version is not of the form DUIS gives it",
    DuisFault.BAD_DEVICE_LIST: "the DeviceIDList is not EUI-64s with commas between them",
    DuisFault.TOO_MANY_DEVICES: "the DeviceIDList names more than 50,000 devices",
    DuisFault.DUPLICATE_DEVICE: "a device stands in the DeviceIDList more than once",
    DuisFault.BAD_DATE_TIME: "a date and time is not of the form DUIS gives it",
    DuisFault.BAD_NUMBER: "a number is none, or lies outside its limits",
    DuisFault.BAD_LENGTH: "a text is shorter or longer than the schema allows",
    DuisFault.UNKNOWN_WORD: "a word is not one of the enumeration of the schema",
    DuisFault.MISSING_SIGNATURE: "the document must be signed and is not",
    DuisFault.BAD_SIGNATURE: "the signature is not of this document or not by this key",
}


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
