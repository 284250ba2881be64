"""Service responses, device alerts and DCC alerts: reading and writing."""

from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.core.values import quick
from harness.formats.duis import document, kinds, schedule_contents, shape, signing
from harness.formats.duis.alerts import DCC_ALERT, DccAlert
from harness.formats.duis.dcc_bodies import SCHEDULE_ID
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.inventory_contents import GBCS_VERSION, INVENTORY, Inventory
from harness.formats.duis.quick_reading import DocumentReader
from harness.formats.duis.quick_writing import DocumentWriter
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import Origin
from harness.formats.duis.schedule_contents import ScheduleCreated, ScheduledMessage, Schedules
from harness.formats.duis.shape import Choice, Embedded, Field, Shape
from harness.formats.duis.signature_form import Signed
from harness.formats.duis.signing import Signatories, XmlKey
from harness.formats.duis.xml_input import parse

#: Response code of a success, and of an acknowledgement without content.
SUCCESS: Final = "I0"
ACKNOWLEDGED: Final = "I99"


@quick
@dataclass(frozen=True, slots=True)
class ResponseHeader:
    """The header of a response or alert.

    Attributes:
        request_id: The request it answers; None for alerts nobody asked for.
        response_id: Identifier of an asynchronous response, or None.
        code: Response code, for example ``I0``.
        at: When it was made.
    """

    request_id: RequestId | None
    response_id: RequestId | None
    code: str
    at: UtcMs


@dataclass(frozen=True, slots=True)
class FirmwareWarning:
    """Which devices of an 11.1 request are not being updated, and why.

    Each list is None where it would be empty.
    """

    invalid: tuple[Eui64, ...] | None = None
    not_commissioned: tuple[Eui64, ...] | None = None
    not_applicable: tuple[Eui64, ...] | None = None
    other_request_in_progress: tuple[Eui64, ...] | None = None
    invalid_gbcs_version: tuple[Eui64, ...] | None = None


@dataclass(frozen=True, slots=True)
class PpmidFirmwareWarning(FirmwareWarning):
    """The same of an 11.4 request."""


@dataclass(frozen=True, slots=True)
class PreCommand:
    """A critical command for its originator to check and sign.

    Attributes:
        gbcs_version: GBCS version it is written in.
        gbcs_payload: The pre-command, without signature field and MAC envelope.
    """

    gbcs_version: str
    gbcs_payload: bytes


@dataclass(frozen=True, slots=True)
class GbcsPayload:
    """A device's answer.

    Attributes:
        octets: The whole GBCS message.
    """

    octets: bytes


@dataclass(frozen=True, slots=True)
class FutureDatedDeviceAlert:
    """The outcome of a future-dated command.

    Attributes:
        alert_code: 0x8F66 or 0x8F67.
        gbcs_payload: The whole GBCS message.
        instruction_number: Which instruction of the command, from 1.
        total_instructions: How many the command has.
    """

    alert_code: int
    gbcs_payload: bytes
    instruction_number: int = 1
    total_instructions: int = 1


Content = (
    Inventory
    | ScheduleCreated
    | Schedules
    | ScheduledMessage
    | FirmwareWarning
    | PpmidFirmwareWarning
    | FutureDatedDeviceAlert
    | GbcsPayload
    | PreCommand
)


@quick
@dataclass(frozen=True, slots=True)
class ResponseMessage:
    """The body of a service response; without content it acknowledges.

    Attributes:
        service: Service reference.
        variant: Service reference variant.
        content: What it carries, or None.
    """

    service: str
    variant: str
    content: Content | None = None


@dataclass(frozen=True, slots=True)
class DeviceAlertMessage:
    """An alert of a device, passed on as it came.

    Attributes:
        alert_code: GBCS alert code.
        gbcs_payload: The whole GBCS message.
    """

    alert_code: int
    gbcs_payload: bytes


@dataclass(frozen=True, slots=True)
class DccAlertMessage:
    """An alert the DCC raises itself.

    Attributes:
        code: DCC alert code, for example ``N60``.
        alert: What happened.
    """

    code: str
    alert: DccAlert


@quick
@dataclass(frozen=True, slots=True)
class Smets1ResponseMessage:
    """What an S1SP answers, passed on.

    Attributes:
        service: Service reference, or None.
        variant: Service reference variant, or None.
        signed: The S1SP's signed response (``SMETS1SignedResponse``), canonical.
        schedule: Number of the schedule that asked, or None.
    """

    service: str | None
    variant: str | None
    signed: bytes
    schedule: int | None = None


@quick
@dataclass(frozen=True, slots=True)
class ServiceResponse:
    """One response or alert.

    Attributes:
        header: Its header.
        body: What it says.
        origin: Whether its XML signature was verified.
    """

    header: ResponseHeader
    body: ResponseMessage | DeviceAlertMessage | DccAlertMessage | Smets1ResponseMessage
    origin: Origin = Origin.LOCAL


_CODE: Final = kinds.text("ResponseCode", 2, 8)
_SERVICE: Final = kinds.text("ServiceReference", 1, 10)
_HEADER: Final = Shape(
    ResponseHeader,
    (
        Field("RequestID", "request_id", kinds.REQUEST_ID, optional=True),
        Field("ResponseID", "response_id", kinds.REQUEST_ID, optional=True),
        Field("ResponseCode", "code", _CODE),
        Field("ResponseDateTime", "at", kinds.DATE_TIME),
    ),
)
_LISTS: Final = tuple(
    Field(element, attribute, kinds.DEVICE_LIST, optional=True)
    for element, attribute in (
        ("InvalidDeviceIDList", "invalid"),
        ("NotCommissionedDeviceIDList", "not_commissioned"),
        ("NotApplicableFirmwareDeviceIDList", "not_applicable"),
        ("OtherRequestInProgressList", "other_request_in_progress"),
        ("InvalidGBCSVersionList", "invalid_gbcs_version"),
    )
)
_GBCS: Final = Field("GBCSPayload", "gbcs_payload", kinds.BASE64)
_FUTURE_DATED: Final = Shape(
    FutureDatedDeviceAlert,
    (
        Field("FutureDatedAlertCode", "alert_code", kinds.ALERT_CODE),
        _GBCS,
        Field("InstructionNumber", "instruction_number", kinds.UNSIGNED_SHORT),
        Field("TotalCommandInstructions", "total_instructions", kinds.UNSIGNED_SHORT),
    ),
)
_PAYLOAD: Final = kinds.Simple(
    "GBCSPayload",
    lambda value: GbcsPayload(kinds.BASE64.read(value)),
    lambda value: kinds.BASE64.write(value.octets),
)
_CONTENT: Final = Choice(
    (
        *schedule_contents.ROWS,
        ("DSPInventory", INVENTORY, Inventory),
        ("DSPUpdateFirmwareWarning", Shape(FirmwareWarning, _LISTS), FirmwareWarning),
        (
            "DSPUpdatePPMIDFirmwareWarning",
            Shape(PpmidFirmwareWarning, _LISTS),
            PpmidFirmwareWarning,
        ),
        ("FutureDatedDeviceAlertMessage", _FUTURE_DATED, FutureDatedDeviceAlert),
        ("GBCSPayload", _PAYLOAD, GbcsPayload),
        (
            "PreCommand",
            Shape(PreCommand, (Field("GBCSVersion", "gbcs_version", GBCS_VERSION), _GBCS)),
            PreCommand,
        ),
    ),
    optional=True,
)
_MESSAGE: Final = Shape(
    ResponseMessage,
    (
        Field("ServiceReference", "service", _SERVICE),
        Field("ServiceReferenceVariant", "variant", _SERVICE),
        Field("", "content", _CONTENT),
    ),
)
_DEVICE_ALERT: Final = Shape(
    DeviceAlertMessage, (Field("AlertCode", "alert_code", kinds.ALERT_CODE), _GBCS)
)
_DCC_ALERT: Final = Shape(
    DccAlertMessage,
    (
        Field("DCCAlertCode", "code", kinds.text("DCCAlertCode", 2, 4)),
        Field("DCCAlert", "alert", DCC_ALERT),
    ),
)
_SMETS1: Final = Shape(
    Smets1ResponseMessage,
    (
        Field("ServiceReference", "service", _SERVICE, optional=True),
        Field("ServiceReferenceVariant", "variant", _SERVICE, optional=True),
        Field("DSPScheduleID", "schedule", SCHEDULE_ID, optional=True),
        Field("SMETS1SignedResponse", "signed", Embedded()),
    ),
)
_BODY: Final = Choice(
    (
        ("ResponseMessage", _MESSAGE, ResponseMessage),
        ("DeviceAlertMessage", _DEVICE_ALERT, DeviceAlertMessage),
        ("DCCAlertMessage", _DCC_ALERT, DccAlertMessage),
        ("SMETS1ResponseMessage", _SMETS1, Smets1ResponseMessage),
    )
)


def read_response(
    data: bytes, signatories: Signatories | None = None, signer: Eui64 | None = None
) -> ServiceResponse:
    """Read one response or alert.

    Args:
        data: The document.
        signatories: XML-signing certificates; with them (and ``signer``) the signature must
            verify, without them the response is marked ``unsigned, local``.
        signer: Who must have signed it: the DCC's identifier.

    Raises:
        DuisError: Named, with the line.
    """
    read = _READER.read(data)
    tree: etree._Element | Signed | None
    if read is None:
        tree = root = parse(data)
        head, body, signed = document.parts(root, "Response")
        header = shape.read(_HEADER, head)
        value: Any = shape.read(_BODY, body)
    else:
        (header, value), tree, signed = read.values, read.mark, read.mark is not None
    origin = Origin.LOCAL
    if signatories is not None:
        if signer is None:
            raise DuisError(DuisFault.BAD_SIGNATURE, "nobody is named who must have signed it")
        signing.verify(data, signatories, signer, signed=signed, tree=tree)
        origin = Origin.VERIFIED
    return ServiceResponse(header, value, origin)


def write_response(value: ServiceResponse, key: XmlKey | None = None) -> bytes:
    """Write one response or alert, signed where a key is given.

    Raises:
        DuisError: A value lies outside the limits of the schema.
    """
    written = _WRITER.write((value.header, value.body), key)
    return _write_as_tree(value, key) if written is None else written


_PARTS: Final = (("Header", _HEADER), ("Body", _BODY))
_READER: Final = DocumentReader("Response", _PARTS)
_WRITER: Final = DocumentWriter("Response", _PARTS)


def _write_as_tree(value: ServiceResponse, key: XmlKey | None) -> bytes:
    root = document.new("Response")
    shape.write(root, "Header", _HEADER, value.header)
    shape.write(root, "Body", _BODY, value.body)
    document.indent(root)
    if key is not None:
        signing.sign(root, key)
    return document.octets(root)
