from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_profiles.words import CplStatus, DeviceStatus, DeviceType
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.formats.duis import alerts
from harness.formats.duis.alerts import (
    ActivationResult,
    ChUpdateStatus,
    DccAlert,
    TransferResponse,
    TransferStatus,
)
from harness.formats.duis.faults import DuisError, DuisFault
from harness.formats.duis.inventory_contents import Inventory, InventoryDevice
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.responses import (
    Content,
    DccAlertMessage,
    DeviceAlertMessage,
    FirmwareWarning,
    FutureDatedDeviceAlert,
    GbcsPayload,
    PpmidFirmwareWarning,
    PreCommand,
    ResponseHeader,
    ResponseMessage,
    ServiceResponse,
    read_response,
    write_response,
)
from harness.parties.response_codes import alert_code
from tests.given import needs_duis
from tests.harness.formats.duis_given import is_valid
from tests.sampling import examples

ESME = Eui64.parse("00-DB-12-34-56-78-90-A0")
CHF = Eui64.parse("00-DB-12-34-56-78-90-A2")
PPMID = Eui64.parse("00-DB-12-34-56-78-90-A4")
SUPPLIER = Eui64.parse("90-B3-D5-1F-30-01-00-00")
ASKED = RequestId(SUPPLIER, ESME, 1000)
AT = UtcMs(1_900_000_000_000)
HEADER = ResponseHeader(ASKED, RequestId(ESME, SUPPLIER, 1000), "I0", AT)

ALERTS: list[DccAlert] = [
    alerts.FirmwareDistributionFailure(ASKED, (ESME, PPMID)),
    alerts.CspFirmwareDeliveryStatus(ASKED, CHF, ESME, "00000002", AT, TransferStatus.SUCCESS),
    alerts.CspFirmwareDeliveryStatus(ASKED, CHF, ESME, "00000002", AT, TransferStatus.FAILURE),
    *(
        alerts.CommsHubAlert(
            CHF, 0x8F89, AT, alerts.FirmwareTransferAlert(ASKED, PPMID, "0000002F", response)
        )
        for response in TransferResponse
    ),
    alerts.CommsHubAlert(CHF, 0x8F12, None, None),
    alerts.CommsHubAlert(
        CHF, 0x8F8A, None, alerts.FirmwareTransferAlert(None, PPMID, "1", TransferResponse.SUCCESS)
    ),
    *(
        alerts.PpmidAlert(PPMID, 0x8F8B, AT, alerts.PpmidFirmwareUpgradeAlert("00000002", result))
        for result in ActivationResult
    ),
    alerts.PpmidAlert(PPMID, 0x8F8B, None, None),
    alerts.FirmwareUpgradeRequested(DeviceType.PPMID, "00000002", (PPMID,)),
    alerts.FirmwareVersionMismatch(ESME, DeviceType.ESME, "00000001", "00000002"),
    *(alerts.Smets1ChFirmwareNotification(CHF, "00000002", status) for status in ChUpdateStatus),
    alerts.CommsHubFirmwareActivation(CHF, "00000002"),
]
CONTENTS: list[Content | None] = [
    None,
    PreCommand("4.3", b"\xdf\x09"),
    GbcsPayload(b"\xdd\x00"),
    FutureDatedDeviceAlert(0x8F66, b"\xdf"),
    FutureDatedDeviceAlert(0x8F67, b"", 2, 3),
    FirmwareWarning(),
    FirmwareWarning((ESME,), (CHF,), (PPMID, ESME), (ESME,), (CHF,)),
    PpmidFirmwareWarning(other_request_in_progress=(PPMID,)),
    Inventory(
        (
            InventoryDevice(ESME, DeviceType.ESME, None, "FFF2", "00100100"),
            InventoryDevice(
                CHF,
                DeviceType.CHF,
                DeviceStatus.COMMISSIONED,
                "FFF1",
                "00010100",
                "CHTS V1.4",
                "01000001",
                CplStatus.WITHDRAWN,
                CplStatus.ACTIVE,
                None,
                "4.2",
            ),
        )
    ),
]
RESPONSES = [
    *(ServiceResponse(HEADER, ResponseMessage("11.1", "11.1", content)) for content in CONTENTS),
    ServiceResponse(HEADER, DeviceAlertMessage(0x8F72, b"\xdf\x09")),
    *(ServiceResponse(HEADER, DccAlertMessage(alert_code(alert), alert)) for alert in ALERTS),
    ServiceResponse(replace(HEADER, request_id=None), DeviceAlertMessage(0x0001, b"")),
    ServiceResponse(replace(HEADER, response_id=None), ResponseMessage("12.2", "12.2")),
]


def name_of(value: ServiceResponse) -> str:
    inner = getattr(value.body, "content", None) or getattr(value.body, "alert", None)
    return type(inner if inner is not None else value.body).__name__


@needs_duis
@pytest.mark.parametrize("value", RESPONSES, ids=name_of)
def test_every_response_and_alert_we_write_is_valid(value: ServiceResponse) -> None:
    assert is_valid(write_response(value))


@pytest.mark.parametrize("value", RESPONSES, ids=name_of)
def test_every_response_and_alert_is_read_back_equal(value: ServiceResponse) -> None:
    assert read_response(write_response(value)) == value


def test_warnings_of_11_1_and_11_4_are_told_apart_although_their_fields_are_equal() -> None:
    one = ServiceResponse(HEADER, ResponseMessage("11.1", "11.1", FirmwareWarning((ESME,))))
    other = ServiceResponse(HEADER, ResponseMessage("11.4", "11.4", PpmidFirmwareWarning((ESME,))))
    assert b"<sr:DSPUpdateFirmwareWarning>" in write_response(one)
    assert b"<sr:DSPUpdatePPMIDFirmwareWarning>" in write_response(other)
    assert read_response(write_response(one)) != read_response(write_response(other))


def test_empty_lists_are_not_written() -> None:
    document = write_response(
        ServiceResponse(HEADER, ResponseMessage("11.1", "11.1", FirmwareWarning((ESME,))))
    )
    assert document.count(b"List>") == 2


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (">Success<", ">success<", DuisFault.UNKNOWN_WORD),
        ("TimeStamp>", "Timestamp>", DuisFault.MISSING_ELEMENT),
        (">00000002<", ">000000002<", DuisFault.BAD_FIRMWARE_VERSION),
        ("CSPFirmwareDeliveryStatus>", "SomethingElse>", DuisFault.MISSING_ELEMENT),
        (">I0<", "><", DuisFault.BAD_LENGTH),
        ("Z<", "<", DuisFault.BAD_DATE_TIME),
    ],
)
def test_a_spoilt_alert_is_refused_by_name(old: str, new: str, fault: DuisFault) -> None:
    document = write_response(ServiceResponse(HEADER, DccAlertMessage("N60", ALERTS[1])))
    read_response(document)
    with pytest.raises(DuisError) as caught:
        read_response(document.replace(old.encode(), new.encode()))
    assert caught.value.name is fault


def test_an_inventory_of_more_than_seventeen_devices_is_refused() -> None:
    device = InventoryDevice(ESME, DeviceType.ESME, None, "FFF2", "00100100")
    for count, fits in ((17, True), (18, False)):
        content = Inventory((device,) * count)
        document = write_response(ServiceResponse(HEADER, ResponseMessage("8.2", "8.2", content)))
        if fits:
            read_response(document)
            continue
        with pytest.raises(DuisError) as caught:
            read_response(document)
        assert caught.value.name is DuisFault.UNEXPECTED_ELEMENT


eui64s = st.binary(min_size=8, max_size=8).map(Eui64)
lists = st.none() | st.lists(eui64s, min_size=1, max_size=4).map(tuple)


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(st.builds(FirmwareWarning, lists, lists, lists, lists, lists))
def test_any_five_lists_are_read_back_equal(warning: FirmwareWarning) -> None:
    value = ServiceResponse(HEADER, ResponseMessage("11.1", "11.1", warning))
    assert read_response(write_response(value)) == value


@settings(max_examples=examples(40), deadline=None, derandomize=True)
@given(st.integers(0, 0xFFFF), st.binary(max_size=400))
def test_any_device_alert_is_read_back_equal(code: int, payload: bytes) -> None:
    value = ServiceResponse(HEADER, DeviceAlertMessage(code, payload))
    assert read_response(write_response(value)) == value
