"""Emergency credit, disablement and reconnection; whatever happens, the account agrees."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from device_profiles.words import SupplyState
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.dlms.shapes import make, shape_of
from emulator.codecs.gbcs.dates import NOW
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.devices.consumption import DAY_MS, HALF_HOUR_MS
from emulator.devices.esme import life
from emulator.devices.esme.events import EventCode
from emulator.devices.esme.life import Button
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of, number
from tests.emulator.devices.esme.prepayment_kit import (
    POUND,
    balance,
    events,
    prepaying,
    run,
    run_half_hours,
    shown,
    switch_of,
    token,
    top_up,
)
from tests.emulator.devices.kit import (
    START,
    opened,
)
from tests.sampling import examples

INT8 = Data(Tag.INT8, 0)
AT_ONCE = axdr.octets(NOW)


def test_supply_ends_when_credit_does_and_comes_back_by_hand() -> None:
    free = [[0, -5], [0, "0-0:0.0.0.0", 0], 0]
    meter = prepaying(meter_balance_millipence=20_000, standing_charge=free)
    effects = run(meter, 24)
    assert switch_of(meter) is SupplyState.OFF
    assert -3000 <= balance(meter) <= 0
    codes = events(meter)
    for code in (
        EventCode.LOW_CREDIT, EventCode.EMERGENCY_CREDIT_AVAILABLE,
        EventCode.CREDIT_BELOW_DISABLEMENT,
    ):  # fmt: skip
        assert codes.count(code) == 1
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, 0)
    before = number(meter.read("ECS17a", "active_export_wh")), balance(meter)
    assert not life.press(meter.device, Button.ENABLE_SUPPLY, meter.now)[0]
    run(meter, 1)
    assert balance(meter) == before[1]
    top_up(meter, 3, 500)
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, 2)
    assert EventCode.SUPPLY_ARMED in events(meter)
    assert life.press(meter.device, Button.ENABLE_SUPPLY, meter.now)[0]
    assert meter.read("ECS45", "switch_state") == Data(Tag.ENUM, 1)
    sent = {one.envelope.header.other.message_code for one in opened(effects)}
    assert sent == {0x1000}


def test_emergency_credit_lasts_on_and_is_repaid_first() -> None:
    meter = prepaying(
        meter_balance_millipence=10_000, emergency_credit_limit_millipence=5 * POUND,
        standing_charge=[[0, -5], [0, "0-0:0.0.0.0", 0], 0],
    )  # fmt: skip
    assert life.press(meter.device, Button.ACTIVATE_EMERGENCY_CREDIT, meter.now)[0]
    assert not life.press(meter.device, Button.ACTIVATE_EMERGENCY_CREDIT, meter.now)[0]
    run(meter, 24)
    left = shown(meter)[1]
    assert 0 < left < 5 * POUND
    assert (balance(meter), switch_of(meter)) == (0, SupplyState.ON)
    top_up(meter, 3, 100)
    assert (balance(meter), shown(meter)[1]) == (0, left + POUND)
    top_up(meter, 4, 1000)
    assert (balance(meter), shown(meter)[1]) == (11 * POUND - (5 * POUND - left), 0)


def test_emergency_credit_that_is_used_up_ends_supply() -> None:
    meter = prepaying(meter_balance_millipence=10_000, emergency_credit_limit_millipence=20_000)
    row = OBJECTS.named["emergency_credit_invoke"]
    assert meter.ask("ECS09", [item_of(row, INT8)])[0].results[0].result == 0
    run(meter, 24)
    assert (switch_of(meter), shown(meter)[1]) == (SupplyState.OFF, 0)
    assert EventCode.EMERGENCY_CREDIT_EXHAUSTED in events(meter)


def test_supply_goes_on_in_a_non_disablement_period_and_ends_after_it() -> None:
    """The test meter begins on a Saturday at noon; weekends are free of disablement here."""
    calendar = [
        [1, True, "0-0:10.0.106.255", 32, "00:00:00", 65535, "0000011", "", "2024-01-01",
         "2024-12-31"],
        [2, True, "0-0:10.0.106.255", 33, "08:00:00", 65535, "1111100", "", "2024-01-01",
         "2024-12-31"],
    ]  # fmt: skip
    meter = prepaying(meter_balance_millipence=1000, non_disablement_calendar=calendar)
    run(meter, 43)
    assert switch_of(meter) is SupplyState.ON
    assert balance(meter) < 0
    assert EventCode.DISABLEMENT_SUSPENDED in events(meter)
    run(meter, 1)
    assert switch_of(meter) is SupplyState.OFF


def test_a_switch_to_credit_mode_arms_and_settles_emergency_credit() -> None:
    meter = prepaying(meter_balance_millipence=1000, emergency_credit_limit_millipence=20_000)
    life.press(meter.device, Button.ACTIVATE_EMERGENCY_CREDIT, meter.now)
    run(meter, 24)
    before = shown(meter)
    assert switch_of(meter) is SupplyState.OFF
    mode = make(shape_of("payment_mode"), [1, 1])
    meter.set("ECS02", passive_payment_mode=mode, account_activation=AT_ONCE)
    after = shown(meter)
    assert after[0] == before[0] + before[1] - 20_000
    assert after[1] == 0
    assert switch_of(meter) is SupplyState.ARMED


def test_what_falls_due_without_credit_waits_where_the_links_say_so() -> None:
    links = [
        ["0-0:19.10.0.255", "0-0:19.20.0.255", "111"],
        ["0-0:19.10.2.255", "0-0:19.20.4.255", "111"],
    ]
    meter = prepaying(meter_balance_millipence=0, credit_charges=links)
    run(meter, 48)
    assert meter.device.model.ledger.account.parts["accumulated_debt"] == 50_000
    assert shown(meter)[5] == 50_000
    top_up(meter, 3, 100)
    assert shown(meter)[5] == 0


# -- the account agrees with itself ----------------------------------------------------------------


class Accounts(RuleBasedStateMachine):
    """Whatever happens, what came in is what was used, is owed, or is there."""

    def __init__(self) -> None:
        super().__init__()
        self.meter = prepaying(
            debt1_millipence=3 * POUND, payment_debt_millipence=2 * POUND, debt_per_payment=2500,
            debt_rate_1=[[0, -5], [0, "0-0:0.0.0.0", 0], 30_000],
        )  # fmt: skip
        self.paid_in = 0
        self.counter = 1
        self.start = self._worth()
        self.used = self._cost()

    def _worth(self) -> int:
        account = self.meter.device.model.ledger.account
        self.meter.device.model.ledger.settle(self.meter.now)
        parts = account.parts
        owed = sum(parts[name] for name in ("debt1", "debt2", "payment_debt", "accumulated_debt"))
        return parts["balance"] + parts["emergency_credit"] - account.granted - owed

    def _cost(self) -> int:
        """What was used, from the registers and the prices of the catalogue's tariff."""
        self.meter.device.model.ledger.settle(self.meter.now)
        tou = self.meter.device.model.ledger.tou
        return tou.get(0, 0) * 20_000 + tou.get(1, 0) * 25_000

    @rule(pence=st.integers(1, 3000))
    def top_up(self, pence: int) -> None:
        self.counter += 1
        taken, _ = life.enter_code(self.meter.device, token(self.counter, pence), self.meter.now)
        self.paid_in += taken.amount

    @rule(button=st.sampled_from(list(Button)))
    def press(self, button: Button) -> None:
        life.press(self.meter.device, button, self.meter.now)

    @rule(mode=st.sampled_from([1, 2]))
    def change_mode(self, mode: int) -> None:
        use_case = "ECS02" if mode == 1 else "ECS03"
        value = make(shape_of("payment_mode"), [mode, mode])
        self.meter.set(use_case, passive_payment_mode=value, account_activation=AT_ONCE)

    @rule(half_hours=st.integers(1, 100))
    def pass_time(self, half_hours: int) -> None:
        run_half_hours(self.meter, half_hours)

    @rule(half_hours=st.integers(1, 60))
    def lose_power(self, half_hours: int) -> None:
        """Another device takes over what the meter's memory holds."""
        self.meter.device.handle(DeviceEvent.POWER_OFF, None, self.meter.now)
        state = json.loads(json.dumps(self.meter.device.dump()))
        network = self.meter.device.network
        self.meter.device = prepaying().device
        self.meter.device.network = network
        self.meter.device.load(state)
        self.meter.now = UtcMs(self.meter.now + half_hours * HALF_HOUR_MS)
        self.meter.device.handle(DeviceEvent.POWER_ON, None, self.meter.now)

    @invariant()
    def nothing_is_lost(self) -> None:
        days = self.meter.now // DAY_MS - START // DAY_MS
        cost = (self._cost() - self.used) // 1000 + days * 25_000
        assert abs(self.start + self.paid_in - cost - self._worth()) <= 2

    @invariant()
    def reads_agree(self) -> None:
        assert shown(self.meter)[0] == balance(self.meter)


Accounts.TestCase.settings = settings(
    max_examples=examples(5), stateful_step_count=12, deadline=None
)
test_accounts_agree = Accounts.TestCase


def test_message_code_of_top_ups_is_in_the_table() -> None:
    assert MessageCode.CS01A in Meter().device.use_cases
