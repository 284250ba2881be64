"""Why an S1SP's desk does not carry a request out: each reason has its own code."""

import enum
from collections.abc import Mapping
from typing import Final

from harness.formats.duis.faults import DuisFault
from harness.parties.s1sp_gate import GateRefusal


class DeskFault(enum.StrEnum):
    """Reasons; the value is the code of the alert, ours and marked by its prefix.

    The first ten are found before the DSP's countersignature is believed, or speak against it:
    nobody is answered, since nobody is known to have asked. Those from ``OTHER_HUB`` on are about
    images: ``METADATA_REFUSED`` speaks of metadata that came inside the image,
    ``OWN_METADATA_REFUSED`` of those that the S1SP made itself.
    """

    TOO_LARGE = "X-S1SP-TOO-LARGE"
    MALFORMED = "X-S1SP-MALFORMED"
    NOT_COUNTERSIGNED = "X-S1SP-NOT-COUNTERSIGNED"
    COUNTERSIGNATURE = "X-S1SP-COUNTERSIGNATURE"
    OTHER_S1SP = "X-S1SP-OTHER-S1SP"
    OTHER_REQUEST = "X-S1SP-OTHER-REQUEST"
    REQUEST_MALFORMED = "X-S1SP-REQUEST-MALFORMED"
    REPLAYED = "X-S1SP-REPLAYED"
    NOT_SIGNED = "X-S1SP-NOT-SIGNED"
    USER_SIGNATURE = "X-S1SP-USER-SIGNATURE"
    UNKNOWN_DEVICE = "X-S1SP-UNKNOWN-DEVICE"
    NO_SUCH_SERVICE = "X-S1SP-NO-SUCH-SERVICE"
    NULL_CERTIFICATE = "X-S1SP-NULL-CERTIFICATE"
    OTHER_CERTIFICATE = "X-S1SP-OTHER-CERTIFICATE"
    NOT_NULL = "X-S1SP-NOT-NULL"
    COS_REPLAYED = "X-S1SP-COS-REPLAYED"
    DCO_PART_MISSING = "X-DCO-PART-01"
    DCO_PART_SIGNER = "X-DCO-PART-02"
    DCO_PART_ALTERED = "X-DCO-PART-03"
    DCO_PART_REPLAYED = "X-DCO-PART-04"
    BAD_UTRN = "X-S1SP-BAD-UTRN"
    FUTURE_DATED = "X-S1SP-FUTURE-DATED"
    SILENT = "X-S1SP-SILENT"
    NOT_DELIVERED = "X-S1SP-TOP-UP-NOT-DELIVERED"
    OTHER_HUB = "X-S1SP-OTHER-HUB"
    IMAGE_MALFORMED = "X-S1SP-IMAGE-MALFORMED"
    IMAGE_FILE_SIZE = "X-S1SP-IMAGE-FILE-SIZE"
    IMAGE_VERSION = "X-S1SP-IMAGE-VERSION"
    IMAGE_SIGNATURE = "X-S1SP-IMAGE-SIGNATURE"
    OTHER_MAKE = "X-S1SP-IMAGE-OTHER-MAKE"
    IMAGE_NOT_SUPPORTED = "X-S1SP-IMAGE-NOT-SUPPORTED"
    METADATA_NOT_MADE = "X-S1SP-METADATA-NOT-MADE"
    METADATA_REFUSED = "X-S1SP-METADATA-REFUSED"
    OWN_METADATA_REFUSED = "X-S1SP-OWN-METADATA-REFUSED"
    HUB_SIZE = "X-S1SP-HUB-SIZE"
    HUB_STORE = "X-S1SP-HUB-STORE"
    HUB_HOLDS_ANOTHER = "X-S1SP-HUB-HOLDS-ANOTHER"
    HUB_REFUSED = "X-S1SP-HUB-REFUSED"
    IMAGE_ABORTED = "X-S1SP-IMAGE-ABORTED"
    NO_OUTCOME = "X-S1SP-NO-OUTCOME"


#: Faults that nobody is told of.
UNTOLD: Final = frozenset(
    {
        DeskFault.TOO_LARGE,
        DeskFault.MALFORMED,
        DeskFault.NOT_COUNTERSIGNED,
        DeskFault.COUNTERSIGNATURE,
        DeskFault.OTHER_S1SP,
        DeskFault.OTHER_REQUEST,
        DeskFault.REQUEST_MALFORMED,
        DeskFault.REPLAYED,
        DeskFault.NOT_SIGNED,
        DeskFault.USER_SIGNATURE,
    }
)
#: Fault of the countersigned document -> ours; any other is malformed.
OUTER: Final[Mapping[DuisFault, DeskFault]] = {
    DuisFault.TOO_LARGE: DeskFault.TOO_LARGE,
    DuisFault.MISSING_SIGNATURE: DeskFault.NOT_COUNTERSIGNED,
    DuisFault.BAD_SIGNATURE: DeskFault.COUNTERSIGNATURE,
}
#: Fault of the request inside -> ours; any other is a malformed request.
INNER: Final[Mapping[DuisFault, DeskFault]] = {
    DuisFault.MISSING_SIGNATURE: DeskFault.NOT_SIGNED,
    DuisFault.BAD_SIGNATURE: DeskFault.USER_SIGNATURE,
    DuisFault.UNSUPPORTED_SERVICE: DeskFault.NO_SUCH_SERVICE,
    DuisFault.IMAGE_TOO_LARGE: DeskFault.IMAGE_FILE_SIZE,
}
#: What the gate says -> ours.
GATE: Final[Mapping[GateRefusal, DeskFault]] = {
    GateRefusal.MISSING: DeskFault.DCO_PART_MISSING,
    GateRefusal.WRONG_SIGNER: DeskFault.DCO_PART_SIGNER,
    GateRefusal.ALTERED: DeskFault.DCO_PART_ALTERED,
    GateRefusal.REPLAYED: DeskFault.DCO_PART_REPLAYED,
}


class DeskError(Exception):
    """A request is not carried out.

    Attributes:
        fault: Why.
        detail: One sentence; never a key, never a code.
        utrn: A top-up code for keypad entry; empty where there is none. Never in the message.
    """

    def __init__(self, fault: DeskFault, detail: str, utrn: str = "") -> None:
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail
        self.utrn = utrn
