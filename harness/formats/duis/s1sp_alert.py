"""Alerts of an S1SP: written, signed and read.

Source:
    DUIS 5.4 XSD (S1SPAlert, whose code is a free string); checked by validating what is written.
"""

import copy
from dataclasses import dataclass, field
from typing import Final

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import document, kinds, shape, signing
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.shape import SIGNATURE_NAMESPACE, Field, Shape, tag
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.smets1_shapes import UTRN
from harness.formats.duis.xml_input import parse

_ROOT: Final = "S1SPAlert"


@dataclass(frozen=True, slots=True)
class S1spAlert:
    """One alert.

    Attributes:
        code: Its code; ours begin with ``X-``.
        at: When it was raised.
        request_id: The request it is about, or None.
        device: The device it is about, or None.
        information: More of it, or None.
        utrn: A top-up code for keypad entry, 20 digits, or None.
    """

    code: str
    at: UtcMs
    request_id: RequestId | None = None
    device: Eui64 | None = None
    information: str | None = None
    utrn: str | None = field(default=None, repr=False)


_SHAPE: Final = Shape(
    S1spAlert,
    (
        Field("RequestID", "request_id", kinds.REQUEST_ID, optional=True),
        Field("DeviceID", "device", kinds.EUI, optional=True),
        Field("S1SPAlertCode", "code", kinds.text("S1SPAlertCode", 1, 60)),
        Field(
            "AdditionalInformation",
            "information",
            kinds.text("AdditionalInformation", 0, 500),
            optional=True,
        ),
        Field("UTRN", "utrn", UTRN, optional=True),
        Field("DateTime", "at", kinds.DATE_TIME),
    ),
)


def write_alert(value: S1spAlert, key: XmlKey) -> bytes:
    """Write and sign an alert; returns canonical octets, fit to be embedded.

    Raises:
        DuisError: A value lies outside the limits of the schema.
    """
    root = document.new(_ROOT)
    shape.fill(root, _SHAPE, value)
    signing.sign(root, key)
    return shape.canonical(root)


def read_alert(
    data: bytes, signatories: Signatories | None = None, signer: Eui64 | None = None
) -> S1spAlert:
    """Read an alert.

    Args:
        data: The document.
        signatories: XML-signing certificates; with them (and ``signer``) the signature must hold.
        signer: The S1SP that must have signed it.

    Raises:
        DuisError: Named.
    """
    root = parse(data)
    if root.tag != tag(_ROOT):
        raise DuisError(DuisFault.WRONG_ROOT, f"the root is {root.tag}, not {_ROOT}")
    mark = f"{{{SIGNATURE_NAMESPACE}}}Signature"
    if signatories is not None:
        if signer is None:
            raise DuisError(DuisFault.BAD_SIGNATURE, "nobody is named who must have signed it")
        signing.verify(data, signatories, signer, signed=root.find(mark) is not None)
    plain = copy.deepcopy(root)
    plain.attrib.pop("schemaVersion", "")
    for element in plain.findall(mark):
        plain.remove(element)
    value: S1spAlert = shape.read(_SHAPE, plain)
    return value
