"""The account: balance to the millipence, top-ups, emergency credit, debts, prices, the switch."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.apdu_parts import ActionResult, DataAccessResult
from emulator.codecs.dlms.axdr import NULL, BitString, Data, Tag
from emulator.core.clock import UtcMs
from emulator.crypto.top_up_code import TopUp, encode, top_up_key
from emulator.devices.consumption import Kind
from emulator.devices.smets1.esme import Smets1Esme
from emulator.devices.smets1.logs import EventCode
from emulator.devices.smets1.object_model import CosemObject
from emulator.devices.smets1.switch import ControlState
from tests.emulator.devices.smets1.meter_kit import (
    DAY_MS,
    HOUR_MS,
    Person,
    at,
    invoke,
    made,
    manager,
    member,
    meter,
    pass_time,
    read,
)
from tests.emulator.devices.smets1.server_kit import EUI64, NOW, keys
from tests.sampling import examples

R, D = ActionResult, DataAccessResult
MODE = member(111, "0-0:19.0.0.255", 2)
BALANCE, UPDATE, SET_TO, INVOKE_TOKEN = (member(112, "0-0:19.10.0.255", n) for n in (2, 1, 2, 3))
EMERGENCY = "0-0:19.10.1.255"
SELECT = member(112, EMERGENCY, 3)
PRICE, PASSIVE, ACTIVATE = (member(113, "0-0:19.20.0.255", n) for n in (5, 6, 2))
ENTER, TOKEN_STATUS = member(115, "0-0:19.40.0.255", 1), member(115, "0-0:19.40.0.255", 6)
KEY = top_up_key(keys().keys.authentication, EUI64)
PREPAID, CREDIT = (axdr.structure(Data(Tag.ENUM, mode), Data(Tag.ENUM, 2)) for mode in (2, 1))
QUICK = settings(max_examples=examples(12), deadline=None)


def i32(value: int) -> Data:
    return Data(Tag.INT32, value)


def code(pence: int, number: int) -> Data:
    return axdr.octets(encode(TopUp(pence, number), KEY, EUI64).encode())


def unit_charge(*prices: tuple[bytes, int], commodity: int = 3, scale: int = -4) -> Data:
    rows = tuple(axdr.structure(axdr.octets(i), Data(Tag.INT16, p)) for i, p in prices)
    return axdr.structure(
        axdr.structure(Data(Tag.INT8, commodity), Data(Tag.INT8, scale)),
        axdr.structure(axdr.uint16(3), axdr.octets(bytes((1, 0, 1, 8, 0, 255))), Data(Tag.INT8, 2)),
        Data(Tag.ARRAY, rows),
    )


def write(device: Smets1Esme, where: Any, value: Data, now: int = NOW) -> DataAccessResult:
    item = device.tree.find(where.class_id, where.obis)
    assert isinstance(item, CosemObject)
    return item.write(where.index, value, at(device, UtcMs(now)))


# -- the balance -----------------------------------------------------------------------------------


@given(later=st.integers(0, 20 * DAY_MS))
@QUICK
def test_the_balance_is_credit_less_consumption_at_the_price(later: int) -> None:
    device = meter()
    now = UtcMs(NOW + later)
    used = device.consumption.energy_wh(Kind.IMPORT, now)
    used -= device.consumption.energy_wh(Kind.IMPORT, NOW)
    assert read(device, BALANCE, now) == 10_000_000 - used * 28_500 // 1000


@given(
    changes=st.lists(st.tuples(st.integers(0, 3 * DAY_MS), st.integers(1, 5_000)), max_size=4),
    top_ups=st.lists(st.integers(1, 9_999), max_size=3),
    later=st.integers(0, 5 * DAY_MS),
)
@QUICK
def test_prices_by_rate_top_ups_and_charges_come_to_the_millipence(
    changes: list[tuple[int, int]], top_ups: list[int], later: int
) -> None:
    device = meter()
    device.account.charges["standing"].per_day = 53_370
    now, prices, cost, before = NOW, {0: 28_500}, 0, device.rates.split_wh(NOW)
    paid = 10_000_000 + sum(1000 * pence for pence in top_ups)
    for number, pence in enumerate(top_ups, 1):
        assert invoke(device, ENTER, code(pence, number), now) is R.SUCCESS

    def add(until: int) -> None:
        nonlocal cost, before
        used = device.rates.split_wh(UtcMs(until))
        cost += sum((used[r] - before[r]) * prices.get(r, prices.get(0, 0)) for r in used)
        before = used

    for pause, price in changes:
        now = UtcMs(now + pause)
        add(now)
        prices = {0: price * 10, 3: price * 20}
        assert (
            write(device, PASSIVE, unit_charge((b"", price), (b"\x03", 2 * price)), now)
            is D.SUCCESS
        )
        assert invoke(device, ACTIVATE, NULL, now) is R.SUCCESS
    end = UtcMs(now + later)
    add(end)
    midnights = end // DAY_MS - NOW // DAY_MS
    assert read(device, BALANCE, end) == paid - cost // 1000 - midnights * 53_370


def test_registers_profile_rates_and_balance_agree() -> None:
    device = meter()
    for later in range(0, 3 * DAY_MS, 5 * HOUR_MS + 123):
        now = UtcMs(NOW + later)
        total = read(device, member(3, "1-0:1.8.0.255", 2), now)
        rates = [read(device, member(3, f"1-0:1.8.{n}.255", 2), now) for n in range(1, 49)]
        assert sum(rates) == total
        paid = read(device, member(113, "0-0:19.20.0.255", 2), now)
        assert read(device, BALANCE, now) + paid == 10_000_000
        assert device.read_out(now).count(f"1.8.0({total // 1000:06}.{total % 1000:03}*kWh)") == 1


def test_the_management_adjusts_and_sets_the_balance() -> None:
    device = meter()
    person = manager(device)
    assert person.act(UPDATE, i32(-500)).result is R.SUCCESS
    assert person.value(BALANCE) == 9_999_500
    outcome = person.act(SET_TO, i32(123))
    assert outcome.returned == i32(9_999_500)
    assert person.value(BALANCE) == 123
    assert person.act(UPDATE, Data(Tag.INT16, 1)).result is R.TYPE_UNMATCHED
    assert invoke(device, member(112, EMERGENCY, 1), i32(1)) is R.TYPE_UNMATCHED
    assert invoke(device, member(112, EMERGENCY, 2), i32(1)) is R.TYPE_UNMATCHED


# -- prices and debts ------------------------------------------------------------------------------


def test_a_passive_price_waits_to_be_activated() -> None:
    device = meter()
    active = read(device, PRICE)
    value = unit_charge((b"", 3_000))
    assert write(device, PASSIVE, value) is D.SUCCESS
    assert read(device, PRICE) == active
    assert invoke(device, ACTIVATE, NULL) is R.SUCCESS
    assert read(device, PRICE) == value.value
    assert device.account.energy.price(4) == 30_000
    assert device.logs["events"].last(NOW) == EventCode.PRICE_CHANGED


@pytest.mark.parametrize(
    ("value", "millipence"),
    [
        (unit_charge((b"", 28), scale=-2), 28_000),
        (unit_charge((b"", 28), scale=-5), 28),
        (unit_charge((b"", 2_850), commodity=0, scale=-8), 2_850),
    ],
)
def test_prices_come_in_any_scale(value: Data, millipence: int) -> None:
    device = meter()
    assert write(device, PASSIVE, value) is D.SUCCESS
    assert device.account.energy.passive == {0: millipence}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (unit_charge(), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"", -1)), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"\x31", 1)), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"\x01\x02", 1)), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"", 1), (b"", 2)), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"", 1), scale=-9), D.SCOPE_OF_ACCESS_VIOLATED),
        (unit_charge((b"", 1), scale=100), D.SCOPE_OF_ACCESS_VIOLATED),
        (axdr.structure(NULL), D.TYPE_UNMATCHED),
        (axdr.structure(NULL, NULL, NULL), D.TYPE_UNMATCHED),
        (i32(5), D.TYPE_UNMATCHED),
    ],
)
def test_a_price_that_means_nothing_is_refused(value: Data, result: DataAccessResult) -> None:
    device = meter()
    before = device.dump()
    assert write(device, PASSIVE, value) is result
    assert device.dump() == before


def test_a_standing_charge_is_taken_at_each_midnight() -> None:
    device = meter()
    standing = "0-0:19.20.1.255"
    value = unit_charge((b"", 5_337), commodity=0)
    assert write(device, member(113, standing, 6), value) is D.SUCCESS
    assert (
        write(device, member(113, standing, 6), unit_charge((b"\x01", 1)))
        is D.SCOPE_OF_ACCESS_VIOLATED
    )
    assert invoke(device, member(113, standing, 2), NULL) is R.SUCCESS
    taken = [read(device, member(113, standing, 2), UtcMs(NOW + day * DAY_MS)) for day in range(4)]
    assert taken == [0, 53_370, 106_740, 160_110]
    assert read(device, member(113, standing, 8)) == 86_400
    assert read(device, member(113, standing, 12)) == 0


def test_a_debt_is_collected_until_it_is_paid() -> None:
    device = meter()
    debt = "0-0:19.20.2.255"
    assert invoke(device, member(113, debt, 5), i32(250_000)) is R.SUCCESS
    assert invoke(device, member(113, debt, 4), i32(50_000)) is R.SUCCESS
    assert write(device, member(113, debt, 6), unit_charge((b"", 10_000), commodity=0)) is D.SUCCESS
    assert invoke(device, member(113, debt, 2), NULL) is R.SUCCESS
    left = [read(device, member(113, debt, 12), UtcMs(NOW + day * DAY_MS)) for day in range(5)]
    assert left == [300_000, 200_000, 100_000, 0, 0]
    assert read(device, member(112, "0-0:19.10.2.255", 2)) == 300_000
    assert read(device, member(111, "0-0:19.0.0.255", 8), UtcMs(NOW + DAY_MS)) == 200_000
    assert invoke(device, member(113, debt, 4), i32(-300_001)) is R.SCOPE_OF_ACCESS_VIOLATED
    assert invoke(device, member(113, "0-0:19.20.1.255", 5), i32(1)) is R.OTHER_REASON
    assert invoke(device, member(113, "0-0:19.20.0.255", 5), i32(1)) is R.OTHER_REASON


def test_part_of_a_top_up_goes_to_a_debt() -> None:
    device = meter()
    debt = "0-0:19.20.3.255"
    assert invoke(device, member(113, debt, 5), i32(600_000)) is R.SUCCESS
    share = member(113, debt, 13)
    assert write(device, share, axdr.uint16(10_001)) is D.SCOPE_OF_ACCESS_VIOLATED
    assert write(device, share, axdr.uint16(2_500)) is D.SUCCESS
    assert read(device, share) == 2_500
    for number, left in ((1, 350_000), (2, 100_000), (3, 0)):
        assert invoke(device, ENTER, code(1_000, number)) is R.SUCCESS
        assert read(device, member(113, debt, 12)) == left
    assert read(device, BALANCE) == 10_000_000 + 3_000_000 - 600_000


# -- top-ups ---------------------------------------------------------------------------------------


def test_each_refusal_of_a_code_has_its_own_result_and_status() -> None:
    device = meter()
    assert invoke(device, ENTER, code(2_000, 40)) is R.SUCCESS
    good = encode(TopUp(2_000, 41), KEY, EUI64)
    wrong = good[:-1] + str((int(good[-1]) + 1) % 10)
    stories = (
        (axdr.octets(b"12345"), R.TYPE_UNMATCHED, 4, 0),
        (axdr.octets(wrong.encode()), R.READ_WRITE_DENIED, 5, 0),
        (code(2_000, 40), R.OBJECT_UNAVAILABLE, 6, 0x80),
        (code(9, 8), R.SCOPE_OF_ACCESS_VIOLATED, 6, 0x40),
    )
    balance = read(device, BALANCE)
    seen = set()
    for data, result, status, reason in stories:
        assert invoke(device, ENTER, data) is result
        told, bits = (item.value for item in read(device, TOKEN_STATUS))
        assert (told, bits) == (status, BitString(2, bytes((reason,))))
        assert device.logs["events"].last(NOW) == EventCode.TOP_UP_REFUSED
        assert read(device, BALANCE) == balance
        seen.add((result, status, reason))
    assert len(seen) == 4
    assert invoke(device, ENTER, axdr.octets(good.encode())) is R.SUCCESS
    assert read(device, TOKEN_STATUS)[0].value == 3
    assert device.logs["events"].last(NOW) == EventCode.TOP_UP_ACCEPTED
    assert invoke(device, ENTER, Data(Tag.VISIBLE, good.encode())) is R.TYPE_UNMATCHED
    assert invoke(device, ENTER) is R.TYPE_UNMATCHED


def test_codes_come_in_any_order_within_the_window() -> None:
    device = meter()
    for number in (40, 39, 41, 9, 10):
        expected = R.SUCCESS if number > 8 else R.SCOPE_OF_ACCESS_VIOLATED
        assert invoke(device, ENTER, code(100, number)) is (
            expected if number != 9 else R.SCOPE_OF_ACCESS_VIOLATED
        )
    for number in (40, 39, 41, 10):
        assert invoke(device, ENTER, code(100, number)) is R.OBJECT_UNAVAILABLE


def test_a_used_code_stays_used_over_a_dump() -> None:
    device = meter()
    assert invoke(device, ENTER, code(100, 7)) is R.SUCCESS
    other = made()
    other.load(device.dump())
    assert invoke(other, ENTER, code(100, 7)) is R.OBJECT_UNAVAILABLE
    assert read(other, BALANCE) == read(device, BALANCE)


# -- prepayment: the switch follows the credit -----------------------------------------------------


def prepaid(balance: int) -> tuple[Smets1Esme, Person]:
    device = meter()
    person = manager(device)
    assert person.act(SET_TO, i32(balance)).result is R.SUCCESS
    assert person.put(MODE, PREPAID) is D.SUCCESS
    return device, person


def test_in_credit_mode_nothing_is_cut() -> None:
    device = meter()
    person = manager(device)
    person.act(SET_TO, i32(-5_000_000))
    person.wait(DAY_MS)
    assert device.switch.closed
    assert not device.timers


def test_the_switch_opens_when_prepaid_credit_is_gone() -> None:
    device, person = prepaid(20_000)
    person.wait(3 * HOUR_MS)
    assert device.switch.state is ControlState.READY
    codes = [row.code for row in device.logs["events"].rows]
    assert EventCode.CREDIT_EXHAUSTED in codes
    spent = device.account.balance(person.now)
    person.wait(DAY_MS)
    assert device.account.balance(person.now) == spent
    assert invoke(device, ENTER, code(500, 1), person.now) is R.SUCCESS
    assert device.switch.state is ControlState.READY  # until somebody presses the button
    device.press(person.now)
    assert device.switch.closed
    person.wait(HOUR_MS)
    assert device.account.balance(person.now) < spent + 500_000


def test_a_mode_that_closes_by_itself_does_when_credit_is_back() -> None:
    device, person = prepaid(20_000)
    assert person.put(member(70, "0-0:96.3.10.255", 4), Data(Tag.ENUM, 5)) is D.SUCCESS
    person.wait(3 * HOUR_MS)
    assert not device.switch.closed
    assert invoke(device, ENTER, code(500, 1), person.now) is R.SUCCESS
    assert device.switch.closed


def test_emergency_credit_is_there_when_it_is_needed_and_no_sooner() -> None:
    device, person = prepaid(3_000_000)
    status = member(112, EMERGENCY, 8)
    assert invoke(device, SELECT, NULL) is R.TEMPORARY_FAILURE
    assert person.value(status) == 0
    person.act(SET_TO, i32(900_000))
    assert person.value(status) == 1
    assert person.act(SELECT, Data(Tag.INT8, 0)).result is R.SUCCESS
    assert person.value(status) == 2
    assert person.act(SELECT, Data(Tag.INT8, 0)).result is R.TEMPORARY_FAILURE
    assert device.logs["events"].last(NOW) == EventCode.EMERGENCY_CREDIT_SELECTED
    assert invoke(device, INVOKE_TOKEN, NULL) is R.OTHER_REASON
    person.act(SET_TO, i32(-1_000_000))
    assert person.value(status) == 3
    assert person.value(member(112, EMERGENCY, 2)) == 4_000_000
    assert person.value(member(111, "0-0:19.0.0.255", 5)) == 4_000_000
    assert person.value(member(111, "0-0:19.0.0.255", 3)) == 2
    output = member(70, "0-0:96.3.10.255", 2)
    assert person.value(output) == 1
    person.act(SET_TO, i32(-5_000_000))
    assert person.value(status) == 4
    assert person.value(output) == 0
    assert invoke(device, ENTER, code(6_000, 1)) is R.SUCCESS
    assert person.value(status) == 1  # paid back: 1,000,000 is where it may be selected


def test_limits_and_thresholds_of_emergency_credit_are_written() -> None:
    device = meter()
    person = manager(device)
    assert person.put(member(112, EMERGENCY, 6), i32(7_000_000)) is D.SUCCESS
    assert person.put(member(112, EMERGENCY, 10), i32(20_000_000)) is D.SUCCESS
    assert person.put(member(112, EMERGENCY, 6), i32(-1)) is D.SCOPE_OF_ACCESS_VIOLATED
    assert person.put(member(111, "0-0:19.0.0.255", 16), i32(5)) is D.SUCCESS
    assert person.value(member(112, EMERGENCY, 2)) == 7_000_000
    assert person.value(member(111, "0-0:19.0.0.255", 17)) == 20_000_000
    assert person.value(member(111, "0-0:19.0.0.255", 16)) == 5
    assert person.act(SELECT).result is R.SUCCESS
    assert person.put(member(112, EMERGENCY, 6), i32(1)) is D.TEMPORARY_FAILURE
    assert write(device, member(112, "0-0:19.10.0.255", 6), i32(1)) is D.SCOPE_OF_ACCESS_VIOLATED
    assert write(device, member(112, "0-0:19.10.0.255", 10), i32(1)) is D.SCOPE_OF_ACCESS_VIOLATED


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (PREPAID, D.SUCCESS),
        (CREDIT, D.SUCCESS),
        (axdr.structure(Data(Tag.ENUM, 3), Data(Tag.ENUM, 2)), D.SCOPE_OF_ACCESS_VIOLATED),
        (axdr.structure(Data(Tag.ENUM, 2), Data(Tag.ENUM, 3)), D.SCOPE_OF_ACCESS_VIOLATED),
        (axdr.structure(Data(Tag.ENUM, 2)), D.TYPE_UNMATCHED),
        (axdr.structure(Data(Tag.UINT8, 2), Data(Tag.ENUM, 2)), D.TYPE_UNMATCHED),
        (Data(Tag.ENUM, 2), D.TYPE_UNMATCHED),
    ],
)
def test_a_payment_mode_is_credit_or_prepayment(value: Data, result: DataAccessResult) -> None:
    device = meter()
    assert manager(device).put(MODE, value) is result
    changed = value == PREPAID
    assert (device.account.mode.name == "PREPAYMENT") == changed
    assert (
        EventCode.PAYMENT_MODE_CHANGED in [r.code for r in device.logs["events"].rows]
    ) == changed


def test_back_in_credit_mode_the_watch_ends() -> None:
    device, person = prepaid(5_000_000)
    assert device.timers
    assert person.put(MODE, CREDIT) is D.SUCCESS
    assert not device.timers
    pass_time(device, UtcMs(NOW + DAY_MS))
