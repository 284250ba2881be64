import base64
from collections.abc import Callable

import pytest

from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.formats.duis import bodies
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import read_request, request, write_request
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid

ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
ASKED = RequestId(ACB, ESME, 7)


def written(body: RequestBody) -> bytes:
    return write_request(request(body, ASKED))


UPDATE = written(bodies.UpdateFirmware(b"image", "00000001", (ESME,)))
ACTIVATE = written(bodies.ActivateFirmware(bytes(32)))
PRENOTIFY = written(bodies.DevicePrenotification(ESME, "FFF2", "00100100", DeviceType.ESME))

Spoil = Callable[[bytes], bytes]


def swap(old: str, new: str) -> Spoil:
    def spoil(document: bytes) -> bytes:
        assert old.encode() in document
        return document.replace(old.encode(), new.encode(), 1)

    return spoil


SPOILT: list[tuple[str, bytes, Spoil, DuisFault, str]] = [
    ("root", UPDATE, swap("Request ", "Response "), DuisFault.NOT_WELL_FORMED, ""),
    (
        "root name",
        UPDATE,
        lambda d: d.replace(b"sr:Request>", b"sr:Other>").replace(b"sr:Request ", b"sr:Other "),
        DuisFault.WRONG_ROOT,
        "",
    ),
    ("name space", UPDATE, swap("ServiceUserGateway", "Elsewhere"), DuisFault.WRONG_ROOT, ""),
    ("schema version", UPDATE, swap('"5.4"', '"5.3"'), DuisFault.SCHEMA_VERSION, ""),
    ("no schema version", UPDATE, swap(' schemaVersion="5.4"', ""), DuisFault.SCHEMA_VERSION, ""),
    ("root attribute", UPDATE, swap("schemaV", 'x="" schemaV'), DuisFault.UNEXPECTED_ATTRIBUTE, ""),
    (
        "no body",
        UPDATE,
        lambda d: d[: d.index(b"<sr:Body>")] + b"</sr:Request>",
        DuisFault.MISSING_ELEMENT,
        "Request",
    ),
    (
        "after the body",
        UPDATE,
        swap("</sr:Body>", "</sr:Body><sr:Body/>"),
        DuisFault.UNEXPECTED_ELEMENT,
        "Request",
    ),
    (
        "empty body",
        UPDATE,
        lambda d: d[: d.index(b"<sr:UpdateF")] + b"</sr:Body></sr:Request>",
        DuisFault.MISSING_ELEMENT,
        "Body",
    ),
    (
        "two bodies in one",
        ACTIVATE,
        swap("</sr:ActivateFirmware>", "</sr:ActivateFirmware><sr:ReadFirmwareVersion/>"),
        DuisFault.UNEXPECTED_ELEMENT,
        "Body",
    ),
    (
        "element missing",
        UPDATE,
        swap("<sr:FirmwareVersion>00000001</sr:FirmwareVersion>", ""),
        DuisFault.MISSING_ELEMENT,
        "UpdateFirmware",
    ),
    (
        "element twice",
        UPDATE,
        swap("</sr:DeviceIDList>", "</sr:DeviceIDList><sr:DeviceIDList/>"),
        DuisFault.UNEXPECTED_ELEMENT,
        "UpdateFirmware",
    ),
    (
        "element unknown",
        UPDATE,
        swap("</sr:DeviceIDList>", "</sr:DeviceIDList><sr:New/>"),
        DuisFault.UNEXPECTED_ELEMENT,
        "UpdateFirmware",
    ),
    (
        "text between",
        UPDATE,
        swap("<sr:FirmwareVersion>", "text<sr:FirmwareVersion>"),
        DuisFault.UNEXPECTED_TEXT,
        "UpdateFirmware",
    ),
    (
        "attribute",
        UPDATE,
        swap("<sr:FirmwareVersion>", '<sr:FirmwareVersion a="">'),
        DuisFault.UNEXPECTED_ATTRIBUTE,
        "FirmwareVersion",
    ),
    (
        "element in a text",
        UPDATE,
        swap(">00000001<", "><sr:x/><"),
        DuisFault.UNEXPECTED_ELEMENT,
        "FirmwareVersion",
    ),
    (
        "service",
        UPDATE,
        swap("Reference>11.1<", "Reference>99.1<"),
        DuisFault.UNSUPPORTED_SERVICE,
        "ServiceReference",
    ),
    (
        "service of another body",
        UPDATE,
        lambda d: d.replace(b">11.1<", b">11.3<"),
        DuisFault.WRONG_SERVICE_REFERENCE,
        "Header",
    ),
    (
        "variant of another service",
        UPDATE,
        swap("Variant>11.1<", "Variant>11.4<"),
        DuisFault.WRONG_SERVICE_REFERENCE,
        "Header",
    ),
    (
        "command variant",
        ACTIVATE,
        swap("Variant>4<", "Variant>8<"),
        DuisFault.WRONG_COMMAND_VARIANT,
        "CommandVariant",
    ),
    (
        "command variant 0",
        ACTIVATE,
        swap("Variant>4<", "Variant>0<"),
        DuisFault.BAD_NUMBER,
        "CommandVariant",
    ),
    (
        "command variant word",
        ACTIVATE,
        swap("Variant>4<", "Variant>four<"),
        DuisFault.BAD_NUMBER,
        "CommandVariant",
    ),
    ("request id", ACTIVATE, swap(":7<", ":07<"), DuisFault.BAD_REQUEST_ID, "RequestID"),
    ("hash digits", ACTIVATE, swap(">0000", ">000G"), DuisFault.BAD_HEX, "FirmwareHash"),
    ("hash length", ACTIVATE, swap(">0000", ">00"), DuisFault.BAD_HASH_LENGTH, "FirmwareHash"),
    (
        "base64",
        UPDATE,
        swap(base64.b64encode(b"image").decode(), "aW1hZ2V"),
        DuisFault.BAD_BASE64,
        "FirmwareImage",
    ),
    (
        "base64 spare bits",
        UPDATE,
        swap(base64.b64encode(b"image").decode(), "aW1hZ2V="),
        DuisFault.BAD_BASE64,
        "FirmwareImage",
    ),
    (
        "base64 alphabet",
        UPDATE,
        swap(base64.b64encode(b"image").decode(), "aW1hZ2-_"),
        DuisFault.BAD_BASE64,
        "FirmwareImage",
    ),
    (
        "version too long",
        UPDATE,
        swap(">00000001<", ">000000001<"),
        DuisFault.BAD_FIRMWARE_VERSION,
        "FirmwareVersion",
    ),
    (
        "version empty",
        UPDATE,
        swap(">00000001<", "><"),
        DuisFault.BAD_FIRMWARE_VERSION,
        "FirmwareVersion",
    ),
    (
        "list empty",
        UPDATE,
        swap(f">{ESME}</sr:DeviceIDList>", "></sr:DeviceIDList>"),
        DuisFault.BAD_DEVICE_LIST,
        "DeviceIDList",
    ),
    (
        "list with spaces",
        UPDATE,
        swap(f">{ESME}<", f">{ESME}, {ESME}<"),
        DuisFault.BAD_DEVICE_LIST,
        "DeviceIDList",
    ),
    (
        "list with a comma at its end",
        UPDATE,
        swap(f">{ESME}<", f">{ESME},<"),
        DuisFault.BAD_DEVICE_LIST,
        "DeviceIDList",
    ),
    (
        "device without dashes",
        UPDATE,
        swap(f">{ESME}<", f">{ESME.hex}<"),
        DuisFault.BAD_DEVICE_LIST,
        "DeviceIDList",
    ),
    (
        "device with colons",
        PRENOTIFY,
        swap("DeviceID>00-DB", "DeviceID>00:DB"),
        DuisFault.BAD_EUI,
        "DeviceID",
    ),
    ("device type", PRENOTIFY, swap(">ESME<", ">esme<"), DuisFault.UNKNOWN_WORD, "DeviceType"),
    (
        "manufacturer too long",
        PRENOTIFY,
        swap(">FFF2<", f">{'F' * 31}<"),
        DuisFault.BAD_LENGTH,
        "DeviceManufacturer",
    ),
]


@pytest.mark.parametrize(
    ("document", "spoil", "fault", "element"),
    [row[1:] for row in SPOILT],
    ids=[row[0] for row in SPOILT],
)
def test_a_spoilt_request_is_refused_by_name_and_place(
    document: bytes, spoil: Spoil, fault: DuisFault, element: str
) -> None:
    read_request(document)
    with pytest.raises(DuisError) as caught:
        read_request(spoil(document))
    assert caught.value.name is fault
    assert caught.value.element == element
    if fault is not DuisFault.NOT_WELL_FORMED:
        assert caught.value.line > 0


@needs_duis
@pytest.mark.parametrize(
    ("document", "spoil"),
    [
        row[1:3]
        for row in SPOILT
        if row[3]
        not in {
            DuisFault.NOT_WELL_FORMED,
            DuisFault.UNSUPPORTED_SERVICE,
            DuisFault.SCHEMA_VERSION,
            DuisFault.WRONG_COMMAND_VARIANT,
            DuisFault.WRONG_SERVICE_REFERENCE,
            DuisFault.BAD_BASE64,
        }
    ],
)
def test_what_is_refused_for_its_structure_is_invalid_for_the_schema_too(
    document: bytes, spoil: Spoil
) -> None:
    assert not is_valid(spoil(document))


def test_white_space_the_schema_collapses_is_allowed() -> None:
    spaced = ACTIVATE.replace(b"RequestID>90", b"RequestID>\n   90")
    assert read_request(spaced).request_id == ASKED
    folded = UPDATE.replace(base64.b64encode(b"image"), b"\n aW1h\n Z2U=\n")
    body = read_request(folded).body
    assert isinstance(body, bodies.UpdateFirmware)
    assert body.firmware_image == b"image"
