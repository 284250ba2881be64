"""The state machines of the devices catch what they are there for: each defect of a list."""

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from emulator.crypto.token_memory import TokenMemory
from emulator.devices import checks, dated
from emulator.devices.base import Device
from emulator.devices.chf.device_log import DeviceLog, DeviceLogEntry
from emulator.devices.chf.device_log_joining import Joining
from emulator.devices.credentials import handlers as credential_handlers
from emulator.devices.credentials import replacing
from emulator.devices.credentials.trust import Trust
from emulator.devices.esme.model import actions as esme_actions
from emulator.devices.esme.model import credit, supply
from emulator.devices.esme.model import future as esme_future
from emulator.devices.esme.model import top_ups as esme_top_ups
from emulator.devices.esme.model.account import Account as EsmeAccount
from emulator.devices.esme.model.model import EsmeModel
from emulator.devices.esme.model.top_ups import TopUps
from emulator.devices.gsme.gsme import Gsme
from emulator.devices.gsme.model import actions as gas_actions
from emulator.devices.gsme.model import settings as gas_settings
from emulator.devices.gsme.model import top_ups as gas_top_ups
from emulator.devices.gsme.model.account import Account as GasAccount
from emulator.devices.gsme.model.clusters import ClusterModel
from emulator.devices.gsme.model.model import GasModel
from emulator.devices.gsme.model.pending import Pending
from emulator.devices.joins import handlers as join_handlers
from emulator.devices.joins.log import JoinLog
from tests.emulator.devices.credentials.test_credentials_machine import CredentialsMachine
from tests.emulator.devices.joins.test_hub_log import HubMachine
from tests.emulator.devices.joins.test_join_logs import LogMachine
from tests.emulator.devices.machines.mutants import Mutant, check_caught
from tests.emulator.devices.machines.test_future_dating_machine import EsmeDates, GsmeDates
from tests.emulator.devices.machines.test_prepayment_machines import EsmeTokens, GasAccounts

M = Mutant
_REPLAYS = M(
    "takes a command again", checks.Checker.check_counter, "header.counter <= last", "False"
)
_EQUAL_COUNTER = M(
    "takes a counter twice", checks.Checker.check_counter, "header.counter <= last",
    "header.counter < last",
)  # fmt: skip
_COUNTERS_LOST = M(
    "forgets counters without power", Device.load_saved, 'saved.numbers("accepted")', "{}"
)
_NEVER_USED_UP = M(
    "keeps no counter", Device.use_up, "max(header.counter, self.accepted.get(key, 0))", "0"
)

HUB = [
    _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("forgets who may join", Joining.load, 'saved.rows("expected")', "()"),
    M("forgets the Historic Log", DeviceLog.load, 'saved.rows("historic")', "()"),
    M("forgets keys", DeviceLogEntry.dump, "self.hashed_key.hex()", '""'),
    M("window one moment too long", Joining.key_to_try, "now < one.until", "now <= one.until"),
    M("never tries the old key", Joining.key_to_try, "old is not None and old.hashed_key",
      "False and old"),
    M("one device too many", DeviceLog.add, ">= self._size", "> self._size"),
    M("an expected device leaves history", Joining.unregister,
      "self.log.entries.pop(device, None) is not None", "self.log.remove(device)"),
    M("who joins stays in history", DeviceLog.add, "old.eui64 != entry.eui64", "True"),
    M("who joined may join again", Joining.admit, "del self.expected[device]", "0"),
]  # fmt: skip

LOG = [
    _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("forgets the log", JoinLog.load, 'saved.rows("entries")', "()"),
    M("forgets how a device was joined", JoinLog.add, "held.method != entry.method", "False"),
    M("takes another type", JoinLog.add, "held.device_type != entry.device_type", "False"),
    M("one device too many", JoinLog._has_room, "len(types) < _USUAL_ROOM",
      "len(types) <= _USUAL_ROOM"),
    M("parts by any method", JoinLog.remove, "held.method not in letters", "False"),
    M("keeps who was parted", JoinLog.remove, "del self.entries[device]", "0"),
    M("keeps the key of who was parted", join_handlers.part, "forget_key(device, who)", "0"),
    M("keys lost without power", join_handlers.reinstall, "if peers:", "if False:"),
    M("lists the last first", JoinLog.listed, "self.entries.values()",
      "reversed(self.entries.values())"),
]  # fmt: skip

CREDENTIALS = [
    _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("forgets certificates", Trust.load, 'saved.rows("installed")', "()"),
    M("forgets what waits", Trust.load, 'saved.rows("waiting")', "()"),
    M("cancels what others dated", credential_handlers.replace_credentials,
      "one.code != command.row.code", "False"),
    M("cancels nothing", credential_handlers.replace_credentials,
      "one.code != command.row.code", "True"),
    M("obeys who lost the role", credential_handlers._carry_out,
      "not authorised(device, one.originator, mode)", "False"),
    M("tells nobody", credential_handlers._carry_out, "*told]", "]"),
    M("late by a second", dated.wait_for, "first - device", "first + 1000 - device"),
    M("a bad one beside good ones does not stop them", replacing.replace_all,
      "all(one.status is CellStatus.SUCCESS for one in judged)", "True"),
]  # fmt: skip

_TOKENS = [
    M("takes tokens twice", TokenMemory.age, "counter in self._kept", "False"),
    M("remembers no token", TokenMemory.take, "sorted([*self._kept, counter])", "[]"),
]

ESME_PREPAYMENT = [
    *_TOKENS, _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("forgets tokens without power", TopUps.load, 'saved.number_list("used")', "()"),
    M("forgets failures without power", TopUps.load, 'saved.number("failures")', "0"),
    M("forgets a suspension without power", TopUps.load, 'saved.moment("locked_until")', "0"),
    M("suspends entry one failure later", esme_top_ups._refused, "memory.failures <",
      "memory.failures <="),
    M("counts failures on after a success", esme_top_ups.take, "memory.failures = 0", "0"),
    M("emergency credit is not repaid", EsmeAccount.pay_in,
      "min(max(self.owed_emergency, 0), left)", "0"),
    M("the debt's share is not taken", EsmeAccount._recovered, "// _SHARES", "// _SHARES // 2"),
    M("emergency credit twice", credit.is_offered, "not account.granted and", ""),
    M("emergency credit to the rich", credit.is_offered,
      'and account.parts["balance"] <= threshold', ""),
    M("emergency credit in credit mode", credit.is_offered,
      "mode_of(model.store) != PREPAYMENT_MODE", "False"),
    M("forgives emergency credit with the mode", EsmeAccount.leave_prepayment,
      'self.add("balance", -self.owed_emergency)', "0"),
    M("enables what is not armed", supply.enable, "is not SupplyState.ARMED",
      "is SupplyState.ON"),
    M("comes back by itself", supply._arm, "SupplyState.ARMED)", "SupplyState.ON)"),
    M("takes any supplier's token", esme_top_ups._read,
      "device.network.supplier(device.eui64)",
      "next(p for p in device.ring.keystore.entries() if p.prepayment).eui64"),
]  # fmt: skip

GAS_PREPAYMENT = [
    *_TOKENS, _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("forgets tokens without power", GasModel.load, 'saved.number_list("tokens")', "()"),
    M("forgets why it is closed", GasModel.load, 'saved.flag("closed_for_credit")', "False"),
    M("what was lent is not paid back", GasAccount.take,
      'min(max(self.parts["accumulated"], 0), value)', "0"),
    M("lends without noting it", GasAccount.charge, 'self.add("accumulated", lent)', "0"),
    M("opens for credit", GasModel.arm_for_credit, "SupplyStatus.OFF_ARMED", "SupplyStatus.ON"),
    M("opens when armed by command", gas_actions.change_supply,
      "model.device.move_valve(told.proposed_status)",
      "model.device.move_valve(type(told.proposed_status).ON)"),
    M("opens by hand when closed", Gsme.open_by_hand, "self.valve is not SupplyState.ARMED",
      "self.valve is SupplyState.ON"),
    M("never closes for credit", GasModel.close_for_credit, "self._has_credit()", "True"),
    M("closes with emergency credit left", GasModel._has_credit,
      'enough or parts["emergency"] > 0', "enough"),
    M("the debt's share is not taken", gas_top_ups._enter, "// _WHOLE_SHARE",
      "// _WHOLE_SHARE // 2"),
    M("recovers without taking off the credit", GasAccount.recover, 'self.add("credit", -taken)',
      "0"),
    M("takes any supplier's token", gas_top_ups.take, "device.network.supplier(device.eui64)",
      "next(p for p in device.ring.keystore.entries() if p.prepayment).eui64"),
    M("charges credit customers' credit", GasAccount.charge, "not is_prepayment(store)", "False"),
]  # fmt: skip

_DATES = [
    _REPLAYS, _EQUAL_COUNTER, _COUNTERS_LOST,
    M("early by a second", dated.wait_for, "first - device", "first - 1000 - device"),
    M("late by a second", dated.wait_for, "first - device", "first + 1000 - device"),
    M("knows no offset of its clock", dated.wait_for, "first - device.clock_offset_ms", "first"),
    M("one command too many", dated.has_room, "len(commands) < most", "len(commands) <= most"),
    M("counts every date", dated.has_room, "own in commands or ", ""),
    M("carries out for who is gone", dated.has_lapsed,
      "not roles_of(device, one.originator) & (device.roles_for(one.code) or frozenset())",
      "False"),
    M("no timer after the first date", dated.wait_for, "if first is None", "if True"),
]  # fmt: skip

ESME_DATES = [
    *_DATES,
    M("forgets dates without power", EsmeModel.load, 'saved.rows("pending")', "()"),
    M("a new date does not replace", esme_actions.date_activation, "one.name != row.name", "True"),
    M("a new date replaces all", esme_actions.date_activation, "one.name != row.name", "False"),
    M("cancels nothing", esme_actions.date_activation,
      "[one for one in model.pending if one.name != row.name]",
      "[one for one in model.pending if one.name != row.name or at is None]"),
    M("a past date waits", esme_actions.date_activation, "at <= model", "0 < at <= 1 + 0 * model"),
    M("never is now", esme_future.when, "return None", "return UtcMs(0)"),
    M("success for a failure", EsmeModel.date_reached, "good=good", "good=True"),
    M("carries out what is broken", EsmeModel.date_reached, "row.where not in self.broken",
      "True"),
    M("tells without doing", EsmeModel.date_reached, "self.activate(row, now)", "0"),
    M("does without telling", EsmeModel.date_reached, "self._tell(one, row, good=good)", "[]"),
    M("names its own counter", EsmeModel._tell, "one.counter, row",
      "self.device.next_counter, row"),
    M("tells the present supplier's predecessor", EsmeModel._tell, "one.originator,",
      "self.device._made_with[1].supplier(self.device.eui64),"),
]  # fmt: skip

GAS_DATES = [
    *_DATES,
    M("forgets dates without power", ClusterModel.load, 'saved.rows("pending")', "()"),
    M("cancels by the command alone", Pending.is_of, "component.command, code)",
      "component.command, self.code)"),
    M("cancels the whole use case", Pending.is_of, "(component.cluster, component.command, code)",
      "(self.cluster, self.command, code)"),
    M("a new date does not replace", ClusterModel.dated, "not one.is_of(component, turn.code)",
      "True"),
    M("never is a date", ClusterModel.dated, "if start_s == NEVER", "if False"),
    M("a past date waits", ClusterModel.dated, "at <= self", "0 < at <= 1 + 0 * self"),
    M("the latest date first", dated.parted, "key=lambda one: one.at", "key=lambda one: -one.at"),
    M("what is broken is carried out", GasModel.date_reached, "not in self.broken",
      "is not self.broken"),
    M("tells without doing", GasModel.date_reached,
      "self.activate(one, UtcMs(min(now, one.at - self.device.clock_offset_ms)))", "0"),
    M("does without telling", GasModel.date_reached, "self._tell(one, good=good)", "[]"),
    M("low credit comes at once", gas_settings.set_low_credit,
      "turn.dates[-1] if turn.dates else 0", "0"),
    M("the date of another component", gas_settings.set_low_credit, "turn.dates[-1]",
      "turn.dates[0]"),
    M("all dates of a full meter are taken", ClusterModel.dated,
      "if at and not has_room(self.pending, turn, self.most_dated)", "if False"),
    M("leaves what is due at once", ClusterModel.finish, "if not one.at]", "if one.at == 1]"),
]  # fmt: skip

#: Machine, its defects, examples it may take to find each, steps of an example.
POWER: list[tuple[type[RuleBasedStateMachine], list[Mutant], int, int]] = [
    (HubMachine, HUB, 150, 30),
    (LogMachine, LOG, 150, 30),
    (CredentialsMachine, CREDENTIALS, 150, 20),
    (EsmeTokens, ESME_PREPAYMENT, 300, 30),
    (GasAccounts, GAS_PREPAYMENT, 300, 30),
    (EsmeDates, ESME_DATES, 300, 30),
    (GsmeDates, GAS_DATES, 300, 30),
]
CASES = [
    pytest.param(mutant, machine, examples, steps, id=f"{machine.__name__}: {mutant.name}")
    for machine, mutants, examples, steps in POWER
    for mutant in mutants
]


@pytest.mark.parametrize(("machine", "mutants"), [(row[0], row[1]) for row in POWER])
def test_every_machine_has_defects_to_find_that_fit_the_code(
    machine: type[RuleBasedStateMachine], mutants: list[Mutant]
) -> None:
    assert len(mutants) >= 8, machine
    assert len({mutant.name for mutant in mutants}) == len(mutants)
    for mutant in mutants:
        before = mutant.function.__code__
        with mutant.alive():
            assert mutant.function.__code__ is not before
        assert mutant.function.__code__ is before


@pytest.mark.soak
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("mutant", "machine", "examples", "steps"), CASES)
def test_a_mutant_is_caught(
    mutant: Mutant, machine: type[RuleBasedStateMachine], examples: int, steps: int
) -> None:
    check_caught(mutant, machine, examples, steps)
