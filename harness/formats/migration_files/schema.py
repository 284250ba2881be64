"""The schema of migration files: the shipped stand-in, or a user's own."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from lxml import etree

from device_profiles.files import once
from harness.errors import UsageError
from harness.files import read_octets
from harness.formats.migration_files import checks
from harness.formats.migration_files.checks import Check
from harness.formats.migration_files.faults import MigrationFileError

SHIPPED: Final = Path(__file__).resolve().parents[2] / "schemas" / "migration-standin.xsd"
#: Where an overlay folder holds the user's own.
OVERLAY_FOLDER: Final = "schemas"
OVERLAY_FILE: Final = "migration.xsd"
_MAX_SCHEMA_BYTES: Final = 8 * 1024 * 1024
#: What libxml2 says of an element with binary content, which it would quote.
_BINARY: Final = re.compile(
    r"(Element '(?:Secret|CipherText|IV|EphemeralPublicKey)'(?:, attribute '\w+')?:).*"
)
_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True, slots=True)
class MigrationSchema:
    """A compiled schema.

    Attributes:
        namespace: Its target namespace: the one in which files are read and written.
        is_stand_in: Whether it is the shipped one, which is made up.
        sha256: SHA-256 of its file, 64 hex digits.
    """

    namespace: str
    is_stand_in: bool
    sha256: str
    _compiled: etree.XMLSchema = field(repr=False, compare=False)

    def validate(
        self, root: etree._Element, check: Check = checks.SCHEMA, sub_code: str = "01"
    ) -> None:
        """Validate a document.

        Raises:
            MigrationFileError: Of the given check: the first thing that is not valid.
        """
        try:
            self._compiled.assertValid(root)
        except etree.DocumentInvalid as error:
            why = " ".join(str(error).replace(f"{{{self.namespace}}}", "").split())
            why = _BINARY.sub(r"\1 not valid", why)  # what is in there may be a key
            raise MigrationFileError(check, sub_code, why[:200]) from None

    @property
    def notice(self) -> str:
        """What a document says of itself in a comment."""
        if self.is_stand_in:
            return (
                " smetsbench stand-in: the structure of this file is made up, not that of the"
                " SMETS1 Migration Schema; identifiers and keys are test ones "
            )
        short = self.sha256[:16]
        return f" made by smetsbench for tests, by a schema of the user's (sha256 {short}) "


def load_schema(overlays: Sequence[Path] = ()) -> MigrationSchema:
    """Load the schema of the strongest overlay that has one, or the shipped one.

    Args:
        overlays: Folders, weakest first; one may hold ``schemas/migration.xsd``.

    Raises:
        UsageError: The file cannot be read, is no schema, or names another one on the network.
    """
    path = SHIPPED
    for folder in overlays:
        own = folder / OVERLAY_FOLDER / OVERLAY_FILE
        if own.is_file():
            path = own
    return once(("schema", path), lambda: _loaded(path, hashlib.sha256(_octets(path)).hexdigest()))


def _octets(path: Path) -> bytes:
    data = read_octets(path, _MAX_SCHEMA_BYTES)
    if len(data) > _MAX_SCHEMA_BYTES:
        raise _no_schema(path, f"more than {_MAX_SCHEMA_BYTES} octets")
    return data


@lru_cache(maxsize=4)
def _loaded(path: Path, sha256: str) -> MigrationSchema:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        root = etree.fromstring(_octets(path), parser, base_url=str(path))
        if root.tag != f"{_XS}schema":
            raise _no_schema(path, "the root element is not xs:schema")
        _refuse_network(root, path)
        compiled = etree.XMLSchema(root)
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise _no_schema(path, str(error)[:200]) from error
    namespace = root.get("targetNamespace")
    if not namespace:
        raise _no_schema(path, "it has no targetNamespace")
    return MigrationSchema(namespace, path == SHIPPED, sha256, compiled)


def _refuse_network(root: etree._Element, path: Path) -> None:
    for name in ("import", "include", "redefine"):
        for element in root.iter(f"{_XS}{name}"):
            location = element.get("schemaLocation", "")
            if "://" in location:
                raise _no_schema(path, f"it takes in {location[:80]}; nothing is fetched")


def _no_schema(path: Path, why: str) -> UsageError:
    return UsageError(
        f"the migration schema cannot be used: {why}",
        where=str(path),
        cause="a file of another kind, or one that needs files which are not beside it",
        next_command="smetsbench migration check FILE  (without --data: the shipped stand-in)",
    )
