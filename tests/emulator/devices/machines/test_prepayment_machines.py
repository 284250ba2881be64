"""Whatever order tokens, buttons, modes, the switch and power come in, no money comes or goes."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from device_profiles.words import SupplyState
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.zcl.account import ChangePaymentMode, ConsumerTopUp
from emulator.codecs.zcl.prepayment import PREPAYMENT
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.token_memory import KEPT
from emulator.devices.consumption import HALF_HOUR_MS
from emulator.devices.esme import life
from emulator.devices.esme.life import Button
from emulator.devices.hands import by_hand
from tests.emulator.devices.esme.prepayment_kit import result_of, run_half_hours, token, top_up
from tests.emulator.devices.esme.test_esme_supply import Accounts
from tests.emulator.devices.gas.gas_kit import Home, supplier_ring
from tests.emulator.devices.kit import GSME, SUPPLIER, notes
from tests.sampling import examples

COUNTERS = st.integers(2, 40)
MONEY = 0x0705
LOCKED_MS = 300_000
CREDIT = 0
POUND = 100_000


class EsmeTokens(Accounts):
    """An ESME whose tokens come again, out of order and damaged; and whose switch is ordered."""

    def __init__(self) -> None:
        super().__init__()
        self.meter.device.model.put("max_balance_millipence", 2**31 - 1)
        self.meter.device.model.put("meter_balance_millipence", 20_000)
        self.meter.device.model.put("emergency_credit_limit_millipence", 5 * POUND)
        self.start = self._worth()
        self.used = self._cost()
        self.kept: set[int] = set()
        self.failures = 0
        self.locked_until = 0
        self.mode = 2

    def _due(self, counter: int, *, local: bool) -> str:
        """The model: what must become of a good token."""
        if local and self.meter.now < self.locked_until:
            return "entry suspended"
        if counter in self.kept:
            return "duplicate"
        if len(self.kept) >= KEPT and counter < min(self.kept):
            return "out of date"
        return "accepted" if self.mode == 2 else "not in prepayment mode"

    def _count(self, outcome: str) -> None:
        """The model: five refused tokens in a row suspend entry by hand."""
        if outcome == "entry suspended":
            return
        self.failures = 0 if outcome == "accepted" else self.failures + 1
        if self.failures == 5:
            self.failures, self.locked_until = 0, self.meter.now + LOCKED_MS

    @rule(pence=st.integers(1, 3000), counter=COUNTERS)
    def top_up(self, pence: int, counter: int = 2) -> None:
        """A token from the keypad."""
        due = self._due(counter, local=True)
        handled = life.enter_code(self.meter.device, token(counter, pence), self.meter.now)[0]
        assert handled.outcome.value == due
        assert handled.amount == (pence * 1000 if due == "accepted" else 0)
        self._count(due)
        self._keep(counter, pence, due)

    @rule(pence=st.integers(1, 3000), counter=COUNTERS)
    def top_up_by_command(self, pence: int, counter: int) -> None:
        """CS01a; a counter that is not above the last is no fresh command at all."""
        due = self._due(counter, local=False)
        effects = top_up(self.meter, counter, pence)
        if notes(effects, "message_refused"):
            return
        assert (result_of(effects) == 0) == (due == "accepted")
        self.failures = 0 if due == "accepted" else self.failures
        self._keep(counter, pence, due)

    def _keep(self, counter: int, pence: int, due: str) -> None:
        if due == "accepted":
            self.kept.add(counter)
            self.paid_in += pence * 1000

    @rule(counter=COUNTERS, at=st.integers(0, 19), by=st.integers(1, 9))
    def enter_damaged(self, counter: int, at: int, by: int) -> None:
        digits = token(counter, 100)
        changed = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
        suspended = self.meter.now < self.locked_until
        outcome = life.enter_code(self.meter.device, changed, self.meter.now)[0].outcome.value
        assert outcome == ("entry suspended" if suspended else "not authentic")
        self._count(outcome)

    @rule(mode=st.sampled_from([1, 2]))
    def change_mode(self, mode: int) -> None:
        super().change_mode(mode)
        self.mode = mode

    @rule(leave=st.booleans())
    def live_on_emergency_credit(self, leave: bool) -> None:
        """Run low, take emergency credit, use some of it, and perhaps go back to credit mode."""
        run_half_hours(self.meter, 40)
        life.press(self.meter.device, Button.ACTIVATE_EMERGENCY_CREDIT, self.meter.now)
        life.press(self.meter.device, Button.ENABLE_SUPPLY, self.meter.now)
        run_half_hours(self.meter, 20)
        if leave:
            super().change_mode(1)
            self.mode = 1

    @rule(use_case=st.sampled_from(["ECS43", "ECS44"]))
    def order_switch(self, use_case: str) -> None:
        self.meter.set(use_case, switch_script=Data(Tag.UINT16, 52))
        state = self.meter.device.switch
        assert state is not SupplyState.ON

    @rule(half_hours=st.integers(1, 100))
    def pass_time(self, half_hours: int) -> None:
        """A supply that is off or armed stays so, and nothing is counted."""
        before = self.meter.device.switch, self._cost()
        run_half_hours(self.meter, half_hours)
        if before[0] is not SupplyState.ON:
            assert self.meter.device.switch is not SupplyState.ON
            assert self._cost() == before[1]


EsmeTokens.TestCase.settings = settings(
    max_examples=examples(20), stateful_step_count=15, deadline=None
)
test_esme_tokens_and_switch = EsmeTokens.TestCase


class GasAccounts(RuleBasedStateMachine):
    """A gas meter: credit less what is owed is what was paid in less what was billed."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Home(
            payment_control=PREPAYMENT, credit_millipence=2 * POUND, tier_price_1=9000,
            debt_1_millipence=3 * POUND, debt_1_recovery_millipence=5000, debt_1_frequency=1,
            debt_3_millipence=POUND, debt_3_share=2500, debt_cap_millipence=10 * POUND,
            billing_start="2024-05-31T00:00:00", billing_duration=200, billing_duration_type=1,
        )  # fmt: skip
        self.paid_in = self.billed = 0
        self.kept: set[int] = set()
        self.mode = PREPAYMENT
        self.bill = self._parts()["bill"]
        self.start = self._worth()

    def _parts(self) -> dict[str, int]:
        ledger = self.home.meter.model.ledger
        ledger.settle(self.home.now)
        return dict(ledger.account.parts)

    def _worth(self) -> int:
        parts = self._parts()
        owed = sum(parts[name] for name in ("accumulated", "debt1", "debt2", "debt3"))
        return parts["credit"] - owed

    def _look(self) -> None:
        """Count what was billed while the customer prepaid."""
        bill = self._parts()["bill"]
        assert bill >= self.bill
        if self.mode == PREPAYMENT:
            self.billed += bill - self.bill
        self.bill = bill

    @rule(counter=COUNTERS, pence=st.integers(1, 3000))
    def enter(self, counter: int, pence: int) -> None:
        digits = make_token(counter << 32, pence, SUPPLIER, GSME, supplier_ring())
        assert digits is not None
        handled = by_hand(self.home.meter, digits, self.home.now)
        assert handled.done == (counter not in self.kept), handled
        if handled.done:
            self.kept.add(counter)
            self.paid_in += pence * 1000

    @rule(counter=COUNTERS, pence=st.integers(1, 3000))
    def command(self, counter: int, pence: int) -> None:
        """CS01b: its counter is the token's; one that is not above the last is refused."""
        digits = make_token(counter << 32, pence, SUPPLIER, GSME, supplier_ring())
        assert digits is not None
        self.home.counter, kept = (counter << 32) - 1, self.home.counter
        highest = self.home.meter.accepted.get(f"{SUPPLIER.hex}/command/top-up", -1)
        try:
            if counter << 32 <= highest:
                return
            [answer] = self.home.ask("CS01b", (MONEY, ConsumerTopUp(1, digits.encode())))
        finally:
            self.home.counter = kept
        assert (answer.result == 0) == (counter not in self.kept)
        if answer.result == 0:
            self.kept.add(counter)
            self.paid_in += pence * 1000

    @rule(order=st.sampled_from(["emergency-credit", "enable-supply"]))
    def press(self, order: str) -> None:
        before = self.home.meter.valve
        done = by_hand(self.home.meter, order, self.home.now).done
        if order == "enable-supply":
            assert done == (before is SupplyState.ARMED)

    @rule(mode=st.sampled_from([CREDIT, PREPAYMENT]))
    def change_mode(self, mode: int) -> None:
        self._look()
        use_case = "GCS03" if mode == PREPAYMENT else "GCS02"
        self.home.ask(use_case, (MONEY, ChangePaymentMode(0, 7, 0, mode, -1)))
        self.mode = mode

    @rule(half_hours=st.integers(1, 100))
    def pass_time(self, half_hours: int) -> None:
        """A closed or armed valve never opens by itself."""
        closed = self.home.meter.valve is not SupplyState.ON
        self.home.wait(half_hours * HALF_HOUR_MS)
        if closed:
            assert self.home.meter.valve is not SupplyState.ON

    @rule()
    def lose_power(self) -> None:
        self.home.meter.handle(DeviceEvent.POWER_OFF, None, self.home.now)
        self.home.meter.load(self.home.meter.dump())
        self.home.now = UtcMs(self.home.now + HALF_HOUR_MS)
        self.home.meter.handle(DeviceEvent.POWER_ON, None, self.home.now)
        self.home.meter.clock_reliable = True

    @invariant()
    def nothing_is_lost(self) -> None:
        self._look()
        assert self._worth() == self.start + self.paid_in - self.billed

    @invariant()
    def no_emergency_credit_out_of_nothing(self) -> None:
        parts = self._parts()
        limit = self.home.meter.model.store.number("emergency_credit_limit_millipence")
        assert 0 <= parts["emergency"] <= limit


GasAccounts.TestCase.settings = settings(
    max_examples=examples(20), stateful_step_count=15, deadline=None
)
test_gas_accounts = GasAccounts.TestCase
