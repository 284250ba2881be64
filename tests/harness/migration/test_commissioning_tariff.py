"""1.1.1 after migration: carried out where the steps can carry it, else named and not begun."""

from typing import Any

from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.codecs.dlms.access import parse_obis
from emulator.codecs.dlms.apdu_parts import Attribute, Descriptor
from harness.formats.duis.smets1_bodies import UpdateImportTariff
from harness.formats.duis.smets1_contents import Result
from harness.formats.duis.smets1_response import Smets1Response
from harness.migration.course import Course
from tests.harness.formats.tariff_given import BLOCKS, TOU, gas_tariff, tariff
from tests.harness.migration.after_kit import asked, device, home, played

HOME = home("DA", InstallationClass.ACTIVE, SupplyShape.ELECTRICITY_ONLY)
ESME = device(HOME, DeviceType.ESME)
PRICE = Attribute(Descriptor(113, parse_obis("0-0:19.20.0.255"), 5))


async def price(course: Course, bench: Any) -> int:
    """The price in force, in 10^-4 pounds a kWh, as the S1SP reads it off the meter."""
    port = bench.meter("ESME", "wan@S1SP")
    own = course.office.s1sp.credentials(bench.credentials("ESME", "management"), ESME)
    assert (await port.associate(own)).accepted
    (charge,) = await port.get([PRICE])
    await port.release()
    return int(charge.value[2].value[0].value[1].value)


def test_one_price_for_all_times_comes_into_force_on_the_meter() -> None:
    async def story(course: Course, bench: Any) -> None:
        before = await price(course, bench)
        assert (await asked(course, tariff(), ESME)).success
        assert before != 2950
        assert await price(course, bench) == 2950

    played(HOME, story)


def test_what_the_steps_cannot_carry_is_named_by_the_s1sp_and_no_device_is_asked() -> None:
    wanted: tuple[tuple[UpdateImportTariff, str], ...] = (
        (tariff(TOU), "prices by time of use"),
        (tariff(BLOCKS), "block prices"),
        (tariff(standing=31), "a standing charge"),
        (gas_tariff(), "prices of gas"),
    )

    async def story(course: Course, bench: Any) -> None:
        _ = bench
        sent = len(course.office.post.between("S1SP", str(ESME)))
        for body, held in wanted:
            answer = (await asked(course, body, ESME)).value
            assert isinstance(answer, Smets1Response)
            assert isinstance(answer.body, Result)
            assert answer.body.element == "UpdateImportTariffPrimaryElementRsp"
            assert not answer.body.success
            assert f"1.1.1 with {held} is not supported" in answer.body.statuses[0].error
        assert len(course.office.post.between("S1SP", str(ESME))) == sent

    played(HOME, story)
