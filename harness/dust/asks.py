"""What the simulated supplier asks of homes that have migrated: by its definition and its seed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from device_profiles.installation import Installation, InstalledDevice
from device_profiles.words import DeviceType, PaymentMode
from emulator.core.chance import Chance
from emulator.core.clock import UtcMs, from_datetime
from emulator.core.ids import Eui64
from emulator.crypto.keystore import KeyStore
from emulator.crypto.top_up_code import TopUp
from harness.dust.definition_words import ASKED
from harness.dust.flat_tariff import one_price, tariff
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import ReadFirmwareVersion, ReadInventory, RequestBody
from harness.formats.duis.dcc_bodies import CreateSchedule, Frequency, ScheduledLog
from harness.parties import smets1_top_up
from harness.parties.import_supplier import change_body, handover_body

if TYPE_CHECKING:
    from harness.dust.definition import Definition

#: A request, and its device; None: the DCC.
Wish = tuple[RequestBody, Eui64 | None]
#: A service, and the type of device that a case asks it of; None: the one it is usually asked of.
Due = frozenset[tuple[str, DeviceType | None]]
#: Asked of every home where they are due; of the other services each home gets some.
_ALWAYS: Final = frozenset({"4.1.1", "6.21", "6.23", "2.2", "4.18"})
#: Asked of one home a turn alone: the world goes on until a schedule has run.
_ONCE: Final = "5.1"
#: Asked only of homes of whose answer a case tells: they cut supply off, and put it on again.
_MODE: Final = "1.6"
_IN_CASES: Final = frozenset({"7.2", "7.1"})
#: Of how many newly migrated homes of a turn everything is asked.
_FULLY: Final = 3
#: How many of the other services each further home gets, drawn from the seed.
_DRAWN: Final = 1
#: What a top-up and a tariff are of. Source: invented.
_PENCE: Final = 500
_PRICE: Final = 2950
_DAY: Final = timedelta(days=1)
_PROFILE: Final = ScheduledLog("DSPReadActiveImportProfileData", -1, 0, 0, 0)
_AT_ONE: Final = 3600


@dataclass(frozen=True, slots=True)
class Asker:
    """A supplier's view of a home of its.

    Attributes:
        home: The home.
        user: Its supplier now.
        day: Day of the turn.
        number: Number of the turn: a top-up has another one each time.
        store: Certificates of the parties.
        null: Whether Null stood in its supplier's Certificate IDs (split supply, R-026).
        gained: Whether the supplier gained it under way.
    """

    home: Installation = field(repr=False)
    user: Eui64
    day: date
    number: int
    store: KeyStore = field(repr=False)
    null: bool = False
    gained: bool = False

    @property
    def esme(self) -> InstalledDevice:
        """The electricity meter."""
        return self.home.of(DeviceType.ESME)[0]

    def device(self, kind: DeviceType) -> Eui64 | None:
        """Return the first device of a type; None: the home has none, or another supplies it."""
        found = next(iter(self.home.of(kind)), None)
        another = found is None or (
            kind is DeviceType.GSME and found.supplier != self.esme.supplier
        )
        return None if another or found is None else Eui64.parse(found.eui64)

    @property
    def meter(self) -> Eui64:
        """Its EUI-64."""
        return Eui64.parse(self.esme.eui64)

    @property
    def hub(self) -> Eui64:
        """The hub's."""
        return Eui64.parse(self.home.of(DeviceType.CHF)[0].eui64)

    @property
    def last_day(self) -> bodies.LogPeriod:
        """The day before."""
        end = datetime.combine(self.day, time(), UTC)
        return bodies.LogPeriod(from_datetime(end - _DAY), UtcMs(from_datetime(end) - 1))

    @property
    def prepays(self) -> bool:
        """Whether the meter is in prepayment mode."""
        return self.esme.payment_mode is PaymentMode.PREPAYMENT


def _tops_up(asker: Asker) -> RequestBody | None:
    top_up = TopUp(_PENCE, asker.number)
    order = smets1_top_up.order(asker.user, asker.meter, top_up)
    return bodies.TopUpDevice(order) if asker.prepays else None


def _keeps_mode(asker: Asker) -> RequestBody:
    """Set the mode that the meter is in: what was agreed with the customer stays."""
    mode = bodies.Prepayment() if asker.prepays else bodies.Credit()
    return bodies.UpdatePaymentMode(mode)


def _bodies(service: str, asker: Asker, due: Due) -> Iterator[RequestBody]:
    """Yield what is asked: where a case tells of 1.6, a meter that prepays is set to credit first.

    It is in prepayment mode again right after that; its event log tells whether it ever left it.
    """
    body = SERVICES[service](asker)
    if service == _MODE and asker.prepays and any(one == _MODE for one, _kind in due):
        yield bodies.UpdatePaymentMode(bodies.Credit())
    if body is not None:
        yield body


def _hands_over(asker: Asker) -> RequestBody | None:
    due = asker.null and not asker.gained
    return handover_body(asker.store, asker.user) if due else None


def _changes(asker: Asker) -> RequestBody | None:
    number = asker.esme.mpxn
    return change_body(asker.store, asker.user, number) if asker.gained and number else None


def _schedules(asker: Asker) -> RequestBody:
    """Have the DSP read the profile once, on the next day."""
    start = asker.day + _DAY
    return CreateSchedule(
        Frequency.DAILY, start, "4.8", "4.8.1", asker.meter, _PROFILE, end=start, time=_AT_ONE
    )


#: Service reference variant -> what is asked of a home; None: it is not due there.
SERVICES: Final[Mapping[str, Callable[[Asker], RequestBody | None]]] = {
    "6.21": _hands_over,
    "6.23": _changes,
    "4.1.1": lambda _asker: bodies.ReadInstantaneousImportRegisters(),
    "8.2": lambda asker: ReadInventory(asker.meter),
    "11.2": lambda _asker: ReadFirmwareVersion(),
    "1.1.1": lambda _asker: tariff(one_price(_PRICE)),
    "1.6": _keeps_mode,
    "2.2": _tops_up,
    "4.8.1": lambda asker: bodies.ReadActiveImportProfileData(asker.last_day),
    "4.18": lambda asker: bodies.ReadMeterBalance() if asker.prepays else None,
    "7.1": lambda _asker: bodies.EnableSupply(),
    "7.2": lambda _asker: bodies.DisableSupply(),
    "5.1": _schedules,
    "6.13": lambda asker: bodies.ReadEventOrSecurityLog(asker.last_day, bodies.LogName.EVENT),
    "7.4": lambda _asker: bodies.ReadSupplyStatus(),
    "8.9": lambda _asker: bodies.ReadDeviceLog(),
}
_TO_DCC: Final = frozenset({"5.1", "8.2"})
_TO_HUB: Final = frozenset({"8.9"})


def due_of(definition: "Definition") -> dict[str, Due]:
    """Return of which homes cases expect answers: ref -> services, and of which device."""
    found: dict[str, Due] = {}
    for case in definition.cases:
        due = frozenset((one.request, one.device) for one in case.expect if one.request)
        for ref in definition.refs_of(case) if due else ():
            found[ref] = found.get(ref, frozenset()) | due
    return found


def wishes(
    asker: Asker, asks: Sequence[str], place: int, chance: Chance, due: Due = frozenset()
) -> Iterator[Wish]:
    """Yield what is asked of a home.

    Args:
        asker: Its supplier.
        asks: Services of the definition.
        place: Its place among the homes of the turn, from 0: everything is asked of the first.
        chance: What else is asked is drawn from it, home by home.
        due: What cases expect an answer to.
    """
    drawn = set(asks) - _IN_CASES if place < _FULLY else _some(asks, asker, chance)
    if place:
        drawn -= {_ONCE}
    drawn |= {one for one, kind in due if kind in {None, _usual(one)}} & set(asks)
    for service in ASKED:  # in this order, whatever that of the definition
        for body in _bodies(service, asker, due) if service in drawn else ():
            target = asker.hub if service in _TO_HUB else asker.meter
            yield body, None if service in _TO_DCC else target
        yield from _of_others(asker, service, due if service in asks else frozenset())


def _usual(service: str) -> DeviceType:
    """Return the type of device that a service is usually asked of."""
    return DeviceType.CHF if service in _TO_HUB else DeviceType.ESME


def _of_others(asker: Asker, service: str, due: Due) -> Iterator[Wish]:
    """Yield what cases ask of a device that a service is not usually asked of."""
    kinds = {kind for one, kind in due if one == service and kind is not None}
    for kind in sorted(kinds - {_usual(service)}):
        device = asker.device(kind)
        for body in _bodies(service, asker, due) if device is not None else ():
            yield body, device


def _some(asks: Sequence[str], asker: Asker, chance: Chance) -> set[str]:
    rest = [one for one in asks if one not in _ALWAYS | _IN_CASES and one != _ONCE]
    octets = chance.stream(f"asked of {asker.home.ref}").octets(_DRAWN)
    drawn = {rest[octet % len(rest)] for octet in octets} if rest else set()
    return drawn | (_ALWAYS & set(asks))
