"""What a supplier is told of commissioning: one notice for one meter of its own.

A stand-in: which message tells a supplier that a migrated device is commissioned was not found.
"""

from dataclasses import dataclass
from typing import Final

from lxml import etree

from emulator.core.clock import UtcMs, iso
from emulator.core.ids import Eui64
from emulator.core.values import quick

#: Deliberately no DCC name space.
NAMESPACE: Final = "urn:x-bench:commissioning-notice:1"
STAND_IN: Final = " stand-in: no public text shows how suppliers are told of commissioning "


@quick
@dataclass(frozen=True, slots=True)
class Notice:
    """One notice.

    Attributes:
        supplier: Whom it is for.
        role: ``EIS`` or ``GIS``.
        meter: The meter.
        mpxn: Its meter point.
        incoming: Whether the supplier is to take a dormant meter over.
        associated: Whether supplier certificates were associated.
        at: When the meter was commissioned.
    """

    supplier: Eui64
    role: str
    meter: Eui64
    mpxn: str
    incoming: bool
    associated: bool
    at: UtcMs


def write(notice: Notice) -> bytes:
    """Write a notice."""
    root = etree.Element(_tag("CommissioningNotice"), nsmap={"cn": NAMESPACE})
    for name, text in (
        ("SupplierID", str(notice.supplier)),
        ("Role", notice.role),
        ("DeviceID", str(notice.meter)),
        ("ImportMPxN", notice.mpxn),
        ("IncomingSupplier", _word(yes=notice.incoming)),
        ("CertificatesAssociated", _word(yes=notice.associated)),
        ("DateTime", iso(notice.at)),
    ):
        etree.SubElement(root, _tag(name)).text = text
    etree.indent(root)
    root.addprevious(etree.Comment(STAND_IN))
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def _word(*, yes: bool) -> str:
    return "true" if yes else "false"


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"
