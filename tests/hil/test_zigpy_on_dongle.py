"""zigpy and bellows as published start on the emulated dongle, and its home joins them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import zigpy.types as t

from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.core.ids import Eui64
from emulator.crypto.install_code import InstallCode
from emulator.ncp.identity import Identity
from emulator.ncp.member_plan import MemberPlan
from emulator.servers import listen
from emulator.servers.dongle_service import DonglePlan, DongleService
from tests.emulator.ncp.home_given import BATTERY, ENDPOINT, METER, SLEEPER, START, a_plan
from tests.emulator.ncp.ncp_given import DONGLE
from tests.hil.zigpy_host import SmartEnergyApplication, started

PLACES = {"pty": "pty", "tcp": "tcp://127.0.0.1:0"}
CODE = InstallCode(bytes.fromhex("83FED3407A939723A5C639B26916D505"))
soak = pytest.mark.soak
EVERY = [
    (13, "pty"),
    (14, "tcp"),
    pytest.param(8, "pty", marks=soak),
    pytest.param(13, "tcp", marks=soak),
    pytest.param(14, "pty", marks=soak),
    pytest.param(18, "tcp", marks=soak),
    pytest.param(19, "pty", marks=soak),
]


@contextlib.asynccontextmanager
async def plugged_in(
    *members: MemberPlan,
    version: int = 13,
    place: str = "pty",
    faults: tuple[str, ...] = (),
    state: Path | None = None,
    notes: list[Note] | None = None,
) -> AsyncIterator[str]:
    """Serve a dongle with these nodes around it; give the address of its line."""
    kept: list[Note] = [] if notes is None else notes

    def keep(_at: UtcMs, note: Note) -> None:
        kept.append(note)

    where = listen.parse(PLACES[place])
    plan = DonglePlan(Identity(DONGLE, version), members, 1, where, START, 1.0, None, faults, state)
    service = DongleService(plan, keep)
    address = await service.open()
    try:
        yield address
    finally:
        await service.close()


async def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0.02)


def play(scene: Awaitable[None], seconds: float = 60) -> None:
    """Run a scene to its end."""
    asyncio.run(asyncio.wait_for(scene, seconds))


def ieee(eui64: Eui64) -> t.EUI64:
    """Return an address as zigpy has it."""
    return t.EUI64.convert(str(eui64).replace("-", ":").lower())


def interviewed(app: SmartEnergyApplication, eui64: Eui64) -> bool:
    """Say whether zigpy knows all it wants to know of a device."""
    device = app.devices.get(ieee(eui64))
    if device is None or device.initializing:
        return False
    return device.is_initialized and device.model is not None


async def reads(app: SmartEnergyApplication, eui64: Eui64) -> Any:
    """Read the meter's register."""
    cluster = app.devices[ieee(eui64)].endpoints[ENDPOINT].smartenergy_metering
    values, _failed = await cluster.read_attributes(["current_summ_delivered"])
    return values["current_summ_delivered"]


@pytest.mark.parametrize(("version", "place"), EVERY)
def test_a_home_joins_is_interviewed_and_answers(version: int, place: str) -> None:
    async def scene() -> None:
        meters = (a_plan(), a_plan(SLEEPER, capability=int(BATTERY)))
        async with (
            plugged_in(*meters, version=version, place=place) as path,
            started(path) as app,
        ):
            assert app.state.node_info.ieee == ieee(DONGLE)
            await app.permit(60)
            await until(lambda: interviewed(app, METER) and interviewed(app, SLEEPER))
            for eui64 in (METER, SLEEPER):
                device = app.devices[ieee(eui64)]
                assert (device.manufacturer, device.model) == ("Bench", "Plain meter")
                assert device.endpoints[ENDPOINT].profile_id == 0x0109
                assert await reads(app, eui64) >= 0
            assert app.devices[ieee(SLEEPER)].node_desc.is_end_device

    play(scene())


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_node_joins_by_its_install_code_and_not_by_another(*, right: bool) -> None:
    notes: list[Note] = []

    async def scene() -> None:
        async with (
            plugged_in(a_plan(key=CODE.link_key()), notes=notes) as path,
            started(path) as app,
        ):
            key = CODE.link_key() if right else bytes(16)
            await app.permit_with_link_key(ieee(METER), t.KeyData(key), 60)
            if right:
                await until(lambda: interviewed(app, METER))
                assert await reads(app, METER) >= 0
            else:
                await until(lambda: any(n.kind == "han_key_not_understood" for n in notes))
                assert not interviewed(app, METER)

    play(scene())
    joined = [note for note in notes if note.kind == "han_joined"]
    assert bool(joined) == right


def test_a_restart_from_memory_needs_no_interview(tmp_path: Path) -> None:
    database, state = tmp_path / "zigbee.db", tmp_path / "dongle.json"

    async def first() -> None:
        async with plugged_in(a_plan(), state=state) as path, started(path, database) as app:
            await app.permit(60)
            await until(lambda: interviewed(app, METER))

    async def again() -> None:
        async with plugged_in(a_plan(), state=state) as path, started(path, database) as app:
            assert interviewed(app, METER)
            assert await reads(app, METER) >= 0

    play(first())
    assert state.stat().st_mode & 0o777 == 0o600
    play(again())


FAULTS = (
    "corrupt:p=0.05@line-in",
    "corrupt:p=0.05@line-out",
    "duplicate:p=0.05@line-in",
    "duplicate:p=0.05@line-out",
    "noise:octets=3,p=0.05@line-out",
)


@soak
def test_a_disturbed_line_slows_the_host_down_and_no_more() -> None:
    async def scene() -> None:
        async with plugged_in(a_plan(), faults=FAULTS) as path, started(path) as app:
            await app.permit(60)
            await until(lambda: interviewed(app, METER), 50)
            for _ in range(20):
                await reads(app, METER)

    play(scene(), 120)


@soak
def test_a_line_that_loses_frames_loses_no_command() -> None:
    losing = (*FAULTS, "drop:p=0.01@line-in", "drop:p=0.01@line-out", "truncate:p=0.01@line-out")

    async def scene() -> None:
        async with plugged_in(a_plan(), faults=losing) as path, started(path) as app:
            for number in range(300):
                octets = number.to_bytes(4, "big")
                (told,) = await app._ezsp.echo(data=octets)
                assert bytes(told) == octets

    play(scene(), 600)
