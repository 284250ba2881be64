"""The real DUIS schema and samples, for tests that have them."""

from functools import cache
from pathlib import Path

from lxml import etree

from harness.formats.duis.bodies import ServiceReference
from tests.given import DUIS_DIR

#: Services we read of which there is no sample.
UNSAMPLED = {
    ServiceReference.UPDATE_IMPORT_TARIFF,
    ServiceReference.ACTIVATE_EMERGENCY_CREDIT,
    ServiceReference.READ_EXPORT_REGISTERS,
    ServiceReference.READ_IMPORT_PROFILE,
    ServiceReference.SYNCHRONISE_CLOCK,
    ServiceReference.READ_EVENT_LOG,
    ServiceReference.CREATE_SCHEDULE,
    ServiceReference.READ_SCHEDULE,
    ServiceReference.DELETE_SCHEDULE,
}


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


def _is_ours(path: Path) -> bool:
    return not set(path.name.split("_")).isdisjoint(ServiceReference)


def samples() -> list[Path]:
    """Return the samples of the services we read."""
    return [path for path in sorted((DUIS_DIR / "requests").glob("*.XML")) if _is_ours(path)]


def other_samples() -> list[Path]:
    """Return the other samples."""
    return [path for path in sorted((DUIS_DIR / "requests").glob("*.XML")) if not _is_ours(path)]
