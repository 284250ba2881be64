"""The S1SP does what users ask at several homes at a time: a silent home holds up no other."""

import asyncio

from device_profiles.installation import Installation
from device_profiles.words import DeviceType, InstallationClass, SupplyShape
from emulator.core.clock import UtcMs
from emulator.core.ids import Eui64
from harness.door.gbcs_homes import emulated
from harness.door.homes import Homes
from harness.door.trust import participants_keys, xml_key_of
from harness.door.world import DoorWorld
from harness.formats.duis.bodies import ReadFirmwareVersion
from harness.formats.duis.request_id import RequestId
from harness.formats.duis.requests import request, write_request
from harness.formats.duis.responses import read_response
from harness.new_installations import Order, generate
from tests.harness.door.door_kit import device

#: As long as the S1SP waits for a meter.
PATIENCE_MS = 60_000
HOMES = generate(Order(3, 5, "EA", SupplyShape.DUAL_FUEL, InstallationClass.ACTIVE))


def asked(world: DoorWorld, home: Installation, number: int) -> RequestId:
    meter = home.of(DeviceType.ESME)[0]
    user = Eui64.parse(meter.supplier)
    identity = RequestId(user, device(home, DeviceType.ESME), number)
    key = xml_key_of(world.trust.store, user)
    document = write_request(request(ReadFirmwareVersion(), identity), key)
    assert read_response(world.submit(document, user)).header.code == "I99"
    return identity


def answered(silent: Installation | None) -> dict[str, tuple[UtcMs, str]]:
    """Home -> milliseconds after the question, and code; of a silent one that of the alert."""
    homes = Homes((), tuple(HOMES))

    async def story() -> dict[str, tuple[UtcMs, str]]:
        world = DoorWorld(homes, participants_keys(None, homes.suppliers, homes.seed))
        await world.begin()
        if silent is not None:
            await world.smets1.bench.disturb(f"mute:role=esme,home={silent.ref}@han")
        world.handed_out.next(most=1000)
        began = world.clock.now()
        refs = {asked(world, home, 900_000 + number): home.ref for number, home in enumerate(HOMES)}
        while not world.at_rest():
            await world.move(world.agenda.next_look(world.clock.now()))
        found = {}
        for _user, at, octets in world.handed_out.next(most=1000):
            told = read_response(octets)
            identity = told.header.request_id
            after = UtcMs(at - began)
            if identity in refs:
                found[refs[identity]] = (after, told.header.code)
            elif silent is not None:
                found.setdefault(silent.ref, (after, told.header.code))
        await world.stop()
        return found

    with asyncio.Runner(loop_factory=emulated().new_event_loop) as loop:
        return loop.run(story())


def test_a_silent_home_delays_the_answers_of_no_other() -> None:
    first, *others = (home.ref for home in HOMES)
    right, found = answered(None), answered(HOMES[0])
    assert {ref: found[ref] for ref in others} == {ref: right[ref] for ref in others}
    assert found[first][0] >= PATIENCE_MS > 10 * max(found[ref][0] for ref in others)
