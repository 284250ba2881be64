"""The real DUIS schema and samples, for tests that have them."""

from functools import cache
from pathlib import Path

from lxml import etree

from tests.given import DUIS_DIR

#: Samples of the services we read, by the beginning of their names.
SUPPORTED = (
    "11.1_",
    "11.4_",
    "12.2_",
    "8.2_",
    "8.4_",
    "CS06_11.3",
    "CS08_11.2",
    "ECS52_",
    "GCS38_",
)


@cache
def schema() -> etree.XMLSchema:
    """Compile the schema.

    libxml2 does not resolve an import whose file name holds spaces, so the location is escaped
    in memory.
    """
    text = (DUIS_DIR / "DUIS Schema V5.4.xsd").read_bytes()
    text = text.replace(b'"MMC Schema V5.4.xsd"', b'"MMC%20Schema%20V5.4.xsd"')
    return etree.XMLSchema(etree.fromstring(text, base_url=str(DUIS_DIR / "duis.xsd")))


def is_valid(document: bytes) -> bool:
    """Say whether a document validates."""
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True))
    return bool(schema().validate(root))


def samples() -> list[Path]:
    """Return the samples of the services we read."""
    folder = DUIS_DIR / "requests"
    return [p for p in sorted(folder.glob("*.XML")) if p.name.startswith(SUPPORTED)]


def other_samples() -> list[Path]:
    """Return the other samples."""
    folder = DUIS_DIR / "requests"
    return [p for p in sorted(folder.glob("*.XML")) if not p.name.startswith(SUPPORTED)]
