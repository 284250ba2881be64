"""Registers, logs, balance and billing of a gas meter agree at any instant, and so does its GPF."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.alerts import AlertCode
from emulator.codecs.gbcs.envelope import Cra, Envelope, GroupingHeader, OtherInformation
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.use_cases import MessageCode, Protection
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.account import (
    ConsumerTopUp,
    GetPrepaySnapshot,
    SelectAvailableEmergencyCredit,
)
from emulator.codecs.zcl.price import PublishBillingPeriod, PublishBlockPeriod
from emulator.codecs.zcl.snapshots import GetSampledData, GetSnapshot
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.core.effects import DeviceEvent
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import seal
from emulator.devices.consumption import DAY_MS
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.gsme.model.ledger import Ledger
from emulator.devices.joins.log import JoinedDevice
from tests.emulator.devices.gas.gas_kit import Home, answer_of, supplier_ring
from tests.emulator.devices.gas.test_gas_write_read_back import PREPAYMENT, calendar, tariff
from tests.emulator.devices.kit import ACB, ESME, GPF, GSME, PPMID, START, SUPPLIER, notes, opened
from tests.sampling import examples

HOUR = 3_600_000
SELECT = SelectAvailableEmergencyCredit(0, 0)
METER, MONEY = 0x0702, 0x0705


def ledger_of(home: Home) -> Ledger:
    home.meter.model.ledger.settle(home.now)
    return home.meter.model.ledger


@settings(max_examples=examples(6), deadline=None)
@given(
    waits=st.lists(st.integers(1, 5 * DAY_MS), min_size=1, max_size=4),
    switch=st.integers(1, 1439),
    prices=st.lists(st.integers(1, 90_000), min_size=4, max_size=4),
)
def test_tiers_make_up_the_register_and_prices_the_bill(
    waits: list[int], switch: int, prices: list[int]
) -> None:
    home = Home()
    home.ask("GCS01a", *calendar(0, 99, [(0, 1), (switch, 2)]), *tariff(0, prices, 777))
    first = ledger_of(home)
    register, tiers = first.register_dm3(home.now), list(first.tiers)
    bill, days = first.account.parts["bill"], home.now // DAY_MS
    home.ask("GCS25", (0x0700, PublishBillingPeriod(0, 7, 0, 0, 3, 0)))  # never ends
    for wait in waits:
        home.wait(wait)
        last = ledger_of(home)
        counted = [now - then for now, then in zip(last.tiers, tiers, strict=True)]
        assert sum(counted) == last.register_dm3(home.now) - register
        assert counted[2:] == [0, 0]
        per_dm3 = 394 * 102_264 * 10 / (36 * 10**6)  # Wh
        charged = sum(
            volume * per_dm3 * price / 1000 for volume, price in zip(counted, prices, strict=True)
        )
        charged += 777 * (home.now // DAY_MS - days)
        assert abs(last.account.parts["bill"] - bill - charged) < 2


@settings(max_examples=examples(6), deadline=None)
@given(
    volume_limits=st.lists(st.integers(1, 9_000), min_size=3, max_size=3), days=st.integers(1, 9)
)
def test_blocks_fill_one_after_the_other(volume_limits: list[int], days: int) -> None:
    home = Home(tariff_unit=1, tariff_scheme=0x10, threshold_divisor=1000)
    limits = sorted(volume_limits)
    for number, limit in enumerate(limits, 1):
        home.meter.model.put(f"block_threshold_{number}", limit)
    home.meter.model.put("values_at", "2024-06-01T12:00:00")
    home.ask("GCS25", (0x0700, PublishBlockPeriod(0, 7, 0, 0, 2, 3, 0, 1)))  # never ends
    home.wait(days * DAY_MS)
    ledger = ledger_of(home)
    used = ledger.register_dm3(home.now)
    edges = [0, *limits]
    full = [min(max(used - low, 0), high - low) for low, high in zip(edges, limits, strict=False)]
    assert ledger.blocks == [*full, max(used - limits[-1], 0)]


@settings(max_examples=examples(5), deadline=None)
@given(days=st.integers(1, 12), credit=st.integers(0, 3_000_000))
def test_what_is_charged_leaves_credit_then_emergency_credit(days: int, credit: int) -> None:
    home = Home(
        payment_control=PREPAYMENT, credit_millipence=credit, emergency_credit_millipence=500_000
    )
    home.ask("GCS25", (0x0700, PublishBillingPeriod(0, 7, 0, 0, 3, 0)))
    before = dict(ledger_of(home).account.parts)
    home.wait(days * DAY_MS, wakes=False)
    after = ledger_of(home).account.parts
    spent = before["credit"] - after["credit"] + before["emergency"] - after["emergency"]
    assert spent == after["bill"] - before["bill"]
    assert after["accumulated"] - before["accumulated"] == (
        before["emergency"] - after["emergency"]
    )
    assert after["credit"] >= 0 or after["emergency"] == 0


@settings(max_examples=examples(4), deadline=None)
@given(days=st.integers(1, 6), odd=st.integers(0, DAY_MS - 1))
def test_logs_and_registers_agree_in_meter_and_gpf(days: int, odd: int) -> None:
    home = Home(credit_millipence=10**7, payment_control=PREPAYMENT)
    home.wait(odd)
    for _ in range(days):
        home.wait(DAY_MS)
    start = START - START % DAY_MS + DAY_MS
    since = to_zigbee_seconds(UtcMs(start))
    rows: list[Any] = []
    for device in (GSME, GPF):
        rows = [
            home.ask("GCS16a", (METER, GetSnapshot(since, 0xFFFFFFFF, n, 1)), to=device)[0]
            for n in range(days)
        ]
        money = home.ask("GCS16b", (MONEY, GetPrepaySnapshot(since, 0xFFFFFFFF, 0, 1)), to=device)
        assert money[0].at_s == rows[0].at_s == since
        asked = (METER, GetSampledData(0, since + 1800, 0, 48 * (days - 1)))
        if days > 1:
            [profile] = home.ask("GCS17", asked, to=device)
            assert sum(profile.samples) == rows[-1].register - rows[0].register
        assert [sum(row.tiers) for row in rows] == [row.register for row in rows]
    shown = home.read("GCS13a", "register_dm3", to=GSME)
    assert home.read("GCS13a", "register_dm3", to=GPF) == shown
    if days > 1:
        [daily] = home.ask("GCS61", (METER, GetSampledData(1, since + 1, 0, 31)), to=GPF)
        first = to_zigbee_seconds(UtcMs(start + DAY_MS))
        assert (daily.start_s, daily.interval_s) == (first, 0xFFFF)
        assert daily.samples[0] == rows[1].register - rows[0].register


def test_a_prepayment_valve_closes_without_credit_and_arms_with_it() -> None:
    home = Home(payment_control=PREPAYMENT, credit_millipence=1000)
    effects = home.wait(3 * DAY_MS)
    assert [note["why"] for note in notes(effects, "valve")] == ["no credit"]
    assert home.meter.valve.value == "off"
    assert home.meter.open_by_hand(home.now) == []
    assert home.ask("GCS06", (MONEY, SELECT)) == [0]
    assert home.meter.valve.value == "armed"
    assert notes(home.meter.open_by_hand(home.now), "valve") != []


def test_friendly_hours_keep_the_valve_open() -> None:
    home = Home(payment_control=PREPAYMENT, credit_millipence=1000)
    home.ask("GCS05", *calendar(3, 98, [(0, 1), (780, 0)]))  # friendly up to 13:00
    home.wait(DAY_MS)
    assert home.meter.valve.value == "on"
    home.wait(2 * HOUR)
    assert home.meter.valve.value == "off"


def test_the_end_of_a_billing_period_is_pushed_to_the_supplier() -> None:
    home = Home()
    start = to_zigbee_seconds(START)
    home.ask("GCS25", (0x0700, PublishBillingPeriod(0, 7, start - start % 86_400, 1, 2, 0)))
    sent = opened(home.wait(8 * DAY_MS))
    [alert] = [one for one in sent if one.row.code == MessageCode.GCS53]
    value = gbz.decode_alert(alert.envelope.payload)
    assert value.alert_code == AlertCode.BILLING_DATA_LOG
    assert gbz.component_of(value).components[0].frame_counter == 0
    [row] = home.ask("GCS15c", (METER, GetSnapshot(0, 0xFFFFFFFF, 2, 2)))
    assert (row.cause, row.at_s) == (2, start - start % 86_400 + 7 * 86_400)


@settings(max_examples=examples(4), deadline=None)
@given(wait=st.integers(1, 4 * DAY_MS), later=st.integers(1, 4 * DAY_MS))
def test_a_loaded_meter_goes_on_as_the_dumped_one(wait: int, later: int) -> None:
    home = Home(payment_control=PREPAYMENT, credit_millipence=10**6)
    at = to_zigbee_seconds(UtcMs(START + 2 * DAY_MS))
    home.ask("GCS01b", *tariff(at, [1, 2, 3, 4], 5))
    home.wait(wait)
    copy = Home()
    copy.meter.load(home.meter.dump())
    copy.hub.load(home.hub.dump())
    copy.now, copy.counter = home.now, home.counter
    assert isinstance(copy.meter, Gsme)
    for each in (home, copy):
        each.wait(later)
    assert copy.meter.dump() == home.meter.dump()
    assert copy.hub.gpf.dump() == home.hub.gpf.dump()


def _three(octets: bytes) -> tuple[int, int, int]:
    return octets[0], octets[1], octets[2]


def from_ppmid(home: Home, code: MessageCode, command: Any) -> list[Any]:
    """What a PPMID sends the meter, as the meter answers it."""
    home.counter += 1
    octets = gas.encode(MONEY, command, 0, quiet=False)
    payload = gbz.encode(GbzMessage((GbzComponent(MONEY, *_three(octets), octets[3:]),)))
    header = GroupingHeader(Cra.COMMAND, home.counter, PPMID, GSME, OtherInformation(int(code)))
    sent = seal(Envelope(header, payload), supplier_ring(), protection=Protection.MAC, acb=ACB)
    effects = home.meter.handle(DeviceEvent.GBCS, sent, home.now)
    if notes(effects, "message_refused"):
        return []
    [answer] = opened(effects)
    return [answer_of(one, one.payload) for one in gbz.decode(answer.envelope.payload).components]


def test_a_ppmid_tops_up_and_selects_emergency_credit() -> None:
    home = Home(payment_control=PREPAYMENT, credit_millipence=1000)
    assert from_ppmid(home, MessageCode.PCS02, SELECT) == [0]
    token = make_token(5 << 32, 700, SUPPLIER, GSME, supplier_ring())
    assert token is not None
    [answer] = from_ppmid(home, MessageCode.PCS01, ConsumerTopUp(2, token.encode()))
    assert (answer.result, answer.value, answer.origin) == (0, 700_000, 2)
    [again] = from_ppmid(home, MessageCode.PCS01, ConsumerTopUp(2, token.encode()))
    assert again.result == 1


def test_a_ppmid_that_was_not_joined_is_refused_where_others_were() -> None:
    home = Home(payment_control=PREPAYMENT, credit_millipence=1000)
    home.meter.joins.add(JoinedDevice(ESME, 1, "A"), home.meter.profile.limits)
    assert from_ppmid(home, MessageCode.PCS02, SELECT) == []
