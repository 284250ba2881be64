"""Generated installations: reproducible, sound, and outside everything live."""

from collections import Counter

import pytest

from device_profiles.cohort import cohort_names
from device_profiles.cpl import load_cpl
from device_profiles.installation import check_profiles
from device_profiles.words import CspRegion, DeviceType, InstallationClass, SupplyShape
from harness.errors import UsageError
from harness.new_installations import EIS, GIS, Order, generate, mpan_check_digit


def test_the_same_seed_makes_the_same_installations() -> None:
    assert generate(Order(20, 7)) == generate(Order(20, 7))
    assert generate(Order(20, 7)) != generate(Order(20, 8))
    assert generate(Order(20, 7))[:5] == generate(Order(5, 7))


def test_no_number_stands_twice_in_a_thousand_homes() -> None:
    made = generate(Order(1000, 3))
    devices = [device for home in made for device in home.devices]
    assert max(Counter(device.eui64 for device in devices).values()) == 1
    mpxns = Counter(device.mpxn for device in devices if device.mpxn is not None)
    assert len(mpxns) == 2000
    assert len({home.ref for home in made}) == 1000
    assert {home.csp for home in made} == {CspRegion.NORTH, CspRegion.CENTRAL, CspRegion.SOUTH}


def test_no_number_can_be_live() -> None:
    for home in generate(Order(50, 5, shape=SupplyShape.SPLIT_SUPPLY)):
        for device in home.devices:
            for eui64 in (device.eui64, device.supplier):
                assert int(eui64[:2], 16) & 0x02, "the locally administered bit"
            assert device.mpxn is None or device.mpxn.startswith("99")
            assert device.install_code == f"made-up:{device.eui64}"


def test_mpans_carry_their_check_digit() -> None:
    for home in generate(Order(50, 5)):
        (meter,) = home.of(DeviceType.ESME)
        assert meter.mpxn is not None
        assert len(meter.mpxn) == 13
        assert int(meter.mpxn[-1]) == mpan_check_digit(meter.mpxn[:-1])
    assert mpan_check_digit("123456789012") == 6
    assert mpan_check_digit("000000000000") == 0


@pytest.mark.parametrize("cohort", [None, *cohort_names()])
@pytest.mark.parametrize("shape", list(SupplyShape))
def test_every_cohort_and_shape_makes_sound_homes(cohort: str | None, shape: SupplyShape) -> None:
    for home in generate(Order(2, 1, cohort, shape, InstallationClass.DORMANT)):
        check_profiles(home)
        assert home.cohort == cohort
        assert home.shape is shape
        assert home.installation_class is InstallationClass.DORMANT
        if cohort is not None:
            assert home.csp is CspRegion.SMETS1


def test_split_supply_has_two_suppliers_and_others_one() -> None:
    (split,) = generate(Order(1, 1, shape=SupplyShape.SPLIT_SUPPLY))
    assert {device.supplier for device in split.devices} == {EIS, GIS}
    assert [device.supplier for device in split.of(DeviceType.GSME)] == [GIS]
    (dual,) = generate(Order(1, 1))
    assert {device.supplier for device in dual.devices} == {EIS}


def test_rows_of_the_products_list_are_those_of_the_models() -> None:
    (home,) = generate(Order(1, 1))
    entries = load_cpl().entries
    for device in home.devices:
        if device.role is DeviceType.GPF:
            assert device.cpl_entry is None
        else:
            assert device.cpl_entry is not None
            assert entries[device.cpl_entry].device_type is device.role


@pytest.mark.parametrize("count", [0, -1, 100_001])
def test_a_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match="not possible"):
        generate(Order(count, 1))
