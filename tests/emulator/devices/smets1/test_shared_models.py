"""What devices of one model share, and what stays a device's own."""

from device_profiles.dlms_catalogue import CatalogueEntry
from emulator.codecs.dlms.apdu_parts import DataAccessResult
from emulator.devices.smets1.catalogue import FIRMWARE, CatalogueObject, build_tree, columns_of
from emulator.devices.smets1.making import Model
from emulator.devices.smets1.registry import _catalogue
from tests.emulator.devices.smets1.meter_kit import changed, made, profile


def firmware_at(device: object) -> set[bytes]:
    return {
        item.obis
        for item in device.tree.objects()  # type: ignore[attr-defined]  # any catalogue device
        if isinstance(item, CatalogueObject) and FIRMWARE in _bindings(item)
    }


def _bindings(item: CatalogueObject) -> set[str]:
    return {row.binding for row in item.members.values()}


def test_two_meters_of_a_model_have_objects_of_their_own() -> None:
    one, other = made(), made()
    pairs = list(zip(one.tree.objects(), other.tree.objects(), strict=True))
    assert pairs
    assert all(mine is not theirs and mine.name == theirs.name for mine, theirs in pairs)
    first, second = pairs[0]
    assert isinstance(first, CatalogueObject)
    assert isinstance(second, CatalogueObject)
    first.deviations[2] = DataAccessResult.HARDWARE_FAULT
    assert not second.deviations
    assert not next(iter(made().tree.objects())).deviations  # type: ignore[attr-defined]


def test_a_changed_section_is_another_model() -> None:
    known = firmware_at(made())
    moved = firmware_at(made(changed("smets1", firmware_obis="1-0:0.2.7.255")))
    assert bytes((1, 0, 0, 2, 7, 255)) in moved - known
    assert firmware_at(made()) == known


def test_models_are_told_apart_by_identity() -> None:
    section = profile("smets1").dlms
    other = changed("smets1").dlms
    assert section is not None
    assert other is not None
    catalogue = _catalogue(section.objects, ())
    assert Model(catalogue, section) == Model(catalogue, section)
    assert hash(Model(catalogue, section)) == hash(Model(catalogue, section))
    assert section == other  # the same values, and yet another object
    assert Model(catalogue, section) != Model(catalogue, other)
    assert Model(catalogue, section) != (catalogue, section)


def test_what_is_shared_cannot_be_changed() -> None:
    section = profile("smets1").dlms
    assert section is not None
    columns = columns_of(_catalogue(section.objects, ()), section)
    assert columns
    assert not hasattr(columns, "__setitem__")
    assert made().columns is columns


def test_the_catalogue_itself_stays_as_it_was_loaded() -> None:
    device = made()
    section = device.dlms
    catalogue = _catalogue(section.objects, ())
    before = [*catalogue.objects.values()]
    build_tree(device, catalogue, section)
    assert [*catalogue.objects.values()] == before
    assert all(isinstance(entry, CatalogueEntry) for entry in before)
