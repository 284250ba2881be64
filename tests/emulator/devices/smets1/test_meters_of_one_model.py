"""Meters of one model share layout and factory calendar, and nothing of their own."""

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.codecs.dlms import axdr
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from emulator.devices.smets1 import catalogue, registry
from emulator.devices.smets1.calendar import FACTORY, Calendar, switching_table
from emulator.devices.smets1.device import Smets1Device

NOW = UtcMs(1_700_000_000_000)
MORE_THAN_ARE_KEPT = 70


def _meter(number: int, profile: str = "demo-s1-esme") -> Smets1Device:
    eui64 = Eui64(bytes((2, 0x53, 1, 0, 0, 0, 0, number)))
    return registry.build(DeviceType.ESME, eui64, load_profile(profile), 1, NOW)


def test_objects_of_two_meters_are_two() -> None:
    one, other = _meter(1), _meter(2)
    own = {id(item) for item in one.tree.objects()}
    assert own
    assert own.isdisjoint(id(item) for item in other.tree.objects())
    assert [item.name for item in one.tree.objects()] == [
        item.name for item in other.tree.objects()
    ]


def test_a_deviation_of_one_section_is_not_in_the_next_meter_of_its_catalogue() -> None:
    first = next(_meter(1).tree.objects())
    assert isinstance(first, catalogue.CatalogueObject)
    first.deviations[2] = axdr.uint16(7)
    again = next(_meter(2).tree.objects())
    assert isinstance(again, catalogue.CatalogueObject)
    assert again.deviations.get(2) != axdr.uint16(7)


def test_more_models_than_are_kept_have_the_objects_of_their_own_section() -> None:
    model = load_profile("demo-s1-esme")
    section = model.dlms
    assert section is not None
    for number in range(MORE_THAN_ARE_KEPT):
        obis = f"1-0:0.2.{number}.255"
        changed = section.model_copy(update={"firmware_obis": obis})
        profile = model.model_copy(update={"dlms": changed})
        eui64 = Eui64(bytes((2, 0x53, 1, 0, 0, 0, 1, number)))
        meter = registry.build(DeviceType.ESME, eui64, profile, 1, NOW)
        found = meter.tree.find(1, catalogue.obis_octets(obis))
        assert isinstance(found, catalogue.CatalogueObject)


def test_a_calendar_that_was_changed_is_no_factory_calendar() -> None:
    changed = Calendar()
    before = changed.table()
    changed.active = {**FACTORY, "name": axdr.octets(b"other")}
    assert changed.table() == switching_table(changed.active, [])
    assert Calendar().table() == before
