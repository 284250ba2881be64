"""One ESME's objects: every read and write of every use case goes to the same state."""

from typing import TYPE_CHECKING, Any, Final

from device_profiles.gbcs_objects import GbcsObjects, MemberRow
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import AccessItem, Operation
from emulator.codecs.dlms.axdr import NULL, Data, Tag
from emulator.codecs.dlms.selective import read_selection
from emulator.codecs.dlms.shapes import Rows, Shape, fits, shape_of
from emulator.codecs.gbcs import alerts
from emulator.codecs.gbcs.alerts import AlertCode, CommandReference
from emulator.codecs.gbcs.use_cases import MessageCode
from emulator.core.clock import UtcMs
from emulator.core.effects import Effect
from emulator.core.errors import IllegalEventError
from emulator.devices.access_engine import AccessFailedError, Turn
from emulator.devices.consumption import Consumption, Kind
from emulator.devices.dated import ACTIVATION_TIMER, has_lapsed, lapse, parted, wait_for
from emulator.devices.esme.model.account import CREDIT_MODE, mode_of
from emulator.devices.esme.model.bindings import BINDINGS
from emulator.devices.esme.model.boost import Boost
from emulator.devices.esme.model.demand import Peak
from emulator.devices.esme.model.future import Pending
from emulator.devices.esme.model.ledger import TARIFF_NAMES, Ledger
from emulator.devices.esme.model.limits import Limit
from emulator.devices.esme.model.logs import read_log
from emulator.devices.esme.model.store import (
    Store,
    esme_objects,
    made_of,
    shape_named,
)
from emulator.devices.esme.model.supply import Supply
from emulator.devices.esme.model.tariff import day_of, read_tariff
from emulator.devices.esme.model.top_ups import TopUps
from emulator.devices.esme.model.voltage import Voltage
from emulator.devices.log_selection import span_of
from emulator.devices.saved import Saved, State

if TYPE_CHECKING:
    from emulator.devices.esme.esme import Esme

#: Entries kept of controller orders and of power events. Source: invented.
_MOST_ENTRIES: Final = 100
#: Objects of phases 2 and 3 begin so. Source: IEC 62056-6-1 (groups A and C).
_PHASE_OF: Final = {(1, 52): 2, (1, 72): 3}
#: What changes prices or mode; the tariff-change log notes the moment.
_FINANCIAL: Final = TARIFF_NAMES | {"payment_mode"}
_GETS: Final = frozenset({Operation.GET, Operation.GET_SELECTED})


class EsmeModel:
    """The objects of one device; what it does not say is its profile's or the catalogue's.

    Attributes:
        device: The device.
        store: Its values by name.
        pending: Values that wait for their dates, in the order they were set.
        levels: Auxiliary controller -> level in per cent, where one was ordered.
        orders: (when, script) of the last orders to auxiliary controllers.
        power_events: (when, code) of the last power events.
        broken: Members whose access fails, as ``class/OBIS/a2``.
        peaks: Demand searches so far; found again where they are lost.
        supply: Why supply is on or off.
        top_ups: Tokens it took.
        voltage: Disturbances of its voltage.
        limits: Limits of auxiliary controllers that wait or run.
        lost_at: When power was lost, by its clock; None while it is there or has been told of.
        outage: Begin and end of an outage that is to be told of, or None.
        acknowledged: Messages that a customer confirmed, by message number.
        boost: Its boost button.
    """

    __slots__ = (
        "_ledger", "acknowledged", "boost", "broken", "device", "levels", "limits", "lost_at",
        "orders", "outage", "peaks", "pending", "power_events", "store", "supply", "top_ups",
        "voltage",
    )  # fmt: skip

    def __init__(self, device: "Esme") -> None:
        self.device = device
        self.store = Store(device.profile)
        self.pending: list[Pending] = []
        self.levels: dict[int, int] = {}
        self.orders: list[tuple[int, int]] = []
        self.power_events: list[tuple[int, int]] = []
        self.broken: set[str] = set()
        self.peaks: dict[str, Peak] = {}
        self._ledger: Ledger | None = None
        self.supply = Supply()
        self.top_ups = TopUps()
        self.voltage = Voltage()
        self.limits: list[Limit] = []
        self.lost_at: UtcMs | None = None
        self.outage: tuple[UtcMs, UtcMs] | None = None
        self.acknowledged = 0
        self.boost = Boost()

    @property
    def objects(self) -> GbcsObjects:
        """The catalogue."""
        return esme_objects()

    @property
    def elements(self) -> int:
        """1, or 2 for a twin element meter."""
        return self.store.number("elements", 1)

    @property
    def consumption(self) -> Consumption:
        """What the household used.

        Raises:
            IllegalEventError: The meter never had power.
        """
        if self.device.consumption is None:
            raise IllegalEventError("a meter that never had power is asked")
        return self.device.consumption

    @property
    def ledger(self) -> Ledger:
        """Registers and account; made when first asked for."""
        if self._ledger is None:
            self._ledger = Ledger(self.store, self.consumption)
        return self._ledger

    def import_wh(self, now: UtcMs) -> int:
        """Return the active import register; one that began at 0 needs no ledger."""
        if self._ledger is None and self.store.find("values_at") is None:
            return self.consumption.energy_wh(Kind.IMPORT, now)
        return self.ledger.import_wh(now)

    def second_tariff_price(self, now: UtcMs) -> int:
        """Return the price of the second element's register that counts now."""
        tariff = read_tariff(self.store, "second_tariff", "second_price_matrix")
        past = [s for s in tariff.switches(day_of(now)) if s.at <= now]
        return tariff.price_of(past[-1].selector) if past else 0

    def put(self, name: str, plain: Any) -> None:
        """Set a value by its name from a plain one, as a bench does that says what a meter holds.

        Raises:
            ShapeError: There is no such name, or the value has another shape.
        """
        self.store.put(name, made_of(name, plain))
        self._ledger = None

    def break_member(self, where: str) -> None:
        """Let every access to a member fail, as ``class/OBIS/a2``.

        Raises:
            ValueError: There is no such member.
        """
        if all(row.where != where for row in self.objects.rows):
            raise ValueError(f"an ESME has no member {where!r}")
        self.broken.add(where)

    # -- access --------------------------------------------------------------------------------

    def access(self, item: AccessItem, turn: Turn) -> Data:
        """Carry one item out and return what it answers.

        Raises:
            AccessFailedError: No such member, not in this use case, of a phase the meter has not,
                broken, or a value of another type.
        """
        row = self._permitted(item, turn)
        binding = BINDINGS[row.binding]
        if item.operation is Operation.GET_SELECTED:
            return self._selected(row, item, turn)
        if item.operation is Operation.GET:
            if binding.read is None or item.data != NULL:
                raise AccessFailedError
            return binding.read(self, row, turn)
        shape = None if row.binding == "protected" else shape_of(row.type)
        if binding.write is None or (shape is not None and not fits(shape, item.data)):
            raise AccessFailedError
        return binding.write(self, row, item.data, turn) or NULL

    def _permitted(self, item: AccessItem, turn: Turn) -> MemberRow:
        is_method = item.operation is Operation.ACTION
        row = self.objects.members.get((item.class_id, item.obis, is_method, item.index))
        if row is None or row.where in self.broken:
            raise AccessFailedError
        if turn.use_case not in (row.read if item.operation in _GETS else row.write):
            raise AccessFailedError
        phase = _PHASE_OF.get((row.obis[0], row.obis[2]), 1)
        if phase > self.store.number("phases", 1):
            raise AccessFailedError
        return row

    def _selected(self, row: MemberRow, item: AccessItem, turn: Turn) -> Data:
        if row.binding != "log" or item.selection is None or item.data != NULL:
            raise AccessFailedError
        return read_log(self, row, span_of(read_selection(item.selection)), turn.now)

    # -- values that come into force -------------------------------------------------------------

    def activate(self, row: MemberRow, now: UtcMs) -> None:
        """Let the passive values of a row's targets come into force."""
        targets = row.argument.split()

        def change() -> None:
            for name in targets:
                passive = self.store.find(f"passive_{name}")
                if passive is not None:
                    self.store.put(name, _fitted(shape_named(name), passive))

        if _FINANCIAL.isdisjoint(targets):
            change()
            return
        self.ledger.change_tariff(now, change)
        if "payment_mode" in targets and mode_of(self.store) == CREDIT_MODE:
            self.ledger.account.leave_prepayment()
        for name in ("active_price", "second_active_price"):
            self.store.outlive(name)

    def wait(self, now: UtcMs) -> list[Effect]:
        """Set the timer to the next date."""
        return wait_for(self.device, ACTIVATION_TIMER, [one.at for one in self.pending], now)

    def date_reached(self, now: UtcMs) -> list[Effect]:
        """Carry out what is due, and tell whoever set it."""
        due, self.pending = parted(self.pending, self.device.local_time(now))
        effects: list[Effect] = []
        for one in due:
            if has_lapsed(self.device, one):
                effects += lapse(self.device, one, now)
                continue
            row = self.objects.named[one.name]
            good = row.where not in self.broken
            if good:
                self.activate(row, now)
            effects += self._tell(one, row, good=good)
        return [*effects, *self.wait(now)]

    def _tell(self, one: Pending, row: MemberRow, *, good: bool) -> list[Effect]:
        """Send the outcome of a future-dated command (alert 00CC).

        Source:
            RTDS 4.5.0 (18 such alerts): one for each date set, at that date, in their order.
        """
        code = AlertCode.FUTURE_DATED_SUCCESS if good else AlertCode.FUTURE_DATED_FAILURE
        named = CommandReference(one.code, one.counter, row.where.replace("/a", "/"))
        content = axdr.octets(alerts.encode_dlms_reference(named))
        return self.device.alert(
            MessageCode.FUTURE_DATED_DLMS_ALERT,
            one.originator,
            lambda counter: alerts.encode_dlms_alert(
                alerts.dlms_alert(counter, code, one.at, content)
            ),
        )

    # -- what happens to it ----------------------------------------------------------------------

    def note_order(self, at: UtcMs, script: int) -> None:
        """Enter an order to an auxiliary controller into its log."""
        self.orders.append((at, script))
        del self.orders[:-_MOST_ENTRIES]

    def note_power(self, at: UtcMs, code: int) -> None:
        """Enter an event into the power event log."""
        self.power_events.append((at, code))
        del self.power_events[:-_MOST_ENTRIES]

    # -- dump and load ---------------------------------------------------------------------------

    def dump(self) -> State:
        """Return the state as JSON values."""
        return {
            "store": self.store.dump(),
            "pending": [one.dump() for one in self.pending],
            "levels": {str(number): level for number, level in self.levels.items()},
            "orders": [[at, script] for at, script in self.orders],
            "power_events": [[at, code] for at, code in self.power_events],
            "broken": [*sorted(self.broken)],
            "supply": self.supply.dump(),
            "top_ups": self.top_ups.dump(),
            "voltage": self.voltage.dump(),
            "limits": [one.dump() for one in self.limits],
            "lost_at": self.lost_at,
            "outage": [] if self.outage is None else [[*self.outage]],
            "acknowledged": self.acknowledged,
            "boost": self.boost.dump(),
            "ledger": None if self._ledger is None else self._ledger.dump(),
        }

    def load(self, saved: Saved) -> None:
        """Take over a dumped state; the device's consumption is loaded before."""
        self.store.load(saved.part("store"))
        self.pending = [Pending.restore(row) for row in saved.rows("pending")]
        self.levels = {int(number): level for number, level in saved.numbers("levels").items()}
        self.orders = saved.pairs("orders")
        self.power_events = saved.pairs("power_events")
        self.broken = set(saved.texts("broken"))
        self.supply.load(saved.part("supply"))
        self.top_ups.load(saved.part("top_ups"))
        self.voltage.load(saved.part("voltage"))
        self.limits = [Limit.restore(row) for row in saved.rows("limits")]
        self.lost_at = saved.optional_moment("lost_at")
        outages = saved.pairs("outage")
        self.outage = (UtcMs(outages[0][0]), UtcMs(outages[0][1])) if outages else None
        self.acknowledged = saved.number("acknowledged")
        self.boost.load(saved.part("boost"))
        ledger = saved.optional_part("ledger")
        self._ledger = None
        if ledger is not None:
            self.ledger.load(ledger)


def _fitted(shape: Shape, passive: Data) -> Data:
    """Return a passive value as its active attribute holds it: alone or as an array of one."""
    if isinstance(shape, Rows) and passive.tag is not Tag.ARRAY:
        return Data(Tag.ARRAY, (passive,))
    return passive
