"""Top-ups and debts: one account, seen by every read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.crypto.token_memory import KEPT
from emulator.devices.esme import life
from emulator.devices.esme.events import EventCode
from emulator.devices.esme.model.top_ups import TopUpOutcome
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter
from tests.emulator.devices.esme.prepayment_kit import (
    POUND,
    balance,
    events,
    prepaying,
    result_of,
    run,
    shown,
    token,
    top_up,
)
from tests.emulator.devices.kit import (
    OTHER_SUPPLIER,
    notes,
    opened,
)
from tests.sampling import examples

QUICK = settings(max_examples=examples(15), deadline=None)


def test_a_top_up_by_command_is_seen_by_every_read() -> None:
    meter = prepaying()
    effects = top_up(meter, 3, 1500)
    assert result_of(effects) == 0
    assert balance(meter) == shown(meter)[0] == 20 * POUND
    [result] = meter.ask("ECS20d", [meter.selected(OBJECTS.named["credit_log"], 2)])[0].results
    [row] = result.data.value.rows  # type: ignore[union-attr] # a compact array
    assert [cell.value for cell in row.value][1] == 15 * POUND  # type: ignore[union-attr]
    assert notes(effects, "top_up") == [{"outcome": "accepted", "millipence": 15 * POUND}]


def test_a_token_is_taken_once_whichever_way_it_comes() -> None:
    meter = prepaying()
    digits = token(5, 700)
    taken, effects = life.enter_code(meter.device, digits, meter.now)
    assert (taken.outcome, taken.amount) == (TopUpOutcome.ACCEPTED, 7 * POUND)
    assert [one.envelope.header.other.message_code for one in opened(effects)] == [0x1001]
    assert result_of(top_up(meter, 5, 700)) == 1
    assert life.enter_code(meter.device, digits, meter.now)[0].outcome is TopUpOutcome.DUPLICATE
    assert balance(meter) == 12 * POUND
    assert events(meter).count(EventCode.DUPLICATE_TOKEN) == 2


def test_a_token_older_than_all_remembered_ones_is_out_of_date() -> None:
    meter = prepaying(max_balance_millipence=2**31 - 1)
    for counter in range(10, 10 + KEPT):
        assert life.enter_code(meter.device, token(counter, 1), meter.now)[0].amount == 1000
    late = life.enter_code(meter.device, token(9, 1), meter.now)[0]
    assert late.outcome is TopUpOutcome.OUT_OF_DATE
    meter.device.load(meter.device.dump())
    again = life.enter_code(meter.device, token(50, 1), meter.now)[0]
    assert again.outcome is TopUpOutcome.DUPLICATE


@pytest.mark.parametrize(
    ("digits", "outcome"),
    [
        ("12345678901234567890", TopUpOutcome.NOT_AUTHENTIC),
        ("", TopUpOutcome.NOT_AUTHENTIC),
        (token(3, 100, supplier=OTHER_SUPPLIER), TopUpOutcome.NOT_AUTHENTIC),
        (token(3, 30_000), TopUpOutcome.TOO_LARGE),
    ],
)
def test_a_token_that_is_not_good_changes_nothing(digits: str, outcome: TopUpOutcome) -> None:
    meter = prepaying()
    before = shown(meter)
    assert life.enter_code(meter.device, digits, meter.now)[0].outcome is outcome
    assert shown(meter) == before


@QUICK
@given(st.integers(0, 19), st.integers(1, 9))
def test_a_token_with_one_digit_changed_is_refused(at: int, by: int) -> None:
    meter = prepaying()
    digits = token(3, 1500)
    changed = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
    taken, _ = life.enter_code(meter.device, changed, meter.now)
    assert taken.outcome is TopUpOutcome.NOT_AUTHENTIC


def test_entry_by_hand_is_suspended_after_too_many_wrong_tokens() -> None:
    meter = prepaying()
    for _ in range(5):
        life.enter_code(meter.device, "1" * 20, meter.now)
    assert life.enter_code(meter.device, token(1, 1), meter.now)[0].outcome is (
        TopUpOutcome.LOCKED_OUT
    )
    assert result_of(top_up(meter, 2, 100)) == 0
    meter.wait(300_000)
    assert life.enter_code(meter.device, token(1, 1), meter.now)[0].amount == 1000


def test_a_credit_customer_takes_no_token() -> None:
    meter = Meter()
    assert result_of(top_up(meter, 3, 1500)) == 1


def test_a_top_up_that_would_overfill_the_balance_is_refused() -> None:
    meter = prepaying(max_balance_millipence=6 * POUND)
    assert result_of(top_up(meter, 3, 101)) == 1
    assert result_of(top_up(meter, 4, 100)) == 0
    assert EventCode.BALANCE_WOULD_EXCEED in events(meter)


# -- debts ---------------------------------------------------------------------------------------


def test_a_payment_debt_takes_its_share_up_to_its_cap() -> None:
    meter = prepaying(
        payment_debt_millipence=9 * POUND, debt_per_payment=5000, debt_recovery_cap=300
    )
    top_up(meter, 3, 400)
    assert shown(meter)[4] == 7 * POUND
    top_up(meter, 4, 400)
    assert shown(meter)[4] == 6 * POUND  # three pounds a week at most
    assert balance(meter) == (5 + 4 + 4 - 3) * POUND
    [result] = meter.ask("ECS20a", [meter.selected(OBJECTS.named["debt_payment_log"], 2)])[
        0
    ].results
    amounts = [row.value[1].value for row in result.data.value.rows]  # type: ignore[union-attr,index]
    assert amounts == [2 * POUND, 1 * POUND]
    run(meter, 8 * 24)
    top_up(meter, 5, 1200)
    assert shown(meter)[4] == 3 * POUND


def test_a_time_debt_is_collected_daily_and_told_of_when_it_is_paid() -> None:
    rate = [[0, -5], [0, "0-0:0.0.0.0", 0], 20_000]
    meter = prepaying(
        debt1_millipence=50_000, debt_rate_1=rate, meter_balance_millipence=50 * POUND
    )
    run(meter, 48)
    assert shown(meter)[2] == 10_000
    run(meter, 24)
    assert shown(meter)[2] == 0
    assert EventCode.DEBT_1_COLLECTED in events(meter)
