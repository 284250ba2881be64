"""The emulated SMETS1 meter through every place it can be served at, with our own client."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from device_profiles.loader import load_profile
from emulator.codecs.dlms.apdu_parts import Attribute
from emulator.core.clock import UtcMs
from emulator.core.effects import Note
from emulator.crypto.dlms_factory import FactoryKeys, factory_keys
from emulator.devices.smets1 import registry
from emulator.servers.errors import StateFileError
from emulator.servers.listen import parse
from emulator.servers.serve import ServePlan, Service
from harness.dlms import obis
from harness.dlms.image import ImagePlan, attribute
from harness.dlms.jobs import ActionJob, GetJob
from harness.dlms.settings import Framing
from harness.meter import Association
from tests.emulator.servers.line_kit import EUI64, START
from tests.emulator.servers.reading import LiveReader

PROFILES = ("smets1", "smets1-strict", "smets1-quirks", "smets1-wrapper")
KEYS = factory_keys(1, EUI64)
PLACES = {"pty": Framing.OPTICAL, "tcp://:0": Framing.HDLC, "wrapper://:0": Framing.WRAPPER}


def plan(profile: str, *places: str, **changes: Any) -> ServePlan:
    found = load_profile(profile)

    def make(now: UtcMs, keys: FactoryKeys = KEYS) -> Any:
        return registry.build(found.device_type, EUI64, found, 1, now, keys)

    settings: dict[str, Any] = {"start": START, "wall": START, "clock_factor": 0.001} | changes
    return ServePlan(found, EUI64, 1, make, [parse(place) for place in places], **settings)


@asynccontextmanager
async def serving(order: ServePlan) -> AsyncIterator[tuple[list[str], Service, list[Note]]]:
    notes: list[Note] = []
    service = Service(order, lambda _at, note: notes.append(note))
    addresses = await service.open()
    try:
        yield addresses, service, notes
    finally:
        await service.close()


def reader(order: ServePlan, framing: Framing) -> LiveReader:
    assert order.profile.dlms is not None
    return LiveReader(order.profile.dlms, KEYS, framing)


def wanted() -> tuple[Attribute, ...]:
    """Association view, logical device name, clock, import register, scaler, one that is not."""
    return (
        obis.attribute(15, "0-0:40.0.0.255", 2),
        obis.attribute(1, "0-0:42.0.0.255", 2),
        obis.attribute(8, "0-0:1.0.0.255", 3),
        obis.attribute(3, "1-0:1.8.0.255", 2),
        obis.attribute(3, "1-0:1.8.0.255", 3),
        obis.attribute(3, "1-0:99.99.99.255", 2),
    )


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ["public", "management"])
def test_every_place_gives_the_same_answers(profile: str, name: str) -> None:
    async def story() -> None:
        order = plan(profile, *PLACES)
        found: list[Any] = []
        async with serving(order) as (addresses, _service, _notes):
            for address, framing in zip(addresses, PLACES.values(), strict=True):
                client = reader(order, framing)
                opened = await client.open(address, name)
                assert opened.accepted, opened
                found.append(await client.do(GetJob(wanted())))
                await client.close()
        assert len(found[0]) == len(wanted())
        assert found[0] == found[1] == found[2]

    asyncio.run(story())


def test_a_wrong_password_is_refused_on_every_place() -> None:
    async def story() -> list[tuple[int, int]]:
        order = plan("smets1", *PLACES)
        outcomes: list[tuple[int, int]] = []
        async with serving(order) as (addresses, _service, _notes):
            for address, framing in zip(addresses, PLACES.values(), strict=True):
                assert order.profile.dlms is not None
                client = LiveReader(order.profile.dlms, factory_keys(2, EUI64), framing)
                opened = await client.open(address, "reader")
                assert isinstance(opened, Association)
                outcomes.append((opened.result, opened.diagnostic))
                client.drop()
        return outcomes

    assert asyncio.run(story()) == [(1, 13)] * 3


async def _blocks(client: LiveReader, image: ImagePlan, numbers: range) -> None:
    for number in numbers:
        call = image.block(number)
        outcome = await client.do(ActionJob(call.method, call.parameters))
        assert outcome.result == 0, outcome


def _image() -> ImagePlan:
    return ImagePlan(b"any", bytes(range(200)) * 40, 200)


def test_a_meter_killed_in_the_middle_of_a_transfer_goes_on_where_it_was(tmp_path: Path) -> None:
    state = tmp_path / "meter.json"

    async def first() -> None:
        order = plan("smets1", "tcp://:0", state=state, clock_factor=1.0)
        notes: list[Note] = []
        service = Service(order, lambda _at, note: notes.append(note))
        (address,) = await service.open()
        client = reader(order, Framing.HDLC)
        assert (await client.open(address, "management")).accepted
        image, call = _image(), _image().initiate()
        assert (await client.do(ActionJob(call.method, call.parameters))).result == 0
        await _blocks(client, image, range(15))
        await asyncio.sleep(0.7)  # a second is what may be lost; then the process is gone
        service.meter.stop()
        client.drop()
        await service._close_places()

    async def second() -> None:
        order = plan("smets1", "tcp://:0", state=state, start=None)
        async with serving(order) as ((address,), service, _notes):
            assert service.clock.now() >= START + 500
            client = reader(order, Framing.HDLC)
            assert (await client.open(address, "management")).accepted
            (missing,) = await client.do(GetJob((attribute(4),)))
            assert missing.value == 15
            await _blocks(client, _image(), range(15, 40))
            (missing,) = await client.do(GetJob((attribute(4),)))
            assert missing.value == 40
            await client.close()

    asyncio.run(first())
    assert oct(state.stat().st_mode & 0o777) == "0o600"
    asyncio.run(second())


def test_the_state_of_another_meter_is_refused(tmp_path: Path) -> None:
    state = tmp_path / "meter.json"

    async def story(**changes: Any) -> None:
        order = plan("smets1", "tcp://:0", state=state, **changes)
        async with serving(order):
            pass

    asyncio.run(story())
    stored = json.loads(state.read_text())
    for name, value in (("seed", 2), ("eui64", "00" * 8), ("profile", "smets1-strict")):
        state.write_text(json.dumps(stored | {name: value}))
        with pytest.raises(StateFileError, match=f"another device: {name}"):
            asyncio.run(story())
    for damaged in (b"", b"{}", b"\xff", json.dumps(stored | {"form": "x"}).encode(), b"[" * 99999):
        state.write_bytes(damaged)
        with pytest.raises(StateFileError):
            asyncio.run(story())
        assert state.read_bytes() == damaged
    state.write_text(json.dumps(stored | {"device": {"objects": 1}}))
    with pytest.raises(StateFileError, match="does not fit"):
        asyncio.run(story())
    state.unlink()
    state.mkdir()
    with pytest.raises(StateFileError, match="cannot be read"):
        asyncio.run(story())


def test_a_state_that_cannot_be_written_is_told_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        order = plan("smets1", "tcp://:0", state=tmp_path / "not" / "there")
        async with serving(order):
            raise AssertionError("it was served")

    with pytest.raises(StateFileError, match="cannot be written"):
        asyncio.run(story())
