"""What was told against what is shown: each rule by itself, and whose a difference is."""

from decimal import Decimal

import pytest

from device_profiles.cohort import load_cohort
from device_profiles.dlms_catalogue import load_catalogue
from device_profiles.dmves import Equivalent, load_dmves
from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import DataAccessResult, Descriptor, GetResult
from emulator.codecs.dlms.axdr import Data, Tag
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.dlms.clock import clock_data
from harness.dust.told import Answer, Differs, Shown, Whose
from harness.dust.told_looked import Looked, decimal, plain, time_of
from harness.dust.told_rules import RULES
from harness.formats.duis import kinds
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.bodies import RequestBody
from harness.formats.duis.smets1_contents import Node, Result

AT = UtcMs(1_734_645_600_000)
METER = Eui64.parse("02-53-01-00-00-00-00-01")
TOTAL = Descriptor(3, parse_obis("1-0:1.8.0.255"), 2)
ABOUT = Descriptor(3, parse_obis("1-0:1.8.0.255"), 3)
NOWHERE = Descriptor(3, parse_obis("1-0:1.8.199.255"), 2)
SWITCH = Descriptor(70, parse_obis("0-0:96.3.10.255"), 2)
EVENTS = Descriptor(7, parse_obis("0-0:99.98.0.255"), 2)
BALANCE = Descriptor(112, parse_obis("0-0:19.10.0.255"), 2)
OBJECTS = load_catalogue("dlms-smets1").objects
UNDEFINED = DataAccessResult.OBJECT_UNDEFINED


def steps(service: str) -> Equivalent:
    return load_dmves().find(load_cohort("EA").models.esme, DeviceType.ESME, service)


def differing(
    service: str,
    request: RequestBody,
    nodes: tuple[Node, ...],
    values: dict[Descriptor, GetResult],
    *,
    is_whole: bool = True,
) -> list[Differs]:
    answer = Answer(service, METER, DeviceType.ESME, AT, AT, request, Result("Rsp", True, nodes))
    looked = Looked(answer, steps, OBJECTS)
    return [*RULES[service][1](looked, Shown(UtcMs(AT + 60_000), values, is_whole))]


def register(value: int, unit: str = "Wh") -> tuple[Node, ...]:
    inside = (Node("Value", str(value)), Node("ActiveEnergyUnit", unit))
    return (Node("Electricity", "", (Node("ActiveImportRegister", "", inside),)),)


def counts(wh: int, scaler: int = 0) -> dict[Descriptor, GetResult]:
    unit = axdr.structure(Data(Tag.INT8, scaler), Data(Tag.ENUM, 30))
    return {TOTAL: Data(Tag.UINT32, wh), ABOUT: unit, NOWHERE: UNDEFINED}


def entries(*told: tuple[int, int]) -> Data:
    rows = (
        axdr.structure(clock_data(UtcMs(AT + after_ms)), axdr.uint16(code))
        for after_ms, code in told
    )
    return Data(Tag.ARRAY, tuple(rows))


READ = bodies.ReadInstantaneousImportRegisters()


def test_a_register_that_is_told_as_it_is_shown_differs_in_nothing() -> None:
    assert not differing("4.1.1", READ, register(1_000), counts(1_000))
    assert not differing("4.1.1", READ, register(999), counts(1_000)), "it went on since then"


@pytest.mark.parametrize(
    ("told", "shown", "whose"),
    [
        (register(1_001), counts(1_000), {Whose.S1SP}),
        (register(1, "kWh"), counts(1_000), {Whose.S1SP}),
        ((), counts(1_000), {Whose.S1SP}),
        (register(1_000), counts(1_000, scaler=1), {Whose.DEVICE}),
        (register(1_000), {**counts(1_000), NOWHERE: Data(Tag.UINT32, 0)}, {Whose.DEVICE}),
    ],
)
def test_a_register_that_is_not_as_shown_is_laid_at_a_door(
    told: tuple[Node, ...], shown: dict[Descriptor, GetResult], whose: set[Whose]
) -> None:
    assert {one.whose for one in differing("4.1.1", READ, told, shown)} == whose


def test_rates_that_do_not_add_up_are_the_device_s() -> None:
    rates: dict[Descriptor, Data | DataAccessResult] = {
        Descriptor(3, parse_obis(f"1-0:1.8.{rate}.255"), 2): Data(Tag.UINT32, 2_000 * (rate == 1))
        for rate in range(1, 49)
    }
    [found] = differing("4.1.1", READ, register(1_000), counts(1_000) | rates)
    assert (found.whose, "2000 together" in found.told) == (Whose.DEVICE, True)


def test_a_list_that_came_back_shorter_is_the_device_s() -> None:
    [found] = differing("4.1.1", READ, register(1_000), counts(1_000), is_whole=False)
    assert "left out" in found.told


def supply(told: str, closed: int, *moves: tuple[int, int]) -> list[Whose]:
    values: dict[Descriptor, Data | DataAccessResult] = {
        SWITCH: Data(Tag.BOOLEAN, closed),
        EVENTS: entries(*moves),
    }
    nodes = (Node("SupplyState", told),)
    return [one.whose for one in differing("7.4", bodies.ReadSupplyStatus(), nodes, values)]


def test_the_supply_state_follows_from_the_events_at_the_moment_it_was_told() -> None:
    assert not supply("Enabled", 1)
    assert not supply("Disabled", 1, (-60_000, 20), (30_000, 21)), "closed again since then"
    assert supply("Disabled", 1) == [Whose.S1SP]
    assert supply("Enabled", 1, (-60_000, 20), (30_000, 21)) == [Whose.OPEN]
    assert supply("Disabled", 1, (-60_000, 20)) == [Whose.DEVICE], "its switch contradicts its log"


def test_a_balance_may_fall_by_what_was_used_and_no_further() -> None:
    shown: dict[Descriptor, GetResult] = {
        BALANCE: Data(Tag.INT32, 100_000),
        EVENTS: entries(),
        TOTAL: Data(Tag.UINT32, 10),
    }
    wants = bodies.ReadMeterBalance()
    assert not differing("4.18", wants, (Node("MeterBalance", "100500"),), shown)
    for told in ("99999", "9999999", "", "much"):
        [found] = differing("4.18", wants, (Node("MeterBalance", told),), shown)
        assert found.whose is Whose.S1SP
    topped_up = {**shown, EVENTS: entries((30_000, 31))}
    assert not differing("4.18", wants, (Node("MeterBalance", "50000"),), topped_up)


def test_an_order_that_was_done_stands_in_the_event_log() -> None:
    done: dict[Descriptor, GetResult] = {EVENTS: entries((0, 20))}
    assert not differing("7.2", bodies.DisableSupply(), (), done)
    late: dict[Descriptor, GetResult] = {EVENTS: entries((-3_600_000, 20), (0, 21))}
    [found] = differing("7.2", bodies.DisableSupply(), (), late)
    assert found.whose is Whose.DEVICE


@pytest.mark.parametrize("text", ["", "much", "1.2.3"])
def test_what_is_no_number_or_moment_is_none(text: str) -> None:
    assert decimal(text) is None
    assert time_of(text) is None
    assert plain(None) == "nothing"
    assert plain(Decimal("1E+3")) == "1000"
    assert time_of(kinds.DATE_TIME.write(AT)) == AT
