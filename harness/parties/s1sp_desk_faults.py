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
    HUB_TROUBLE = "X-S1SP-HUB-TROUBLE"  # asked by nobody: a hub tells of its network


#: What each means, in one sentence.
SAYS: Final[Mapping[DeskFault, str]] = {
    DeskFault.TOO_LARGE: "The document is larger than the S1SP takes.",
    DeskFault.MALFORMED: "The document is no countersigned request.",
    DeskFault.NOT_COUNTERSIGNED: "The DSP's signature is missing.",
    DeskFault.COUNTERSIGNATURE: "The DSP's signature does not verify.",
    DeskFault.OTHER_S1SP: "The request is for another S1SP.",
    DeskFault.OTHER_REQUEST: "The request inside is another than the envelope says.",
    DeskFault.REQUEST_MALFORMED: "The user's request inside cannot be read.",
    DeskFault.REPLAYED: (
        "The originator's counter did not rise: the request was carried out before. "
    ),
    DeskFault.NOT_SIGNED: "The user's signature is missing.",
    DeskFault.USER_SIGNATURE: "The user's signature does not verify.",
    DeskFault.UNKNOWN_DEVICE: "The device is none of this S1SP's, or there is no way to it.",
    DeskFault.NO_SUCH_SERVICE: "The S1SP does not have this service.",
    DeskFault.NULL_CERTIFICATE: (
        "The device has Null certificate ids: critical requests wait for 6.21 or 6.23. "
    ),
    DeskFault.OTHER_CERTIFICATE: (
        "The user's certificate is not the one that was notified for the device. "
    ),
    DeskFault.NOT_NULL: "Null certificate ids were expected, and others are notified.",
    DeskFault.COS_REPLAYED: "The counter of a change of supplier did not rise.",
    DeskFault.DCO_PART_MISSING: "A critical instruction lacks the DCO's part.",
    DeskFault.DCO_PART_SIGNER: "The DCO's part of an instruction is another's.",
    DeskFault.DCO_PART_ALTERED: "The DCO's part does not fit the instruction.",
    DeskFault.DCO_PART_REPLAYED: "The DCO's part was used before.",
    DeskFault.BAD_UTRN: "The UTRN is none of this user and device.",
    DeskFault.FUTURE_DATED: "The request is for a later time, which the S1SP does not keep.",
    DeskFault.SILENT: "The device did not answer.",
    DeskFault.NOT_DELIVERED: (
        "A top-up did not reach the meter: the alert carries the code to key in. "
    ),
    DeskFault.OTHER_HUB: "The device stands behind another hub than the request names.",
    DeskFault.IMAGE_MALFORMED: "The image file cannot be read.",
    DeskFault.IMAGE_FILE_SIZE: "The image file is not as long as its header says.",
    DeskFault.IMAGE_VERSION: "The version of the image file is not the one that is asked for.",
    DeskFault.IMAGE_SIGNATURE: "The supplier's signature behind the image does not verify.",
    DeskFault.OTHER_MAKE: "The PPMID is not of this S1SP's make: it is neither updated nor read.",
    DeskFault.IMAGE_NOT_SUPPORTED: "The device takes no image this way.",
    DeskFault.METADATA_NOT_MADE: "The S1SP could not make the metadata of the bare image.",
    DeskFault.METADATA_REFUSED: (
        "The hub discarded the image: the metadata inside it are not its maker's. "
    ),
    DeskFault.OWN_METADATA_REFUSED: (
        "The hub discarded the image for metadata that the S1SP made: its fault. "
    ),
    DeskFault.HUB_SIZE: "The image is too large for the hub's store, whatever device it is for.",
    DeskFault.HUB_STORE: "The hub has no free slot for the image.",
    DeskFault.HUB_HOLDS_ANOTHER: (
        "The hub holds another image for the device, and this one may not replace it. "
    ),
    DeskFault.HUB_REFUSED: "The hub refused the image.",
    DeskFault.IMAGE_ABORTED: "The image was given up on its way from the hub to the device.",
    DeskFault.NO_OUTCOME: "The hub told no outcome in time.",
    DeskFault.HUB_TROUBLE: "The hub told of trouble with its network.",
}


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
