"""Whatever order dates are set, replaced and taken back in, each is told of exactly once."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.codecs.gbcs.alerts import command_reference_of, decode_dlms_alert
from emulator.codecs.gbcs.dates import NEVER, encode_date_time
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import DeviceEvent, Effect
from tests.emulator.devices.esme.esme_kit import OBJECTS, Meter, item_of
from tests.emulator.devices.kit import opened
from tests.sampling import examples

MINUTE_MS = 60_000
#: What is dated -> (use case, type of its value).
SLOTS = {
    "low_credit_threshold_millipence": ("ECS08", Tag.INT32),
    "max_credit_millipence": ("ECS08", Tag.INT32),
    "debt_recovery_cap": ("ECS08", Tag.UINT16),
    "load_limit_period_s": ("ECS28a", Tag.UINT32),
    "load_limit_restoration_s": ("ECS28a", Tag.UINT32),
}
NAMES = st.sampled_from(sorted(SLOTS))


@dataclass
class Waiting:
    """One date of the model."""

    at: int
    counter: int
    use_case: str


@dataclass
class Model:
    """What a meter must hold: values in force, values prepared, dates, and alerts that are due."""

    values: dict[str, int] = field(default_factory=dict)
    passive: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    told: list[tuple[int, int]] = field(default_factory=list)

    def reach(self, shown: int) -> None:
        """Let the dates up to a time of the meter's clock come."""
        for name, one in list(self.waiting.items()):
            if one.at > shown:
                continue
            del self.waiting[name]
            good = name not in self.broken
            self.told.append((0x8F66 if good else 0x8F67, one.counter))
            if good:
                self.values[name] = self.passive[name]


class FutureDates(RuleBasedStateMachine):
    """An ESME and a small model of its slots."""

    def __init__(self) -> None:
        super().__init__()
        self.meter = Meter()
        self.model = Model()
        self.told: list[tuple[int, int]] = []
        self.most = self.meter.device.profile.limits.future_dated_commands

    def _hear(self, effects: list[Effect]) -> list[Any]:
        found = opened(effects)
        for one in found:
            if one.row.code == MessageCode.FUTURE_DATED_DLMS_ALERT:
                alert = decode_dlms_alert(one.envelope.payload)
                named = command_reference_of(alert)
                assert named is not None
                self.told.append((alert.alert_code, named.counter))
        return found

    @property
    def shown(self) -> int:
        return self.meter.device.local_time(self.meter.now)

    def _send(self, name: str, value: int, date: bytes) -> bool:
        use_case, tag = SLOTS[name]
        rows = OBJECTS.named
        items = [
            item_of(rows[f"passive_{name}"], Data(tag, value)),
            item_of(rows[f"{name}_activation"], axdr.octets(date)),
        ]
        found = self._hear(self.meter.send(use_case, items))
        [answer] = [one for one in found if one.row.use_case == use_case]
        return bool(answer.envelope.payload[-1] == 0)

    @rule(name=NAMES, value=st.integers(1, 60_000), minutes=st.integers(1, 600))
    def schedule(self, name: str, value: int, minutes: int) -> None:
        """Set a date, in place of one that waited."""
        at = (self.shown // 1000 + 60 * minutes) * 1000
        self.model.waiting.pop(name, None)
        room = len({(one.use_case, one.counter) for one in self.model.waiting.values()})
        self.model.passive[name] = value
        taken = self._send(name, value, encode_date_time(UtcMs(at)))
        if name in self.model.broken:
            # a broken member takes no date; the one that waited goes on as it was
            assert not taken
            self._keep_as_the_meter()
            return
        assert taken == (room < self.most)
        if taken:
            self.model.waiting[name] = Waiting(at, self.meter.counter, SLOTS[name][0])

    def _keep_as_the_meter(self) -> None:
        held = {one.name.removesuffix("_activation"): one for one in self._pending()}
        for name in self.model.broken & set(held):
            one = held[name]
            self.model.waiting[name] = Waiting(one.at, one.counter, SLOTS[name][0])

    def _pending(self) -> list[Any]:
        return self.meter.device.model.pending

    @rule(name=NAMES, value=st.integers(1, 60_000))
    def take_back(self, name: str, value: int) -> None:
        if name in self.model.broken:
            return
        assert self._send(name, value, NEVER)
        self.model.passive[name] = value
        self.model.waiting.pop(name, None)

    @rule(name=NAMES, value=st.integers(1, 60_000))
    def now(self, name: str, value: int) -> None:
        """A date that has passed is at once; the response says it, no alert."""
        if name in self.model.broken:
            return
        assert self._send(name, value, encode_date_time(UtcMs(self.shown - MINUTE_MS)))
        self.model.passive[name] = self.model.values[name] = value
        self.model.waiting.pop(name, None)

    @rule(name=NAMES)
    def break_member(self, name: str) -> None:
        self.meter.device.inject(f"object:{OBJECTS.named[f'{name}_activation'].where}")
        self.model.broken.add(name)

    @rule(minutes=st.integers(1, 400))
    def pass_time(self, minutes: int) -> None:
        self._until(self.meter.now + minutes * MINUTE_MS)

    def _until(self, end: int) -> None:
        timers = self.meter.device.timers
        while (at := timers.get("model.activation", end + 1)) <= end:
            self.meter.now = UtcMs(max(at, self.meter.now))
            self._hear(
                self.meter.device.handle(DeviceEvent.TIMER, "model.activation", self.meter.now)
            )
            self.model.reach(self.shown)
        self.meter.now = UtcMs(end)

    @rule(minutes=st.integers(1, 400))
    def lose_power(self, minutes: int) -> None:
        """What falls due without power is done when it is back, told once."""
        device = self.meter.device
        device.handle(DeviceEvent.POWER_OFF, None, self.meter.now)
        device.load(device.dump())
        self.meter.now = UtcMs(self.meter.now + minutes * MINUTE_MS)
        self._hear(device.handle(DeviceEvent.POWER_ON, None, self.meter.now))
        self._until(self.meter.now)

    @rule(minutes=st.integers(-300, 300))
    def move_the_clock(self, minutes: int) -> None:
        """A clock that is put forward brings dates; one that is put back tells nothing twice."""
        device = self.meter.device
        device.clock_offset_ms += minutes * MINUTE_MS
        effects = device.on_clock_set(self.meter.now)
        device.keep_timers(effects)
        self._hear(effects)
        self._until(self.meter.now)

    @invariant()
    def one_date_waits_for_each_slot_at_most(self) -> None:
        held = {one.name.removesuffix("_activation"): one.at for one in self._pending()}
        assert len(held) == len(self._pending())
        assert held == {name: one.at for name, one in self.model.waiting.items()}

    @invariant()
    def each_date_is_told_of_once(self) -> None:
        assert sorted(self.told) == sorted(self.model.told)

    @invariant()
    def values_in_force_agree(self) -> None:
        for name, value in self.model.values.items():
            assert self.meter.device.model.store.number(name) == value


FutureDates.TestCase.settings = settings(
    max_examples=examples(40), stateful_step_count=25, deadline=None
)
test_future_dates = FutureDates.TestCase
