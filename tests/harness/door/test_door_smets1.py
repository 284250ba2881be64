"""A SMETS1 home alone behind the door: a PPMID is added back to it (12.2, 8.11, 8.7.2)."""

import asyncio
from pathlib import Path

from device_profiles.loader import load_profile
from device_profiles.words import DeviceType
from emulator.core.ids import Eui64
from harness.door.homes import Homes
from harness.formats.duis.bodies import DevicePrenotification, ReadInventory, RequestBody
from harness.formats.duis.smets1_bodies import (
    JoinNonCritical,
    LogChange,
    UpdateHanDeviceLog,
    Whitelisting,
)
from harness.formats.duis.smets1_contents import Result
from harness.new_installations import Order, generate
from harness.parties.received import Kind
from tests.harness.door.door_kit import device, opened


def test_a_ppmid_that_was_left_out_is_announced_let_in_and_joined(tmp_path: Path) -> None:
    home = generate(Order(1, 5, "DA"))[0]
    item = home.of(DeviceType.PPMID)[0]
    ppmid, esme, hub = (
        device(home, kind) for kind in (DeviceType.PPMID, DeviceType.ESME, DeviceType.CHF)
    )
    identity = load_profile(item.profile).identity
    announced = DevicePrenotification(
        ppmid,
        identity.manufacturer_hex,
        identity.model_hex,
        DeviceType.PPMID,
        firmware_version=identity.firmware_version.upper(),
    )
    entry = UpdateHanDeviceLog(ppmid, LogChange.ADD, Whitelisting(3600, bytes(16)))
    with opened(Homes((), (home,)), tmp_path, tmp_path / "door.state") as here:
        system = here.system(user=Eui64.parse(item.supplier))
        assert system.ask(ReadInventory(ppmid)).kind is Kind.REFUSAL
        assert system.ask(announced).kind is Kind.ACKNOWLEDGEMENT
        asks: list[tuple[RequestBody, Eui64]] = [(entry, hub), (JoinNonCritical(esme), ppmid)]
        for body, target in asks:
            answer = system.of_s1sp(system.ask(body, target))
            assert answer is not None
            assert isinstance(answer.body, Result)
            assert answer.body.success
        shown = system.ask(ReadInventory(ppmid)).octets.decode()
        asyncio.run(here.door.rest())
    assert "Commissioned" in shown
    with opened(Homes((), (home,)), tmp_path, tmp_path / "door.state") as here:
        system = here.system(user=Eui64.parse(item.supplier))
        system.supplier.counter += 1000
        assert system.ask(ReadInventory(ppmid)).kind is Kind.INVENTORY
