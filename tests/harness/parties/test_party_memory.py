import asyncio
import json
from typing import Any

from device_profiles.words import DeviceType
from emulator.codecs.gbcs import asn1
from emulator.codecs.gbcs.use_cases import Protection
from emulator.core.ids import Eui64
from harness.formats.duis.requests import ServiceRequest
from harness.parties.received import Kind
from harness.rules.firmware_checks import Category
from tests.harness.parties.party_world import ESME, PPMID, SUPPLIER, World, image, listing

IMAGE = image(DeviceType.ESME)
LISTED = listing((DeviceType.ESME, IMAGE))
STRANGER = Eui64.parse("02-53-01-00-00-00-00-99")


def busy_world() -> World:
    """A world with something in every memory."""
    world = World(cpl=LISTED)
    supplier, dsp = world.supplier, world.dsp
    supplier.take(dsp.submit(supplier.send(supplier.read_firmware_version(PPMID)), SUPPLIER))
    supplier.take(dsp.submit(supplier.send(supplier.activate_firmware(PPMID, bytes(32))), SUPPLIER))
    asked = supplier.update_firmware(IMAGE, "01000001", [ESME, ESME, STRANGER])
    supplier.take(dsp.submit(supplier.send(asked), SUPPLIER))
    supplier.take(dsp.submit(supplier.send(supplier.activate_firmware(ESME, bytes(32))), SUPPLIER))
    dsp.expect_hub_version(PPMID, "01000001")
    return world


def dumped(world: World) -> dict[str, Any]:
    return {
        "supplier": world.supplier.dump(),
        "gas": world.gas.dump(),
        "dsp": world.dsp.dump(),
        "post": world.post.dump(),
        "wan": world.wan_provider.dump(),
    }


def restored(state: dict[str, Any]) -> World:
    world = World(cpl=LISTED)
    world.supplier.load(state["supplier"])
    world.gas.load(state["gas"])
    world.dsp.load(state["dsp"])
    world.post.load(state["post"])
    world.wan_provider.load(state["wan"])
    return world


def test_every_memory_survives_as_json() -> None:
    world = busy_world()
    state = json.loads(json.dumps(dumped(world)))
    other = restored(state)
    assert dumped(other) == dumped(world)
    assert other.supplier.inbox == world.supplier.inbox
    assert other.dsp.outbox == world.dsp.outbox
    assert other.dsp.decisions == world.dsp.decisions
    assert other.dsp.transfers == world.dsp.transfers
    assert other.post.letters == world.post.letters
    assert list(other.dsp.inventory) == list(world.dsp.inventory)


def test_a_memory_holds_no_key() -> None:
    world = busy_world()
    text = json.dumps(dumped(world))
    for party in (world.supplier, world.gas, world.acb):
        for entry in party._ring.keystore.entries():
            if entry.private_scalar is not None:
                assert str(entry.private_scalar) not in text
                assert f"{entry.private_scalar:064x}" not in text


def test_a_restored_world_goes_on_where_the_first_one_stood() -> None:
    first = busy_world()
    worlds = [first, restored(json.loads(json.dumps(dumped(first))))]
    for world in worlds:
        got = world.supplier.last(Kind.PRE_COMMAND)
        assert got is not None
        signed = world.supplier.sign(got)
        assert isinstance(signed, ServiceRequest)
        answer = world.dsp.submit(world.supplier.send(signed), SUPPLIER)
        assert world.supplier.take(answer).kind is Kind.ACKNOWLEDGEMENT
        asyncio.run(world.dsp.carry_out(world.hub))
        again = world.supplier.update_firmware(IMAGE, "01000001", [ESME])
        world.dsp.submit(world.supplier.send(again), SUPPLIER)
        assert world.dsp.decisions[-1].category == Category.OTHER_REQUEST_IN_PROGRESS
        command = world.hub.got[-1]
        payload = asn1.ActivateFirmwareResponse(None).encode()
        answer = world.answer(command, payload, protection=Protection.SIGNATURE)
        assert world.dsp.take(answer).kind == "response"
    one, other = worlds
    assert one.hub.got == other.hub.got
    assert one.hub.staged == other.hub.staged
    assert dumped(one) == dumped(other)


def test_work_is_done_once_whether_or_not_memory_was_restored_between() -> None:
    world = busy_world()
    asyncio.run(world.dsp.carry_out(world.hub))
    other = restored(json.loads(json.dumps(dumped(world))))
    asyncio.run(other.dsp.carry_out(other.hub))
    assert (other.hub.got, other.hub.staged) == ([], [])
