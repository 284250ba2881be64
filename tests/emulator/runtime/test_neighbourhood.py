"""Many homes in one process: each lives as it would alone, and an idle one costs little."""

import gc
import tracemalloc
from typing import Any, Final

import pytest

from device_profiles import installation
from device_profiles.installation import Installation
from device_profiles.words import DeviceType
from emulator.codecs.zcl.metering import MeteringAttribute
from emulator.core.clock import UtcMs
from emulator.core.errors import EmulatorError
from emulator.crypto import signature
from emulator.devices.consumption import HALF_HOUR_MS, Kind
from emulator.runtime.driver import Driver
from emulator.runtime.installation import Emulation
from emulator.runtime.neighbourhood import Neighbourhood
from emulator.runtime.virtual_time import VirtualTimeLoop

START: Final = UtcMs(1_700_000_000_000)
HOUR_US: Final = 3_600_000_000
#: Generous: the aim of issue 7 is 100 KiB, and so few homes share little.
MOST_KIB: Final = 130


def home(number: int) -> Installation:
    base = installation.load("demo")
    devices = [
        one.model_copy(update={"eui64": f"{one.eui64[:-5]}{number:02X}{one.eui64[-3:]}"})
        for one in base.devices
        if one.role is not DeviceType.HCALCS
    ]
    return base.model_copy(update={"ref": f"home-{number}", "devices": tuple(devices)})


def homes(count: int, gap_ms: int = 0) -> Neighbourhood:
    return Neighbourhood([home(number) for number in range(count)], 1, START, gap_ms=gap_ms)


def meters(one: Emulation) -> tuple[Any, Any]:
    return one.world.box(one.roles[DeviceType.ESME]).device, one.world.box(
        one.roles[DeviceType.GSME]
    ).device


def registers(one: Emulation, now: UtcMs) -> list[object]:
    esme, gsme = meters(one)
    return [
        esme.model.import_wh(now),
        esme.consumption.energy_wh(Kind.EXPORT, now),
        esme.consumption.half_hours_wh(Kind.IMPORT, UtcMs(now - 4 * HALF_HOUR_MS), now),
        gsme.model.ledger.register_dm3(now),
        gsme.model.accounts_log("daily", now),
        gsme.model.registers_log("daily", now),
    ]


def test_a_neighbourhood_has_a_home() -> None:
    with pytest.raises(EmulatorError, match="at least one"):
        Neighbourhood([], 1, START)


def test_an_idle_day_ends_in_the_same_registers_whether_somebody_looks_every_hour_or_nobody() -> (
    None
):
    looked, left = homes(3), homes(3)
    for hour in range(1, 25):
        looked.run_until(START * 1000 + hour * HOUR_US)
        for one in looked.homes:
            registers(one, UtcMs(START + hour * HOUR_US // 1000))
    left.run_until(START * 1000 + 24 * HOUR_US)
    end = UtcMs(START + 24 * HOUR_US // 1000)
    shown = [registers(one, end) for one in left.homes]
    assert [registers(one, end) for one in looked.homes] == shown
    assert len({str(one) for one in shown}) == 3
    for one in left.homes:
        gsme = meters(one)[1]
        hub: Any = one.world.boxes[0].device
        mirrored = hub.gpf.mirror[MeteringAttribute.CURRENT_SUMMATION_DELIVERED].value
        assert mirrored == gsme.model.ledger.register_dm3(gsme.told_at)


def test_homes_that_move_together_end_as_homes_that_move_one_after_another() -> None:
    together, apart = homes(3, gap_ms=700), homes(3, gap_ms=700)
    end = START * 1000 + 3 * HOUR_US
    together.run_until(end)
    for one in reversed(apart.homes):
        one.world.run_until(end)
    dumped = [one.world.dump() for one in together.homes]
    assert dumped == [one.world.dump() for one in apart.homes]
    assert len({*dumped}) == 3


def test_a_driver_moves_them_and_their_facts_are_dropped_when_told() -> None:
    few = homes(2, gap_ms=1000)
    driver: Driver[Neighbourhood] = Driver(few)
    loop = VirtualTimeLoop()
    until = START * 1000 + HOUR_US
    try:
        loop.run_until_complete(driver.wait_for(lambda: None, until))
    finally:
        loop.close()
    assert few.now_us == until
    assert few.steps > 0
    assert few.drop_facts() > 0
    assert few.drop_facts() == 0


def test_every_device_has_keys_of_its_own_and_all_homes_one_set_of_parties() -> None:
    one, other = homes(2).homes
    assert one.parties == other.parties
    acb = one.parties.acb
    assert one.keys.private(acb).entries() == other.keys.private(acb).entries() != ()
    keys = [
        entry.public_point
        for each in (one, other)
        for device in each.profiles
        for entry in each.keys.private(device).entries()
    ]
    assert len(keys) == len({*keys}) == 20


def held_kib(count: int) -> float:
    gc.collect()
    tracemalloc.start(1)
    some = homes(count)
    some.run_until(START * 1000 + 2 * HOUR_US)
    some.drop_facts()
    signature.public_key.cache_clear()
    signature.private_key.cache_clear()
    gc.collect()
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 1024


def test_an_idle_home_holds_little() -> None:
    homes(1).run_until(START * 1000 + 2 * HOUR_US)
    few, more = held_kib(2), held_kib(8)
    assert (more - few) / 6 < MOST_KIB
