"""Alerts out of device state: those given octet for octet, and what brings them."""

import pytest

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.alerts import DlmsAlert
from emulator.codecs.gbcs.dates import NEVER, encode_date_time
from emulator.codecs.gbcs.payload import decode_payload
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect
from emulator.crypto.keystore import KeyStore
from emulator.crypto.protection import Accepted, KeyRing, open_message
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS
from emulator.devices.esme import life
from emulator.devices.esme.esme import Esme
from emulator.devices.esme.events import EventCode, happened
from emulator.devices.esme.life import Tamper
from emulator.devices.esme.model import limits, reports
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, number
from tests.emulator.devices.esme.rtds_pairs import device_of
from tests.emulator.devices.kit import ACB, START, messages, notes, opened
from tests.emulator.devices.rtds_kit import LOAD_CONTROLLER, NOW, rtds_ring
from tests.given import RTDS_DIR, needs_rtds

MINUTE = 60_000


def given_alert(name: str) -> bytes:
    [path] = RTDS_DIR.glob(f"RTDS-*/NA_*/{name}.HEX")
    return bytes.fromhex(path.read_text("ascii"))


def assert_told(effects: list[Effect], name: str) -> None:
    """The first alert is the given one, its signature our own."""
    ours, theirs = messages(effects)[0], given_alert(name)
    assert envelope.signed_part(envelope.decode(ours)) == envelope.signed_part(
        envelope.decode(theirs)
    )
    assert isinstance(open_message(ours, rtds_ring(), acb=ACB), Accepted)


def rtds_meter(counter: int) -> Esme:
    made = device_of("")
    made.next_counter = counter
    return made


def limit(made: Esme, selector: int, begin: bytes, end: bytes) -> list[Effect]:
    number = selector >> 8 & 0xF
    for edge, at in (("begin", begin), ("end", end)):
        made.model.store.put(f"apc_{number}_limit_{edge}", axdr.octets(at))
    return limits.order(made.model, selector, NOW)


@needs_rtds
def test_a_long_outage_is_told_of_as_given() -> None:
    made = rtds_meter(2003)
    made.handle(DeviceEvent.POWER_OFF, None, UtcMs(NOW - 10 * MINUTE))
    made.load(made.dump())
    made.handle(DeviceEvent.POWER_ON, None, UtcMs(NOW - MINUTE))
    made.next_counter = 2003
    assert_told(made.handle(DeviceEvent.TIMER, "model.outage", NOW), "ECS80_NA_8F36_ALERT_GBCS")


@needs_rtds
def test_a_billing_date_is_told_of_as_given() -> None:
    made = rtds_meter(2001)
    tou = [
        81, 15, 176, 126, 202, 223, 121, 195, 65, 8, 189, 98, 162, 69, 171, 17, 127, 48, 108, 234,
        132, 132, 74, 48, 177, 179, 144, 184, 161, 101, 203, 242, 116, 124, 240, 190, 219, 106,
        131, 30, 115, 192, 0, 149, 6, 171, 167, 133,
    ]  # fmt: skip
    block = [
        220, 25, 110, 6, 75, 220, 252, 113, 147, 58, 160, 79, 242, 188, 197, 141, 239, 144, 3,
        130, 185, 70, 102, 9, 224, 74, 143, 250, 40, 80, 3, 205,
    ]  # fmt: skip
    made.model.put("billing_log_registers", [])
    for name, values in (("tou_wh", tou), ("block_wh", block)):
        made.model.put(name, [value * 1000 for value in values])
    made.model.put("active_import_wh", 10_435_000)
    made.model.put("values_at", "2015-01-01T00:00:00")
    made.model.ledger.billing.append(made.model.ledger.snapshot(NOW))
    assert_told(reports.tell_billing(made, NOW), "ECS68_NA_8F0A_SINGLE_ALERT_GBCS")


@needs_rtds
def test_a_limit_is_told_of_as_given() -> None:
    dates = [encode_date_time(UtcMs(NOW + days * DAY_MS)) for days in (0, 31)]
    effects = limit(rtds_meter(2000), 0x2364, *dates)
    assert_told(effects, "ECS101_NA_8F86_INPUT_ALERT_GBCS")


@needs_rtds
def test_the_end_of_a_limit_is_told_of_as_given() -> None:
    made = rtds_meter(1)
    dates = [encode_date_time(UtcMs(NOW + days * DAY_MS)) for days in (-9, 0)]
    effects = limit(made, 0x2132, *dates)
    made.next_counter = 2000
    made.model.limits = [limits.Limit(0x21, UtcMs(NOW - DAY_MS), NOW, 50, runs=True)]
    assert len(messages(effects)) == 2
    assert_told(limits.reached(made, NOW), "ECS102_NA_8F87_INPUT_ALERT_GBCS")


@needs_rtds
def test_a_generic_critical_alert_is_told_as_given() -> None:
    made = rtds_meter(2000)
    effects = happened(made, EventCode.SOURCE_WITHOUT_AUTHORITY, "", NOW)
    assert_told(effects, "GCA-DLMS_NA_8F30_ALERT_GBCS")
    assert made.security_log[-1].code == EventCode.SOURCE_WITHOUT_AUTHORITY


# -- what brings them ------------------------------------------------------------------------------


def told(effects: list[Effect]) -> list[int]:
    """Codes of the alerts sent."""
    found = []
    for one in opened(effects):
        header = one.envelope.header
        value = decode_payload(one.row, header.cra, one.envelope.payload)
        if isinstance(value, DlmsAlert):
            found.append(value.alert_code)
    return found


def run(meter: Meter, milliseconds: int) -> list[Effect]:
    end = meter.now + milliseconds
    effects: list[Effect] = []
    while True:
        timers = meter.device.timers.items()
        due = [(at, name) for name, at in timers if name.startswith("model.") and at <= end]
        if not due:
            meter.now = UtcMs(end)
            return effects
        at, name = min(due)
        meter.now = UtcMs(max(at, meter.now))
        effects += meter.device.handle(DeviceEvent.TIMER, name, meter.now)


def test_the_first_of_a_month_brings_billing_data() -> None:
    meter = Meter()
    effects = run(meter, 31 * DAY_MS)
    assert told(effects) == [EventCode.BILLING_DATA_LOG_UPDATED]
    assert not run(meter, 20 * DAY_MS)


@pytest.mark.parametrize(("minutes", "codes"), [(2, []), (5, [0x8F36])])
def test_outages_are_logged_and_long_ones_told_of(minutes: int, codes: list[int]) -> None:
    meter = Meter()
    meter.device.handle(DeviceEvent.POWER_OFF, None, meter.now)
    meter.now = UtcMs(meter.now + minutes * MINUTE)
    meter.device.handle(DeviceEvent.POWER_ON, None, meter.now)
    assert told(run(meter, 2 * MINUTE)) == codes
    log = meter.selected(OBJECTS.named["power_event_log"], 2)
    [result] = meter.ask("ECS35e", [log])[0].results
    rows = [row.value[1].value for row in result.data.value.rows]  # type: ignore[union-attr,index]
    assert rows == [EventCode.SUPPLY_INTERRUPTED, 0x8F36 if codes else EventCode.OUTAGE_RESTORED]


def test_a_load_above_its_limit_arms_supply_and_gives_it_back() -> None:
    meter = Meter(
        load_limit_threshold_w=1, load_limit_period_s=600, load_limit_restoration_s=900,
        load_limit_supply_state=True,
    )  # fmt: skip
    meter.device.follow_up(meter.now)
    effects = run(meter, 600_000)
    assert told(effects) == [EventCode.LOAD_LIMIT_EXCEEDED, EventCode.ARMED_FOR_LOAD_LIMIT]
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, 2)
    assert number(meter.read("ECS27", "load_limit_counter")) == 1
    assert told(run(meter, 900_000))[0] == EventCode.ENABLED_AFTER_LOAD_LIMIT
    assert meter.device.switch is SupplyState.ON
    meter.set("ECS28b", load_limit_counter_reset=Data(Tag.INT8, 0))
    assert number(meter.read("ECS27", "load_limit_counter")) == 0


def test_a_load_limit_that_only_counts_leaves_supply_on() -> None:
    meter = Meter(load_limit_threshold_w=1, load_limit_period_s=600)
    meter.device.follow_up(meter.now)
    assert told(run(meter, DAY_MS)) == [EventCode.LOAD_LIMIT_EXCEEDED]
    assert meter.device.switch is SupplyState.ON


def test_tampering_is_logged_told_of_and_may_lock_supply() -> None:
    meter = Meter()
    effects = life.tamper(meter.device, Tamper.TERMINAL_COVER, meter.now)
    assert told(effects) == [EventCode.TERMINAL_COVER_REMOVED]
    assert meter.device.switch is SupplyState.ON
    effects = life.tamper(meter.device, Tamper.TERMINAL_COVER, meter.now, ended=True)
    assert told(effects) == [EventCode.TERMINAL_COVER_CLOSED]
    meter.set("ECS81", supply_tamper_state=Data(Tag.BOOLEAN, 0xFF))
    effects = life.tamper(meter.device, Tamper.METER_COVER, meter.now)
    assert told(effects) == [EventCode.METER_COVER_REMOVED, EventCode.LOCKED_FOR_TAMPER]
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, 0)
    log = meter.selected(OBJECTS.named["security_log"], 2)
    [result] = meter.ask("ECS35b", [log])[0].results
    assert len(result.data.value.rows) == 4  # type: ignore[union-attr] # a compact array


def test_a_voltage_beyond_its_thresholds_is_told_of_after_its_period() -> None:
    meter = Meter()
    life.disturb_voltage(meter.device, 180, meter.now)
    assert told(run(meter, 29_000)) == []
    assert told(run(meter, 1000)) == [EventCode.EXTREME_UNDER_VOLTAGE, EventCode.VOLTAGE_SAG]
    assert told(run(meter, HALF_HOUR_MS)) == [EventCode.AVERAGE_UNDER_VOLTAGE]
    assert number(meter.read("ECS23", "under_voltage_counter_1")) == 1
    life.disturb_voltage(meter.device, 0, meter.now)
    effects = told(run(meter, 2 * HALF_HOUR_MS))
    assert set(effects) == {
        EventCode.EXTREME_UNDER_VOLTAGE_ENDED,
        EventCode.VOLTAGE_SAG_ENDED,
        EventCode.AVERAGE_UNDER_VOLTAGE_ENDED,
    }
    assert "model.voltage" not in meter.device.timers


def test_a_supplier_may_switch_off_what_is_not_critical() -> None:
    meter = Meter()
    nothing = axdr.Data(Tag.BIT_STRING, axdr.BitString(256, bytes(32)))
    meter.device.model.store.put("supplier_alerts_wan", nothing)
    assert told(happened(meter.device, EventCode.LOW_CREDIT, "", START)) == []
    assert meter.device.event_log[-1].code == EventCode.LOW_CREDIT
    assert told(happened(meter.device, EventCode.SUPPLY_ARMED, "", START)) == [0x8F32]


def test_a_limit_begins_and_ends_at_its_dates_and_can_be_cancelled() -> None:
    meter = Meter()
    model, device = meter.device.model, meter.device
    dates = [encode_date_time(UtcMs(START + hours * 3_600_000)) for hours in (1, 2)]
    for edge, at in zip(("begin", "end"), dates, strict=True):
        model.store.put(f"apc_3_limit_{edge}", axdr.octets(at))
    effects = limits.order(model, 0x2332, meter.now)
    device.keep_timers(effects)
    assert told(effects) == [0x8F86]
    run(meter, 3_600_000)
    assert meter.read("ECS61e", "aux_controller_3_report") == Data(Tag.UTF8, b"50%")
    device.load(device.dump())
    assert told(run(meter, 3_600_000)) == [0x8F87]
    assert meter.read("ECS61e", "aux_controller_3_report") == Data(Tag.UTF8, b"100%")
    for edge in ("begin", "end"):
        model.store.put(f"apc_3_limit_{edge}", axdr.octets(dates[1]))
    device.keep_timers(limits.order(model, 0x2332, UtcMs(START)))
    for edge in ("begin", "end"):
        model.store.put(f"apc_3_limit_{edge}", axdr.octets(NEVER))
    assert told(limits.order(model, 0x2332, meter.now)) == [0x8F86, 0x8F87]


def test_an_integrity_issue_is_told_with_its_code() -> None:
    meter = Meter()
    [message] = messages(reports.tell_integrity(meter.device, 7, meter.now))
    assert envelope.decode(message).header.other.message_code == 0x00F0


def test_maximum_demand_of_a_period_looks_at_its_half_hours_alone() -> None:
    meter = Meter()
    whole = number(meter.read("ECS18b", "demand_import_period_w"))
    rows = [
        [0, True, "0-0:10.128.100.255", 1, "02:00:00", 65535, "1111111", "", "*-*-*", "*-*-*"],
        [1, True, "0-0:10.128.100.255", 2, "03:00:00", 65535, "1111111", "", "*-*-*", "*-*-*"],
    ]
    meter.device.model.put("demand_period", rows)
    meter.device.model.peaks.clear()
    night = number(meter.read("ECS18b", "demand_import_period_w"))
    at = meter.read("ECS18b", "demand_import_period_at").value
    assert 0 < night < whole
    assert isinstance(at, bytes)
    assert (at[5], at[6]) in {(2, 30), (3, 0)}
    assert number(meter.read("ECS18b", "demand_import_w")) == whole


def test_a_controller_follows_its_calendar_until_it_is_ordered_otherwise() -> None:
    """The test meter begins at noon."""
    rows = [
        [1, True, "0-0:10.0.103.255", 0x21B2, "09:00:00", 65535, "1111111", "", "*-*-*", "*-*-*"],
        [2, True, "0-0:10.0.103.255", 0x2180, "13:00:00", 65535, "1111111", "", "*-*-*", "*-*-*"],
    ]
    meter = Meter(controller_calendar=rows)
    assert meter.read("ECS61e", "aux_controller_1_report") == Data(Tag.UTF8, b"50%")
    assert meter.read("ECS61a", "aux_controller_2_on") == Data(Tag.BOOLEAN, 0)
    meter.now = UtcMs(meter.now + 2 * HALF_HOUR_MS)
    assert meter.read("ECS61a", "aux_controller_1_on") == Data(Tag.BOOLEAN, 0)
    now = axdr.octets(encode_date_time(meter.now))
    dates = {"aux_controller_1_begin": now, "aux_controller_1_end": now}
    meter.set("ECS47a", **dates, controller_script=Data(Tag.UINT16, 0x2164))
    assert meter.read("ECS61e", "aux_controller_1_report") == Data(Tag.UTF8, b"100%")
    meter.set("ECS47", controller_script=Data(Tag.UINT16, 0x0120))
    assert meter.read("ECS61e", "aux_controller_1_report") == Data(Tag.UTF8, b"0%")


def test_what_a_bench_orders_happens_with_the_next_event() -> None:
    meter = Meter()
    for fault in ("tamper:magnetic field", "voltage:180", "integrity:0007"):
        meter.device.inject(fault)
    meter.device.load(meter.device.dump())
    meter.device.timers["model.billing"] = meter.now
    effects = meter.device.handle(DeviceEvent.TIMER, "model.outage", meter.now)
    assert [envelope.decode(one).header.other.message_code for one in messages(effects)] == [
        0x1000, 0x00F0,
    ]  # fmt: skip
    assert told(run(meter, 30_000))[-2:] == [EventCode.EXTREME_UNDER_VOLTAGE, EventCode.VOLTAGE_SAG]
    for wrong in ("tamper:nothing", "voltage:high", "integrity:FFFFF"):
        with pytest.raises(ValueError, match=r"."):
            meter.device.inject(wrong)


@needs_rtds
def test_an_operational_update_goes_to_the_load_controller_through_the_acb() -> None:
    made = rtds_meter(7)
    [message] = messages(reports.tell_update(made, 3, b"50%", NOW))
    opened_message = open_message(message, rtds_ring(), acb=ACB)
    assert isinstance(opened_message, Accepted)
    header = opened_message.envelope.header
    assert (header.target, header.other.message_code) == (ACB, 0x0123)
    assert header.other.supplementary_party == LOAD_CONTROLLER
    assert reports.tell_update(Meter().device, 3, b"50%", START) == []


def test_an_alert_without_a_key_is_noted_and_not_sent() -> None:
    meter = Meter()
    meter.device.take_ring(KeyRing(KeyStore([])))
    effects = happened(meter.device, EventCode.SUPPLY_ARMED, "", START)
    assert messages(effects) == []
    assert notes(effects, "alert_not_sent")[0]["code"] == "8f32"
