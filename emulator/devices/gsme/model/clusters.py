"""The clusters of a gas device: attributes read, commands carried out, dates waited for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from device_profiles.gbcs_clusters import ClusterRow, GbcsClusters
from emulator.codecs.gbcs.gbz import GbzComponent
from emulator.codecs.gbcs.metering import HARDWARE_FAILURE
from emulator.codecs.zcl.cluster import Command
from emulator.codecs.zcl.foundation import AttributeReading, AttributeValue, Status
from emulator.core.clock import UtcMs, from_zigbee_seconds
from emulator.core.effects import Effect
from emulator.devices.dated import ACTIVATION_TIMER, has_room, parted, wait_for
from emulator.devices.gbz_engine import ComponentFailedError, GbzTurn
from emulator.devices.gsme.model.pending import (
    NEVER,
    Pending,
    dump_values,
)
from emulator.devices.gsme.model.store import Row, Store, gas_clusters, made_of, restored_values
from emulator.devices.gsme.model.types import Value, as_attribute, kind_of
from emulator.devices.saved import Saved, State

#: Commands that say themselves that they failed.
_SAY_THEMSELVES: Final = frozenset({"clear-event-log"})
#: Seconds that mean "now".
_NOW: Final = 0


class Host(Protocol):
    """The device around the clusters."""

    clock_offset_ms: int

    @property
    def timers(self) -> dict[str, UtcMs]:
        """Timers that run."""

    def local_time(self, now: UtcMs) -> UtcMs:
        """Return what the device's clock shows."""


@dataclass(frozen=True, slots=True)
class Series:
    """Samples at equal distances, the earliest first.

    Attributes:
        start_s: Of the first, seconds since 2000.
        step_s: Seconds from one to the next.
        samples: dm3 of the time before each.
    """

    start_s: int
    step_s: int
    samples: tuple[int, ...]


Work = Callable[[Any, GbzComponent, Any, GbzTurn], "list[Command] | None"]


class ClusterModel:
    """What a GSME and a GPF have in common; each says where its values come from.

    Attributes:
        device: The device.
        store: Its values by name.
        pending: Values that wait for their dates, in the order they were set.
        drafts: Parts of calendars that are not in force yet, by name.
        broken: Members whose access fails, as ``0702/a0000`` or ``0705/c04``; of a log's entry
            its name and number, as ``daily_accounts/1``.
    """

    __slots__ = ("broken", "device", "drafts", "pending", "store")

    def __init__(self, device: Host, store: Store) -> None:
        self.device: Any = device
        self.store = store
        self.pending: list[Pending] = []
        self.drafts: dict[str, Value] = {}
        self.broken: set[str] = set()

    @property
    def clusters(self) -> GbcsClusters:
        """The catalogue."""
        return gas_clusters()

    @property
    def works(self) -> Mapping[str, Work]:
        """Binding word -> what carries a command out."""
        return {}

    @property
    def most_dated(self) -> int:
        """Future-dated commands held at once."""
        most: int = self.device.profile.limits.future_dated_commands
        return most

    def put(self, name: str, plain: Any) -> None:
        """Set a value by its name from a plain one, as a bench does that says what a device holds.

        Raises:
            WrongTypeError: It is of another type.
            KeyError: There is no value of this name.
        """
        self.store.put(name, made_of(name, plain))

    def break_member(self, where: str) -> None:
        """Let every access to a member or to an entry of a log fail.

        Raises:
            ValueError: There is no such member.
        """
        name = where.partition("/")[0]
        if name not in self.clusters.named and all(r.where != where for r in self.clusters.rows):
            raise ValueError(f"a gas device has no member {where!r}")
        self.broken.add(where)

    # -- attributes ------------------------------------------------------------------------------

    def reading(self, cluster: int, attribute: int, turn: GbzTurn) -> AttributeReading:
        """Read one attribute for a use case."""
        row = self.clusters.members.get((cluster, "a", attribute))
        if row is None or turn.use_case not in row.use_cases:
            return AttributeReading(attribute, Status.UNSUPPORTED_ATTRIBUTE)
        if row.where in self.broken:
            return AttributeReading(attribute, HARDWARE_FAILURE)
        found = self.attribute(row, turn.now)
        if found is None:
            return AttributeReading(attribute, Status.NOT_FOUND)
        return AttributeReading(attribute, Status.SUCCESS, found)

    def attribute(self, row: ClusterRow, now: UtcMs) -> AttributeValue | None:  # noqa: ARG002 - others need it
        """Return the value of an attribute, or None where the device has none."""
        found = self.store.find(row.name)
        return None if found is None else as_attribute(kind_of(row.type), found)

    def served(self, cluster: int, now: UtcMs) -> dict[int, AttributeValue]:
        """Return the attributes of a cluster that a HAN device may read."""
        rows = [row for row in self.clusters.rows if row.cluster == cluster and row.kind == "a"]
        found = {row.number: self.attribute(row, now) for row in rows}
        return {number: value for number, value in found.items() if value is not None}

    # -- commands --------------------------------------------------------------------------------

    def command(self, component: GbzComponent, command: Command, turn: GbzTurn) -> list[Command]:
        """Carry out a cluster command and return what answers it; nothing: success.

        Raises:
            ComponentFailedError: Not in this use case, broken, or it cannot be carried out.
        """
        way = "s" if component.frame_control & 0x08 else "c"
        row = self.clusters.members.get((component.cluster, way, component.command))
        work = None if row is None else self.works.get(row.binding)
        if row is None or work is None or turn.use_case not in row.use_cases:
            raise ComponentFailedError(Status.UNSUP_CLUSTER_COMMAND)
        if row.where in self.broken and row.binding not in _SAY_THEMSELVES:
            raise ComponentFailedError
        return work(self, component, command, turn) or []

    def check(self, *names: str) -> None:
        """Check that values can be set.

        Raises:
            ComponentFailedError: One of them is broken.
        """
        for name in names:
            if self.clusters.named[name].where in self.broken:
                raise ComponentFailedError

    def set(self, **values: Value) -> None:
        """Set values.

        Raises:
            ComponentFailedError: One of them is broken; none is set.
        """
        self.check(*values)
        for name, value in values.items():
            self.store.put(name, value)

    # -- dates -----------------------------------------------------------------------------------

    def dated(
        self,
        component: GbzComponent,
        turn: GbzTurn,
        start_s: int,
        values: dict[str, Value],
        calendar: str = "",
    ) -> None:
        """Let values come into force at a date: 0 with this message, all ones not after all.

        Raises:
            ComponentFailedError: One of them is broken, or as many future-dated commands wait as
                the device holds.

        Source:
            The limit: profile. What a full device answers ("insufficient space"): a stand-in.
        """
        self.check(*values)
        turn.dates.append(start_s)
        self.pending = [one for one in self.pending if not one.is_of(component, turn.code)]
        if start_s == NEVER:
            return
        at = UtcMs(0) if start_s == _NOW else from_zigbee_seconds(start_s)
        if at <= self.device.local_time(turn.now):
            at = UtcMs(0)
        if at and not has_room(self.pending, turn, self.most_dated):
            raise ComponentFailedError(Status.INSUFFICIENT_SPACE)
        header = turn.header
        self.pending.append(
            Pending(
                component.cluster,
                component.frame_control,
                component.command,
                at,
                turn.code,
                header.counter,
                header.originator,
                values,
                calendar,
            )
        )

    def finish(self, turn: GbzTurn) -> None:
        """Let take effect what a message said for at once, and wait for the rest."""
        due = [one for one in self.pending if not one.at]
        self.pending = [one for one in self.pending if one.at]
        for one in due:
            self.activate(one, turn.now)
        turn.effects.extend(self.wait(turn.now))

    def activate(self, one: Pending, now: UtcMs) -> None:  # noqa: ARG002 - a meter settles first
        """Let values come into force."""
        self.take_over(one)

    def take_over(self, one: Pending) -> None:
        """Keep the values that came into force, and the parts of a calendar with them."""
        for name, value in one.values.items():
            self.store.put(name, value)
        drafted = [name for name in self.drafts if name.startswith(f"{one.calendar}_")]
        for name in drafted if one.calendar else ():
            self.store.put(name, self.drafts.pop(name))

    def wait(self, now: UtcMs) -> list[Effect]:
        """Set the timer to the next date."""
        return wait_for(self.device, ACTIVATION_TIMER, [one.at for one in self.pending], now)

    def due(self, now: UtcMs) -> list[Pending]:
        """Take out and return what is due, in the order it was set."""
        due, self.pending = parted(self.pending, self.device.local_time(now))
        return due

    # -- logs; each device says what is in them --------------------------------------------------

    def registers_log(self, name: str, now: UtcMs) -> list[Row]:  # noqa: ARG002 - a meter adds to it
        """Return the rows of the ``daily``, ``billing`` or ``change`` log of registers."""
        return list(self.store.rows(f"{name}_registers"))

    def accounts_log(self, name: str, now: UtcMs) -> list[Row]:  # noqa: ARG002 - a meter adds to it
        """Return the rows of the ``daily``, ``billing`` or ``change`` log of accounts."""
        return list(self.store.rows(f"{name}_accounts"))

    def table(self, name: str, now: UtcMs) -> list[Row]:  # noqa: ARG002 - a meter adds to it
        """Return the rows of another log."""
        return list(self.store.rows(name))

    def series(self, name: str, step_s: int, now: UtcMs) -> Series | None:  # noqa: ARG002 - a meter adds to it
        """Return the samples of ``profile``, ``daily`` or ``network``."""
        at, samples = (
            self.store.find(f"{name}_samples_at"),
            self.store.numbers(f"{name}_samples_dm3"),
        )
        return Series(at, step_s, samples) if isinstance(at, int) and samples else None

    # -- dump and load ---------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "store": self.store.dump(),
            "pending": [one.dump() for one in self.pending],
            "drafts": dump_values(self.drafts),
            "broken": [*sorted(self.broken)],
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state."""
        self.store.load(saved.part("store"))
        self.pending = [Pending.restore(row) for row in saved.rows("pending")]
        self.drafts = restored_values(saved.table("drafts"))
        self.broken = set(saved.texts("broken"))
