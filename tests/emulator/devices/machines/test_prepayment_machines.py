"""Whatever order tokens, buttons, modes, the switch and power come in, no money comes or goes."""

import json

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from device_profiles.words import DeviceType, RemoteParty, SupplyState
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs import gbz
from emulator.codecs.gbcs.gbz import GbzComponent, GbzMessage
from emulator.codecs.gbcs.metering import SupplyStatus
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.codecs.zcl import gas
from emulator.codecs.zcl.account import ChangePaymentMode, ConsumerTopUp
from emulator.codecs.zcl.metering import ChangeSupply
from emulator.codecs.zcl.prepayment import PREPAYMENT
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent
from emulator.crypto.keystore import KeyStore
from emulator.crypto.prepayment_token import make_token
from emulator.crypto.protection import KeyRing
from emulator.crypto.token_memory import KEPT
from emulator.devices.consumption import HALF_HOUR_MS
from emulator.devices.credentials.holders import network_with
from emulator.devices.esme import life
from emulator.devices.esme.life import Button
from emulator.devices.esme.model import supply
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.hands import by_hand
from tests.emulator.devices.esme.prepayment_kit import (
    prepayment_keys,
    result_of,
    run_half_hours,
    token,
    top_up,
)
from tests.emulator.devices.esme.test_esme_supply import Accounts
from tests.emulator.devices.gas.gas_kit import Home, answer_of, supplier_ring
from tests.emulator.devices.kit import (
    GSME,
    OTHER_SUPPLIER,
    SUPPLIER,
    build,
    command,
    notes,
    opened,
)
from tests.sampling import examples

COUNTERS = st.one_of(st.integers(2, 5), st.integers(2, 40))
MONEY, METERING = 0x0705, 0x0702
LOCKED_MS = 300_000
CREDIT = 0
POUND = 100_000


class EsmeTokens(Accounts):
    """An ESME whose tokens come again, out of order and damaged; and whose switch is ordered."""

    def __init__(self) -> None:
        super().__init__()
        model = self.meter.device.model
        model.put("max_balance_millipence", 2**31 - 1)
        model.put("meter_balance_millipence", 20_000)
        model.put("emergency_credit_limit_millipence", 5 * POUND)
        model.put("debt_recovery_cap", 0xFFFF)
        self.start = self._worth()
        self.used = self._cost()
        self.kept: set[int] = set()
        self.failures = 0
        self.locked_until = 0
        self.mode = 2
        self.supplier = SUPPLIER
        self.highest = -1
        self.before = self.meter.device.switch
        self.enabled = False

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

    def _parts(self) -> dict[str, int]:
        """Money now, with what is owed of emergency credit."""
        ledger = self.meter.device.model.ledger
        ledger.settle(self.meter.now)
        return {**ledger.account.parts, "owed": ledger.account.owed_emergency}

    def _keep(self, counter: int, pence: int, due: str, before: dict[str, int]) -> None:
        """The model: where the money goes, in its order."""
        amount = pence * 1000 if due == "accepted" else 0
        if due == "accepted":
            self.kept = set(sorted({*self.kept, counter})[-KEPT:])
            self.paid_in += amount
        share = min(amount // 4, before["payment_debt"])
        waited = min(max(before["accumulated_debt"], 0), amount - share)
        repaid = min(before["owed"], amount - share - waited)
        after = self._parts()
        assert after["payment_debt"] == before["payment_debt"] - share
        assert after["accumulated_debt"] == before["accumulated_debt"] - waited
        assert after["owed"] == before["owed"] - repaid
        if before["owed"] == repaid and before["owed"]:
            assert after["emergency_credit"] == 0
            return
        assert after["balance"] == before["balance"] + amount - share - waited - repaid

    @rule(pence=st.integers(1, 3000), counter=COUNTERS)
    def top_up(self, pence: int, counter: int = 2) -> None:
        """A token from the keypad."""
        before = self._parts()
        due = self._due(counter, local=True)
        digits = token(counter, pence, self.supplier)
        handled = life.enter_code(self.meter.device, digits, self.meter.now)[0]
        assert handled.outcome.value == due
        assert handled.amount == (pence * 1000 if due == "accepted" else 0)
        self._count(due)
        self._keep(counter, pence, due, before)

    @rule(pence=st.integers(1, 3000), counter=COUNTERS)
    def top_up_by_command(self, pence: int, counter: int) -> None:
        """CS01a; a counter that is not above the last is no fresh command at all."""
        before = self._parts()
        due = self._due(counter, local=False)
        effects = top_up(self.meter, counter, pence)
        fresh = self.supplier == SUPPLIER and counter > self.highest
        assert bool(notes(effects, "message_refused")) == (not fresh)
        if not fresh:
            return
        self.highest = counter
        assert (result_of(effects) == 0) == (due == "accepted")
        self.failures = 0 if due == "accepted" else self.failures
        self._keep(counter, pence, due, before)

    @rule(counter=COUNTERS, at=st.integers(0, 19), by=st.integers(1, 9))
    def enter_damaged(self, counter: int, at: int, by: int) -> None:
        digits = token(counter, 100, self.supplier)
        changed = digits[:at] + str((int(digits[at]) + by) % 10) + digits[at + 1 :]
        self._refuse(changed)

    @rule(counter=COUNTERS)
    def enter_token_of_another_supplier(self, counter: int) -> None:
        other = OTHER_SUPPLIER if self.supplier == SUPPLIER else SUPPLIER
        self._refuse(token(counter, 100, other))

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def enter_an_old_token_after_an_outage(self, data: st.DataObject) -> None:
        self.lose_power(0)
        self.top_up(100, data.draw(st.sampled_from(sorted(self.kept))))

    @rule(loses=st.booleans())
    def fail_until_entry_is_suspended(self, loses: bool) -> None:
        for by in range(1, 6):
            self.enter_damaged(3, 4, by)
        if loses:
            self.lose_power(0)
        self.top_up(100, 7)

    def _refuse(self, digits: str) -> None:
        suspended = self.meter.now < self.locked_until
        outcome = life.enter_code(self.meter.device, digits, self.meter.now)[0].outcome.value
        assert outcome == ("entry suspended" if suspended else "not authentic")
        self._count(outcome)

    @rule(changes=st.booleans())
    def change_supplier(self, changes: bool) -> None:
        """As CS02b does it: the meter knows another supplier; its memory of tokens stays."""
        if changes:
            self.supplier = OTHER_SUPPLIER if self.supplier == SUPPLIER else SUPPLIER
        device = self.meter.device
        supplier = RemoteParty.SUPPLIER
        device.network = network_with(device.network, device.eui64, supplier, self.supplier)

    @precondition(lambda self: self.supplier == SUPPLIER)
    @rule(mode=st.sampled_from([1, 2]))
    def change_mode(self, mode: int) -> None:
        """Credit customers owe no emergency credit: it is settled with the balance."""
        before = self._parts()
        super().change_mode(mode)
        self.mode = mode
        after = self._parts()
        owed = before["owed"] if mode == 1 else 0
        assert after["balance"] == before["balance"] - owed
        assert after["owed"] == before["owed"] - owed
        assert [after[part] for part in _DEBTS] == [before[part] for part in _DEBTS]

    @precondition(lambda self: self.supplier == SUPPLIER)
    @rule(leave=st.booleans())
    def live_on_emergency_credit(self, leave: bool) -> None:
        """Run low, take emergency credit, use some of it, and perhaps go back to credit mode."""
        run_half_hours(self.meter, 40)
        self.press(Button.ACTIVATE_EMERGENCY_CREDIT)
        self.press(Button.ENABLE_SUPPLY)
        run_half_hours(self.meter, 20)
        if leave:
            self.change_mode(1)

    @rule(button=st.sampled_from(list(Button)))
    def press(self, button: Button) -> None:
        """The model: who gets emergency credit, and that an armed supply alone is switched on."""
        before, switch = self._parts(), self.meter.device.switch
        granted = self.meter.device.model.ledger.account.granted
        store = self.meter.device.model.store
        low = before["balance"] <= store.number("emergency_credit_threshold_millipence")
        done, _ = life.press(self.meter.device, button, self.meter.now)
        if button is Button.ENABLE_SUPPLY:
            assert done == (switch is SupplyState.ARMED)
            self.enabled = self.enabled or done
            return
        assert done == (self.mode == 2 and low and not granted)
        after = self._parts()
        assert after["emergency_credit"] == (5 * POUND if done else before["emergency_credit"])
        assert after["balance"] == before["balance"]

    @precondition(lambda self: self.supplier == SUPPLIER)
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

    @invariant()
    def reads_agree(self) -> None:
        """Looked at when all is over: reads cost more than all else."""

    def teardown(self) -> None:
        if self.supplier == SUPPLIER:
            super().reads_agree()

    @invariant()
    def supply_comes_back_by_hand_alone(self) -> None:
        switch, enabled = self.meter.device.switch, self.enabled
        if switch is SupplyState.ON and self.before is not SupplyState.ON:
            assert enabled
        self.before, self.enabled = switch, False

    @invariant()
    def who_has_nothing_left_is_off(self) -> None:
        parts, device = self._parts(), self.meter.device
        nothing = parts["balance"] <= 0 and parts["emergency_credit"] <= 0
        if self.mode == 2 and nothing and device.switch is SupplyState.ON:
            assert supply.in_non_disablement(device.model, self.meter.now)


_DEBTS = ("debt1", "debt2", "payment_debt", "accumulated_debt")

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
        others = KeyStore([e for e in prepayment_keys().entries() if e.eui64 == OTHER_SUPPLIER])
        self.makers = KeyRing(supplier_ring().keystore.merged(others))
        self.home.meter.take_ring(KeyRing(self.home.meter.ring.keystore.merged(others.public())))
        self.paid_in = self.billed = 0
        self.kept: set[int] = set()
        self.highest = -1
        self.supplier = SUPPLIER
        self.mode = PREPAYMENT
        self.bill = self._parts()["bill"]
        self.start = self._worth()
        self.before = self.home.meter.valve
        self.opened = False

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

    def _keep(self, counter: int, pence: int, before: dict[str, int]) -> None:
        """The model: what was lent is paid back first, a quarter goes to the third debt."""
        self.kept.add(counter)
        amount = pence * 1000
        self.paid_in += amount
        after = self._parts()
        back = min(before["accumulated"], amount)
        share = min(amount // 4, before["debt3"])
        assert after["accumulated"] == before["accumulated"] - back
        paid = before["debt3"] - after["debt3"]
        assert paid <= share
        assert paid == share or self._recovered_this_week() >= 10 * POUND
        assert after["credit"] == before["credit"] + amount - back - paid

    def _recovered_this_week(self) -> int:
        recovered: int = self.home.meter.model.ledger.recovered
        return recovered

    @rule(counter=COUNTERS, pence=st.integers(1, 3000), other=st.booleans())
    def enter(self, counter: int, pence: int, other: bool) -> None:
        """A token by hand: of the supplier, or of another one, which is nothing."""
        maker = OTHER_SUPPLIER if other else SUPPLIER
        digits = make_token(counter << 32, pence, maker, GSME, self.makers)
        assert digits is not None
        before = self._parts()
        handled = by_hand(self.home.meter, digits, self.home.now)
        fits = maker == self.supplier and counter not in self.kept
        assert handled.done == fits, handled
        if handled.done:
            self._keep(counter, pence, before)

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def enter_an_old_token_after_an_outage(self, data: st.DataObject) -> None:
        self.lose_power(0)
        old = data.draw(st.sampled_from(sorted(self.kept)))
        self.enter(old, 100, self.supplier == OTHER_SUPPLIER)

    @rule(counter=COUNTERS, pence=st.integers(1, 3000))
    def command(self, counter: int, pence: int) -> None:
        """CS01b: its counter is the token's; one that is not above the last is refused."""
        digits = make_token(counter << 32, pence, SUPPLIER, GSME, supplier_ring())
        assert digits is not None
        before = self._parts()
        sent = self._cs01b(counter, digits)
        effects = self.home.through(sent, GSME)
        fresh = self.supplier == SUPPLIER and counter > self.highest
        found = [one for one in opened(effects) if one.row.use_case == "CS01b"]
        assert bool(found) == fresh
        if not found:
            return
        self.highest = counter
        [component] = gbz.decode(found[0].envelope.payload).components
        answer = answer_of(component, component.payload)
        assert (answer.result == 0) == (counter not in self.kept)
        if answer.result == 0:
            self._keep(counter, pence, before)

    def _cs01b(self, counter: int, digits: str) -> bytes:
        head = gas.encode(MONEY, ConsumerTopUp(1, digits.encode()), 0, quiet=False)
        component = GbzComponent(MONEY, head[0], head[1], head[2], head[3:])
        octets = gbz.encode(GbzMessage((component,)))
        return command(MessageCode.CS01B, GSME, octets, counter=counter << 32)

    @rule(order=st.sampled_from(["emergency-credit", "enable-supply"]))
    def press(self, order: str) -> None:
        valve, before = self.home.meter.valve, self._parts()
        done = by_hand(self.home.meter, order, self.home.now).done
        if order == "enable-supply":
            assert done == (valve is SupplyState.ARMED)
            self.opened = self.opened or done
            return
        store = self.home.meter.model.store
        low = before["credit"] <= store.number("emergency_credit_threshold_millipence")
        left = before["emergency"] > 0
        assert done == (self.mode == PREPAYMENT and low and not left)
        limit = store.number("emergency_credit_limit_millipence")
        assert self._parts()["emergency"] == (limit if done else before["emergency"])

    @rule(half_hours=st.integers(100, 400))
    def live_on_emergency_credit(self, half_hours: int) -> None:
        self.pass_time(half_hours)
        self.press("emergency-credit")
        self.press("enable-supply")
        self.pass_time(half_hours)

    @rule(changes=st.booleans())
    def change_supplier(self, changes: bool) -> None:
        """As CS02b does it: the meter knows another supplier; its memory of tokens stays."""
        if changes:
            self.supplier = OTHER_SUPPLIER if self.supplier == SUPPLIER else SUPPLIER
        self._tell_of_supplier()

    def _tell_of_supplier(self) -> None:
        meter = self.home.meter
        meter.network = network_with(
            meter.network, meter.eui64, RemoteParty.SUPPLIER, self.supplier
        )

    @precondition(lambda self: self.supplier == SUPPLIER)
    @rule(mode=st.sampled_from([CREDIT, PREPAYMENT]))
    def change_mode(self, mode: int) -> None:
        self._look()
        before = self._parts()
        use_case = "GCS03" if mode == PREPAYMENT else "GCS02"
        self.home.ask(use_case, (MONEY, ChangePaymentMode(0, 7, 0, mode, -1)))
        self.mode = mode
        assert self._parts() == before

    @precondition(lambda self: self.supplier == SUPPLIER)
    @rule(use_case=st.sampled_from(["GCS32", "GCS39"]))
    def order_valve(self, use_case: str) -> None:
        """7.2 closes and 7.3 arms; neither opens."""
        proposed = SupplyStatus.OFF if use_case == "GCS32" else SupplyStatus.OFF_ARMED
        self.home.ask(use_case, (METERING, ChangeSupply(0, 7, 0, 0, proposed, 1)))
        due = SupplyState.OFF if use_case == "GCS32" else SupplyState.ARMED
        assert self.home.meter.valve is due

    @rule(half_hours=st.integers(1, 100))
    def pass_time(self, half_hours: int) -> None:
        """A closed or armed valve never opens by itself."""
        closed = self.home.meter.valve is not SupplyState.ON
        self.home.wait(half_hours * HALF_HOUR_MS)
        if closed:
            assert self.home.meter.valve is not SupplyState.ON
        elif self.mode == PREPAYMENT:
            parts = self._parts()
            assert (self.home.meter.valve is SupplyState.ON) == (
                parts["credit"] > 0 or parts["emergency"] > 0
            )

    @rule(half_hours=st.integers(1, 60))
    def lose_power(self, half_hours: int) -> None:
        """Another device takes over what the meter's memory holds."""
        old = self.home.meter
        old.handle(DeviceEvent.POWER_OFF, None, self.home.now)
        made = build(DeviceType.GSME)
        assert isinstance(made, Gsme)
        made.take_ring(old.ring)
        made.load(json.loads(json.dumps(old.dump())))
        self.home.meter = made
        self._tell_of_supplier()
        self.home.now = UtcMs(self.home.now + half_hours * HALF_HOUR_MS)
        made.handle(DeviceEvent.POWER_ON, None, self.home.now)
        made.clock_reliable = True

    @invariant()
    def the_valve_opens_by_hand_alone(self) -> None:
        valve, opened_by_hand = self.home.meter.valve, self.opened
        if valve is SupplyState.ON and self.before is not SupplyState.ON:
            assert opened_by_hand
        self.before, self.opened = valve, False

    @invariant()
    def nothing_is_lost(self) -> None:
        self._look()
        assert self._worth() == self.start + self.paid_in - self.billed

    @invariant()
    def no_emergency_credit_out_of_nothing(self) -> None:
        parts = self._parts()
        limit = self.home.meter.model.store.number("emergency_credit_limit_millipence")
        assert 0 <= parts["emergency"] <= limit
        assert parts["accumulated"] >= 0


GasAccounts.TestCase.settings = settings(
    max_examples=examples(20), stateful_step_count=15, deadline=None
)
test_gas_accounts = GasAccounts.TestCase
