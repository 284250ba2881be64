from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.words import DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import bodies, date_time
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.dcc_bodies import (
    CreateSchedule,
    DecommissionDevice,
    DeleteSchedule,
    Frequency,
    OtherBody,
    ReadSchedule,
    ScheduledLog,
    ScheduledRead,
    ScheduleIdentity,
    SchedulesOf,
)
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import Origin, peek, read_request, request, write_request
from harness.formats.duis.shape import NAMESPACE
from tests.given import needs_duis
from tests.harness.formats.duis_given import UNSAMPLED, is_valid, other_samples, samples
from tests.sampling import examples

SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
ACB = Eui64.parse("90-B3-D5-1F-30-00-00-02")
ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
HASH = bytes(range(32))
ASKED = RequestId(SUPPLIER, ESME, 1000)

BODIES: list[RequestBody] = [
    bodies.UpdateFirmware(b"\x1e\xf1\xee\x0b" + bytes(60), "00000001", (ESME, ACB)),
    bodies.UpdatePpmidFirmware(b"", "1", (ESME,)),
    bodies.ReadFirmwareVersion(),
    bodies.ReadFirmwareVersion(UtcMs(1_900_000_000_123)),
    bodies.ActivateFirmware(HASH),
    bodies.ActivateFirmware(HASH, date_time.CANCEL),
    bodies.DevicePrenotification(ESME, "FFF2", "00100100", DeviceType.ESME),
    bodies.DevicePrenotification(
        ESME, "", "geo <&>", DeviceType.CAD, "SMETS V1.58", "0002012F", "ADEG", ACB
    ),
    bodies.ReadInventory(ESME),
    bodies.UpdateInventory(ESME, bodies.DeleteDevice()),
    bodies.UpdateInventory(ESME, bodies.UpdateDeviceDetails(firmware_version="00000002")),
    bodies.UpdateInventory(ESME, bodies.UpdateDeviceDetails()),
    DecommissionDevice(ESME),
    ReadSchedule(ScheduleIdentity(7)),
    DeleteSchedule(SchedulesOf(ESME)),
    CreateSchedule(
        Frequency.MONTHLY,
        date(2026, 2, 1),
        "4.8",
        "4.8.1",
        ESME,
        ScheduledLog("DSPReadActiveImportProfileData", -1, 0, 0, 3600),
        date(2027, 2, 1),
        7200,
        b"der",
    ),
    CreateSchedule(
        Frequency.HALF_YEARLY,
        date(2026, 2, 1),
        "4.2",
        "4.2",
        ESME,
        ScheduledRead("DSPReadInstantaneousExportRegisters"),
    ),
    bodies.SignedPreCommand(b"\xdf\x09\x01"),
    bodies.SignedPreCommand(b"\xdf", UtcMs(1_900_000_000_000)),
]


@needs_duis
@pytest.mark.parametrize("path", samples(), ids=lambda path: path.stem)
def test_a_sample_is_read_written_and_read_again_and_what_we_write_is_valid(path: Path) -> None:
    value = read_request(path.read_bytes())
    written = write_request(value)
    assert is_valid(written)
    assert read_request(written) == value
    assert value.origin is Origin.LOCAL
    assert str(value.origin) == "unsigned, local"


@needs_duis
def test_there_are_samples_of_every_service_we_read() -> None:
    services = {read_request(path.read_bytes()).header.variant for path in samples()}
    assert services == set(bodies.ServiceReference) - UNSAMPLED


@needs_duis
@pytest.mark.parametrize("path", other_samples(), ids=lambda path: path.stem)
def test_a_sample_of_another_service_is_passed_by_and_stays_valid(path: Path) -> None:
    value = read_request(path.read_bytes())
    assert isinstance(value.body, OtherBody)
    assert value.body.service == value.header.variant
    written = write_request(value)
    assert is_valid(written)
    assert read_request(written) == value


def test_another_service_with_a_body_or_variant_not_its_own_is_refused_by_name() -> None:
    body = OtherBody("4.16", "ReadActivePowerImport", canonical("ReadActivePowerImport"))
    written = write_request(request(body, ASKED))
    assert read_request(written).body == body
    for old, new, fault in [
        (b"ReadActivePowerImport", b"ReadLoadLimitData", DuisFault.WRONG_SERVICE_REFERENCE),
        (b"CommandVariant>1<", b"CommandVariant>4<", DuisFault.WRONG_COMMAND_VARIANT),
        (b"Reference>4.16<", b"Reference>4.17<", DuisFault.WRONG_SERVICE_REFERENCE),
        (b">4.16<", b">4.99<", DuisFault.UNSUPPORTED_SERVICE),
    ]:
        with pytest.raises(DuisError) as caught:
            read_request(written.replace(old, new))
        assert caught.value.name is fault


def canonical(element: str) -> bytes:
    return f'<sr:{element} xmlns:sr="{NAMESPACE}"></sr:{element}>'.encode()


@needs_duis
def test_the_sample_values_are_read_as_they_stand() -> None:
    by_name = {path.name: path for path in samples()}
    cancel = read_request(by_name["CS06_11.3_CANCELLATION_SUCCESS_REQUEST_DUIS.XML"].read_bytes())
    assert cancel.request_id == RequestId(SUPPLIER, ESME, 1002)
    assert cancel.header.command_variant == 4
    assert isinstance(cancel.body, bodies.ActivateFirmware)
    assert cancel.body.execution_time == date_time.CANCEL
    assert cancel.body.firmware_hash[:4].hex() == "aa758690"
    image = read_request(by_name["11.1_UPDATE_FIRMWARE_REQUEST_DUIS.XML"].read_bytes())
    assert isinstance(image.body, bodies.UpdateFirmware)
    assert len(image.body.firmware_image) == 361
    assert image.body.devices == (ESME,)


@needs_duis
@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_everything_we_write_is_valid(body: RequestBody) -> None:
    for variant in bodies.SERVICES[type(body)][1]:
        assert is_valid(write_request(request(body, ASKED, variant)))


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_what_is_written_is_read_back_equal(body: RequestBody) -> None:
    value = request(body, ASKED)
    assert read_request(write_request(value)) == value


def test_sequence_fields_of_the_header_are_read_back_too() -> None:
    value = request(bodies.ReadFirmwareVersion(), ASKED, 3)
    header = replace(value.header, first_in_sequence=False, preceding=RequestId(SUPPLIER, ACB, 0))
    assert read_request(write_request(replace(value, header=header))).header == header


def test_the_header_alone_can_be_read_of_a_request_whose_body_is_refused() -> None:
    written = write_request(request(bodies.ActivateFirmware(HASH), ASKED))
    spoilt = written.replace(HASH.hex().upper().encode(), b"00")
    with pytest.raises(DuisError):
        read_request(spoilt)
    assert peek(spoilt).request_id == ASKED


eui64s = st.binary(min_size=8, max_size=8).map(Eui64)
request_ids = st.builds(RequestId, eui64s, eui64s, st.integers(0, 2**64 - 1))
moments = st.none() | st.integers(-62_135_596_800_000, 253_402_300_799_999).map(UtcMs)
versions = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=8
).filter(lambda text: all(ord(char) not in (0xFFFE, 0xFFFF) for char in text))
some_bodies = st.one_of(
    st.builds(
        bodies.UpdateFirmware,
        st.binary(max_size=300),
        versions,
        st.lists(eui64s, min_size=1, max_size=5).map(tuple),
    ),
    st.builds(bodies.ActivateFirmware, st.binary(min_size=32, max_size=32), moments),
    st.builds(bodies.ReadFirmwareVersion, moments),
    st.builds(bodies.SignedPreCommand, st.binary(max_size=200), moments),
)


@settings(max_examples=examples(60), deadline=None, derandomize=True)
@given(some_bodies, request_ids)
def test_any_request_within_the_limits_is_read_back_equal(
    body: RequestBody, request_id: RequestId
) -> None:
    value = request(body, request_id)
    assert read_request(write_request(value)) == value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2030-01-15T09:00:00.00Z", 1_894_698_000_000),
        ("2030-01-15T10:00:00+01:00", 1_894_698_000_000),
        ("2030-01-15T09:00:00.123000Z", 1_894_698_000_123),
        ("2030-01-15T03:30:00-05:30", 1_894_698_000_000),
    ],
)
def test_a_date_time_is_read_to_the_millisecond_in_any_zone(text: str, at: int) -> None:
    assert date_time.read(text) == at


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-15T09:00:00",  # no zone
        "2030-01-15T09:00:00.0001Z",  # finer than a millisecond
        "2030-02-30T09:00:00Z",
        "2030-01-15T25:00:00Z",
        "2030-01-15T09:00:00+15:00",
        "2030-01-15 09:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "",
        "now",
    ],
)
def test_a_date_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DuisError) as caught:
        date_time.read(text)
    assert caught.value.name is DuisFault.BAD_DATE_TIME


@pytest.mark.parametrize(
    "text",
    [
        *("", "00-DB-12-34-56-78-90-A0", f"{ESME}:{ACB}:-1", f"{ESME}:{ACB}:01", f"{ESME}:{ACB}:"),
        *(f"{ESME}:{ACB}:18446744073709551616", "00DB1234567890A0:00DB1234567890A0:1"),
    ],
)
def test_a_request_id_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(DuisError) as caught:
        RequestId.parse(text)
    assert caught.value.name is DuisFault.BAD_REQUEST_ID


def test_the_largest_counter_is_a_counter() -> None:
    text = f"{ESME}:{ACB}:18446744073709551615"
    assert str(RequestId.parse(text)) == text
