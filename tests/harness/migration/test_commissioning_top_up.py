"""Whose top-up codes a meter takes at its keypad, from before the migration until after it."""

from typing import Any

import pytest

from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.core.clock import UtcMs
from emulator.crypto.top_up_code import TopUp
from harness.formats.duis import smets1_bodies as bodies
from harness.formats.duis.s1sp_alert import S1spAlert
from harness.migration.course import Course
from harness.migration.record import InstallationRecord
from harness.migration.states import State
from harness.parties.import_supplier import handover_body
from harness.parties.smets1_top_up import device_code
from tests.harness.migration.after_kit import asked, device, home, played, world_of

DUAL = home("EA", InstallationClass.DORMANT, SupplyShape.DUAL_FUEL)
NOT_OURS = "not_authentic"


def sold(course: Course, bench: Any, kind: str, number: int) -> dict[str, str]:
    """A code of each party's for a meter of the first home."""
    at = bench.role(kind)
    of_smso = bench.credentials(kind, "management").keys
    own = course.office.s1spdp.authentication(at)
    keys = {"SMSO": of_smso.authentication, "S1SP": own}
    return {who: device_code(key, at, TopUp(500, number)) for who, key in keys.items()}


async def keyed(course: Course, bench: Any, kind: str, number: int) -> dict[str, str]:
    """Key a fresh code of each party's; returns why it was not taken, or ``taken``."""
    said = {}
    for who, code in sold(course, bench, kind, number).items():
        answer = await bench.key_in(kind, code)
        said[who] = "taken" if answer.taken else answer.why
    return said


@pytest.mark.parametrize("kind", ["ESME", pytest.param("GSME", marks=pytest.mark.soak)])
def test_codes_of_the_smso_count_until_its_keys_go_and_those_of_the_s1sp_from_c5(
    kind: str,
) -> None:
    said: dict[str, Any] = {}

    async def before(course: Course, bench: Any) -> None:
        await bench.clock.sleep_until(UtcMs(bench.clock.now() + 60_000))
        said["before"] = await keyed(course, bench, kind, 1)
        said["kept"] = sold(course, bench, kind, 2)["SMSO"]  # sold now, keyed after migration

        async def watch(step: str, record: InstallationRecord) -> None:
            _ = record
            if step in {"H3", "T7"}:
                said[step] = await keyed(course, bench, kind, 3 if step == "H3" else 4)

        course.watch = watch

    async def story(course: Course, bench: Any) -> None:
        assert course.cases[DUAL.ref].state is State.MIGRATED
        said["after"] = await keyed(course, bench, kind, 50_100)
        said["late"] = (await bench.key_in(kind, said["kept"])).why
        again = sold(course, bench, kind, 50_100)["S1SP"]
        said["twice"] = (await bench.key_in(kind, again)).why

    played(DUAL, story, before=before)
    assert said["before"] == {"SMSO": "taken", "S1SP": NOT_OURS}
    assert said["H3"] == {"SMSO": NOT_OURS, "S1SP": NOT_OURS}
    assert said["T7"] == {"SMSO": NOT_OURS, "S1SP": NOT_OURS}
    assert said["after"] == {"SMSO": NOT_OURS, "S1SP": "taken"}
    assert (said["late"], said["twice"]) == (NOT_OURS, "duplicate")


def test_an_undelivered_top_up_is_keyed_in_by_the_customer_once_for_either_fuel() -> None:
    """2.2 fails without WAN, for ESME and GSME; the UTRN of the alert works at the keypad."""

    async def story(course: Course, bench: Any) -> None:
        user = next(iter(world_of(course).suppliers.values()))
        for kind in (DeviceType.ESME, DeviceType.GSME):
            handed = handover_body(course.office.keys.store, user.eui64)
            assert (await asked(course, handed, device(DUAL, kind))).success
        await bench.disturb("mute@wan")
        for kind, number in ((DeviceType.ESME, 21), (DeviceType.GSME, 22)):
            meter = device(DUAL, kind)
            answer = await asked(course, user.top_up(meter, TopUp(900, number)), meter)
            assert isinstance(answer.value, S1spAlert)
            utrn = answer.value.utrn
            assert utrn is not None
            assert (await bench.key_in(kind, utrn)).taken
            assert (await bench.key_in(kind, utrn)).why == "duplicate"

    played(DUAL, story)


def test_7_1_is_refused_for_gas_and_7_4_reads_its_valve() -> None:
    async def story(course: Course, bench: Any) -> None:
        _ = bench
        user = next(iter(world_of(course).suppliers.values()))
        gas = device(DUAL, DeviceType.GSME)
        handed = handover_body(course.office.keys.store, user.eui64)
        assert (await asked(course, handed, gas)).success
        refused = await asked(course, bodies.EnableSupply(), gas)
        assert not refused.success
        assert "never opened from afar" in refused.value.body.statuses[0].error
        assert (await asked(course, bodies.ReadSupplyStatus(), gas)).success

    played(DUAL, story)
