"""zigpy as published interviews a whole home and reads every attribute its devices serve."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
import zigpy.types as t
from zigpy.zcl import foundation

from emulator.codecs.zcl import metering, ota
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.devices.zcl_side import ZclSide
from emulator.ncp.identity import Identity
from emulator.ncp.member_plan import MemberPlan
from emulator.runtime.dongle_home import Home, Joining, home_of_plan
from emulator.runtime.installation import Plan
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from harness.cli import dongle as command
from tests.emulator.ncp.home_given import START
from tests.hil.test_zigpy_on_dongle import PLACES, ieee, interviewed, play, until
from tests.hil.zigpy_host import SmartEnergyApplication, started

SEED = 1
SERVED = (0x0000, 0x0702)
#: Attributes that move on while an answer travels.
MOVING = frozenset({(metering.CLUSTER, one) for one in (0x0000, 0x0001, 0x0400, 0x0401, 0x0402)})
#: Attributes asked for at once: their answer stays within one frame, as some hosts need it.
AT_ONCE = 3
soak = pytest.mark.soak
VERSIONS = [13, *(pytest.param(version, marks=soak) for version in (8, 14, 18, 19))]


def the_home() -> Home:
    """Return what ``smetsbench dongle`` carries without ``--han``, lenient."""
    installation = command._installation(None, ())
    return home_of_plan(Plan(installation, SEED, START), Joining(secure=False))


@contextlib.asynccontextmanager
async def plugged_in(home: Home, version: int, place: str) -> AsyncIterator[DongleService]:
    """Serve a dongle with this home around it."""

    def hear(_at: UtcMs, _note: Note) -> None:
        """Keep it to oneself."""

    where = listen.parse(PLACES[place])
    plan = DonglePlan(Identity(home.hub, version), home.plans, SEED, where, START)
    service = DongleService(plan, hear)
    await service.open()
    try:
        yield service
    finally:
        await service.close()


def kept(plan: MemberPlan, now: UtcMs) -> Mapping[tuple[int, int], Any]:
    """Return what a device's own model says of every attribute it serves."""
    device = plan.application
    assert isinstance(device, ZclSide)
    return {
        (cluster, int(attribute)): value.value
        for cluster in (*SERVED, ota.CLUSTER)
        for attribute, value in device.attributes(cluster, now).items()
    }


async def reads(
    app: SmartEnergyApplication, eui64: Eui64, cluster: int, *attributes: int
) -> list[Any]:
    """Read attributes as zigpy does; each must be told without a refusal."""
    endpoint = app.devices[ieee(eui64)].endpoints[1]
    clusters = endpoint.out_clusters if cluster == ota.CLUSTER else endpoint.in_clusters
    answer = await clusters[cluster].read_attributes_raw(list(attributes))
    records = answer[0]
    assert [record.attrid for record in records] == list(attributes)
    assert {record.status for record in records} == {foundation.Status.SUCCESS}, records
    return [record.value.value for record in records]


def same(told: Any, expected: Any) -> bool:
    """Compare a value of zigpy's with one of ours."""
    if isinstance(expected, Eui64):
        return bool(told == ieee(expected))
    if isinstance(expected, bytes):
        return bytes(told) == expected
    return bool(told == expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_home_joins_by_install_codes_and_tells_every_attribute_it_serves(version: int) -> None:
    home = the_home()

    async def scene() -> None:
        place = "tcp" if version >= 14 else "pty"
        async with plugged_in(home, version, place) as service:
            async with started(service.address):
                """Form the network: the reset at its end loses the host's endpoints."""
            await with_its_endpoints(service)

    async def with_its_endpoints(service: DongleService) -> None:
        async with started(service.address) as app:
            for eui64, code in home.codes.items():
                await app.permit_with_link_key(ieee(eui64), t.KeyData(code.link_key()), 60)
            roles = [plan.name.split()[0] for plan in home.plans]
            assert roles == ["esme", "gsme", "ppmid", "ppmid"]
            await until(lambda: all(interviewed(app, plan.eui64) for plan in home.plans), 40)
            for plan in home.plans:
                await compare(app, service, plan)

    play(scene(), 120)


async def compare(app: SmartEnergyApplication, service: DongleService, plan: MemberPlan) -> None:
    """Read everything a device serves, and compare it with the device."""
    endpoint = app.devices[ieee(plan.eui64)].endpoints[plan.endpoint.endpoint]
    assert endpoint.profile_id == 0x0109
    assert {*endpoint.in_clusters} == {*plan.endpoint.inputs}
    assert {*endpoint.out_clusters} == {*plan.endpoint.outputs}
    places = [*kept(plan, service._clock.utc(service._now()))]
    assert len(places) >= 10
    for cluster in (*SERVED, ota.CLUSTER):
        wanted = [attribute for place, attribute in places if place == cluster]
        for at in range(0, len(wanted), AT_ONCE):
            some = wanted[at : at + AT_ONCE]
            before = kept(plan, service._clock.utc(service._now()))
            told = await reads(app, plan.eui64, cluster, *some)
            after = kept(plan, service._clock.utc(service._now()))
            for attribute, value in zip(some, told, strict=True):
                place = (cluster, attribute)
                check(plan, place, value, before[place], after[place])
    (suites,) = await reads(app, plan.eui64, 0x0800, 0x0000)
    assert suites == 2


def check(plan: MemberPlan, place: tuple[int, int], told: Any, before: Any, after: Any) -> None:
    """Compare an attribute as it was told with the device's own, before and after it was read."""
    if place in MOVING:
        assert abs(told - before) < 1000, (plan.name, place)
    elif isinstance(before, int) and before != after:  # the meter counted meanwhile
        assert min(before, after) <= told <= max(before, after), (plan.name, place, told)
    else:
        assert same(told, before), (plan.name, place, told, before)
