"""What a gas meter is told, every use case that shows it tells, and so do GPF and PPMID."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.zcl.account import (
    ChangeDebt,
    ChangePaymentMode,
    ConsumerTopUp,
    CreditAdjustment,
    EmergencyCreditSetup,
    GetPrepaySnapshot,
    GetTopUpLog,
    SelectAvailableEmergencyCredit,
    SetLowCreditWarningLevel,
    SetMaximumCreditLimit,
    SetOverallDebtCap,
)
from emulator.codecs.zcl.calendar import (
    FRIENDLY_CREDIT_CALENDAR,
    TARIFF_CALENDAR,
    GetDayProfiles,
    GetSeasons,
    GetSpecialDays,
    GetWeekProfiles,
    PublishCalendar,
    PublishDayProfile,
    PublishSeasons,
    PublishSpecialDays,
    PublishWeekProfile,
)
from emulator.codecs.zcl.device_management import (
    ClearEventLog,
    ClearEventLogResponse,
    DisplayMessage,
    GetEventConfiguration,
    PublishChangeOfSupplier,
    RequestNewPasswordResponse,
    SetEventConfiguration,
    UpdateCin,
    UpdateSiteId,
)
from emulator.codecs.zcl.events import GetEventLog
from emulator.codecs.zcl.metering import ChangeSupply
from emulator.codecs.zcl.price import (
    GetBillingPeriod,
    GetCurrentPrice,
    PublishBillingPeriod,
    PublishBlockPeriod,
    PublishBlockThresholds,
    PublishCalorificValue,
    PublishConversionFactor,
    PublishPriceMatrix,
    PublishTariffInformation,
)
from emulator.codecs.zcl.snapshots import (
    GetSampledData,
    GetSnapshot,
    SetSupplyStatus,
    SetUncontrolledFlowThreshold,
    StartSampling,
    StartSamplingResponse,
)
from emulator.core.clock import UtcMs, to_zigbee_seconds
from emulator.crypto.prepayment_token import make_token
from emulator.devices.consumption import DAY_MS
from tests.emulator.devices.gas.gas_kit import Home, supplier_ring
from tests.emulator.devices.kit import GPF, GSME, SUPPLIER, notes
from tests.sampling import examples

U32 = st.integers(0, (1 << 32) - 1)
MONEY = st.integers(0, 10_000_000)
PREPAYMENT, CREDIT = 0x0C92, 0x0C94
HOUR = 3_600_000
PRICE, METER, MONEY_CLUSTER, CALENDAR, MANAGEMENT = 0x0700, 0x0702, 0x0705, 0x0707, 0x0708


def tariff(start_s: int, prices: list[int], standing: int, scheme: int = 0) -> list[Any]:
    """What GCS01b says."""
    information = PublishTariffInformation(
        0, 7, 3, start_s, scheme << 4, b"made up", 4, 3, 0, 826, 0x50, standing, 0, 1, 1000
    )
    matrix = tuple(enumerate(prices, 1))
    return [
        (PRICE, information),
        (PRICE, PublishPriceMatrix(0, 7, start_s, 3, 0, 1, 1 - scheme, matrix)),
    ]


def calendar(kind: int, number: int, days: list[tuple[int, int]]) -> list[Any]:
    """A calendar of one day, one week, one season, and one special day."""
    special = ((0xFF190C7E, 1),)  # 25 December 2026
    return [
        (CALENDAR, PublishCalendar(0, 7, number, 0, kind, 0, b"", 1, 1, 1)),
        (CALENDAR, PublishDayProfile(0, 7, number, 1, len(days), 0, 1, kind, tuple(days))),
        (CALENDAR, PublishWeekProfile(0, 7, number, 1, (1,) * 7)),
        (CALENDAR, PublishSeasons(0, 7, number, 0, 1, ((0xFF0101FF, 1),))),
        (CALENDAR, PublishSpecialDays(0, 7, number, 0, kind, 1, 0, 1, special)),
    ]


@settings(max_examples=examples(4), deadline=None)
@given(prices=st.lists(MONEY, min_size=4, max_size=4), standing=MONEY, limits=st.data())
def test_a_tariff_is_read_by_whoever_shows_it(
    prices: list[int], standing: int, limits: st.DataObject
) -> None:
    home = Home()
    thresholds = tuple(sorted(limits.draw(st.lists(MONEY, min_size=3, max_size=3))))
    told = [
        *calendar(0, 99, [(0, 2), (600, 3)]),
        *tariff(0, prices, standing),
        (PRICE, PublishBlockThresholds(0, 7, 0, 3, 0, 1, 1, 0, thresholds)),
    ]
    assert home.ask("GCS01a", *told) == [0] * len(told)
    names = [f"tier_price_{n}" for n in range(1, 5)]
    for device in (GSME, GPF):
        assert home.read("GCS21f", *names, "standing_charge_millipence", to=device) == [
            *prices,
            standing,
        ]
        limits_read = home.read("GCS21f", *(f"block_threshold_{n}" for n in (1, 2, 3)), to=device)
        assert tuple(limits_read) == thresholds
        day, week, seasons, special, price = home.ask(
            "GCS21f",
            (CALENDAR, GetDayProfiles(0, TARIFF_CALENDAR, 1, 0)),
            (CALENDAR, GetWeekProfiles(0, 99, 1, 0)),
            (CALENDAR, GetSeasons(0, TARIFF_CALENDAR)),
            (CALENDAR, GetSpecialDays(0, 0, 0, 0, TARIFF_CALENDAR)),
            (PRICE, GetCurrentPrice(0)),
            to=device,
        )
        assert (day.entries, week.days) == (((0, 2), (600, 3)), (1,) * 7)
        assert (seasons.seasons, special.days) == (((0xFF0101FF, 1),), ((0xFF190C7E, 1),))
        assert (price.price, price.duration_min) == (prices[2], 720)
    seen = home.seen("tier_price_2")
    assert seen is not None
    assert seen.value == prices[1]


def test_a_dated_price_comes_into_force_at_its_date_in_meter_and_mirror() -> None:
    home = Home()
    at = to_zigbee_seconds(UtcMs(home.now + DAY_MS))
    before = home.read("GCS21f", "tier_price_1")
    assert home.ask("GCS01b", *tariff(at, [1, 2, 3, 4], 5)) == [0, 0]
    assert home.read("GCS21f", "tier_price_1") == before
    effects = home.wait(DAY_MS + 1000)
    assert len(notes(effects, "message_sent")) == 2  # 8F66 of both dated components
    for device in (GSME, GPF):
        assert home.read("GCS21f", "tier_price_1", to=device) == [1]
    row = home.ask("GCS15b", (METER, GetSnapshot(0, 0xFFFFFFFF, 0, 0x6008)))[0]
    assert (row.cause, row.at_s) == (8, at)


def test_a_dated_price_that_is_taken_back_never_counts() -> None:
    home = Home()
    at = to_zigbee_seconds(UtcMs(home.now + DAY_MS))
    home.ask("GCS01b", *tariff(at, [1, 2, 3, 4], 5))
    assert home.ask("GCS01b", *tariff(0xFFFFFFFF, [1, 2, 3, 4], 5)) == [0, 0]
    assert notes(home.wait(2 * DAY_MS), "message_sent") == []
    assert home.read("GCS21f", "tier_price_1") != [1]


@pytest.mark.parametrize(("use_case", "control"), [("GCS03", PREPAYMENT), ("GCS02", CREDIT)])
def test_the_payment_mode_is_read_back(use_case: str, control: int) -> None:
    home = Home()
    told = (MONEY_CLUSTER, ChangePaymentMode(0, 7, 0, control, -1))
    [answer] = home.ask(use_case, told)
    assert answer.limit == home.read("GCS21b", "emergency_credit_limit_millipence")[0]
    home.wait(HOUR)
    for device in (GSME, GPF):
        assert home.read("GCS21j", "payment_control", to=device) == [control]
    wrong = "GCS02" if use_case == "GCS03" else "GCS03"
    assert home.ask(wrong, told) != [answer]


@settings(max_examples=examples(4), deadline=None)
@given(money=st.lists(MONEY, min_size=7, max_size=7))
def test_a_prepayment_configuration_is_read_back(money: list[int]) -> None:
    home = Home()
    told = [
        (MONEY_CLUSTER, EmergencyCreditSetup(7, 0, money[0], money[1])),
        (MONEY_CLUSTER, SetOverallDebtCap(0, 7, 0, money[2])),
        (MONEY_CLUSTER, SetLowCreditWarningLevel(money[3])),
        (MONEY_CLUSTER, SetMaximumCreditLimit(0, 7, 0, money[4], money[5])),
        *calendar(3, 98, [(0, 1), (480, 0)]),
    ]
    assert home.ask("GCS05", *told) == [0] * len(told)
    names = [
        "emergency_credit_limit_millipence", "emergency_credit_threshold_millipence",
        "debt_cap_millipence", "low_credit_warning_millipence", "most_balance_millipence",
        "most_top_up_millipence",
    ]  # fmt: skip
    for device in (GSME, GPF):
        assert home.read("GCS21b", *names, to=device) == money[:6]
        asked = (CALENDAR, GetDayProfiles(0, FRIENDLY_CREDIT_CALENDAR, 1, 0))
        [day] = home.ask("GCS21b", asked, to=device)
        assert (day.calendar_type, day.entries) == (3, ((0, 1), (480, 0)))


def prepaid(**attributes: Any) -> Home:
    return Home(payment_control=PREPAYMENT, most_balance_millipence=90_000_000, **attributes)


@settings(max_examples=examples(4), deadline=None)
@given(pence=st.integers(1, 8191), number=st.integers(1, 900))
def test_a_top_up_is_shown_by_balance_and_log_and_taken_once(pence: int, number: int) -> None:
    home = prepaid(credit_millipence=5000)
    before = home.read("GCS60", "credit_millipence")[0]
    home.counter = (number << 32) - 1
    token = make_token(number << 32, pence, SUPPLIER, GSME, supplier_ring())
    assert token is not None
    told = (MONEY_CLUSTER, ConsumerTopUp(0, token.encode()))
    [answer] = home.ask("CS01b", told)
    assert (answer.result, answer.value) == (0, pence * 1000)
    assert home.read("GCS60", "credit_millipence")[0] == before + pence * 1000
    [log] = home.ask("GCS15e", (MONEY_CLUSTER, GetTopUpLog(0xFFFFFFFE, 5)))
    assert log.top_ups[0][:2] == (token.encode(), pence * 1000)
    home.counter = (number + 1 << 32) - 1
    [again] = home.ask("CS01b", told)
    home.counter = (number + 2 << 32) - 1
    spoilt = str((int(token) + 10) % 10**20).zfill(20)
    [wrong] = home.ask("CS01b", (MONEY_CLUSTER, ConsumerTopUp(0, spoilt.encode())))
    assert (again.result, wrong.result) == (1, 1)
    assert home.read("GCS60", "credit_millipence")[0] == before + pence * 1000


@settings(max_examples=examples(4), deadline=None)
@given(amount=st.integers(-(10**6), 10**6))
def test_balances_are_adjusted_and_reset(amount: int) -> None:
    home = prepaid(credit_millipence=5_000_000)
    before = home.read("GCS60", "credit_millipence")[0]
    assert home.ask("GCS40a", (MONEY_CLUSTER, CreditAdjustment(7, 0, 0, amount))) == [0]
    home.wait(0)
    for device in (GSME, GPF):
        assert home.read("GCS60a", "credit_millipence", to=device) == [before + amount]
    assert home.ask("GCS40b", (MONEY_CLUSTER, CreditAdjustment(7, 0, 1, 0))) == [0]
    assert home.read("GCS60", "credit_millipence") == [0]
    assert home.ask("GCS40c", (MONEY_CLUSTER, CreditAdjustment(7, 0, 2, 12345))) == [0]
    assert home.ask("GCS40d", (MONEY_CLUSTER, CreditAdjustment(7, 0, 2, 0))) == [0]
    assert home.read("GCS60", "bill_to_date_millipence") == [0]


@settings(max_examples=examples(4), deadline=None)
@given(amounts=st.lists(MONEY, min_size=3, max_size=3), recovery=st.integers(0, 5000))
def test_debts_are_set_shown_and_recovered(amounts: list[int], recovery: int) -> None:
    home = prepaid(credit_millipence=50_000_000, debt_cap_millipence=1_000_000_000)
    told = [
        ChangeDebt(7, b"", amounts[0], 0, 0, 0, 0, 1, recovery, 0),
        ChangeDebt(7, b"", amounts[1], 0, 2, 0, 0, 3, 0, 0),
        ChangeDebt(7, b"", amounts[2], 1, 4, 0, 0, 0, 1, 250),
    ]
    assert home.ask("GCS04", *[(MONEY_CLUSTER, one) for one in told]) == [0] * 3
    names = ["debt_1_millipence", "debt_2_millipence", "debt_3_millipence"]
    assert home.read("GCS14", *names) == amounts
    read = home.read("GCS21b", "debt_1_recovery_millipence", "debt_2_frequency", "debt_3_share")
    assert read == [recovery, 3, 250]
    home.wait(DAY_MS)
    left = max(0, amounts[0] - recovery)
    for device in (GSME, GPF):
        assert home.read("GCS14", *names, to=device) == [left, *amounts[1:]]
    shown = home.ask("GCS16b", (MONEY_CLUSTER, GetPrepaySnapshot(0, 0xFFFFFFFF, 0, 1)), to=GPF)[0]
    assert shown.debts == (left, *amounts[1:])


def test_emergency_credit_is_granted_once_and_only_below_its_threshold() -> None:
    home = prepaid(credit_millipence=1000)
    asked = (MONEY_CLUSTER, SelectAvailableEmergencyCredit(0, 0))
    assert home.ask("GCS06", asked) == [0]
    limit = home.read("GCS21b", "emergency_credit_limit_millipence")
    assert home.read("GCS14", "emergency_credit_millipence") == limit
    assert home.ask("GCS06", asked) == [0xC0]
    assert prepaid(credit_millipence=10**7).ask("GCS06", asked) == [0xC0]


@settings(max_examples=examples(4), deadline=None)
@given(values=st.lists(st.integers(1, 200_000), min_size=4, max_size=4))
def test_conversion_and_flow_settings_are_read_back(values: list[int]) -> None:
    home = Home()
    factor, calorific, threshold, _ = values
    told = [
        (PRICE, PublishConversionFactor(7, 0, factor, 0x50)),
        (PRICE, PublishCalorificValue(7, 0, calorific, 1, 0x10)),
    ]
    assert home.ask("GCS23", *told) == [0, 0]
    flow = SetUncontrolledFlowThreshold(0, 7, threshold % 65536, 1, 2, 3, 4, 500)
    states = SetSupplyStatus(7, 2, 1, 0, 3)
    for use_case in ("GCS24", "GCS24a"):
        assert home.ask(use_case, (METER, flow), (METER, states)) == [0, 0]
    for device in (GSME, GPF):
        assert home.read("GCS21a", "conversion_factor", "calorific_value", to=device) == [
            factor,
            calorific,
        ]
    home.wait(HOUR)
    names = ["flow_threshold", "flow_multiplier", "flow_divisor", "flow_measurement_s"]
    for device in (GSME, GPF):
        assert home.read("GCS21a", *names, to=device) == [threshold % 65536, 2, 3, 500]
        assert home.read("GCS21m", "tamper_state", "depletion_state", to=device) == [2, 1]


@settings(max_examples=examples(4), deadline=None)
@given(start=U32, duration=st.integers(1, 12), kind=st.sampled_from([1, 2, 3, 0x22, 0x23]))
def test_a_billing_calendar_is_read_back(start: int, duration: int, kind: int) -> None:
    home = Home()
    told = [
        (PRICE, PublishBillingPeriod(0, 7, start, duration, kind, 0)),
        (PRICE, PublishBlockPeriod(0, 7, start, duration, 2, kind, 0, 1)),
    ]
    assert home.ask("GCS25a", *told) == [0, 0]
    for device in (GSME, GPF):
        for use_case in ("GCS21d", "GCS21k"):
            asked = (PRICE, GetBillingPeriod(0, 0xFFFFFFFF, 1, 0))
            [found] = home.ask(use_case, asked, to=device)
            assert (found.start_s, found.duration, found.duration_type) == (start, duration, kind)


def test_names_messages_and_events_are_kept() -> None:
    home = Home()
    assert home.ask("GCS41", (MANAGEMENT, UpdateSiteId(7, 0, 0, b"1234567890"))) == [0]
    assert home.read("GCS46", "mprn") == [b"1234567890"]
    assert home.read("GCS46", "mprn", to=GPF) == [b"1234567890"]
    assert home.ask("GCS36", (MANAGEMENT, UpdateCin(7, 0, 0, b"4321"))) == [0]
    supplier = PublishChangeOfSupplier(0, 7, 0, 0, 0, 0, b"Made Up Gas", b"0800 000")
    assert home.ask("GCS44", (MANAGEMENT, supplier)) == [0]
    shown = DisplayMessage(1, 0, 0, 60, b"Hello", b"\x00")
    assert home.ask("GCS07", (0x0703, shown)) == [0]
    assert home.ask("GCS11", (MANAGEMENT, RequestNewPasswordResponse(7, 0, 0, 2, b""))) == [0]
    for store in (home.meter.model.store, home.hub.gpf.model.store):
        names = ("cin", "supplier_name", "supplier_contact", "message_text")
        kept = [store.octets(name) for name in names]
        assert kept == [b"4321", b"Made Up Gas", b"0800 000", b"Hello"]
    told = SetEventConfiguration(7, 0, 5, 0, b"\x02\x0e\x81\x30\x8f")
    assert home.ask("GCS20", (MANAGEMENT, told)) == [0]
    [found] = home.ask("GCS20r", (MANAGEMENT, GetEventConfiguration(0x810E)))
    assert found.events == ((0x810E, 5),)


def test_the_event_log_is_cleared_and_the_security_log_never() -> None:
    home = Home()
    for security in (False, True):
        home.meter.log(0x8F43, "made up", home.now, security=security)
    asked = {n: (0x0709, GetEventLog(0, n, 0, 0, 0xFFFFFFFF, 0, 0)) for n in (3, 4)}
    assert len(home.ask("CS10a", asked[3])[0].events) == 1
    assert home.ask("CS11", (0x0709, ClearEventLog(4))) == [ClearEventLogResponse(0)]
    assert home.ask("CS11", (0x0709, ClearEventLog(3))) == [ClearEventLogResponse(8)]
    assert home.ask("CS10a", asked[3]) == [0x8B]
    assert len(home.ask("CS10b", asked[4])[0].events) == 1


def test_the_valve_closes_and_arms_remotely_and_opens_by_hand_alone() -> None:
    home = Home()
    state = {"GCS32": SupplyStatus.OFF, "GCS39": SupplyStatus.OFF_ARMED}
    for use_case, status in state.items():
        told = ChangeSupply(0, 7, 0, 0, status, 1)
        home.ask(use_case, (METER, told))
        assert home.read("GCS33", "supply_status") == [int(status)]
        home.wait(HOUR)
        assert home.read("GCS33", "supply_status", to=GPF) == [int(status)]
    before = home.read("GCS13a", "register_dm3")
    home.wait(DAY_MS)
    assert home.read("GCS13a", "register_dm3") == before  # nothing flows past a closed valve
    assert notes(home.meter.open_by_hand(home.now), "valve")
    assert home.read("GCS33", "supply_status") == [2]
    home.wait(DAY_MS)
    assert home.read("GCS13a", "register_dm3") > before


def test_the_network_data_log_samples_what_flows() -> None:
    home = Home()
    told = StartSampling(7, 0, 0, 360, 40)
    assert home.ask("GCS31", (METER, told)) == [StartSamplingResponse(2)]
    before = home.read("GCS13a", "register_dm3")[0]
    home.wait(4 * HOUR)
    after = home.read("GCS13a", "register_dm3")[0]
    [found] = home.ask("GCS18", (METER, GetSampledData(2, 1, 0, 100)))
    assert (found.interval_s, len(found.samples), sum(found.samples)) == (360, 40, after - before)
