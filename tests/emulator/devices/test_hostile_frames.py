"""Octets of a peer that mean harm: nothing raises, nothing is believed, nothing grows."""

import pytest

from device_profiles.words import DeviceType
from emulator.codecs.dlms import access
from emulator.codecs.dlms.access import AccessItem, AccessRequest
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import foundation, metering, time
from emulator.codecs.zcl.foundation import (
    AttributeReading,
    ReadAttributes,
    ReadAttributesResponse,
    ReportAttributes,
    Status,
)
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.codecs.zcl.time import TimeAttribute
from emulator.codecs.zcl.values import AttributeValue, ZclType
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, SetTimer, ZclIndication
from emulator.core.ids import Eui64
from emulator.devices.activation import EXECUTE_TIMER
from emulator.devices.chf.chf import Chf
from emulator.devices.chf.device_log_object import ACTIVE_DEVICES
from emulator.devices.firmware_device import FirmwareDevice
from tests.emulator.devices.hub_kit import bench_of, firmware, sent_values, stage
from tests.emulator.devices.kit import (
    ACB,
    CHF,
    ESME,
    GPF,
    GSME,
    NEW_VERSION,
    PPMID,
    START,
    SUPPLIER,
    build,
    command,
    cs06,
    image,
    image_hash,
    messages,
    notes,
    powered,
)

METER_ID = MeteringAttribute.CURRENT_METER_ID


def report(source: Eui64, *values: tuple[int, AttributeValue]) -> ZclIndication:
    frame = foundation.encode(ReportAttributes(values), 1, server_to_client=True)
    return ZclIndication(source, GPF, metering.CLUSTER, frame)


def hub() -> Chf:
    made = powered(DeviceType.CHF)
    assert isinstance(made, Chf)
    return made


@pytest.mark.parametrize("source", [ESME, PPMID])
def test_nobody_but_a_gas_meter_writes_into_its_mirror(source: Eui64) -> None:
    chf = hub()
    false = AttributeValue(ZclType.OCTETS, NEW_VERSION)
    effects = chf.handle(DeviceEvent.ZCL, report(source, (METER_ID, false)), START)
    assert [row["reason"] for row in notes(effects, "frame_refused")] == ["stranger"]
    assert chf.gpf.mirror == {}


@pytest.mark.parametrize(
    "value",
    [
        AttributeValue(ZclType.TEXT, "no version"),
        AttributeValue(ZclType.EUI64, ESME),
        AttributeValue(ZclType.OCTETS, None),
        AttributeValue(ZclType.UINT64, 1),
    ],
    ids=lambda value: value.type.name,
)
def test_a_reported_value_of_the_wrong_type_is_not_mirrored(value: AttributeValue) -> None:
    chf = hub()
    battery = AttributeValue(ZclType.UINT16, 300)
    days = int(MeteringAttribute.REMAINING_BATTERY_LIFE_DAYS)
    chf.handle(DeviceEvent.ZCL, report(GSME, (METER_ID, value), (days, battery)), START)
    assert chf.gpf.mirror == {days: battery}
    copy = hub()
    copy.load(chf.dump())
    assert copy.dump() == chf.dump()


def time_of(value: AttributeValue) -> ZclIndication:
    reading = AttributeReading(TimeAttribute.TIME, Status.SUCCESS, value)
    frame = foundation.encode(ReadAttributesResponse((reading,)), 1, server_to_client=True)
    return ZclIndication(CHF, ESME, time.CLUSTER, frame)


@pytest.mark.parametrize(
    "value",
    [
        AttributeValue(ZclType.UINT64, (1 << 64) - 2),
        AttributeValue(ZclType.INT64, -(1 << 62)),
        AttributeValue(ZclType.BOOLEAN, True),
        AttributeValue(ZclType.UTC_TIME, time.INVALID_TIME),
    ],
    ids=lambda value: value.type.name,
)
def test_a_time_that_is_none_does_not_move_the_clock(value: AttributeValue) -> None:
    esme = powered(DeviceType.ESME)
    before = esme.dump()
    effects = esme.handle(DeviceEvent.ZCL, time_of(value), START)
    assert [row["reason"] for row in notes(effects, "frame_refused")] == ["no time"]
    assert esme.dump() == before


def test_a_future_dated_activation_follows_the_clock_when_that_is_set() -> None:
    esme = powered(DeviceType.ESME)
    assert isinstance(esme, FirmwareDevice)
    esme.clock_offset_ms = 90_000
    due = UtcMs(START + 3_600_000)
    esme.handle(DeviceEvent.GBCS, cs06(ESME, image_hash(), at=due), START)
    assert esme.timers[EXECUTE_TIMER] == due - 90_000
    right = AttributeValue(ZclType.UTC_TIME, START // 1000 - 946_684_800)
    effects = esme.handle(DeviceEvent.ZCL, time_of(right), START)
    assert SetTimer(EXECUTE_TIMER, due) in effects
    assert esme.timers[EXECUTE_TIMER] == due


def test_a_clock_that_is_set_schedules_nothing_by_itself() -> None:
    esme = powered(DeviceType.ESME)
    esme.clock_offset_ms = 90_000
    right = AttributeValue(ZclType.UTC_TIME, START // 1000 - 946_684_800)
    esme.handle(DeviceEvent.ZCL, time_of(right), START)
    assert esme.clock_offset_ms == 0
    assert EXECUTE_TIMER not in esme.timers


def test_the_alert_of_an_activation_dated_to_the_beginning_of_time_names_that_time() -> None:
    bench = bench_of(build(DeviceType.CHF), build(DeviceType.ESME))
    stage(bench, image(DeviceType.ESME), ESME)
    bench.run(600)
    bench.event(CHF, DeviceEvent.WAN, cs06(ESME, image_hash(), at=UtcMs(0)))
    bench.run(120)
    assert firmware(bench, ESME).slots.running == NEW_VERSION
    [alert] = [value for code, value in sent_values(bench) if code == MessageCode.CS06_ALERT]
    assert getattr(alert, "execution_time", None) == 0


def test_a_read_of_so_much_that_no_message_can_carry_it_is_noted() -> None:
    items = tuple(AccessItem(*ACTIVE_DEVICES) for _ in range(1000))
    octets = access.encode_request(AccessRequest(1, items))
    asked = command(MessageCode.CCS05_CCS04, CHF, octets, originator=ACB, supplementary=SUPPLIER)
    chf = hub()
    effects = chf.handle(DeviceEvent.WAN, asked, START)
    assert messages(effects) == []
    assert [row["use_case"] for row in notes(effects, "response_too_long")] != []


def test_a_gas_meter_refuses_a_read_whose_answer_would_be_too_long() -> None:
    asked = ReadAttributes(tuple(range(30_000))).encode()
    octets = gbz.encode(GbzMessage((GbzComponent(metering.CLUSTER, 0, 0, 0, asked),)))
    gsme = powered(DeviceType.GSME)
    message = command(MessageCode.GCS38, GSME, octets)
    effects = gsme.handle(DeviceEvent.GBCS, message, START)
    assert [row["reason"] for row in notes(effects, "message_refused")] == ["malformed_payload"]
