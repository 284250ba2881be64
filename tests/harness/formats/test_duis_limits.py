import base64

import pytest

from emulator.core.ids import Eui64
from harness.formats.duis import bodies, kinds
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


def update(size: int = 1, devices: int = 1, version: str = "1") -> bodies.UpdateFirmware:
    targets = tuple(Eui64(number.to_bytes(8, "big")) for number in range(devices))
    return bodies.UpdateFirmware(bytes(size), version, targets)


@needs_duis
def test_an_image_of_exactly_the_limit_is_written_valid_and_read() -> None:
    document = written(update(size=kinds.MAX_IMAGE_BYTES))
    assert is_valid(document)
    body = read_request(document).body
    assert isinstance(body, bodies.UpdateFirmware)
    assert len(body.firmware_image) == 10_240_000


def test_an_image_one_octet_over_the_limit_is_neither_written_nor_read() -> None:
    with pytest.raises(DuisError) as caught:
        written(update(size=kinds.MAX_IMAGE_BYTES + 1))
    assert caught.value.name is DuisFault.IMAGE_TOO_LARGE
    too_long = base64.b64encode(bytes(kinds.MAX_IMAGE_BYTES + 1))
    with pytest.raises(DuisError) as caught:
        read_request(UPDATE.replace(base64.b64encode(b"image"), too_long))
    assert caught.value.name is DuisFault.IMAGE_TOO_LARGE
    assert caught.value.element == "FirmwareImage"


def with_devices(count: int) -> bytes:
    text = ",".join(str(device) for device in update(devices=count).devices)
    return UPDATE.replace(str(ESME).encode(), text.encode(), 2).replace(
        text.encode() + b":7", f"{ESME}:7".encode()
    )


@needs_duis
def test_fifty_thousand_devices_are_written_valid_and_read() -> None:
    document = written(update(devices=50_000))
    assert is_valid(document)
    body = read_request(document).body
    assert isinstance(body, bodies.UpdateFirmware)
    assert len(set(body.devices)) == 50_000


def test_fifty_thousand_and_one_devices_are_neither_written_nor_read() -> None:
    assert isinstance(read_request(with_devices(50_000)).body, bodies.UpdateFirmware)
    with pytest.raises(DuisError) as caught:
        written(update(devices=50_001))
    assert caught.value.name is DuisFault.TOO_MANY_DEVICES
    with pytest.raises(DuisError) as caught:
        read_request(with_devices(50_001))
    assert caught.value.name is DuisFault.TOO_MANY_DEVICES
    assert caught.value.element == "DeviceIDList"
    assert caught.value.line > 10


def test_a_list_without_devices_is_not_written() -> None:
    with pytest.raises(DuisError) as caught:
        written(update(devices=0))
    assert caught.value.name is DuisFault.BAD_DEVICE_LIST


@pytest.mark.parametrize(("version", "allowed"), [("1", True), ("12345678", True), ("", False)])
def test_a_version_has_one_to_eight_characters(version: str, allowed: bool) -> None:
    if allowed:
        read_request(written(update(version=version)))
        return
    with pytest.raises(DuisError) as caught:
        written(update(version=version))
    assert caught.value.name is DuisFault.BAD_FIRMWARE_VERSION


def test_duplicates_are_reported_each_once_and_in_order() -> None:
    body = bodies.UpdateFirmware(b"", "1", (ACB, ESME, ACB, ESME, ACB))
    assert body.duplicates() == (ACB, ESME)
    read = read_request(written(body)).body
    assert isinstance(read, bodies.UpdateFirmware)
    assert read.devices == body.devices
    assert update(devices=3).duplicates() == ()
