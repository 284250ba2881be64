"""Future-dated commands against a model: what is in force, what waits, who is told of what."""

import json
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from device_profiles.words import DeviceType, RemoteParty
from emulator.codecs.gbcs import envelope
from emulator.codecs.gbcs.alerts import command_reference_of
from emulator.codecs.gbcs.envelope import Cra, Envelope
from emulator.codecs.gbcs.use_cases import MESSAGES, MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect
from emulator.core.ids import Eui64
from tests.emulator.devices.credentials.own_home import Home, answered, statuses
from tests.emulator.devices.kit import messages, notes

CODES = {row.use_case: MessageCode(row.code) for row in MESSAGES.values() if row.command}
MINUTE_MS = 60_000
SUCCESS, FAILURE = 0x8F66, 0x8F67
#: Suppliers that come after the first one.
POOL = [Eui64(bytes.fromhex(f"90b3d51f30bb000{n}")) for n in range(1, 4)]
#: Timer moments within one stretch of time; more is a device that never comes to rest.
_MOST_MOMENTS = 60

Told = tuple[int, int, int, Eui64]


@dataclass(frozen=True, slots=True)
class Slot:
    """What can be dated.

    Attributes:
        use_case: Use case of the command.
        value: Name of the value that comes into force.
        fixed: The only value it can have; None: any.
        follows: Whether it says no date, and goes with what the message said before.
    """

    use_case: str
    value: str
    fixed: int | None = None
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """What a command says of one slot; without a moment it is taken back."""

    slot: str
    value: int
    at: UtcMs | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """One date of the model."""

    at: int
    counter: int
    originator: Eui64
    value: int


@dataclass
class Model:
    """What a meter must hold, and whom it must tell of what."""

    values: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    def reach(self, shown: int, supplier: Eui64, slots: Mapping[str, Slot]) -> None:
        """Let the dates up to a time of the meter's clock come, the earliest first."""
        due = [(one.at, name) for name, one in self.waiting.items() if one.at <= shown]
        for _, name in sorted(due, key=lambda item: item[0]):
            one = self.waiting.pop(name)
            if one.originator != supplier:
                continue
            good = name not in self.broken
            self.told.append((SUCCESS if good else FAILURE, one.counter, one.at, one.originator))
            if good:
                self.values[slots[name].value] = one.value


class Dates(RuleBasedStateMachine):
    """A meter of its own PKI, and a small model of its slots."""

    kind: ClassVar[DeviceType]
    slots: ClassVar[Mapping[str, Slot]]
    #: Commands that the test's meters hold at once.
    most: ClassVar[int] = 2

    @initialize()
    def build(self) -> None:
        self.home = Home(self.kind)
        limits = replace_limits(self.home, self.most)
        self.home.made.profile = limits
        self.model = Model()
        self.told: list[Told] = []
        self.last: list[bytes] = []

    # -- what a kind of meter says -----------------------------------------------------------------

    @abstractmethod
    def payload(self, orders: list[Order], counter: int) -> bytes:
        """A command of orders."""

    @abstractmethod
    def taken(self, answer: Envelope, orders: list[Order]) -> list[bool]:
        """Which orders a response says were taken."""

    @abstractmethod
    def alert(self, payload: bytes) -> tuple[Any, UtcMs]:
        """An alert's payload, and the moment in it."""

    @abstractmethod
    def break_slot(self, name: str) -> None:
        """Let a slot's date, or value, fail from now on."""

    # -- the meter ---------------------------------------------------------------------------------

    @property
    def device(self) -> Any:
        return self.home.made

    @property
    def supplier(self) -> Eui64:
        return self.home.parties[RemoteParty.SUPPLIER]

    @property
    def shown(self) -> UtcMs:
        shown: UtcMs = self.device.local_time(self.home.now)
        return shown

    def hear(self, effects: list[Effect]) -> list[Envelope]:
        """Keep the alerts among effects, and return all messages."""
        found = [envelope.decode(message) for message in messages(effects)]
        for one in found:
            if one.header.cra is Cra.ALERT:
                alert, at = self.alert(one.payload)
                named = command_reference_of(alert)
                if named is not None:
                    self.told.append((alert.alert_code, named.counter, at, one.header.target))
        return found

    def order(self, orders: list[Order]) -> tuple[int, list[bool]]:
        """Send a command of orders; return its counter and which orders were taken."""
        counter = self.home.counter(self.supplier)
        code = code_of(self.slots[orders[0].slot].use_case)
        payload = self.payload(orders, counter)
        message = self.home.sealed(code, payload, self.supplier, counter)
        self.last.append(message)
        effects = self.home.give(message)
        found = [one for one in self.hear(effects) if one.header.cra is Cra.RESPONSE]
        assert len(found) == 1, notes(effects, "message_refused")
        return counter, self.taken(found[0], orders)

    # -- commands ----------------------------------------------------------------------------------

    def send(self, orders: list[Order]) -> None:
        """Send a command, and say by the model what must become of it."""
        shown, supplier = self.shown, self.supplier
        counter, taken = self.order(orders)
        due: list[bool] = []
        beside: UtcMs | None = UtcMs(0)
        now: list[tuple[str, int]] = []
        for one in orders:
            slot = self.slots[one.slot]
            at = beside if slot.follows else one.at
            if not all(due) or one.slot in self.model.broken:
                due.append(False)
                continue
            self.model.waiting.pop(one.slot, None)
            due.append(self._fits(at, shown, counter))
            if not due[-1]:
                continue
            beside = at
            if at is not None and at <= shown:
                now.append((slot.value, one.value))
            elif at is not None:
                self.model.waiting[one.slot] = Waiting(at, counter, supplier, one.value)
        self.model.values.update(now)
        assert taken == due

    def _fits(self, at: UtcMs | None, shown: UtcMs, counter: int) -> bool:
        if at is None or at <= shown:
            return True
        held = {(one.counter, one.originator) for one in self.model.waiting.values()}
        return (counter, self.supplier) in held or len(held) < self.most

    def orders_of(self, chosen: list[tuple[str, int, int]]) -> list[Order]:
        """Orders of one command: those of the first one's use case, each slot once."""
        base = self.shown // 1000
        found: dict[str, Order] = {}
        for name, value, minutes in chosen:
            slot = self.slots[name]
            if slot.use_case != self.slots[chosen[0][0]].use_case:
                continue
            plain = value if slot.fixed is None else slot.fixed
            found[name] = Order(name, plain, UtcMs((base + 60 * minutes) * 1000))
        return list(found.values())

    @rule(data=st.data(), minutes=st.lists(st.integers(-20, 400), min_size=1, max_size=4))
    def schedule(self, data: Any, minutes: list[int]) -> None:
        """Set dates, some of which have passed already: those are at once."""
        names, values = st.sampled_from(sorted(self.slots)), st.integers(1, 60_000)
        self.send(self.orders_of([(data.draw(names), data.draw(values), m) for m in minutes]))

    @rule(data=st.data(), count=st.integers(1, 3))
    def take_back(self, data: Any, count: int) -> None:
        names, values = st.sampled_from(sorted(self.slots)), st.integers(1, 60_000)
        chosen = [(data.draw(names), data.draw(values), 0) for _ in range(count)]
        self.send([replace(one, at=None) for one in self.orders_of(chosen)])

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data())
    def take_back_what_waits(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.waiting)))
        if not self.slots[name].follows:
            self.send([Order(name, self.slots[name].fixed or 7, None)])

    @precondition(lambda self: self.last)
    @rule(data=st.data())
    def replay(self, data: Any) -> None:
        """A command that comes again is refused, and dates nothing anew."""
        again = st.one_of(st.just(self.last[-1]), st.sampled_from(self.last))
        effects = self.home.give(data.draw(again))
        assert messages(effects) == []
        assert notes(effects, "message_refused")

    @rule(data=st.data())
    def break_one(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.slots)))
        if not self.slots[name].follows:
            self.break_slot(name)

    @precondition(lambda self: self.model.waiting)
    @rule(data=st.data())
    def break_what_waits(self, data: Any) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.waiting)))
        if not self.slots[name].follows:
            self.break_slot(name)
            self.come_to_the_first_date(0)

    # -- time, power, clock, supplier --------------------------------------------------------------

    @rule(minutes=st.integers(1, 300))
    def pass_time(self, minutes: int) -> None:
        self.until(self.home.now + minutes * MINUTE_MS)

    @precondition(lambda self: self.model.waiting)
    @rule(early_ms=st.sampled_from([0, 0, 1, 999]))
    def come_to_the_first_date(self, early_ms: int) -> None:
        """Go to a date exactly, or almost."""
        first = min(one.at for one in self.model.waiting.values())
        self.until(max(self.home.now, first - self.device.clock_offset_ms - early_ms))

    def until(self, end: int) -> None:
        """Let time pass, each timer at its moment."""
        name = "model.activation"
        for _ in range(_MOST_MOMENTS):
            at = self.device.timers.get(name, end + 1)
            if at > end:
                break
            self.home.now = UtcMs(max(at, self.home.now))
            self.hear(self.device.handle(DeviceEvent.TIMER, name, self.home.now))
            self.reach()
        else:
            raise AssertionError("the meter never comes to rest")
        self.home.now = UtcMs(end)
        self.reach()

    def reach(self) -> None:
        self.model.reach(self.shown, self.supplier, self.slots)

    @rule(minutes=st.integers(1, 400))
    def lose_power(self, minutes: int) -> None:
        """What falls due without power is done when it is back, told once."""
        profile = self.device.profile
        self.device.handle(DeviceEvent.POWER_OFF, None, self.home.now)
        state = json.loads(json.dumps(self.device.dump()))
        self.home.made = self.home._build()
        self.home.made.profile = profile
        self.home.made.load(state)
        self.home.now = UtcMs(self.home.now + minutes * MINUTE_MS)
        self.hear(self.device.handle(DeviceEvent.POWER_ON, None, self.home.now))
        self.device.clock_reliable = True
        self.until(self.home.now)

    @rule(minutes=st.integers(-300, 300))
    def move_the_clock(self, minutes: int) -> None:
        """A clock that is put forward brings dates; one that is put back tells nothing twice."""
        self.device.clock_offset_ms += minutes * MINUTE_MS
        effects = self.device.on_clock_set(self.home.now)
        for effect in effects:
            if hasattr(effect, "name"):
                self.device.timers.pop(effect.name, None)
                if hasattr(effect, "at"):
                    self.device.timers[effect.name] = effect.at
        self.hear(effects)
        self.until(self.home.now)

    @rule(party=st.sampled_from(POOL))
    def change_supplier(self, party: Eui64) -> None:
        """CS02b by the transitional CoS: what the supplier before ordered comes to nothing."""
        if party in self.home.parties.values():
            return
        new = self.home.rows_for(RemoteParty.SUPPLIER, party)
        code = MessageCode.CS02B_SUPPLIER_BY_TCOS
        effects = self.home.replace(code, new, floors={RemoteParty.SUPPLIER: 100}, timeless=True)
        assert statuses(answered(effects)) == [0] * len(new)
        self.home.moved_to(RemoteParty.SUPPLIER, party, new)
        self.home.counters[party] = max(self.home.counters.get(party, 0), 1000)

    # -- what must hold ----------------------------------------------------------------------------

    @invariant()
    def each_slot_waits_as_the_model_says(self) -> None:
        held = sorted(
            (one.at, one.counter, one.originator.hex) for one in self.device.model.pending
        )
        waiting = self.model.waiting.values()
        assert held == sorted((one.at, one.counter, one.originator.hex) for one in waiting)

    @invariant()
    def each_date_is_told_of_once(self) -> None:
        told, due = sorted(self.told, key=repr), sorted(self.model.told, key=repr)
        assert told == due, (told, due)

    @invariant()
    def values_in_force_agree(self) -> None:
        for name, value in self.model.values.items():
            assert self.device.model.store.number(name) == value


def code_of(use_case: str) -> MessageCode:
    """The message code of a use case."""
    return CODES[use_case]


def replace_limits(home: Home, most: int) -> Any:
    """The home's profile with room for so many future-dated commands."""
    profile = home.made.profile
    limits = profile.limits.model_copy(update={"future_dated_commands": most})
    return profile.model_copy(update={"limits": limits})
